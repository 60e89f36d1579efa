"""Samples: shares of the labels, and no influence of the order of the rows."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.examples import Accepted, Example
from probes.core.sampling import allocate, stratified, stratum


def labelled(counts):
    return [Example.of(f"{label} {i}", gold=label) for label, count in counts.items() for i in range(count)]


def ids(examples):
    return [example.id for example in examples]


@given(st.dictionaries(st.text(max_size=3), st.integers(1, 50), min_size=1, max_size=6), st.integers(0, 200))
def test_allocation_adds_up_and_follows_the_shares(sizes, total):
    whole = sum(sizes.values())
    total = min(total, whole)
    quotas = allocate(sizes, total=total)
    assert sum(quotas.values()) == total
    for name, size in sizes.items():
        assert abs(quotas[name] - total * size / whole) < 1
        assert 0 <= quotas[name] <= size


@given(st.randoms(), st.integers(0, 60))
def test_order_of_rows_has_no_influence(random, limit):
    examples = labelled({"a": 30, "b": 15, "c": 5})
    shuffled = list(examples)
    random.shuffle(shuffled)
    first, second = (stratified(part, limit=limit, seed=3) for part in (examples, shuffled))
    assert set(ids(first)) == set(ids(second))
    assert ids(second) == [example.id for example in shuffled if example.id in set(ids(second))]  # the order given


def test_shares_of_the_labels_are_kept():
    sample = stratified(labelled({"a": 800, "b": 150, "c": 50}), limit=100, seed=0)
    assert Counter(example.gold for example in sample) == {"a": 80, "b": 15, "c": 5}


def test_rare_label_is_not_lost_to_sorted_rows():
    sample = stratified(labelled({"a": 990, "b": 10}), limit=100, seed=0)
    assert Counter(example.gold for example in sample)["b"] == 1


def test_smaller_sample_is_nearly_a_part_of_a_larger_one():
    examples = labelled({"a": 300, "b": 200})
    small, large = (set(ids(stratified(examples, limit=n, seed=0))) for n in (50, 100))
    assert len(small - large) <= 2


def test_more_rows_move_few_others():
    examples = labelled({"a": 300})
    before = set(ids(stratified(examples, limit=100, seed=0)))
    after = set(ids(stratified([*examples, *labelled({"a": 303})[300:]], limit=100, seed=0)))
    assert len(before - after) <= 3


def test_seed_matters():
    examples = labelled({"a": 200})
    assert ids(stratified(examples, limit=50, seed=0)) != ids(stratified(examples, limit=50, seed=1))


@pytest.mark.parametrize("limit", [None, 20, 21, 10**6])
def test_all_when_the_limit_allows(limit):
    examples = labelled({"a": 10, "b": 10})
    assert stratified(examples, limit=limit, seed=0) == examples


def test_no_examples():
    assert stratified([], limit=5, seed=0) == []


def test_strata():
    assert [stratum(Example.of("t", gold=gold)) for gold in ("a", ("a", "b"), (), 0.5, None)] == [
        "a", "a+b", "", "(score)", "(none)"
    ]  # fmt: skip


def test_questions_are_stratified_by_whether_they_have_an_answer():
    data = [
        Example.of((f"question {k}?", f"context {k}"), gold=Accepted(() if k % 4 == 0 else (f"answer {k}", "another")))
        for k in range(80)
    ]
    drawn = stratified(data, limit=20, seed=0)
    assert sum(example.gold == () for example in drawn) == 5
    names = sorted(example.gold[0] for example in drawn if example.gold)
    everything = sorted(example.gold[0] for example in data if example.gold)
    assert names != everything[:15]  # not the first of the alphabet
