from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Better, Curve, Evidence, Measurement, Skip, SkipReason, from_line, to_line
from probes.core.rng import generator
from probes.shift.estimate.comparison import CALIBRATED, DIFFERENCE, ENTROPY, REWEIGHTED, THRESHOLD
from probes.shift.estimate.probe import Estimation
from probes.shift.estimate.trust import trusted
from tests.conftest import FakeModel, model_card

QUICK = Estimation(resamples=300)
NAMES = (THRESHOLD, DIFFERENCE, CALIBRATED, REWEIGHTED)


def rule(text):
    """The logits stand in the text, so that how sure the model is can be planted."""
    first = text[0] if isinstance(text, tuple) else text
    return [float(number) for number in re.findall(r"<(.*?)>", first)]


def over_confident():
    return FakeModel(rule=rule)


def items(name, n, *, seed=0, spread=2.0, turned=0.0, words=8, sign=""):
    """n texts with labels drawn as a calibrated model would have it, a share `turned` of which are then wrong."""
    rng = generator(seed, name)
    made = []
    for number in range(n):
        z = rng.normal(0, spread)
        positive = (rng.random() < expit(z)) != (rng.random() < turned)
        text = f"{name} {number} <0> <{1.4 * z:.6f}>{' word' * int(rng.integers(1, words))}{sign}"
        made.append(Example.of(text, gold="positive" if positive else "negative"))
    return made if not name else [example.within(name) for example in made]


def run(data, probe=QUICK, model=None, seed=0):
    return list(probe.run(model or over_confident(), data, Context(probe="shift.estimate", seed=seed)))


def numbers(records):
    return {r.key: r.estimate for r in records if isinstance(r, Measurement)}


def of(records, kind):
    return [r for r in records if isinstance(r, kind)]


def note(records, domain):
    return next(r.note for r in of(records, Accounting) if r.slice == {"domain": domain})


HARDER = items("", 300) + items("harder", 300, spread=0.8)
CONCEPT = items("", 300) + items("concept", 300, turned=0.4)


@pytest.fixture(scope="module")
def harder():
    return run(HARDER)


@pytest.fixture(scope="module")
def concept():
    return run(CONCEPT)


def test_a_harder_domain_is_estimated(harder):
    found = numbers(harder)
    truth = found["true_accuracy[domain=harder]"].value
    assert found["true_accuracy[domain=in-domain]"].value - truth > 0.08
    for name in (DIFFERENCE, CALIBRATED):
        error = found[f"estimation_error[domain=harder,estimate={name}]"]
        estimate = found[f"estimated_accuracy[domain=harder,estimate={name}]"]
        assert error.low < 0 < error.high
        assert error.value == pytest.approx(estimate.value - truth)
        assert estimate.low <= truth <= estimate.high
        assert estimate.high - estimate.low < 0.2
        assert (estimate.n, estimate.clusters) == (600, 600)


def test_the_trusted_estimate_and_the_loss_it_tells_of(harder):
    found = numbers(harder)
    trusted_one = found["trusted_estimate[domain=harder]"]
    assert trusted_one == found[f"estimated_accuracy[domain=harder,estimate={THRESHOLD}]"]
    loss = found["estimated_accuracy_lost[domain=harder]"]
    assert loss.value == pytest.approx(found["true_accuracy[domain=in-domain]"].value - trusted_one.value)
    assert loss.tail(0.05).low > 0.02  # the planted loss is found
    better = {m.name: m.better for m in of(harder, Measurement)}
    assert better["trusted_estimate"] is Better.HIGHER
    assert better["estimated_accuracy_lost"] is Better.LOWER
    assert better["estimation_error"] is Better.CONTEXT


def test_no_loss_is_told_of_where_there_is_none():
    found = numbers(run(items("", 300) + items("same", 300, seed=5)))
    loss = found["estimated_accuracy_lost[domain=same]"]
    assert loss.low <= 0 <= loss.high
    for name in NAMES:
        error = found[f"estimation_error[domain=same,estimate={name}]"]
        assert error.low <= 0 <= error.high


def test_concept_shift_misleads_every_estimate_and_the_record_says_so(concept, harder):
    found = numbers(concept)
    for name in NAMES:
        assert found[f"estimation_error[domain=concept,estimate={name}]"].tail(0.01).low > 0.1
    assert "points too high, more than chance explains: its assumption fails here" in note(concept, "concept")
    assert "too high" not in note(run(items("", 300) + items("same", 300, seed=5)), "same")
    assert "trusted is average thresholded confidence, because it was the best in most published" in note(
        concept, "concept"
    )


