"""Which sequences are read together: what they have in common counts once, and only where that pays."""

from __future__ import annotations

import numpy as np
import pytest

from probes.model.families import LARGEST, Families
from probes.model.sequences import packed


def families(rows, *, largest=LARGEST, least=None):
    found = Families.of(packed(rows), largest=largest, least=None if least is None else np.array(least))
    members = [found.order[a:b].tolist() for a, b in zip(found.starts[:-1], found.starts[1:], strict=True)]
    return found, members


def test_what_is_in_common_counts_once():
    rows = [[5, 6, 7, 1], [9, 9], [5, 6, 7, 2, 3], [5, 6, 8]]
    found, members = families(rows)
    assert sorted(map(sorted, members)) == [[0, 2, 3], [1]]
    assert sorted(found.costs.tolist()) == [2, 4 + 2 + 1]
    assert found.shared.tolist() == [0, 3, 2, 0]


def test_a_whole_text_may_be_the_beginning_of_another_one_or_the_same():
    found, members = families([[5, 6, 7], [5, 6], [5, 6, 7]])
    assert len(members) == 1
    assert found.costs.tolist() == [3]


def test_the_order_they_come_in_decides_nothing():
    draw = np.random.default_rng(0)
    rows = [draw.integers(0, 3, draw.integers(1, 9)).tolist() for _ in range(60)]
    shuffled = draw.permutation(60)
    one, two = (
        sorted(sorted(tuple(given[row]) for row in family) for family in families(given, largest=20)[1])
        for given in (rows, [rows[row] for row in shuffled])
    )
    assert one == two


@pytest.mark.parametrize("largest", [1, 4, 7, 100])
def test_no_family_is_larger_than_allowed_unless_a_single_sequence_is(largest):
    rows = [[1, 2, 3, number] for number in range(10)] + [[8] * 9]
    found, members = families(rows, largest=largest)
    assert all(cost <= max(largest, len(rows[family[0]])) for cost, family in zip(found.costs, members, strict=True))
    assert sorted(row for family in members for row in family) == list(range(11))
    assert found.costs.sum() == len(set(range(3))) * (len(members) - 1) + 10 + 9


def test_relatives_have_as_much_in_common_as_they_must():
    rows = [[1, 2, 3, 9], [1, 2, 3, 8], [1, 2, 4, 9]]
    assert len(families(rows, least=[3, 3, 3])[1]) == 2
    assert len(families(rows, least=[2, 2, 2])[1]) == 1


def test_a_long_row_is_not_made_longer_for_the_sake_of_one_token():
    rows = [[1, *range(100 * number, 100 * number + 100)] for number in range(1, 15)]
    assert len(families(rows)[1]) > 1


def test_the_largest_go_first_and_fill_the_limit():
    found = families([[1, 1, 1], [2], [3, 3], [4], [5, 5, 5]])[0]
    pieces = [piece.costs.tolist() for piece in found.pieces(6)]
    assert pieces == [[3, 3], [2, 1, 1]]


def test_no_sequences_are_no_families():
    assert len(Families.of(packed([]), largest=9).costs) == 0
