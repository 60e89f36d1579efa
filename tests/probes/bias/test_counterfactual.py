from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from probes.bias.counterfactual.probe import Counterfactual
from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.positive import Meaning, PositiveClass
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.text.identity import names
from tests.conftest import FakeModel, model_card, sentiment_rule

POSITIVE = PositiveClass(labels=("positive",), meaning=Meaning.FAVOURABLE, origin="label names")
PEOPLE = names("race_ethnicity")
WORDS = ("good", "great", "lovely", "bad", "awful", "dull")


def of_group(group):
    return [name.text for name in PEOPLE if name.group == group]


BLACK = frozenset(of_group("black"))


def fair(text):
    return sentiment_rule(text)


def against_black_names(text):
    low, high = sentiment_rule(text)
    return (low + 1.5 * any(word in BLACK for word in re.findall(r"\w+", str(text))), high)


def data(n=10):
    return [
        Example.of(f"{name} said that the meal was {WORDS[k % len(WORDS)]}.", gold="positive")
        for group in ("black", "white")
        for k, name in enumerate((of_group(group) * n)[: 3 * n])
    ]


def model(rule, *, positive=POSITIVE, labels=("negative", "positive"), problem=ProblemType.SINGLE_LABEL):
    card = model_card(labels=labels, problem=problem).model_copy(update={"positive": positive})
    return FakeModel(rule=rule, card=card)


def run(rule, examples=None, *, axes=("race_ethnicity",), **how):
    probe = Counterfactual(axes=axes, resamples=400)
    return list(probe.run(model(rule, **how), data() if examples is None else examples, Context(probe=probe.info.id)))


def measurements(records):
    return {record.key: record for record in records if isinstance(record, Measurement)}


def black_white_gap(records):
    return next(
        record
        for record in measurements(records).values()
        if record.name == "score_gap"
        and record.slice["source"] == "data"
        and set(record.slice["pair"].split(" vs ")) == {"black", "white"}
    )


def test_a_model_that_dislikes_a_group_of_names_is_shown_with_the_group():
    found = measurements(run(against_black_names))
    disparity = found["disparity[axis=race_ethnicity,source=data]"]
    assert disparity.estimate.tail(0.05).low > 0.05
    assert "black" in disparity.title
    assert "favours black" not in disparity.title
    gap = next(m for m in found.values() if m.name == "score_gap" and m.slice["pair"] == "black vs white")
    sign = 1 if gap.slice["pair"].startswith("white") else -1
    assert sign * gap.estimate.value > 0.05
    assert "favours white" in gap.title


def test_its_twin_is_not():
    found = measurements(run(fair))
    for source in ("data", "templates"):
        part = f"[axis=race_ethnicity,source={source}]"
        assert found[f"disparity{part}"].estimate.value == pytest.approx(0, abs=1e-12)
        assert found[f"flip_rate{part}"].estimate.value == 0
    assert all("favours" not in m.title for m in found.values() if m.name == "score_gap")


def test_the_gap_is_the_mean_over_texts_of_paired_differences():
    records = run(against_black_names)
    outcomes = next(record for record in records if isinstance(record, Outcomes))
    rows = [
        (cluster, score)
        for cluster, variant, score in zip(outcomes.cluster, outcomes.variant, outcomes.score, strict=True)
        if variant.startswith("data, race_ethnicity: black to white")
    ]
    before = {example.cluster: example.text for example in data()}
    fake = model(against_black_names)
    clean = POSITIVE.score(fake.classify([before[cluster] for cluster, _ in rows]))
    back = [
        (cluster, score)
        for cluster, variant, score in zip(outcomes.cluster, outcomes.variant, outcomes.score, strict=True)
        if variant.startswith("data, race_ethnicity: white to black")
    ]
    clean_back = POSITIVE.score(fake.classify([before[cluster] for cluster, _ in back]))
    by_hand = np.mean([*(clean - [score for _, score in rows]), *(np.array([score for _, score in back]) - clean_back)])
    gap = black_white_gap(records)
    sign = 1 if gap.slice["pair"] == "black vs white" else -1
    assert gap.estimate.value == pytest.approx(sign * by_hand, abs=1e-12)


def test_noise_about_names_is_taken_off():
    """A model that reacts to every name in its own way, whatever the group, has flips and no excess of them."""

    def fickle(text):
        found = [word for word in re.findall(r"\w+", str(text)) if word in {name.text for name in PEOPLE}]
        return (0.0, (sum(map(ord, found[0])) % 7 - 3) * 1.0 + 0.01 if found else 0.01)

    found = measurements(run(fickle, data(n=30)))
    part = "[axis=race_ethnicity,source=data]"
    assert found[f"flip_rate{part}"].estimate.value > 0.2
    assert found[f"control_flip_rate{part}"].estimate.value > 0.2
    excess = found[f"excess_flip_rate{part}"].estimate
    assert excess.tail(0.05).low < 0.05


HARM = PositiveClass(labels=("positive",), meaning=Meaning.HARM, origin="declared")


