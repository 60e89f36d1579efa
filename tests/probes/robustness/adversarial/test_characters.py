"""Changes of letters: what they propose, and that they draw as TextAttack draws."""

import itertools
import random
import unicodedata

import numpy as np
import pytest

from probes.robustness.adversarial.attacked import Attacked
from probes.robustness.adversarial.character_recipes import deepwordbug_letters, pruthi_letters
from probes.robustness.adversarial.characters import (
    MOST_PLACES,
    Deleted,
    Inserted,
    Lookalike,
    Mistyped,
    Reordered,
    Substituted,
    Swapped,
    Unseen,
    Wrapped,
    places,
)
from probes.robustness.adversarial.parts import Drawn, Situation
from probes.robustness.adversarial.slips import Slips


class AsTextAttack:
    """numpy's and Python's global generators after a seed, as TextAttack draws from them."""

    def __init__(self, seed):
        self.numbers, self.letters = np.random.RandomState(seed), random.Random(seed)

    def integer(self, low, high):
        return int(self.numbers.randint(low, high))

    def choice(self, options):
        return self.letters.choice(options)


def proposed(transformation, text, *, draws=None, places=None):
    start = Attacked.of(text)
    situation = Situation(0, start, draws or Drawn(random.Random(0)))
    steps = transformation.propose(start, range(len(start)) if places is None else places, situation)
    with pytest.raises(StopIteration) as ended:
        next(steps)
    return [start.changed(change) for change in ended.value.value]


@pytest.mark.parametrize(
    ("transformation", "expected"),
    [
        (Swapped(drawn=False), ["ofur", "fuor", "foru"]),
        (Swapped(drawn=False, inner=True), ["fuor"]),
        (Deleted(drawn=False), ["our", "fur", "for", "fou"]),
        (Deleted(drawn=False, inner=True), ["fur", "for"]),
        (Inserted(drawn=False, inner=True, letters=" "), ["f our", "fo ur"]),
        (Substituted(drawn=False, letters="x"), ["xour", "fxur", "foxr", "foux"]),
        (Mistyped(inner=True, keys={"o": "0p", "u": "i"}), ["f0ur", "fpur", "foir"]),
    ],
)
def test_each_place_in_turn(transformation, expected):
    assert proposed(transformation, "four") == expected


def test_short_words_are_left_alone():
    for transformation in (Swapped(inner=True), Deleted(inner=True), Inserted(inner=True)):
        assert proposed(transformation, "is it") == []
    assert proposed(Deleted(), "I a") == []


def test_a_word_as_long_as_words_are_is_tried_at_every_place():
    assert list(places(1, 1 + MOST_PLACES)) == list(range(1, 1 + MOST_PLACES))


@pytest.mark.parametrize("last", [MOST_PLACES, MOST_PLACES + 1, 2 * MOST_PLACES, 4999])
def test_a_longer_one_at_so_many_evenly_spread_from_the_first_to_the_last(last):
    found = list(places(1, last + 1))
    assert (found[0], found[-1]) == (1, last)
    assert len(found) == min(last, MOST_PLACES)
    steps = {after - before for before, after in itertools.pairwise(found)}
    assert max(steps) - min(steps) <= 1
    assert min(steps) >= 1


LONG = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=5000))


@pytest.mark.parametrize(
    ("transformation", "most"),
    [
        (pruthi_letters(), 3 + 9),  # a swap, a letter less, a letter more, and as many keys as lie beside one
        (Lookalike(leet=True), 9),
        (Unseen(), 9),
        (Reordered(), 1),
        (Slips(), 2 + 2 * 26),
    ],
)
def test_what_a_word_without_end_may_become_does_not_grow_with_it(transformation, most):
    found = proposed(transformation, f"{LONG} plot", places=[0])
    assert MOST_PLACES // 2 < len(found) <= MOST_PLACES * most


def test_a_place_is_drawn_from_all_of_a_word_without_end():
    drawn = {proposed(Deleted(), LONG, draws=Drawn(random.Random(seed)))[0] for seed in range(200)}
    assert len(drawn) > MOST_PLACES


def test_the_case_of_a_key_is_kept():
    assert proposed(Mistyped(keys={"o": ("p",)}), "Oo") == ["Po", "Op"]


@pytest.mark.parametrize("transformation", [Lookalike(), Unseen(), Reordered(), Wrapped()])
def test_what_a_reader_does_not_see(transformation):
    """Without characters of direction and characters without a shape, and with lookalikes read, the word is itself."""
    from probes.text.lexicon import rows

    latin = {twin: letter for script in ("cyrillic", "greek") for letter, twin in rows(f"homoglyphs_{script}")}
    texts = proposed(transformation, "a fine plot")
    assert texts
    assert all(text != "a fine plot" for text in texts)
    for text in texts:
        shown = "".join(latin.get(sign, sign) for sign in text if unicodedata.category(sign) != "Cf")
        if isinstance(transformation, Reordered):  # two letters stand the other way round, and are shown as they were
            assert sorted(shown) == sorted("a fine plot")
        else:
            assert shown == "a fine plot"


def test_a_reordering_is_the_published_encoding():
    assert proposed(Reordered(), "ab") == ["\u202d\u2066\u202e\u2066b\u2069\u2066a\u2069\u202c\u2069\u202c"]


DEEPWORDBUG = [
    ["wonderflu plot", "wondurful plot", "wonderul plot", "wonjderful plot"],
    ["wonderful lpot", "wonderful pzot", "wonderful plt", "wonderful ploPt"],
]
PRUTHI = ["polt", "pot", "plt", "pulot", "pljot"]


def test_letters_from_right_to_left_are_not_reordered():
    assert proposed(Reordered(), "שלום") == []
    assert proposed(Reordered(), "فيلم") == []
    assert len(proposed(Reordered(), "aשbc")) == 1


def test_drawn_as_textattack_draws():
    """What TextAttack 0.3.11 gives with the seed 7 in both generators; read off its transformations."""
    draws = AsTextAttack(7)
    found = [proposed(deepwordbug_letters(), "wonderful plot", draws=draws, places=[place]) for place in (0, 1)]
    assert found == DEEPWORDBUG
    assert proposed(pruthi_letters(), "plot", draws=AsTextAttack(7))[:5] == PRUTHI
