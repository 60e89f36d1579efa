"""Every architecture with every method, and how much of it is in memory at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from probes.core.attributions import Method
from probes.core.errors import ModelError
from probes.core.words import spans
from probes.model.engine import TransformersModel
from probes.model.load import load
from probes.model.quadrature import RULES
from tests.probes.model.conftest import opened
from tests.tiny_models import ARCHITECTURES, SENTENCES

pytestmark = pytest.mark.engine

TEXTS = [SENTENCES[4], SENTENCES[1][:30], ("A superb meal.", "The tea was not great!")]
TARGETS = ["positive", "negative", "positive"]
EVERYWHERE = {Method.INTEGRATED_GRADIENTS, Method.SALIENCY, Method.FEATURE_ABLATION, Method.OCCLUSION}
LONGEST = 512


@pytest.fixture(scope="module")
def loaded(tiny) -> Callable[[str], TransformersModel]:
    return cache(lambda arch: opened(tiny(arch)))


@pytest.fixture(scope="module")
def smooth(tiny) -> Callable[[str], TransformersModel]:
    """Models whose random weights are of the size of trained ones, and with them their gradients."""
    return cache(lambda arch: opened(tiny(arch, config={"initializer_range": 0.1})))


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_an_architecture_runs_a_method_or_says_why_it_cannot(loaded, arch, method):
    model = loaded(arch)
    if method in model.card.unattributable:
        assert method not in EVERYWHERE
        assert len(model.card.unattributable[method].split()) > 3
        with pytest.raises(ModelError):
            model.attribute(TEXTS, TARGETS, method=method)
        return
    found = model.attribute(TEXTS, TARGETS, method=method)
    assert [(each.text, each.target) for each in found] == list(zip(TEXTS, TARGETS, strict=True))
    assert [each.words for each in found] == [spans(text) for text in TEXTS]
    logits = model.classify(TEXTS).logits
    for each, row in zip(found, logits, strict=True):
        assert each.scores.shape == (len(each.words),)
        assert np.isfinite([*each.scores, each.special]).all()
        assert np.count_nonzero(each.scores) > len(each.words) / 2
        assert each.output == pytest.approx(row[model.card.labels.index(each.target)], abs=1e-4)
        assert each.points > 0
        assert each.unread == 0


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_integrated_gradients_add_up_to_what_the_words_changed(smooth, arch):
    for each in smooth(arch).attribute(TEXTS, TARGETS, method=Method.INTEGRATED_GRADIENTS):
        assert each.points in RULES
        assert each.relative_delta is not None
        # The rectifier in DistilBERT's head bends the path sharply, and no rule likes that.
        assert each.relative_delta < (0.05 if arch == "distilbert" else 0.01)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_gradient_shap_draws_from_the_same_path(smooth, arch):
    """Its few random points add up only on average, so it is held against the integral it estimates."""
    exact, drawn = (
        np.concatenate([each.scores for each in smooth(arch).attribute(TEXTS, TARGETS, method=method)])
        for method in (Method.INTEGRATED_GRADIENTS, Method.GRADIENT_SHAP)
    )
    cosine = exact @ drawn / np.linalg.norm(exact) / np.linalg.norm(drawn)
    assert 0.8 < cosine < 1 - 1e-12


@pytest.mark.parametrize("arch", ["bert", "deberta-v2", "gpt2"])
def test_words_beyond_the_length_limit_are_counted_and_not_explained(loaded, arch):
    text = " ".join(SENTENCES)
    (found,) = loaded(arch).attribute([text], ["positive"], method=Method.INPUT_X_GRADIENT)
    assert 10 < len(found.words) < len(spans(text))
    assert found.words == spans(text)[: len(found.words)]
    assert found.unread == len(spans(text)) - len(found.words)


@pytest.fixture
def long_model(own) -> Callable[[str], TransformersModel]:
    """A tiny model that reads 512 tokens."""

    def make(arch: str) -> TransformersModel:
        positions = "n_positions" if arch == "gpt2" else "max_position_embeddings"
        folder = own(arch, config={positions: LONGEST})
        path = folder / "tokenizer_config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"model_max_length": LONGEST}))
        return load(str(folder), device="cpu")

    return make


def tokens_at_once(model: TransformersModel, sizes: list[int]) -> None:
    """Note rows x tokens of every forward pass, however the network is given its input."""

    def note(_module, args, kwargs):
        block = next(value for value in [*args, *kwargs.values()] if hasattr(value, "shape"))
        sizes.append(block.shape[0] * block.shape[1])

    model.forward.network.base_model.register_forward_pre_hook(note, with_kwargs=True)


@pytest.mark.parametrize("arch", ["bert", "gpt2"])
def test_a_long_text_stays_within_the_token_budget(long_model, arch):
    model = long_model(arch)
    text = " ".join("-".join(letter * 60) for letter in "abcdefgh")  # few words of many tokens each
    assert model.encoder.encode([text]).lengths.tolist() == [LONGEST]
    sizes: list[int] = []
    tokens_at_once(model, sizes)
    most = {}
    for method in sorted(set(Method) - set(model.card.unattributable)):
        sizes.clear()
        (found,) = model.attribute([text], ["positive"], method=method)
        assert len(found.words) > 3
        assert np.isfinite(found.scores).all()
        most[method] = max(sizes)
    assert min(most.values()) >= LONGEST
    assert {method: size for method, size in most.items() if size > model.budget} == {}
