from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from probes.core import stats
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.positive import Meaning, PositiveClass
from probes.core.probe import Context
from probes.core.records import Accounting, Curve, Evidence, Measurement, Outcomes, Skip, SkipReason
from probes.robustness.adversarial import recipes
from probes.robustness.adversarial.parts import Attempt, Outcome
from probes.robustness.adversarial.probe import Adversarial
from probes.robustness.adversarial.pure import CandidateRule, Untouched
from probes.robustness.adversarial.recipe import Resource
from tests.conftest import BAD, GOOD, FakeModel, model_card, sentiment_rule
from tests.probes.robustness.adversarial.recipes_for_tests import SLIPS, recipe

ONE = {"recipe": "slips"}


@pytest.fixture(autouse=True)
def _recipes(monkeypatch) -> None:
    for name, swapped in (("slips", SLIPS), ("films", {"film": ("flim",)}), ("none", {})):
        monkeypatch.setitem(recipes.RECIPES, name, recipe(name, swapped=swapped))


def run(model, data, *, seed=0, **parameters):
    probe = Adversarial(**{"recipes": ("slips",), **parameters})
    return list(probe.run(model, data, Context(probe="robustness.adversarial", seed=seed)))


def measured(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def only(kind, records):
    return [record for record in records if isinstance(record, kind)]


def rate(records, name="attack_success_rate", **part):
    part = part or ONE
    return next(r for r in only(Measurement, records) if (r.name, dict(r.slice)) == (name, part)).estimate


@pytest.fixture
def fragile() -> FakeModel:
    """Knows its words letter by letter: a slip, and it no longer sees them."""
    return FakeModel(rule=sentiment_rule)


def robust_rule(text):
    """Reads words through slips: same letters, whatever their order and number, but for the first one."""
    known = {frozenset(word): word for word in (*GOOD, *BAD)}
    words = "".join(c if c.isalnum() else " " for c in str(text).lower()).split()
    return sentiment_rule(" ".join(known.get(frozenset(word), word) for word in words))


def test_a_fragile_model_is_broken_and_its_robust_twin_is_not(fragile, sentiment_examples) -> None:
    broken, held = (run(model, sentiment_examples) for model in (fragile, FakeModel(rule=robust_rule)))
    # The slips of all good words and of two bad ones; a tie leans to "negative".
    assert rate(broken).value == 0.5
    assert rate(broken, label="positive", **ONE).value == 1.0
    assert rate(broken, "accuracy_under_attack").value == 0.5
    assert rate(broken, "accuracy_drop").value == 0.5
    assert rate(held).value == 0.0
    assert rate(held, "accuracy_under_attack").value == 1.0


def test_a_model_that_cannot_change_gives_zero_with_a_bound(sentiment_examples) -> None:
    records = run(FakeModel(rule=lambda text: (0.0, 1.0)), sentiment_examples)
    right = [example.gold == "positive" for example in sentiment_examples]
    found = rate(records)
    assert (found.value, found.n) == (0.0, sum(right))
    assert found.tail(0.05).high == pytest.approx(1 - 0.05 ** (1 / sum(right)))  # Clopper and Pearson
    assert 0 < found.high < 0.1
    assert rate(records, "accuracy_under_attack").value == stats.rate(np.array(right)).value
    for curve in only(Curve, records):
        assert all(point.y.value == 0.0 < point.y.high for point in curve.points)
    assert [skip.name for skip in only(Skip, records)] == ["words_changed", "attack_success_rate"]  # label: negative


def test_wrong_answers_are_counted_apart(sentiment_examples) -> None:
    """Half of the answers are wrong before anything is changed: they are no success of an attack."""
    flipped = [replace(e, gold="negative" if e.gold == "positive" else "positive") for e in sentiment_examples[::2]]
    data = [*sentiment_examples[1::2], *flipped]
    records = run(FakeModel(rule=sentiment_rule), data)
    (account,) = only(Accounting, records)
    right = len(sentiment_examples) // 2
    assert (account.eligible, account.scored) == (len(data), right)
    assert f"{right} items answered wrongly before any change" in account.note
    assert rate(records).n == right
    assert rate(records, "accuracy_under_attack").n == len(data)
    assert rate(records, "accuracy_under_attack").value < 0.5


def test_unscored_answers_are_counted_and_never_broken(sentiment_examples) -> None:
    lost = {example.text for example in sentiment_examples[:20]}
    model = FakeModel(rule=lambda text: (np.nan, np.nan) if text in lost else sentiment_rule(text))
    records = run(model, sentiment_examples)
    (account,) = only(Accounting, records)
    assert (account.scored, account.unscored) == (100, 20)
    assert rate(records).n == rate(records, "accuracy_under_attack").n == 100


def test_near_ties_are_not_broken(sentiment_examples) -> None:
    """The slips move the answer over the line by less than numerical noise."""

    def rule(text):
        return (0.0, 1e-7) if sentiment_rule(text)[1] > 0.1 else (1e-7, 0.0)

    good = [example for example in sentiment_examples if example.gold == "positive"]
    assert rate(run(FakeModel(rule=rule), good)).value == 0.0


def test_without_right_answers_the_own_ones_are_attacked(fragile, sentiment_examples) -> None:
    records = run(fragile, [replace(example, gold=None) for example in sentiment_examples])
    assert rate(records).value == 0.5
    assert "accuracy_under_attack[recipe=slips]" not in measured(records)
    assert any(
        skip.name == "accuracy_under_attack" and skip.reason is SkipReason.NO_GOLD for skip in only(Skip, records)
    )
    assert "120 items without a right answer: the model's own answer was attacked" in only(Accounting, records)[0].note


def test_a_recipe_with_nothing_to_change_gives_a_reason(fragile, sentiment_examples) -> None:
    records = run(fragile, sentiment_examples, recipes=("none",))
    assert not only(Measurement, records)
    assert [skip.reason for skip in only(Skip, records)] == [SkipReason.NOTHING_PERTURBED]
    assert only(Accounting, records)[0].scored == 0


def test_texts_with_nothing_to_change_are_left_out_of_the_rate_and_stay_in_the_accuracy(fragile) -> None:
    data = [Example.of(f"{place} film was good", gold="positive") for place in range(15)]
    data += [Example.of(f"{place} was nothing, good or not", gold="positive") for place in range(15)]
    records = run(fragile, data, recipes=("films",))
    assert rate(records, recipe="films").n == 15
    assert rate(records, "accuracy_under_attack", recipe="films").n == 30
    assert "15 texts with nothing to change" in only(Accounting, records)[0].note


def test_one_is_counted_as_one(fragile) -> None:
    data = [Example.of(f"{place} film was good", gold="positive") for place in range(15)]
    records = run(fragile, [*data, Example.of("it was nothing", gold=None)], recipes=("films",))
    assert only(Accounting, records)[0].note == (
        "1 text with nothing to change; 1 item without a right answer: the model's own answer was attacked"
    )


def test_a_recipe_without_texts_to_learn_from_says_so(fragile, monkeypatch) -> None:
    class Learning:
        name, needs, queries = "learning", (), 1.0

        def attempts(self, situations, sources, oracles, *, model):
            return [
                Attempt(Outcome.HELD, each.start, None, 0.0, 0.0, 1, tried=False, lacked="no text to learn from")
                for each in situations
            ]

    monkeypatch.setitem(recipes.RECIPES, "learning", Learning())
    account, skip = run(fragile, [Example.of("a good film", gold="positive")], recipes=("learning",))
    assert account.note == "1 text with no text to learn from"
    assert (skip.reason, skip.name) == (SkipReason.TOO_FEW, None)
    assert "there is no text to learn from" in skip.detail


def test_each_recipe_says_how_many_items_are_done(fragile, sentiment_examples) -> None:
    told = []
    ctx = Context(probe="robustness.adversarial", progress=lambda *what: told.append(what))
    list(Adversarial(recipes=("slips", "films")).run(fragile, sentiment_examples[:30], ctx))
    for name in ("slips", "films"):
        done = [each[1] for each in told if each[0] == name]
        assert (done[0], done[-1]) == (0, 30)
        assert done == sorted(done)
    assert {total for _, _, total in told} == {30}


def test_recipes_are_taken_together_item_by_item(fragile, sentiment_examples) -> None:
    records = run(fragile, sentiment_examples, recipes=("slips", "films"))
    assert rate(records, recipe="films").value == 0.0
    assert measured(records)["any_success_rate"].value == 0.5
    assert measured(records)["worst_accuracy"].value == 0.5
    assert len(only(Accounting, records)) == 2
    table = only(Outcomes, records)[0]
    assert len(table) == 2 * len(sentiment_examples)
    assert set(table.variant) == {"recipe=slips", "recipe=films"}


def test_rows_give_the_published_numbers_back(fragile, sentiment_examples) -> None:
    records = run(fragile, sentiment_examples, recipes=("slips", "films"))
    table = only(Outcomes, records)[0]
    for name, column in table.values.items():
        for part in ({"recipe": "slips"}, {"recipe": "films"}, {}):
            key = name + (f"[recipe={part['recipe']}]" if part else "")
            wanted = f"recipe={part['recipe']}" if part else ""
            rows = [v for v, row in zip(column, table.variant, strict=True) if v is not None and wanted in row]
            if key in measured(records):
                assert np.mean(rows) == pytest.approx(measured(records)[key].value), key
                assert len(rows) == measured(records)[key].n, key


def test_no_more_queries_than_allowed(fragile, sentiment_examples) -> None:
    for budget in (2, 15, 18, 500):
        records = run(fragile, sentiment_examples, budget=budget)
        assert max(only(Outcomes, records)[0].values["mean_queries"]) <= budget
        assert rate(records).n == len(sentiment_examples)
        assert (rate(records, "cut_short").value > 0) == (budget < 500)


def test_the_curves_end_at_the_rate(fragile, sentiment_examples) -> None:
    records = run(fragile, sentiment_examples, budget=60)
    by_queries, by_words = only(Curve, records)
    assert [point.x for point in by_queries.points] == [5, 10, 20, 50, 60]
    for curve in (by_queries, by_words):
        values = [point.y.value for point in curve.points]
        assert values == sorted(values)
        assert curve.points[-1].y == rate(records)


def test_groups_and_labels(fragile, sentiment_examples) -> None:
    data = [replace(e, groups={"length": "long" if "film" in e.text else "short"}) for e in sentiment_examples]
    records = run(fragile, data)
    assert rate(records, group="length=short", **ONE).n == 110
    assert rate(records, group="length=long", **ONE).n == 10
    few = run(fragile, [replace(e, groups={"only": e.text[:9]}) for e in sentiment_examples[:25]])
    skipped = [skip for skip in only(Skip, few) if "group" in skip.slice]
    assert [(skip.reason, skip.slice["group"]) for skip in skipped] == [(SkipReason.TOO_FEW, "only=The hotel")]


@pytest.mark.parametrize("seed", [0, 1])
def test_further_items_change_no_attack(fragile, sentiment_examples, seed: int) -> None:
    few, many = (
        run(fragile, data, seed=seed, recipes=("deepwordbug",))
        for data in (sentiment_examples[:40], sentiment_examples)
    )
    rows = {e: (a, q) for e, a, q in _attacks(many)}
    for example, answer, queries in _attacks(few):
        assert rows[example] == (answer, queries)


def _attacks(records):
    table = only(Outcomes, records)[0]
    return zip(table.example_id, table.after, table.values["mean_queries"], strict=True)


def test_the_seed_decides_what_is_drawn(fragile, sentiment_examples) -> None:
    first, again, other = (run(fragile, sentiment_examples, seed=s, recipes=("deepwordbug",)) for s in (0, 0, 1))
    texts = [[case.shown[1].texts for case in only(Evidence, records)] for records in (first, again, other)]
    assert texts[0] == texts[1] != texts[2]


def test_cases_are_drawn_first_and_then_every_success_is_kept(fragile, sentiment_examples) -> None:
    records = run(fragile, sentiment_examples, recipes=("slips", "films"))
    found = only(Evidence, records)
    drawn = [case for case in found if case.chosen == "random"]
    assert len(drawn) == 6
    assert found[:6] == drawn
    broken = {case.example_id for case in found if "the goal is reached" in case.note}
    table = only(Outcomes, records)[0]
    assert broken == {e for e, changed in zip(table.example_id, table.changed, strict=True) if changed}
    for case in found:
        before, after = case.shown
        assert (before.texts != after.texts) or "not reached" in case.note
    assert all(case.gold in ("negative", "positive") for case in found)


class Doubted(CandidateRule):
    """Doubts one of the changes."""

    def allows(self, candidate, situation) -> bool:
        candidate.notes["doubt.opposite"] = float("lovley" in candidate.text)
        candidate.notes["similarity"] = 0.8
        return True


def test_success_is_also_shown_without_doubtful_changes(fragile, sentiment_examples, monkeypatch) -> None:
    doubted = recipe("doubted", constraints=(Untouched(), Doubted()))
    monkeypatch.setitem(recipes.RECIPES, "doubted", doubted)
    records = run(fragile, sentiment_examples, recipes=("doubted",))
    assert rate(records, recipe="doubted").value == 0.5
    assert rate(records, "undoubted_success_rate", recipe="doubted").value == pytest.approx(0.4)
    assert rate(records, "similarity", recipe="doubted").value == pytest.approx(0.8)
    assert "undoubted_success_rate[recipe=slips]" not in measured(run(fragile, sentiment_examples))
    notes = [case.note for case in only(Evidence, records)]
    assert all("similarity 0.80" in note for note in notes if "the goal is reached" in note)
    assert not any("doubt." in note for note in notes)
    assert {"doubtful (opposite)" in note for note in notes} == {True, False}


def test_cases_show_every_recipe_before_the_second_of_any(fragile, sentiment_examples) -> None:
    for chosen in ("random", "worst"):
        found = only(Evidence, run(fragile, sentiment_examples, recipes=("slips", "films")))
        shown = [case.slice["recipe"] for case in found if case.chosen == chosen]
        assert set(shown[: len(set(shown))]) == set(shown)


def test_a_recipe_that_lacks_something_says_how_to_get_it(fragile, sentiment_examples, monkeypatch) -> None:
    needy = replace(recipe("needy"), needs=(Resource.WORD_VECTORS,))
    monkeypatch.setitem(recipes.RECIPES, "needy", needy)
    records = run(fragile, sentiment_examples, recipes=("needy", "slips"))
    (skip,) = [skip for skip in only(Skip, records) if skip.slice == {"recipe": "needy"}]
    assert skip.reason is SkipReason.NO_RESOURCE
    assert skip.detail == "The recipe needy was not run: it needs word vectors."
    assert "--word-vectors" in skip.enable
    assert rate(records).value == 0.5
    given = run(fragile, sentiment_examples, recipes=("needy",), given={Resource.WORD_VECTORS: object()})
    assert rate(given, recipe="needy").value == 0.5


def test_what_a_recipe_without_its_resource_would_ask_is_not_counted(monkeypatch) -> None:
    needy = replace(recipe("needy"), needs=(Resource.WORD_VECTORS, Resource.GRADIENTS), queries=40.0)
    monkeypatch.setitem(recipes.RECIPES, "needy", needy)
    usual = Adversarial(recipes=("slips",)).info.calls
    (told,) = Adversarial(recipes=("needy", "slips")).left_out()
    assert told.startswith("The recipe needy is left out: it needs word vectors. To have it run: name a file")
    assert Adversarial(recipes=("needy",), given={Resource.WORD_VECTORS: object()}).left_out() == []
    assert Adversarial(recipes=("needy", "slips")).info.calls == usual
    given = {Resource.WORD_VECTORS: object()}  # gradients the model may have: that is not known yet
    assert Adversarial(recipes=("needy", "slips"), given=given).info.calls == usual + 40
    assert Adversarial(recipes=("needy", "slips"), given=given, budget=20).info.calls == usual + 20 - 10


def test_a_harm_is_hidden_or_feigned() -> None:
    positive = PositiveClass(labels=("positive",), meaning=Meaning.HARM, origin="test")
    card = model_card().model_copy(update={"positive": positive})
    data = [Example.of(f"The film number {number} was good", gold="positive") for number in range(20)]
    lowered = run(FakeModel(rule=sentiment_rule, card=card), data, goal="lower", by=0.2)
    raised = run(FakeModel(rule=sentiment_rule, card=card), data, goal="raise", by=0.1)
    assert rate(lowered).value == 1.0
    assert rate(raised).value == 0.0
    assert not [key for key in measured(lowered) if "accuracy" in key]


def test_an_item_whose_score_cannot_move_so_far_is_not_attacked() -> None:
    positive = PositiveClass(labels=("positive",), meaning=Meaning.HARM, origin="test")
    model = FakeModel(rule=sentiment_rule, card=model_card().model_copy(update={"positive": positive}))
    open_ones = [Example.of(f"The film number {number} was bad good", gold="negative") for number in range(12)]
    full = [Example.of(f"The film number {number} was good", gold="positive") for number in range(20)]
    records = run(model, [*open_ones, *full], goal="raise", by=0.2)
    assert rate(records).n == 12
    assert rate(records).value == 1.0  # a slip in "bad" leaves "good" alone
    assert only(Accounting, records)[0].note == "20 items whose score cannot move so far, and not attacked"
    (titled,) = [each.title for each in only(Measurement, records) if each.name == "any_success_rate"]
    assert titled == "share of attacked answers of which the score is raised by 0.2 or more by some recipe"
    (outcomes,) = only(Outcomes, records)
    assert sum(value is not None for value in outcomes.values["attack_success_rate"]) == 12
    nobody = run(model, full, goal="raise", by=0.2)
    assert only(Skip, nobody)[0].detail == "The recipe slips attacked nothing: no score can move so far."


def test_a_label_of_the_attackers_choice(fragile, sentiment_examples) -> None:
    records = run(fragile, sentiment_examples, goal="label:negative")
    assert rate(records).n == 60  # of the others the goal was reached before
    assert rate(records).value == 1.0
    assert "60 items where the goal was reached before any change" in only(Accounting, records)[0].note


def test_several_labels_at_once() -> None:
    card = model_card(labels=("kind", "cruel"), problem=ProblemType.MULTI_LABEL)
    model = FakeModel(rule=lambda text: (4.0 * ("good" in text) - 2, 4.0 * ("bad" in text) - 2), card=card)
    data = [Example.of(f"{place} bad good film", gold=("kind", "cruel")) for place in range(12)]
    data += [Example.of(f"{place} decent film", gold=()) for place in range(12)]
    records = run(model, data)
    assert rate(records).value == 0.5
    assert rate(records, "accuracy_under_attack").value == 0.5
    assert not [key for key in measured(records) if "label=" in key]


def test_scores_of_a_regression_move() -> None:
    card = model_card(labels=("score",), problem=ProblemType.REGRESSION)
    model = FakeModel(rule=lambda text: (float("good" in text) + float("film" in text),), card=card)
    data = [Example.of(f"{place} good film", gold=2.0) for place in range(15)]
    data += [Example.of(f"{place} room", gold=0.0) for place in range(15)]
    records = run(model, data)
    assert rate(records).value == 1.0
    assert rate(records).n == 15
    assert not [key for key in measured(records) if "accuracy" in key]
    flat = run(FakeModel(rule=lambda text: (1.0,), card=card), data)
    assert [skip.reason for skip in only(Skip, flat)] == [SkipReason.UNDEFINED]


def test_of_a_pair_the_second_text_is_attacked() -> None:
    model = FakeModel(rule=lambda text: sentiment_rule(text[1]))
    data = [Example.of((f"good film {place}", "A good film"), gold="positive") for place in range(12)]
    records = run(model, data)
    assert rate(records).value == 1.0
    assert {text[0] for text in model.asked} == {example.text[0] for example in data}


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"recipes": ()}, "0 recipes"),
        ({"recipes": ("deepwordbgu",)}, "deepwordbgu"),
        ({"budget": 1}, "budget of 1"),
        ({"by": 0.0}, "by 0.0"),
        ({"goal": "anything"}, "no goal 'anything'"),
    ],
)
def test_refuses_what_cannot_be_meant(parameters, said) -> None:
    with pytest.raises(UsageError, match=said):
        Adversarial(**parameters)


