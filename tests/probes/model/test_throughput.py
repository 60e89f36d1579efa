"""What a model costs on this machine, as it tells a plan."""

from __future__ import annotations

import pytest

from probes.core.generations import Decoding
from probes.model import engine
from probes.model.load import load
from tests.tiny_models import SENTENCES

pytestmark = pytest.mark.engine


def test_only_what_also_writes_says_how_long_a_token_takes(tiny):
    assert load(str(tiny("bert"))).throughput(SENTENCES).seconds_per_written_token is None
    found = load(str(tiny("gpt2", language=True))).throughput(SENTENCES)
    assert found.seconds_per_written_token > 0


def test_a_token_is_the_difference_of_two_lengths(monkeypatch):
    now = [0.0]

    class Writer:
        def generate(self, prompts, decoding):
            now[0] += 5.0 + 0.25 * len(prompts) * decoding.max_tokens

    monkeypatch.setattr(engine, "perf_counter", lambda: now[0])
    assert engine._seconds_to_write(Writer(), [("a", "b"), "c"]) == pytest.approx(0.25)
    assert Decoding(max_tokens=1) == engine.FIRST
