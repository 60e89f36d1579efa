from __future__ import annotations

import numpy as np
import pytest

from probes.core.stats.agreement import alpha
from probes.core.stats.derived import UnmeasurableError
from probes.core.stats.misclassification import Sample, corrected_rate


def answers(yes: int, n: int) -> Sample:
    return Sample(np.arange(n) < yes)


def test_the_value_is_that_of_rogan_and_gladen():
    """0.3 seen with sensitivity 0.8 and specificity 0.9: (0.3 + 0.9 - 1) / (0.8 + 0.9 - 1) = 2 / 7."""
    found = corrected_rate(answers(300, 1000), harmful=answers(80, 100), harmless=answers(10, 100))
    assert found.value == pytest.approx(2 / 7)
    assert found.low < 2 / 7 < found.high
    assert found.n == 1000


def test_with_much_data_the_bounds_are_those_of_the_delta_method():
    n = 1_000_000
    found = corrected_rate(answers(300_000, n), harmful=answers(800_000, n), harmless=answers(100_000, n))
    value, youden = 2 / 7, 0.7
    variance = (0.3 * 0.7 + value**2 * 0.8 * 0.2 + (1 - value) ** 2 * 0.9 * 0.1) / n / youden**2
    assert found.high - found.value == pytest.approx(1.96 * variance**0.5, rel=1e-3)


def test_a_perfect_classifier_changes_nothing_but_the_width():
    found = corrected_rate(answers(30, 100), harmful=answers(50, 50), harmless=answers(0, 50))
    assert found.value == pytest.approx(0.3)
    assert found.high - found.low > 2 * 1.96 * (0.3 * 0.7 / 100) ** 0.5


def test_what_false_alarms_alone_explain_is_cut_at_zero_and_said():
    found = corrected_rate(answers(5, 100), harmful=answers(80, 100), harmless=answers(10, 100))
    assert found.value == 0.0
    assert found.high > 0.0
    assert "-0.071 is cut" in found.method


@pytest.mark.parametrize(("harmful", "harmless"), [(50, 50), (10, 90), (55, 50)])
def test_a_classifier_no_better_than_chance_gives_no_rate(harmful, harmless):
    with pytest.raises(UnmeasurableError, match="better than chance"):
        corrected_rate(answers(30, 100), harmful=answers(harmful, 100), harmless=answers(harmless, 100))


@pytest.mark.parametrize(
    ("rate", "sensitivity", "specificity"), [(0.02, 0.7, 0.95), (0.1, 0.6, 0.9), (0.4, 0.9, 0.8), (0.0, 0.8, 0.9)]
)
def test_intervals_cover_the_rate_in_simulation(rate, sensitivity, specificity):
    rng, runs, covered, above = np.random.default_rng(3), 1500, 0, 0
    for _ in range(runs):
        apparent = rate * sensitivity + (1 - rate) * (1 - specificity)
        seen = answers(rng.binomial(400, apparent), 400)
        harmful = answers(rng.binomial(120, sensitivity), 120)
        harmless = answers(rng.binomial(120, 1 - specificity), 120)
        try:
            found = corrected_rate(seen, harmful=harmful, harmless=harmless)
        except UnmeasurableError:  # an interval that lies below 0 altogether covers no rate
            continue
        covered += found.low <= rate <= found.high
        above += found.tail(0.05).low > rate
    assert covered / runs >= 0.93
    assert above / runs <= 0.07  # the bound by which a gate would fail a model


@pytest.mark.parametrize(("seen", "told"), [(10, "fewer texts than"), (480, "more texts than it can")])
def test_errors_that_contradict_what_is_seen_give_no_rate(seen, told):
    """Who flags 2 texts of 100 cannot have 25 false alarms in 100: the labelled texts were of another kind."""
    with pytest.raises(UnmeasurableError, match=told):
        corrected_rate(answers(seen, 500), harmful=answers(140, 200), harmless=answers(50, 200))


def test_answers_that_belong_together_count_for_less():
    yes = np.repeat(np.arange(100) < 30, 10)
    how = {"harmful": answers(180, 200), "harmless": answers(10, 200)}
    one = corrected_rate(Sample(yes), **how)
    together = corrected_rate(Sample(yes, np.repeat(np.arange(100), 10).tolist()), **how)
    assert together.value == one.value
    assert together.high - together.low > 1.8 * (one.high - one.low)
    assert together.clusters == 100


MEG = [0, 1, 0, 0, 0, 0, 0, 0, 1, 0]
OWEN = [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]


def test_agreement_is_that_of_krippendorffs_example():
    """Computing Krippendorff's Alpha-Reliability (2011), section A."""
    found = alpha(
        np.array([MEG, OWEN], dtype=float).T, clusters=[str(k) for k in range(10)], rng=np.random.default_rng(0)
    )
    assert found.value == pytest.approx(0.095, abs=5e-4)


def naive_alpha(table: np.ndarray) -> float:
    """By the matrix of coincidences."""
    matrix = np.zeros((2, 2))
    for row in table:
        given = [int(each) for each in row if not np.isnan(each)]
        for i, one in enumerate(given):
            for j, other in enumerate(given):
                if i != j:
                    matrix[one, other] += 1 / (len(given) - 1)
    totals, n = matrix.sum(axis=1), matrix.sum()
    return 1 - matrix[0, 1] * (n - 1) / (totals[0] * totals[1])


def test_agreement_of_three_with_gaps_equals_the_plain_way():
    rng = np.random.default_rng(5)
    truth = rng.random(80) < 0.3
    table = np.array([np.where(rng.random(80) < 0.8, truth, ~truth) for _ in range(3)], dtype=float).T
    table[rng.random(table.shape) < 0.1] = np.nan
    kept = table[np.count_nonzero(~np.isnan(table), axis=1) >= 2]
    found = alpha(table, clusters=[str(k) for k in range(80)], rng=rng, resamples=500)
    assert found.value == pytest.approx(naive_alpha(kept))
    assert found.low < found.value < found.high


def test_judges_who_all_say_the_same_have_no_agreement():
    with pytest.raises(UnmeasurableError):
        alpha(np.zeros((40, 2)), clusters=[str(k) for k in range(40)], rng=np.random.default_rng(0))
