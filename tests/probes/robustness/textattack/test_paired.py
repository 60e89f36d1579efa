"""Recipes of our parts beside TextAttack's own: from the same random numbers the same texts."""

import os
import random
from pathlib import Path

import numpy as np
import pytest

from tests.tiny_models import SENTENCES, build

PYTHON = os.environ.get("AUDIT_TEXTATTACK_PYTHON", "")
STOPWORDS = ("a", "and", "but", "for", "the", "they", "to", "was")
RECIPES = ("pruthi", "textbugger", "input-reduction")
"""They need no data but stopwords, and vectors that are made here."""
TEXTS = (*SENTENCES[:4], SENTENCES[-1])


def test_numbers_are_drawn_as_numpy_draws_them():
    from benchmarks.attacks_beside import Paired

    ranges = random.Random(0)
    for seed in range(20):
        for _ in range(2):  # the second time from the beginning, though the same were drawn from before
            paired = Paired.of(seed)
            np.random.seed(seed)
            for _ in range(100):
                low, span = ranges.randrange(3), ranges.randrange(1, 70)
                assert paired.integer(low, low + span) == np.random.randint(low, low + span)


@pytest.mark.textattack
@pytest.mark.skipif(not PYTHON, reason="AUDIT_TEXTATTACK_PYTHON names no TextAttack")
def test_both_find_the_same_texts(tmp_path, monkeypatch):
    from benchmarks.attacks_as_textattack import COMPOSED, Given
    from benchmarks.attacks_beside import OUTCOMES, attacks, textattack
    from benchmarks.attacks_stand_ins import make
    from probes.model.load import load
    from probes.robustness.adversarial.sources.vectors import load_vectors

    listed = tmp_path / "nltk_data" / "corpora" / "stopwords" / "english"
    listed.parent.mkdir(parents=True)
    listed.write_text("\n".join(STOPWORDS))
    monkeypatch.setenv("NLTK_DATA", str(tmp_path / "nltk_data"))
    folder = build("bert", tmp_path / "model", seed=2)  # whose answers some changes break, and some do not
    model = load(str(folder), device="cpu", dtype="float32")
    rows = [(text, int(row)) for text, row in zip(TEXTS, model.classify(TEXTS).logits.argmax(axis=1), strict=True)]
    stand_ins = make(folder, tmp_path)
    job = {"model": str(folder), "pairs": [[name, rows] for name in RECIPES]}
    files = {"vectors": str(stand_ins.vectors), "word_model": str(stand_ins.word_model)}
    peer = textattack(Path(PYTHON), job | files, threads=1)
    vectors, ends = load_vectors(stand_ins.vectors), set()
    for name in RECIPES:
        given = Given(stopwords=peer[name]["stopwords"], vectors=vectors, lists=peer["lists"])
        attempts = attacks(rows, COMPOSED[name].attack(given), COMPOSED[name].victim(model, rows))
        # Where the last word is taken from a text without a full stop, TextAttack leaves the blank before it.
        theirs = [(OUTCOMES[kind], text.rstrip()) for kind, text in peer[name]["found"]]
        assert [(attempt.outcome, attempt.changed) for attempt in attempts] == theirs, name
        assert [attempt.queries for attempt in attempts] == peer[name]["each"], name
        ends |= {outcome for outcome, _ in theirs}
    assert len(ends) > 1
