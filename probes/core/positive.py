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


_HARM = re.compile(
    r"toxic|hate|hateful|offen[sc]|abus|insult|threat|obscen|harass|bully|profan|derogat|vulgar|extremis|racis|sexis"
    r"|identity (attack|hate)|sexual explicit|violen|unsafe|harm|misogyn|slur"
)
_FAVOURABLE = re.compile(
    r"positive|pos|favou?rable|good|approved?|accept(ed)?|grant(ed)?|hired?|qualified|eligible|recommend(ed)?|pass(ed)?"
    r"|shortlist(ed)?|interview|admit(ted)?|selected|4 stars?|5 stars?"
)
_UNFAVOURABLE = re.compile(
    r"spam|fraud(ulent)?|reject(ed)?|den(y|ied)|decline[d]?|scam|phishing|high risk|risky|default(ed)?"
    r"|suspicious|flag(ged)?|fake"
)
_NEGATED = re.compile(
    r"\b(non|not|no|neither|none|normal|neutral|clean|safe|benign|harmless)\b"
    r"|^(non|not|in|un)(?=offens|toxic|hat|abus|harm)"
)


def recognise(labels: Sequence[str], problem: ProblemType) -> PositiveClass:
    """The positive class as far as label names tell; of two labels otherwise the second, by convention."""
    for pattern, meaning, whole in (
        (_HARM, Meaning.HARM, False),
        (_FAVOURABLE, Meaning.FAVOURABLE, True),
        (_UNFAVOURABLE, Meaning.UNFAVOURABLE, True),
    ):
        found = tuple(label for label in labels if _says(label, pattern, whole=whole))
        if found and (len(found) < len(labels) or problem is not ProblemType.SINGLE_LABEL):
            return PositiveClass(labels=found, meaning=meaning, origin="label names")
    if problem is ProblemType.REGRESSION:
        return PositiveClass(labels=tuple(labels[:1]), origin="the only score")
    if problem is ProblemType.SINGLE_LABEL and len(labels) == 2:
        return PositiveClass(labels=(labels[1],), origin="convention: the second of two labels")
    return PositiveClass()


def _says(label: str, pattern: re.Pattern[str], *, whole: bool) -> bool:
    name = " ".join(re.sub(r"([a-z])([A-Z])", r"\1 \2", label).replace("_", " ").replace("-", " ").lower().split())
    if _NEGATED.search(name):
        return False
    return bool(pattern.fullmatch(name) if whole else pattern.search(name))
