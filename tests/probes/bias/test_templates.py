"""The probe finds a group that scores lower, names it, and finds nothing in a model that does not look at groups."""

from __future__ import annotations

import hashlib
from collections import defaultdict

import numpy as np
import pytest

from probes.bias.templates.probe import Templates
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.positive import Meaning, PositiveClass, recognise
from probes.core.probe import Context
from probes.core.records import (
    Accounting,
    Curve,
    Evidence,
    Measurement,
    Outcomes,
    Skip,
    SkipReason,
    Unit,
    from_line,
    to_line,
)
from probes.text.identity import AXES, names, table
from probes.text.templates import sentences, templates
from tests.conftest import FakeModel, model_card, sentiment_rule

RELIGION = Templates(axes=("religion",))


def card(labels=("negative", "positive"), problem=ProblemType.SINGLE_LABEL):
    found = model_card(labels=labels, problem=problem)
    return found.model_copy(update={"positive": recognise(labels, problem)})


def model(lift, labels=("negative", "positive"), problem=ProblemType.SINGLE_LABEL):
    """A classifier whose score rises with `lift(text)`, between texts of different tone."""

    def rule(text):
        tone = 0.5 + 1.0 * ("lovely" in text or "thank" in text) - 1.2 * ("stupid" in text or "complain" in text)
        return (tone + lift(text),) if problem is ProblemType.REGRESSION else (0.0, tone + lift(text))

    return FakeModel(rule, card(labels, problem))


def run(probe, asked, data=(), seed=0):
    return list(probe.run(asked, list(data), Context(probe="bias.templates", seed=seed)))


def numbers(records):
    return {record.key: record for record in records if isinstance(record, Measurement)}


def of(records, kind):
    return [record for record in records if isinstance(record, kind)]


@pytest.fixture(scope="module")
def planted():
    return run(Templates(), model(lambda text: -2.0 * ("Muslim" in text)))


@pytest.fixture(scope="module")
def clean():
    return run(Templates(), model(lambda text: 0.0))


def test_the_planted_group_is_found_on_its_axis_only(planted):
    found = numbers(planted)
    worst = found["disparity[axis=religion]"]
    assert worst.estimate.tail(0.001).low > 0.2
    assert "lowest for muslim" in worst.title
    for axis in set(AXES) - {"religion"}:
        assert found[f"disparity[axis={axis}]"].estimate.value == 0
        assert found[f"answer_differs[axis={axis}]"].estimate.value == 0
    gaps = {key: found[key].estimate for key in found if key.startswith("gap_to_mean[axis=religion")}
    assert [key for key, gap in gaps.items() if gap.high < 0] == ["gap_to_mean[axis=religion,group=muslim]"]
    assert all(gap.low > 0 for key, gap in gaps.items() if "muslim" not in key)
    assert found["answer_differs[axis=religion]"].estimate.low > 0.3
    stability = found["lowest_group_stability[axis=religion]"]
    assert stability.estimate.value == 1
    assert "muslim" in stability.title


def test_the_clean_twin_has_no_gap_but_an_honest_interval(clean):
    for key, found in numbers(clean).items():
        if key.startswith(("disparity", "answer_differs")):
            assert found.estimate.value == found.estimate.low == 0
            assert found.estimate.high > 0.01
        if key.startswith("gap_to_mean"):
            assert found.estimate.value == pytest.approx(0, abs=1e-12)
            assert found.estimate.low < 0 < found.estimate.high
    reasons = {(record.name, record.reason) for record in of(clean, Skip)}
    assert reasons == {
        ("lowest_group_stability", SkipReason.UNDEFINED),
        ("gap_by_register", SkipReason.UNDEFINED),
    }


def test_numbers_are_those_worked_out_by_hand():
    def lift(text):
        return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:4], 16) / 65536 * 4 - 2

    asked = model(lift)
    found = numbers(run(RELIGION, asked))
    scores = defaultdict(dict)
    for sentence in sentences(table("religion"), names=(), terms=1):
        logit = np.diff(asked.rule(sentence.text))[0]
        scores[sentence.group][sentence.template] = 1 / (1 + np.exp(-logit))
    means = {group: np.mean(list(of_group.values())) for group, of_group in scores.items()}
    overall = np.mean(list(means.values()))
    for group, mean in means.items():
        assert found[f"mean_score[axis=religion,group={group}]"].estimate.value == pytest.approx(mean, abs=1e-12)
        gap = found[f"gap_to_mean[axis=religion,group={group}]"].estimate
        assert gap.value == pytest.approx(mean - overall, abs=1e-6)
        assert gap.n == gap.clusters == 80
    top, bottom = max(means, key=means.get), min(means, key=means.get)
    worst = found["disparity[axis=religion]"]
    assert worst.estimate.value == pytest.approx(means[top] - means[bottom], abs=1e-6)
    assert f"highest for {top}, lowest for {bottom}" in worst.title
    differs = sum(len({scores[group][template.id] > 0.5 for group in means}) > 1 for template in templates())
    assert found["answer_differs[axis=religion]"].estimate.value == pytest.approx(differs / 80)
    assert worst.family == "bias.templates.disparity"


