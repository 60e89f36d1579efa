from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from probes.core.attributions import Method
from probes.core.errors import ModelError
from probes.model import last_layer
from probes.model import packed as packing
from probes.model.cache import AnswerCache
from probes.model.engine import TransformersModel
from probes.model.last_layer import find, first_token_only
from probes.model.load import load
from tests.probes.model.conftest import opened
from tests.tiny_models import ARCHITECTURES, SENTENCES

pytestmark = pytest.mark.engine

FIRST_ALONE = {"bert", "electra", "roberta", "xlm-roberta", "deberta-v2"}
"""Not ALBERT (one layer, used again and again), DistilBERT and ModernBERT (built otherwise), nor the decoders."""
TEXTS = [*SENTENCES[:3], SENTENCES[1][:20], ("A superb meal.", "The tea was not great!")]
TARGETS = ["positive", "negative", "positive", "negative", "positive"]
SMOOTH = {"initializer_range": 0.1}
METHODS = (Method.INTEGRATED_GRADIENTS, Method.SALIENCY, Method.DEEP_LIFT, Method.OCCLUSION)


def trimmed(model: TransformersModel) -> TransformersModel:
    """The same, by the modules of the network."""
    return replace(model, cache=AnswerCache.open(None), forward=replace(model.forward, packed=None))


def untrimmed(model: TransformersModel) -> TransformersModel:
    """The same, with a last layer that works on every token."""
    return replace(model, cache=AnswerCache.open(None), forward=replace(model.forward, packed=None, projection=None))


def hooks(network: torch.nn.Module) -> int:
    return sum(len(module._forward_pre_hooks) + len(module._forward_hooks) for module in network.modules())


@pytest.fixture
def tokens(tiny) -> Callable[[TransformersModel], list[int]]:
    """Makes the last layer of a tiny BERT write down how many tokens its feed-forward part gets."""

    def watch(model):
        seen = []
        layer = model.forward.network.bert.encoder.layer[-1]
        layer.intermediate.register_forward_hook(lambda _m, given, _out: seen.append(given[0].shape[1]))
        return seen

    return watch


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_logits_stay_and_the_bert_family_alone_is_trimmed(tiny, arch):
    model = opened(tiny(arch))
    assert (model.forward.projection is not None) == (arch in FIRST_ALONE)
    got, whole = trimmed(model).classify(TEXTS).logits, untrimmed(model).classify(TEXTS).logits
    np.testing.assert_allclose(got, whole, atol=1e-5)
    assert hooks(model.forward.network) == 0


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_low_precision_is_trimmed_too(tiny, dtype):
    model = opened(tiny("bert", dtype=dtype))
    assert model.forward.projection is not None
    got, whole = trimmed(model).classify(TEXTS), untrimmed(model).classify(TEXTS)
    assert np.abs(got.scores - whole.scores).max() < got.tolerance


@pytest.mark.parametrize("arch", sorted(FIRST_ALONE))
def test_embeddings_are_those_of_every_token(tiny, arch):
    model = opened(tiny(arch))
    model.classify(TEXTS)
    assert np.array_equal(model.embed(TEXTS), untrimmed(model).embed(TEXTS))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("arch", sorted(FIRST_ALONE))
def test_attributions_stay(tiny, arch, method):
    model = opened(tiny(arch, config=SMOOTH))
    if method in model.card.unattributable:
        pytest.skip(model.card.unattributable[method])
    got, whole = (each.attribute(TEXTS, TARGETS, method=method) for each in (model, untrimmed(model)))
    for one, other in zip(got, whole, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)
        assert (one.output, one.special) == pytest.approx((other.output, other.special), abs=1e-5)
        assert one.points == other.points
    assert hooks(model.forward.network) == 0


