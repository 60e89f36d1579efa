from __future__ import annotations

import dataclasses
import json
import math
import random

import numpy as np
import pytest

from probes.core import stats
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.robustness import catalogue
from probes.robustness.perturbed import PROBES, Perturbed
from probes.text.perturbations.casing import CASE_SHARES
from probes.text.perturbations.perturbation import Family, Perturbation
from probes.text.variants import valid, variant_of, variants_of
from tests.conftest import FakeModel, model_card, sentiment_rule

NAMED = {perturbation.name: perturbation for perturbation in catalogue.ALL}


def run(name, model, data, *, seed=0, **parameters):
    perturbation = name if isinstance(name, Perturbation) else NAMED[name]
    probe = Perturbed(perturbation, **parameters)
    return list(probe.run(model, data, Context(probe=probe.info.id, seed=seed)))


def measured(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def only(kind, records):
    return [record for record in records if isinstance(record, kind)]


def made_of(apply, *, family=Family.CHARACTERS, name="made_up"):
    return Perturbation(name=name, title="Made up", family=family, apply=apply, meaning="kept")


def shout(text, severity, rng):
    """Puts in capitals everything from severity 3 on.

    Measures: x

    Why it matters: x

    Method: x.

    Limits: x.

    References: x.
    """
    return text.upper() if severity >= 3 else text


def case_rule(text):
    """Right on small letters, and wrong as soon as a fifth of the letters are capitals."""
    capitals = sum(letter.isupper() for letter in text) / max(1, sum(letter.isalpha() for letter in text))
    negative, positive = sentiment_rule(text)
    return (positive, negative) if capitals > 0.2 else (negative, positive)


def test_planted_case_sensitivity_is_found(sentiment_examples) -> None:
    records = run("upper_case", FakeModel(rule=case_rule), sentiment_examples)
    found = measured(records)
    assert found["flip_rate[severity=5]"].tail(0.05).low > 0.9
    assert found["accuracy_drop[severity=5]"].tail(0.05).low > 0.9
    assert found["flip_rate[severity=1]"].value == 0
    rates = [found[f"flip_rate[severity={severity}]"].value for severity in range(1, 6)]
    assert rates == sorted(rates)


def test_its_case_blind_twin_is_not(sentiment_examples) -> None:
    found = measured(run("upper_case", FakeModel(rule=sentiment_rule), sentiment_examples))
    for severity in range(1, 6):
        estimate = found[f"flip_rate[severity={severity}]"]
        assert (estimate.value, estimate.n) == (0, len(sentiment_examples))
        assert found[f"accuracy_drop[severity={severity}]"].value == 0
    assert found["flip_rate"].tail(0.05).high < 0.05


def test_a_perturbation_that_changes_nothing_measures_nothing(sentiment_examples, fake_model) -> None:
    records = run("accents_stripped", fake_model, sentiment_examples)
    (skip,) = only(Skip, records)
    assert (skip.reason, skip.name) == (SkipReason.NOTHING_PERTURBED, None)
    assert not only(Measurement, records)
    assert not only(Outcomes, records)
    for account in only(Accounting, records):
        assert (account.eligible, account.perturbed, account.scored) == (len(sentiment_examples), 0, 0)


def test_texts_that_did_not_change_do_not_count_as_survived(sentiment_examples, fake_model) -> None:
    accented = [Example.of(f"The café number {i} was good", gold="positive") for i in range(7)]
    found = measured(run("accents_stripped", fake_model, [*sentiment_examples, *accented]))
    assert found["flip_rate[severity=3]"].n == 7
    assert found["flip_rate"].clusters == 7


def test_a_severity_without_any_change_is_skipped(sentiment_examples, fake_model) -> None:
    records = run(made_of(shout), fake_model, sentiment_examples)
    skips = [(skip.reason, skip.name, dict(skip.slice)) for skip in only(Skip, records)]
    assert skips == [
        (SkipReason.NOTHING_PERTURBED, "flip_rate", {"severity": "1"}),
        (SkipReason.NOTHING_PERTURBED, "flip_rate", {"severity": "2"}),
    ]
    assert "flip_rate[severity=3]" in measured(records)
    assert "flip_rate[severity=2]" not in measured(records)


def test_a_confidently_wrong_answer_that_stays_is_no_flip_and_no_success(sentiment_examples) -> None:
    contrary = FakeModel(rule=lambda text: sentiment_rule(text)[::-1])
    found = measured(run("keyboard_typos", contrary, sentiment_examples, severities=(1,)))
    stays = 1 - found["flip_rate"].value
    assert stays > 0.5
    assert found["accuracy[severity=1]"].value <= 1 - stays


def test_one_changed_answer_of_one_proves_nothing() -> None:
    data = [Example.of("this is good", gold="positive")]
    found = measured(run("upper_case", FakeModel(rule=case_rule), data, severities=(5,)))
    assert found["flip_rate"].value == 1
    assert found["flip_rate"].tail(0.05).low < 0.5


def test_other_rows_and_their_order_have_no_influence(sentiment_examples) -> None:
    others = [Example.of(f"Something else entirely, number {i}") for i in range(20)]
    for perturbation in catalogue.ALL:
        alone = texts_of(sentiment_examples[:10], perturbation)
        together = texts_of([*others, *reversed(sentiment_examples[:10])], perturbation)
        assert alone.items() <= together.items()


def texts_of(data, perturbation):
    variants = variants_of(data, perturbation, severities=(1, 3), seed=0)
    rows = zip(variants.item, variants.severity, variants.texts, strict=True)
    return {(data[item].id, severity): text for item, severity, text in rows}


def test_the_seed_matters(sentiment_examples) -> None:
    first, second = (
        [variant_of(example, NAMED["keyboard_typos"], severity=3, seed=seed) for example in sentiment_examples]
        for seed in (0, 1)
    )
    assert first != second


def test_both_texts_of_a_pair_are_perturbed_each_in_its_own_way(sentiment_examples) -> None:
    pair = Example.of(("exactly the same sentence written here", "exactly the same sentence written here"))
    first, second = variant_of(pair, NAMED["keyboard_typos"], severity=3, seed=0)
    assert len({first, second, pair.text[0]}) == 3
    records = run("upper_case", FakeModel(rule=case_rule_of_pair), [pair], severities=(5,))
    (case, *_) = only(Evidence, records)
    assert case.shown[1].texts == tuple(text.upper() for text in pair.text)


def case_rule_of_pair(pair):
    return case_rule(" ".join(pair))


def test_asks_twice_in_bulk(sentiment_examples, fake_model) -> None:
    run("keyboard_typos", fake_model, sentiment_examples)
    assert fake_model.calls == 2
    assert fake_model.asked[: len(sentiment_examples)] == [example.text for example in sentiment_examples]


def test_severities_are_a_parameter(sentiment_examples, fake_model) -> None:
    probe = dataclasses.replace(Perturbed(NAMED["keyboard_typos"]), severities=[5, 1, 3])
    assert probe.severities == (1, 3, 5)
    assert probe.info.calls == 4
    records = list(probe.run(fake_model, sentiment_examples, Context(probe=probe.info.id)))
    assert {m.slice["severity"] for m in only(Measurement, records) if m.slice} == {"1", "3", "5"}
    parameters = {
        field.name: getattr(probe, field.name)
        for field in dataclasses.fields(probe)
        if field.metadata.get("parameter", True)
    }
    assert json.loads(json.dumps(parameters)) == {"severities": [1, 3, 5]}
    for bad in ((), (0,), (1, 6)):
        with pytest.raises(UsageError, match=r"robustness\.keyboard_typos"):
            dataclasses.replace(probe, severities=bad)


def test_every_perturbation_has_a_probe() -> None:
    assert [probe.info.id for probe in PROBES] == [f"robustness.{perturbation.name}" for perturbation in catalogue.ALL]


def test_version_follows_the_perturbation() -> None:
    changed = dataclasses.replace(NAMED["tabs"], version=NAMED["tabs"].version + 1)
    assert Perturbed(changed).info.version == Perturbed(NAMED["tabs"]).info.version + 1


def test_outcomes_give_the_published_numbers(sentiment_examples) -> None:
    noisy = FakeModel(rule=lambda text: (len(text) % 7, sum(map(ord, text)) % 5 + 0.5))
    records = run("keyboard_typos", noisy, sentiment_examples)
    (rows,) = only(Outcomes, records)
    found = measured(records)
    changed, right, variant = np.array(rows.changed), np.array(rows.correct), np.array(rows.variant)
    assert found["flip_rate"] == stats.rate(changed, clusters=rows.cluster)
    for severity in range(1, 6):
        part = variant == f"severity={severity}"
        assert found[f"flip_rate[severity={severity}]"].value == pytest.approx(changed[part].mean())
        assert found[f"accuracy[severity={severity}]"].value == pytest.approx(right[part].mean())
        before = np.array(rows.before)[part] == np.array(rows.gold)[part]
        drop = found[f"accuracy_drop[severity={severity}]"].value
        assert drop == pytest.approx(before.mean() - right[part].mean())
    assert all((a != b) == c for a, b, c in zip(rows.before, rows.after, rows.changed, strict=True))


def test_confidence_shift_is_that_of_the_first_answer() -> None:
    data = [Example.of(f"text {i}", gold="positive") for i in range(5)]
    model = FakeModel(rule=lambda text: (0.0, math.log(9)) if text.islower() else (math.log(4), 0.0))
    found = measured(run(made_of(shout), model, data, severities=(3,)))
    assert found["confidence_shift[severity=3]"].value == pytest.approx(0.2 - 0.9)


def test_items_without_gold_count_for_changes_only(sentiment_examples, fake_model) -> None:
    mixed = [dataclasses.replace(e, gold=None) if i % 3 == 0 else e for i, e in enumerate(sentiment_examples)]
    records = run("upper_case", fake_model, mixed, severities=(3,))
    found = measured(records)
    assert found["flip_rate[severity=3]"].n == 120
    assert found["accuracy[severity=3]"].n == 80
    assert "40 items without a right answer" in only(Accounting, records)[0].note


def test_without_any_gold_accuracy_is_a_named_skip(sentiment_examples, fake_model) -> None:
    records = run("upper_case", fake_model, [dataclasses.replace(e, gold=None) for e in sentiment_examples])
    assert {(s.reason, s.name) for s in only(Skip, records)} == {
        (SkipReason.NO_GOLD, "accuracy"),
        (SkipReason.NO_GOLD, "accuracy_drop"),
    }
    assert [curve.name for curve in only(Curve, records)] == ["flip_rate"]


def test_variants_that_are_no_text_any_more_are_left_out_and_counted(sentiment_examples, fake_model) -> None:
    def wipe(text, severity, rng):
        return " " if severity == 1 else text * 4 if severity == 2 else text + "!"

    wipe.__doc__ = shout.__doc__
    records = run(made_of(wipe), fake_model, sentiment_examples, severities=(1, 2, 3))
    accounts = {account.slice["severity"]: account for account in only(Accounting, records)}
    assert [accounts[s].perturbed for s in "123"] == [120, 120, 120]
    assert [accounts[s].kept for s in "123"] == [0, 0, 120]
    assert "120 changed texts" in accounts["1"].note
    assert "flip_rate[severity=2]" not in measured(records)


@pytest.mark.parametrize(
    ("before", "after", "family", "verdict"),
    [
        ("word", "", Family.CHARACTERS, False),
        ("word", " \n", Family.CHARACTERS, False),
        ("", "", Family.CHARACTERS, True),
        ("ok", "ok lol", Family.REGISTER, True),
        ("a" * 100, "a" * 29, Family.WORDS, False),
        ("a" * 100, "a" * 31, Family.WORDS, True),
        ("a" * 100, "a" * 271, Family.WORDS, False),
        ("a" * 100, "a" * 900, Family.CONTEXT, True),
        (("one", "two"), ("one", ""), Family.WORDS, False),
        (("", "two"), ("", "tow"), Family.WORDS, True),
    ],
)
def test_validators(before, after, family, verdict) -> None:
    assert valid(before, after, family=family) is verdict


def test_answers_that_are_not_finite_are_unscored(sentiment_examples) -> None:
    model = FakeModel(rule=lambda text: (math.nan, 0.0) if text.isupper() and "FILM" in text else sentiment_rule(text))
    records = run("upper_case", model, sentiment_examples, severities=(5,))
    (account,) = only(Accounting, records)
    assert (account.kept, account.scored, account.unscored) == (120, 110, 10)
    assert measured(records)["flip_rate"].n == 110


def test_ties_are_counted_and_are_no_changes() -> None:
    data = [Example.of(f"text {i}", gold="positive") for i in range(30)]
    model = FakeModel(rule=lambda text: (0.0, 1e-7) if text.islower() else (1e-7, 0.0))
    records = run(made_of(shout), model, data, severities=(3,))
    assert only(Accounting, records)[0].tied == 30
    assert measured(records)["flip_rate"].value == 0


def test_curves_start_with_the_unchanged_text(sentiment_examples) -> None:
    records = run("upper_case", FakeModel(rule=case_rule), sentiment_examples)
    curves = {curve.name: curve for curve in only(Curve, records)}
    assert [point.x for point in curves["flip_rate"].points] == [1, 2, 3, 4, 5]
    assert [point.x for point in curves["accuracy"].points] == [0, 1, 2, 3, 4, 5]
    assert curves["accuracy"].points[0].y.value == 1
    assert curves["accuracy"].points[0].y.n == len(sentiment_examples)
    assert curves["accuracy"].points[-1].y == measured(records)["accuracy[severity=5]"]


def test_evidence_shows_ordinary_cases_and_the_mildest_perturbation_that_breaks(sentiment_examples) -> None:
    records = run("upper_case", FakeModel(rule=case_rule), sentiment_examples)
    cases = only(Evidence, records)
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    for chosen in ("random", "worst"):
        ids = [case.example_id for case in cases if case.chosen == chosen]
        assert len(ids) == len(set(ids))
    worst = [case for case in cases if case.chosen == "worst"]
    severities = [int(case.slice["severity"]) for case in worst]
    rates = measured(records)
    lowest = min(s for s in range(1, 6) if rates[f"flip_rate[severity={s}]"].value > 0)
    assert severities == sorted(severities)
    assert severities[0] == lowest
    for case in worst:
        before, after = case.shown
        assert before.answer != after.answer
        assert before.texts[0].lower() == after.texts[0].lower()
        assert "the answer changes" in case.note


def test_at_equal_severity_the_largest_loss_of_confidence_comes_first() -> None:
    data = [Example.of(f"text {i}", gold="positive") for i in range(20)]
    model = FakeModel(rule=lambda text: (0.0, 1.0) if text.islower() else (1.0 + int(text.split()[1]), 0.0))
    records = run(made_of(shout), model, data, severities=(3, 4))
    worst = [case.shown[0].texts[0] for case in only(Evidence, records) if case.chosen == "worst"]
    assert worst == [f"text {i}" for i in (19, 18, 17, 16, 15)]


def test_evidence_names_what_the_eye_cannot_see(sentiment_examples, fake_model) -> None:
    records = run("soft_hyphens", fake_model, sentiment_examples, severities=(3,))
    assert all("U+00AD" in case.note for case in only(Evidence, records))


def test_evidence_does_not_depend_on_row_order(sentiment_examples) -> None:
    model = FakeModel(rule=case_rule)
    forward = only(Evidence, run("upper_case", model, sentiment_examples))
    assert forward == only(Evidence, run("upper_case", model, sentiment_examples[::-1]))


def multi_label_model(rule):
    return FakeModel(rule=rule, card=model_card(labels=("rude", "angry"), problem=ProblemType.MULTI_LABEL))


def test_multi_label_answers_are_sets() -> None:
    data = [Example.of(f"text {i}", gold=("rude", "angry")) for i in range(40)]
    model = multi_label_model(lambda text: (5.0, 5.0) if text.islower() else (5.0, -5.0))
    found = measured(run(made_of(shout), model, data, severities=(3,)))
    assert found["flip_rate"].value == 1
    assert found["accuracy[severity=3]"].value == 0
    assert found["accuracy_drop[severity=3]"].value == 1
    sure = 1 / (1 + math.exp(-5))
    assert found["confidence_shift[severity=3]"].value == pytest.approx((1 - 2 * sure) / 2)


def regression(rule):
    return FakeModel(rule=rule, card=model_card(labels=("score",), problem=ProblemType.REGRESSION))


def test_a_regression_flips_by_half_a_standard_deviation() -> None:
    data = [Example.of(f"text {i}", gold=float(i % 10)) for i in range(100)]
    spread = np.std([i % 10 for i in range(100)])
    for move, flips in ((0.49, 0), (0.51, 1)):

        def score(text, move=move):
            return (int(text.split()[1]) % 10 + (move * spread if text.isupper() else 0),)

        found = measured(run(made_of(shout), regression(score), data, severities=(3,)))
        assert found["flip_rate"].value == flips
        assert found["mean_shift[severity=3]"].value == pytest.approx(move * spread)
        assert found["rmse_increase[severity=3]"].value == pytest.approx(move * spread)
        assert not any(key.startswith(("accuracy", "confidence")) for key in found)


def test_rmse_increase_against_the_formula_and_without_gold() -> None:
    rng = random.Random(0)
    data = [Example.of(f"text {i}", gold=rng.gauss(0, 1)) for i in range(100)]
    noise = {f"text {i}": (rng.gauss(0, 1), rng.gauss(0, 2)) for i in range(100)}
    model = regression(lambda text: (noise[text.lower()][text.isupper()],))
    found = measured(run(made_of(shout), model, data, severities=(3,)))
    gold = np.array([example.gold for example in data])
    before, after = (np.array([noise[example.text][k] for example in data]) for k in (0, 1))
    expected = np.sqrt(np.mean((after - gold) ** 2)) - np.sqrt(np.mean((before - gold) ** 2))
    estimate = found["rmse_increase[severity=3]"]
    assert estimate.value == pytest.approx(expected)
    assert 0 < estimate.low < estimate.value < estimate.high
    unlabelled = run(made_of(shout), model, [dataclasses.replace(e, gold=None) for e in data], severities=(3,))
    assert [(s.reason, s.name) for s in only(Skip, unlabelled)] == [(SkipReason.NO_GOLD, "rmse_increase")]


def test_a_regression_without_spread_has_no_scale() -> None:
    data = [Example.of(f"text {i}") for i in range(10)]
    records = run(made_of(shout), regression(lambda text: (1.0,)), data)
    assert [skip.reason for skip in only(Skip, records)] == [SkipReason.UNDEFINED]
    assert not only(Measurement, records)


def test_casing_reaches_the_whole_text() -> None:
    assert CASE_SHARES[-1] == 1


@pytest.mark.parametrize("perturbation", catalogue.ALL, ids=lambda perturbation: perturbation.name)
def test_sentences_are_added_to_the_first_text_of_a_pair_only(perturbation):
    pair = ("A man is asleep on a bench in the park.", "A person isn't awake, he is sleeping.")
    after = variant_of(Example.of(pair), perturbation, severity=5, seed=0)
    assert (after[1] == pair[1]) or perturbation.family is not Family.CONTEXT


def test_scores_that_never_move_have_bounds_on_the_scale_of_the_task():
    def data(scale):
        return [Example.of(f"text number {n}", gold=n * scale) for n in range(200)]

    def bound(scale):
        card = model_card(labels=("score",), problem=ProblemType.REGRESSION)
        model = FakeModel(rule=lambda text: (float(str(text).split()[-1]) * scale,), card=card)
        return measured(run("upper_case", model, data(scale)))["rmse_increase[severity=2]"].high

    assert bound(1.0) > 0
    assert bound(100.0) == pytest.approx(100 * bound(1.0))
