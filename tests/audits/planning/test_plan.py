from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, get_type_hints

import pytest

from audits.config import Config, SuiteEntry
from audits.planning.budget import MINIMUM_ITEMS
from audits.planning.parameter_types import in_words, require_types
from audits.planning.parameters import parameters_of, settable, with_parameters
from audits.planning.plan import make_plan
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import DataCard, Example
from probes.core.model import Capability
from probes.core.positive import Meaning, PositiveClass
from probes.core.records import SkipReason
from probes.registry import Broken, Registry, load_registry
from probes.robustness.adversarial.probe import Adversarial
from tests.audits.stubs import Stub, info, registry
from tests.conftest import model_card


def examples(n: int, *, gold: bool = True) -> list[Example]:
    return [Example.of(f"text {i}", gold=("a" if i % 4 else "b") if gold else None) for i in range(n)]


def card(data: list[Example]) -> DataCard:
    return DataCard(name="d", source="d", fingerprint="x", n=len(data), labelled=sum(e.gold is not None for e in data))


def plan(config: Config, reg: Registry, data: list[Example], **how: Any):
    return make_plan(config, registry=reg, model=model_card(), data=data, card=card(data), **how)


SUITES = {"mine": (SuiteEntry(probes="a.*", items=50), SuiteEntry(probes="b.*", items=100, parameters={"rate": 0.5}))}


def config(**changes: Any) -> Config:
    return Config(model="m", suite="mine", suites=SUITES, **changes)


def test_suite_gives_items_and_parameters_and_says_what_it_leaves_out():
    made = plan(config(), registry(info("a.one"), info("b.two"), info("c.three")), examples(200))
    assert [(s.planned.probe, s.planned.items, s.planned.parameters["rate"]) for s in made.steps] == [
        ("a.one", 50, 0.1),
        ("b.two", 100, 0.5),
    ]
    assert [(skip.probe, skip.skip.reason) for skip in made.skips] == [("c.three", SkipReason.NOT_SELECTED)]


def test_a_probe_that_could_not_run_anyway_is_not_left_out_by_a_choice():
    """Advice to select it would be no help; where the data lack something too, the advice says so."""
    reg = registry(
        info("a.one"), info("c.other", problems=frozenset({ProblemType.REGRESSION})), info("c.gold", gold=True)
    )
    made = plan(config(only=("a.*",)), reg, examples(40, gold=False))
    skips = {each.probe: each.skip for each in made.skips}
    assert skips["c.other"].reason is SkipReason.WRONG_PROBLEM
    assert not skips["c.other"].enable
    assert skips["c.gold"].reason is SkipReason.NOT_SELECTED
    assert skips["c.gold"].enable.startswith("leave out --only, or add --only c.gold; besides, pass labelled data")


def test_what_a_probe_will_leave_out_is_told_before_it_runs():
    reg = Registry({"robustness.adversarial": Adversarial()})
    suites = {"mine": (SuiteEntry(probes="*", parameters={"recipes": ("deepwordbug", "pwws")}),)}
    made = plan(Config(model="m", suite="mine", suites=suites), reg, examples(40))
    (note,) = made.notes
    assert note.startswith("The recipe pwws is left out: it needs WordNet. To have it run: install nltk")
    usual = {"mine": (SuiteEntry(probes="*", parameters={"recipes": ("deepwordbug",)}),)}
    assert plan(Config(model="m", suite="mine", suites=usual), reg, examples(40)).notes == ()


def test_limit_and_available_data_bound_every_step():
    reg = registry(info("a.one"), info("b.two"))
    assert {s.planned.items for s in plan(config(limit=20), reg, examples(200)).steps} == {20}
    assert {s.planned.items for s in plan(config(), reg, examples(30)).steps} == {30}


def test_samples_keep_label_shares_and_ignore_row_order():
    data = examples(200)
    first = plan(config(), registry(info("a.one")), data).steps[0]
    second = plan(config(), registry(info("a.one")), data[::-1]).steps[0]
    assert {e.id for e in first.data} == {e.id for e in second.data}
    assert first.planned.step_id == second.planned.step_id
    assert sum(e.gold == "b" for e in first.data) in (12, 13)


def test_probes_that_cannot_run_are_rows_with_a_reason():
    reg = registry(
        info("a.gold", gold=True),
        info("a.regression", problems=frozenset({ProblemType.REGRESSION})),
        info("a.impossible", needs=frozenset({Capability.CLASSIFY, "generate"})),  # type: ignore[arg-type]
        info("a.fine"),
    )
    made = plan(config(), reg, examples(40, gold=False))
    reasons = {skip.probe: skip.skip.reason for skip in made.skips}
    assert reasons == {
        "a.gold": SkipReason.NO_GOLD,
        "a.regression": SkipReason.WRONG_PROBLEM,
        "a.impossible": SkipReason.NO_CAPABILITY,
    }
    assert "--data" in next(skip.skip.enable for skip in made.skips if skip.probe == "a.gold")


HATE = model_card(labels=("non-hate", "hate")).model_copy(
    update={"positive": PositiveClass(labels=("hate",), meaning=Meaning.HARM, origin="label names")}
)


