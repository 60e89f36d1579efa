"""Explained examples on classifiers whose attributions are known exactly."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from probes.core.answers import Classifications, ProblemType
from probes.core.attributions import Attribution, Method
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import ModelCard
from probes.core.positive import Meaning, PositiveClass
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Skip, SkipReason, from_line, to_line
from probes.explanation.examples.changed import SLIP, SWAP
from probes.explanation.examples.picked import BOUNDARY, RANDOM, RIGHT, WRONG
from probes.explanation.examples.probe import Examples
from probes.text.identity import AXES
from tests.linear_model import LinearModel, explainable_card
from tests.probes.explanation.indifferent_model import Indifferent

POSITIVE = PositiveClass(labels=("positive",), meaning=Meaning.FAVOURABLE, origin="test")
WEIGHTS = {"superb": 4.0, "dreadful": -4.0, "muslim": -1.5, "rather": 0.2}
BIAS = -0.4
SUBJECTS = ("film", "meal", "hotel", "phone", "book", "song", "room", "jacket")


def card(positive=POSITIVE, **changes):
    return explainable_card().model_copy(update={"positive": positive, **changes})


def model(weights=WEIGHTS, **how):
    return LinearModel(weights, card=how.pop("card", card()), bias=BIAS, symmetric=True, **how)


def items():
    said = [
        Example.of(f"The {subject} here was {word} and we stayed long.", gold=gold)
        for subject in SUBJECTS
        for word, gold in (("superb", "positive"), ("dreadful", "negative"))
    ]
    return [
        *said,
        Example.of("Nobody there was superb at all in the end.", gold="negative"),
        Example.of("It was rather quiet at the lake this year.", gold="negative"),
        Example.of("A Muslim family runs the small shop there.", gold="negative"),
    ]


def run(model, data, probe=None, seed=0):
    probe = probe or Examples()
    return list(probe.run(model, data, Context(probe=probe.info.id, seed=seed)))


def of(records, kind):
    return [record for record in records if isinstance(record, kind)]


def cases(records, kind):
    return [record for record in of(records, Evidence) if record.slice == {"kind": kind}]


@pytest.fixture(scope="module")
def records():
    return run(model(), items())


def words_of(shown):
    return {shown.texts[word.part][word.start : word.end].lower(): word.weight for word in shown.words}


def test_every_kind_is_shown_with_the_weight_of_each_word(records):
    assert {record.slice["kind"] for record in of(records, Evidence)} == {RANDOM, RIGHT, WRONG, BOUNDARY, SLIP, SWAP}
    for evidence in of(records, Evidence):
        for shown in evidence.shown:
            sign = 0.5 if shown.answer == "positive" else -0.5
            for word, weight in words_of(shown).items():
                assert weight == pytest.approx(sign * WEIGHTS.get(word, 0.0))


def test_only_those_drawn_are_called_random_and_they_come_first(records):
    found = of(records, Evidence)
    assert [e.chosen for e in found] == ["random"] * 2 + ["worst"] * (len(found) - 2)
    assert {e.slice["kind"] for e in found if e.chosen == "random"} == {RANDOM}
    assert len(cases(records, RANDOM)) == 2


def test_the_confident_are_right_and_wrong_as_they_say(records):
    assert all(e.gold == e.shown[0].answer for e in cases(records, RIGHT))
    (wrong,) = cases(records, WRONG)
    assert wrong.shown[0].texts == ("Nobody there was superb at all in the end.",)
    assert (wrong.gold, wrong.shown[0].answer) == ("negative", "positive")
    assert wrong.shown[0].confidence == pytest.approx(1 / (1 + np.exp(-3.6)))


def test_the_closest_decision_comes_first_and_says_what_is_behind(records):
    first = cases(records, BOUNDARY)[0]
    assert first.shown[0].texts == ("It was rather quiet at the lake this year.",)
    assert first.note == "among the closest decisions: “positive” is 10.0 percentage points behind"


def test_a_slip_that_changes_the_answer_is_explained_before_and_after(records):
    for case in cases(records, SLIP):
        before, after = case.shown
        assert before.answer != after.answer
        assert before.texts != after.texts
        assert before.words
        assert after.words
        assert case.note.endswith("the answer changes")


def test_the_swap_with_the_largest_move_is_found(records):
    (case,) = cases(records, SWAP)
    before, after = case.shown
    assert "Muslim" in before.texts[0]
    assert "Muslim" not in after.texts[0]
    assert words_of(before)["muslim"] == pytest.approx(0.75)
    assert case.note.startswith("words that stand for a group (religion), from muslim to ")
    moved = 1 / (1 + np.exp(0.4)) - 1 / (1 + np.exp(1.9))
    assert f"the score moves by {moved:.3f}" in case.note


def test_a_twin_that_does_not_lean_on_groups_has_no_swap_to_show():
    made = run(model({key: value for key, value in WEIGHTS.items() if key != "muslim"}), items())
    assert not cases(made, SWAP)
    (skip,) = [s for s in of(made, Skip) if s.slice == {"kind": SWAP}]
    assert skip.reason is SkipReason.UNDEFINED
    assert "moves a score" in skip.detail


def test_weights_that_add_up_are_counted_and_those_that_do_not(records):
    (complete,) = [m for m in of(records, Measurement) if m.name == "complete_share"]
    assert complete.estimate.value == 1.0
    assert complete.estimate.estimand == "fixed_set"

    class Off(LinearModel):
        def attribute(self, texts, targets, **how):
            return [replace(each, special=0.02 * each.output) for each in super().attribute(texts, targets, **how)]

    made = run(Off(WEIGHTS, card=card(), bias=BIAS, symmetric=True), items())
    (complete,) = [m for m in of(made, Measurement) if m.name == "complete_share"]
    assert complete.estimate.value == 0.0


def test_the_share_of_the_top_words_is_that_of_the_weights():
    weights = {"one": 4.0, "two": 3.0, "three": 2.0, "four": 1.0}
    data = [Example.of("one two three four", gold="positive"), Example.of("three two one zero", gold="positive")]
    (top,) = [m for m in of(run(model(weights), data), Measurement) if m.name == "top_share"]
    assert top.estimate.value == pytest.approx((0.9 + 1.0) / 2)
    assert top.estimate.clusters == 2


def test_texts_are_explained_once_and_in_one_bulk():
    fake = model()
    run(fake, items())
    assert len(fake.explained) == len(set(fake.explained))
    assert {method for _, _, method in fake.explained} == {Method.INTEGRATED_GRADIENTS}
    assert len(fake.explained) <= 14


def test_row_order_has_no_influence(records):
    assert [to_line(r) for r in run(model(), items()[::-1])] == [to_line(r) for r in records]
    assert [from_line(to_line(r)) for r in records] == records


def test_each_is_the_number_of_cases_of_a_kind():
    made = run(model(), items(), Examples(each=3))
    assert len(cases(made, RANDOM)) == len(cases(made, RIGHT)) == len(cases(made, BOUNDARY)) == 3


def test_without_gold_only_the_other_kinds_are_shown():
    made = run(model(), [replace(example, gold=None) for example in items()])
    assert {s.slice["kind"] for s in of(made, Skip) if s.reason is SkipReason.NO_GOLD} == {RIGHT, WRONG}
    assert cases(made, RANDOM)
    assert cases(made, BOUNDARY)


def test_no_item_gives_a_reason():
    made = run(model(), [])
    assert of(made, Accounting)[0].eligible == 0
    assert of(made, Skip)
    assert not of(made, Evidence)


def test_another_method_is_used_when_asked_and_when_the_model_allows_no_other():
    asked = model()
    run(asked, items(), Examples(method="occlusion"))
    assert {method for _, _, method in asked.explained} == {Method.OCCLUSION}
    refused = model(card=card(unattributable={Method.INTEGRATED_GRADIENTS: "no gradient"}))
    made = run(refused, items())
    assert {method for _, _, method in refused.explained} == {Method.OCCLUSION}
    note = of(made, Accounting)[0].note
    assert "explained by leaving one word out, because the network does not allow integrated gradients" in note
    (skip,) = [s for s in of(made, Skip) if s.name == "complete_share"]
    assert "not meant to add up" in skip.detail
    none = model(card=card(unattributable=dict.fromkeys(Method, "no")))
    assert of(run(none, items()), Skip)[0].reason is SkipReason.NO_CAPABILITY


@pytest.mark.parametrize("wrong", [{"method": "magic"}, {"each": 0}])
def test_a_wrong_parameter_is_the_users_error(wrong):
    with pytest.raises(UsageError):
        Examples(**wrong)


def test_pairs_are_shown_with_both_texts():
    data = [Example.of((e.text, "They were superb."), gold=e.gold) for e in items()]
    made = run(model(), data)
    assert all(len(shown.texts) == 2 for e in of(made, Evidence) for shown in e.shown)
    assert any(word.part == 1 and word.weight for e in of(made, Evidence) for s in e.shown for word in s.words)
    assert cases(made, SWAP)


def test_texts_of_a_harm_classifier_are_under_a_note_and_only_harmless_ones_are_swapped():
    harm = PositiveClass(labels=("positive",), meaning=Meaning.HARM, origin="test")
    made = run(model(card=card(harm)), items())
    assert all(e.content_note for e in of(made, Evidence))
    assert cases(made, SWAP)
    harmful = [replace(e, gold="positive") if "Muslim" in e.text else e for e in items()]
    assert not cases(run(model(card=card(harm)), harmful), SWAP)


@dataclass
class Scores:
    """A regression: the sum of the weights, as the logit of "positive" is."""

    inner: LinearModel
    card: ModelCard

    def classify(self, texts):
        logits = self.inner.classify(texts).logits[:, 1:]
        return Classifications(logits=logits, labels=self.card.labels, problem=self.card.problem)

    def attribute(self, texts, targets, **how):
        found = self.inner.attribute(texts, ["positive"] * len(texts), **how)
        return [replace(each, target=target) for each, target in zip(found, targets, strict=True)]


def test_a_regression_has_no_boundary_and_is_explained_all_the_same():
    scored = card(PositiveClass(labels=("score",)), problem=ProblemType.REGRESSION, labels=("score",))
    data = [replace(example, gold=0.5) for example in items()]
    made = run(Scores(LinearModel(WEIGHTS, card=card()), scored), data)
    assert {s.slice["kind"] for s in of(made, Skip) if s.reason is SkipReason.WRONG_PROBLEM} == {RIGHT, WRONG, BOUNDARY}
    assert cases(made, RANDOM)[0].shown[0].confidence is None
    assert cases(made, SLIP)
    assert words_of(cases(made, SWAP)[0].shown[0])["muslim"] == -1.5


def test_of_several_labels_the_most_probable_is_explained_and_named():
    fake = model(card=card(problem=ProblemType.MULTI_LABEL))
    data = [replace(example, gold=(example.gold,)) for example in items()]
    made = run(fake, data)
    assert all("explained: “" in e.note for e in of(made, Evidence))
    assert "counts from 50%" in cases(made, BOUNDARY)[0].note


def test_a_model_that_says_nothing_gives_no_number():
    made = run(Indifferent({}, card=card()), items())
    assert not of(made, Measurement)
    assert {s.name for s in of(made, Skip)} >= {"complete_share", "top_share"}
    assert cases(made, RANDOM)


def test_a_text_without_a_word_is_not_shown():
    class Blind(LinearModel):
        def attribute(self, texts, targets, **how):
            found = super().attribute(texts, targets, **how)
            return [_nothing_read(each) if "quiet" in each.text else each for each in found]

    made = run(Blind(WEIGHTS, card=card(), symmetric=True), items())
    assert not [e for e in of(made, Evidence) if "quiet" in e.shown[0].texts[0]]
    assert "could not be: no word of them was read" in of(made, Accounting)[0].note


def _nothing_read(attribution: Attribution) -> Attribution:
    return replace(attribution, words=(), scores=np.zeros(0))


def test_every_axis_is_tried():
    assert {"gender", "religion"} <= set(AXES)
    men = [Example.of(f"My father sold the {subject} to a neighbour.", gold="positive") for subject in SUBJECTS]
    made = run(model({"father": 1.0, "mother": -1.0}), men)
    assert cases(made, SWAP)[0].note.startswith("words that stand for a group (gender), from ")