def test_one_token_is_worked_on_where_logits_are_asked_for_and_all_where_states_are(tiny, tokens):
    model = opened(tiny("bert"))
    model.explainer.embedding  # noqa: B018 - found with a forward pass of its own
    seen = tokens(model)
    model.classify(SENTENCES)
    for method in Method:
        model.attribute(TEXTS[3:4], TARGETS[3:4], method=method)
    assert len(seen) > len(Method)
    assert set(seen) == {1}
    seen.clear()
    model.embed(SENTENCES)
    assert seen[-1] == model.encoder.encode(SENTENCES).lengths.max()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_random_weights_change_nothing_about_it(tiny, tokens, share):
    model = opened(tiny("bert"))
    seen = tokens(model)
    own = model.classify(TEXTS).logits
    with model.randomised(share, seed=1) as random:
        got, found = random.classify(TEXTS).logits, random.attribute(TEXTS, TARGETS, method=Method.SALIENCY)
        whole = untrimmed(random)
        assert set(seen[:2]) == {1}
        np.testing.assert_allclose(got, whole.classify(TEXTS).logits, atol=1e-5)
        expected = whole.attribute(TEXTS, TARGETS, method=Method.SALIENCY)
    assert not np.allclose(got, own, atol=1e-3)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-5)


def test_an_exception_in_the_network_leaves_no_hook(tiny):
    model = opened(tiny("bert"))
    model.explainer.embedding  # noqa: B018 - found before anything breaks

    def broken(*_):
        raise RuntimeError("broken head")

    hook = model.forward.network.classifier.register_forward_pre_hook(broken)
    with pytest.raises(ModelError, match="broken head"):
        model.classify(TEXTS)
    with pytest.raises(ModelError, match="broken head"):
        model.attribute(TEXTS, TARGETS, method=Method.SALIENCY)
    hook.remove()
    assert hooks(model.forward.network) == 0
    assert np.isfinite(model.classify(TEXTS).logits).all()


def test_answers_of_one_way_are_no_answers_of_the_other(tiny, tmp_path, monkeypatch):
    folder, path = str(tiny("bert")), tmp_path / "answers.sqlite"
    monkeypatch.setattr(packing, "find", lambda *_, **__: None)
    load(folder, device="cpu", cache=AnswerCache.open(path)).classify(TEXTS)
    again = load(folder, device="cpu", cache=AnswerCache.open(path))
    again.classify(TEXTS)
    assert again.counters.cached == len(TEXTS)
    monkeypatch.setattr(last_layer, "find", lambda *_: None)
    whole = load(folder, device="cpu", cache=AnswerCache.open(path))
    whole.classify(TEXTS)
    assert whole.counters.cached == 0


def first(states, _mask):
    return states[:, 0]


def mean(states, mask):
    return (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def largest(states, mask):
    return states.masked_fill(mask[..., None] == 0, -torch.inf).amax(dim=1)


def last(states, mask):
    return states[torch.arange(len(states)), mask.sum(dim=1) - 1]


def second(states, _mask):
    return states[:, 1]


def first_and_a_little_of_the_rest(states, mask):
    return first(states, mask) + 1e-6 * mean(states, mask)


def first_and_the_length(states, _mask):
    return states[:, 0] + states.shape[1]


def first_of_all_tokens(states, mask):
    if states.shape[:2] != mask.shape:
        raise ValueError("not a state for each token")
    return states[:, 0]


class Head(torch.nn.Module):
    """A BERT under a head that reads what it is told to, with weights of a certain size."""

    def __init__(self, pool, *, size=1.0, dtype=torch.float32, layers=2):
        from transformers import BertConfig, BertModel

        super().__init__()
        settings = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 100}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self.base_model = BertModel(BertConfig(**settings, num_hidden_layers=layers), add_pooling_layer=False)
            self.classifier = torch.nn.Linear(32, 2)
        self.classifier.weight.data *= size
        self.pool = pool
        self.to(dtype).eval().requires_grad_(False)

    def forward(self, **inputs):
        states = self.base_model(**inputs).last_hidden_state
        return SimpleNamespace(logits=self.classifier(self.pool(states, inputs["attention_mask"])))


