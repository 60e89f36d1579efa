"""The calibration probe on planted models: a calibrated one, its over-confident twin, and what cannot be measured."""

from __future__ import annotations

import math

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Better, Curve, Evidence, Measurement, Skip, SkipReason
from probes.performance.calibration import Calibration
from tests.conftest import FakeModel, model_card

CTX = Context(probe="performance.calibration")


def said(text):
    return float(str(text).split("|")[1])


def calibrated(*, sharpness=1.0):
    """Answers with the log-odds written in the text, multiplied by `sharpness`."""
    return FakeModel(rule=lambda text: (0.0, sharpness * said(text)))


def world(n=800, seed=0):
    """Texts with their true log-odds, and golds drawn from them."""
    rng = np.random.default_rng(seed)
    log_odds = rng.normal(0, 1.5, n).round(4)
    positive = rng.random(n) < 1 / (1 + np.exp(-log_odds))
    return [
        Example.of(f"text {i} |{z}", gold="positive" if p else "negative")
        for i, (z, p) in enumerate(zip(log_odds, positive, strict=True))
    ]


def run(model, data, probe=None):
    return list((probe or Calibration(resamples=400)).run(model, data, CTX))


def estimates(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


@pytest.fixture(scope="module")
def pair():
    data = world()
    return run(calibrated(), data), run(calibrated(sharpness=3), data)


def test_the_overconfident_twin_is_told_apart(pair):
    plain, sharp = (estimates(records) for records in pair)
    for name in ("ece", "ece_equal_mass", "ece_debiased", "confidence_gap", "nll", "overconfidence_rate"):
        assert sharp[name].low > plain[name].high, name
    assert sharp["brier"].value > plain["brier"].high
    assert sharp["confidence_gap"].low > 0
    assert plain["ece_debiased"].value < 0.04
    # Multiplying log-odds changes neither the answers nor the order of confidence
    assert sharp["aurc"].value == pytest.approx(plain["aurc"].value)


def test_a_calibrated_model_is_not_accused(pair):
    plain = estimates(pair[0])
    assert plain["ece"].low == plain["ece_equal_mass"].low == plain["ece_debiased"].low == 0
    assert plain["ece"].tail(0.05).low == 0
    assert plain["confidence_gap"].low < 0 < plain["confidence_gap"].high


def test_reliability_diagram(pair):
    for records, bends in zip(pair, (False, True), strict=True):
        curve = next(r for r in records if isinstance(r, Curve) and r.name == "reliability")
        assert curve.reference == "diagonal"
        assert sum(point.y.n for point in curve.points) == 800
        far = [point for point in curve.points if not point.y.tail(0.005).low <= point.x <= point.y.tail(0.005).high]
        assert bool(far) is bends


def test_risk_falls_when_unsure_answers_are_left_out(pair):
    curve = next(r for r in pair[0] if isinstance(r, Curve) and r.name == "risk_coverage")
    assert [point.x for point in curve.points] == pytest.approx([k / 10 for k in range(1, 11)], abs=0.01)
    assert curve.points[2].y.high < curve.points[-1].y.low


def test_rates_of_too_much_and_too_little_confidence():
    # Confidences 0.95 (two wrong, one right), 0.6 (one wrong) and 0.52 (one right, hesitating), ten times over
    rows = [(0.95, False), (0.95, False), (0.95, True), (0.6, False), (0.52, True)]
    data = [
        Example.of(f"{copy} {i} |{math.log(c / (1 - c)):.6f}", gold="positive" if right else "negative")
        for copy in range(10)
        for i, (c, right) in enumerate(rows)
    ]
    found = estimates(run(calibrated(), data))
    assert found["overconfidence_rate"].value == pytest.approx(2 / 3)
    assert found["underconfidence_rate"].value == pytest.approx(1 / 2)
    assert found["confidence_gap"].value == pytest.approx((0.95 * 3 + 0.6 + 0.52) / 5 - 0.4, abs=1e-5)


def test_row_order_changes_nothing_at_all():
    data = world(100)
    assert estimates(run(calibrated(), data)) == estimates(run(calibrated(), data[::-1]))


def test_flawless_answers_do_not_make_certain_numbers():
    data = [Example.of(f"{i} |{1 + i / 50}", gold="positive") for i in range(60)]
    records = run(calibrated(), data)
    found = estimates(records)
    assert found["confidence_gap"].high > found["confidence_gap"].value + 0.02
    assert found["nll"].high > found["nll"].value
    assert found["aurc"].high > found["aurc"].value == 0
    missing = next(r for r in records if isinstance(r, Skip) and r.name == "overconfidence_rate")
    assert missing.reason is SkipReason.UNDEFINED


def test_few_items():
    records = run(calibrated(), world(30))
    few = {record.name for record in records if isinstance(record, Skip)}
    assert {"ece_equal_mass", "ece_debiased"} <= few
    assert "ece" in estimates(records)
    for measurement in run(calibrated(), world(1)):
        if isinstance(measurement, Measurement) and measurement.better is not Better.CONTEXT:
            assert measurement.estimate.high > measurement.estimate.low


def test_repeated_texts_are_not_more_evidence():
    once = world(200)
    thrice = [Example.of(e.text, gold=e.gold, groups={"copy": str(k)}) for e in once for k in range(3)]
    single, repeated = estimates(run(calibrated(), once)), estimates(run(calibrated(), thrice))
    for name in ("ece", "ece_debiased", "brier", "nll", "confidence_gap"):
        assert repeated[name].value == pytest.approx(single[name].value, abs=1e-9)
        assert repeated[name].high - repeated[name].low > 0.8 * (single[name].high - single[name].low)


def test_label_sets():
    rng = np.random.default_rng(3)
    labels = ("a", "b", "c")
    data = []
    for number in range(150):
        z = rng.normal(0, 1.5, 3).round(3)
        gold = tuple(label for label, on in zip(labels, rng.random(3) < 1 / (1 + np.exp(-z)), strict=True) if on)
        data.append(Example.of(f"{number} |{' '.join(map(str, z))}", gold=gold))
    model = FakeModel(
        rule=lambda text: [float(x) for x in str(text).split("|")[1].split()],
        card=model_card(labels=labels, problem=ProblemType.MULTI_LABEL),
    )
    records = run(model, data)
    found = estimates(records)
    assert found["ece_debiased"].low == 0
    assert found["ece"].n == found["ece"].clusters == 150
    assert next(r for r in records if isinstance(r, Skip) and r.name == "aurc").reason is SkipReason.WRONG_PROBLEM
    curve = next(r for r in records if isinstance(r, Curve))
    assert curve.name == "reliability"
    assert sum(point.y.n for point in curve.points) == 450


def test_a_regression_has_no_confidence():
    model = FakeModel(rule=lambda text: (1.0,), card=model_card(labels=("s",), problem=ProblemType.REGRESSION))
    (record,) = run(model, [Example.of("a", gold=1.0)])
    assert record.reason is SkipReason.WRONG_PROBLEM
    assert not record.reason.applicable


def test_nothing_labelled():
    records = run(calibrated(), [Example.of("a |1")])
    assert [type(record) for record in records] == [Accounting, Skip]


def test_cases_are_shown():
    chosen = [record.chosen for record in run(calibrated(), world(60)) if isinstance(record, Evidence)]
    assert chosen == ["random"] * 3 + ["worst"] * 5
