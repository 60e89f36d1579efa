"""Checks that need a CUDA device; `benchmarks/gpu.sh` runs them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from probes.core.generations import Decoding
from probes.model.cache import AnswerCache
from probes.model.load import load
from tests.probes.model.conftest import PAIRS, TEXTS, different_texts
from tests.tiny_models import ARCHITECTURES, CAUSAL, MAX_LENGTH, SENTENCES

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.engine,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_probabilities_agree_with_the_cpu(tiny, arch):
    texts = [*TEXTS, *PAIRS]
    cpu = load(str(tiny(arch)), device="cpu").classify(texts)
    gpu = load(str(tiny(arch)), device="cuda").classify(texts)
    assert np.abs(cpu.scores - gpu.scores).max() < 1e-4


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_tolerance_covers_the_noise_of_batching(tiny, dtype):
    folder = str(tiny("bert", dtype=dtype))
    many = load(folder, device="cuda").classify(TEXTS)
    few = load(folder, device="cuda", budget=1).classify(TEXTS)
    assert np.abs(many.scores - few.scores).max() < many.tolerance


def test_same_bits_twice_and_in_any_order(tiny):
    texts = different_texts(5000)
    first = load(str(tiny("bert")), device="cuda", budget=4096).classify(texts)
    again = load(str(tiny("bert")), device="cuda", budget=4096).classify(texts[::-1])
    assert np.array_equal(first.logits, again.logits[::-1])


def test_interrupted_and_resumed(tiny, tmp_path):
    texts = different_texts(1000)

    def engine(name):
        return load(str(tiny("bert")), device="cuda", budget=2048, cache=AnswerCache.open(tmp_path / name))

    class Interrupted(BaseException):
        pass

    def stop(done, total):
        if done > total / 2:
            raise Interrupted

    expected = engine("whole").classify(texts)
    cut = engine("cut")
    cut.on_progress = stop
    with pytest.raises(Interrupted):
        cut.classify(texts)
    resumed = engine("cut")
    assert np.array_equal(resumed.classify(texts).logits, expected.logits)
    assert resumed.counters.cached > 0


def test_real_out_of_memory_halves_the_batch(tiny):
    model = load(str(tiny("bert")), device="cuda", budget=2**22)
    texts = [f"{text} {' '.join(SENTENCES)}" for text in different_texts(30_000)]
    expected = load(str(tiny("bert")), device="cuda").classify(texts)
    # room for the weights and some 64 MB of activations
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + 64 * 2**20) / total)
    try:
        got = model.classify(texts)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert model.forward.limit < 2**22
    assert model.encoder.encode(texts[:1]).lengths[0] == MAX_LENGTH
    assert np.abs(got.scores - expected.scores).max() < got.tolerance


def test_forward_seconds_are_measured_on_the_device(tiny):
    model = load(str(tiny("bert")), device="cuda")
    model.classify(TEXTS)
    assert 0 < model.take_counters().forward_seconds < 60


@pytest.mark.parametrize("arch", CAUSAL)
def test_writing_agrees_with_the_cpu(tiny, arch):
    """Up to the first near tie, which rounding may decide either way."""
    prompts, ten = [text[:40] for text in SENTENCES], Decoding(max_tokens=10)
    cpu = load(str(tiny(arch, language=True)), device="cpu").generate(prompts, ten)
    gpu = load(str(tiny(arch, language=True)), device="cuda").generate(prompts, ten)
    clear = ~(cpu.near | gpu.near)
    assert clear.mean() > 0.5
    assert [a for a, ok in zip(cpu.texts, clear, strict=True) if ok] == [
        b for b, ok in zip(gpu.texts, clear, strict=True) if ok
    ]
    assert np.abs(cpu.logs - gpu.logs)[clear].max() < 1e-3


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_draws_do_not_depend_on_the_batch(tiny, dtype):
    folder = str(tiny("gpt2", language=True, dtype=dtype))
    drawn = Decoding(max_tokens=6, samples=4, temperature=1.0, top_p=0.9, seed=1)
    many = load(folder, device="cuda").generate(SENTENCES[:8], drawn)
    few = load(folder, device="cuda", budget=1).generate(SENTENCES[:8], drawn)
    same = np.mean([a == b for a, b in zip(many.texts, few.texts, strict=True)])
    assert same == 1.0 if dtype == "float32" else same > 0.7
