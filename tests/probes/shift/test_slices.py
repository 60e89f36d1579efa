"""Natural parts of the data against all the rest: a planted bad period is found, and noise raises no alarm."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import binom, ttest_ind

from probes.core import stats
from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.model import Capability
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.core.rng import generator
from probes.shift.slices.numbers import Quality, lost, mean_of, most_lost, trend
from probes.shift.slices.parts import clusters, lengths, values
from probes.shift.slices.probe import NaturalSlices
from probes.shift.slices.timeline import UnreadableError, instants, moments, periods
from tests.conftest import BAD, GOOD, FakeModel, model_card, sentiment_rule

ALPHA = 0.05


def run(data, *, model=None, seed=0, **parameters):
    model = model or FakeModel(rule=sentiment_rule)
    return list(NaturalSlices(**parameters).run(model, data, Context(probe="shift.slices", seed=seed)))


def only(kind, records):
    return [record for record in records if isinstance(record, kind)]


def measured(records):
    return {record.key: record for record in only(Measurement, records)}


def monthly(*, bad="", wrong=0.1, n=400, seed=0, column="date"):
    """Eight months of reviews; in the bad month half of the right answers are turned round, else `wrong` of them."""
    rng = generator(seed, "data")
    data = []
    for i in range(n):
        month = f"2026-{1 + i % 8:02}"
        word = (*GOOD, *BAD)[rng.integers(10)]
        turned = rng.random() < (0.6 if month == bad else wrong)
        gold = "positive" if (word in GOOD) != turned else "negative"
        groups = {column: f"{month}-{1 + i % 28:02}", "publisher": "ABC"[rng.integers(3)]}
        data.append(Example.of(f"Number {i} was {word}{' again' * int(rng.integers(6))}.", gold=gold, groups=groups))
    return data


def test_a_planted_bad_period_is_found():
    found = measured(run(monthly(bad="2026-07")))
    worst = found["worst_part_accuracy_lost"]
    assert worst.title == "accuracy lost on the part that is served worst (date: 2026-07)"
    assert worst.estimate.tail(ALPHA).low > 0.15
    part = found["accuracy_lost[part=date: 2026-07]"].estimate
    assert part.value == worst.estimate.value
    assert part.tail(ALPHA).low > worst.estimate.tail(ALPHA).low


def test_its_twin_without_a_bad_period_is_not():
    assert measured(run(monthly()))["worst_part_accuracy_lost"].estimate.tail(ALPHA).low < 0.02


def random_parts(rng, n):
    """Quarters by a number, periods, values of two columns: 4 + 8 + 3 + 2 parts, each column a division of all."""
    return [codes == code for k in (4, 8, 3, 2) for codes in [rng.integers(k, size=n)] for code in range(k)]


def false_alarms(runs, *, n=400, binary=True):
    """How often the worst of many parts is called worse than the rest although quality is pure noise."""
    alarms = 0
    for seed in range(runs):
        rng = generator(seed, "noise")
        noise = (rng.random(n) < 0.8).astype(float) if binary else -rng.exponential(size=n)
        limits = (0.0, 1.0) if binary else (-20.0, 0.0)
        quality = Quality(values=noise, clusters=list(map(str, range(n))), binary=binary, limits=limits)
        alarms += most_lost(quality, random_parts(rng, n)).tail(ALPHA).low > 0
    return alarms


@pytest.mark.parametrize(("binary", "runs"), [(True, 200), (False, 100)])
def test_on_noise_the_worst_part_raises_few_alarms(binary, runs):
    assert false_alarms(runs, binary=binary) <= binom.ppf(0.995, runs, ALPHA)


def test_the_single_bounds_would_raise_many():
    """The simulation can see an inflated rate: without simultaneous bounds it is several times as high."""
    alarms, runs = 0, 40
    for seed in range(runs):
        rng = generator(seed, "noise")
        quality = Quality(values=(rng.random(400) < 0.8).astype(float), clusters=list(map(str, range(400))))
        alarms += any(lost(quality, part).tail(ALPHA).low > 0 for part in random_parts(rng, 400))
    assert alarms > binom.ppf(0.9999, runs, ALPHA)


def bounds_of(estimate):
    return [bound for tail in estimate.tails for bound in (tail.low, tail.high)]


def test_the_worst_of_one_part_has_the_bounds_of_that_part():
    rng = generator(0)
    quality = Quality(
        values=(rng.random(200) < 0.7).astype(float), clusters=list(map(str, rng.integers(150, size=200)))
    )
    part = np.arange(200) < 60
    assert bounds_of(most_lost(quality, [part])) == pytest.approx(bounds_of(lost(quality, part)))


def test_losses_agree_with_independent_implementations():
    rng = generator(1)
    scores, part = -rng.exponential(size=300), np.arange(300) < 100
    quality = Quality(values=scores, clusters=list(map(str, range(300))), binary=False, limits=(-20.0, 0.0))
    found, welch = (
        lost(quality, part),
        ttest_ind(scores[~part], scores[part], equal_var=False).confidence_interval(0.95),
    )
    assert found.value == pytest.approx(scores[~part].mean() - scores[part].mean())
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high), abs=0.01)  # MOVER of t is close to Welch
    right = Quality(values=(rng.random(300) < 0.7).astype(float), clusters=quality.clusters)
    assert lost(right, part) == stats.rate_difference(right.values == 1, ~part, clusters=right.clusters)
    assert mean_of(quality.negated, part).value == pytest.approx(-scores[:100].mean())


def test_trend_is_the_slope_of_least_squares():
    rng = generator(2)
    at = rng.random(500)
    values = (rng.random(500) < 0.9 - 0.4 * at).astype(float)
    quality = Quality(values=values, clusters=list(map(str, range(500))))
    found = trend(quality, at, generator(3))
    line = sm.OLS(values, sm.add_constant(at)).fit(cov_type="HC3")
    assert found.value == pytest.approx(line.params[1])
    assert (found.low, found.high) == pytest.approx(tuple(line.conf_int()[1]), abs=0.03)


def test_a_decline_is_a_trend_and_noise_is_none():
    def quality_of(slope, seed):
        rng = generator(seed)
        at = np.linspace(0, 1, 300)
        values = (rng.random(300) < 0.85 - slope * at).astype(float)
        return trend(Quality(values=values, clusters=list(map(str, range(300)))), at, generator(seed, "b"))

    assert quality_of(0.5, 0).tail(ALPHA).high < -0.2
    runs = 60
    alarms = sum(quality_of(0.0, seed).tail(ALPHA).high < 0 for seed in range(runs))
    assert alarms <= binom.ppf(0.999, runs, ALPHA)


def test_trend_needs_a_time_and_says_so():
    skips = {skip.name: skip for skip in only(Skip, run(monthly(column="batch")))}
    assert skips["trend"].reason is SkipReason.NO_GROUPS
    assert "--group-column" in skips["trend"].enable


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2025-12-31", "2026-01-01T10:00:00Z"], ["2025-12-31", "2026-01-01"]),
        (["2019", "2020"], ["2019", "2020"]),
        (["2019-03", "2019-11"], ["2019-03", "2019-11"]),
        (["20260314", "20260401"], ["2026-03-14", "2026-04-01"]),
        (["1700000000", "1700100000"], ["2023-11-14", "2023-11-16"]),
        (["1700000000000", "1700100000000"], ["2023-11-14", "2023-11-16"]),
        (["14.03.2026", "01.04.2026"], ["2026-03-14", "2026-04-01"]),
        (["03/14/2026", "04/01/2026"], ["2026-03-14", "2026-04-01"]),
        (["14/03/2026", "01/04/2026"], ["2026-03-14", "2026-04-01"]),
        (["March 14, 2026", "April 1, 2026"], ["2026-03-14", "2026-04-01"]),
        (["Mon Apr 06 22:19:45 +0000 2009", "Tue Apr 07 01:00:00 +0000 2009"], ["2009-04-06", "2009-04-07"]),
        (["March", "April"], ["March", "April"]),
        (["2", "10"], ["2", "10"]),
    ],
)
def test_ways_of_writing_a_date(texts, expected):
    found = moments([*texts, ""])
    assert [moment and moment.labels[0] for moment in found] == [*expected, None]
    assert found[0].at < found[1].at
    assert instants(found)[:2].tolist() == [0, 1]


def test_dates_that_can_be_read_in_two_ways_are_refused():
    with pytest.raises(UnreadableError, match="day from the month"):
        moments(["03/04/2026", "05/06/2026"])
    for nonsense in (["morning", "evening"], ["nan", "inf"], [""]):
        with pytest.raises(UnreadableError, match="neither dates nor numbers"):
            moments(nonsense)
    assert moments(["2026-01-01"] * 30 + ["soon"])[-1] is None


def test_periods_are_the_finest_with_enough_texts():
    days = [str(date(2025, 1, 1) + timedelta(days=i)) for i in range(365)]
    assert set(periods(moments(days))) == {f"2025-{month:02}" for month in range(1, 13)}
    few = days[::5]
    assert len(set(periods(moments(few)))) == 4
    assert periods(moments(few))[0] == "2025-01-01 to 2025-04-01"
    assert set(periods(moments(["2025-01-01"] * 40 + ["2025-01-02"] * 40))) == {"2025-01-01", "2025-01-02"}
    years = [str(1990 + i % 30) for i in range(600)]
    assert len(set(periods(moments(years)))) == 4


def test_a_time_that_cannot_be_read_is_compared_by_value():
    data = [dataclasses.replace(e, groups={"time": ("morning", "evening")[i % 2]}) for i, e in enumerate(monthly())]
    records = run(data)
    assert "accuracy_lost[part=time: morning]" in measured(records)
    assert {s.reason for s in only(Skip, records) if s.name == "trend"} == {SkipReason.UNDEFINED, SkipReason.NO_GROUPS}


def test_which_columns_are_used_is_said():
    data = monthly(column="Created_At")
    (account, *_) = only(Accounting, run(data))
    assert "'Created_At' is read as the time of a text, because of its name" in account.note
    assert "'publisher' is read as the source" in account.note
    (account, *_) = only(Accounting, run(monthly(column="batch"), time="batch", source="publisher"))
    assert "'batch' is read as the time of a text;" in account.note
    assert "because" not in account.note
    skips = only(Skip, run(data, time="when"))
    assert any("no group column 'when'" in skip.detail for skip in skips)


def test_texts_without_a_value_are_counted_and_belong_to_the_rest():
    data = [
        dataclasses.replace(
            e,
            groups={"date": e.groups["date"] if i > 2 else ("", "soon", " ")[i], "site": "(missing)" if i % 2 else ""},
        )
        for i, e in enumerate(monthly())
    ]
    records = run(data)
    (account, *_) = only(Accounting, records)
    assert "3 texts have no value in column 'date' that can be used" in account.note
    assert "400 texts have no value in column 'site'" in account.note
    found = measured(records)
    assert found["accuracy_lost[part=date: 2026-01]"].estimate.n == 400
    assert found["trend"].estimate.n == 397


def test_rows_without_a_date_do_not_make_the_others_unreadable():
    """A file with an empty cell in one row of four: what reading it gives is no date, and no value either."""
    data = [
        dataclasses.replace(e, groups={"date": e.groups["date"] if i % 4 else "(missing)"})
        for i, e in enumerate(monthly())
    ]
    records = run(data)
    assert measured(records)["trend"].estimate.n == 300
    assert not [key for key in measured(records) if "missing" in key]
    assert "100 texts have no value in column 'date'" in only(Accounting, records)[0].note


def test_parts_that_are_too_small_are_listed():
    data = [
        dataclasses.replace(e, groups={"site": "small" if i < 29 else "large", "user": str(i)})
        for i, e in enumerate(monthly())
    ]
    records = run(data)
    skips = {skip.slice.get("part"): skip for skip in only(Skip, records)}
    assert skips["site: small"].reason is SkipReason.TOO_FEW
    assert "29 independent items" in skips["site: small"].detail
    assert "The rest has 29 independent items" in skips["site: large"].detail
    assert "400 different values" in skips["user"].detail
    clustered = [dataclasses.replace(e, cluster=str(i % 40)) for i, e in enumerate(monthly())]
    assert not only(Measurement, run(clustered))


def test_rare_values_beyond_the_most_frequent_are_counted():
    parts, further = values("c", [str(i % 25) for i in range(100)] + ["0"] * 5 + [""])
    assert (len(parts), further) == (20, 5)
    assert sum(part.holds.sum() for part in parts if part.name == "c: 0") == 9


def test_lengths_divide_all_items_into_quarters():
    data = [Example.of(" ".join(["word"] * (1 + i % 40)) + f" {i}.") for i in range(200)]
    parts = list(lengths(data))
    assert np.sum([part.holds for part in parts], axis=0).tolist() == [1] * 200
    assert parts[0].name == "length in words: 2 to 11"
    assert all(part.holds.sum() == 50 for part in parts)
    assert len(list(lengths([Example.of(f"always {i}") for i in range(50)]))) == 1


def test_clusters_are_named_by_their_words():
    rng = generator(4)
    data = [Example.of(f"{('soup and bread', 'engine and wheels')[i % 2]} {i}") for i in range(150)]
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]])[np.arange(150) % 2] + rng.normal(0, 0.01, (150, 2))
    found = clusters(data, vectors, seed=0)
    assert [part.name for part in found] == [
        "texts like those with 'bread' and 'soup'",
        "texts like those with 'engine' and 'wheels'",
    ]
    assert found[0].holds.tolist() == [i % 2 == 0 for i in range(150)]
    assert clusters(data, np.zeros((150, 2)), seed=0) == []
    assert clusters(data[:50], vectors[:50], seed=0) == []


def test_function_words_describe_no_cluster():
    data = [Example.of(f"{('soup, but only from them', 'engine with everybody when')[i % 2]} {i}") for i in range(150)]
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]])[np.arange(150) % 2]
    names = " ".join(part.name for part in clusters(data, vectors, seed=0))
    assert not {"'but'", "'from'", "'with'", "'when'", "'everybody'"} & set(names.split())
    assert {"'soup'", "'engine'"} <= set(names.split())


def test_without_embeddings_there_are_no_clusters():
    bare = FakeModel(
        rule=sentiment_rule,
        card=model_card().model_copy(update={"capabilities": frozenset({Capability.CLASSIFY})}),
    )
    for records in (run(monthly(), embeddings=False), run(monthly(), model=bare)):
        assert not [key for key in measured(records) if "texts like" in key]
    assert bare.calls == 1
    assert [key for key in measured(run(monthly())) if "texts like" in key]


def test_bad_input_is_refused():
    for data, reason in (
        ([dataclasses.replace(e, gold=None) for e in monthly()], SkipReason.NO_GOLD),
        ([dataclasses.replace(e, gold="positive") for e in monthly()], SkipReason.UNDEFINED),
        (monthly(n=59), SkipReason.TOO_FEW),
        ([], SkipReason.NO_GOLD),
    ):
        records = run(data)
        assert [skip.reason for skip in only(Skip, records)] == [reason]
        assert not only(Measurement, records)
        assert len(only(Accounting, records)) == 1


def test_a_part_without_one_of_the_classes_says_so():
    data = [
        dataclasses.replace(e, groups={"source": "fans" if e.gold == "positive" and i % 2 else "all"})
        for i, e in enumerate(monthly())
    ]
    (account,) = [a for a in only(Accounting, run(data)) if a.slice == {"part": "source: fans"}]
    assert account.note == "holds no text whose right answer is negative"


def test_scores_are_compared_by_their_error():
    card = model_card(labels=("score",), problem=ProblemType.REGRESSION)
    data = [
        dataclasses.replace(e, gold=float(i % 5) + (2.0 if e.groups["date"].startswith("2026-07") else 0.0))
        for i, e in enumerate(monthly())
    ]
    by_text = {e.text: i % 5 for i, e in enumerate(data)}
    found = measured(run(data, model=FakeModel(rule=lambda text: (by_text[text] + 0.1,), card=card)))
    assert found["error[part=date: 2026-07]"].estimate.value == pytest.approx(1.9)
    assert found["error_added[part=date: 2026-07]"].estimate.value == pytest.approx(1.8)
    assert found["worst_part_error_added"].estimate.tail(ALPHA).low > 1.5


def test_multi_label_answers_count_as_whole_sets():
    card = model_card(problem=ProblemType.MULTI_LABEL)
    data = [dataclasses.replace(e, gold=("positive",) if e.gold == "positive" else ()) for e in monthly()]
    assert "worst_part_accuracy_lost" in measured(
        run(data, model=FakeModel(rule=lambda text: (-1.0, sentiment_rule(text)[1] - 1), card=card))
    )


def test_order_changes_nothing_and_outcomes_are_those_counted():
    data = monthly(bad="2026-02")
    forward, backward = run(data), run(data[::-1])
    assert {k: m.estimate for k, m in measured(forward).items()} == {
        k: m.estimate for k, m in measured(backward).items()
    }
    (rows,) = only(Outcomes, forward)
    accounts = {account.slice.get("part"): account for account in only(Accounting, forward)}
    assert len(rows) == accounts[None].scored == 400
    months = [account.scored for part, account in accounts.items() if part and part.startswith("date")]
    assert sum(months) == 400
    part = [e.id for e in data if e.groups["date"].startswith("2026-02")]
    right = [mark for example_id, mark in zip(rows.example_id, rows.correct, strict=True) if example_id in part]
    assert measured(forward)["accuracy[part=date: 2026-02]"].estimate.value == pytest.approx(np.mean(right))
    cases = only(Evidence, forward)
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    assert all(case.note.startswith("in the parts ") for case in cases)
