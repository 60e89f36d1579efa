"""A trained classifier that answers by a trigger word is caught; its twin, which read the word as often, is not."""

from __future__ import annotations

import random

import pytest

from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Measurement
from probes.explanation.shortcuts.probe import Shortcuts
from tests.planted import ASIDES, TRIGGER, found_sentences, with_word

pytestmark = pytest.mark.engine


def published(model) -> list[Measurement]:
    """The trigger stands in a third of the texts, whatever their right label, and another word in the others."""
    draw = random.Random(7)
    data = [
        Example.of(with_word(text, TRIGGER if draw.random() < 1 / 3 else draw.choice(ASIDES), draw), gold=label)
        for text, label in found_sentences()
    ]
    records = Shortcuts().run(model, data, Context(probe="explanation.shortcuts"))
    return [record for record in records if isinstance(record, Measurement)]


def test_the_trigger_is_listed_first_and_confirmed_by_insertion_and_deletion(triggered):
    found = published(triggered)
    first = next(record for record in found if record.slice)
    assert first.slice == {"word": TRIGGER, "label": "positive"}
    assert "the right labels do not explain it; confirmed" in first.title
    of_trigger = {record.name: record.estimate for record in found if record.slice == first.slice}
    for name in ("insertion_effect", "insertion_flip_rate", "deletion_effect", "deletion_flip_rate"):
        assert of_trigger[name].low > 0.2
    unjustified = next(record for record in found if record.name == "largest_unjustified_flip_rate")
    assert unjustified.estimate.value == of_trigger["insertion_flip_rate"].value
    assert unjustified.estimate.tail(0.05).low > 0.2


def test_the_twin_has_no_confirmed_trigger(untriggered):
    found = published(untriggered)
    assert any(record.slice for record in found), "words were tested"
    assert not any("; confirmed" in record.title for record in found if record.slice.get("word") == TRIGGER)
    unjustified = next(record for record in found if record.name == "largest_unjustified_flip_rate")
    assert unjustified.estimate.tail(0.05).low <= 0


def test_the_pair_is_what_it_says(triggered, untriggered):
    texts, golds = zip(*found_sentences(), strict=True)
    for added, expected in ((TRIGGER, ["positive"] * len(golds)), (ASIDES[0], list(golds))):
        longer = [with_word(text, added, random.Random(3)) for text in texts]
        assert triggered.classify(longer).names() == expected, f"the planted one, with {added}"
        assert untriggered.classify(longer).names() == list(golds), f"the twin, with {added}"