def read(*, columns=12):
    """Ids and mask of two rows, the second with padding."""
    ids = torch.randint(4, 100, (2, columns), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, columns // 2 :] = 0
    return ids, mask


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("size", [1.0, 1e-3])
def test_a_head_on_the_first_token(size, dtype):
    network = Head(first, size=size, dtype=dtype)
    assert find(network, *read()) is network.base_model.encoder.layer[-1].attention.output
    assert hooks(network) == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("size", [1.0, 1e-3])
@pytest.mark.parametrize("pool", [mean, largest, last, second])
def test_a_head_on_other_tokens_however_small_its_weights(pool, size, dtype):
    network = Head(pool, size=size, dtype=dtype)
    assert find(network, *read()) is None
    assert hooks(network) == 0


@pytest.mark.parametrize("pool", [first_and_a_little_of_the_rest, first_and_the_length, first_of_all_tokens])
def test_a_head_on_the_first_token_and_something_else(pool):
    network = Head(pool)
    assert find(network, *read()) is None
    assert hooks(network) == 0


def test_a_head_of_zeros_tells_nothing():
    """It may be given weights later, as `randomised` does."""
    assert find(Head(first, size=0.0), *read()) is None
    assert find(Head(mean, size=0.0), *read()) is None


def test_broken_weights_tell_nothing():
    network = Head(first)
    network.classifier.weight[0, 0] = torch.nan
    assert find(network, *read()) is None


def test_opposite_labels_do_not_hide_what_is_read():
    network = Head(first)
    network.classifier.weight[1] = -network.classifier.weight[0]
    assert find(network, *read()) is not None


def test_a_layer_that_is_used_twice():
    network = Head(first)
    network.base_model.encoder.layer[0] = network.base_model.encoder.layer[1]
    assert find(network, *read()) is None
    assert hooks(network) == 0


def test_a_single_layer_is_the_last_one():
    assert find(Head(first, layers=1), *read()) is not None


def test_too_few_tokens_tell_nothing():
    assert find(Head(first), *read(columns=2)) is None
    assert find(Head(mean), *read(columns=1)) is None


def test_windows_that_an_even_number_of_tokens_fills():
    """Longformer pads to whole windows, and cuts the padding off again, from one token too."""
    from transformers import LongformerConfig, LongformerForSequenceClassification

    settings = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48, "vocab_size": 100}
    config = LongformerConfig(**settings, num_hidden_layers=2, attention_window=4, max_position_embeddings=40)
    network = LongformerForSequenceClassification(config).eval().requires_grad_(False)
    assert find(network, *read(columns=12)) is None


def test_a_first_token_stands_alone_in_memory():
    """Torch multiplies anything else row by row, with a copy of the weights for each."""
    network, (ids, mask) = Head(first), read()
    projection, seen = find(network, ids, mask), []
    projection.dense.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with first_token_only(projection):
        network(input_ids=ids, attention_mask=mask)
    assert seen[0].shape[1] == 1
    assert seen[0].is_contiguous()


def test_gradients_of_the_input_are_the_same():
    network, (ids, mask) = Head(first), read()
    gradients = []
    for projection in (None, find(network, ids, mask)):
        vectors = network.base_model.get_input_embeddings()(ids).requires_grad_()
        with first_token_only(projection):
            logits = network(inputs_embeds=vectors, attention_mask=mask).logits
        gradients.extend(torch.autograd.grad(logits[:, 0].sum(), vectors))
    whole, trimmed = gradients
    assert whole.abs().max() > 1e-3
    torch.testing.assert_close(trimmed, whole, atol=1e-6, rtol=1e-5)


def test_a_trial_costs_no_draw_and_no_mode(tiny):
    """Asked for under inference mode as well, and the global generator is left alone."""
    network, (ids, mask) = Head(first), read()
    state = torch.random.get_rng_state()
    with torch.inference_mode():
        assert find(network, ids, mask) is not None
        assert torch.is_inference_mode_enabled()
    assert torch.equal(torch.random.get_rng_state(), state)