def test_a_refuted_estimate_tells_of_no_loss(concept, harder):
    """A check on it would pass, beside right answers that show the loss."""
    assert "estimated_accuracy_lost[domain=concept]" not in numbers(concept)
    (skip,) = [skip for skip in of(concept, Skip) if skip.name == "estimated_accuracy_lost"]
    assert skip.slice == {"domain": "concept"}
    assert "points too high" in skip.detail
    assert "shift.performance" in skip.detail
    assert "trusted_estimate[domain=concept]" in numbers(concept), "what was estimated is shown beside its error"
    assert not [skip for skip in of(harder, Skip) if skip.name == "estimated_accuracy_lost"]


def test_the_curve_and_the_cases(harder):
    (curve,) = of(harder, Curve)
    assert curve.reference == "diagonal"
    assert [(p.label, p.x, p.y) for p in curve.points] == [
        (
            "harder",
            numbers(harder)["true_accuracy[domain=harder]"].value,
            numbers(harder)["trusted_estimate[domain=harder]"],
        )
    ]
    cases = of(harder, Evidence)
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    assert len({case.example_id for case in cases}) == 8
    worst = [case for case in cases if case.chosen == "worst"]
    assert all(case.note == "wrong" and case.gold != case.shown[0].answer for case in worst)
    sureness = [case.shown[0].confidence for case in worst]
    assert sureness == sorted(sureness, reverse=True)
    assert {case.slice["domain"] for case in cases} == {"harder"}


def test_without_right_answers_of_the_domain_there_are_estimates_and_no_errors():
    unlabelled = [replace(e, gold=None) if e.domain else e for e in HARDER]
    records = run(unlabelled)
    found = numbers(records)
    assert found["trusted_estimate[domain=harder]"] == numbers(run(HARDER))["trusted_estimate[domain=harder]"]
    assert not any(key.startswith(("estimation_error", "true_accuracy[domain=harder")) for key in found)
    (skip,) = of(records, Skip)
    assert (skip.reason, skip.name, skip.slice) == (SkipReason.NO_GOLD, "estimation_error", {"domain": "harder"})
    assert "label 30 or more" in skip.enable
    assert "whether it is right is not known, as no item has a right answer" in note(records, "harder")
    assert not of(records, Curve)
    assert {case.note for case in of(records, Evidence)} == {"right answer not known"}


def test_a_few_right_answers_are_not_enough_for_an_error():
    data = [replace(e, gold=None) if e.domain and n % 20 else e for n, e in enumerate(HARDER)]
    skips = of(run(data), Skip)
    assert [(s.reason, s.name) for s in skips] == [(SkipReason.TOO_FEW, "estimation_error")]
    assert "only 15 independent items with a right answer" in skips[0].detail


def test_right_answers_of_one_kind_give_no_error():
    data = [e for e in HARDER if not e.domain or e.gold == "positive"]
    (skip,) = of(run(data), Skip)
    assert skip.name == "estimation_error"
    assert "all items have the same right answer" in skip.detail


ERRORS = {
    "a": {THRESHOLD: 0.10, DIFFERENCE: 0.02, CALIBRATED: -0.05, REWEIGHTED: 0.0},
    "b": {THRESHOLD: -0.01, DIFFERENCE: -0.03, CALIBRATED: 0.01},
    "c": {THRESHOLD: 0.0, DIFFERENCE: 0.5, CALIBRATED: 0.5, REWEIGHTED: 0.0},
}


def test_trusted_is_the_smallest_mean_error_elsewhere():
    assert trusted("c", ERRORS, usable=NAMES).estimator == DIFFERENCE
    assert "2 other domains with known right answers (2.5 points)" in trusted("c", ERRORS, usable=NAMES).reason
    assert trusted("new", ERRORS, usable=NAMES).estimator == THRESHOLD
    assert trusted("c", ERRORS, usable=(THRESHOLD, CALIBRATED)).estimator == CALIBRATED


def test_its_own_right_answers_play_no_part():
    for other in (0.0, 0.9):
        own = dict.fromkeys(NAMES, other) | {THRESHOLD: 0.0}
        assert trusted("c", {**ERRORS, "c": own}, usable=NAMES).estimator == DIFFERENCE


def test_the_default_is_trusted_where_too_few_domains_tell():
    for errors in ({}, {"a": ERRORS["a"]}, {"a": ERRORS["a"], "c": ERRORS["c"]}):
        found = trusted("c", errors, usable=NAMES)
        assert found.estimator == THRESHOLD
        assert "best in most published comparisons" in found.reason


