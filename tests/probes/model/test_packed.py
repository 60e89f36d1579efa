from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from probes.core.attributions import Method
from probes.core.model import Capability
from probes.model import packed as packing
from probes.model.batching import Batch
from probes.model.cache import AnswerCache
from probes.model.engine import TransformersModel
from probes.model.load import load
from probes.model.packed import _places, find
from probes.model.sequences import packed
from tests.probes.model.conftest import PAIRS, TEXTS, opened, reference
from tests.tiny_models import MAX_LENGTH, SENTENCES

pytestmark = pytest.mark.engine

PACKED = ("bert", "roberta", "xlm-roberta", "distilbert", "electra")
ALL = [*TEXTS, *PAIRS, "", "a", "<pad> [PAD] a <pad> b"]
SOME = [*SENTENCES[:3], "a", ("A superb meal.", "The tea was not great!")]


def padded(model: TransformersModel) -> TransformersModel:
    """The same, by the modules of the network."""
    forward = replace(model.forward, packed=None, projection=None)
    return replace(model, cache=AnswerCache.open(None), forward=forward)


def again(model: TransformersModel) -> TransformersModel:
    """The same with nothing remembered."""
    return replace(model, cache=AnswerCache.open(None))


def found(model: TransformersModel, network: torch.nn.Module) -> packing.Packed | None:
    forward = replace(model.forward, network=network)
    return find(network, read=model.encoder.encode, inputs=forward.inputs, moved=forward.moved)


def calls(model: TransformersModel) -> list[int]:
    """Where the network itself will write down how many rows it gets."""
    seen: list[int] = []
    forward = model.forward.network.forward

    def watched(**inputs):
        seen.append(len(inputs["input_ids"]))
        return forward(**inputs)

    model.forward.network.forward = watched
    return seen


@pytest.mark.parametrize("arch", ["albert", "deberta-v2", "gpt2"])
def test_other_networks_are_left_alone(tiny, arch):
    assert opened(tiny(arch)).forward.packed is None


@pytest.mark.parametrize("arch", PACKED)
def test_the_bert_family_is_packed_and_answers_as_transformers_does(tiny, arch):
    folder = tiny(arch)
    model = opened(folder)
    assert model.forward.way == "packed"
    seen = calls(model)
    logits = model.classify(ALL).logits
    assert not seen
    assert model.take_counters().way == "packed"
    assert model.encoder.encode(ALL).lengths.max() == MAX_LENGTH
    np.testing.assert_allclose(logits, reference(folder, ALL), atol=1e-5)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("arch", PACKED)
def test_low_precision_stays_within_its_tolerance(tiny, arch, dtype):
    model = opened(tiny(arch, dtype=dtype))
    assert model.forward.packed is not None
    got, expected = model.classify(SOME), padded(model).classify(SOME)
    assert np.abs(got.scores - expected.scores).max() < got.tolerance


def test_products_fused_or_not_say_the_same(tiny):
    model = opened(tiny("bert", dtype="bfloat16"))
    if not model.forward.packed.fused:
        pytest.skip("this processor or this torch has no fused products of bfloat16")
    apart = replace(model.forward.packed, fused=False)
    other = replace(again(model), forward=replace(model.forward, packed=apart))
    got, expected = model.classify(SOME), other.classify(SOME)
    assert not np.array_equal(got.logits, expected.logits)
    assert np.abs(got.scores - expected.scores).max() < got.tolerance


