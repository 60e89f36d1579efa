"""What every engine promises, asked of all of them: transformers, vLLM where it is installed, and our half of vLLM over
a stand-in for it everywhere."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from probes.core.answers import ProblemType
from probes.core.errors import DataError, ModelError
from probes.core.generations import Decoding
from probes.core.likelihoods import Scoring
from probes.core.model import TRANSFORMERS, VLLM
from probes.core.verbaliser import Verbaliser
from probes.model.cache import AnswerCache
from probes.model.card import describe
from probes.model.load import load
from probes.model.verbalised import Verbalised, as_classifier
from probes.model.vllm_card import through_vllm
from probes.model.vllm_start import BEHAVIOUR, PREFERENCES
from tests import vllm_stand_in
from tests.tiny_models import CHAT, SENTENCES, build

pytestmark = pytest.mark.engine

STAND_IN = "stand-in for vllm"
ENGINES = (
    TRANSFORMERS,
    STAND_IN,
    pytest.param(VLLM, marks=pytest.mark.skipif(find_spec("vllm") is None, reason="vLLM is not installed")),
)
WIDE = {
    "gpt2": {"n_embd": 128, "initializer_range": 0.15},
    "llama": {"hidden_size": 128, "head_dim": 32, "initializer_range": 0.15},
}
"""Heads as wide as the attention of vLLM needs."""
PROMPTS = [SENTENCES[0][:length] for length in (3, 9, 20, 33)] + list(SENTENCES[1:4])
TEXTS = (*SENTENCES, "A fox.", "a", "The film was good. " * 3)
TEN = Decoding(max_tokens=10)
DRAWN = Decoding(max_tokens=6, samples=3, temperature=0.9, top_p=0.95, seed=1)
LONG = " ".join(SENTENCES)
CLOSE = 1e-3
"""By how much log-probabilities may differ between engines in float32."""

Load = Callable[..., Any]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("engines")
    plain = {arch: build(arch, place / arch, language=True, config=WIDE[arch]) for arch in WIDE}
    return plain | {"chat": build("llama", place / "chat", language=True, config=WIDE["llama"], chat=CHAT)}


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        if request.param == STAND_IN:
            vllm_stand_in.install(patch)
        elif request.param == VLLM:
            for name, value in (BEHAVIOUR | PREFERENCES | {"VLLM_CPU_KVCACHE_SPACE": "1"}).items():
                patch.setenv(name, value)
        yield request.param


@pytest.fixture(scope="module")
def opened(engine: str, folders: dict[str, Path]) -> Load:
    """`opened("llama")`: a model behind the engine, loaded once, and asked with a cache of its own each time."""
    loaded: dict[str, Any] = {}

    def open_(name: str, *, cache: AnswerCache | None = None) -> Any:
        if name not in loaded:
            card = describe(str(folders[name]))
            loaded[name] = load(card if engine == TRANSFORMERS else by_vllm(card), device="cpu")
        return replace(loaded[name], cache=cache or AnswerCache.open(None), counters=type(loaded[name].counters)())

    return open_


@pytest.fixture(scope="module")
def expected(folders: dict[str, Path]) -> dict[str, Any]:
    """The same models behind the engine that all others are measured by."""
    return {name: load(str(folder), device="cpu") for name, folder in folders.items()}


def by_vllm(card: Any) -> Any:
    return through_vllm(card, device=torch.device("cpu"), trust_remote_code=False)


def the_same(a: Any, b: Any) -> bool:
    alike = list(a.texts) == list(b.texts) and np.array_equal(a.tokens, b.tokens) and np.array_equal(a.cut, b.cut)
    ends = np.array_equal(a.finished, b.finished) and np.array_equal(a.near, b.near)
    return alike and ends and np.allclose(a.logs, b.logs, atol=CLOSE)


@pytest.mark.parametrize("name", ["gpt2", "llama", "chat"])
def test_the_likeliest_texts_are_those_of_transformers(name, opened, expected):
    found = opened(name).generate(PROMPTS, TEN)
    assert the_same(found, expected[name].generate(PROMPTS, TEN))
    assert len(set(found.texts)) > 4
    assert (found.tokens == 10).any()


@pytest.mark.parametrize("name", ["gpt2", "llama"])
def test_log_probabilities_are_those_of_transformers(name, opened, expected):
    found, wanted = opened(name).score(TEXTS), expected[name].score(TEXTS)
    assert np.array_equal(found.ids, wanted.ids)
    assert np.array_equal(found.starts, wanted.starts)
    assert np.allclose(found.logs, wanted.logs, atol=CLOSE)
    assert np.ptp(found.logs) > 1
    assert found.tolerance == wanted.tolerance


def test_what_counts_and_what_it_is_given_are_the_same(opened, expected):
    counted = [(0, 8), (9, 12), (4, 60), (13, 20)]
    some = list(TEXTS[: len(counted)])
    pairs = [(SENTENCES[0], " and so on"), (LONG, " the end.")]
    for asked in ({"texts": some, "counted": counted}, {"texts": pairs}, {"texts": [LONG, "a"]}):
        found, wanted = opened("llama").score(**asked), expected["llama"].score(**asked)
        assert np.allclose(found.logs, wanted.logs, atol=CLOSE)
        assert np.array_equal(found.spans, wanted.spans)
        assert np.array_equal(found.unscored, wanted.unscored)
    written = list(expected["chat"].generate(PROMPTS, TEN).texts)
    found = opened("chat").score_written(PROMPTS, written)
    assert np.allclose(found.logs, expected["chat"].score_written(PROMPTS, written).logs, atol=CLOSE)


def test_a_text_of_which_nothing_counts_has_no_score(opened):
    found = opened("gpt2").score(["The film was good.", "A fox."], counted=[(3, 4), (2, 5)])
    assert found.counts.tolist()[0] == 0
    assert found.counts[1] > 0


def test_nothing_asked_nothing_answered(opened):
    model = opened("llama")
    assert len(model.generate([])) == 0
    assert len(model.score([]).logs) == 0
    assert model.take_counters().computed == 0


@pytest.mark.parametrize("how", [TEN, DRAWN])
def test_repeats_cost_nothing_and_the_order_is_kept(how, opened):
    model = opened("llama")
    found = model.generate([*PROMPTS, *PROMPTS[::-1]], how)
    counters = model.take_counters()
    samples = how.samples
    assert (counters.asked, counters.distinct) == (2 * len(PROMPTS) * samples, len(PROMPTS) * samples)
    assert (counters.computed, counters.cached) == (len(PROMPTS) * samples, 0)
    assert counters.forward_seconds > 0
    assert the_same(found[np.arange(len(PROMPTS), 2 * len(PROMPTS))[::-1]], found[np.arange(len(PROMPTS))])
    scored = model.score([TEXTS[1], TEXTS[0], TEXTS[1]])
    assert model.take_counters().computed == 2
    assert np.array_equal(scored.logs[: scored.starts[1]], scored.logs[scored.starts[2] :])


@pytest.mark.parametrize("how", [TEN, DRAWN])
def test_what_is_written_depends_on_the_prompt_alone(how, opened):
    together = opened("llama").generate(PROMPTS, how)
    for row in (0, 5):
        assert the_same(opened("llama").generate([PROMPTS[row]], how), together[np.array([row])])


def test_seeds_repeat_and_samples_differ(opened):
    some = PROMPTS[2:5]
    first = opened("gpt2").generate(some, DRAWN)
    assert the_same(opened("gpt2").generate(some, DRAWN), first)
    other = opened("gpt2").generate(some, replace(DRAWN, seed=2))
    assert all(len(set(first.of(row))) == DRAWN.samples for row in range(len(some)))
    assert not set(first.texts) & set(other.texts)
    assert not first.near.any()
    fewer = opened("gpt2").generate(some, replace(DRAWN, samples=2))
    assert [first.of(row)[:2] for row in range(len(some))] == [fewer.of(row) for row in range(len(some))]


def test_draws_have_the_log_probabilities_of_the_model(opened, expected):
    """Those at temperature 1, whatever the draw was tempered by."""
    how = Decoding(max_tokens=1, samples=40, temperature=0.5, top_p=0.6, seed=3)
    model = opened("llama")
    found = model.generate([PROMPTS[3]], how)
    likeliest = expected["llama"].generate([PROMPTS[3]], Decoding(max_tokens=1)).logs[0]
    assert found.logs.max() == pytest.approx(likeliest, abs=CLOSE)
    assert 1 < len(set(np.round(found.logs, 3))) < 20  # the nucleus, and more than one of it


def test_many_draws_are_asked_at_once(opened):
    """More tokens than an engine reads in one step."""
    how = Decoding(max_tokens=1, samples=70, temperature=1.0, seed=4)
    found = opened("llama").generate([LONG], how)
    assert how.samples * (opened("llama").card.max_length - 1) > 4300
    fewer = opened("llama").generate([LONG], replace(how, samples=4))
    assert fewer.texts == found.texts[:4]
    assert len(set(found.texts)) > 4


def test_a_text_to_stop_at_is_cut_off(opened, expected):
    whole = expected["llama"].generate(PROMPTS, TEN)
    for stop in (whole.texts[0][2], whole.texts[0][3:6]):
        how = replace(TEN, stop=(stop,))
        found = opened("llama").generate(PROMPTS, how)
        assert the_same(found, expected["llama"].generate(PROMPTS, how))
        assert found.finished[0]
        assert stop not in found.texts[0]


def test_a_prompt_that_is_too_long_loses_its_beginning(opened, expected):
    for how in (TEN, Decoding(max_tokens=500)):
        found = opened("llama").generate([LONG, "A fox."], how)
        assert the_same(found, expected["llama"].generate([LONG, "A fox."], how))
        assert found.cut[0] > 0
    assert opened("llama").generate([LONG], Decoding(max_tokens=500)).tokens[0] <= 32


def test_asked_again_nothing_is_computed(opened, tmp_path):
    cache = AnswerCache.open(tmp_path / "answers")
    for how in (TEN, DRAWN):
        first = opened("gpt2", cache=cache).generate(PROMPTS, how)
        model = opened("gpt2", cache=cache)
        assert the_same(model.generate(PROMPTS, how), first)
        assert model.take_counters().computed == 0


def test_labels_are_told_by_how_likely_they_are(opened, expected):
    words = ("positive=good", "negative=very bad")
    verbaliser = Verbaliser.of(words, head=ProblemType.CAUSAL_LM, prompt="Review: {text}\nSentiment:")
    for name in ("llama", "chat"):
        card = as_classifier(expected[name].card, verbaliser)
        found, wanted = (
            Verbalised(model=model, card=card).classify(SENTENCES) for model in (opened(name), expected[name])
        )
        assert np.allclose(found.logits, wanted.logits, atol=CLOSE)
        assert np.ptp(found.logits) > 0.1


def test_what_cannot_be_read_is_told(opened):
    with pytest.raises(DataError, match="surrogate"):
        opened("llama").generate(["\ud800"])
    with pytest.raises(ValueError, match="no way to score"):
        opened("llama").score(["A fox."], rule=Scoring.ONE_MASKED)


def test_speed_can_be_measured(opened):
    found = opened("llama").throughput(TEXTS[:4])
    assert found.tokens_per_second > 0
    assert found.seconds_per_written_token is not None


@pytest.fixture(scope="module")
def broken(folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of which a token's logit is NaN; that it may load is the point."""
    folder = Path(shutil.copytree(folders["llama"], tmp_path_factory.mktemp("broken") / "llama"))
    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"][0] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_broken_weights_are_told(engine, broken):
    card = describe(str(broken))
    with pytest.raises(ModelError, match="NaN or infinite"):
        load(card if engine == TRANSFORMERS else by_vllm(card), device="cpu").generate(PROMPTS, TEN)
