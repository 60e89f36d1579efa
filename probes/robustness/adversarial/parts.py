"""What an attack is put together from: goals, transformations, constraints, methods, and what an attempt came to."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

import numpy as np

from probes.core.answers import Bools, Classifications, Floats
from probes.core.examples import Text
from probes.robustness.adversarial.attacked import Attacked, Candidate, Change
from probes.robustness.search import Request, Steps

VICTIM = "victim"
"""The oracle that every method asks: the model under attack, judged by the goal of the item."""


class Judged(NamedTuple):
    """n texts, as a goal sees the model's answers to them.

    scores: (n,) how near each is to the goal, the higher the nearer; -inf where the model gave no answer.
    reached: (n,) is the goal reached.
    """

    scores: Floats
    reached: Bools


Doubts = Callable[[Judged], Sequence[Sequence[int]]]
"""Which judgements by a faster stand-in the model itself has to make again: groups of rows, one group after the other,
until a row reaches the goal. A search says so, as it knows which of them it will act upon."""


def every(judged: Judged) -> Sequence[Sequence[int]]:
    """All of them: of a text as it stands, everything counts."""
    return [range(len(judged.scores))]


def reaching(judged: Judged) -> Sequence[Sequence[int]]:
    """All that seem to reach the goal."""
    return [np.flatnonzero(judged.reached).tolist()]


def scores_alone(judged: Judged) -> Sequence[Sequence[int]]:
    """None: scores are compared with each other, and nobody asks what reaches the goal."""
    return []


@dataclass(frozen=True, slots=True)
class Trial(Request):
    """Texts for the model under attack.

    Attributes:
        doubts: of the judgements by a stand-in, if it is one that answers.
    """

    doubts: Doubts = every


def shared_out(requests: Sequence[Request], scores: Floats, reached: Bools) -> list[Judged]:
    """To each of n requests what was found of its own questions; they were judged together, in their order."""
    ends = np.cumsum([len(request.questions) for request in requests])[:-1]
    return [Judged(*its) for its in zip(np.split(scores, ends), np.split(reached, ends), strict=True)]


class Goal(Protocol):
    """When an answer counts as broken."""

    def judge(self, answers: Classifications) -> Judged:
        """Judge n answers of a classifier."""
        ...


class Draws(Protocol):
    """Random numbers of one attack; what is drawn depends on the seed, the recipe and the item alone."""

    def integer(self, low: int, high: int) -> int:
        """A whole number, low <= it < high."""
        ...

    def choice(self, options: Sequence[str]) -> str:
        """One of the options."""
        ...


@dataclass(frozen=True, slots=True)
class Drawn:
    """`Draws` from one `random.Random`."""

    rng: random.Random

    def integer(self, low: int, high: int) -> int:
        """A whole number, low <= it < high."""
        return self.rng.randrange(low, high)

    def choice(self, options: Sequence[str]) -> str:
        """One of the options."""
        return options[self.rng.randrange(len(options))]


@dataclass(frozen=True)
class Situation:
    """Where an attack stands; what transformations and constraints are told besides the text.

    Attributes:
        item: position of the text among those attacked, for requests.
        start: the text as it was.
        draws: random numbers of this attack.
        target: name of the label the goal leads away from, where there is one.
    """

    item: int
    start: Attacked
    draws: Draws
    target: str | None = None


class Transformation(Protocol):
    """Proposes changes. Without a model of its own it proposes at once (`probes.robustness.adversarial.pure`)."""

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        """Changes of the words at these places, each place by itself, in a fixed order, none twice.

        Of a place that it can do nothing with it proposes nothing. It may yield requests.
        """
        ...


class Constraint(Protocol):
    """Refuses changes that break a rule, cheap rules before dear ones in an attack."""

    def places(self, text: Attacked, places: Sequence[int], situation: Situation) -> list[int]:
        """Which of these places may be changed at all, whatever stands there later."""
        ...

    def keep(self, candidates: Sequence[Candidate], situation: Situation) -> Steps[list[Candidate]]:
        """Which of these candidates keep the rule, in the same order. It may yield requests and note numbers."""
        ...


class Outcome(StrEnum):
    """What an attempt came to."""

    BROKEN = "broken"
    HELD = "held"
    WRONG_BEFORE = "wrong before"
    """The model answered the text itself wrongly, so there was nothing to break."""
    UNSCORED = "unscored"
    """The model gave no answer to the text itself."""
    OUT_OF_REACH = "out of reach"
    """No answer at all could reach the goal: a probability of 0.9 does not rise by 0.3."""


@dataclass(frozen=True)
class Attempt:
    """What an attack on one text came to.

    Attributes:
        outcome: see `Outcome`.
        start: the text as it was.
        found: the text that broke the answer, or, where none did, the one that came nearest.
        score, best: of the text itself and of `found`, by the goal.
        queries: texts the model was asked about, the first included.
        tried: a changed text was asked about; False where the recipe found nothing to change.
        lacked: what was not there to attack it with ("no text to learn from"), where that is why it was not tried.
        out_of_budget: it held only until its queries were used up.
        notes: numbers about `found` from constraints ("similarity").
    """

    outcome: Outcome
    start: Attacked
    found: Attacked | None
    score: float
    best: float
    queries: int
    tried: bool = True
    out_of_budget: bool = False
    notes: dict[str, float] = field(default_factory=dict)
    lacked: str = ""

    @property
    def changed(self) -> Text:
        """What the model reads at the end: `found`, or the text itself."""
        return (self.found or self.start).whole


class Method(Protocol):
    """Decides which places are changed in which order, and which candidates are gone on from."""

    def search(self, attack: Attack, situation: Situation) -> Steps[Attempt]:
        """Attack one text."""
        ...


@dataclass(frozen=True, kw_only=True)
class Attack:
    """A combination, ready to be used on any number of texts.

    Attributes:
        method: how it searches.
        transformation: what it tries.
        constraints: in the order in which they are asked.
        budget: most texts that the model is asked about for one item.
    """

    method: Method
    transformation: Transformation
    constraints: tuple[Constraint, ...] = ()
    budget: int

    def places(self, text: Attacked, situation: Situation) -> list[int]:
        """Where it may change a text."""
        allowed = list(range(len(text)))
        for constraint in self.constraints:
            allowed = constraint.places(text, allowed, situation)
        return allowed

    def candidates(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Candidate]]:
        """What a text may become by changes at these places, as the constraints allow it; in the order of the texts.

        Candidates that the model cannot tell apart score the same, and the first wins: as in TextAttack, which sorts.
        """
        proposed = yield from self.transformation.propose(text, self._allowed(text, places, situation), situation)
        found = [Candidate.of(text, change) for change in proposed]
        for constraint in self.constraints:
            if not found:
                break
            found = yield from constraint.keep(found, situation)
        return sorted(found, key=_text)

    def _allowed(self, text: Attacked, places: Sequence[int], situation: Situation) -> Sequence[int]:
        for constraint in self.constraints:
            places = constraint.places(text, places, situation)
        return places


def _text(candidate: Candidate) -> str:
    return candidate.text


@dataclass
class Budget:
    """What is left of the texts that the model may be asked about.

    Attributes:
        left: how many more.
        used: how many were.
    """

    left: int
    used: int = 0

    @property
    def spent(self) -> bool:
        """Is none left."""
        return self.left <= 0

    def spend(self, count: int) -> None:
        """Take so many off: what was asked elsewhere counts too."""
        self.left -= count
        self.used += count

    def begun(self, situation: Situation) -> Steps[Judged]:
        """Ask about the text as it is."""
        return self.judged([situation.start.whole], situation, every)

    def judged(self, texts: Sequence[Text], situation: Situation, doubts: Doubts) -> Steps[Judged]:
        """Ask about as many of these texts, the first ones, as the budget allows; at least one must be left."""
        asked = list(texts[: self.left])
        self.spend(len(asked))
        answer: Judged = yield Trial(VICTIM, situation.item, asked, doubts)
        return answer
