"""Entities against a second, naive implementation of what seqeval 1.2 (Nakayama 2018) says it counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.entities import Entity, Scheme, Tagset

IOB = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
IOBES = (*IOB, "E-PER", "S-PER", "E-LOC", "S-LOC")


def letter(tag):
    return tag[0]


def kind(tag):
    return tag[2:]


def conlleval(tags):
    """The tables of conlleval (Tjong Kim Sang and Buchholz 2000), as `seqeval.metrics.get_entities` has them, written
    out pair by pair."""
    ends_always = {("B", "B"), ("B", "S"), ("B", "O"), ("I", "B"), ("I", "S"), ("I", "O")}
    starts_always = {("E", "E"), ("E", "I"), ("S", "E"), ("S", "I"), ("O", "E"), ("O", "I")}
    found, begin, before = [], 0, "O"
    for place, tag in enumerate([*tags, "O"]):
        pair = letter(before), letter(tag)
        differ = kind(before) != kind(tag)
        if pair[0] in "ES" or pair in ends_always or (pair[0] != "O" and differ):
            found.append((begin, place, kind(before)))
        if pair[1] in "BS" or pair in starts_always or (pair[1] != "O" and differ):
            begin = place
        before = tag
    return found


ANY = "BIOES"
# (letters before, letters now, same kind, other kind): the patterns that seqeval's documentation of its schemes lists.
PATTERNS = {
    Scheme.IOB1: (
        [("O", "I", 1, 1), ("I", "I", 0, 1), ("B", "I", 1, 1), ("I", "B", 1, 0), ("B", "B", 1, 0)],
        [("B", "I", 1, 0), ("I", "I", 1, 0)],
        [("I", "I", 0, 1), ("I", "O", 1, 1), ("I", "B", 1, 1), ("B", "O", 1, 1), ("B", "I", 0, 1), ("B", "B", 1, 0)],
    ),
    Scheme.IOB2: (
        [(ANY, "B", 1, 1)],
        [("B", "I", 1, 0), ("I", "I", 1, 0)],
        [("I", "O", 1, 1), ("I", "I", 0, 1), ("I", "B", 1, 1), ("B", "O", 1, 1), ("B", "I", 0, 1), ("B", "B", 1, 1)],
    ),
    Scheme.IOBES: (
        [(ANY, "BS", 1, 1)],
        [("BI", "IE", 1, 0)],
        [("SE", ANY, 1, 1)],
    ),
}


def matches(before, now, patterns):
    return any(
        letter(before) in old and letter(now) in new and (same if kind(before) == kind(now) else other)
        for old, new, same, other in patterns
    )


def by_patterns(tags, scheme):
    starts, inside, ends = PATTERNS[scheme]
    padded = [*tags, "O"]
    found, place = [], 0
    while place < len(padded):
        before = padded[place - 1] if place else "O"
        if not matches(before, padded[place], starts):
            place += 1
            continue
        end = place + 1
        while end < len(padded) and matches(padded[end - 1], padded[end], inside):
            end += 1
        if end < len(padded) and matches(padded[end - 1], padded[end], ends):
            found.append((place, end, kind(padded[place])))
        place = end
    return found


@given(st.lists(st.sampled_from(IOBES), max_size=12))
def test_default_reading_is_that_of_conlleval(tags):
    assert Tagset.of(IOBES).entities(tags) == conlleval(tags)


@given(st.lists(st.sampled_from(IOB), max_size=12))
def test_default_reading_of_iob(tags):
    assert Tagset.of(IOB).entities(tags) == conlleval(tags)


@pytest.mark.parametrize(("scheme", "labels"), [(Scheme.IOB1, IOB), (Scheme.IOB2, IOB), (Scheme.IOBES, IOBES)])
def test_strict_reading_is_that_of_the_patterns(scheme, labels):
    @given(st.lists(st.sampled_from(labels), max_size=12))
    def check(tags):
        tagset = Tagset(scheme, Tagset.of(labels).tags)
        assert tagset.entities(tags, strict=True) == by_patterns(tags, scheme)

    check()


def test_published_example_of_the_two_modes():
    """From the README of seqeval: in strict mode the predicted I-NP, which nothing begins, is none."""
    gold, answer = ["B-NP", "I-NP", "O"], ["I-NP", "I-NP", "O"]
    tagset = Tagset.of(("O", "B-NP", "I-NP"), [gold])
    assert tagset.scheme is Scheme.IOB2
    assert tagset.entities(gold) == tagset.entities(answer) == [(0, 2, "NP")]
    assert tagset.entities(gold, strict=True) == [(0, 2, "NP")]
    assert tagset.entities(answer, strict=True) == []


@pytest.mark.parametrize(
    ("labels", "golds", "scheme"),
    [
        (IOB, [["I-PER", "I-PER", "O", "I-LOC", "B-LOC"]], Scheme.IOB1),
        (IOB, [["B-PER", "I-PER", "O", "B-LOC"]], Scheme.IOB2),
        (IOB, [["B-PER", "I-PER", "O", "I-LOC"]], Scheme.IOB2),  # broken IOB2, not IOB1
        (IOB, [], Scheme.IOB2),
        (IOBES, [], Scheme.IOBES),
        (("O", "B-X", "I-X", "L-X", "U-X"), [], Scheme.IOBES),
        (("O", "B_X", "I_X"), [], Scheme.IOB2),
        (("O", "I-X", "I-Y"), [], Scheme.RUNS),
        (("O", "PER", "LOC"), [], Scheme.RUNS),
        (("NOUN", "VERB"), [], Scheme.WORDS),
        (("LABEL_0", "LABEL_1"), [], Scheme.WORDS),
        (("O", "B", "I"), [], Scheme.IOB2),
        (("S", "I", "NOUN"), [], Scheme.WORDS),
    ],
)
def test_scheme_is_read_off_labels_and_golds(labels, golds, scheme):
    assert Tagset.of(labels, golds).scheme is scheme


def test_bilou_reads_like_iobes():
    labels = ("O", "B-X", "I-X", "L-X", "U-X")
    tags = ["B-X", "I-X", "L-X", "U-X", "O", "L-X"]
    found = Tagset.of(labels)
    assert found.entities(tags, strict=True) == [(0, 3, "X"), (3, 4, "X")]
    assert found.entities(tags) == [(0, 3, "X"), (3, 4, "X"), (5, 6, "X")]
    assert found.kinds == ("X",)


def test_plain_labels():
    runs = Tagset.of(("O", "PER", "LOC"))
    assert runs.entities(["PER", "PER", "LOC", "O", "PER"]) == [(0, 2, "PER"), (2, 3, "LOC"), (4, 5, "PER")]
    assert Tagset.of(("NOUN", "VERB")).entities(["NOUN", "NOUN"]) == [(0, 1, "NOUN"), (1, 2, "NOUN")]


def test_words_that_were_not_read_are_passed_over_and_places_kept():
    found = Tagset.of(IOB).entities(["O", "B-PER", None, "I-PER", None, "B-LOC", None])
    assert found == [(1, 4, "PER"), (5, 6, "LOC")]


def test_labels_of_an_entity_are_read_back_as_that_entity():
    for labels in (IOB, IOBES, ("O", "PER", "LOC")):
        tagset = Tagset.of(labels)
        for length in (1, 2, 3):
            tags = [tagset.label("PER", first=k == 0, last=k == length - 1) for k in range(length)]
            assert tagset.entities(["O", *tags, "O"], strict=True) == [(1, 1 + length, "PER")]


def test_overlap():
    assert Entity(0, 2, "A").overlaps(Entity(1, 3, "B"))
    assert not Entity(0, 2, "A").overlaps(Entity(2, 3, "A"))
