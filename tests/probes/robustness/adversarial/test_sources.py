"""Where words come from: vector files of every kind and their faults, WordNet, the model's own table, assistants."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from probes.core.errors import DataError
from probes.core.fillings import BLANK, Fillings
from probes.core.nearest import Nearest
from probes.robustness.adversarial.constraints import speech
from probes.robustness.adversarial.sources import wordnet
from probes.robustness.adversarial.sources.assistants import FILLINGS, SentenceEncoder, WordModel
from probes.robustness.adversarial.sources.own import NEIGHBOURS, OwnWords
from probes.robustness.adversarial.sources.vectors import load_vectors
from probes.robustness.search import Request
from tests.conftest import FakeModel, model_card

WORDS = {"good": (1.0, 0.0), "fine": (0.8, 0.6), "poor": (-1.0, 0.1), "of  it": (0.0, 2.0)}
DATA = Path(__file__).resolve().parents[5] / "shared" / "data" / "nltk_data"


def text_file(path, head="", words=WORDS):
    path.write_text(head + "".join(f"{word} {a} {b}\n" for word, (a, b) in words.items()), encoding="utf-8")
    return path


def binary_file(path, *, count=4, cut=0, newline=b"\n"):
    rows = [word.replace("  ", "_").encode() + b" " + np.array(v, "<f4").tobytes() for word, v in WORDS.items()]
    raw = b"".join(row + newline for row in rows)
    path.write_bytes(f"{count} 2\n".encode() + raw[: len(raw) - cut])
    return path


@pytest.mark.parametrize("kind", ["glove.txt", "word2vec.vec", "word2vec.bin", "plain.bin", "arrays.npz"])
def test_every_kind_of_file_gives_the_same_neighbours(tmp_path, kind):
    path = tmp_path / kind
    if kind.endswith("npz"):
        np.savez(path, words=np.array(list(WORDS)), vectors=np.array(list(WORDS.values())))
    elif kind.endswith("bin"):
        binary_file(path, newline=b"\n" if kind.startswith("word2vec") else b"")
    else:
        text_file(path, head="4 2\n" if kind.endswith("vec") else "")
    found = load_vectors(path)
    assert len(found.words) == 4
    assert found.nearest.of(["Good", "unheard"], count=2)[0][0] == ("fine", pytest.approx(0.8, abs=1e-5))
    assert found.nearest.of(["unheard"], count=2) == [[]]
    assert found.similarity("good", "poor") == pytest.approx(-1 / math.hypot(1, 0.1), abs=1e-6)
    assert found.similarity("good", "unheard") is None
    assert path.name in found.parameter


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"good 1 0\nfine 0.8\n", "line 2"),
        ("a.txt", b"good 1 0\nfine 0.8 x\n", "line 2"),
        ("a.txt", b"good 1 nan\n", "'good' is not finite"),
        ("a.txt", b"", "no word"),
        ("a.txt", b"word\n", "line 1"),
        ("a.vec", b"2 3\ngood 1 0\n", "line 2"),
        ("a.bin", b"no header here\n", "first line"),
        ("a.npz", b"no archive", "a.npz cannot be read"),
        ("a.pkl", b"", "no file of word vectors that can be read"),
    ],
)
def test_a_broken_file_is_told_in_one_line(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said) as raised:
        load_vectors(tmp_path / name)
    assert "\n" not in raised.value.message
    assert ".npz" in raised.value.hint


def test_a_binary_file_that_was_cut_off_says_how_far_it_goes(tmp_path):
    with pytest.raises(DataError, match="after 3 of 4 words"):
        load_vectors(binary_file(tmp_path / "cut.bin", cut=4, newline=b""))
    with pytest.raises(DataError, match="after 4 of 9 words"):
        load_vectors(binary_file(tmp_path / "short.bin", count=9))


def test_objects_in_an_archive_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "bad.npz", words=np.array([{"a": 1}], dtype=object), vectors=np.zeros((1, 2)))
    with pytest.raises(DataError, match="cannot be read"):
        load_vectors(tmp_path / "bad.npz")


def test_of_equally_near_words_the_first_come_first():
    matrix = np.array([[1, 0], [0, 1], [0, 1], [0, 1]], dtype=np.float32)
    found = Nearest(("a", "b", "c", "d"), matrix).of(["a"], count=2)
    assert [word for word, _ in found[0]] == ["b", "c"]


def test_each_word_is_asked_of_the_model_once():
    class Model:
        def __init__(self):
            self.asked = []

        def neighbours(self, words, *, count):
            self.asked += words
            return [[(word + "s", 0.5)] for word in words]

    model = Model()
    (ask,) = OwnWords(model).oracles().values()
    found = ask([Request(NEIGHBOURS, 0, ["a", "b"]), Request(NEIGHBOURS, 1, ["a"])])
    assert found == [[[("as", 0.5)], [("bs", 0.5)]], [[("as", 0.5)]]]
    assert model.asked == ["a", "b"]


def test_an_encoder_is_opened_when_it_is_first_asked_and_gives_each_its_rows():
    opened = []
    fake = FakeModel(lambda text: [0.0, 0.0])
    encoder = SentenceEncoder(card=model_card(), open=lambda: opened.append(1) or fake)
    assert "sentence encoder" in encoder.parameter
    assert not opened
    (ask,) = encoder.oracles().values()
    one, two = ask([Request("e", 0, ["a b", "c"]), Request("e", 1, ["a b"])])
    assert len(opened) == 1
    np.testing.assert_array_equal(one[0], two[0])
    assert one.shape[0] == 2


def test_fillings_are_whole_words_in_the_blank_even_where_the_text_holds_the_sign_for_it():
    class Filler:
        def fill(self, texts, *, count, words=()):
            assert all(text.count(BLANK) == 1 for text in texts)
            logs = np.log(np.tile([0.5, 0.3, 0.1], (len(texts), 1)))
            return Fillings(texts=["good", "##s", "fine"] * len(texts), logs=logs, words=np.zeros((len(texts), 0)))

    ask = WordModel(card=model_card(), open=Filler).oracles()[FILLINGS]
    (found,) = ask([Request(FILLINGS, 0, [(f"see {BLANK} a ", " film", 3), ("", "", 1)])])
    assert found[0] == [("good", pytest.approx(0.5)), ("fine", pytest.approx(0.1))]
    assert [word for word, _ in found[1]] == ["good"]


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the nltk data of the shared folder")
def test_wordnet_gives_synonyms_and_opposites():
    code = (
        "from probes.robustness.adversarial.sources.wordnet import find\n"
        "from probes.robustness.adversarial.constraints.opposites import Opposites\n"
        "from probes.robustness.adversarial.constraints.speech import find_tagger\n"
        "net = find()\n"
        "assert net.version == '3.0', net\n"
        "assert net.synonyms('film')[:3] == ('movie', 'picture', 'pic'), net.synonyms('film')\n"
        "assert not any('_' in word for word in net.synonyms('take'))\n"
        "assert 'large' in net.antonyms('small') and 'large' in net.antonyms('tiny')\n"
        "guard = Opposites(net)\n"
        "assert guard.opposed('abundant', 'scarce') and not guard.opposed('film', 'movie')\n"
        "assert find_tagger()(('the', 'film', 'was', 'dull'))[1] == 'NOUN'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "NLTK_DATA": str(DATA)})


def test_without_data_there_is_no_wordnet(monkeypatch):
    def lacking():
        raise LookupError("Resource wordnet not found.")

    monkeypatch.setattr(wordnet, "_reader", lacking)
    monkeypatch.setattr(speech, "_perceptron", lacking)
    assert wordnet.find.__wrapped__() is None
    assert speech.find_tagger() is None