def noisy(seed):
    """Scores that hang on the whole text: no group is favoured, templates alone decide."""

    def lift(text):
        return int(hashlib.md5(f"{seed}{text}".encode(), usedforsecurity=False).hexdigest()[:4], 16) / 65536 * 4 - 2

    return model(lift)


def test_noise_seldom_counts_as_a_gap_although_the_largest_is_picked():
    probe = Templates(axes=("religion",), resamples=300)
    told = [numbers(run(probe, noisy(seed))) for seed in range(100)]
    found = [each["disparity[axis=religion]"].estimate for each in told]
    assert all(estimate.value > 0.02 for estimate in found)
    assert sum(estimate.tail(0.05).low > 0 for estimate in found) <= 12  # 5 expected
    stable = [each["lowest_group_stability[axis=religion]"].estimate.value for each in told[:10]]
    assert np.median(stable) < 0.9


def test_a_conclusion_that_turns_with_the_register_is_shown():
    formal = {template.text for template in templates() if template.register in ("official", "news")}

    def lift(text):
        bare = text.replace("A Muslim", "{person}").replace("a Muslim", "{person}")
        for word in (" person", " man", " woman"):
            bare = bare.replace("{person}" + word, "{person}")
        return (2.0 if bare in formal else -2.0) * ("Muslim" in text)

    records = run(RELIGION, model(lift))
    (curve,) = of(records, Curve)
    by_register = {point.label: point.y for point in curve.points}
    assert len(by_register) == 5
    assert all(point.n == 16 for point in by_register.values())
    assert by_register["conversation"].low > 0
    assert by_register["official"].high < 0
    assert "2 of 5 reversed" in curve.title


def test_groups_without_names_are_compared_where_they_can_be():
    axis, people = table("race_ethnicity"), {name.text for name in names("race_ethnicity") if name.group == "black"}
    named = [s for s in sentences(axis, names=names("race_ethnicity"), terms=1) if s.term in people]
    assert len(named) > 30
    texts = {sentence.text for sentence in named}
    records = run(Templates(axes=("race_ethnicity",)), model(lambda text: -3.0 * (text in texts)))
    found = numbers(records)
    worst = found["disparity[axis=race_ethnicity]"]
    assert "lowest for black" in worst.title
    assert worst.estimate.tail(0.01).low > 0.1
    (curve,) = of(records, Curve)
    assert "minus black" in curve.title
    few = found["mean_score[axis=race_ethnicity,group=native_american]"]
    assert few.estimate.n < 60
    assert f"the {few.estimate.n} of 80 templates" in few.title


def test_the_two_groups_named_are_those_the_number_is_about():
    asked = model(lambda text: 3.0 * ("Native American" in text) - 0.1 * ("Black" in text))
    records = run(Templates(axes=("race_ethnicity",)), asked)
    (account,) = of(records, Accounting)
    assert account.unscored == 0
    worst = numbers(records)["disparity[axis=race_ethnicity]"]
    assert "highest for native_american, lowest for black" in worst.title
    made = sentences(table("race_ethnicity"), names=names("race_ethnicity"), terms=1)
    score = {(s.template, s.group): asked.card.positive.score(asked.classify([s.text]))[0] for s in made}
    shared = [template for template, group in score if group == "native_american"]
    by_hand = [score[t, "native_american"] - score[t, "black"] for t in shared]
    assert worst.estimate.value == pytest.approx(np.mean(by_hand), abs=1e-6)
    (curve,) = of(records, Curve)
    assert len(curve.points) == 5  # on the templates filled with noun phrases
    assert all(point.y.n < 16 for point in curve.points)


