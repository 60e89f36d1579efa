"""A reader that looks for the words of the question is found out, one that reads is not."""

from __future__ import annotations

import pytest

from probes.core.errors import UsageError
from probes.core.examples import Accepted, Example
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip
from probes.robustness.distractors import Distractors
from probes.text.distractors import distractor
from tests.conftest import FakeReader
from tests.planted_reader import questions

PROBE = Distractors()
DATA = [Example.of((question, context), gold=Accepted([answer])) for question, context, answer in questions()]


def run(rule, data=DATA, probe=PROBE):
    model = FakeReader(rule=rule)
    made = list(probe.run(model, data, Context(probe=probe.info.id)))
    return made, {record.key: record.estimate for record in made if isinstance(record, Measurement)}, model


def last_word(_, context):
    return context.rstrip(".").split()[-1]


def behind_moved_to(_, context):
    return context.split("moved to ")[1].split(".")[0]


def test_the_reader_of_the_last_word_falls_for_a_sentence_at_the_end():
    _, found, _ = run(last_word)
    for name in ("distracted", "flip_rate", "f1_drop"):
        assert found[f"{name}[place=end]"].value == 1.0
        assert found[f"{name}[place=start]"].value == 0.0
    assert found["f1[place=end]"].value == 0.0


def test_its_twin_does_not():
    _, found, _ = run(behind_moved_to)
    assert all(estimate.value == 0 for key, estimate in found.items() if not key.startswith("f1["))
    assert found["f1[place=end]"].value == 1.0
    assert 0 < found["f1_drop[place=end]"].high < 0.1


def test_the_context_itself_stays():
    _, _, model = run(behind_moved_to)
    for question, context in model.asked:
        assert any(item[0] == question and item[1] in context for item in questions())


def test_questions_without_a_name_or_number_are_counted():
    data = [*DATA[:30], Example.of(("Where is she?", "She is in Rome."), gold=Accepted(["Rome"]))]
    made, _, _ = run(lambda q, c: "Rome" if "Rome" in c else c.split()[0], data)
    accounts = [record for record in made if isinstance(record, Accounting)]
    assert [account.perturbed for account in accounts] == [30, 30]
    assert all("1 questions have no name or number" in account.note for account in accounts)


def test_nothing_to_exchange_is_a_reason():
    made, found, _ = run(lambda q, c: c.split()[0], DATA[:0])
    assert not found
    assert any(isinstance(record, Skip) for record in made)


def test_what_is_drawn_does_not_depend_on_other_items():
    whole, half = (
        dict(zip(rows.example_id, rows.after, strict=True)) for rows in (outcomes(DATA), outcomes(DATA[::2]))
    )
    assert half.items() <= whole.items()


def outcomes(data):
    return next(
        record for record in run(last_word, data, Distractors(places=("end",)))[0] if isinstance(record, Outcomes)
    )


def test_cases_say_where_the_answer_is_from():
    made, _, _ = run(last_word)
    worst = [record for record in made if isinstance(record, Evidence) and record.chosen == "worst"]
    assert worst
    assert all(case.note.startswith("the answer is taken from the added sentence") for case in worst)


def test_unknown_places_are_refused():
    with pytest.raises(UsageError, match="places"):
        Distractors(places=("middle",))


def test_one_sentence_is_made_for_each_item(monkeypatch):
    made = []

    def counting(question, context, golds, rng):
        made.append(question)
        return distractor(question, context, golds, rng)

    monkeypatch.setattr("probes.robustness.distractors.distractor", counting)
    _, _, model = run(last_word)
    assert made == [example.text[0] for example in DATA]
    assert len(model.asked) == 3 * len(DATA)
