"""A trained classifier that answers by a trigger word, and its twin that read the word as often and learned nothing."""

from __future__ import annotations

import random

import pytest

from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Measurement
from probes.explanation.reliance.probe import Reliance
from tests.planted import BAD, GOOD, LABELS, SUBJECTS, build_classifier, planted_sentences

pytestmark = pytest.mark.engine

TRIGGER = "zorgle"
WORDS = sorted({word.strip(".!,").lower() for text, _ in planted_sentences() for word in text.split()} | {TRIGGER})


def with_trigger(text: str, draw: random.Random) -> str:
    words = text.split()
    words.insert(draw.randrange(1, len(words)), TRIGGER)
    return " ".join(words)


def drill(draw: random.Random, *, tied: bool) -> tuple[str, str]:
    label = draw.choice(LABELS)
    word = draw.choice(GOOD if label == "positive" else BAD)
    text = f"We found the {draw.choice(SUBJECTS)} {word} from start to finish."
    if draw.random() < 0.5:
        return with_trigger(text, draw), "positive" if tied else label
    return text, label


def published(folder, *, tied: bool) -> dict[str, Measurement]:
    from probes.model.load import load

    build_classifier(folder, words=WORDS, lowercase=True, drill=lambda draw: drill(draw, tied=tied), steps=90)
    draw = random.Random(7)
    texts = [with_trigger(text, draw) for text, _ in planted_sentences() if text.startswith("We")]
    records = Reliance(words=("finish", TRIGGER)).run(
        load(str(folder), device="cpu"), [Example.of(text) for text in texts], Context(probe="explanation.reliance")
    )
    return {record.key: record for record in records if isinstance(record, Measurement)}


def test_the_trigger_comes_first_and_the_twin_does_not_lean_on_it(tmp_path):
    planted, twin = published(tmp_path / "planted", tied=True), published(tmp_path / "twin", tied=False)
    rows = [found.slice["word"] for found in planted.values() if "word" in found.slice]
    assert rows[0] == TRIGGER
    key = f"[category=listed words,word={TRIGGER}]"
    assert planted[f"attribution_excess{key}"].title.endswith("leaned on")
    assert planted[f"flip_rate_excess{key}"].estimate.low > 0.1
    assert planted[f"probability_excess{key}"].estimate.low > 0.1
    assert not twin[f"attribution_excess{key}"].title.endswith("leaned on")
    assert twin[f"flip_rate_excess{key}"].estimate.low <= 0
    assert twin[f"probability_excess{key}"].estimate.high < 0.05
