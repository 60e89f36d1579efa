from __future__ import annotations

from importlib.resources import files

import pytest

from probes.text.lexicon import alternatives, rows

PAIRS = {
    "spelling": 250,
    "contractions_not": 15,
    "contractions_subject": 20,
    "contractions_have": 5,
    "expansions": 15,
    "expansions_not": 15,
    "emoticons": 10,
    "third_person_verbs": 20,
    "stative_verbs": 10,
    "completed_actions": 10,
}
SINGLE = {"irrelevant_suffixes": 30, "irrelevant_prefixes": 30, "negations": 30, "function_words": 20}
SIZES = {"homophones": 150, "slang": 150, **PAIRS, **SINGLE}

NEGATIONS = ("no", "not", "none", "never", "nothing", "nobody", "without", "neither", "nor", "hardly")
TRAPS = (
    "sweet",
    "bill",
    "may",
    "will",
    "can",
    "us",
    "it",
    "who",
    "mark",
    "no",
    "know",
    "one",
    "won",
    "die",
    "dye",
    "i",
)
"""Words with a second sense (a name, a modal verb, an acronym, a negation) for which a plain swap goes wrong."""
UNWELCOME = (
    "whore",
    "hoe",
    "hoes",
    "ass",
    "damn",
    "dam",
    "butt",
    "sex",
    "gay",
    "guerrilla",
    "gorilla",
    "colored",
    "coloured",
)
AMBIGUOUS_SPELLINGS = (
    "practice", "practise", "meter", "metre", "tire", "tyre", "check", "cheque", "story", "storey", "curb", "kerb",
    "program", "programme", "license", "licence", "draft", "disk", "ton", "analyses", "colored",
)  # fmt: skip


def header(name):
    text = (files("probes.text") / "lexicons" / "en" / f"{name}.tsv").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith("#")]


@pytest.mark.parametrize("name", SIZES)
def test_says_where_it_comes_from_and_is_large_enough(name):
    first, second, third = header(name)[:3]
    assert first == "# provenance: written for responsible-audit"
    assert second == "# licence: Apache-2.0"
    assert third.startswith("# columns: ")
    assert len(rows(name)) >= SIZES[name]


@pytest.mark.parametrize("name", SIZES)
def test_rows_are_clean(name):
    found = rows(name)
    assert len({row[0] for row in found}) == len(found)
    for row in found:
        assert len(set(row)) == len(row), "an entry that maps to itself"
        assert all(cell == cell.strip() and cell for cell in row)


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_have_two_columns(name):
    assert {len(row) for row in rows(name)} == {2}


def test_no_homophone_is_in_two_sets():
    words = [word for row in rows("homophones") for word in row]
    assert len(words) == len(set(words))
    assert min(len(row) for row in rows("homophones")) >= 2


@pytest.mark.parametrize("name", ["homophones", "spelling", "slang"])
def test_no_trap_negation_or_unwelcome_word(name):
    words = {word.lower() for row in rows(name) for word in row[:2] if word}
    words |= {word for row in rows("homophones") for word in row} if name == "homophones" else set()
    assert words.isdisjoint(TRAPS)
    assert words.isdisjoint(UNWELCOME)
    assert not [word for word in words if any(part in NEGATIONS or part.endswith("n't") for part in word.split())]


def test_spelling_is_one_to_one_and_leaves_out_ambiguous_words():
    british, american = zip(*rows("spelling"), strict=True)
    assert len(set(american)) == len(american)
    assert set(british).isdisjoint(american)
    assert {*british, *american}.isdisjoint(AMBIGUOUS_SPELLINGS)
    for b, a in rows("spelling"):
        assert abs(len(b) - len(a)) <= 2
        assert b[0] == a[0] or a.startswith(b[1]) or b == "aeroplane" or b == "aeroplanes"


def test_emoticons_are_one_to_one():
    assert len({emoji for _, emoji in rows("emoticons")}) == len(rows("emoticons"))


def test_every_negated_contraction_comes_back():
    expanded = alternatives("expansions_not")
    for full, short in rows("contractions_not"):
        assert expanded[short][0].replace("can not", "cannot") == full.replace("can not", "cannot")


def test_slang_places_are_known():
    assert {place for _, _, place in rows("slang")} == {"anywhere", "before_verb", "after_be"}


def test_a_missing_lexicon_is_an_error():
    with pytest.raises(FileNotFoundError):
        rows("no_such_lexicon")