def test_probes_for_harm_classifiers_and_for_all_others_exclude_one_another():
    reg = registry(info("a.harm", harm=True), info("a.other", harm=False), info("a.any"))
    data = examples(40)
    for model, left_out, profile in ((HATE, "a.other", "general"), (model_card(), "a.harm", "toxicity")):
        made = make_plan(config(), registry=reg, model=model, data=data, card=card(data))
        (skip,) = made.skips
        assert skip.probe == left_out
        assert skip.skip.reason is SkipReason.WRONG_PROFILE
        assert f"--profile {profile}" in skip.skip.enable


def test_a_comparison_of_groups_needs_groups():
    reg = registry(info("a.groups", groups=True), info("a.any"))
    data = examples(40)
    (skip,) = plan(config(), reg, data).skips
    assert skip.skip.reason is SkipReason.NO_GROUPS
    assert "--group-column" in skip.skip.enable
    grouped = card(data).model_copy(update={"groups": ("age",)})
    assert not make_plan(config(), registry=reg, model=model_card(), data=data, card=grouped).skips


def test_the_positive_class_is_part_of_a_step():
    reg, data = registry(info("a.any")), examples(40)
    ids = {
        make_plan(config(), registry=reg, model=model, data=data, card=card(data)).steps[0].planned.step_id
        for model in (HATE, HATE.model_copy(update={"positive": PositiveClass(labels=("non-hate",))}))
    }
    assert len(ids) == 2


def test_broken_plugins_are_rows_too():
    reg = registry(info("a.one"))
    reg.broken.append(Broken("acme", "ImportError: no acme"))
    assert plan(config(), reg, examples(40)).skips[0].skip.reason is SkipReason.PLUGIN_BROKEN


def test_only_narrows_and_unknown_names_suggest():
    reg = registry(info("a.typos"), info("a.case"))
    made = plan(config(only=("a.ty*",)), reg, examples(40))
    assert [s.planned.probe for s in made.steps] == ["a.typos"]
    with pytest.raises(UsageError) as caught:
        plan(config(only=("a.typo",)), reg, examples(40))
    assert "a.typos" in caught.value.hint


def test_what_a_probe_was_given_is_recorded_and_not_to_be_set():
    probe = Adversarial(resources=("WordNet 3.0",))
    assert parameters_of(probe)["resources"] == ("WordNet 3.0",)
    assert "resources" not in settable(probe)
    with pytest.raises(UsageError, match="no parameter 'resources'"):
        with_parameters(probe, {"resources": ["made up"]})


def test_a_parameter_that_means_nothing_to_the_model_is_refused_before_anything_runs():
    name = "robustness.adversarial"
    suites = {"attacks": (SuiteEntry(probes=name),)}
    for goal, said in (("label:nope", "no label"), ("raise", "has none")):
        asked = Config(model="m", suite="attacks", suites=suites, probes={name: {"goal": goal}})
        with pytest.raises(UsageError, match=said):
            plan(asked, load_registry(), examples(40))


def test_parameters_are_checked():
    reg = registry(info("a.one"))
    made = plan(config(probes={"a.one": {"levels": [3], "rate": 0.2}}), reg, examples(40))
    assert parameters_of(made.steps[0].probe) == {"rate": 0.2, "levels": (3,)}
    for wrong, gist in (({"rte": 1}, "no parameter"), ({"rate": 2}, "a share")):
        with pytest.raises(UsageError, match=gist):
            plan(config(probes={"a.one": wrong}), reg, examples(40))
    with pytest.raises(UsageError, match="no probe called"):
        plan(config(probes={"a.two": {}}), reg, examples(40))


@pytest.mark.parametrize(
    ("wrong", "takes"),
    [
        ({"rate": "many"}, "rate takes a number, not 'many'"),
        ({"rate": True}, "rate takes a number, not True"),
        ({"rate": None}, "rate takes a number, not None"),
        ({"levels": 3}, "levels takes a list of whole numbers, not 3"),
        ({"levels": ["3"]}, r"levels takes a list of whole numbers, not \['3'\]"),
        ({"levels": [date(2026, 1, 1)]}, "levels takes a list of whole numbers"),
    ],
)
def test_a_parameter_of_another_type_is_refused_with_what_it_takes(wrong, takes):
    with pytest.raises(UsageError, match=f"a.one: {takes}") as refused:
        plan(config(probes={"a.one": wrong}), registry(info("a.one")), examples(40))
    assert "audit show a.one" in refused.value.hint


def test_every_type_of_a_builtin_parameter_has_words():
    for probe in load_registry().probes.values():
        own = parameters_of(probe)
        require_types(probe, own)
        hints = get_type_hints(type(probe))
        assert not [name for name in own if re.search(r"[<\[]", in_words(hints[name]))], probe.info.id


