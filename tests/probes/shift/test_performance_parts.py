"""The parts of a loss and what can be answered at the in-domain risk: worked tables and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats as scipy_stats

from probes.core.confidence import Decisions
from probes.core.examples import Example
from probes.core.records import Better, Curve, Measurement, Skip, Unit
from probes.core.rng import generator
from probes.shift.domains import HOME, Domain
from probes.shift.performance.coverage import coverage_at_home_risk
from probes.shift.performance.label_shares import Strata, from_shares, rest
from probes.shift.performance.numbers import Numbers
from probes.shift.performance.scored import Measure, Scored


def table(counts, *, tag):
    """Strata from (right, wrong) of each label."""
    golds = [label for label, (right, wrong) in enumerate(counts) for _ in range(right + wrong)]
    values = [float(is_right) for right, wrong in counts for is_right in [True] * right + [False] * wrong]
    return Strata(np.array(values), np.eye(len(counts), dtype=bool)[golds], [f"{tag}{i}" for i in range(len(golds))],
                  (0.0, 1.0))  # fmt: skip


def drawn(n, share, accuracy, rng, *, tag):
    gold = (rng.random(n) < share).astype(int)
    values = (rng.random(n) < np.array(accuracy)[gold]).astype(float)
    return Strata(values, np.eye(2, dtype=bool)[gold], [f"{tag}{i}" for i in range(n)], (0.0, 1.0))


def test_a_table_worked_by_hand():
    # In-domain: label A 80 items, 72 right (0.9); label B 20 items, 10 right (0.5): accuracy 0.82.
    # Other: A 25 items, 20 right (0.8); B 75 items, 30 right (0.4): accuracy 0.5. Loss 0.32.
    # Reweighted in-domain accuracy 0.25 x 0.9 + 0.75 x 0.5 = 0.6: 0.22 from the shares, 0.1 is left.
    home, other = table([(72, 8), (10, 10)], tag="h"), table([(20, 5), (30, 45)], tag="o")
    assert from_shares(home, other).value == pytest.approx(0.22)
    assert rest(home, other).value == pytest.approx(0.1)


def test_with_equal_shares_all_is_rest_and_with_equal_rates_nothing_is():
    home, other = table([(45, 5), (40, 10)], tag="h"), table([(35, 15), (30, 20)], tag="o")
    assert from_shares(home, other).value == pytest.approx(0.0)
    assert rest(home, other).value == pytest.approx(0.2)
    moved = table([(9, 1), (72, 18)], tag="o")
    assert rest(home, moved).value == pytest.approx(0.0)
    assert from_shares(home, moved).value == pytest.approx(0.85 - 0.81)


def test_a_label_that_only_the_in_domain_texts_have_counts_for_the_shares():
    home, other = table([(40, 10), (40, 10), (50, 0)], tag="h"), table([(30, 20), (30, 20), (0, 0)], tag="o")
    assert from_shares(home, other).value == pytest.approx(130 / 150 - 0.8)
    assert rest(home, other).value == pytest.approx(0.2)


def test_a_label_seen_twice_without_error_is_not_taken_as_known():
    # 95 % of the other domain's items have a label with two in-domain items; a bootstrap would see no spread in them.
    home, other = table([(90, 8), (2, 0)], tag="h"), table([(5, 0), (80, 15)], tag="o")
    found = rest(home, other)
    assert found.low < -0.5
    assert found.high > 0


@pytest.mark.parametrize(
    ("n", "shares", "own", "others"),
    [
        (100, (0.5, 0.8), (0.7, 0.95), (0.7, 0.95)),
        (100, (0.5, 0.8), (0.7, 0.95), (0.5, 0.9)),
        (200, (0.9, 0.5), (0.95, 0.85), (0.7, 0.9)),
    ],
)
def test_the_intervals_of_both_parts_cover(n, shares, own, others):
    rng, runs = np.random.default_rng(n), 300
    p, q = ((1 - share, share) for share in shares)
    truths = (
        sum((p[k] - q[k]) * own[k] for k in range(2)),
        sum(q[k] * (own[k] - others[k]) for k in range(2)),
    )
    covered = np.zeros(2)
    for _ in range(runs):
        home, other = drawn(n, shares[0], own, rng, tag="h"), drawn(n, shares[1], others, rng, tag="o")
        found = from_shares(home, other), rest(home, other)
        covered += [each.low <= truth <= each.high for each, truth in zip(found, truths, strict=True)]
    assert (covered / runs >= 0.95 - 2 * math.sqrt(0.05 * 0.95 / runs)).all()


def test_nothing_is_left_in_at_most_alpha_of_samples_that_differ_in_label_shares_only():
    rng, runs, false = np.random.default_rng(1), 400, 0
    for _ in range(runs):
        home, other = (drawn(120, share, (0.75, 0.95), rng, tag=share) for share in (0.3, 0.7))
        false += rest(home, other).tail(0.05).low > 0
    assert false / runs <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / runs)


def numbered(means, spreads, counts, *, tag):
    """Strata whose items of each label are half a spread above and half a spread below a mean."""
    pairs = zip(means, spreads, counts, strict=True)
    values = np.concatenate([np.tile([m - s, m + s], c // 2) for m, s, c in pairs])
    gold = np.eye(len(counts), dtype=bool)[np.repeat(np.arange(len(counts)), counts)]
    return Strata(values, gold, [f"{tag}{i}" for i in range(len(gold))], (-math.inf, math.inf))


def t_distance(spread, count):
    return scipy_stats.t.ppf(0.975, count - 1) * spread / math.sqrt(count - 1)


def test_where_the_labels_are_known_exactly_only_their_shares_are_uncertain():
    home = numbered((1.0, 3.0), (1e-9, 1e-9), (60, 40), tag="h")
    found = from_shares(home, numbered((0.0, 0.0), (1.0, 1.0), (20, 30), tag="o"))
    # The mean differs by 2 for each unit of share; a share p of n has the variance p (1 - p) / (n - 1).
    half = scipy_stats.t.ppf(0.975, 148) * 2 * math.sqrt(0.6 * 0.4 / 99 + 0.4 * 0.6 / 49)
    assert found.value == pytest.approx(-0.4)
    assert (found.low, found.high) == pytest.approx((-0.4 - half, -0.4 + half), rel=1e-5)


def test_with_equal_shares_what_is_uncertain_is_their_product_with_the_means():
    home = numbered((2.0, 2.0), (1.0, 3.0), (60, 40), tag="h")
    found = from_shares(home, numbered((0.0, 0.0), (1.0, 1.0), (30, 20), tag="o"))
    share = math.sqrt(0.6 * 0.4 / 99 + 0.6 * 0.4 / 49)
    half = share * math.hypot(t_distance(1.0, 60), t_distance(3.0, 40))
    assert (found.low, found.high) == pytest.approx((-half, half))


def test_the_rest_of_equal_differences_is_uncertain_by_the_means_and_their_products():
    home = numbered((2.0, 5.0), (1.0, 3.0), (60, 40), tag="h")
    other = numbered((1.0, 4.0), (2.0, 1.0), (30, 20), tag="o")
    found, share = rest(home, other), math.sqrt(0.6 * 0.4 / 49)
    distances = [t_distance(*pair) for pair in ((1.0, 60), (3.0, 40), (2.0, 30), (1.0, 20))]
    means = math.hypot(*(factor * distance for factor, distance in zip((0.6, 0.4) * 2, distances, strict=True)))
    assert found.value == pytest.approx(1.0)
    assert found.high - 1 == pytest.approx(math.hypot(means, share * math.hypot(*distances)))
    assert 1 - found.low == pytest.approx(found.high - 1)


def test_clusters_widen_both_parts():
    home, other = table([(72, 8), (10, 10)], tag="h"), table([(20, 5), (30, 45)], tag="o")

    def tenfold(strata):
        return Strata(np.repeat(strata.values, 10), np.repeat(strata.gold, 10, axis=0),
                      list(np.repeat(strata.clusters, 10)), strata.limits)  # fmt: skip

    for part in (from_shares, rest):
        once, more = part(home, other), part(tenfold(home), tenfold(other))
        assert more.value == pytest.approx(once.value)
        assert more.high - more.low > 0.9 * (once.high - once.low)
        assert (more.n, more.clusters) == (2000, 200)


def answered(n, right, rng, *, tag):
    """Binary answers, confidence even over 0.5 to 1, right with the probability `right(confidence)`."""
    confidence = rng.random(n) / 2 + 0.5
    correct = rng.random(n) < right(confidence)
    keys = [f"{tag}{i}" for i in range(n)]
    return Decisions(np.column_stack([confidence, 1 - confidence]), np.where(correct, 0, 1), keys)


def true_coverage(own, others):
    confidence = np.linspace(1, 0.5, 100_001)
    risk = np.cumsum(1 - others(confidence)) / np.arange(1, len(confidence) + 1)
    fine = np.flatnonzero(risk <= 1 - own(confidence).mean() + 1e-9)
    return (fine.max() + 1) / len(confidence) if len(fine) else 0.0


def test_coverage_by_hand():
    # In-domain 1 of 4 is wrong. Surest first: right, wrong, right, right, wrong, wrong: 1/4 are wrong among four of six
    home = Decisions(np.array([[0.9, 0.1]] * 4), np.array([0, 0, 0, 1]), list("abcd"))
    sure = np.array([0.95, 0.9, 0.85, 0.8, 0.7, 0.6])
    other = Decisions(np.column_stack([sure, 1 - sure]), np.array([0, 1, 0, 0, 1, 1]), list("uvwxyz"))
    found = coverage_at_home_risk(home, other)
    assert found.value == pytest.approx(4 / 6)
    assert (found.low, found.high, found.n) == (0.0, 1.0, 10)


@pytest.mark.parametrize(
    ("own", "others"),
    [
        (lambda c: c / 2 + 0.5, lambda c: c / 2 + 0.5),
        (lambda c: c / 2 + 0.5, lambda c: 0.6 * c + 0.35),
        (lambda c: 0.3 * c + 0.68, lambda c: c),
        (lambda c: 0 * c + 0.85, lambda c: 0 * c + 0.845),
    ],
    ids=["same", "a little worse", "much worse", "doubt says nothing"],
)
def test_the_interval_of_coverage_covers(own, others):
    rng, truth, runs, missed = np.random.default_rng(2), true_coverage(own, others), 100, np.zeros(2)
    for _ in range(runs):
        found = coverage_at_home_risk(answered(200, own, rng, tag="h"), answered(200, others, rng, tag="o"))
        missed += [found.low > truth + 1e-9, found.high < truth - 1e-9]
    assert (missed / runs <= 0.025 + 2 * math.sqrt(0.025 * 0.975 / runs)).all()


def test_half_the_texts_clearly_as_good_and_half_clearly_worse():
    rng = np.random.default_rng(3)
    own = answered(1000, lambda c: 0 * c + 0.85, rng, tag="h")
    found = coverage_at_home_risk(own, answered(1000, lambda c: np.where(c > 0.75, 0.99, 0.3), rng, tag="o"))
    assert found.low >= 0.45
    assert found.high <= 0.75


def test_the_upper_bound_is_rounded_up_to_the_next_step():
    rng = np.random.default_rng(4)
    own = answered(20_000, lambda c: 0 * c + 0.85, rng, tag="h")
    found = coverage_at_home_risk(own, answered(20_000, lambda c: np.where(c > 0.75, 0.99, 0.3), rng, tag="o"))
    # Among the surest share c > 1/2 the error rate is (0.005 + 0.7 (c - 1/2)) / c, which is 0.15 at c = 0.627
    assert found.value == pytest.approx(0.627, abs=0.015)
    assert found.high == pytest.approx(0.65)


def surprised(name, *, n, mean, seed):
    """A domain of n texts with the mean negative log-likelihood that a language model gives the tokens of each."""
    examples = tuple(Example.of(f"{name} {row}").within(name) for row in range(n))
    return Scored(Domain(name, examples), np.random.default_rng(seed).gamma(mean / 0.1, 0.1, n))


def test_a_measure_without_labels_takes_the_place_of_accuracy():
    """A language model has no labels and no confidence in one: a number for each text is all that is asked of it."""
    home = surprised(HOME, n=200, mean=3.0, seed=0)
    others = [surprised("mails", n=150, mean=3.8, seed=1), surprised("same", n=150, mean=3.0, seed=2)]
    measure = Measure(
        name="log_perplexity",
        title="mean negative log-likelihood of a token",
        loss="log_perplexity_added",
        lost="negative log-likelihood of a token added",
        better=Better.LOWER,
        limits=(0.0, math.inf),
        unit=Unit.SCORE,
        loss_unit=Unit.SCORE,
    )
    numbers = Numbers(
        home=home,
        others=others,
        measure=measure,
        bins=15,
        generator=lambda *keys: generator(0, *keys),
        resamples=200,
        family="lm.levels",
    )
    records = list(numbers.records())
    found = {record.key: record.estimate for record in records if isinstance(record, Measurement)}
    assert set(found) == {
        *(f"log_perplexity[domain={name}]" for name in (HOME, "mails", "same")),
        *(f"log_perplexity_added{part}[domain={name}]" for part in ("", "_relative") for name in ("mails", "same")),
        "worst_log_perplexity_added",
    }
    assert not [record for record in records if isinstance(record, Skip)]
    added = found["log_perplexity_added[domain=mails]"]
    expected = scipy_stats.ttest_ind(others[0].values, home.values, equal_var=False).confidence_interval()
    assert (added.low, added.high) == pytest.approx(tuple(expected), abs=0.005)
    assert added.low > 0.5
    relative = found["log_perplexity_added_relative[domain=mails]"]
    assert relative.value == pytest.approx(others[0].values.mean() / home.values.mean() - 1)
    assert found["log_perplexity_added[domain=same]"].low < 0 < found["log_perplexity_added[domain=same]"].high
    assert found["worst_log_perplexity_added"].value == pytest.approx(added.value)
    (curve,) = [record for record in records if isinstance(record, Curve)]
    assert [point.label for point in curve.points] == [HOME, "mails", "same"]
