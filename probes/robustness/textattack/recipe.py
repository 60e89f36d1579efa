"""A recipe of TextAttack as one of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Protocol, cast

import numpy as np

from probes.core.answers import Floats, ProblemType
from probes.core.errors import ModelError, UsageError, did_you_mean
from probes.core.examples import Text
from probes.core.model import Classifier
from probes.robustness.adversarial.attacked import Attacked
from probes.robustness.adversarial.parts import VICTIM, Attempt, Judged, Outcome, Situation, Trial
from probes.robustness.adversarial.recipe import Resource, Sources
from probes.robustness.search import Oracle
from probes.robustness.textattack.bridge import WANTS, Ask, Found, Item, Progress

PREFIX = "textattack:"
_UNFIT: Mapping[str, str] = {
    "bad-characters": "it wants a goal of its own; our bad-characters has the usual one",
    "hotflip": "it looks into the model, which stays in another process; our hotflip does that here",
    "input-reduction": "its goal is not another answer; our input-reduction says what is left",
    "morpheus": "it attacks translations; our morpheus attacks classifiers",
    "seq2sick": "it attacks translations",
}
"""Those that do not run here, and why."""
_SEEDS = 2**31 - 1
_TRIED = "Maria paid 3 dollars in London for a truly wonderful film, and I don't regret it."
"""Has something for every transformation."""


class Attacker(Protocol):
    """What runs a recipe of TextAttack: `Peer`, or a stand-in."""

    def attack(
        self, recipe: str, items: Sequence[Item], ask: Ask, *, budget: int, progress: Progress | None = None
    ) -> list[Found]: ...


@dataclass(frozen=True)
class FromTextAttack:
    """One of TextAttack's recipes, unchanged, against the audited model.

    Attributes:
        own: its name there ("pwws").
    """

    own: str

    def __post_init__(self) -> None:
        if self.own in _UNFIT:
            raise UsageError(f"TextAttack's recipe {self.own!r} does not run here", hint=_UNFIT[self.own])
        if self.own not in WANTS:
            raise UsageError(
                f"TextAttack has no recipe {self.own!r} whose goal is another answer of a classifier",
                hint=did_you_mean(self.own, WANTS),
            )

    @property
    def name(self) -> str:
        """As users write it."""
        return PREFIX + self.own

    @property
    def paper(self) -> str:
        """Its source names it."""
        return f"TextAttack's {self.own} (Morris et al. 2020, EMNLP demonstrations)"

    @property
    def deviations(self) -> str:
        """In what it differs from TextAttack's command line."""
        return (
            "The recipe is TextAttack's own; the questions go through this engine. Queries are limited, random numbers "
            "are drawn anew for each text, and of a pair the first text stays as it is. A text counts as broken when "
            "the answer to it is not within numerical noise of another one."
        )

    @property
    def needs(self) -> tuple[Resource, ...]:
        """An interpreter that has it."""
        return (Resource.TEXTATTACK,)

    @property
    def queries(self) -> float:
        """A guess: it depends on the recipe."""
        return 100.0

    def require_usable(self, peer: Attacker) -> None:
        """Make sure that it has all its data: by an attack on one sentence, whatever the answers.

        Raises:
            UsageError: it has not.
            ModelError: the child process failed.
        """

        def ask(texts: Sequence[Text]) -> Floats:
            return np.tile(np.array([0.75, 0.25]), (len(texts), 1))

        _refuse_failure(self.name, peer.attack(self.own, [Item(_TRIED, 0, 0)], ask, budget=60))

    def attempts(
        self, situations: Sequence[Situation], sources: Sources, oracles: Mapping[str, Oracle], *, model: object
    ) -> list[Attempt]:
        """Attack n texts together.

        Raises:
            UsageError: the goal is another one than TextAttack's, or data is missing.
            ModelError: the child process failed.
        """
        victim = cast(Classifier, model)
        peer: Attacker = sources.given[Resource.TEXTATTACK]
        found = peer.attack(
            self.own,
            [_item(each, victim) for each in situations],
            _asked(victim),
            budget=sources.budget,
            progress=sources.progress,
        )
        _refuse_failure(self.name, found)
        before = _judged(oracles[VICTIM], situations, [each.start.whole for each in situations])
        ends = [_ended(each, one) for each, one in zip(situations, found, strict=True)]
        after = _judged(oracles[VICTIM], situations, [end.whole for end in ends])
        return [
            _attempt(*each, budget=sources.budget) for each in zip(situations, found, ends, before, after, strict=True)
        ]


def _refuse_failure(name: str, found: Sequence[Found]) -> None:
    """Where it broke down on every text, the fault is not in the texts."""
    if found and all(each.text is None for each in found):
        raise ModelError(
            f"{name} failed on every text ({len(found)}): {found[0].error}",
            hint="leave this recipe out; TextAttack or what it needs is not whole",
        )


def _item(situation: Situation, model: Classifier) -> Item:
    if situation.target is None or model.card.problem is not ProblemType.SINGLE_LABEL:
        raise UsageError(
            "TextAttack's recipes attack classifiers with one label a text, and only to get any other answer",
            hint="leave the goal at its default, or choose recipes without the prefix textattack:",
        )
    label = model.card.labels.index(situation.target)
    return Item(situation.start.whole, label, situation.draws.integer(0, _SEEDS))


def _asked(model: Classifier) -> Ask:
    def ask(texts: Sequence[Text]) -> Floats:
        return model.classify(texts).scores

    return ask


def _judged(victim: Oracle, situations: Sequence[Situation], texts: Sequence[Text]) -> list[Judged]:
    return list(victim([Trial(VICTIM, each.item, [text]) for each, text in zip(situations, texts, strict=True)]))


def _ended(situation: Situation, found: Found) -> Attacked:
    """The text it ended with, its words laid beside those of the first one."""
    text = found.text
    if text is not None and not isinstance(text, str):
        text = text[1]
    return situation.start if text is None else beside(situation.start, text)


def beside(start: Attacked, text: str) -> Attacked:
    """A changed text, with the words of the first that it no longer has; a word put in counts for its neighbour."""
    now = Attacked.of(text)
    blocks = SequenceMatcher(None, start.words, now.words, autojunk=False).get_opcodes()
    origins = [0] * len(now)
    edited: set[int] = set()
    for kind, first, last, begin, end in blocks:
        first = max(min(first, len(start.first) - 1), 0)
        last = max(min(last, len(start.first)), first + 1)
        origins[begin:end] = [min(first + step, last - 1) for step in range(end - begin)]
        if kind != "equal" and start.first:
            edited.update(range(first, last))
    return replace(now, origins=tuple(origins), first=start.first, edited=frozenset(edited), pair=start.pair)


def _attempt(
    situation: Situation, found: Found, end: Attacked, before: Judged, after: Judged, *, budget: int
) -> Attempt:
    outcome = _outcome(found, before, after)
    changed = end.text != situation.start.text
    return Attempt(
        outcome=outcome,
        start=situation.start,
        found=end if changed else None,
        score=float(before.scores[0]),
        best=float(after.scores[0]),
        queries=found.queries,
        out_of_budget=outcome is Outcome.HELD and found.queries >= budget,
        tried=found.queries > 1,
    )


def _outcome(found: Found, before: Judged, after: Judged) -> Outcome:
    """By our own goal, asked again; an error on one text is no answer about it."""
    if found.text is None or not np.isfinite(before.scores[0]):
        return Outcome.UNSCORED
    if before.reached[0]:
        return Outcome.WRONG_BEFORE
    return Outcome.BROKEN if after.reached[0] else Outcome.HELD
