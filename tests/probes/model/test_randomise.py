from __future__ import annotations

import numpy as np
import pytest
import torch

from probes.core.attributions import Method
from probes.model.cache import AnswerCache
from tests.probes.model.conftest import opened
from tests.tiny_models import ARCHITECTURES, SENTENCES

pytestmark = pytest.mark.engine

TARGETS = ["positive"] * len(SENTENCES)


def weights(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def changed(network, before):
    return {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_weights_are_forgotten_from_the_top_and_restored_bit_for_bit(tiny, arch):
    model = opened(tiny(arch))
    network = model.forward.network
    before, sets = weights(network), []
    buffers = {name: tensor.clone() for name, tensor in network.named_buffers()}
    for share in (0.0, 0.5, 1.0):
        with model.randomised(share, seed=1):
            sets.append(changed(network, before))
        assert changed(network, before) == set()
    assert all(torch.equal(tensor, buffers[name]) for name, tensor in network.named_buffers())
    head, half, every = sets
    assert head < half < every
    assert len(head) in (1, 2)
    assert not any("embed" in name or "layer.0." in name or ".h.0." in name for name in half)
    assert {name for name, tensor in before.items() if tensor.ndim > 1} <= every


def test_the_seed_decides_and_the_global_generator_is_left_alone(tiny):
    model = opened(tiny("bert"))
    torch.manual_seed(7)
    state = torch.random.get_rng_state()
    answers = []
    for seed in (1, 1, 2):
        with model.randomised(1, seed=seed) as random:
            answers.append(random.classify(SENTENCES).logits)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert np.array_equal(answers[0], answers[1])
    assert not np.allclose(answers[0], answers[2])


def test_nothing_is_read_from_or_written_to_the_cache(tiny):
    cache = AnswerCache.open(None)
    model = opened(tiny("bert"), cache=cache)
    own = model.classify(SENTENCES).logits
    (first,) = model.attribute(SENTENCES[:1], TARGETS[:1], method=Method.SALIENCY)
    with model.randomised(0.5, seed=1) as random:
        assert not np.allclose(random.classify(SENTENCES).logits, own)
        (other,) = random.attribute(SENTENCES[:1], TARGETS[:1], method=Method.SALIENCY)
        assert not np.allclose(other.scores, first.scores)
        random.classify(["a text that only the random model was asked about"])
    model.take_counters()
    assert np.array_equal(model.classify(SENTENCES).logits, own)
    assert model.take_counters().computed == 0
    model.classify(["a text that only the random model was asked about"])
    assert model.take_counters().computed == 1


def test_restored_after_an_error_too(tiny):
    model = opened(tiny("bert"))
    before = weights(model.forward.network)
    with pytest.raises(KeyError), model.randomised(1, seed=1):
        raise KeyError
    assert changed(model.forward.network, before) == set()


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_is_a_share(tiny, share):
    with (
        pytest.raises(ValueError, match="from 0 to 1"),
        opened(tiny("bert")).randomised(share, seed=0),
    ):
        pass
