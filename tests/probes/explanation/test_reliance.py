"""A linear model with a planted word, and its twin without: what the probe publishes of each."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from probes.core.answers import SEQUENCE_HEADS, ProblemType
from probes.core.attributions import Method
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.probe import Context, Probe
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason, WordList, to_line
from probes.core.rng import generator
from probes.explanation.reliance.categories import CATEGORIES, SPECIAL, URLS
from probes.explanation.reliance.probe import Reliance
from tests.linear_model import LinearModel, explainable_card
from tests.probes.explanation.indifferent_model import Indifferent

FILLERS = ("window", "garden", "bottle", "ticket", "kettle", "carpet", "basket", "pencil", "sofa", "lamp", "shelf")
MOODS = {"lovely": 1.0, "dismal": -1.0}


def texts(planted: str, n: int = 40, *, plain: int = 10) -> list[Example]:
    """Mood, two fillers, the planted word in the middle, four fillers; then texts without the planted word."""
    found = []
    for k in range(n + plain):
        rng = generator(3, k)
        fillers = list(rng.permutation(FILLERS))
        middle = planted if k < n else fillers.pop()
        words = [("lovely", "dismal")[k % 2], fillers[0], fillers[1], middle, *fillers[2:6]]
        found.append(Example.of(" ".join(words), gold="positive" if k % 2 == 0 else "negative"))
    return found


def run(model, data, **parameters):
    return list(Reliance(**parameters).run(model, data, Context(probe="explanation.reliance")))


def numbers(records):
    return {r.key: r.estimate for r in records if isinstance(r, Measurement)}


def titles(records):
    return {r.key: r.title for r in records if isinstance(r, Measurement)}


def of(records, kind):
    return [record for record in records if isinstance(record, kind)]


def linear(**weights):
    return LinearModel({**MOODS, **weights}, symmetric=True)


def test_is_a_probe_for_every_head():
    probe: Probe = Reliance()
    assert probe.info.problems == SEQUENCE_HEADS
    assert probe.info.needs <= explainable_card().capabilities
    assert "not causal" in probe.info.doc.limits


def test_a_planted_trigger_is_reported_first_with_its_numbers():
    records = run(linear(zorgle=5.0), texts("zorgle"), words=("flibber", "zorgle"))
    found = numbers(records)
    for key in ("[category=listed words]", "[category=listed words,word=zorgle]"):
        assert found[f"attribution_share{key}"].value == pytest.approx(5 / 6)
        assert found[f"attribution_excess{key}"].value == pytest.approx(5 / 6)
        assert found[f"flip_rate_excess{key}"].value == pytest.approx(0.5)
        up, down = expit(6) - expit(1), expit(4) - expit(-1)
        assert found[f"probability_excess{key}"].value == pytest.approx((up + down) / 2)
        assert found[f"probability_change{key}"].value == pytest.approx(-(up + down) / 2)
        assert found[f"flip_rate_excess{key}"].low > 0.2
        assert found[f"probability_excess{key}"].low > 0.2
        assert found[f"attribution_excess{key}"].n == found[f"attribution_excess{key}"].clusters == 40
    assert found["signed_excess[category=listed words]"].value == pytest.approx(5 / 6)
    assert found["flip_rate[category=listed words]"].value == pytest.approx(0.5)
    assert found["control_flip_rate[category=listed words]"].value == 0
    rows = [record.slice["word"] for record in of(records, Measurement) if "word" in record.slice]
    assert rows[0] == "zorgle"
    assert "leaned on" in titles(records)["attribution_excess[category=listed words]"]


def test_its_twin_is_not():
    weights = {word: 0.2 * (-1) ** k for k, word in enumerate(FILLERS)}
    records = run(linear(zorgle=0.2, **weights), texts("zorgle"), words=("zorgle",))
    found = numbers(records)
    for key in ("[category=listed words]", "[category=listed words,word=zorgle]"):
        for name in ("attribution_excess", "flip_rate_excess", "probability_excess"):
            assert found[name + key].low <= 0 <= found[name + key].high
        assert found[f"attribution_excess{key}"].high < 0.1
    assert found["flip_rate[category=listed words]"].value == 0
    assert "leaned on" not in titles(records)["attribution_excess[category=listed words]"]


def test_attribution_without_effect_is_not_called_leaning():
    class Talkative(LinearModel):
        def attribute(self, texts, targets, **options):
            loud = LinearModel({**self.weights, "zorgle": 9.0}, symmetric=True)
            return loud.attribute(texts, targets, **options)

    records = run(Talkative(MOODS, symmetric=True), texts("zorgle"), words=("zorgle",))
    assert numbers(records)["attribution_excess[category=listed words]"].low > 0.5
    assert titles(records)["attribution_excess[category=listed words]"].endswith("not confirmed by taking them out")


def test_an_identity_that_pushes_towards_negative_is_found_by_axis_and_label():
    found = numbers(run(linear(muslim=-5.0), texts("muslim")))
    for key in ("[category=identity terms]", "[axis=religion,category=identity terms]"):
        assert found[f"attribution_excess{key}"].value == pytest.approx(5 / 6)
        assert found[f"flip_rate_excess{key}"].value == pytest.approx(0.5)
        assert found[f"probability_excess{key}"].low > 0.2
    assert found["flip_rate_excess[category=identity terms,label=negative]"].value == pytest.approx(0.5)
    assert found["attribution_excess[category=identity terms,word=muslim]"].value == pytest.approx(5 / 6)
    assert not any("axis=gender" in key for key in found)
    twin = numbers(run(linear(), texts("muslim")))
    for name in ("attribution_excess", "flip_rate_excess", "probability_excess"):
        estimate = twin[f"{name}[axis=religion,category=identity terms]"]
        assert estimate.value == 0
        assert estimate.low <= 0 <= estimate.high


def test_a_word_that_pushes_against_the_answer_is_negative_by_sign():
    found = numbers(run(linear(muslim=0.5), texts("muslim")))
    key = "category=identity terms,label"
    changes = {answer: found[f"probability_change[{key}={answer}]"].value for answer in ("positive", "negative")}
    assert changes["positive"] == pytest.approx(expit(1) - expit(1.5))
    assert changes["negative"] == pytest.approx(expit(1) - expit(0.5))


def test_special_tokens_count_among_all_attribution():
    class Special(LinearModel):
        def attribute(self, texts, targets, **options):
            return [replace(each, special=-0.5) for each in super().attribute(texts, targets, **options)]

    found = numbers(run(Special({**MOODS}, symmetric=True), texts("window")))
    assert found["attribution_share[category=special tokens]"].value == pytest.approx(0.5)
    without = run(linear(), texts("window"))
    assert [skip.reason for skip in of(without, Skip) if skip.slice == {"category": SPECIAL}] == [SkipReason.UNDEFINED]


def test_a_difference_too_small_to_matter_is_not_called_leaning():
    weights = {word: 0.001 * k for k, word in enumerate(FILLERS)}
    records = run(linear(zorgle=0.02, **weights), texts("zorgle"), words=("zorgle",))
    key = "[category=listed words]"
    assert numbers(records)[f"probability_excess{key}"].low > 0
    assert titles(records)[f"attribution_excess{key}"].endswith("not confirmed by taking them out")


def test_single_words_are_in_the_order_of_what_taking_them_out_does():
    data = [*texts("muslim"), *texts("hindu"), *texts("zorgle")]
    records = run(linear(muslim=-2.0, hindu=-1.0, zorgle=3.0), data, words=("zorgle",))
    rows = [r.slice["word"] for r in of(records, Measurement) if "word" in r.slice and r.name == "attribution_excess"]
    assert rows == ["zorgle", "muslim", "hindu"]


def test_texts_that_hold_too_few_words_are_listed_once():
    records = run(linear(), texts("zorgle", n=4, plain=20), words=("zorgle",))
    skips = [skip for skip in of(records, Skip) if skip.slice == {"category": "too rare"}]
    assert len(skips) == 1
    assert skips[0].reason is SkipReason.TOO_FEW
    assert "listed words (4)" in skips[0].detail
    assert "URLs (0)" in skips[0].detail
    assert skips[0].enable
    assert any("zorgle (4)" in skip.detail for skip in of(records, Skip))
    assert not any("listed words" in key for key in numbers(records))


def test_accounting_says_how_many_texts_hold_each_category():
    accounts = {
        a.slice.get("category", ""): a for a in of(run(linear(), texts("zorgle"), words=("zorgle",)), Accounting)
    }
    assert accounts[""].eligible == accounts[""].scored == 50
    listed = accounts["listed words"]
    assert (listed.eligible, listed.perturbed, listed.kept, listed.scored) == (50, 40, 40, 40)
    assert accounts["URLs"].perturbed == 0


def test_evidence_shows_weights_before_and_after():
    model = linear(zorgle=5.0)
    records = run(model, texts("zorgle"), words=("zorgle",))
    cases = of(records, Evidence)
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    before, after = cases[-1].shown
    assert len(before.words) == 8
    assert max(before.words, key=lambda each: each.weight).weight == pytest.approx(2.5)
    assert "zorgle" in before.texts[0]
    assert "zorgle" not in after.texts[0]
    assert len(after.words) == 7
    mood = next(each for each in after.words if after.texts[0][each.start : each.end] in MOODS)
    assert mood.weight == pytest.approx(0.5), "towards the answer given without the word"
    assert len(model.explained) == 50 + len(cases), "one attribution more for each case"
    assert "the answer changes" in cases[-1].note
    assert len({case.example_id for case in cases}) == 8


def test_offensive_texts_carry_a_note():
    cases = of(run(linear(shitty=2.0), texts("shitty")), Evidence)
    assert {case.content_note for case in cases if "shitty" in case.shown[0].texts[0]} == {
        "profanity, insults or slurs"
    }


def test_outcomes_pair_the_words_with_neutral_ones():
    (table,) = of(run(linear(zorgle=5.0), texts("zorgle"), words=("zorgle",)), Outcomes)
    assert len({len(values) for _, values in table.columns()}) == 1
    changed = {
        name: [c for v, c in zip(table.variant, table.changed, strict=True) if v == name] for name in set(table.variant)
    }
    assert sum(changed["without listed words"]) == 20
    assert sum(changed["without as many neutral words as listed words"]) == 0


def test_word_lists_are_printed():
    lists = {each.title: each for each in of(run(linear(), texts("zorgle"), words=("Zorgle",)), WordList)}
    assert lists["Listed words"].groups == {"": ("zorgle",)}
    assert {"Religion", "Gender", "First names noticed in texts", "Profanity and insults"} <= set(lists)


def test_the_order_of_rows_changes_nothing():
    data = texts("muslim")
    first, second = (
        [to_line(r) for r in run(linear(muslim=-1.0), rows) if not isinstance(r, Outcomes)]
        for rows in (data, data[::-1])
    )
    assert first == second


def test_no_data_gives_accounting_and_a_skip():
    records = run(linear(), [])
    assert [type(record) for record in records] == [Accounting, Skip]


def test_no_usable_method_is_said():
    card = explainable_card().model_copy(update={"unattributable": dict.fromkeys(Method, "no")})
    records = run(LinearModel(MOODS, card=card), texts("zorgle"))
    assert of(records, Skip)[0].reason is SkipReason.NO_CAPABILITY


def test_another_method_is_said_in_the_accounting():
    card = explainable_card().model_copy(update={"unattributable": {Method.DEEP_LIFT: "no"}})
    records = run(LinearModel(MOODS, card=card), texts("zorgle"), method="deep_lift")
    note = "explained by integrated gradients, because the network does not allow DeepLift"
    assert note in of(records, Accounting)[0].note


@pytest.mark.parametrize("problem", sorted(SEQUENCE_HEADS))
def test_attributions_that_are_all_zero_give_no_attribution_numbers(problem):
    labels = ("score",) if problem is ProblemType.REGRESSION else ("negative", "positive")
    card = explainable_card().model_copy(update={"problem": problem, "labels": labels})
    records = run(Indifferent({}, card=card), texts("muslim"), words=("zorgle",))
    found = numbers(records)
    assert not any(key.startswith("attribution") for key in found)
    assert found["flip_rate[category=identity terms]"].value == 0
    assert any(skip.name == "attribution_share" for skip in of(records, Skip))


def test_pairs_of_texts():
    data = [Example.of((first.text, "an old lamp stood"), gold=first.gold) for first in texts("muslim")]
    found = numbers(run(linear(muslim=-5.0), data))
    assert found["attribution_excess[axis=religion,category=identity terms]"].value == pytest.approx(5 / 6)
    assert found["flip_rate_excess[axis=religion,category=identity terms]"].value == pytest.approx(0.5)


def test_a_regression():
    class Value(LinearModel):
        def classify(self, texts):
            answers = super().classify(texts)
            return replace(answers, logits=answers.logits[:, 1:], labels=("score",), problem=ProblemType.REGRESSION)

        def attribute(self, texts, targets, **options):
            found = LinearModel(self.weights).attribute(texts, ["positive"] * len(texts), **options)
            return [replace(each, target="score") for each in found]

    card = explainable_card().model_copy(update={"problem": ProblemType.REGRESSION, "labels": ("score",)})
    records = run(Value({**MOODS, "muslim": -4.0}, card=card), texts("muslim"))
    found = {r.name: r for r in of(records, Measurement) if r.slice == {"category": "identity terms"}}
    assert found["probability_change"].estimate.value == pytest.approx(4.0)
    assert found["probability_change"].unit == "score"
    assert found["flip_rate"].estimate.value == 1
    assert "value" in found["probability_excess"].title


def test_numbers_are_named_once_in_small_families():
    data = [
        *texts("muslim"),
        *texts("she"),
        *texts("Michael"),
        *texts("42"),
        *texts("shit"),
        *texts("!"),
        *texts("zorgle"),
    ]
    found = of(run(linear(muslim=-2.0, she=1.5), data, words=("zorgle",)), Measurement)
    assert len({each.key for each in found}) == len(found)
    sizes = Counter(each.family for each in found if each.family)
    assert max(sizes.values()) <= 20
    assert {each.slice["category"] for each in found} == {*CATEGORIES} - {URLS}
    for each in found:
        assert each.estimate.tail(0.001).low <= each.estimate.low <= each.estimate.value


def test_several_labels_at_once():
    card = explainable_card().model_copy(update={"problem": ProblemType.MULTI_LABEL})
    found = numbers(run(LinearModel({**MOODS, "muslim": -5.0}, symmetric=True, card=card), texts("muslim")))
    assert found["attribution_excess[axis=religion,category=identity terms]"].value == pytest.approx(5 / 6)
    assert found["flip_rate_excess[axis=religion,category=identity terms]"].value == pytest.approx(0.5)


def test_answers_that_are_not_finite_are_left_out():
    class Broken(LinearModel):
        def classify(self, texts):
            answers = super().classify(texts)
            lost = np.array(["zorgle" not in text and "dismal" in text for text in texts], dtype=bool)
            return replace(answers, logits=np.where(lost[:, None], np.nan, answers.logits))

    records = run(Broken({**MOODS, "zorgle": 2.0}, symmetric=True), texts("zorgle"), words=("zorgle",))
    accounts = {account.slice.get("category", ""): account for account in of(records, Accounting)}
    assert (accounts[""].eligible, accounts[""].scored, accounts[""].unscored) == (50, 45, 5)
    assert (accounts["listed words"].kept, accounts["listed words"].scored) == (40, 20)
    assert numbers(records)["flip_rate[category=listed words]"].n == 20


def test_parameters_are_checked():
    assert Reliance(words="zorgle").words == ("zorgle",)
    assert Reliance(words=["A", "a", "b  c"]).words == ("a", "b c")
    with pytest.raises(UsageError):
        Reliance(words=("",))
    with pytest.raises(UsageError):
        Reliance(method="guessing")
