"""The positive class: the answer that fairness and toxicity measures count, and what it means for the person concerned.

"Positive" as in "true positive": the outcome of interest, not a good one. For a harm classifier (toxicity, hate,
offence) it is the harm, for a sentiment classifier the good review, for an application screen the acceptance.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum

import numpy as np
from pydantic import BaseModel, ConfigDict

from probes.core.answers import Bools, Classifications, Floats, ProblemType, gold_matrix
from probes.core.examples import Gold


class Meaning(StrEnum):
    """What a positive answer is for the person it is about."""

    FAVOURABLE = "favourable"
    UNFAVOURABLE = "unfavourable"
    HARM = "harm"
    """The text is said to be harmful: unfavourable for its author, protection for its target."""
    UNKNOWN = "unknown"


class PositiveClass(BaseModel):
    """Which labels are positive, what that means, and how it is known; part of the model card.

    Attributes:
        labels: the positive labels, in the model's order; empty where there is no such distinction (topics, say).
        meaning: see `Meaning`.
        origin: "declared" by the user, recognised in the "label names", or by "convention" the second of two labels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: tuple[str, ...] = ()
    meaning: Meaning = Meaning.UNKNOWN
    origin: str = ""

    @property
    def harm(self) -> bool:
        """Is it a harm that the model looks for."""
        return self.meaning is Meaning.HARM

    def score(self, answers: Classifications) -> Floats:
        """(n,): probability of a positive answer: the sum over positive labels; for label sets the largest of them;
        for a regression the value itself.
        """
        columns = self._columns(answers)
        if answers.problem is ProblemType.SINGLE_LABEL:
            return np.asarray(answers.scores[:, columns].sum(axis=1))
        return np.asarray(answers.scores[:, columns].max(axis=1))

    def decided(self, answers: Classifications) -> Bools:
        """(n,): is the answer positive at the deployed threshold: the top label, or any label at one half or more.

        Raises:
            ValueError: for a regression, which has no threshold.
        """
        if answers.problem is ProblemType.REGRESSION:
            raise ValueError("a regression has no threshold")
        return np.asarray(answers.chosen[:, self._columns(answers)].any(axis=1))

    def gold(self, golds: Sequence[Gold], *, labels: Sequence[str]) -> Bools:
        """(n,): does the right answer hold a positive label.

        Raises:
            ValueError: for a gold that is None or a number.
        """
        columns = [index for index, label in enumerate(labels) if label in self.labels]
        return np.asarray(gold_matrix(golds, labels=labels)[:, columns].any(axis=1))

    def _columns(self, answers: Classifications) -> list[int]:
        found = [index for index, label in enumerate(answers.labels) if label in self.labels]
        if not found:
            raise ValueError("the model has no positive class")
        return found


NONE = "none"
"""What a user writes where no answer is the positive one, and the origin that is then on record."""

_HARM = re.compile(
    r"\b(toxic|hate|hateful|hs\b|hof\b|offen[sc]|abus|insult|threat(?!s\b)|obscen|harass|(cyber ?)?bully|profan|derogat"
    r"|vulgar|extremis|racis|sexis|sexual|identity (attack|hate)|violen|unsafe|harm(?!on|ac)|misogyn|slur|nsfw"
    r"|self harm)"
)
_DEGREE = r"((very|strongly|extremely|slightly|somewhat|mostly) )?"
_FAVOURABLE = re.compile(
    rf"{_DEGREE}(positive|pos|favou?rable|good|approved?|accept(ed|able)?|grant(ed)?|hired?|qualified|eligible"
    r"|recommend(ed)?|pass(ed)?|shortlist(ed)?|interview|admit(ted)?|selected)"
    r"|(4|5|four|five) stars?|stars? (4|5)"
)
_UNFAVOURABLE = re.compile(
    r"spam|fraud(ulent)?|reject(ed)?|den(y|ied)|decline[d]?|scam|phishing|high risk|risky|default(ed)?"
    r"|suspicious|flag(ged)?|fake"
)
_NEGATION = r"non|not|no|anti|counter|un|in"
_NEGATED = re.compile(
    rf"\b({_NEGATION}|neither|none|normal|neutral|clean|safe|benign|harmless|okay|ok)\b"
    rf"|^({_NEGATION})(?=offens|toxic|hat|abus|harm|viol|bull|slur)"
)


def recognise(labels: Sequence[str], problem: ProblemType) -> PositiveClass:
    """The positive class as far as label names tell; of two labels otherwise the second, by convention."""
    if problem is ProblemType.TOKEN:
        return PositiveClass()  # no label of a word says what the whole text is
    for pattern, meaning, whole in (
        (_HARM, Meaning.HARM, False),
        (_FAVOURABLE, Meaning.FAVOURABLE, True),
        (_UNFAVOURABLE, Meaning.UNFAVOURABLE, True),
    ):
        found = tuple(label for label in labels if _says(label, pattern, whole=whole))
        if meaning is Meaning.HARM and problem is ProblemType.SINGLE_LABEL:
            found = _but_the_denied(labels) or found
        if found and (len(found) < len(labels) or problem is not ProblemType.SINGLE_LABEL):
            return PositiveClass(labels=found, meaning=meaning, origin="label names")
    if problem is ProblemType.REGRESSION:
        return PositiveClass(labels=tuple(labels[:1]), origin="the only score")
    if problem is ProblemType.SINGLE_LABEL and len(labels) == 2:
        return _by_convention(labels)
    return PositiveClass()


def _but_the_denied(labels: Sequence[str]) -> tuple[str, ...]:
    """Where one label denies a harm by its name, all others are kinds of it (not_cyberbullying, age, religion ...)."""
    denied = [label for label in labels if re.match(rf"({_NEGATION})\b", _name(label)) and _HARM.search(_name(label))]
    return tuple(label for label in labels if label not in denied) if len(denied) == 1 and len(labels) > 2 else ()


def _by_convention(labels: Sequence[str]) -> PositiveClass:
    """Of two labels the one that does not deny the other; else the second."""
    names = [_name(label) for label in labels]
    plain = [label for label, name in zip(labels, names, strict=True) if not _DENIAL.match(name)]
    if len(plain) == 1:
        return PositiveClass(labels=(plain[0],), origin="convention: the label that the other one denies")
    return PositiveClass(labels=(labels[1],), origin="convention: the second of two labels")


_DENIAL = re.compile(r"(non|not|no|un|in)\b")


def _says(label: str, pattern: re.Pattern[str], *, whole: bool) -> bool:
    name = _name(label)
    if _NEGATED.search(name):
        return False
    return bool(pattern.fullmatch(name) if whole else pattern.search(name))


def _name(label: str) -> str:
    return " ".join(re.sub(r"([a-z])([A-Z])", r"\1 \2", label).replace("_", " ").replace("-", " ").lower().split())
