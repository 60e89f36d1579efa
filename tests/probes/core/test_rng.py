"""Derived randomness: the same for the same purpose, unrelated for another one."""

from __future__ import annotations

import random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from probes.core.rng import derive, generator, rng

keys = st.lists(st.text() | st.integers(), max_size=4)


@given(st.integers(), keys)
def test_same_keys_same_numbers(seed, parts):
    assert derive(seed, *parts) == derive(seed, *parts)
    assert 0 <= derive(seed, *parts) < 2**128
    assert rng(seed, *parts).random() == rng(seed, *parts).random()
    assert generator(seed, *parts).random() == generator(seed, *parts).random()


def test_other_keys_other_numbers():
    seen = {
        derive(0),
        derive(1),
        derive(0, ""),
        derive(0, "a"),
        derive(0, "a", "b"),
        derive(0, "ab"),
        derive(0, "b", "a"),
    }
    assert len(seen) == 7


def test_known_value_on_every_machine():
    assert derive(0, "robustness.typos", "e1", 2) == 0x7CDC7AE8DC0C3B18D2D058C4AA945524  # b2sum -l 128


def test_global_state_is_neither_read_nor_changed():
    random.seed(1)
    np.random.seed(1)
    states = random.getstate(), np.random.get_state()[1].tolist()
    first = rng(0, "x").random(), generator(0, "x").random()
    assert (random.getstate(), np.random.get_state()[1].tolist()) == states
    random.seed(2)
    np.random.seed(2)
    assert (rng(0, "x").random(), generator(0, "x").random()) == first


def test_streams_are_unrelated():
    draws = np.array([generator(0, "p", f"e{i}").random(50) for i in range(40)])
    correlations = np.corrcoef(draws)[np.triu_indices(40, 1)]
    assert abs(correlations.mean()) < 0.02
    assert abs(draws.mean() - 0.5) < 0.03
