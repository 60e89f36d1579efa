"""An interrupted call asked again gives the same bits as one that was never interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from probes.model.cache import AnswerCache
from tests.probes.model.conftest import different_texts, opened

pytestmark = pytest.mark.engine

TEXTS = different_texts(96)
BUDGET = 200
ROOT = Path(__file__).resolve().parents[3]


class Interrupted(BaseException):
    pass


def noisy(model):
    """Make every answer depend visibly on the company it keeps in its batch, as it does invisibly on any machine."""
    plain = model.forward.network

    def network(**inputs):
        output = plain(**inputs)
        output.logits = output.logits + inputs["input_ids"].sum() % 97
        return output

    model.forward.network = network
    return model


def interrupt(model, after):
    plain, calls = model.forward.network, []

    def network(**inputs):
        calls.append(None)
        if len(calls) > after:
            raise Interrupted
        return plain(**inputs)

    model.forward.network = network
    return model


def engine(folder, cache_path, *, budget=BUDGET):
    cache = AnswerCache.open(cache_path)
    return noisy(opened(folder, budget=budget, cache=cache))


@pytest.mark.parametrize("after", [0, 1, 4, 9])
def test_interrupted_in_the_forward_of_a_batch(tiny, tmp_path, after):
    folder = tiny("bert")
    expected = engine(folder, tmp_path / "whole").classify(TEXTS).logits
    with pytest.raises(Interrupted):
        interrupt(engine(folder, tmp_path / "cut"), after).classify(TEXTS)
    model = engine(folder, tmp_path / "cut")
    assert np.array_equal(model.classify(TEXTS).logits, expected)
    counters = model.take_counters()
    assert (counters.cached > 0) == (after > 0)
    assert counters.cached + counters.computed == counters.distinct == len(TEXTS)


def test_interrupted_twice_and_with_earlier_answers_in_the_cache(tiny, tmp_path):
    folder = tiny("bert")

    def asked_before(path):
        model = engine(folder, path)
        model.classify(TEXTS[::5])
        return model

    expected = asked_before(tmp_path / "whole").classify(TEXTS).logits
    for after in (2, 3):
        with pytest.raises(Interrupted):
            interrupt(asked_before(tmp_path / "cut"), after).classify(TEXTS)
    assert np.array_equal(engine(folder, tmp_path / "cut").classify(TEXTS).logits, expected)


def test_the_order_of_the_texts_changes_no_bit(tiny, tmp_path):
    a = engine(tiny("bert"), tmp_path / "a").classify(TEXTS).logits
    b = engine(tiny("bert"), tmp_path / "b").classify(TEXTS[::-1]).logits
    assert np.array_equal(a, b[::-1])


def test_the_noise_of_this_test_is_real(tiny, tmp_path):
    a = engine(tiny("bert"), tmp_path / "a").classify(TEXTS).logits
    b = engine(tiny("bert"), tmp_path / "b", budget=BUDGET * 2).classify(TEXTS).logits
    assert not np.array_equal(a, b)


KILLED = """
import os, signal, sys
sys.path.insert(0, {root!r})
from tests.probes.model.test_resume import TEXTS, engine
model = engine({folder!r}, __import__("pathlib").Path({cache!r}))
batches = []
def stop(done, total):
    batches.append(done)
    if len(batches) == 4:
        os.kill(os.getpid(), signal.SIGKILL)
model.on_progress = stop
model.classify(TEXTS)
"""


def test_killed_process(tiny, tmp_path):
    folder = tiny("bert")
    expected = engine(folder, tmp_path / "whole").classify(TEXTS).logits
    script = KILLED.format(root=str(ROOT), folder=str(folder), cache=str(tmp_path / "cut"))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    ended = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, env=environment)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-500:]
    model = engine(folder, tmp_path / "cut")
    assert np.array_equal(model.classify(TEXTS).logits, expected)
    assert 0 < model.take_counters().cached < len(TEXTS)


def test_out_of_memory_leaves_the_other_batches_as_they_are(tiny):
    """Memory that runs out in one batch must not change the company of the texts in any other."""
    whole = noisy(opened(tiny("bert"), budget=BUDGET))
    expected = whole.classify(TEXTS).logits
    cramped = noisy(opened(tiny("bert"), budget=BUDGET))
    plain, failures = cramped.forward.network, [MemoryError()]

    def network(**inputs):
        if failures:
            raise failures.pop()
        return plain(**inputs)

    cramped.forward.network = network
    got = cramped.classify(TEXTS).logits
    assert 0 < (got != expected).any(axis=1).sum() <= len(TEXTS)
    assert cramped.forward.limit < BUDGET
