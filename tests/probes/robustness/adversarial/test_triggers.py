"""Universal triggers: a model with a trigger word is broken, its twin without one is not."""

from __future__ import annotations

import random

import numpy as np

from probes.robustness.adversarial.attacked import Attacked
from probes.robustness.adversarial.goals import Untargeted
from probes.robustness.adversarial.gradients import Slope
from probes.robustness.adversarial.guide import Guide
from probes.robustness.adversarial.parts import VICTIM, Drawn, Outcome, Situation
from probes.robustness.adversarial.recipe import Resource, Sources
from probes.robustness.adversarial.triggers import NO_OTHERS, UniversalTrigger
from probes.robustness.adversarial.victims import ClassifierVictim
from tests.conftest import FakeModel

VOCABULARY = ("zebra", "lamp", "river", "stone", "the")
TEXTS = [f"the story number {number} is fine" for number in range(24)]


class Planted:
    """A classifier that answers by "fine", unless the trigger word is anywhere in the text."""

    def __init__(self, trigger):
        self.trigger = trigger
        self.fake = FakeModel(self.logits)

    def logits(self, text):
        words = text.split()
        return [0.0, 5.0] if self.trigger in words else [2.0 if "fine" in words else -2.0, 0.0]

    def shared_flips(self, texts, targets, places, *, count, sign):
        """As an honest gradient would say: all words alike, but the trigger word."""
        for text, place in zip(texts, places, strict=True):
            assert text[place.start : place.end] in VOCABULARY
        gains = [(word, sign * (5.0 if word == self.trigger else 0.1)) for word in VOCABULARY]
        return sorted(gains, key=lambda pair: -pair[1])[:count]


def attempts(model, texts, *, labels=None, progress=None):
    labels = [0] * len(texts) if labels is None else labels
    names = model.fake.card.labels
    guide = Guide(model, [Slope(names[label]) for label in labels])
    situations = [
        Situation(item=item, start=Attacked.of(text), draws=Drawn(random.Random(item)))
        for item, text in enumerate(texts)
    ]
    victim = ClassifierVictim(model.fake, [Untargeted(label) for label in labels])
    sources = Sources(budget=100, given={Resource.GRADIENTS: guide}, oracles={}, progress=progress)
    return UniversalTrigger().attempts(situations, sources, {VICTIM: victim}, model=model.fake)


def test_a_planted_trigger_is_found_on_some_items_and_breaks_the_others():
    found = attempts(Planted("zebra"), TEXTS)
    assert {each.outcome for each in found} == {Outcome.BROKEN}
    assert all("zebra" in each.changed.split() for each in found)
    assert all(each.changed.endswith(text[len("the ") :]) for each, text in zip(found, TEXTS, strict=True))
    assert {each.queries for each in found} == {2}
    assert {each.found.count_edited for each in found} == {3}  # words before the first one, which stays


def test_no_name_or_amount_is_broken_by_a_trigger():
    kinds = ("@somebody {0} fine", "#topic $5 {0} fine", "“{0} fine")
    texts = [kind.format(f"word{number}") for number in range(6) for kind in kinds]
    for found, text in zip(attempts(Planted("zebra"), texts), texts, strict=True):
        word = f"word{text.partition('word')[2]}"
        before, behind = text[: -len(word)], found.changed.removesuffix(word)
        assert found.outcome is Outcome.BROKEN
        assert behind.startswith(before)
        assert len(behind.removeprefix(before).split()) == 3


def test_the_twin_without_a_trigger_holds():
    found = attempts(Planted("absent"), TEXTS)
    assert {each.outcome for each in found} == {Outcome.HELD}
    assert all(each.tried for each in found)


def test_wrong_answers_and_texts_without_words_are_not_attacked():
    found = attempts(Planted("zebra"), [*TEXTS, "a bad story", "..."], labels=[0] * 24 + [0, 1])
    assert found[24].outcome is Outcome.WRONG_BEFORE
    assert found[25].outcome is Outcome.HELD
    assert not found[25].tried
    assert found[25].queries == 1


def test_a_single_item_has_no_others_to_find_a_trigger_on():
    (found,) = attempts(Planted("zebra"), TEXTS[:1])
    assert found.outcome is Outcome.HELD
    assert found.found is None
    assert found.lacked == NO_OTHERS
    assert not found.tried


def test_a_text_without_words_lacks_nothing_else():
    assert not attempts(Planted("zebra"), [*TEXTS, "..."], labels=[0] * 24 + [1])[24].lacked


def test_an_item_is_never_attacked_with_a_trigger_that_was_found_on_it():
    model = Planted("zebra")
    texts = [*TEXTS[:2]]
    found = attempts(model, texts)
    halves = [random.Random(item).randrange(0, 2) for item in range(2)]
    broken = [each.outcome is Outcome.BROKEN for each in found]
    assert np.all(broken) if halves[0] != halves[1] else not np.any(broken)


def test_progress_tells_how_many_items_have_ended():
    """Half after half, label after label; what each was asked last was its own text with a trigger."""
    model, told = Planted("zebra"), []
    bad = [f"the story number {number} is bad" for number in range(8)]
    attempts(
        model,
        [*TEXTS, *bad],
        labels=[0] * 24 + [1] * 8,
        progress=lambda done, total: told.append((done, total, model.fake.asked[-1])),
    )
    upper = [sum(random.Random(item).randrange(0, 2) for item in range(*ends)) for ends in ((0, 24), (24, 32))]
    assert [done for done, _, _ in told] == [24 - upper[0], 24, 32 - upper[1], 32]
    assert {total for _, total, _ in told} == {32}
    assert [text.split()[-1] for _, _, text in told] == ["fine", "fine", "bad", "bad"]
