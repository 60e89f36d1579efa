"""All attacks of a probe on one subject, and what it publishes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import compress
from typing import Any, cast

import numpy as np

from probes.core.answers import Bools
from probes.core.attributors import Attributor
from probes.core.groups import groups
from probes.core.model import Capability
from probes.core.probe import Context
from probes.core.records import Accounting, Outcomes, Record, Skip, SkipReason
from probes.robustness.adversarial.attacked import Attacked
from probes.robustness.adversarial.attacks import Attacks
from probes.robustness.adversarial.cases import cases, outcomes
from probes.robustness.adversarial.classified import Classified
from probes.robustness.adversarial.constraints.meaning import note_fluency, note_similarity
from probes.robustness.adversarial.gradients import GRADIENT, GradientOracle
from probes.robustness.adversarial.guide import Guide
from probes.robustness.adversarial.numbers import accounting, curves, of_all, of_parts, of_recipe, ungraded
from probes.robustness.adversarial.parts import VICTIM, Attempt, Drawn, Outcome, Situation
from probes.robustness.adversarial.recipe import Recipe, Resource, Sources, breaks, classifiers_only, in_words, missing
from probes.robustness.adversarial.sources.own import OwnWords
from probes.robustness.adversarial.subject import Subject, Told, offered
from probes.robustness.search import Oracle

UNDER_ATTACK = ("accuracy_under_attack", "accuracy_drop", "worst_accuracy", "worst_accuracy_drop")
"""Numbers that there are where an answer is right or wrong."""


@dataclass(frozen=True, kw_only=True)
class Fight:
    """What is attacked, and with what.

    Attributes:
        recipes: one after another.
        budget: most texts that the model is asked about for one item and recipe.
        given: what candidates come from, as far as it does not hang on the subject.
    """

    subject: Subject
    recipes: Sequence[Recipe]
    budget: int
    given: Mapping[Resource, Any]
    ctx: Context

    def records(self) -> Iterator[Record | Outcomes]:
        """Of each recipe, then of all together, then cases and outcomes."""
        every = []
        for recipe in self.recipes:
            if skip := self._refused(recipe):
                yield Accounting(eligible=len(self.subject.examples), scored=0, slice={"recipe": recipe.name})
                yield skip
                continue
            every.append(attacks := self._attacks(recipe))
            yield accounting(attacks)
            yield from self._measured(attacks)
        if not any(attacks.attacked.any() for attacks in every):
            return
        breaking = [attacks for attacks in every if attacks.breaks]
        if breaking:
            yield from of_all(breaking)
            yield from _ungraded(breaking[0])
        yield from cases(every, self.ctx)
        yield outcomes(every)

    def _measured(self, attacks: Attacks) -> Iterator[Record]:
        if not attacks.attacked.any():
            yield _nothing(attacks)
            return
        yield from of_recipe(attacks, budget=self.budget)
        yield from of_parts(attacks, _parts(attacks), family=self.ctx.probe)
        yield from curves(attacks, budget=self.budget)

    @cached_property
    def _sources(self) -> Sources:
        """What was given, and what the model itself offers."""
        given, offers = dict(self.given), offered(self.subject)
        if Capability.ATTRIBUTE in offers:
            given[Resource.GRADIENTS] = Guide(offers[Capability.ATTRIBUTE], self.subject.slopes or ())
        if Capability.NEIGHBOURS in offers:
            given[Resource.NEIGHBOURS] = OwnWords(offers[Capability.NEIGHBOURS])
        oracles: dict[str, Oracle] = {}
        for resource in given.values():
            oracles |= getattr(resource, "oracles", dict)()
        return Sources(budget=self.budget, given=given, oracles=oracles)

    @cached_property
    def _oracles(self) -> Mapping[str, Oracle]:
        """The victim, and whoever else may be asked."""
        gradients = GradientOracle(cast(Attributor, self.subject.model), self.subject.slopes or ())
        return {VICTIM: self.subject.victim(), GRADIENT: gradients, **self._sources.oracles}

    @cached_property
    def _before(self) -> Told:
        """The answers to the items themselves."""
        return self.subject.told([example.text for example in self.subject.examples])

    def _refused(self, recipe: Recipe) -> Skip | None:
        """Why a recipe cannot be used."""
        if not isinstance(self.subject, Classified) and classifiers_only(recipe):
            return _left_out(recipe, SkipReason.WRONG_PROBLEM, "attacks classifiers only, and this model is none")
        if lacking := missing(recipe, self._sources.given):
            what, how = in_words(lacking)
            return _left_out(recipe, SkipReason.NO_RESOURCE, f"was not run: it needs {what}", enable=how)
        return None

    def _attacks(self, recipe: Recipe) -> Attacks:
        """Attack all items by a recipe."""
        examples = self.subject.examples
        situations = [
            Situation(
                item=item,
                start=Attacked.of(example.text, part=self.subject.part),
                draws=Drawn(self.ctx.rng(recipe.name, example.id)),
                target=target,
            )
            for item, (example, target) in enumerate(zip(examples, self.subject.targets, strict=True))
        ]
        progress = partial(self.ctx.progress, recipe.name)
        progress(0, len(examples))
        sources = replace(self._sources, progress=progress)
        may = self.subject.reachable or [True] * len(situations)
        within = list(compress(situations, may))
        found = iter(recipe.attempts(within, sources, self._oracles, model=self.subject.model) if within else ())
        attempts = [
            next(found) if reachable else _out_of_reach(situation)
            for situation, reachable in zip(situations, may, strict=True)
        ]
        note_similarity(attempts, self._oracles)
        note_fluency(attempts, self._oracles)
        after = self.subject.told([attempt.changed for attempt in attempts])
        return Attacks(
            recipe=recipe.name,
            subject=self.subject,
            attempts=attempts,
            before=self._before,
            after=after,
            breaks=breaks(recipe),
        )


def _out_of_reach(situation: Situation) -> Attempt:
    return Attempt(
        outcome=Outcome.OUT_OF_REACH,
        start=situation.start,
        found=None,
        score=float("nan"),
        best=float("nan"),
        queries=0,
        tried=False,
    )


def _left_out(recipe: Recipe, reason: SkipReason, why: str, *, enable: str = "") -> Skip:
    return Skip(
        reason=reason,
        detail=f"The recipe {recipe.name} {why}.",
        enable=enable,
        name="attack_success_rate",
        slice={"recipe": recipe.name},
    )


def _ungraded(attacks: Attacks) -> Iterator[Skip]:
    if not attacks.known.any() and (attacks.subject.graded or attacks.subject.ungraded):
        yield from (ungraded(name, attacks.subject.ungraded) for name in UNDER_ATTACK)


def _parts(attacks: Attacks) -> list[tuple[str, str, Bools]]:
    """The labels and the values of each group column, with their members."""
    labels = attacks.subject.labels or ()
    found = [
        ("label", label, np.array([each == label for each in labels], dtype=bool)) for label in sorted(set(labels))
    ]
    return found + [("group", group, members) for group, members in groups(attacks.examples)]


def _nothing(attacks: Attacks) -> Skip:
    if lacked := sorted({attempt.lacked for attempt in attacks.attempts if attempt.lacked}):
        return Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"The recipe {attacks.recipe} attacked nothing: there is {' and '.join(lacked)}.",
            enable="give more items of each label",
            slice=attacks.part,
        )
    if attacks.came_to(Outcome.OUT_OF_REACH).all():
        return Skip(
            reason=SkipReason.NOTHING_PERTURBED,
            detail=f"The recipe {attacks.recipe} attacked nothing: no score can move so far.",
            enable="ask for a smaller shift with the parameter `by`",
            name="attack_success_rate",
            slice=attacks.part,
        )
    return Skip(
        reason=SkipReason.NOTHING_PERTURBED,
        detail=f"The recipe {attacks.recipe} found no right answer with something to change in its text.",
        name="attack_success_rate",
        slice=attacks.part,
    )
