from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from probes.core.errors import ModelError
from probes.model.batching import Batch
from probes.model.cache import AnswerCache
from probes.model.engine import Counters
from probes.model.forward import Forward
from probes.model.sequences import packed
from tests.probes.model.conftest import PAIRS, TEXTS, opened, reference
from tests.tiny_models import ARCHITECTURES, SENTENCES

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_logits_are_those_of_transformers_in_any_batch(tiny, arch):
    folder = tiny(arch)
    texts = [*TEXTS, *PAIRS]
    expected = reference(folder, texts)
    assert np.ptp(expected, axis=0).min() > 0.5  # the texts do get different answers
    for budget in (1, 1000):
        shuffled = random.Random(budget).sample(range(len(texts)), len(texts))
        model = opened(folder, budget=budget)
        got = model.classify([texts[row] for row in shuffled])
        assert model.pads
        np.testing.assert_allclose(got.logits, expected[shuffled], atol=1e-5)


def test_repeats_cost_nothing_and_counters_add_up(tiny):
    model = opened(tiny("bert"))
    texts = ["a good film", "A GOOD FILM", "a good film", "a bad film"]  # the tokenizer ignores case
    first = model.classify(texts)
    assert np.array_equal(first.logits[0], first.logits[1])
    counters = model.take_counters()
    assert (counters.asked, counters.distinct, counters.cached, counters.computed) == (4, 2, 0, 2)
    assert counters.tokens == int(model.encoder.encode(texts[2:]).lengths.sum())
    assert counters.forward_seconds > 0
    assert model.take_counters() == Counters()
    again = model.classify([*texts, "a new film"])
    assert np.array_equal(again.logits[:4], first.logits)
    counters = model.take_counters()
    assert (counters.asked, counters.distinct, counters.cached, counters.computed) == (5, 3, 2, 1)


def test_same_ids_with_other_token_types_are_another_question(tiny):
    model = opened(tiny("bert"))
    single, pair = model.classify(["good [SEP] bad", ("good", "bad")]).logits
    assert model.counters.distinct == 2
    assert not np.allclose(single, pair)


def test_no_texts(tiny):
    answers = opened(tiny("bert")).classify([])
    assert answers.logits.shape == (0, 2)


def test_progress(tiny):
    model = opened(tiny("bert"), budget=40)
    model.classify(SENTENCES[:3])
    seen: list[tuple[int, int]] = []
    model.on_progress = lambda done, total: seen.append((done, total))
    model.classify(SENTENCES)
    assert len(seen) > 2
    assert seen == sorted(seen)
    assert seen[0][0] > 3
    assert seen[-1] == (len(SENTENCES), len(SENTENCES))


def test_throughput_leaves_no_trace(tiny):
    model = opened(tiny("bert"))
    model.classify(SENTENCES)
    before = model.take_counters()
    speed = model.throughput(SENTENCES)
    assert speed.texts_per_second > 0
    assert speed.tokens_per_second / speed.texts_per_second == pytest.approx(before.tokens / before.computed)
    assert model.counters == Counters()


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float16", 4e-3), ("bfloat16", 2e-2)])
def test_tolerance_covers_the_noise_of_batching(tiny, dtype, tolerance):
    folder = str(tiny("bert", dtype=dtype))
    one = opened(folder, budget=1).classify(TEXTS)
    many = opened(folder).classify(TEXTS)
    assert one.tolerance == many.tolerance == tolerance
    assert np.abs(one.scores - many.scores).max() < tolerance


def test_cached_answers_belong_to_one_model_and_type(tiny):
    cache = AnswerCache.open(None)
    a = opened(tiny("bert"), cache=cache)
    a.classify(TEXTS)
    for other in (
        opened(tiny("bert", seed=1), cache=cache),
        opened(tiny("bert"), cache=cache, dtype="bfloat16"),
        opened(tiny("bert"), cache=cache, max_length=16),
    ):
        other.classify(TEXTS)
        assert other.counters.cached == 0
    same = opened(tiny("bert"), cache=cache)
    assert np.array_equal(same.classify(TEXTS).logits, a.classify(TEXTS).logits)
    assert same.counters.computed == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_non_finite_logits_are_never_scored(tiny, value):
    model = opened(tiny("bert"))
    plain = model.forward.network

    def broken(**inputs):
        logits = plain(**inputs).logits.clone()
        logits[:2, 0] = value
        return SimpleNamespace(logits=logits)

    model.forward.network = broken
    with pytest.raises(ModelError, match=r"2 of 8 answers .* NaN or infinite \(25%\)"):
        model.classify(SENTENCES)
    model.forward.network = plain
    model.classify(SENTENCES)
    assert model.take_counters().cached == 0


class Cramped:
    """A network with memory for only so many tokens, whose logits are the sum of the real ids and the batch size."""

    def __init__(self, room, error):
        self.room, self.error, self.sizes = room, error, []

    def __call__(self, *, input_ids, attention_mask, token_type_ids=None):
        if input_ids.numel() > self.room:
            raise self.error
        self.sizes.append(input_ids.numel())
        return SimpleNamespace(logits=(input_ids * attention_mask).sum(1, keepdim=True).float())


MEMORY = [
    torch.cuda.OutOfMemoryError("CUDA out of memory."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    RuntimeError("MPS backend out of memory"),
    MemoryError(),
]


@pytest.mark.parametrize("error", MEMORY, ids=lambda error: type(error).__name__)
def test_out_of_memory_halves_the_batch_and_goes_on(error):
    network = Cramped(30, error)
    forward = Forward(network, torch.device("cpu"), pad=0, limit=200)
    rows = packed([[number] * 5 for number in range(40)])
    answers = list(forward([Batch(rows), Batch(rows.take(np.arange(7)))]))
    assert answers[0][:, 0].tolist() == [5.0 * number for number in range(40)]
    assert answers[1][:, 0].tolist() == [5.0 * number for number in range(7)]
    assert max(network.sizes) <= 30
    assert 15 <= forward.limit <= 30


def test_a_single_text_that_does_not_fit():
    forward = Forward(Cramped(4, MEMORY[0]), torch.device("cpu"), pad=0, limit=200)
    with pytest.raises(ModelError, match="single text of 5 tokens"):
        list(forward([Batch(packed([[1] * 5, [2] * 3]))]))


def test_a_network_that_fails_is_a_model_error():
    forward = Forward(Cramped(4, IndexError("index out of range in self")), torch.device("cpu"), pad=0, limit=200)
    with pytest.raises(ModelError, match="index out of range"):
        list(forward([Batch(packed([[1] * 5]))]))
