"""Taggers, models that answer questions, and generators, under attack."""

from __future__ import annotations

import pytest

from probes.core.examples import Accepted, Example
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.robustness.adversarial import recipes
from probes.robustness.adversarial.probe import Adversarial
from probes.robustness.adversarial.prompts import AdversarialPrompts
from tests.conftest import FakeGenerator, FakeReader, FakeTagger
from tests.probes.robustness.adversarial.recipes_for_tests import recipe

SLIPS = {"ada": ("Adda",), "rome": ("R ome", "Roem"), "met": ("mte",), "where": ("Wheer",), "who": ("Hwo",)}


@pytest.fixture(autouse=True)
def _recipes(monkeypatch) -> None:
    monkeypatch.setitem(recipes.RECIPES, "slips", recipe("slips", swapped=SLIPS))


def run(model, data, **parameters):
    probe = Adversarial(**{"recipes": ("slips",), **parameters})
    return list(probe.run(model, data, Context(probe="robustness.adversarial")))


def measured(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def only(kind, records):
    return [record for record in records if isinstance(record, kind)]


NAMES = {"Ada": "B-person", "Rome": "B-place"}


def by_heart(words):
    """Knows names as they are written."""
    return [NAMES.get(word.strip("."), "O") for word in words]


def by_first_letter(words):
    """Its robust twin: any word that begins like a name, and is no shorter."""
    return [{"A": "B-person", "R": "B-place"}.get(word[0], "O") for word in words]


def tagged(words: str) -> Example:
    return Example.of(words, gold=tuple(by_heart(words.split())))


SENTENCES = [tagged(f"{number} people met Ada in Rome .") for number in range(20)]


def test_a_tagger_is_led_to_another_label_and_its_robust_twin_is_not() -> None:
    broken, held = (run(FakeTagger(rule=rule), SENTENCES) for rule in (by_heart, by_first_letter))
    assert measured(broken)["attack_success_rate[recipe=slips]"].value == 1.0
    assert measured(held)["attack_success_rate[recipe=slips]"].value == 0.0
    assert measured(held)["attack_success_rate[recipe=slips]"].high > 0
    case = only(Evidence, broken)[0]
    assert "person: Ada" in case.shown[0].answer
    assert case.gold == "person: Ada; place: Rome"
    assert case.shown[0].answer != case.shown[1].answer


def test_a_text_of_another_number_of_words_breaks_no_tagger() -> None:
    """ "R ome" is two words: which label belongs to which cannot be told."""
    records = run(FakeTagger(rule=by_heart), [tagged(f"{number} went to Rome") for number in range(12)])
    assert measured(records)["attack_success_rate[recipe=slips]"].value == 1.0
    assert all("Roem" in case.shown[1].texts[0] for case in only(Evidence, records))


def test_words_that_a_tagger_had_wrong_are_nothing_to_break() -> None:
    blind = FakeTagger(rule=lambda words: ["B-place" if word == "Rome" else "O" for word in words])
    data = [tagged(f"Ada met Ada {number}") for number in range(12)]
    assert measured(run(blind, data))["attack_success_rate[recipe=slips]"].value == 0.0
    unread = FakeTagger(rule=lambda words: [None for _ in words])
    (account,) = only(Accounting, run(unread, data))
    assert (account.scored, account.eligible) == (0, 12)


def test_success_against_taggers_is_counted_and_not_accuracy() -> None:
    records = run(FakeTagger(rule=by_heart), SENTENCES)
    assert not [key for key in measured(records) if "accuracy" in key]
    reasons = {skip.name: skip.reason for skip in only(Skip, records)}
    assert reasons["accuracy_under_attack"] is SkipReason.UNDEFINED


def found(question: str, context: str) -> str:
    """Only a question it can read gets the right word."""
    words = question.lower().rstrip("?").split()
    return "Rome" if "where" in words else "Ada" if "who" in words else context.split()[0]


def questions() -> list[Example]:
    contexts = [f"Number {number}: Ada was in Rome" for number in range(15)]
    asked = [Example.of(("Where was Ada?", context), gold=Accepted(["Rome"])) for context in contexts]
    return asked + [Example.of(("Who is it?", context), gold=Accepted(["nobody"])) for context in contexts[:5]]


def test_a_question_is_asked_in_other_letters_until_the_answer_changes() -> None:
    model = FakeReader(rule=found)
    records = run(model, questions())
    assert measured(records)["attack_success_rate[recipe=slips]"].value == 1.0
    assert measured(records)["attack_success_rate[recipe=slips]"].n == 15
    assert measured(records)["accuracy_under_attack[recipe=slips]"].value == 0.0
    assert measured(records)["accuracy_drop[recipe=slips]"].value == pytest.approx(0.75)
    assert "5 items answered wrongly" in only(Accounting, records)[0].note
    assert {text[1] for text in model.asked} == {example.text[1] for example in questions()}


def test_a_reader_that_does_not_look_at_the_question_holds() -> None:
    records = run(FakeReader(rule=lambda question, context: "Rome"), questions())
    assert measured(records)["attack_success_rate[recipe=slips]"].value == 0.0


def test_without_accepted_answers_the_own_one_is_attacked() -> None:
    unlabelled = [Example.of(example.text) for example in questions()]
    records = run(FakeReader(rule=found), unlabelled)
    assert measured(records)["attack_success_rate[recipe=slips]"].n == 20
    assert only(Outcomes, records)[0].gold == [None] * 20


def test_a_recipe_for_classifiers_is_refused_for_others(monkeypatch) -> None:
    records = run(FakeReader(rule=found), questions(), recipes=("textattack:deepwordbug",))
    (skip,) = only(Skip, records)
    assert (skip.name, skip.reason, skip.enable) == ("attack_success_rate", SkipReason.WRONG_PROBLEM, "")
    assert not only(Measurement, records)


@pytest.mark.parametrize("model", [FakeReader(rule=found), FakeTagger(rule=by_heart)])
def test_a_recipe_that_needs_gradients_says_that_it_is_for_classifiers(model) -> None:
    records = run(model, questions() if isinstance(model, FakeReader) else SENTENCES, recipes=("fast",))
    (skip,) = only(Skip, records)
    assert (skip.reason, skip.enable) == (SkipReason.WRONG_PROBLEM, "")
    assert skip.detail == "The recipe fast attacks classifiers only, and this model is none."


def test_what_such_a_model_could_be_given_is_still_named() -> None:
    (skip,) = only(Skip, run(FakeReader(rule=found), questions(), recipes=("pwws",)))
    assert skip.reason is SkipReason.NO_RESOURCE
    assert skip.detail == "The recipe pwws was not run: it needs WordNet."
    assert "NLTK_DATA" in skip.enable


def replies(prompt: str, sample: int) -> str:
    """Only a prompt it can read gets the right reply."""
    return "she was in Rome" if "where" in prompt.lower() else "no idea at all" if "Tell" not in prompt else ""


def prompted(model, data, **parameters):
    probe = AdversarialPrompts(**{"recipes": ("slips",), **parameters})
    return list(probe.run(model, data, Context(probe="robustness.adversarial_prompts")))


@pytest.mark.parametrize("gold", [Accepted(["in Rome", "she was in Rome"]), None])
def test_a_prompt_is_changed_until_the_reply_is_another_one(gold) -> None:
    data = [Example.of(f"Where was Ada on day {day}?", gold=gold) for day in range(12)]
    broken = prompted(FakeGenerator(rule=replies), data)
    held = prompted(FakeGenerator(rule=lambda prompt, sample: "she was in Rome"), data)
    assert measured(broken)["attack_success_rate[recipe=slips]"].value == 1.0
    assert measured(held)["attack_success_rate[recipe=slips]"].value == 0.0
    assert only(Evidence, broken)[0].shown[1].answer == "no idea at all"


def test_replies_not_accepted_before_and_empty_ones_are_counted_apart() -> None:
    data = [Example.of(f"Where was Ada on day {day}?", gold=Accepted(["at home"])) for day in range(5)]
    data += [Example.of(f"Tell me, Ada, of day {day}", gold=Accepted(["at home"])) for day in range(7)]
    (account,) = only(Accounting, prompted(FakeGenerator(rule=replies), data))
    assert (account.eligible, account.scored, account.unscored) == (12, 0, 7)
    assert "5 items where the goal was reached before any change" in account.note