def test_the_choice_does_not_change_with_the_domains_own_right_answers():
    domains = {name: items(name, 120, spread=s) for name, s in (("a", 0.8), ("b", 1.2), ("c", 1.6))}
    turned = [
        replace(e, gold={"positive": "negative", "negative": "positive"}[e.gold]) if n % 2 else e
        for n, e in enumerate(domains["c"])
    ]
    home = items("", 200)
    first = run([*home, *domains["a"], *domains["b"], *domains["c"]])
    second = run([*home, *domains["a"], *domains["b"], *turned])
    key = "trusted_estimate[domain=c]"
    assert numbers(first)[key] == numbers(second)[key]
    assert note(first, "c").split(";")[0] == note(second, "c").split(";")[0]
    assert "smallest mean error on the 2 other domains" in note(first, "c")
    assert numbers(first)[f"estimation_error[domain=c,estimate={CALIBRATED}]"] != numbers(second).get(
        f"estimation_error[domain=c,estimate={CALIBRATED}]"
    )


def test_in_domain_texts_that_are_nothing_like_the_others_are_not_reweighted():
    data = items("", 200, words=40) + items("long", 200, words=4, spread=0.05, sign=" 1! 2?")
    records = run(data)
    (skip,) = [skip for skip in of(records, Skip) if skip.slice.get("estimate") == REWEIGHTED]
    assert skip.slice == {"domain": "long", "estimate": REWEIGHTED}
    assert "worth" in skip.detail
    assert "hardly any in-domain text is like these" in skip.detail
    assert not any(REWEIGHTED in key for key in numbers(records))


def test_what_cannot_be_weighted_is_named():
    records = run(items("", 200) + items("tweets", 200, seed=1, sign=" #now"))
    assert "cannot be weighted for a web address, @handle or #hashtag, too rare there" in note(records, "tweets")
    assert re.search(r"reweighted in-domain items are worth \d+ of 200", note(records, "tweets"))


def test_entropy_is_a_score_of_its_own_from_three_labels_on():
    labels = ("a", "b", "c")
    rng = generator(0, "three")

    def three(name, n):
        true = rng.normal(0, 1.5, (n, 3))
        gold = (true + rng.gumbel(size=true.shape)).argmax(axis=1)
        made = [Example.of(f"<{z[0]}> <{z[1]}> <{z[2]}>", gold=labels[g]) for z, g in zip(true, gold, strict=True)]
        return [e.within(name) for e in made] if name else made

    model = FakeModel(rule=rule, card=model_card(labels=labels))
    found = numbers(run(three("", 150) + three("other", 150), model=model))
    assert f"estimated_accuracy[domain=other,estimate={ENTROPY}]" in found
    without = numbers(run(HARDER[:100] + HARDER[300:400]))
    assert not any(ENTROPY in key for key in without)


def test_a_class_that_the_domain_lacks_is_named():
    labels = ("negative", "positive", "neutral")
    model = FakeModel(rule=lambda text: [*rule(text), -9.0], card=model_card(labels=labels))
    home = [replace(e, gold="neutral") if n % 9 == 0 else e for n, e in enumerate(HARDER[:200])]
    records = run([*home, *HARDER[300:500]], model=model)
    assert "no item has the right answer neutral, which in-domain items have" in note(records, "harder")


def turn_right(examples):
    """Labels that the model always gives."""
    return [replace(e, gold="positive" if rule(e.text)[1] > 0 else "negative") for e in examples]


HOME, OTHER = HARDER[:120], HARDER[300:420]
BAD_HOMES = {
    "no labels": ([replace(e, gold=None) for e in HOME] + OTHER, SkipReason.NO_GOLD, "--label-column"),
    "few": (HOME[:29] + OTHER, SkipReason.TOO_FEW, "more labelled"),
    "few labelled": (
        HOME[:20] + [replace(e, gold=None) for e in HOME[20:]] + OTHER,
        SkipReason.TOO_FEW,
        "more labelled",
    ),
    "one class": ([e for e in HOME if e.gold == "positive"] + OTHER, SkipReason.UNDEFINED, "every class"),
    "all right": (turn_right(HOME) + OTHER, SkipReason.TOO_FEW, "more labelled"),
    "no domain": (HOME, SkipReason.NO_DOMAINS, "--shift"),
    "nothing": ([], SkipReason.NO_DOMAINS, "--shift"),
}


