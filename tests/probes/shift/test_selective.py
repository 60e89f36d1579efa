"""shift.selective: thresholds against a search by hand, and models whose confidence does and does not travel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from probes.core.answers import Classifications, ProblemType
from probes.core.confidence import aurc
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.shift.domains import HOME
from probes.shift.halves import halves
from probes.shift.selective.probe import Selective
from probes.shift.selective.thresholds import needed_threshold, own_threshold, thresholds
from tests.conftest import model_card

N = 200
LABELS = ("negative", "positive")


def by_hand(confidence, losses, risk, weights=None):
    weights = np.ones(len(losses)) if weights is None else weights
    fit = [np.inf]
    for candidate in confidence[weights > 0]:
        given = confidence >= candidate
        if np.average(losses[given], weights=weights[given]) <= risk + 1e-12:
            fit.append(candidate)
    return min(fit)


def drawn(n=50, *, seed=0, decimals=2):
    rng = np.random.default_rng(seed)
    confidence = np.round(rng.uniform(0.5, 1, n), decimals)
    return confidence, (rng.random(n) > confidence).astype(float)


def test_a_threshold_counted_by_hand():
    confidence, losses = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.array([0, 0, 1, 0, 1.0])
    for risk, expected in ((0.0, 0.8), (0.25, 0.6), (0.3, 0.6), (0.4, 0.5)):
        assert thresholds(confidence, losses, risk=np.array([risk]))[0] == expected
    assert thresholds(confidence, 1 - losses, risk=np.array([0.1]))[0] == np.inf


@pytest.mark.parametrize("decimals", [1, 2, 6])
def test_thresholds_equal_a_search_over_all_candidates(decimals):
    confidence, losses = drawn(decimals=decimals)
    weights = np.random.default_rng(1).integers(0, 3, size=(20, 50)).astype(float)
    for risk in (0.0, 0.1, 0.2, 0.5):
        found = thresholds(confidence, losses, risk=np.full(20, risk), weights=weights)
        expected = [by_hand(confidence, losses, risk, row) for row in weights]
        assert found.tolist() == expected


def test_the_same_items_allow_their_own_rate_when_all_are_answered():
    confidence, losses = drawn()
    assert own_threshold(confidence, losses, np.ones((1, 50)), share=1.0)[0] == confidence.min()
    half = own_threshold(confidence, losses, np.ones((1, 50)), share=0.5)[0]
    assert half == by_hand(confidence, losses, 0.5 * losses.mean())


def test_the_needed_threshold_takes_its_risk_from_the_items_at_home():
    confidence, losses = drawn(80)
    home = np.arange(80) < 30
    weights = np.random.default_rng(1).integers(0, 3, size=(5, 80)).astype(float)
    found = needed_threshold(confidence, losses, weights, home=home)
    for value, row in zip(found, weights, strict=True):
        risk = np.average(losses[home], weights=row[home])
        assert value == by_hand(confidence[~home], losses[~home], risk, row[~home])


def test_halves_are_even_never_split_a_cluster_and_leave_out_what_shares_one():
    clusters = [str(row // 2) for row in range(80)] + [str(row) for row in range(80)]
    home = np.arange(160) < 80
    learned, measured = halves(clusters, home, Context(probe="x"))
    assert learned.sum() == 40
    assert not (learned & ~home).any()
    known = {cluster for cluster, used in zip(clusters, learned, strict=True) if used}
    assert len(known) == 20
    assert [cluster not in known for cluster in clusters] == measured.tolist()
    backwards, _ = halves(clusters[::-1], home[::-1], Context(probe="x"))
    assert backwards.tolist() == learned[::-1].tolist()


@dataclass
class Judge:
    """Texts are "<kind> <number>"; of each kind it errs at a rate, and its confidence tells or does not tell.

    Where it tells, a wrong answer has a confidence of 0.5 to 0.7 and a right one 0.6 to 1; where it does not, all have
    0.6 to 1; where it falls, a wrong one has 0.5 to 0.6.
    """

    errs: dict[str, float]
    tells: tuple[str, ...] = ("home",)
    falls: tuple[str, ...] = ()
    seed: int = 0
    card: object = field(default_factory=model_card)
    asked: int = 0

    def wrong(self, text):
        kind, number = text.split()
        return np.random.default_rng([self.seed, int(number), 1]).random() < self.errs.get(kind, self.errs["home"])

    def classify(self, texts):
        self.asked += 1
        logits = np.zeros((len(texts), len(self.card.labels)))
        for row, text in enumerate(texts):
            kind, number = text.split()
            place = np.random.default_rng([self.seed, int(number), 2]).random()
            p = 0.6 + 0.3999 * place
            if self.wrong(text) and kind in (*self.tells, *self.falls):
                p = 0.5001 + (0.1 if kind in self.falls else 0.2) * place
            gold = int(number) % 2
            logits[row, 1 - gold if self.wrong(text) else gold] = np.log(p / (1 - p))
        return Classifications(logits=logits, labels=self.card.labels, problem=self.card.problem)


def items(kinds=("tweets",), *, n=N):
    found = []
    for place, kind in enumerate(("home", *kinds)):
        for number in range(place * n, (place + 1) * n):
            example = Example.of(f"{kind} {number}", gold=LABELS[number % 2])
            found.append(example if kind == "home" else example.within(kind))
    return found


def run(model, data, *, seed=0, **parameters):
    probe = Selective(**{"resamples": 300, **parameters})
    return list(probe.run(model, data, Context(probe="shift.selective", seed=seed)))


def numbers(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def at(name, target, domain="tweets"):
    return f"{name}[domain={domain},target={target}]"


ERRS = {"home": 0.15, "tweets": 0.4}


def test_a_confidence_that_means_nothing_elsewhere_and_its_twin_whose_confidence_falls():
    planted = numbers(run(Judge(ERRS), items()))
    twin = numbers(run(Judge(ERRS, falls=("tweets",)), items()))
    for target in ("0.5", "0.25"):
        assert planted[at("selective_risk_added", target)].low > 0.1
        assert twin[at("selective_risk_added", target)].low <= 0.05
        assert twin[at("selective_risk", target)].value < 0.2 < planted[at("selective_risk", target)].low
    assert twin[at("abstention", "0.25")].low > planted[at("abstention", "0.25")].high
    assert planted["needed_abstention[domain=tweets]"].low > 0.5
    assert twin["needed_abstention[domain=tweets]"].high < 0.6
    assert planted["needed_threshold[domain=tweets]"].value > twin["needed_threshold[domain=tweets]"].value + 0.1
    assert planted["aurc[domain=tweets]"].low > twin["aurc[domain=tweets]"].high


def test_another_kind_that_is_no_other_is_not_worse():
    """The same behaviour on both sides: the added risk is above 0 by its bound in few of 40 runs."""
    alarms = 0
    for seed in range(40):
        model = Judge({"home": 0.2}, tells=("home", "tweets"), seed=seed)
        found = numbers(run(model, items(n=100), seed=seed, targets=(0.5,), resamples=100))
        alarms += found[at("selective_risk_added", "0.5")].tail(0.05).low > 0
    assert alarms <= 7  # at 5 % more than 7 of 40 have probability 0.0006


def test_the_numbers_are_those_counted_by_hand():
    model, data = Judge(ERRS, tells=("home", "tweets")), items()
    found = numbers(run(model, data))
    ordered = sorted(data, key=lambda e: (e.domain, e.id))
    answers = model.classify([e.text for e in ordered])
    wrong = np.array([model.wrong(e.text) for e in ordered])
    home = np.array([not e.domain for e in ordered])
    chosen, free = halves([e.cluster for e in ordered], home, Context(probe="shift.selective"))
    confidence = answers.confidence
    value = by_hand(confidence[chosen], wrong[chosen].astype(float), 0.5 * wrong[chosen].mean())
    assert found[at("threshold", "0.5", HOME)].value == pytest.approx(value)
    given = confidence >= value
    for name, rows in ((HOME, home & free), ("tweets", ~home)):
        assert found[at("selective_risk", "0.5", name)].value == pytest.approx(wrong[rows & given].mean())
        assert found[at("abstention", "0.5", name)].value == pytest.approx(1 - given[rows].mean())
        assert found[at("abstention", "0.5", name)].n == rows.sum()
    risks = [found[at("selective_risk", "0.5", name)].value for name in ("tweets", HOME)]
    assert found[at("selective_risk_added", "0.5")].value == pytest.approx(risks[0] - risks[1])
    area = aurc(confidence[~home], ~wrong[~home])[0]
    assert found["aurc[domain=tweets]"].value == pytest.approx(area)
    needed = by_hand(confidence[~home], wrong[~home].astype(float), wrong[home].mean())
    assert found["needed_threshold[domain=tweets]"].value == pytest.approx(needed)
    left = 1 - (confidence[~home] >= needed).mean()
    assert found["needed_abstention[domain=tweets]"].value == pytest.approx(left)


def test_the_threshold_holds_in_domain_on_items_it_was_not_chosen_on():
    risks = []
    for seed in range(10):
        found = numbers(run(Judge({"home": 0.3}, seed=seed), items(), seed=seed, targets=(0.5,), resamples=100))
        risks.append(found[at("selective_risk", "0.5", HOME)].value)
        assert found[at("selective_risk", "0.5", HOME)].n < N / 2
    assert 0.09 < np.mean(risks) < 0.21


def test_a_curve_for_every_domain():
    curves = [r for r in run(Judge(ERRS), items(("reviews", "tweets"))) if isinstance(r, Curve)]
    assert [curve.slice["domain"] for curve in curves] == [HOME, "reviews", "tweets"]
    assert curves[-1].points[-1].y.value == pytest.approx(0.4, abs=0.1)


def test_everything_is_asked_once():
    model = Judge(ERRS)
    run(model, items(("reviews", "tweets")))
    assert model.asked == 1


def test_targets_without_an_error_to_spare_are_a_reason():
    records = run(Judge({"home": 0.0, "tweets": 0.3}), items())
    skips = {skip.slice.get("target") for skip in records if isinstance(skip, Skip)}
    assert {"0.5", "0.25"} <= skips
    assert numbers(records)[at("selective_risk_added", "1")].low > 0.1


def test_nothing_answered_is_no_rate_of_errors():
    class Sure(Judge):
        def classify(self, texts):
            found = super().classify(texts)
            found.logits[[text.startswith("tweets") for text in texts]] *= 1e-6
            return found

    records = run(Sure(ERRS), items())
    found = numbers(records)
    assert at("selective_risk", "0.5") not in found
    assert found[at("abstention", "0.5")].value == 1.0
    details = [r.detail for r in records if isinstance(r, Skip) and r.slice.get("target") == "0.5"]
    assert len(details) == 2
    assert all("each is left to a person" in detail for detail in details)


def test_label_sets_are_left_or_answered_as_a_whole():
    card = model_card(problem=ProblemType.MULTI_LABEL)

    class Sets(Judge):
        def classify(self, texts):
            found = super().classify(texts)
            found.logits[found.logits == 0] = -3.0
            return found

    data = [replace(example, gold=(example.gold,)) for example in items()]
    found = numbers(run(Sets(ERRS, falls=("tweets",), card=card), data))
    assert found[at("selective_risk", "0.5")].value < 0.2
    assert found["aurc[domain=tweets]"].value < 0.2


def test_scores_are_refused():
    card = model_card(labels=("score",), problem=ProblemType.REGRESSION)
    (skip,) = run(Judge(ERRS, card=card), items())
    assert skip.reason is SkipReason.WRONG_PROBLEM
    assert ProblemType.REGRESSION not in Selective().info.problems


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e: replace(e, gold=None) if e.domain else e, SkipReason.NO_GOLD),
        (lambda e: e if e.domain else replace(e, gold=None), SkipReason.NO_GOLD),
        (lambda e: replace(e, gold="positive") if e.domain else e, SkipReason.UNDEFINED),
        (lambda e: e if e.domain else replace(e, gold="positive"), SkipReason.UNDEFINED),
        (lambda e: replace(e, gold=None) if e.domain and int(e.text.split()[1]) > 215 else e, SkipReason.TOO_FEW),
        (lambda e: replace(e, cluster="one") if e.domain else e, SkipReason.TOO_FEW),
    ],
)
def test_what_cannot_be_compared_is_a_reason(change, reason):
    records = run(Judge(ERRS), [change(example) for example in items()])
    assert not numbers(records)
    assert [skip.reason for skip in records if isinstance(skip, Skip)] == [reason]
    assert {r.slice["domain"]: r.scored for r in records if isinstance(r, Accounting)} == {HOME: 0, "tweets": 0}


def test_no_other_domain_is_a_reason():
    for data in ([], items(())):
        records = run(Judge(ERRS), data)
        assert [skip.reason for skip in records if isinstance(skip, Skip)] == [SkipReason.NO_DOMAINS]


def test_items_of_another_domain_that_set_the_threshold_are_left_out_and_counted():
    data = items()
    twins = [Example.of(example.text, gold=example.gold).within("tweets") for example in data[:60]]
    records = run(Judge(ERRS), [*data, *twins])
    account = next(r for r in records if isinstance(r, Accounting) and r.slice["domain"] == "tweets")
    assert account.eligible == N + 60
    assert 15 < account.unscored < 45
    assert str(account.unscored) in account.note
    assert numbers(records)[at("abstention", "0.5")].n == account.scored
    copies = run(Judge(ERRS), [*data[:N], *(example.within("copy") for example in data[:N])])
    assert [skip.reason for skip in copies if isinstance(skip, Skip)] == [SkipReason.UNDEFINED]


def test_evidence_and_outcomes_name_every_item_once():
    records = run(Judge(ERRS), items())
    cases = [r for r in records if isinstance(r, Evidence)]
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    assert all(case.slice["domain"] in (HOME, "tweets") for case in cases)
    (table,) = (r for r in records if isinstance(r, Outcomes))
    assert len(set(table.example_id)) == len(table) == 2 * N


def test_parameters_that_make_no_sense_are_refused():
    for targets in ((), (0.0,), (1.5,), (0.5, 0.5)):
        with pytest.raises(UsageError):
            Selective(targets=targets)


def test_the_order_of_the_rows_changes_nothing():
    data = items(("reviews", "tweets"))
    assert run(Judge(ERRS), data) == run(Judge(ERRS), data[::-1])
