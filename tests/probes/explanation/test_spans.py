"""Why an entity was found, or an answer given: known weights, and networks end to end."""

from __future__ import annotations

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.core.attributions import SpanTarget
from probes.core.errors import UsageError
from probes.core.examples import Accepted, Example
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, from_line, to_line
from probes.explanation.spans.found import Finding, characters
from probes.explanation.spans.probe import Spans
from tests.conftest import TAGS
from tests.spanned_model import ExplainedReader, ExplainedTagger, by_its_neighbour, by_itself, by_the_question
from tests.tiny_models import build

THINGS = ("film", "story", "music", "meal", "phone", "hotel", "book", "lesson", "train", "tea", "song", "game")
TEXTS = [f"On Monday we all met Ada Lovelace near the old {thing} of our small town" for thing in THINGS]
QUICK = Spans(resamples=200)


def tags(words):
    kinds = {"Ada": "B-person", "Lovelace": "I-person"}
    return [kinds.get(word, "O") for word in words]


def tagged(gold=tags) -> list[Example]:
    return [Example.of(text, gold=tuple(gold(text.split()))) for text in TEXTS]


def asked() -> list[Example]:
    return [Example.of(("Whom did we all meet?", text), gold=Accepted(["Ada Lovelace"])) for text in TEXTS]


def run(model, data, probe: Spans = QUICK) -> list:
    return list(probe.run(model, data, Context(probe="explanation.spans")))


def numbers(records) -> dict[str, Measurement]:
    return {record.key: record for record in records if isinstance(record, Measurement)}


def share(records, part: str) -> float:
    return numbers(records)[f"weight_share[part={part}]"].estimate.value


def test_an_entity_known_by_heart_is_told_from_one_found_by_its_neighbour():
    heart, neighbour = (run(ExplainedTagger(rule=tags, weighs=w), tagged()) for w in (by_itself, by_its_neighbour))
    assert share(heart, "itself") > 0.95 > 0.05 > share(heart, "3 words beside it")
    assert share(neighbour, "3 words beside it") > 0.95 > 0.05 > share(neighbour, "itself")


def test_an_answer_that_owes_nothing_to_the_question_is_told_from_one_that_does():
    def found(question, context):
        return "Ada Lovelace"

    deaf, other = (run(ExplainedReader(rule=found, weighs=w), asked()) for w in (by_itself, by_the_question))
    assert share(deaf, "the question") < 0.05 < 0.95 < share(other, "the question")
    assert share(deaf, "itself") > 0.95
    for records in (deaf, other):
        parts = [value.estimate.value for key, value in numbers(records).items() if key.startswith("weight_share")]
        assert sum(parts) == pytest.approx(1)


def test_shares_of_a_tagger_add_up_and_none_is_of_a_question():
    found = numbers(run(ExplainedTagger(rule=tags), tagged()))
    shares = {key: value.estimate.value for key, value in found.items() if key.startswith("weight_share")}
    assert sum(shares.values()) == pytest.approx(1)
    assert len(shares) == 3


def test_weights_that_add_up_and_agree_are_told_so():
    found = numbers(run(ExplainedTagger(rule=tags), tagged()))
    assert found["converged"].estimate.value == 1
    assert found["agreement"].estimate.value == pytest.approx(1)


def test_texts_in_which_nothing_is_found_are_counted():
    def some(words):
        return ["O"] * len(words) if "film" in words else tags(words)

    records = run(ExplainedTagger(rule=some), tagged())
    (account,) = (record for record in records if isinstance(record, Accounting) and not record.slice)
    assert (account.eligible, account.scored, account.unscored) == (12, 11, 1)
    assert "in 1 of 12 texts the model found nothing" in account.note
    nothing = run(ExplainedTagger(rule=lambda words: ["O"] * len(words)), tagged())
    assert not numbers(nothing)
    assert any(isinstance(record, Skip) for record in nothing)


def test_no_answer_is_an_answer():
    data = [*asked()[:11], Example.of(("Who?", "Nobody at all."), gold=Accepted([]))]
    records = run(ExplainedReader(rule=lambda q, c: None, weighs=by_the_question), data)
    (outcomes,) = (record for record in records if isinstance(record, Outcomes))
    assert set(outcomes.after) == {"(no answer)"}
    assert sum(outcomes.correct) == 1
    assert share(records, "itself") == 0


def test_cases_name_what_was_found_and_what_is_right():
    def mistaken(words):
        return [tag.replace("person", "place") if "film" in words else tag for tag in tags(words)]

    records = run(ExplainedTagger(rule=mistaken), tagged())
    cases = [record for record in records if isinstance(record, Evidence)]
    assert [case.chosen for case in cases][:3] == ["random"] * 3
    assert all(case.gold == "person: Ada Lovelace" for case in cases)
    assert {case.shown[0].answer for case in cases} <= {"person: Ada Lovelace", "place: Ada Lovelace"}
    (outcomes,) = (record for record in records if isinstance(record, Outcomes))
    assert outcomes.correct.count(False) == 1
    worst = [case for case in cases if case.chosen == "worst"]
    assert all(case.shown[0].answer == "place: Ada Lovelace" for case in worst)


@pytest.mark.parametrize(("word", "gold"), [("Ada", "person: Ada Lovelace"), ("Monday", "(no entity)")])
def test_what_is_right_instead_is_the_whole_entity_that_was_touched(word, gold):
    found = ExplainedTagger(rule=lambda words: ["B-person" if each == word else "O" for each in words])
    cases = [record for record in run(found, tagged()) if isinstance(record, Evidence)]
    assert {case.shown[0].answer for case in cases} == {f"person: {word}"}
    assert {case.gold for case in cases} == {gold}


def test_words_are_counted_as_the_tagger_reads_them():
    """With one blank between them, whatever stands in the text."""
    example = Example.of("We   met\tAda Lovelace .")
    target = SpanTarget(name="person", start=2, end=4, labels=("B-person", "I-person"))
    start, end = characters(Finding(example=example, target=target, confidence=1.0, gold=None, right=None))
    assert " ".join(example.text.split())[start:end] == "Ada Lovelace"


def test_few_texts_give_no_number():
    assert not numbers(run(ExplainedTagger(rule=tags), tagged()[:5]))


def test_parameters_are_checked():
    with pytest.raises(UsageError, match="items"):
        Spans(items=0)
    with pytest.raises(UsageError, match="method"):
        Spans(second="guess")
    assert QUICK.info.problems == {ProblemType.TOKEN, ProblemType.SPAN}


@pytest.mark.engine
@pytest.mark.parametrize("kind", ["tagger", "reader"])
def test_on_networks_end_to_end(tmp_path, kind):
    from probes.model.load import load

    head = {"tagger": True, "labels": TAGS} if kind == "tagger" else {"reader": True}
    model = load(str(build("bert", tmp_path / "model", config={"initializer_range": 0.1}, **head)), device="cpu")
    records = run(model, tagged() if kind == "tagger" else asked(), Spans(resamples=100))
    lines = [record for record in records if not isinstance(record, Outcomes)]
    assert [from_line(to_line(record)) for record in lines] == lines
    assert {"converged", "agreement", "weight_share[part=itself]"} <= numbers(records).keys()
    assert numbers(records)["converged"].estimate.value == 1
    assert numbers(records)["agreement"].estimate.value > 0.2
    assert all(np.isfinite(each.estimate.value) for each in numbers(records).values())
