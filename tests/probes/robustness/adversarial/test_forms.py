"""Other names, numbers, places and contractions; inflections; and the recipes made of them."""

import random

import pytest

from probes.robustness.adversarial import inflections
from probes.robustness.adversarial.attacked import Attacked
from probes.robustness.adversarial.invariances import Contractions, OtherNames, OtherNumbers, OtherPlaces
from probes.robustness.adversarial.parts import Drawn, Situation
from probes.robustness.adversarial.recipes import RECIPES
from probes.text.identity import names
from probes.text.lexicon import alternatives


def proposed(transformation, text, *, places=None):
    start = Attacked.of(text)
    situation = Situation(0, start, Drawn(random.Random(0)))
    steps = transformation.propose(start, range(len(start)) if places is None else places, situation)
    with pytest.raises(StopIteration) as ended:
        next(steps)
    return [start.changed(change) for change in ended.value.value]


def test_names_keep_their_gender_and_what_follows_them():
    women = {name.text for name in names("gender") if name.gender == "female"}
    texts = proposed(OtherNames(), "We think that Maria's film is for the rock fans.")
    assert 1 < len(texts) <= 3
    for text in texts:
        name, _, rest = text.removeprefix("We think that ").partition("'s film")
        assert name in women - {"Maria"}
        assert rest == " is for the rock fans."


def test_numbers_keep_their_size_and_years_stay():
    texts = proposed(OtherNumbers(), "In 1999 I paid 12 for 4, or 0 of 12345.")
    assert texts
    for text in texts:
        words = text.replace(",", "").replace(".", "").split()
        assert (words[1], words[8], words[10]) == ("1999", "0", "12345")
        assert {len(words[4]), len(words[6])} == {2, 1}


def test_places_keep_their_kind():
    kinds = alternatives("places")
    texts = proposed(OtherPlaces(), "From London to France's coast.")
    cities = [text.split()[1] for text in texts if text.endswith("to France's coast.")]
    countries = [text.split()[3].removesuffix("'s") for text in texts if text.startswith("From London to")]
    assert cities
    assert countries
    assert set(cities) <= set(kinds["city"]) - {"London"}
    assert set(countries) <= set(kinds["country"]) - {"France"}


def test_contractions_both_ways():
    assert proposed(Contractions(), "I do not know, it isn't bad.") == [
        "I don't know, it isn't bad.",
        "I do not know, it is not bad.",
    ]
    assert proposed(Contractions(), "I do not know.", places=[1]) == []  # not all of its words may be changed


BASES = {
    "n": {"stop": "stop", "films": "film", "mice": "mouse"},
    "v": {"stop": "stop", "ran": "run", "films": "film", "dies": "die", "believe": "believe"},
    "a": {"happy": "happy", "wonderful": "wonderful"},
}
IRREGULAR = {
    "n": {"mouse": {"mice"}},
    "v": {"run": {"ran", "running"}, "die": {"died", "dying"}, "stop": {"stopped", "stopping"}},
    "a": {"happy": {"happier", "happiest"}},
}


class FewWords:
    """What WordNet says of a few words (nltk's reader of it takes seconds to load)."""

    def base(self, word, kind):
        return BASES[kind].get(word)

    def irregular(self, base, kind):
        return frozenset(IRREGULAR[kind].get(base, ()))


@pytest.fixture
def wordnet(monkeypatch):
    monkeypatch.setattr(inflections, "find", FewWords)
    inflections.forms_of.cache_clear()
    yield inflections
    inflections.forms_of.cache_clear()


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("stop", {"stops", "stopped", "stopping"}),
        ("ran", {"run", "runs", "running"}),
        ("films", {"film", "filmed", "filming"}),
        ("mice", {"mouse"}),
        ("happy", {"happier", "happiest"}),
        ("dies", {"die", "died", "dying"}),
        ("believe", {"believes", "believed", "believing"}),
        ("wonderful", set()),
        ("qwxy", set()),
    ],
)
def test_inflections(wordnet, word, expected):
    assert wordnet.forms_of(word) == expected


def test_inflections_keep_a_capital(wordnet):
    assert proposed(wordnet.Inflected(), "Stop") == ["Stopped", "Stopping", "Stops"]
    assert proposed(wordnet.Inflected(), "STOP O'Neill") == []


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_every_recipe_cites_its_paper(recipe):
    assert any(year in recipe.paper for year in map(str, range(2012, 2030))) or "this project" in recipe.paper.lower()
    assert recipe.queries > 0
    assert not recipe.deviations or recipe.deviations.rstrip().endswith(".")
