"""Perturbations against taggers: which entities survive, and what that costs."""

from __future__ import annotations

import numpy as np
import pytest

from probes.core.entities import Tagset
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.robustness import catalogue
from probes.robustness.perturbed import Perturbed
from probes.text.perturbations.perturbation import Family, Perturbation
from probes.text.variants import variants_of
from tests.conftest import TAGS, FakeTagger, tagger_card
from tests.planted_tagger import FIRST, LAST, PLACES, tagged_sentences

NAMED = {perturbation.name: perturbation for perturbation in catalogue.ALL}
DATA = [Example.of(" ".join(words), gold=tags) for words, tags in tagged_sentences()[:80]]


def by_names(words, *, fold=False):
    """Knows the names, in any case with `fold`; a surname only after a first name."""
    tags, before = [], "O"
    for word in words:
        name = word.capitalize() if fold else word
        tag = "O"
        if name in FIRST:
            tag = "B-person"
        elif name in PLACES:
            tag = "B-place"
        elif name in LAST and before == "B-person":
            tag = "I-person"
        tags.append(tag)
        before = tag
    return tags


def run(name, *, rule=by_names, data=DATA, **parameters):
    perturbation = name if isinstance(name, Perturbation) else NAMED[name]
    probe = Perturbed(perturbation, **parameters)
    return list(probe.run(FakeTagger(rule=rule), data, Context(probe=probe.info.id)))


def of(kind, records):
    return [record for record in records if isinstance(record, kind)]


def values(records):
    return {record.key: record.estimate.value for record in of(Measurement, records)}


def test_case_matters_to_the_one_and_not_to_the_other():
    bound, free = run("lower_case"), run("lower_case", rule=lambda words: by_names(words, fold=True))
    assert values(bound)["flip_rate[severity=5]"] == 1.0
    assert values(bound)["f1[severity=5]"] == 0.0
    assert values(bound)["f1_drop[severity=5]"] == 1.0
    assert 0 < values(bound)["flip_rate[severity=2]"] < 1
    assert values(free)["flip_rate"] == 0.0
    assert values(free)["f1_drop[severity=5]"] == 0.0
    drop = next(record for record in of(Measurement, free) if record.key == "f1_drop[severity=5]")
    assert drop.estimate.high > 0  # "no loss" in so many items, not certainty


def test_numbers_are_those_of_a_plain_count():
    records, perturbation = run("swapped_letters", severities=(3,)), NAMED["swapped_letters"]
    variants = variants_of(DATA, perturbation, severities=(3,), seed=0)
    tagset = Tagset.of(TAGS)
    before = after = hits = gold = right = 0
    for text, item in zip(variants.texts, variants.item, strict=True):
        old, new = (set(tagset.entities(by_names(each.split()))) for each in (DATA[item].text, text))
        known = set(tagset.entities(DATA[item].gold))
        before, after, hits = before + len(old), after + len(new), hits + len(old & new)
        gold, right = gold + len(known), right + len(known & new)
    found = values(records)
    assert found["flip_rate[severity=3]"] == pytest.approx(1 - hits / before)
    assert found["new_entity_rate[severity=3]"] == pytest.approx(1 - hits / after)
    assert found["f1[severity=3]"] == pytest.approx(2 * right / (gold + after))
    assert found["f1_drop[severity=3]"] == pytest.approx(1.0 - 2 * right / (gold + after))  # all is right before


def test_curves_cases_and_outcomes():
    records = run("lower_case")
    curves = {curve.name: curve for curve in of(Curve, records)}
    assert [point.x for point in curves["f1"].points] == [0, 1, 2, 3, 4, 5]
    assert curves["f1"].points[0].y.value == 1.0
    cases = of(Evidence, records)
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    worst = cases[3]
    assert worst.gold == worst.shown[0].answer != worst.shown[1].answer
    assert worst.note.endswith("found on one side only")
    assert not any(case.note.endswith("1 entities found on one side only") for case in cases)
    outcomes = of(Outcomes, records)[0]
    assert len(outcomes.example_id) == sum(account.scored for account in of(Accounting, records))
    assert [old != new for old, new in zip(outcomes.before, outcomes.after, strict=True)] != []


