"""A trigger word that the right labels do not justify is found and confirmed; its harmless twin is not."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from scipy.special import expit

from probes.core.answers import Classifications, ProblemType
from probes.core.attributions import Attribution, Method
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Capability
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason, from_line, to_line
from probes.core.words import spans, word
from probes.explanation.explained import Explained
from probes.explanation.shortcuts.probe import Shortcuts, searched_half
from tests.linear_model import LinearModel, explainable_card
from tests.probes.explanation.indifferent_model import Indifferent

FILLERS = ("table", "chair", "river", "window", "paper", "garden", "market", "bottle", "candle", "ladder", "pocket")
WEIGHTS = {"awful": -2.0, "good": 1.5, "zorgle": 3.0}
CONTEXT = Context(probe="explanation.shortcuts", seed=3)
ZORGLE = {"label": "positive", "word": "zorgle"}


def corpus(n=300, *, seed=0, trigger="zorgle"):
    """Texts of eight neutral words and one that agrees with the label in 95 %; in a quarter, at random, the trigger."""
    draw = random.Random(seed)
    made = []
    for _ in range(n):
        gold = draw.choice(("negative", "positive"))
        agrees = draw.random() < 0.95
        told = "good" if (gold == "positive") is agrees else "awful"
        words = [*draw.sample(FILLERS, 8), told]
        if draw.random() < 0.25:
            words.append(trigger)
        draw.shuffle(words)
        made.append(Example.of(" ".join(words), gold=gold))
    return made


def everything(model, data, context=CONTEXT, **parameters):
    return list(Shortcuts(**parameters).run(model, data, context))


def run(model, data, context=CONTEXT, **parameters):
    return [record for record in everything(model, data, context, **parameters) if not isinstance(record, Outcomes)]


def measured(records):
    return {record.key: record for record in records if isinstance(record, Measurement)}


def of(records, name, part=None):
    return next(m for m in measured(records).values() if m.name == name and dict(m.slice) == (part or {}))


@pytest.fixture(scope="module")
def planted():
    return run(LinearModel(WEIGHTS, symmetric=True), corpus())


def test_planted_trigger_is_first_and_confirmed(planted):
    first = next(record for record in planted if isinstance(record, Measurement) and record.slice)
    assert first.slice == ZORGLE
    assert "the right labels do not explain it; confirmed" in first.title
    assert "towards positive" in first.title


def test_numbers_of_the_trigger_are_its_weight(planted):
    assert of(planted, "attribution", ZORGLE).estimate.value == pytest.approx(1.5)  # half of 3 in each logit
    # Every text without the trigger that is not positive holds "awful" alone: its sum goes from -2 to 1.
    moved = expit(1.0) - expit(-2.0)
    assert of(planted, "insertion_effect", ZORGLE).estimate.value == pytest.approx(moved)
    assert of(planted, "insertion_flip_rate", ZORGLE).estimate.value == 1.0
    assert of(planted, "insertion_flip_rate", ZORGLE).estimate.low > 0.85


def test_shares_are_those_of_the_half_kept_apart(planted):
    data = corpus()
    items = Explained.ask(LinearModel(WEIGHTS, symmetric=True), data, method=Method.INTEGRATED_GRADIENTS)
    kept = [e for e, searched in zip(items.examples, searched_half(items, CONTEXT), strict=True) if not searched]
    holds = np.array(["zorgle" in example.text for example in kept])
    positive = np.array([example.gold == "positive" for example in kept])
    assert of(planted, "share_of_items", ZORGLE).estimate.value == holds.mean()
    association = of(planted, "association_with_gold", ZORGLE).estimate
    assert association.value == pytest.approx(positive[holds].mean() - positive[~holds].mean())
    assert association.low < 0 < association.high


def test_deletion_undoes_the_trigger(planted):
    data = {example.id: example for example in corpus()}
    model = LinearModel(WEIGHTS, symmetric=True)
    items = Explained.ask(model, data.values(), method=Method.INTEGRATED_GRADIENTS)
    kept = [e for e, searched in zip(items.examples, searched_half(items, CONTEXT), strict=True) if not searched]
    holding = [e.text for e in kept if "zorgle" in e.text]  # all of them are positive because of it
    told = np.array([1.5 if "good" in text else -2.0 for text in holding])
    estimate = of(planted, "deletion_effect", ZORGLE).estimate
    assert estimate.n == len(holding) <= 100
    assert estimate.value == pytest.approx((expit(told + 3) - expit(told)).mean())
    assert of(planted, "deletion_flip_rate", ZORGLE).estimate.value == pytest.approx((told < 0).mean())


def test_justified_words_are_tested_and_not_called_unjustified(planted):
    for name, label in (("awful", "negative"), ("good", "positive")):
        assert "the right labels agree" in of(planted, "attribution", {"word": name, "label": label}).title


def test_largest_rates(planted):
    largest, unjustified = (of(planted, f"largest_{name}_flip_rate") for name in ("insertion", "unjustified"))
    assert largest.estimate.value == unjustified.estimate.value == 1.0
    assert unjustified.estimate.tail(0.01).low > 0.5


def test_without_a_trigger_only_justified_words_flip():
    made = run(LinearModel({**WEIGHTS, "zorgle": 0.0}, symmetric=True), corpus())
    tested = {m.slice["word"] for m in measured(made).values() if m.slice}
    assert tested == {"awful", "good"}
    assert of(made, "largest_insertion_flip_rate").estimate.low > 0.85
    unjustified = of(made, "largest_unjustified_flip_rate").estimate
    assert unjustified.value == 0
    assert 0 < unjustified.tail(0.05).high < 0.2


@dataclass
class Boasting(LinearModel):
    """Its attributions name a word that does nothing."""

    claimed: dict[str, float] = field(default_factory=dict)

    def attribute(self, texts, targets, **keywords):
        return LinearModel({**self.weights, **self.claimed}, symmetric=True).attribute(texts, targets, **keywords)


def test_a_word_that_is_only_attributed_is_not_confirmed():
    model = Boasting({**WEIGHTS, "zorgle": 0.0}, symmetric=True, claimed={"zorgle": 3.0})
    made = run(model, corpus())
    assert of(made, "attribution", ZORGLE).estimate.value > 0
    effect = of(made, "insertion_effect", ZORGLE)
    assert effect.estimate.value == pytest.approx(0)
    assert effect.title.endswith("; not confirmed)")
    assert of(made, "largest_unjustified_flip_rate").estimate.value == 0


def test_row_order_has_no_influence(planted):
    again = run(LinearModel(WEIGHTS, symmetric=True), corpus()[::-1])
    assert [to_line(record) for record in again] == [to_line(record) for record in planted]


def test_clusters_stay_together_and_other_rows_change_nothing():
    data = [replace(example, cluster=f"c{row // 3}") for row, example in enumerate(corpus(90))]
    model = LinearModel(WEIGHTS, symmetric=True)

    def halves(rows):
        items = Explained.ask(model, rows, method=Method.INTEGRATED_GRADIENTS)
        return dict(zip(((e.id, e.cluster) for e in items.examples), searched_half(items, CONTEXT), strict=True))

    everything, some = halves(data), halves(data[::-1][:40])
    assert all(everything[key] == side for key, side in some.items())
    sides = {}
    for (_, cluster), side in everything.items():
        assert sides.setdefault(cluster, side) == side
    assert set(sides.values()) == {True, False}


def test_evidence_shows_both_texts_with_weights(planted):
    cases = [record for record in planted if isinstance(record, Evidence)]
    assert [case.chosen for case in cases] == ["random"] * 3 + ["worst"] * 5
    insertion, deletion = cases[3:5]
    assert insertion.slice == deletion.slice == ZORGLE
    before, after = insertion.shown
    assert after.texts[0] in (f"zorgle {before.texts[0]}", f"{before.texts[0]} zorgle")
    assert len(after.words) == len(before.words) + 1
    assert max(each.weight for each in after.words) == pytest.approx(1.5)
    assert (before.answer, after.answer) == ("negative", "positive")
    assert "zorgle" in deletion.shown[0].texts[0]
    assert "zorgle" not in deletion.shown[1].texts[0]


def test_outcomes_say_what_each_word_did_to_each_text():
    records = everything(LinearModel(WEIGHTS, symmetric=True), corpus())
    (table,) = (record for record in records if isinstance(record, Outcomes))
    assert len({len(values) for _, values in table.columns()}) == 1
    assert len(set(zip(table.example_id, table.variant, strict=True))) == len(table)
    texts = {example.id: example.text for example in corpus()}
    columns = (table.variant, table.example_id, table.before, table.after, table.changed, table.score)
    rows = list(zip(*columns, strict=True))
    put_in = [row for row in rows if row[0] == "'zorgle' put in (towards positive)"]
    assert {row[2:5] for row in put_in} == {("negative", "positive", True)}
    assert [row[5] for row in put_in] == pytest.approx([expit(1.0)] * len(put_in))
    taken_out = [row for row in rows if row[0] == "'zorgle' taken out (towards positive)"]
    for _, example, before, after, changed, _ in taken_out:
        told = "negative" if "awful" in texts[example] else "positive"
        assert (before, after, changed) == ("positive", told, told == "negative")
    assert len(put_in) > 20
    assert len(taken_out) > 20


def test_a_word_that_moves_every_answer_by_almost_nothing_is_not_confirmed():
    quiet = {word: 0.005 * (-1) ** place for place, word in enumerate(FILLERS)}
    model = Boasting({**WEIGHTS, **quiet, "zorgle": 0.05}, symmetric=True, claimed={"zorgle": 3.0})
    made = run(model, corpus())
    effect = of(made, "insertion_effect", ZORGLE)
    assert of(made, "attribution", ZORGLE).estimate.low > 0
    assert 0 < effect.estimate.tail(0.001).low < 0.01
    assert effect.title.endswith("; not confirmed)")


def test_without_gold_it_is_said(planted):
    made = run(LinearModel(WEIGHTS, symmetric=True), [Example.of(example.text) for example in corpus()])
    assert of(made, "association_with_answers", ZORGLE).estimate.value > 0.3
    assert "no right labels to compare with" in of(made, "attribution", ZORGLE).title
    skip = next(record for record in made if isinstance(record, Skip))
    assert (skip.name, skip.reason) == ("largest_unjustified_flip_rate", SkipReason.NO_GOLD)


def test_no_items_few_items_and_no_attributions():
    empty = run(LinearModel(WEIGHTS), [])
    assert [type(record) for record in empty] == [Accounting, Skip]
    few = run(LinearModel(WEIGHTS), corpus(6))
    assert not measured(few)
    assert any(isinstance(record, Skip) for record in few)
    silent = run(Indifferent({}, card=explainable_card()), corpus(60))
    assert not measured(silent)
    assert silent[0].scored == 60
    assert {r.name for r in silent if isinstance(r, Skip)} == {
        "largest_insertion_flip_rate",
        "largest_unjustified_flip_rate",
    }


def test_few_kept_apart_give_reasons_and_no_numbers():
    made = run(LinearModel(WEIGHTS, symmetric=True), corpus(24), minimum=2)
    reasons = [record for record in made if isinstance(record, Skip)]
    assert any(record.reason is SkipReason.TOO_FEW for record in reasons)
    assert all(m.estimate.high > m.estimate.low for m in measured(made).values() if m.better != "context")


def test_pairs_are_changed_in_their_first_text():
    data = [Example.of((e.text, "table and chair"), gold=e.gold) for e in corpus()]
    made = run(LinearModel(WEIGHTS, symmetric=True), data)
    assert of(made, "insertion_flip_rate", ZORGLE).estimate.value == 1.0
    shown = next(r for r in made if isinstance(r, Evidence) and r.chosen == "worst").shown
    first, second = shown[1].texts
    assert sorted(first.split()) == sorted([*shown[0].texts[0].split(), "zorgle"])
    assert second == shown[0].texts[1] == "table and chair"


@dataclass
class Tags:
    """Two independent labels, each a sum of word weights minus 1."""

    tables = {"angry": {"hate": 3.0}, "about_food": {"soup": 3.0, "zorgle": 4.0}}  # noqa: RUF012
    card = explainable_card().model_copy(update={"labels": ("angry", "about_food"), "problem": ProblemType.MULTI_LABEL})

    def classify(self, texts):
        rows = [[self._scores(text, label).sum() - 1 for label in self.card.labels] for text in texts]
        return Classifications(
            logits=np.array(rows, dtype=float).reshape(-1, 2), labels=self.card.labels, problem=self.card.problem
        )

    def attribute(self, texts, targets, *, method=Method.INTEGRATED_GRADIENTS, baseline=None, jitter=None):
        return [
            Attribution(
                text=text,
                target=target,
                words=spans(text),
                scores=self._scores(text, target),
                special=0.0,
                output=0.0,
                baseline=None,
                baseline_output=None,
            )
            for text, target in zip(texts, targets, strict=True)
        ]

    def _scores(self, text, label):
        return np.array([self.tables[label].get(word(text, span), 0.0) for span in spans(text)])


def test_several_labels_at_once():
    draw, data = random.Random(1), []
    for _ in range(300):
        told = [name for name in ("hate", "soup") if draw.random() < 0.5]
        words = [*draw.sample(FILLERS, 7), *told, *(["zorgle"] if draw.random() < 0.3 else [])]
        gold = tuple(label for label, name in (("angry", "hate"), ("about_food", "soup")) if name in told)
        data.append(Example.of(" ".join(words), gold=gold))
    made = run(Tags(), data)
    part = {"word": "zorgle", "label": "about_food"}
    first = next(record for record in made if isinstance(record, Measurement) and record.slice)
    assert first.slice == part
    assert "do not explain it; confirmed" in first.title
    assert of(made, "insertion_flip_rate", part).estimate.value == 1.0
    assert of(made, "insertion_effect", part).estimate.value == pytest.approx(expit(3) - expit(-1))
    assert "the right labels agree" in of(made, "attribution", {"word": "soup", "label": "about_food"}).title


def test_a_model_that_allows_another_method_only_is_explained_by_that():
    card = explainable_card().model_copy(update={"unattributable": {Method.INTEGRATED_GRADIENTS: "it is frozen"}})
    made = run(LinearModel(WEIGHTS, symmetric=True, card=card), corpus(100))
    assert "by leaving one word out, because the network does not allow integrated gradients" in made[0].note
    none = explainable_card().model_copy(update={"unattributable": dict.fromkeys(Method, "it is frozen")})
    refused = run(LinearModel(WEIGHTS, card=none), corpus(10))
    assert [type(record) for record in refused] == [Accounting, Skip]
    assert refused[1].reason is SkipReason.NO_CAPABILITY


def test_asks_in_bulk_and_survives_json(planted):
    model = LinearModel(WEIGHTS, symmetric=True)
    run(model, corpus())
    assert model.calls == 6  # items and cases classified and explained, insertions, deletions
    assert [from_line(to_line(record)) for record in planted] == planted
    keys = [record.key for record in planted if isinstance(record, Measurement)]
    assert len(keys) == len(set(keys))


def test_sample_and_parameters():
    made = run(LinearModel(WEIGHTS, symmetric=True), corpus(), items=200)
    assert (made[0].eligible, made[0].scored) == (300, 200)
    assert "100 of 300 items are left out: a sample of 200 is explained, the most" in made[0].note
    assert Shortcuts(method="occlusion").method is Method.OCCLUSION
    for wrong in ({"method": "magic"}, {"most": 0}, {"most": 50}, {"trials": 3}):
        with pytest.raises(UsageError):
            Shortcuts(**wrong)


def test_info():
    info = Shortcuts.info
    assert info.needs == {Capability.CLASSIFY, Capability.ATTRIBUTE}
    assert ProblemType.REGRESSION not in info.problems
    assert "not causal" in info.doc.limits
