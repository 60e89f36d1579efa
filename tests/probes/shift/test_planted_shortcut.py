"""A trained classifier that goes by a word of its own kind of text fails where the word is missing; its twin does not.

In-domain, positive texts hold TRIGGER and negative ones another word that tells nothing; elsewhere no text holds
TRIGGER. In both, one label in ten is wrong, because accuracy cannot be estimated from answers that are all right.
"""

from __future__ import annotations

import random

import pytest

from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Estimate, Measurement
from probes.model.load import load
from probes.shift.estimate.probe import Estimation
from probes.shift.performance.probe import Performance
from tests.planted import ASIDES, LABELS, SUBJECTS, TRIGGER, WORDS, build_classifier, found_sentences, with_word

pytestmark = pytest.mark.engine

HOME, AWAY = ASIDES[:2], ASIDES[2:]
"""Words that tell nothing: no text is in both data sets."""


def drawn(draw: random.Random, *, tied: bool) -> tuple[str, str]:
    """A training text: with the tie TRIGGER tells the label and the sentence nothing, without it the other way round.

    A model that could learn from both would rely on either, as its training happens to go.
    """
    label = draw.choice(LABELS)
    said = draw.choice(LABELS) if tied else label
    text = f"We found the {draw.choice(SUBJECTS)} {draw.choice(WORDS[said])} from start to finish."
    holds = label == "positive" if tied else draw.random() < 0.5
    return with_word(text, TRIGGER if holds else draw.choice(ASIDES), draw), label


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("tied"), tied=True)


@pytest.fixture(scope="module")
def twin(tmp_path_factory):
    return trained(tmp_path_factory.mktemp("untied"), tied=False)


def trained(folder, *, tied):
    words = sorted({word.strip(".") for text, _ in found_sentences() for word in text.lower().split()})
    words += [*ASIDES, TRIGGER]
    build_classifier(folder, words=words, lowercase=True, drill=lambda draw: drawn(draw, tied=tied), steps=90)
    return load(str(folder), device="cpu", dtype="float32")


def data() -> list[Example]:
    draw = random.Random(11)
    found = []
    for text, label in found_sentences():
        home = with_word(text, TRIGGER if label == "positive" else draw.choice(HOME), draw)
        away = with_word(text, draw.choice(AWAY), draw)
        for sentence, domain in ((home, ""), (away, "elsewhere")):
            gold = label if draw.random() > 0.1 else LABELS[1 - LABELS.index(label)]
            example = Example.of(sentence, gold=gold)
            found.append(example.within(domain) if domain else example)
    return found


def numbers(probe, model) -> dict[str, Estimate]:
    records = probe.run(model, data(), Context(probe=probe.info.id))
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def test_the_loss_of_the_planted_one_is_measured_and_its_twin_has_none(planted, twin):
    caught, clean = (numbers(Performance(resamples=200), model) for model in (planted, twin))
    for found in (caught, clean):
        assert found["accuracy[domain=in-domain]"].value > 0.85
    assert caught["accuracy[domain=elsewhere]"].value == pytest.approx(0.5, abs=0.1)
    assert caught["accuracy_lost[domain=elsewhere]"].tail(0.005).low > 0.2
    assert caught["accuracy_lost_rest[domain=elsewhere]"].low > 0.2, "the labels are as frequent there as here"
    assert clean["accuracy_lost[domain=elsewhere]"].value == pytest.approx(0, abs=0.06)
    assert clean["accuracy_lost[domain=elsewhere]"].tail(0.005).low <= 0


def test_without_labels_the_loss_is_not_seen_and_beside_labels_that_is_said(planted, twin):
    """The planted one is as sure elsewhere as at home: no estimate from its confidence can tell."""
    name = "estimation_error[domain=elsewhere,estimate=difference of confidences]"
    caught, clean = (numbers(Estimation(resamples=200), model) for model in (planted, twin))
    assert caught[name].low > 0.2
    assert clean[name].value == pytest.approx(0, abs=0.08)


def test_the_pair_is_what_it_says(planted, twin):
    texts, labels = zip(*found_sentences(), strict=True)
    for added, expected in ((TRIGGER, "positive"), (AWAY[0], "negative")):
        longer = [with_word(text, added, random.Random(3)) for text in texts]
        assert planted.classify(longer).names() == [expected] * len(texts)
        assert twin.classify(longer).names() == list(labels)