def test_a_text_reduced_to_a_word_is_no_wrong_answer(fragile, sentiment_examples) -> None:
    records = run(fragile, sentiment_examples, recipes=("input-reduction", "films"))
    found = rate(records, recipe="input-reduction")
    assert found.value == 1.0  # "good" alone is still positive
    assert "accuracy_under_attack[recipe=input-reduction]" not in measured(records)
    assert measured(records)["any_success_rate"].value == 0.0
    assert measured(records)["worst_accuracy"].value == 1.0
    table = only(Outcomes, records)[0]
    reduced = [row for row, variant in enumerate(table.variant) if variant == "recipe=input-reduction"]
    assert not any(table.changed[row] for row in reduced)
    assert all(table.values["any_success_rate"][row] is None for row in reduced)
    assert "hardly a word is left" in next(r.title for r in only(Measurement, records) if r.estimate is found)


def test_success_with_few_words_changed_is_shown_apart(monkeypatch) -> None:
    """Where there are two good words both must go: of 22 words these are few, of four they are not."""
    monkeypatch.setitem(recipes.RECIPES, "slips", recipe("slips", swapped={"good": ("goood",), "great": ("graet",)}))
    padding = "and so on " * 6
    data = [Example.of(f"{number} good great film {padding}", gold="positive") for number in range(12)]
    data += [Example.of(f"{number} good great film", gold="positive") for number in range(12)]
    data += [Example.of(f"{number} good film", gold="positive") for number in range(12)]
    records = run(FakeModel(rule=sentiment_rule), data)
    assert rate(records).value == 1.0
    assert rate(records, "few_words_success_rate").value == pytest.approx(2 / 3)
