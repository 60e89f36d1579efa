"""Perturbations of question and context apart: what is touched, what is not, and what is counted."""

from __future__ import annotations

import pytest

from probes.core.examples import Accepted, Example
from probes.core.probe import Context
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.robustness.perturbed import PROBES
from tests.conftest import FakeReader

BY_NAME = {probe.perturbation.name: probe for probe in PROBES}
NAMES = ("Ada", "Alan", "Grace", "Edsger", "Barbara", "Donald", "Maria", "James", "Jose", "Aisha")
PLACES = ("Rome", "Oslo", "Lima", "Cairo")


def data(n=40, gold=True):
    made = []
    for k in range(n):
        name, place = NAMES[k % 10], PLACES[k // 10 % 4]
        context = f"It was a long winter number {k}. {name} moved to {place} with the children. Nobody else came along."
        accepted = Accepted((place, f"to {place}")) if gold else None
        made.append(Example.of((f"Where did {name} move that winter?", context), gold=accepted))
    return made


def run(name, rule, items):
    probe = BY_NAME[name]
    model = FakeReader(rule=rule)
    return list(probe.run(model, items, Context(probe=probe.info.id))), model


def numbers(made):
    return {record.key: record.estimate for record in made if isinstance(record, Measurement)}


def after_moved(_, context):
    """What stands behind "moved to", and the first word where that is nowhere."""
    words = context.split()
    return words[words.index("moved") + 2] if "moved" in words else words[0]


def place(_, context):
    return next(each for each in PLACES if each in context)


def shy_of_capitals(question, context):
    """Loses its way when the question is in small letters."""
    return place(question, context) if question[0].isupper() else "Nobody"


@pytest.mark.parametrize("name", ["keyboard_typos", "upper_case", "punctuation_stripped", "chain_phone_message"])
def test_the_answer_keeps_its_letters_in_every_variant(name):
    _, model = run(name, place, data())
    texts = [example.text for example in data()]
    assert len(model.asked) > 3 * len(texts)
    by_question, by_context = {text[0]: text for text in texts}, {text[1] for text in texts}
    for question, context in model.asked:
        if context in by_context:
            continue  # the question was changed
        assert question in by_question  # never both
        assert any(each in context for each in PLACES)


def test_question_and_context_are_measured_apart():
    made, _ = run("lower_case", shy_of_capitals, data())
    found = numbers(made)
    assert found["flip_rate[part=question,severity=5]"].value == 1.0
    assert found["flip_rate[part=context,severity=5]"].value == 0.0
    assert found["f1_drop[part=question,severity=5]"].value == 1.0
    assert found["f1_drop[part=context,severity=5]"].value == 0.0
    assert found["f1_drop[part=context,severity=5]"].high > 0.0  # nothing seen is not nothing
    assert found["f1[part=question,severity=5]"].value == 0.0
    assert found["flip_rate[severity=5]"].value == 0.5
    assert 0 < found["flip_rate"].value < 1


def test_a_reader_that_does_not_mind_is_not_reported():
    made, _ = run("keyboard_typos", place, data())
    assert all(estimate.value == 0 for key, estimate in numbers(made).items() if "flip_rate" in key or "drop" in key)


def test_a_reader_that_minds_the_context_is():
    made, _ = run("keyboard_typos", after_moved, data())
    found = numbers(made)
    assert found["f1_drop[part=context,severity=5]"].low > 0
    assert found["flip_rate[part=question,severity=5]"].value == 0


def test_sentences_are_added_to_the_context_only():
    made, model = run("irrelevant_suffix", place, data())
    assert {question for question, _ in model.asked} == {example.text[0] for example in data()}
    assert not any("part=question" in key for key in numbers(made))


def test_what_cannot_be_changed_without_the_answer_is_left_out_and_counted():
    everything = [Example.of(("What is it?", "12345 678"), gold=Accepted(["12345", "678"])) for _ in range(1)]
    hidden = [Example.of(("What is it?", f"the \ue000 thing {k}"), gold=Accepted(["thing"])) for k in range(12)]
    made, model = run("keyboard_typos", lambda q, c: c.split()[0], [*everything, *hidden])
    context = [record for record in made if isinstance(record, Accounting) and record.slice.get("part") == "context"]
    assert all(account.perturbed == 12 and account.kept == 0 for account in context)
    assert all("without touching the answer" in account.note for account in context)
    skip = next(record for record in made if isinstance(record, Skip) and record.slice == {"part": "context"})
    assert skip.reason is SkipReason.NOTHING_PERTURBED
    assert all(text[1] in {example.text[1] for example in [*everything, *hidden]} for text in model.asked)


def test_without_golds_changes_are_measured_and_the_rest_has_a_reason():
    made, _ = run("lower_case", shy_of_capitals, data(gold=False))
    assert numbers(made)["flip_rate[part=question,severity=5]"].value == 1.0
    assert not any("part=context" in key for key in numbers(made))  # what must not be touched there is not known
    assert (
        numbers(run("irrelevant_suffix", place, data(gold=False))[0])["flip_rate[part=context,severity=5]"].value == 0
    )
    assert not any(key.startswith("f1") for key in numbers(made))
    assert {record.name for record in made if isinstance(record, Skip)} >= {"f1", "f1_drop"}


def test_curves_cases_and_rows_are_published():
    made, _ = run("lower_case", shy_of_capitals, data())
    assert [curve.slice["part"] for curve in made if isinstance(curve, Curve)] == ["question", "context"]
    cases = [record for record in made if isinstance(record, Evidence)]
    assert all(case.slice["part"] == "question" for case in cases if case.chosen == "worst")
    assert all(len(shown.texts) == 2 for case in cases for shown in case.shown)
    rows = next(record for record in made if isinstance(record, Outcomes))
    assert len(set(zip(rows.example_id, rows.variant, strict=True))) == len(rows)
    assert rows.variant[0] == "part=question,severity=1"
    flipped = [changed for changed, variant in zip(rows.changed, rows.variant, strict=True) if variant.endswith("=2")]
    assert sum(flipped) / len(flipped) == numbers(made)["flip_rate[severity=2]"].value


def test_no_answer_that_becomes_one_is_a_change():
    items = [
        *data(30),
        *(Example.of((f"Who left {k}?", "Nobody else came along."), gold=Accepted()) for k in range(30)),
    ]

    def rule(question, context):
        return place(question, context) if question.startswith("Where") else (None if "Who" in question else "Nobody")

    found = numbers(run("lower_case", rule, items)[0])
    assert found["flip_rate[part=question,severity=2]"].value > 0.4
