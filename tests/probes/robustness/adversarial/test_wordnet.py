"""WordNet from nltk's data, from the package wn (which a stand-in takes the place of), and from nowhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from probes.robustness.adversarial.constraints import speech
from probes.robustness.adversarial.constraints.opposites import Opposites
from probes.robustness.adversarial.sources import wordnet, wordnet_nltk, wordnet_wn

DATA = Path(__file__).resolve().parents[5] / "shared" / "data" / "nltk_data"


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the nltk data of the shared folder")
def test_wordnet_gives_synonyms_and_opposites():
    code = (
        "from probes.robustness.adversarial.sources.wordnet import find\n"
        "from probes.robustness.adversarial.constraints.opposites import Opposites\n"
        "from probes.robustness.adversarial.constraints.speech import find_tagger\n"
        "from probes.robustness.adversarial.inflections import forms_of\n"
        "net = find()\n"
        "assert net.parameter == 'WordNet 3.0', net\n"
        "assert net.synonyms('film')[:3] == ('movie', 'picture', 'pic'), net.synonyms('film')\n"
        "assert not any('_' in word for word in net.synonyms('take'))\n"
        "assert 'large' in net.antonyms('small') and 'large' in net.antonyms('tiny')\n"
        "assert net.kinds('films') == {'n', 'v'} and net.base('ran', 'v') == 'run'\n"
        "assert net.irregular('run', 'v') == {'ran', 'running'}, net.irregular('run', 'v')\n"
        "assert forms_of('ran') == {'run', 'runs', 'running'}\n"
        "guard = Opposites(net)\n"
        "assert guard.opposed('abundant', 'scarce') and not guard.opposed('film', 'movie')\n"
        "assert find_tagger()(('the', 'film', 'was', 'dull'))[1] == 'NOUN'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "NLTK_DATA": str(DATA)})


def lacking():
    raise LookupError("Resource wordnet not found.")


def test_without_data_there_is_no_wordnet(monkeypatch):
    monkeypatch.setattr(wordnet_nltk, "_reader", lacking)
    monkeypatch.setitem(sys.modules, "wn", None)  # importing it fails
    monkeypatch.setattr(speech, "_perceptron", lacking)
    assert wordnet.find.__wrapped__() is None
    assert speech.find_tagger() is None


@dataclass(eq=False)
class Synset:
    pos: str
    own: list[Sense] = field(default_factory=list)
    similar: list[Synset] = field(default_factory=list)

    def senses(self):
        return self.own

    def lemmas(self):
        return [sense.word().lemma() for sense in self.own]

    def get_related(self, kind):
        return self.similar if kind == "similar" else []


@dataclass(eq=False)
class Sense:
    entry: Word
    meaning: Synset
    opposites: list[Sense] = field(default_factory=list)

    def word(self):
        return self.entry

    def synset(self):
        return self.meaning

    def get_related(self, kind):
        return self.opposites if kind == "antonym" else []


@dataclass(eq=False)
class Word:
    id: str
    pos: str
    written: tuple[str, ...]
    own: list[Sense] = field(default_factory=list)

    def lemma(self):
        return self.written[0]

    def forms(self):
        return list(self.written)

    def senses(self):
        return self.own


def few_words():
    """Words with their synsets, of which "tiny" is like "small", and "small" the opposite of "large"."""
    words = {
        name: Word(name, pos, (name, *others))
        for name, pos, *others in (
            ("film", "n"),
            ("moving picture", "n"),
            ("movie", "n"),
            ("film", "v"),
            ("run", "v", "ran"),
            ("small", "a"),
            ("large", "a"),
            ("tiny", "s"),
        )
    }
    words["film"] = Word("film-n", "n", ("film",))
    words["film-v"] = Word("film-v", "v", ("film",))
    synsets = [Synset("n"), Synset("v"), Synset("v"), Synset("a"), Synset("a"), Synset("s")]
    groups = (("film", "moving picture", "movie"), ("film-v",), ("run",), ("small",), ("large",), ("tiny",))
    for synset, names in zip(synsets, groups, strict=True):
        for name in names:
            sense = Sense(words[name], synset)
            synset.own.append(sense)
            words[name].own.append(sense)
    small, large = words["small"].own[0], words["large"].own[0]
    small.opposites, large.opposites = [large], [small]
    synsets[5].similar = [synsets[3]]
    return list(words.values())


class Database:
    """As `wn.Wordnet` finds words: by any form, and by what the lemmatizer makes of it."""

    def __init__(self, lexicon, *, lemmatizer):
        assert lexicon == "oewn:2024"
        self.guess, self.held = lemmatizer, few_words()

    def words(self, form, pos):
        wanted = {form} | self.guess(form, pos).get(pos, set())
        return [word for word in reversed(self.held) if word.pos == pos and wanted & set(word.forms())]


class Morphy:
    def __call__(self, form, pos):
        return {pos: {form.removesuffix("s"), form}}


def lexicon(name, version, language="en"):
    return SimpleNamespace(
        id=name, version=version, language=language, extends=lambda: None, specifier=lambda: f"{name}:{version}"
    )


@pytest.fixture
def package(monkeypatch, tmp_path):
    """The stand-in for wn, with a database; nltk has none."""
    wn, morphy = ModuleType("wn"), ModuleType("wn.morphy")
    (tmp_path / "wn.db").touch()
    wn.config = SimpleNamespace(database_path=tmp_path / "wn.db", allow_multithreading=False)
    found = [lexicon("omw-en", "1.4"), lexicon("oewn", "2024"), lexicon("oewn", "2021"), lexicon("omw-de", "9", "de")]
    wn.lexicons, wn.Wordnet, morphy.Morphy = lambda: found, Database, Morphy
    monkeypatch.setitem(sys.modules, "wn", wn)
    monkeypatch.setitem(sys.modules, "wn.morphy", morphy)
    monkeypatch.setattr(wordnet_nltk, "_reader", lacking)
    remembered = (wordnet_wn._reader, wordnet_wn._synonyms, wordnet_wn._antonyms)
    for each in remembered:
        each.cache_clear()
    yield wn
    for each in remembered:
        each.cache_clear()


def test_the_package_wn_stands_in_where_nltk_has_no_data(package):
    net = wordnet.find.__wrapped__()
    assert net.parameter == "WordNet oewn:2024, read by wn"
    assert net.synonyms("films") == ("film", "movie")
    assert net.synonyms("film") == ("movie",)
    assert (net.base("films", "n"), net.base("ran", "v"), net.base("qwxy", "n")) == ("film", "run", None)
    assert net.base("tiny", "a") == "tiny"
    assert net.irregular("run", "v") == {"ran"}
    assert net.kinds("film") == {"n", "v"}
    assert net.kinds("tiny") == {"a"}
    assert net.antonyms("small") == {"large"}
    assert net.antonyms("tiny") == {"large"}
    assert Opposites(net).opposed("large", "tiny")
    assert not Opposites(net).opposed("film", "movie")


def test_a_package_without_a_database_is_left_alone(package, tmp_path):
    (tmp_path / "wn.db").unlink()
    package.lexicons = lambda: pytest.fail("asking would make a database")
    assert wordnet.find.__wrapped__() is None


def test_a_database_without_english_is_none(package):
    package.lexicons = lambda: [lexicon("omw-de", "1.4", "de")]
    assert wordnet.find.__wrapped__() is None
