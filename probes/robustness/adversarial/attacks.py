"""What the attacks of one recipe came to, item by item, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.examples import Example
from probes.robustness.adversarial.parts import Attempt, Outcome
from probes.robustness.adversarial.subject import Subject, Told

DOUBT = "doubt."
"""How the names of notes begin that say, above 0, that a changed text may no longer mean the same."""
SIMILARITY = "similarity"
FEW_WORDS = 0.1
"""Share of the words up to which a change counts as a small one."""


@dataclass(frozen=True, kw_only=True)
class Attacks:
    """n items and the attempt on each.

    Attributes:
        recipe: its name.
        subject: what was attacked.
        attempts: (n,) on each item.
        before, after: (n,) answers to the items, and to what the attempts ended with.
        breaks: whether the goal is another answer; otherwise it is the same one to hardly a word.
    """

    recipe: str
    subject: Subject
    attempts: Sequence[Attempt]
    before: Told
    after: Told
    breaks: bool = True

    def __len__(self) -> int:
        return len(self.examples)

    @property
    def examples(self) -> Sequence[Example]:
        """(n,) the items."""
        return self.subject.examples

    @property
    def part(self) -> dict[str, str]:
        """The slice of its numbers."""
        return {"recipe": self.recipe}

    @cached_property
    def clusters(self) -> list[str]:
        """(n,) items of one source are not independent."""
        return [example.cluster for example in self.examples]

    def clusters_of(self, members: Bools) -> list[str]:
        """Those of some items."""
        return list(compress(self.clusters, members))

    def came_to(self, outcome: Outcome) -> Bools:
        """(n,): did the attempt come to this."""
        return np.array([attempt.outcome is outcome for attempt in self.attempts], dtype=bool)

    @cached_property
    def broken(self) -> Bools:
        """(n,): was the goal reached."""
        return self.came_to(Outcome.BROKEN)

    @cached_property
    def attacked(self) -> Bools:
        """(n,): was there an answer to break, and something to change; or no query left to find that out."""
        tried = np.array([attempt.tried for attempt in self.attempts], dtype=bool)
        return self.broken | self.came_to(Outcome.HELD) & (tried | self.out_of_budget)

    @cached_property
    def doubtful(self) -> Bools:
        """(n,): does a constraint note that the changed text may no longer mean the same."""
        return np.array([_doubted(attempt) for attempt in self.attempts], dtype=bool)

    @cached_property
    def doubts(self) -> bool:
        """Did a constraint look for such doubts."""
        return any(name.startswith(DOUBT) for attempt in self.attempts for name in attempt.notes)

    @cached_property
    def known(self) -> Bools:
        """(n,): is the right answer known, and did the model give one."""
        labelled = np.array([example.gold is not None for example in self.examples], dtype=bool)
        return np.asarray(labelled & ~self.came_to(Outcome.UNSCORED) & (self.subject.graded and self.breaks))

    @cached_property
    def right_before(self) -> Bools:
        """(n,): is the answer to the item right; where that is not known, it counts as right."""
        return ~self.came_to(Outcome.WRONG_BEFORE) & ~self.came_to(Outcome.UNSCORED)

    @cached_property
    def right_after(self) -> Bools:
        """(n,): is it still right after the attack."""
        return self.right_before & ~self.broken

    @cached_property
    def queries(self) -> Floats:
        """(n,): texts the model was asked about."""
        return np.array([attempt.queries for attempt in self.attempts], dtype=np.float64)

    @cached_property
    def words_changed(self) -> Floats:
        """(n,): how many words are no longer what they were, or were put in, of as many as there were: at most 1."""
        shares = [0.0 if attempt.found is None else attempt.found.share_edited for attempt in self.attempts]
        return np.array(shares, dtype=np.float64)

    @cached_property
    def count_changed(self) -> Floats:
        """(n,): of them, and of the words that were put in beside them."""
        counts = [0 if attempt.found is None else attempt.found.count_edited for attempt in self.attempts]
        return np.array(counts, dtype=np.float64)

    @cached_property
    def lightly_broken(self) -> Bools:
        """(n,): was the goal reached with few words changed, at least one."""
        words = np.array([len(attempt.start.first) for attempt in self.attempts], dtype=np.float64)
        return np.asarray(self.broken & (self.count_changed <= np.maximum(1.0, FEW_WORDS * words) + 1e-9))

    @cached_property
    def similarity(self) -> Floats:
        """(n,): as a constraint noted it, NaN where none did."""
        noted = [attempt.notes.get(SIMILARITY, np.nan) for attempt in self.attempts]
        return np.array(noted, dtype=np.float64)

    @cached_property
    def out_of_budget(self) -> Bools:
        """(n,): did the answer hold only until the queries were used up."""
        return np.array([attempt.out_of_budget for attempt in self.attempts], dtype=bool)


def _doubted(attempt: Attempt) -> bool:
    return any(value > 0 for name, value in attempt.notes.items() if name.startswith(DOUBT))