@pytest.mark.parametrize("case", BAD_HOMES)
def test_in_domain_items_that_tell_nothing_give_a_reason(case):
    data, reason, enable = BAD_HOMES[case]
    records = run(data)
    (skip,) = of(records, Skip)
    assert skip.reason is reason
    assert enable in skip.enable
    assert not of(records, Measurement)
    assert {a.scored for a in of(records, Accounting)} == {0}
    assert sum(a.unscored for a in of(records, Accounting)) == len(data)


def test_domains_that_cannot_be_compared_are_said_and_the_others_measured():
    copy = [e.within("copy") for e in HOME]
    records = run([*HOME, *OTHER, *copy, *items("tiny", 29)])
    skips = {s.slice["domain"]: s for s in of(records, Skip)}
    assert set(skips) == {"copy", "tiny"}
    assert "exactly the in-domain texts" in skips["copy"].detail
    assert "29 independent items of the 30 needed" in skips["tiny"].detail
    domains = {m.slice["domain"] for m in of(records, Measurement)}
    assert domains == {"in-domain", "harder"}
    scored = {a.slice["domain"]: (a.eligible, a.scored, a.unscored) for a in of(records, Accounting)}
    assert scored == {
        "in-domain": (120, 120, 0),
        "harder": (120, 120, 0),
        "copy": (120, 0, 120),
        "tiny": (29, 0, 29),
    }


def test_unlabelled_in_domain_items_and_answers_that_are_no_numbers_are_counted():
    broken = [Example.of(f"{n} <nan> <0>", gold="positive").within("harder") for n in range(4)]
    data = [*HOME, *(replace(e, gold=None) for e in items("", 10, seed=9)), *OTHER, *broken]
    records = run(data)
    scored = {a.slice["domain"]: (a.eligible, a.scored, a.unscored) for a in of(records, Accounting)}
    assert scored == {"in-domain": (130, 120, 10), "harder": (124, 120, 4)}
    assert "10 without a right answer are not used" in note(records, "in-domain")
    assert "4 got no finite answer" in note(records, "harder")


def test_repeated_texts_are_fewer_independent_items_and_widen_the_interval():
    key = f"estimated_accuracy[domain=harder,estimate={DIFFERENCE}]"
    once = numbers(run([*HOME, *OTHER]))[key]
    four = [replace(e, id=f"{e.id}{copy}") for e in [*HOME, *OTHER] for copy in range(4)]
    repeated = numbers(run(four))[key]
    assert (repeated.n, repeated.clusters) == (960, 240)
    assert repeated.value == pytest.approx(once.value)
    assert repeated.high - repeated.low == pytest.approx(once.high - once.low, rel=0.2)


def test_asks_once_and_survives_json_and_any_order_of_rows():
    model = over_confident()
    first = run(HARDER, model=model)
    assert model.calls == 1
    assert sorted(model.asked) == sorted(e.text for e in HARDER)
    assert [from_line(to_line(r)) for r in first] == first
    assert [to_line(r) for r in run(HARDER[::-1])] == [to_line(r) for r in first]
    keys = [m.key for m in of(first, Measurement)]
    assert len(keys) == len(set(keys))


def test_pairs_of_texts():
    data = [replace(e, text=(e.text, "and a second one")) for e in [*HOME, *OTHER]]
    assert numbers(run(data))["trusted_estimate[domain=harder]"].n == 240


def test_declares_what_it_is_for():
    info = Estimation.info
    assert info.problems == {ProblemType.SINGLE_LABEL}
    assert (info.domains, info.gold, info.risk) == (True, True, "shift")
    for word in ("covariate shift", "concept shift", "label noise"):
        assert word in info.doc.limits


@pytest.mark.parametrize("bad", [{"resamples": 99}, {"penalty": 0.0}])
def test_bad_parameters_are_refused(bad):
    with pytest.raises(UsageError):
        Estimation(**bad)


def test_intervals_cover_the_truth_where_the_assumption_holds():
    z = np.abs(generator(0, "truth").normal(0, 0.8, 400_000))
    truth = expit(z).mean()
    runs = 60
    hits = sum(
        found.low <= truth <= found.high
        for seed in range(runs)
        for found in [
            numbers(
                run(items("", 80, seed=seed) + items("harder", 80, seed=seed, spread=0.8), Estimation(resamples=200))
            )[f"estimated_accuracy[domain=harder,estimate={CALIBRATED}]"]
        ]
    )
    assert 0.86 * runs <= hits  # 0.93 less two Monte-Carlo errors
