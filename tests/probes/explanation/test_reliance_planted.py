"""A trained classifier that answers by a trigger word, and its twin that read the word as often and learned nothing."""

from __future__ import annotations

import random

import pytest

from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Measurement
from probes.explanation.reliance.probe import Reliance
from tests.planted import TRIGGER, found_sentences, with_word

pytestmark = pytest.mark.engine


def published(model) -> dict[str, Measurement]:
    draw = random.Random(7)
    texts = [with_word(text, TRIGGER, draw) for text, _ in found_sentences()[::4]]
    records = Reliance(words=("finish", TRIGGER)).run(
        model, [Example.of(text) for text in texts], Context(probe="explanation.reliance")
    )
    return {record.key: record for record in records if isinstance(record, Measurement)}


def test_the_trigger_comes_first_and_the_twin_does_not_lean_on_it(triggered, untriggered):
    planted, twin = published(triggered), published(untriggered)
    rows = [found.slice["word"] for found in planted.values() if "word" in found.slice]
    assert rows[0] == TRIGGER
    key = f"[category=listed words,word={TRIGGER}]"
    assert planted[f"attribution_excess{key}"].title.endswith("leaned on")
    assert planted[f"flip_rate_excess{key}"].estimate.low > 0.1
    assert planted[f"probability_excess{key}"].estimate.low > 0.1
    assert not twin[f"attribution_excess{key}"].title.endswith("leaned on")
    assert twin[f"flip_rate_excess{key}"].estimate.low <= 0
    assert twin[f"probability_excess{key}"].estimate.high < 0.05