def test_step_id_depends_on_everything_that_matters():
    reg = registry(info("a.one"))
    base = plan(config(), reg, examples(40)).steps[0].planned.step_id
    assert plan(config(), reg, examples(40)).steps[0].planned.step_id == base
    for other in (
        plan(config(seed=1), reg, examples(40)),
        plan(config(), reg, examples(41)),
        plan(config(probes={"a.one": {"rate": 0.2}}), reg, examples(40)),
    ):
        assert other.steps[0].planned.step_id != base


def test_budget_cuts_visibly_and_never_below_the_minimum():
    reg = Registry()
    for name in ("a.one", "b.two"):
        reg.add(Asks(info=info(name), suffixes=tuple(f"{name}{k}" for k in range(10))), origin="test")
    full = plan(config(), reg, examples(200))
    cost = full.calls * 0.01
    cut = plan(config(time_budget=cost / 2), reg, examples(200), seconds_per_call=0.01)
    assert cut.calls * 0.01 <= cost / 2
    assert "time budget" in cut.notes[0]
    assert plan(config(time_budget=cost * 2), reg, examples(200), seconds_per_call=0.01).notes == ()
    tiny = plan(config(time_budget=0.001), reg, examples(200), seconds_per_call=0.01)
    assert {s.planned.items for s in tiny.steps} == {MINIMUM_ITEMS}
    assert "too small" in tiny.notes[1]


def test_frozen_sizes_win_over_the_budget():
    reg = registry(info("a.one"))
    made = plan(config(time_budget=0.001), reg, examples(200), sizes={"a.one": 44}, seconds_per_call=1.0)
    assert made.steps[0].planned.items == 44


@dataclass(frozen=True)
class Asks(Stub):
    suffixes: tuple[str, ...] = ("!",)

    def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
        model.classify([example.text + suffix for example in data for suffix in ("", *self.suffixes)])
        yield from ()


def test_only_questions_that_nobody_asked_before_cost_anything():
    found = Registry()
    for name, suffixes in (("a.one", ("!", "?")), ("a.two", ("?", "...")), ("b.worst", ("!", "?", "..."))):
        found.add(Asks(info=info(name, calls=99), suffixes=suffixes), origin="test")
    made = plan(config(), found, examples(50))
    assert [step.planned.calls for step in made.steps] == [100, 50, 0]
    assert made.calls == 50 + 150


@dataclass(frozen=True)
class AsksItsOwn(Stub):
    texts: tuple[str, ...] = ("own 1", "own 2", "own 3")

    def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
        model.classify(self.texts)
        yield from ()


def test_texts_of_a_probes_own_cost_the_same_whatever_the_data():
    found = Registry()
    found.add(AsksItsOwn(info=info("a.own", data=False)), origin="test")
    found.add(AsksItsOwn(info=info("a.again", data=False)), origin="test")
    for n in (40, 400):
        own, again = plan(config(), found, examples(n)).steps
        assert (own.planned.calls, own.planned.items, own.planned.own_texts) == (3, 0, True)
        assert again.planned.calls == 0
        assert own.data == ()


def test_a_budget_never_cuts_texts_of_a_probes_own():
    found = Registry()
    found.add(AsksItsOwn(info=info("a.own", data=False)), origin="test")
    found.add(Asks(info=info("a.dear"), suffixes=tuple("abcdefghij")), origin="test")
    made = plan(config(time_budget=4), found, examples(200), seconds_per_call=0.01)
    sizes = {step.planned.probe: step.planned.items for step in made.steps}
    assert sizes["a.own"] == 0
    assert MINIMUM_ITEMS <= sizes["a.dear"] < 50
    assert f"to {sizes['a.dear']} items" in made.notes[0]


def test_an_embedding_is_a_pass_of_its_own():
    class Embeds(Stub):
        def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
            model.classify([example.text for example in data])
            model.embed([example.text for example in data])
            yield from ()

    found = Registry()
    found.add(Embeds(info=info("a.embeds")), origin="test")
    assert plan(config(), found, examples(50)).steps[0].planned.calls == 50


def test_a_probe_that_fails_in_rehearsal_counts_as_declared():
    class Breaks(Stub):
        def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
            raise RuntimeError("no")

    found = Registry()
    found.add(Breaks(info=info("a.one", calls=11)), origin="test")
    assert plan(config(), found, examples(50)).steps[0].planned.calls == 500


def test_budget_keeps_the_cheap_probes_large():
    found = Registry()
    found.add(Asks(info=info("a.cheap"), suffixes=()), origin="test")
    found.add(Asks(info=info("b.dear"), suffixes=tuple("abcdefghij")), origin="test")
    found.add(Asks(info=info("c.again"), suffixes=tuple("abcdefghij")), origin="test")
    suites = {"mine": (SuiteEntry(probes="*"),)}
    made = plan(
        Config(model="m", suite="mine", suites=suites, time_budget=20), found, examples(1000), seconds_per_call=0.01
    )
    sizes = {step.planned.probe: step.planned.items for step in made.steps}
    assert sizes["a.cheap"] == 500  # a quarter of the budget
    assert 100 < sizes["b.dear"] < 200
    assert sizes["c.again"] == sizes["b.dear"]  # free only as long as it asks about the same items
    assert made.calls * 0.01 <= 20
