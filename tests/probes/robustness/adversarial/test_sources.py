"""Where words come from: vector files of every kind and their faults, the model's own table, assistants."""

from __future__ import annotations

import math

import numpy as np
import pytest

from probes.core.errors import DataError
from probes.core.fillings import BLANK, Fillings
from probes.core.nearest import Nearest
from probes.robustness.adversarial.sources.assistants import FILLINGS, SentenceEncoder, WordModel
from probes.robustness.adversarial.sources.own import NEIGHBOURS, OwnWords
from probes.robustness.adversarial.sources.vectors import load_vectors
from probes.robustness.search import Request
from tests.conftest import FakeModel, model_card

WORDS = {"good": (1.0, 0.0), "fine": (0.8, 0.6), "poor": (-1.0, 0.1), "of  it": (0.0, 2.0)}


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
        ("a.txt", b"good 1 0\nfine 3e38 3e38\n", "'fine' is not finite, or too large"),
        ("a.txt", b"", "no word"),
        ("a.txt", b"word\n", "line 1"),
        ("a.vec", b"2 3\ngood 1 0\n", "line 2"),
        ("a.bin", b"no header here\n", "first line"),
        ("a.bin", b"", "a.bin cannot be read"),
        ("a.bin", b"3 0\na b c ", "first line"),
        ("a.bin", b"99999999999 300\ngood ", "after 0 of 99999999999 words"),
        ("a.txt", "good 1 0\nfein 1 1\nschön 0 1\n".encode("latin-1"), "not UTF-8"),
        ("a.txt", b"good 0 0\nfine 0 0\n", "all its vectors are zero"),
        ("a.npz", b"no archive", "it is no archive of arrays"),
        ("a.npz", b"", "it is no archive of arrays"),
        ("a.npz", b"PK\x03\x04 and no more", "a.npz cannot be read"),
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


TEXTS, NUMBERS = np.array(["good"]), np.ones((1, 2))


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"words": np.array([{"a": 1}], dtype=object), "vectors": NUMBERS}, "its array words does not hold texts"),
        ({"words": TEXTS, "vectors": np.array([[{}, {}]], dtype=object)}, "its array vectors does not hold numbers"),
        ({"words": np.array([b"good"]), "vectors": NUMBERS}, "its array words does not hold texts"),
        ({"words": TEXTS, "vectors": np.array([["one", "two"]])}, "its array vectors does not hold numbers"),
        ({"names": TEXTS, "vectors": NUMBERS}, "it has no array words"),
        ({"words": TEXTS, "vectors": np.zeros((1, 2))}, "all its vectors are zero"),
    ],
)
def test_arrays_that_are_no_word_vectors_are_told_in_words_of_ours(tmp_path, arrays, said):
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(DataError, match=said) as raised:
        load_vectors(tmp_path / "bad.npz")
    assert "pickle" not in raised.value.message + raised.value.hint


def saved(path, save=np.savez, *, words=WORDS, dtype=np.float32, order="C"):
    save(path, words=np.array(list(words)), vectors=np.array(list(words.values()), dtype=dtype, order=order))
    return path


def test_float32_vectors_of_an_archive_stay_in_the_file(tmp_path):
    found = load_vectors(saved(tmp_path / "plain.npz"))
    assert isinstance(found.matrix, np.memmap)
    np.testing.assert_array_equal(found.matrix, np.array(list(WORDS.values()), np.float32))


@pytest.mark.parametrize("how", [{"save": np.savez_compressed}, {"dtype": np.float64}, {"order": "F"}])
def test_packed_wider_and_turned_vectors_are_read(tmp_path, how):
    found = load_vectors(saved(tmp_path / "other.npz", **how))
    assert not isinstance(found.matrix, np.memmap)
    mapped = load_vectors(saved(tmp_path / "plain.npz"))
    assert found.nearest.of(["good"], count=3) == mapped.nearest.of(["good"], count=3)
    assert found.similarity("good", "fine") == pytest.approx(mapped.similarity("good", "fine"))


def test_of_a_word_that_stands_twice_the_first_vector_counts(tmp_path):
    text = text_file(tmp_path / "twice.txt", words={"good": (1.0, 0.0), "fine": (0.0, 3.0)})
    text.write_text(text.read_text() + "good 0 1\n", encoding="utf-8")
    np.savez(tmp_path / "twice.npz", words=["good", "fine", "good"], vectors=np.array([[1, 0], [0, 3], [0, 1]], "<f4"))
    for path in (text, tmp_path / "twice.npz"):
        found = load_vectors(path)
        assert found.words == ("good", "fine")
        assert found.similarity("good", "fine") == 0.0


def test_a_vector_of_zeros_is_near_nothing(tmp_path):
    found = load_vectors(text_file(tmp_path / "a.txt", words={"none": (0, 0), "long": (1e14, 1e14), "one": (1, 1)}))
    assert found.similarity("none", "one") == 0.0
    assert found.similarity("long", "one") == pytest.approx(1.0, abs=1e-5)
    assert found.nearest.of(["one"], count=3)[0][-1] == ("none", 0.0)


def test_an_archive_whose_words_and_vectors_differ_in_number_is_refused(tmp_path):
    np.savez(tmp_path / "bad.npz", words=["a", "b", "c"], vectors=np.ones((2, 4), "<f4"))
    with pytest.raises(DataError, match=r"\(3,\) for vectors of the shape \(2, 4\)"):
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
