from __future__ import annotations

import dataclasses
from collections import defaultdict

import numpy as np
import pytest

from probes.core import stats
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.robustness import catalogue
from probes.robustness.perturbed import PROBES
from probes.robustness.worst_case import KEEPING, WorstCase
from probes.text.perturbations.perturbation import Family
from tests.conftest import FakeModel, model_card, sentiment_rule

FEW = tuple(p for p in KEEPING if p.name in ("keyboard_typos", "upper_case", "tabs", "cyrillic_homoglyphs"))


def run(model, data, **parameters):
    return list(WorstCase(**parameters).run(model, data, Context(probe="robustness.worst_case")))


def measured(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def only(kind, records):
    return [record for record in records if isinstance(record, kind)]


def erratic(text):
    """Answers that hang on the length and on one letter: broken now and then by anything."""
    negative, positive = sentiment_rule(text)
    return (negative + (1.5 if text.count("e") % 5 == 0 else 0), positive + (0.8 if len(text) % 3 == 0 else 0))


def test_takes_the_perturbations_that_keep_the_meaning() -> None:
    assert {perturbation.meaning for perturbation in WorstCase().perturbations} == {"kept"}
    assert set(KEEPING) < set(catalogue.ALL)


def test_asks_for_exactly_the_variants_of_the_single_probes(sentiment_examples) -> None:
    ours, theirs = FakeModel(rule=sentiment_rule), FakeModel(rule=sentiment_rule)
    run(ours, sentiment_examples)
    for probe in PROBES:
        if probe.perturbation.meaning == "kept":
            mild = dataclasses.replace(probe, severities=(1, 2))
            list(mild.run(theirs, sentiment_examples, Context(probe=probe.info.id)))
    assert set(ours.asked) == set(theirs.asked)
    assert ours.calls == 2


def test_agrees_with_the_outcomes_of_the_single_probes(sentiment_examples) -> None:
    model = FakeModel(rule=erratic)
    broken, wrong, share = defaultdict(bool), defaultdict(bool), []
    for perturbation in KEEPING:
        probe = next(probe for probe in PROBES if probe.perturbation is perturbation)
        probe = dataclasses.replace(probe, severities=(1, 2))
        records = list(probe.run(model, sentiment_examples, Context(probe=probe.info.id)))
        rows = next(iter(only(Outcomes, records)), None)
        if rows is None:
            continue
        here = defaultdict(bool)
        columns = (rows.example_id, rows.changed, rows.correct, rows.before, rows.gold)
        for example_id, changed, correct, before, gold in zip(*columns, strict=True):
            broken[example_id] |= changed
            here[example_id] |= changed
            wrong[example_id] |= not correct or before != gold
        share.append(np.mean(list(here.values())))
    found = measured(run(model, sentiment_examples))
    assert found["any_flip_rate"].value == pytest.approx(np.mean(list(broken.values())))
    assert found["worst_accuracy"].value == pytest.approx(1 - np.mean(list(wrong.values())))
    assert found["worst_flip_rate"].value == pytest.approx(max(share))
    assert 0 < found["worst_flip_rate"].value <= found["any_flip_rate"].value


def test_a_model_that_nothing_breaks(sentiment_examples) -> None:
    steady = FakeModel(rule=lambda text: (0.0, 2.0))
    found = measured(run(steady, sentiment_examples))
    assert found["any_flip_rate"].value == 0
    assert found["any_flip_rate"].n == len(sentiment_examples)
    assert found["worst_flip_rate"].value == 0
    assert found["worst_accuracy"].value == 0.5
    assert found["worst_accuracy_drop"].value == 0


def test_an_answer_that_is_wrong_as_it_stands_is_wrong_in_the_worst_case(sentiment_examples) -> None:
    known = {example.text for example in sentiment_examples}
    averse = FakeModel(rule=lambda text: sentiment_rule(text)[:: -1 if text in known else 1])
    found = measured(run(averse, sentiment_examples, perturbations=FEW))
    assert found["worst_accuracy"].value == 0


def test_families_are_told_apart(sentiment_examples) -> None:
    shouted = FakeModel(
        rule=lambda text: (2.0, 0.0) if any(w.isupper() and len(w) > 1 for w in text.split()) else (0, 2.0)
    )
    records = run(shouted, sentiment_examples, perturbations=FEW)
    (worst,) = [record for record in only(Measurement, records) if record.name == "worst_flip_rate"]
    assert "upper_case" in worst.title
    found = measured(records)
    assert found["any_flip_rate[family=casing]"].value == 1
    for family in (Family.CHARACTERS, Family.WHITESPACE, Family.UNICODE):
        assert found[f"any_flip_rate[family={family}]"].value == 0
    assert found["any_flip_rate"].value == found["worst_flip_rate"].value == 1


def test_the_lower_bound_of_the_worst_allows_for_the_choice(sentiment_examples) -> None:
    noisy = FakeModel(rule=lambda text: (hash_bit(text), 0.5))
    found = measured(run(noisy, sentiment_examples))
    worst = found["worst_flip_rate"]
    alone = stats.rate(np.arange(worst.n) < round(worst.value * worst.n))
    assert worst.tail(0.05).low < alone.tail(0.05).low


def hash_bit(text):
    return sum(ord(sign) * (place + 7) for place, sign in enumerate(text)) % 11 / 10


def test_the_worst_must_rest_on_enough_items() -> None:
    data = [Example.of(f"This is good number {i}", gold="positive") for i in range(19)]
    records = run(FakeModel(rule=sentiment_rule), data, perturbations=FEW)
    assert (SkipReason.TOO_FEW, "worst_flip_rate") in [(s.reason, s.name) for s in only(Skip, records)]
    assert "worst_flip_rate" not in measured(records)


def test_nothing_to_perturb_is_a_skip() -> None:
    records = run(FakeModel(rule=lambda text: (0.0, 1.0)), [Example.of("123"), Example.of("456")], perturbations=FEW)
    assert [skip.reason for skip in only(Skip, records)] == [SkipReason.NOTHING_PERTURBED]
    assert not only(Measurement, records)
    assert only(Accounting, records)[0].perturbed == 0


def test_evidence_names_the_perturbation_that_broke_the_answer(sentiment_examples) -> None:
    foreign = FakeModel(rule=lambda text: (0.0, 2.0) if text.isascii() else (2.0, 0.0))
    records = run(foreign, sentiment_examples, perturbations=FEW)
    worst = [case for case in only(Evidence, records) if case.chosen == "worst"]
    assert len(worst) == 5
    assert {case.slice["perturbation"] for case in worst} == {"cyrillic_homoglyphs"}
    assert all("CYRILLIC" in case.note or "U+04" in case.note for case in worst)


def test_outcomes_have_one_row_per_item(sentiment_examples) -> None:
    records = run(FakeModel(rule=erratic), sentiment_examples)
    (rows,) = only(Outcomes, records)
    found = measured(records)
    assert sorted(rows.example_id) == sorted(example.id for example in sentiment_examples)
    assert np.mean(rows.changed) == pytest.approx(found["any_flip_rate"].value)
    assert np.mean(rows.correct) == pytest.approx(found["worst_accuracy"].value)
    for before, after, changed in zip(rows.before, rows.after, rows.changed, strict=True):
        assert changed == (before != after)


def test_without_gold_and_for_regressions_accuracy_is_a_named_skip(sentiment_examples) -> None:
    unlabelled = [dataclasses.replace(example, gold=None) for example in sentiment_examples]
    records = run(FakeModel(rule=sentiment_rule), unlabelled, perturbations=FEW)
    assert {(s.reason, s.name) for s in only(Skip, records)} == {
        (SkipReason.NO_GOLD, "worst_accuracy"),
        (SkipReason.NO_GOLD, "worst_accuracy_drop"),
    }
    card = model_card(labels=("score",), problem=ProblemType.REGRESSION)
    scorer = FakeModel(rule=lambda text: (float(len(text)),), card=card)
    scored = [dataclasses.replace(example, gold=1.0) for example in sentiment_examples]
    records = run(scorer, scored, perturbations=FEW)
    assert {s.reason for s in only(Skip, records)} == {SkipReason.UNDEFINED}
    assert "any_flip_rate" in measured(records)


def test_max_severity_is_checked() -> None:
    with pytest.raises(UsageError, match="max_severity 6"):
        WorstCase(max_severity=6)


def test_accounting_counts_items(sentiment_examples) -> None:
    (account,) = only(Accounting, run(FakeModel(rule=sentiment_rule), sentiment_examples, perturbations=FEW))
    assert account.eligible == account.perturbed == account.kept == account.scored == 120
    assert account.note == "960 variants by 4 of 4 perturbations"
