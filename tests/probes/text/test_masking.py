"""Offensive words are masked however they are written, and nothing else is."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from probes.text.masking import MASK, has_offensive, mask
from probes.text.offensive import KINDS, OFFENSIVE, entries, words
from probes.text.perturbations import characters, homoglyphs, invisible, obfuscation

INNOCENT = tuple(
    """Scunthorpe Penistone Clitheroe Cockermouth Lightwater Essex Sussex Middlesex Arsenal Cummings Dickens
Hancock Hitchcock Babcock Peacock Woodcock class classic classes glass grass mass pass passage assess assessment asset
assume assassin embarrass bass compass cockpit cocktail cockatoo shuttlecock therapist grape drapes scrape shiitake
mishit shitake title titan constitution circumstance document cucumber accumulate cumulative analysis canal analog
saturation snigger sniggered niggle niggard Niger Nigeria Nigerian raccoon cocoon tycoon spice spicy despicable
suspicious conspicuous SPLC kikenda pakistan Pakistani Pakora chinking chinchilla whorehouses retarding retardant
flagfish fagin Fagus dykestra Vandyke bitchumen bastardise Swanky twatter slutsk country account counting fuchsia
Fukushima funk duck luck bucking puck horse wholesome hello shell Michelle shift shirt sheet Jaap as is cool""".split()  # noqa: SIM905
)

LETTERS = "abcdefghijklmnopqrstuvwxyzSHITFUCK4@$!|(5137 .*-_∗\u200b\u0301\u00adſсоѕкυﬁßİⓕ\n\x00\x01é"


def strong():
    return [entry.word for entry in entries() if entry.kind != "insult" and entry.strength >= 2]


def hidden(word):
    return word[0] + MASK * (len(word) - 1)


@pytest.mark.parametrize("word", strong())
def test_every_strong_word_is_masked_whole_and_in_any_case(word):
    for written in (word, word.upper(), word.capitalize()):
        assert mask(f"So, {written}!") == f"So, {hidden(written)}!"


def test_mild_words_and_insults_stay():
    for word in (*words("insult"), *words("profanity", strength=1)):
        assert mask(word) == word


@pytest.mark.parametrize("word", INNOCENT)
def test_innocent_words_stay(word):
    for written in (word, word.upper(), word.lower(), f"({word})", f"{word}!", f"the {word}'s"):
        assert mask(written) == written


def test_there_are_enough_innocent_words():
    assert len(set(INNOCENT)) >= 100
    assert any(strong_word in word.lower() for word in INNOCENT for strong_word in strong())


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("sh1t", "s∗1∗"),
        ("$hit", "$∗∗∗"),
        ("5h!7", "5∗!7"),
        ("assh0le", "a∗∗∗0∗∗"),
        ("assho1e", "a∗∗∗∗1∗"),
        ("fu(k", "f∗(∗"),
        ("s h i t", "s ∗ ∗ ∗"),
        ("s.h.i.t.", "s.∗.∗.∗."),
        ("f-u-c-k off", "f-∗-∗-∗ off"),
        ("f_u_c_k", "f_∗_∗_∗"),
        ("fuuuuck", "f∗∗∗∗∗∗"),
        ("SHHHIIIT", "S∗∗∗∗∗∗∗"),
        ("sh\u200bit", "s∗\u200b∗∗"),
        ("s\u00adhit", "s\u00ad∗∗∗"),
        ("fυсk", "f∗∗∗"),
        ("ｆｕｃｋ", "ｆ∗∗∗"),
        ("𝓯𝓾𝓬𝓴", "𝓯∗∗∗"),
        ("shít", "s∗∗∗"),
        ("shi\u0301t", "s∗∗\u0301∗"),
        ("#FuckMondays", "#F∗∗∗Mondays"),
        ("shit/fuck!shit", "s∗∗∗/f∗∗∗!s∗∗∗"),
        ("fuck2", "f∗∗∗2"),
        ("bullshit's", "b∗∗∗∗∗∗∗'s"),
        ("f*ck", "f*ck"),
        ("stupid idiot, damn", "stupid idiot, damn"),
        ("", ""),
    ],
)
def test_disguises_are_seen_through(written, masked):
    assert mask(written) == masked
    assert has_offensive(written) == (written != masked)


@pytest.mark.parametrize(
    "perturbation",
    [
        *(p for p in obfuscation.PERTURBATIONS if p.name != "starred_letters"),
        *(p for p in homoglyphs.PERTURBATIONS if p.name != "greek_homoglyphs"),
        *(p for p in invisible.PERTURBATIONS if p.name != "bidi_isolates"),
        *(p for p in characters.PERTURBATIONS if p.name == "repeated_letters"),
    ],
    ids=lambda p: p.name,
)
def test_the_disguises_that_probes_write_are_masked(perturbation):
    for word in [word for word in strong() if len(word) > 3]:
        for key in range(3):
            disguised = perturbation.apply(word, 5, random.Random(key))
            assert has_offensive(f"You {disguised}, you"), repr(disguised)


@given(st.text(alphabet=st.characters(codec=None)) | st.text(alphabet=LETTERS))
@example("fu(k (shit) a$$hole f u c kike")
def test_masking_never_raises_and_changes_nothing_but_letters(text):
    shown = mask(text)
    assert len(shown) == len(text)
    assert all(old == new or (new == MASK and old.isalpha()) for old, new in zip(text, shown, strict=True))
    assert mask(shown) == shown
    assert has_offensive(text) or shown == text


@given(st.lists(st.sampled_from([*strong(), *INNOCENT, "s h i t", "$", "!", "x", "1", MASK, "\u200b"]), max_size=8),
       st.sampled_from([" ", "", ".", " - "]))  # fmt: skip
def test_masking_twice_is_masking_once(parts, gap):
    shown = mask(gap.join(parts))
    assert mask(shown) == shown


def test_long_texts_take_no_longer_than_their_length_says():
    for piece in ("s!h1", "aA", "f u c k ", "a ", "fuuu", "f*", "1a", "the class was assessed "):
        started = time.process_time()
        mask(piece * (200_000 // len(piece)))
        assert time.process_time() - started < 5, piece


def test_the_list_is_well_formed():
    found = entries()
    assert len({entry.word for entry in found}) == len(found)
    for entry in found:
        assert entry.word.isascii()
        assert entry.word.isalpha()
        assert entry.word.islower()
        assert entry.strength in (1, 2, 3)
        assert bool(entry.target) == (entry.kind == "slur")
        assert len(entry.target.split()) == 2 or not entry.target
    counts = {kind: len(words(kind)) for kind in KINDS}
    assert counts["profanity"] >= 60
    assert counts["insult"] >= 60
    assert 25 <= counts["slur"] <= 60  # with plurals; no more than masking needs
    assert {entry.strength for entry in found if entry.kind == "slur"} == {2, 3}
    assert sum(len(words(strength=strength)) for strength in (1, 2, 3)) == len(words()) == len(found)


def test_the_pattern_finds_whole_words_only():
    assert [m.group() for m in OFFENSIVE.finditer("An IDIOT in Scunthorpe, a class idiots_ shit.")] == ["IDIOT", "shit"]