@pytest.mark.parametrize("act", ["relu", "gelu_new", "silu", "gelu"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_any_activation_is_the_networks_own(tiny, act, dtype):
    model = opened(tiny("bert", config={"hidden_act": act}, dtype=dtype))
    assert model.forward.packed is not None
    got, expected = model.classify(SOME), padded(model).classify(SOME)
    assert np.abs(got.scores - expected.scores).max() < got.tolerance


def test_a_batch_of_any_lengths_in_any_order(tiny):
    """Equal lengths that do not stand together included; in float64, because a batch may differ by rounding."""
    model = opened(tiny("roberta"))
    network = copy.deepcopy(model.forward.network).double()
    forward = replace(model.forward, network=network, packed=found(model, network))
    assert forward.packed is not None
    rows = model.encoder.encode(SOME)
    for order in ([0, 1, 2, 3, 4], [3, 0, 3, 0, 4], [2], [3]):
        some = rows.take(np.array(order))
        (got,) = forward([Batch(some)])
        expected = np.concatenate([next(forward([Batch(rows.take(np.array([row])))])) for row in order])
        np.testing.assert_allclose(got, expected, atol=1e-6)


def test_tokens_that_differ_in_their_type_or_place_alone_stay_apart(tiny):
    model = opened(tiny("bert"))
    network = copy.deepcopy(model.forward.network).double()
    forward = replace(model.forward, network=network, packed=found(model, network), projection=None)
    plain = replace(forward, packed=None)
    ids = [2, 7, 3, 8, 3]
    rows = packed([ids, ids, ids[1:]], [[0] * 5, [0, 0, 0, 1, 1], [0] * 4])
    (got,) = forward([Batch(rows)])
    alone = [next(forward([Batch(rows.take(np.array([row])))])) for row in range(3)]
    expected = np.concatenate([next(plain([Batch(rows.take(np.array([row])))])) for row in range(3)])
    np.testing.assert_allclose(got, expected, atol=1e-6)
    np.testing.assert_allclose(got, np.concatenate(alone), atol=1e-6)
    assert not np.allclose(got[0], got[1], atol=1e-4)


def test_one_layer_is_first_and_last_at_once(tiny):
    model = opened(tiny("bert", config={"num_hidden_layers": 1}))
    assert model.forward.packed is not None
    np.testing.assert_allclose(model.classify(ALL).logits, padded(model).classify(ALL).logits, atol=1e-5)


def test_places_count_from_the_start_of_a_row_and_padding_keeps_its_own():
    rows = packed([[0, 7, 1, 8, 2], [0, 1], [0, 5, 2]])
    assert _places(rows, None).tolist() == [0, 1, 2, 3, 4, 0, 1, 0, 1, 2]
    assert _places(rows, 1).tolist() == [2, 3, 1, 4, 5, 2, 1, 2, 3, 4]


@pytest.mark.parametrize("arch", PACKED)
def test_random_weights_are_read_and_forgotten_again(tiny, arch):
    model = opened(tiny(arch))
    own = model.classify(SOME).logits
    with model.randomised(1.0, seed=1) as random:
        got, expected = random.classify(SOME).logits, padded(random).classify(SOME).logits
    np.testing.assert_allclose(got, expected, atol=1e-5)
    assert not np.allclose(got, own, atol=1e-3)
    assert np.array_equal(again(model).classify(SOME).logits, own)


def test_weights_put_in_place_of_others_are_read(tiny):
    model = opened(tiny("bert"))
    own = model.classify(SOME).logits
    product = model.forward.network.bert.encoder.layer[0].attention.self.key
    product.weight = torch.nn.Parameter(product.weight.flip(0), requires_grad=False)
    got = again(model).classify(SOME).logits
    assert not np.allclose(got, own, atol=1e-3)
    np.testing.assert_allclose(got, padded(model).classify(SOME).logits, atol=1e-5)


def test_only_classifying_is_packed(tiny):
    model = opened(tiny("bert"))
    other = padded(model)
    assert np.array_equal(model.embed(SOME), other.embed(SOME))
    one, two = (each.attribute(SOME[:1], ["positive"], method=Method.SALIENCY)[0] for each in (model, other))
    np.testing.assert_allclose(one.scores, two.scores, atol=1e-5)


def test_a_watched_network_answers_by_its_modules(tiny):
    model = opened(tiny("bert"))
    seen = []
    hook = model.forward.network.bert.encoder.layer[0].attention.self.query.register_forward_hook(
        lambda _m, given, _out: seen.append(given[0].shape)
    )
    model.classify(SOME)
    assert seen
    seen.clear()
    hook.remove()
    again(model).classify(SOME)
    assert not seen


def test_another_network_is_not_answered_for(tiny):
    model = opened(tiny("bert"))
    forward = replace(model.forward, network=copy.deepcopy(model.forward.network))
    forward.network.classifier.weight.zero_()
    forward.network.classifier.bias.zero_()
    (got,) = forward([Batch(model.encoder.encode(SOME[:1]))], Capability.CLASSIFY)
    assert not got.any()


def half_as_bold(layer):
    """Another layer than its modules suggest."""
    own = layer.forward
    layer.forward = lambda *given, **more: 0.5 * own(*given, **more)


def nothing_added(layer):
    """A feed-forward part in place of, not beside, what came before it."""
    layer.output.forward = lambda states, _before: layer.output.LayerNorm(layer.output.dense(states))


def activated_otherwise(layer):
    """An activation that its module is not asked about."""
    layer.intermediate.forward = lambda states: torch.relu(layer.intermediate.dense(states))


@pytest.mark.parametrize("broken", [half_as_bold, nothing_added, activated_otherwise])
@pytest.mark.parametrize("last", [False, True])
def test_a_network_that_does_something_else_is_left_alone(tiny, broken, last):
    model = opened(tiny("bert"))
    network = copy.deepcopy(model.forward.network)
    assert found(model, network) is not None
    broken(network.bert.encoder.layer[-1 if last else 0])
    assert found(model, network) is None


class Adapted(torch.nn.Linear):
    pass


def adapted(network):
    network.bert.encoder.layer[0].attention.self.query.__class__ = Adapted


def hooked(network):
    network.bert.embeddings.register_forward_hook(lambda *_: None)


def decoding(network):
    network.config.is_decoder = True


def relative(network):
    network.config.position_embedding_type = "relative_key"


def spread_over_devices(network):
    network.hf_device_map = {"": "cpu"}


def without_a_layer(network):
    del network.bert.encoder


def broken_numbers(network):
    network.classifier.weight[0, 0] = torch.nan


@pytest.mark.parametrize(
    "change", [adapted, hooked, decoding, relative, spread_over_devices, without_a_layer, broken_numbers]
)
def test_options_that_are_not_known_leave_a_network_as_it_is(tiny, change):
    model = opened(tiny("bert"))
    network = copy.deepcopy(model.forward.network)
    change(network)
    assert found(model, network) is None


def test_answers_of_one_way_are_no_answers_of_the_other(tiny, tmp_path, monkeypatch):
    folder, path = str(tiny("distilbert")), tmp_path / "answers.sqlite"
    load(folder, device="cpu", cache=AnswerCache.open(path)).classify(SOME)
    same = load(folder, device="cpu", cache=AnswerCache.open(path))
    same.classify(SOME)
    assert (same.counters.cached, same.forward.way) == (len(SOME), "packed")
    monkeypatch.setattr(packing, "find", lambda *_, **__: None)
    other = load(folder, device="cpu", cache=AnswerCache.open(path))
    other.classify(SOME)
    assert (other.counters.cached, other.forward.way) == (0, None)


def test_a_trial_costs_no_draw(tiny):
    model = opened(tiny("bert"))
    state = torch.random.get_rng_state()
    assert found(model, model.forward.network) is not None
    assert torch.equal(torch.random.get_rng_state(), state)
