"""Questions about people with three answers to choose from, of which one is that it cannot be known (BBQ)."""

from __future__ import annotations

from dataclasses import dataclass

from probes.core.examples import content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionCase:
    """A context, a question, three answers.

    Attributes:
        answers: two name a person or a group, one says that it cannot be known.
        right: which of them is right.
        unknown: which of them says that it cannot be known.
        target: which of them names the group that the stereotype is about; None where the files do not tell.
        negative: does the question ask who fits the stereotype, and not who goes against it; None where the files do
            not tell.
        ambiguous: does the context leave it open who it was.
        category: of the stereotype.
        cluster: cases of one template are not independent.
        copy: how many cases before it are exactly like this one.
    """

    context: str
    question: str
    answers: tuple[str, str, str]
    right: int
    unknown: int
    target: int | None = None
    negative: bool | None = None
    ambiguous: bool
    category: str
    cluster: str
    copy: int = 0

    @property
    def id(self) -> str:
        """Content hash."""
        parts = [self.context, self.question, *self.answers, self.right, self.unknown, self.target, self.negative]
        return content_hash([*parts, self.ambiguous, self.category, self.copy])

    @property
    def biased(self) -> int | None:
        """Which answer fits the stereotype: the target where the question is negative, the other one where not."""
        if self.target is None or self.negative is None:
            return None
        return self.target if self.negative else 3 - self.target - self.unknown