def test_without_a_positive_class_only_answers_are_compared():
    topics = model_card(labels=("sport", "politics", "arts"))

    def rule(text):
        return (0.0, 2.0 * ("Muslim" in text), 1.0)

    records = run(RELIGION, FakeModel(rule, topics))
    assert set(numbers(records)) == {"answer_differs[axis=religion]"}
    assert numbers(records)["answer_differs[axis=religion]"].estimate.value == 1
    (skip,) = of(records, Skip)
    assert skip.reason is SkipReason.NO_POSITIVE_CLASS
    assert "--positive-label" in skip.enable
    assert all("Muslim" in str(case.shown) for case in of(records, Evidence) if case.chosen == "worst")


def test_a_regression_is_measured_in_its_own_unit():
    records = run(RELIGION, model(lambda text: -20.0 * ("Muslim" in text), ("value",), ProblemType.REGRESSION))
    found = numbers(records)
    worst = found["disparity[axis=religion]"]
    assert worst.estimate.value == pytest.approx(20)
    assert worst.unit is found["mean_score[axis=religion,group=muslim]"].unit is Unit.SCORE
    assert found["gap_to_mean[axis=religion,group=hindu]"].estimate.value == pytest.approx(20 / 6)
    assert found["answer_differs[axis=religion]"].estimate.value == 1


def test_label_sets_are_scored_by_the_positive_labels():
    labels = ("toxicity", "insult")

    def rule(text):
        return (-3.0, 3.0 * ("Muslim" in text) - 3.0)

    positive = PositiveClass(labels=labels, meaning=Meaning.HARM)
    multi = card(labels, ProblemType.MULTI_LABEL).model_copy(update={"positive": positive})
    worst = numbers(run(RELIGION, FakeModel(rule, multi)))["disparity[axis=religion]"]
    assert "highest for muslim" in worst.title
    assert worst.estimate.value == pytest.approx(0.5 - 1 / (1 + np.exp(3)))


def test_a_template_with_an_unusable_answer_is_left_out_for_all_groups():
    def lift(text):
        return np.nan if "Jewish" in text and "museum" in text else 0.0

    records = run(RELIGION, model(lift))
    (account,) = of(records, Accounting)
    assert account.unscored == 6
    assert account.eligible == 480
    assert account.scored == 474
    assert numbers(records)["mean_score[axis=religion,group=hindu]"].estimate.n == 79


def test_a_model_that_never_answers_gives_reasons():
    records = run(RELIGION, model(lambda text: np.nan))
    assert not numbers(records)
    assert {record.reason for record in of(records, Skip)} == {SkipReason.TOO_FEW}


def test_one_bulk_of_bearable_size(planted):
    asked = FakeModel(sentiment_rule, card())
    records = run(Templates(), asked)
    assert asked.calls == 1
    assert 3000 <= len(asked.asked) <= 4500
    assert sum(account.eligible for account in of(records, Accounting)) == len(asked.asked)
    (rows,) = of(records, Outcomes)
    assert len(rows) == len(asked.asked)
    assert len(set(zip(rows.example_id, rows.variant, strict=True))) == len(rows)
    assert rows.variant[0] == "axis=gender,group=female,term=0"


def test_evidence_shows_ordinary_cases_then_the_furthest(planted):
    cases = of(planted, Evidence)
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    for case in cases[3:]:
        assert "Muslim" in case.shown[0].texts[0]
        assert case.slice["axis"] == "religion"
    assert len({(case.example_id, case.slice["axis"]) for case in cases}) == 8


def test_records_survive_json_and_repeat(planted):
    again = run(Templates(), model(lambda text: -2.0 * ("Muslim" in text)))
    lines = [to_line(record) for record in planted if not isinstance(record, Outcomes)]
    assert lines == [to_line(record) for record in again if not isinstance(record, Outcomes)]
    assert [to_line(from_line(line)) for line in lines] == lines


def test_the_users_data_have_no_influence(sentiment_examples):
    asked = model(lambda text: -2.0 * ("Muslim" in text))
    without, with_data = run(RELIGION, asked), run(RELIGION, asked, sentiment_examples)
    assert numbers(without) == numbers(with_data)
    assert not Templates.info.data
    assert Templates.info.doc.question.endswith("?")


@pytest.mark.parametrize("settings", [{"axes": ("relligion",)}, {"terms": 0}, {"resamples": 0}])
def test_wrong_parameters_are_refused(settings):
    with pytest.raises(UsageError):
        Templates(**settings)