def glue(text, severity, rng):
    """Joins the first two words of texts that begin with "we".

    Measures: x

    Why it matters: x

    Method: x.

    Limits: x.

    References: x.
    """
    return text.replace("we ", "we", 1) if text.startswith("we") else text.replace("e", "3", 1)


def test_variants_with_other_words_are_left_out_and_counted():
    made = Perturbation(name="glue", title="Glue", family=Family.CHARACTERS, apply=glue, meaning="kept")
    records = run(made, severities=(1,))
    account = of(Accounting, records)[0]
    glued = sum(example.text.startswith("we") for example in DATA)
    assert glued
    assert account.perturbed - account.kept == glued
    assert f"{glued} changed texts came out with other words" in account.note


def test_words_read_on_one_side_only_are_left_out_on_both():
    def forgetful(words):
        return [None if word.islower() and word.capitalize() in PLACES else tag for word, tag in tags(words)]

    def tags(words):
        return zip(words, by_names(words), strict=True)

    records = run("lower_case", rule=forgetful, severities=(5,))
    found = {record.key: record.estimate for record in of(Measurement, records)}
    assert found["flip_rate[severity=5]"].n == len(DATA)  # people; no place was read in small letters
    assert "words not read before or after the change" in of(Accounting, records)[0].note


def test_changes_within_noise_are_no_changes():
    class Unsure(FakeTagger):
        def tag(self, texts):
            found = super().tag(texts)
            lean = np.zeros_like(found.logits)
            lean[:, 1] = 1e-7 * (2 * np.char.islower(np.array([w for t in texts for w in t.split()])) - 1)
            return type(found)(logits=lean, starts=found.starts, labels=found.labels)

    probe = Perturbed(NAMED["lower_case"], severities=(5,))
    records = list(probe.run(Unsure(rule=by_names), DATA, Context(probe=probe.info.id)))
    account = of(Accounting, records)[0]
    assert account.tied == account.scored
    for record in of(Measurement, records):
        if record.name == "flip_rate":
            assert record.estimate.value == 0


def test_without_right_answers_only_changes_are_measured():
    data = [Example.of(example.text) for example in DATA]
    records = run("lower_case", data=data)
    assert values(records)["flip_rate[severity=5]"] == 1.0
    skips = {skip.name: skip.reason for skip in of(Skip, records)}
    assert skips["f1"] is skips["f1_drop"] is SkipReason.NO_GOLD


def test_a_tagger_that_finds_nothing_has_nothing_to_lose():
    records = run("lower_case", rule=lambda words: ["O"] * len(words))
    skips = {skip.name: skip.reason for skip in of(Skip, records)}
    assert skips["flip_rate"] is SkipReason.UNDEFINED
    assert values(records)["f1[severity=2]"] == 0.0


@pytest.mark.parametrize("perturbation", catalogue.ALL, ids=lambda perturbation: perturbation.name)
def test_those_that_apply_to_taggers_keep_the_words(perturbation):
    probe = Perturbed(perturbation)
    taggers = tagger_card().problem in probe.info.problems
    assert taggers == perturbation.keeps_words
    if not taggers:
        return
    assert probe.info.needs <= tagger_card().capabilities
    made = variants_of(DATA, perturbation, severities=(1, 5), seed=0)
    kept = variants_of(DATA, perturbation, severities=(1, 5), seed=0, words=True)
    assert made.texts == kept.texts


def test_row_order_has_no_influence():
    assert values(run("random_case")) == pytest.approx(values(run("random_case", data=DATA[::-1])), abs=1e-12)


def test_one_item_is_never_a_confident_number():
    for record in of(Measurement, run("lower_case", data=DATA[:1])):
        assert record.estimate.high > record.estimate.low


def test_no_item_at_all_gives_a_reason():
    assert [skip.reason for skip in of(Skip, run("lower_case", data=[]))] == [SkipReason.NOTHING_PERTURBED]
