"""Intervals against simulation: how often they cover the truth, and what they say when no error was seen."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from probes.core import metrics, stats
from probes.core.metrics import one_hot
from probes.core.records import SkipReason
from probes.core.stats.derived import FEW, UnmeasurableError, f1_rate, mapped, mean_of_rates, resampled
from probes.core.unseen_errors import with_unseen


def keys(n: int) -> list[str]:
    return [f"c{i}" for i in range(n)]


def test_mapped_keeps_order_and_tails():
    rate = stats.rate(np.arange(50) < 20)
    double = mapped(rate, lambda x: 2 * x, method="doubled")
    assert (double.low, double.value, double.high) == (2 * rate.low, 2 * rate.value, 2 * rate.high)
    assert double.tail(0.01).low == 2 * rate.tail(0.01).low
    assert (double.n, double.method) == (50, "doubled")


def test_f1_is_the_metric_and_its_interval_covers():
    """Binary answers with recall 0.7 and a tenth of the negatives answered as positive; one in four is positive."""
    truth = 2 * 0.175 / (0.25 + 0.175 + 0.075)
    rng, covered, runs = np.random.default_rng(3), 0, 400
    for _ in range(runs):
        gold = rng.random(80) < 0.25
        answered = rng.random(80) < np.where(gold, 0.7, 0.1)
        estimate = f1_rate(answered & gold, answered | gold, clusters=keys(80))
        assert estimate.value == pytest.approx(metrics.Counts.of(answered[:, None], gold[:, None]).f1()[0, 0])
        covered += estimate.low <= truth <= estimate.high
    assert 0.92 <= covered / runs <= 0.98


def test_f1_of_a_label_that_does_not_occur_is_undefined():
    nothing = np.zeros(5, dtype=bool)
    with pytest.raises(UnmeasurableError) as error:
        f1_rate(nothing, nothing, clusters=keys(5))
    assert error.value.reason is SkipReason.UNDEFINED


def test_balanced_accuracy_covers_and_beats_the_naive_sum():
    rng, covered, runs = np.random.default_rng(4), 0, 400
    gold = np.arange(120) < 20
    for _ in range(runs):
        right = rng.random(120) < np.where(gold, 0.9, 0.8)
        estimate = mean_of_rates(right, [gold, ~gold], clusters=keys(120))
        assert estimate.value == pytest.approx((right[gold].mean() + right[~gold].mean()) / 2)
        covered += estimate.low <= 0.85 <= estimate.high
    assert 0.92 <= covered / runs <= 0.99
    together = mean_of_rates(right, [gold, ~gold], clusters=[f"c{i % 20}" for i in range(120)])
    assert together.high - together.low > estimate.high - estimate.low
    assert together.clusters == 20


def test_a_constant_answer_has_an_uncertain_balanced_accuracy():
    """Always answering one of two labels gives exactly 0.5 in every resample, and is still uncertain."""
    gold = np.arange(40) < 20
    estimate = mean_of_rates(gold, [gold, ~gold], clusters=keys(40))
    assert estimate.value == 0.5
    assert estimate.low < 0.45 < 0.55 < estimate.high


def test_too_few_items_are_not_resampled():
    with pytest.raises(UnmeasurableError) as error:
        resampled(
            lambda w: w[:, 0] / w.sum(axis=1),
            clusters=keys(FEW - 1),
            rng=np.random.default_rng(0),
            resamples=50,
            limits=(0, 1),
        )
    assert error.value.reason is SkipReason.TOO_FEW
    assert str(error.value) == "Only 9 independent items; resampling needs 10."


def test_what_does_not_vary_is_not_a_certainty():
    with pytest.raises(UnmeasurableError):
        resampled(
            lambda w: np.full(len(w), 2.5),
            clusters=keys(30),
            rng=np.random.default_rng(0),
            resamples=50,
            limits=(0, np.inf),
        )


@pytest.mark.parametrize("rare", [5, 30])
def test_flawless_answers_are_bounded_as_if_unseen_errors_hit_the_rarest_label(rare):
    """With true error rates just inside what 120 flawless items allow, the lower bound is below the true value."""
    gold = one_hot((np.arange(120) < rare).astype(int), labels=2)
    estimate = resampled(
        partial(metrics.macro_f1, gold, gold),
        clusters=keys(120),
        rng=np.random.default_rng(0),
        resamples=200,
        limits=(0, 1),
        unseen=partial(with_unseen, metrics.macro_f1, gold, gold),
    )
    share = stats.rate(np.zeros(120, dtype=bool)).high
    missed = min(share * 120, rare)
    rare_f1 = 2 * (rare - missed) / (2 * rare - missed)
    common = 120 - rare
    common_f1 = 2 * (common - max(share * 120 - rare, 0)) / (2 * common + share * 120 - 2 * max(share * 120 - rare, 0))
    assert estimate.value == 1.0
    assert estimate.low == pytest.approx((rare_f1 + common_f1) / 2, abs=0.01)
    assert estimate.tail(0.001).low < estimate.tail(0.05).low < 1


@pytest.mark.parametrize("labels", [1, 3])
def test_unseen_errors_in_label_sets(labels):
    rng = np.random.default_rng(0)
    gold = rng.random((60, labels)) < 0.4
    values = [with_unseen(metrics.macro_f1, gold, gold, rate) for rate in (0.0, 0.05, 0.2)]
    assert values[0] == pytest.approx(1.0)
    assert values[0] > values[1] > values[2]
    assert with_unseen(metrics.macro_f1, ~gold, gold, 0.1) > metrics.macro_f1(~gold, gold)[0]
