"""Examples: identity is content."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.examples import Example, content_hash, data_fingerprint


def test_id_is_content_and_nothing_else():
    first = Example.of("a text", gold="x", groups={"b": "2", "a": "1"})
    again = Example.of("a text", gold="x", groups={"a": "1", "b": "2"}, cluster="c")
    assert first.id == again.id
    assert first.cluster == content_hash("a text")
    assert again.cluster == "c"


@pytest.mark.parametrize(
    "other",
    [
        Example.of("another", gold="x"),
        Example.of("a text", gold="y"),
        Example.of("a text"),
        Example.of("a text", gold=("x",)),
        Example.of("a text", gold="x", groups={"g": "1"}),
        Example.of(("a text", ""), gold="x"),
        Example.of("a text", gold=1.0),
    ],
)
def test_other_content_other_id(other):
    assert other.id != Example.of("a text", gold="x").id


def test_same_text_is_one_cluster_whatever_the_gold():
    assert Example.of("t", gold="a").cluster == Example.of("t", gold="b").cluster
    assert Example.of(("t", "u")).cluster != Example.of(("u", "t")).cluster


def test_texts_of_one_and_of_a_pair():
    assert Example.of("a").texts == ("a",)
    assert Example.of(("a", "b")).texts == ("a", "b")


def test_fingerprint_ignores_order_and_counts_repeats():
    a, b = Example.of("a"), Example.of("b")
    assert data_fingerprint([a, b]) == data_fingerprint([b, a])
    assert len({data_fingerprint(items) for items in ([], [a], [b], [a, b], [a, a, b])}) == 5


@given(st.text(), st.text())
def test_hash_is_stable_and_tells_texts_apart(a, b):
    assert len(content_hash(a)) == 16
    assert (content_hash(a) == content_hash(b)) == (a == b)


def test_hash_is_the_same_on_every_machine():
    assert content_hash("a") == "ac8d8342bbb2362d"
