from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.model.batching import Batch, ask_id, canonical_order, cut
from probes.model.sequences import packed

pytestmark = pytest.mark.engine

LENGTHS = st.lists(st.integers(1, 40), max_size=60)


def key(number):
    return (number * 0x9E3779B97F4A7C15 % 2**128).to_bytes(16, "big")


@given(LENGTHS, st.randoms(use_true_random=False))
def test_order_depends_on_the_set_alone(lengths, random):
    items = [(length, key(number + 1)) for number, length in enumerate(lengths)]

    def ordered(some):
        if not some:
            return []
        order = canonical_order(np.array([length for length, _ in some]), [k for _, k in some])
        return [some[row] for row in order]

    shuffled = random.sample(items, len(items))
    assert ordered(items) == ordered(shuffled) == sorted(items, key=lambda item: (-item[0], item[1]))


@given(LENGTHS, st.integers(1, 200), st.booleans())
def test_cut_covers_every_row_once_within_the_budget(lengths, budget, same_length):
    ordered = np.array(sorted(lengths, reverse=True), dtype=np.int64)
    batches = cut(ordered, budget=budget, same_length=same_length)
    assert [row for first, last in batches for row in range(first, last)] == list(range(len(lengths)))
    for first, last in batches:
        assert last - first == 1 or (last - first) * ordered[first] <= budget
        assert not same_length or len(set(ordered[first:last])) == 1


def test_cut_fills_batches():
    assert cut(np.array([5, 5, 4, 3, 1, 1]), budget=10) == [(0, 2), (2, 4), (4, 6)]
    assert cut(np.array([50, 2]), budget=10) == [(0, 1), (1, 2)]


def test_ask_id_names_the_set():
    keys = [key(number) for number in range(1, 9)]
    assert ask_id(keys) == ask_id(keys[::-1])
    assert ask_id(keys) != ask_id(keys[1:])
    assert 0 <= ask_id(keys) < 2**63


def test_blocks_pad_on_the_right():
    batch = Batch(packed([[7, 8, 9], [5]], [[0, 1, 1], [0]]))
    ids, mask, types = batch.blocks(pad=4)
    assert ids.tolist() == [[7, 8, 9], [5, 4, 4]]
    assert mask.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert types.tolist() == [[0, 1, 1], [0, 0, 0]]
    assert Batch(packed([[7]])).blocks(pad=0)[2] is None


def test_halves():
    batch = Batch(packed([[1, 1, 1], [2, 2], [3]]))
    assert batch.tokens == 9
    assert [half.rows.ids.tolist() for half in batch.halves()] == [[1, 1, 1], [2, 2, 3]]