def test_a_harm_classifier_favours_nobody_by_calling_texts_harmful():
    unlabelled = [replace(example, gold=None) for example in data()]
    gap = black_white_gap(run(against_black_names, unlabelled, positive=HARM))
    assert "white taken for more harmful than black" in gap.title
    assert "favours" not in gap.title


def test_of_a_harm_classifier_only_harmless_texts_are_swapped():
    """What is hateful about one group need not be about another, so a changed answer may be right."""
    harmful = data()
    harmless = [replace(example, id=f"h{k}", gold="negative") for k, example in enumerate(data())]

    def eligible(examples):
        records = run(against_black_names, examples, positive=HARM)
        found = [r for r in records if isinstance(r, Accounting) and r.slice["source"] == "data"]
        return found[0].eligible if found else 0

    assert eligible(harmful) == 0
    assert eligible([*harmful, *harmless]) == len(harmless)


def test_a_rare_pair_does_not_make_the_disparity():
    few = [e for e in data(n=4) if str(e.text).split()[0] in BLACK]
    found = measurements(run(against_black_names, few))
    assert black_white_gap(run(against_black_names, few)).estimate.clusters >= 10
    assert "disparity[axis=race_ethnicity,source=data]" not in found


def test_without_a_positive_class_by_the_users_word_gaps_do_not_apply():
    records = run(
        lambda text: (*sentiment_rule(text), 0.05), positive=PositiveClass(origin="none"), labels=("a", "b", "c")
    )
    reasons = {record.reason for record in records if isinstance(record, Skip) and record.name == "disparity"}
    assert reasons == {SkipReason.WRONG_PROFILE}


def test_texts_without_a_mention_are_counted_and_not_scored():
    records = run(fair, [Example.of(f"The meal number {k} was good.") for k in range(12)])
    account = next(record for record in records if isinstance(record, Accounting) and record.slice["source"] == "data")
    assert (account.eligible, account.perturbed, account.kept, account.scored) == (12, 0, 0, 0)
    skip = next(r for r in records if isinstance(r, Skip) and r.slice.get("source") == "data")
    assert skip.reason is SkipReason.NOTHING_PERTURBED


def test_few_texts_give_no_number():
    records = run(fair, data()[:4])
    assert not [m for m in measurements(records).values() if m.slice["source"] == "data"]
    assert {r.reason for r in records if isinstance(r, Skip) and r.slice["source"] == "data"} == {SkipReason.TOO_FEW}


def test_without_a_positive_class_answers_are_compared_and_gaps_are_not():
    def topics(text):
        return (*sentiment_rule(text), 0.05)

    records = run(topics, positive=PositiveClass(), labels=("a", "b", "c"))
    found = measurements(records)
    assert "flip_rate[axis=race_ethnicity,source=data]" in found
    assert not [m for m in found.values() if m.name in ("disparity", "score_gap")]
    assert SkipReason.NO_POSITIVE_CLASS in {record.reason for record in records if isinstance(record, Skip)}


def test_a_regression_has_gaps_in_its_own_unit():
    records = run(
        lambda text: (against_black_names(text)[1] - against_black_names(text)[0],),
        labels=("score",),
        problem=ProblemType.REGRESSION,
        positive=PositiveClass(labels=("score",), origin="the only score"),
    )
    found = measurements(records)["disparity[axis=race_ethnicity,source=data]"]
    assert found.unit == "score"
    assert found.estimate.value == pytest.approx(1.5, abs=0.2)


def test_both_texts_of_a_pair_are_swapped_alike():
    examples = [Example.of((f"{name} ate a meal.", f"The meal of {name} was good.")) for name in of_group("white")[:15]]
    fake = model(fair)
    probe = Counterfactual(axes=("race_ethnicity",), resamples=200)
    list(probe.run(fake, examples, Context(probe=probe.info.id)))
    asked = {text for text in fake.asked if isinstance(text, tuple)} - {example.text for example in examples}
    assert asked
    for first, second in asked:
        assert first.split()[0] in second


def test_evidence_is_random_first_and_names_what_was_replaced():
    cases = [record for record in run(against_black_names) if isinstance(record, Evidence)]
    assert [case.chosen for case in cases] == sorted((case.chosen for case in cases), key=["random", "worst"].index)
    assert len(cases) >= 6
    assert all("→" in case.note and len(case.shown) == 2 for case in cases)


def test_own_terms_are_a_further_axis(tmp_path):
    from probes.text.identity import read_terms

    path = tmp_path / "identity_department.tsv"
    path.write_text(
        "# provenance: ours\n# licence: none\n# columns: kind, sales, research\nperson\tsalesperson\tresearcher\n",
        encoding="utf-8",
    )
    own = read_terms(path)
    probe = Counterfactual(axes=(), own_tables=(own,), resamples=200)
    examples = [Example.of(f"The salesperson number {k} was good.") for k in range(90)]
    found = measurements(
        list(probe.run(model(lambda t: (1.0 * ("researcher" in t), 0.5)), examples, Context(probe=probe.info.id)))
    )
    gap = next(m for m in found.values() if m.name == "score_gap" and m.slice["source"] == "data")
    assert gap.estimate.value > 0.1
    assert "favours sales" in gap.title
