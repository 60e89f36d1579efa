"""Clusters of texts, and the words that describe them."""

from __future__ import annotations

import numpy as np
import pytest

from probes.text.kinds import kinds

N = 200
EVERYTHING = np.ones(N, dtype=bool)
SEA, SKY = frozenset({"the", "she", "boat", "wave"}), frozenset({"the", "she", "cloud", "rain"})


def two_groups(*, seed=0):
    """Half of the texts about the sea and half about the sky, with vectors that point the two ways."""
    sea = np.arange(N) % 2 == 0
    vectors = np.where(sea[:, None], [1.0, 0.0], [0.0, 1.0]) + np.random.default_rng(seed).normal(0, 0.02, (N, 2))
    return [SEA if at else SKY for at in sea], vectors, sea


def test_two_groups_are_found_and_described_by_their_own_words():
    words, vectors, sea = two_groups()
    found = dict(kinds(words, vectors, known=EVERYTHING, size=100, seed=0))
    assert list(found) == ["'boat' and 'wave'", "'cloud' and 'rain'"]
    assert found["'boat' and 'wave'"].tolist() == sea.tolist()


def test_clusters_that_the_same_words_describe_are_one():
    words, vectors, sea = two_groups()
    found = dict(kinds(words, vectors, known=EVERYTHING, size=25, seed=0))
    assert found["'boat' and 'wave'"].tolist() == sea.tolist()
    assert found["'cloud' and 'rain'"].tolist() == (~sea).tolist()


def test_the_length_of_a_vector_says_nothing():
    words, vectors, sea = two_groups()
    scale = np.random.default_rng(1).uniform(0.1, 100, (N, 1))
    found = dict(kinds(words, vectors * scale, known=EVERYTHING, size=100, seed=0))
    assert found["'boat' and 'wave'"].tolist() == sea.tolist()


def test_only_known_texts_describe_and_all_are_sorted_in():
    words, vectors, sea = two_groups()
    known = np.arange(N) < 100
    secret = [held if seen else held | {"zebra"} for held, seen in zip(words, known, strict=True)]
    found = dict(kinds(secret, vectors, known=known, size=50, seed=0))
    assert found["'boat' and 'wave'"].tolist() == sea.tolist()
    assert not any("zebra" in name for name in found)


@pytest.mark.parametrize(
    ("vectors", "size"), [(np.full((N, 2), np.nan), 50), (np.zeros((N, 2)), 50), (two_groups()[1], N)]
)
def test_nothing_is_found_where_there_is_nothing_to_find(vectors, size):
    assert kinds(two_groups()[0], vectors, known=EVERYTHING, size=size, seed=0) == []


def test_clusters_without_words_of_their_own_are_left_out():
    _, vectors, _ = two_groups()
    assert kinds([frozenset({"the", "she"})] * N, vectors, known=EVERYTHING, size=100, seed=0) == []
