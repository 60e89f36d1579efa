"""The items of one domain with the answers to them, and how good each answer is where that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise

import numpy as np

from probes.core.answers import Bools, Classifications, Floats, Ints, gold_matrix
from probes.core.examples import Text
from probes.core.model import Classifier
from probes.shift.domains import Domain, Domains


@dataclass(frozen=True)
class Answered:
    """n items with a finite answer each.

    Attributes:
        eligible: items of the domain, with those that got no finite answer.
    """

    domain: Domain
    answers: Classifications
    eligible: int

    def __len__(self) -> int:
        return len(self.domain)

    def __getitem__(self, kept: Bools) -> Answered:
        rows = np.flatnonzero(kept)
        examples = tuple(self.domain.examples[row] for row in rows)
        return Answered(Domain(self.domain.name, examples), self.answers[rows], self.eligible)

    @property
    def name(self) -> str:
        return self.domain.name

    @property
    def texts(self) -> Sequence[Text]:
        return self.domain.texts

    @cached_property
    def known(self) -> Bools:
        """(n,): is the right answer known."""
        return np.array([example.gold is not None for example in self.domain.examples], dtype=bool)

    @cached_property
    def gold(self) -> Ints:
        """(n,): column of the right label, -1 where it is not known."""
        found = np.full(len(self), -1, dtype=np.int64)
        golds = [example.gold for example in self.domain.examples if example.gold is not None]
        found[self.known] = gold_matrix(golds, labels=self.answers.labels).argmax(axis=1)
        return found

    @cached_property
    def quality(self) -> Floats:
        """(n,): 1 for a right answer, 0 for a wrong one, NaN where that is not known."""
        return np.where(self.known, (self.answers.top == self.gold).astype(np.float64), np.nan)

    @cached_property
    def entropy_score(self) -> Floats:
        """(n,): negative entropy of the probabilities, in nats; higher for surer answers."""
        p = self.answers.scores
        return np.asarray((p * np.log(np.where(p > 0, p, 1.0))).sum(axis=1))


def ask(model: Classifier, domains: Domains) -> list[Answered]:
    """Every domain's answers, the in-domain ones first, in one call."""
    texts = [text for domain in domains for text in domain.texts]
    card = model.card
    answers = (
        model.classify(texts)
        if texts
        else Classifications(logits=np.zeros((0, len(card.labels))), labels=card.labels, problem=card.problem)
    )
    ends = accumulate((len(domain) for domain in domains), initial=0)
    found = []
    for domain, (start, end) in zip(domains, pairwise(ends), strict=True):
        part = answers[slice(start, end)]
        finite = np.asarray(np.isfinite(part.logits).all(axis=1))
        found.append(Answered(domain, part, len(domain))[finite])
    return found
