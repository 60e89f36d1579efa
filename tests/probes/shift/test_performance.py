"""Quality by domain: against scikit-learn, on planted defects and their clean twins, and on unusable data."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk

from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.shift.performance.probe import Performance
from tests.conftest import FakeModel, model_card, sentiment_rule

WORDS = {"positive": ("good", "great", "lovely", "superb"), "negative": ("bad", "awful", "dull", "poor")}
THREE = ("negative", "neutral", "positive")


def texts(domain="", *, n=120, stars=False, noise=0.1, positive=0.5, seed=0, extra="", **example):
    """Sentences whose words say the label, but for a share `noise`; in-domain ones may end with the right stars."""
    rng, made = np.random.default_rng(seed), []
    for row in range(n):
        gold = "positive" if rng.random() < positive else "negative"
        says = gold if rng.random() >= noise else {"positive": "negative", "negative": "positive"}[gold]
        ending = (" five-stars" if gold == "positive" else " one-star") if stars else ""
        word = WORDS[says][int(rng.integers(4))]
        made.append(Example.of(f"The {word} thing {domain}{extra}{row}.{ending}", gold=gold, **example))
    return [example.within(domain) if domain else example for example in made]


def by_stars(text):
    """Reads nothing but the stars, which only the in-domain texts have."""
    return (0.1, 3.0 * ("five-stars" in str(text)))


def run(model, data, **parameters):
    probe = Performance(**({"resamples": 300} | parameters))
    return list(probe.run(model, data, Context(probe=probe.info.id)))


def numbers(records):
    return {record.key: record for record in records if isinstance(record, Measurement)}


def skips(records):
    return [record for record in records if isinstance(record, Skip)]


@pytest.fixture
def ordinary():
    home = texts(n=150, stars=True, seed=1)
    return [*home, *texts("mail", seed=2), *texts("chat", seed=3, positive=0.3, noise=0.2)]


def test_a_model_that_reads_a_mark_of_its_own_texts_is_caught_and_its_twin_is_not(ordinary):
    planted = numbers(run(FakeModel(rule=by_stars), ordinary))
    assert planted["accuracy[domain=in-domain]"].estimate.value == 1.0
    for key in ("accuracy_lost[domain=mail]", "worst_accuracy_lost", "accuracy_lost_rest[domain=mail]"):
        assert planted[key].estimate.tail(0.001).low > 0.2
    twin = numbers(run(FakeModel(rule=sentiment_rule), [*texts(n=150, seed=1), *texts("mail", seed=2)]))
    for key in ("accuracy_lost[domain=mail]", "worst_accuracy_lost", "accuracy_lost_rest[domain=mail]"):
        assert twin[key].estimate.tail(0.05).low <= 0
        assert twin[key].estimate.high < 0.2


def test_accuracy_and_f1_as_scikit_learn(ordinary):
    found = numbers(run(FakeModel(rule=sentiment_rule), ordinary))
    for name in ("", "mail", "chat"):
        own = [example for example in ordinary if example.domain == name]
        gold = [example.gold for example in own]
        answers = [("negative", "positive")[int(np.argmax(sentiment_rule(example.text)))] for example in own]
        part = f"[domain={name or 'in-domain'}]"
        assert found[f"accuracy{part}"].estimate.value == pytest.approx(sk.accuracy_score(gold, answers))
        f1 = sk.f1_score(gold, answers, average="macro")
        assert found[f"macro_f1{part}"].estimate.value == pytest.approx(f1)
        assert found[f"accuracy{part}"].estimate.n == len(own)


def test_losses_are_differences_and_parts_add_up(ordinary):
    found = {key: record.estimate for key, record in numbers(run(FakeModel(rule=sentiment_rule), ordinary)).items()}
    home, chat = found["accuracy[domain=in-domain]"], found["accuracy[domain=chat]"]
    loss = found["accuracy_lost[domain=chat]"]
    assert loss.value == pytest.approx(home.value - chat.value)
    assert found["accuracy_lost_relative[domain=chat]"].value == pytest.approx(loss.value / home.value)
    parts = [found[f"accuracy_lost_{name}[domain=chat]"].value for name in ("label_shares", "rest")]
    assert sum(parts) == pytest.approx(loss.value)
    ece = [found[f"ece_debiased[domain={name}]"].value for name in ("chat", "in-domain")]
    assert found["ece_added[domain=chat]"].value == pytest.approx(ece[0] - ece[1])
    assert found["worst_accuracy_lost"].value == pytest.approx(
        max(found[f"accuracy_lost[domain={name}]"].value for name in ("chat", "mail"))
    )


def test_the_worst_is_named_and_the_curve_has_every_domain(ordinary):
    records = run(FakeModel(rule=sentiment_rule), ordinary)
    assert "worst of 2 other kinds of texts (chat)" in numbers(records)["worst_accuracy_lost"].title
    (curve,) = (record for record in records if isinstance(record, Curve))
    assert [point.label for point in curve.points] == ["in-domain", "chat", "mail"]
    assert curve.points[0].y == numbers(records)["accuracy[domain=in-domain]"].estimate


def test_other_shares_of_the_labels_are_told_from_the_rest():
    def half_blind(text):
        """Misses a third of the positive texts, whatever their domain; never a negative one."""
        return (0.1, 3.0 * any(word in str(text) for word in ("good", "great", "lovely")) + 0.0)

    home = texts(n=400, noise=0.0, positive=0.2, seed=4)
    shifted = texts("mail", n=400, noise=0.0, positive=0.8, seed=5)
    found = {key: record.estimate for key, record in numbers(run(FakeModel(rule=half_blind), home + shifted)).items()}
    assert found["accuracy_lost[domain=mail]"].low > 0.05
    assert found["accuracy_lost_label_shares[domain=mail]"].low > 0.05
    assert found["accuracy_lost_rest[domain=mail]"].low < 0 < found["accuracy_lost_rest[domain=mail]"].high


def test_where_doubt_goes_with_error_fewer_texts_are_answered_and_where_all_is_well_all_are():
    def doubtful(text):
        """Sure of texts with an exclamation mark; the others it gets wrong on mail, and says so with little margin."""
        negative, positive = sentiment_rule(text)
        turned = "mail" in str(text) and "!" not in str(text)
        scale = 3.0 if "!" in str(text) else 0.2
        return (scale * positive, scale * negative) if turned else (scale * negative, scale * positive)

    home = texts(n=200, seed=6) + texts(n=200, seed=7, extra="!")
    mail = texts("mail", n=200, seed=8) + texts("mail", n=200, seed=9, extra="!")
    found = numbers(run(FakeModel(rule=doubtful), home + mail))["coverage_at_home_risk[domain=mail]"].estimate
    assert found.value == pytest.approx(0.5, abs=0.01)
    assert found.high < 0.8
    same = numbers(run(FakeModel(rule=sentiment_rule), home + mail))["coverage_at_home_risk[domain=mail]"].estimate
    assert same.high == 1.0


def test_overconfidence_elsewhere_is_reported():
    def sure(text):
        """Ninety percent sure of everything."""
        negative, positive = sentiment_rule(text)
        return (math.log(9), 0.0) if negative > positive else (0.0, math.log(9))

    data = [*texts(n=300, noise=0.1, seed=10), *texts("mail", n=300, noise=0.4, seed=11)]
    found = numbers(run(FakeModel(rule=sure), data))
    assert found["ece_debiased[domain=mail]"].estimate.value == pytest.approx(0.3, abs=0.08)
    assert found["ece_added[domain=mail]"].estimate.low > 0.1


def test_accounting_adds_up_by_domain(ordinary):
    data = [*ordinary, *(replace(example, gold=None) for example in texts("mail", n=7, extra="unlabelled"))]
    accounts = [record for record in run(FakeModel(rule=sentiment_rule), data) if isinstance(record, Accounting)]
    assert {a.slice["domain"]: (a.eligible, a.scored, a.unscored) for a in accounts} == {
        "in-domain": (150, 150, 0),
        "chat": (120, 120, 0),
        "mail": (127, 120, 7),
    }


def test_every_text_is_asked_once_and_has_one_outcome(ordinary):
    model = FakeModel(rule=sentiment_rule)
    records = run(model, ordinary)
    assert (model.calls, len(model.asked)) == (1, len(ordinary))
    (outcome,) = (record for record in records if isinstance(record, Outcomes))
    assert sorted(outcome.example_id) == sorted(example.id for example in ordinary)


def test_each_other_domain_shows_three_random_cases_before_any_worst(ordinary):
    shown = [record for record in run(FakeModel(rule=sentiment_rule), ordinary) if isinstance(record, Evidence)]
    chosen = [case.chosen for case in shown]
    assert chosen == sorted(chosen, key=["random", "worst"].index)
    for name in ("mail", "chat"):
        assert sum(case.chosen == "random" and case.slice == {"domain": name} for case in shown) == 3


def test_the_order_of_rows_changes_nothing(ordinary):
    forward, backward = (numbers(run(FakeModel(rule=sentiment_rule), data)) for data in (ordinary, ordinary[::-1]))
    assert forward == backward


def test_repeated_texts_count_once():
    data = [*texts(n=100, seed=12), *texts("mail", n=100, noise=0.3, seed=13)]
    thrice = [replace(example, id=f"{example.id}-{copy}") for example in data for copy in range(3)]
    once, more = (numbers(run(FakeModel(rule=sentiment_rule), rows)) for rows in (data, thrice))
    for key in ("accuracy_lost[domain=mail]", "accuracy_lost_rest[domain=mail]", "worst_accuracy_lost"):
        first, second = once[key].estimate, more[key].estimate
        assert second.value == pytest.approx(first.value)
        assert second.high - second.low > 0.9 * (first.high - first.low)
        assert second.clusters == 200


@pytest.mark.parametrize(
    ("other", "reason", "words"),
    [
        (texts("mail", n=29), SkipReason.TOO_FEW, "29 independent items"),
        ([replace(e, gold=None) for e in texts("mail")], SkipReason.NO_GOLD, "right answer"),
        (texts("mail", positive=1.0), SkipReason.UNDEFINED, "the same on the texts called mail"),
        ([e.within("mail") for e in texts(n=150, seed=1)], SkipReason.UNDEFINED, "exactly the in-domain texts"),
    ],
    ids=["few", "unlabelled", "one label", "identical"],
)
def test_a_domain_that_cannot_be_compared_is_skipped_with_a_reason(other, reason, words):
    home = texts(n=150, seed=1)
    alone = run(FakeModel(rule=sentiment_rule), [*home, *other])
    beside = run(FakeModel(rule=sentiment_rule), [*home, *other, *texts("chat")])
    for records in (alone, beside):
        (skip,) = (record for record in skips(records) if record.slice == {"domain": "mail"} and record.name is None)
        assert skip.reason is reason
        assert words in skip.detail
        assert skip.enable
    assert not numbers(alone)
    (worst,) = (record for record in skips(alone) if record.name == "worst_accuracy_lost")
    assert worst.reason is reason
    assert words in worst.detail
    assert "worst_accuracy_lost" in numbers(beside)
    assert {record.slice.get("domain") for record in numbers(beside).values()} == {"in-domain", "chat", None}


def test_home_that_cannot_be_compared_stops_everything():
    for home, reason in (
        (texts(n=20), SkipReason.TOO_FEW),
        (texts(n=100, positive=1.0), SkipReason.UNDEFINED),
        ([replace(example, gold=None) for example in texts()], SkipReason.NO_GOLD),
    ):
        records = run(FakeModel(rule=sentiment_rule), [*home, *texts("mail"), *texts("chat")])
        assert not numbers(records)
        assert reason in {record.reason for record in skips(records)}


def test_one_kind_of_texts_only_is_nothing_to_compare():
    (skip,) = skips(run(FakeModel(rule=sentiment_rule), texts()))
    assert skip.reason is SkipReason.NO_DOMAINS
    assert "--shift" in skip.enable


def three_rule(text):
    negative, positive = sentiment_rule(text)
    return (negative, 1.0 if "plain" in str(text) else 0.0, positive)


def plain(domain="", *, n=40):
    made = [Example.of(f"A plain thing {domain}{row}.", gold="neutral") for row in range(n)]
    return [example.within(domain) if domain else example for example in made]


def test_means_over_other_labels_are_not_compared():
    model = FakeModel(rule=three_rule, card=model_card(labels=THREE))
    for data, missing in (
        ([*texts(), *plain(), *texts("mail")], "no right answer is neutral on the texts called mail"),
        ([*texts(), *texts("mail"), *plain("mail")], "no right answer is neutral on the in-domain texts"),
    ):
        records = run(model, data)
        named = {record.name: record for record in skips(records)}
        assert missing in named["macro_f1_lost"].detail
        assert "accuracy_lost[domain=mail]" in numbers(records)
    assert {"accuracy_lost_label_shares", "accuracy_lost_rest"} <= named.keys()


def test_a_label_answered_but_never_right_does_not_enter_the_mean_of_f1():
    model = FakeModel(rule=lambda text: (*sentiment_rule(text)[:1], 9.0 * ("10" in text), sentiment_rule(text)[1]),
                      card=model_card(labels=THREE))  # fmt: skip
    data = [*texts(seed=1), *texts("mail", seed=2)]
    found = numbers(run(model, data))["macro_f1[domain=mail]"]
    own = [example for example in data if example.domain]
    answers = [THREE[int(np.argmax(model.rule(example.text)))] for example in own]
    assert "neutral" in answers
    expected = sk.f1_score([e.gold for e in own], answers, labels=["negative", "positive"], average="macro")
    assert found.estimate.value == pytest.approx(expected)


def scores(domain="", *, n=80, spread, seed):
    rng = np.random.default_rng(seed)
    made = [Example.of(f"{rng.normal()} {domain}", gold=float(rng.normal(0, spread))) for _ in range(n)]
    return [example.within(domain) if domain else example for example in made]


def test_scores_are_compared_by_their_errors():
    card = model_card(labels=("score",), problem=ProblemType.REGRESSION)
    data = [*scores(spread=1, seed=1), *scores("far", spread=3, seed=2), *scores("near", spread=1, seed=3)]
    records = run(FakeModel(rule=lambda _: (0.0,), card=card), data)
    found = {key: record.estimate for key, record in numbers(records).items()}
    far = [abs(example.gold) for example in data if example.domain == "far"]
    assert found["mae[domain=far]"].value == pytest.approx(sk.mean_absolute_error(far, np.zeros(80)))
    assert found["mae_added[domain=far]"].low > 0.5
    assert found["mae_added[domain=near]"].low < 0
    assert found["mae_added_relative[domain=far]"].value == pytest.approx(
        found["mae[domain=far]"].value / found["mae[domain=in-domain]"].value - 1
    )
    assert found["worst_mae_added"].low > 0.5
    assert not skips(records)


def test_sets_of_labels_have_the_numbers_that_make_sense_for_them():
    card = model_card(labels=("rude", "spam"), problem=ProblemType.MULTI_LABEL)

    def sets(domain="", *, seed):
        rng, made = np.random.default_rng(seed), []
        for row in range(90):
            on = rng.random(2) < 0.5
            gold = tuple(name for name, is_on in zip(("rude", "spam"), on, strict=True) if is_on)
            said = [name for name in gold if name == "rude" or row % 7 > 0]
            made.append(Example.of(f"{' '.join(said)} {domain}{row}", gold=gold))
        return [example.within(domain) if domain else example for example in made]

    model = FakeModel(rule=lambda text: [4.0 * (name in text) - 2 for name in ("rude", "spam")], card=card)
    records = run(model, [*sets(seed=1), *sets("mail", seed=2)])
    assert {"accuracy_lost[domain=mail]", "macro_f1_lost[domain=mail]", "ece_added[domain=mail]"} <= numbers(
        records
    ).keys()
    assert {skip.name: skip.reason for skip in skips(records)} == dict.fromkeys(
        ("accuracy_lost_label_shares", "accuracy_lost_rest", "coverage_at_home_risk"), SkipReason.WRONG_PROBLEM
    )


def test_answers_that_are_no_numbers_are_not_scored():
    def broken(text):
        return (math.nan, math.nan) if "mail7" in str(text) else sentiment_rule(text)

    records = run(FakeModel(rule=broken), [*texts(), *texts("mail")])
    (mail,) = (r for r in records if isinstance(r, Accounting) and r.slice["domain"] == "mail")
    lost = sum("mail7" in str(example.text) for example in texts("mail"))
    assert (mail.scored, mail.unscored) == (120 - lost, lost)
    assert numbers(records)["accuracy[domain=mail]"].estimate.n == 120 - lost


def test_pairs_of_texts_are_compared_too():
    data = [replace(example, text=("A premise.", str(example.text))) for example in [*texts(), *texts("mail")]]
    assert "accuracy_lost[domain=mail]" in numbers(run(FakeModel(rule=sentiment_rule), data))


def test_a_model_without_any_error_is_not_taken_to_be_flawless():
    found = numbers(run(FakeModel(rule=sentiment_rule), [*texts(n=60, noise=0), *texts("mail", n=60, noise=0)]))
    for name in ("accuracy", "macro_f1"):
        assert found[f"{name}[domain=mail]"].estimate.value == 1.0
        assert found[f"{name}[domain=mail]"].estimate.low < 0.97
        lost = found[f"{name}_lost[domain=mail]"].estimate
        assert lost.low < -0.03 < 0.03 < lost.high
