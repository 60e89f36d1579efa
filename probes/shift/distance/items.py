"""The items of all domains with what the model says of them, and each domain facing the in-domain items."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, cast

import numpy as np

from probes.core.answers import Bools, Classifications, Floats, Ints, ProblemType
from probes.core.counts import plural
from probes.core.examples import Example, Gold
from probes.core.model import Capability, Classifier, Embedder, Tokenizer
from probes.core.probe import Context
from probes.core.records import SkipReason
from probes.core.stats.clusters import FEW
from probes.core.stats.derived import UnmeasurableError
from probes.shift.distance.classifier import CrossFitted
from probes.shift.distance.comparison import Comparison
from probes.shift.distance.wording import Wording
from probes.shift.domains import Domain


class EmbeddingClassifier(Classifier, Embedder, Protocol):
    """What the probe asks; of other models than classifiers no answers."""


def given(answers: Classifications | None) -> Classifications:
    """The answers of a classifier.

    Raises:
        UnmeasurableError: for another kind of model.
    """
    if answers is None:
        detail = "The answers of a model of this kind have no shares and no confidence of a whole text to compare."
        raise UnmeasurableError(SkipReason.WRONG_PROBLEM, detail)
    return answers


@dataclass(frozen=True, kw_only=True)
class Items:
    """n items of several domains, in-domain ones first, and the answers about them.

    Attributes:
        domains: the domains, in order.
        vectors: (n, width) embeddings.
        answers: None for a model that does not classify.
        tokens: (n,) tokens and (n,) unknown ones; None for a model that does not say.
    """

    domains: tuple[Domain, ...]
    vectors: Floats
    answers: Classifications | None
    wording: Wording
    tokens: tuple[Ints, Ints] | None

    @classmethod
    def ask(cls, model: EmbeddingClassifier, domains: Sequence[Domain]) -> Items:
        """Ask about all texts of all domains at once, in-domain ones first."""
        texts = [text for domain in domains for text in domain.texts]
        says = Capability.TOKENIZE in model.card.capabilities
        classifies = Capability.CLASSIFY in model.card.capabilities
        return cls(
            domains=tuple(domains),
            vectors=np.asarray(model.embed(texts), dtype=np.float64),
            answers=model.classify(texts) if classifies else None,
            wording=Wording.of(texts),
            tokens=cast(Tokenizer, model).token_counts(texts) if says else None,
        )

    def rows(self, domain: Domain) -> Ints:
        """Where the items of a domain are."""
        before = self.domains[: self.domains.index(domain)]
        return sum(map(len, before)) + np.arange(len(domain))

    @cached_property
    def unseen(self) -> Floats:
        """(n,): words that no in-domain text holds, texts of the item's own cluster aside."""
        home = np.arange(len(self.vectors)) < len(self.domains[0])
        return self.wording.unseen(home, [key for domain in self.domains for key in domain.clusters])

    @property
    def token_counts(self) -> tuple[Floats, Floats]:
        """(n,) tokens and (n,) unknown ones.

        Raises:
            UnmeasurableError: for a model that does not say.
        """
        if self.tokens is None:
            raise UnmeasurableError(SkipReason.NO_CAPABILITY, "The model does not say how it cuts texts.")
        return self.tokens[0].astype(np.float64), self.tokens[1].astype(np.float64)

    @property
    def confidence(self) -> Floats:
        """(n,): probability of the answer given.

        Raises:
            UnmeasurableError: for a regression, and for a model that does not classify.
        """
        answers = given(self.answers)
        if answers.problem is ProblemType.REGRESSION:
            raise UnmeasurableError(SkipReason.WRONG_PROBLEM, "A model that gives a number has no confidence in it.")
        return answers.confidence

    def facing(self, domain: Domain, *, ctx: Context, divisions: int) -> Facing:
        """The in-domain items and those of another domain."""
        rows = np.concatenate([self.rows(self.domains[0]), self.rows(domain)])
        return Facing(
            home=self.domains[0],
            other=domain,
            vectors=self.vectors[rows],
            answers=None if self.answers is None else self.answers[rows],
            wording=self.wording[rows],
            ctx=ctx,
            divisions=divisions,
        )


@dataclass(frozen=True, kw_only=True)
class Facing:
    """In-domain items and those of another domain, together n; columns as of `Items`."""

    home: Domain
    other: Domain
    vectors: Floats
    answers: Classifications | None
    wording: Wording
    ctx: Context
    divisions: int

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        return (*self.home.examples, *self.other.examples)

    @cached_property
    def pair(self) -> Comparison:
        return self._compared(np.ones(len(self.examples), dtype=bool), what="texts")

    @cached_property
    def classifier(self) -> CrossFitted:
        """Cross-fitted on the embeddings."""
        return CrossFitted.of(self.vectors, self.pair, rng=self.ctx.generator("folds", self.other.name))

    @property
    def regression(self) -> bool:
        """Are answers numbers."""
        return self.answers is not None and self.answers.problem is ProblemType.REGRESSION

    @cached_property
    def labels(self) -> tuple[list[Hashable], Comparison]:
        """The right answers of the labelled items, and these compared.

        Raises:
            UnmeasurableError: where one of the domains has too few, and for a model that does not classify.
        """
        given(self.answers)
        golds = [example.gold for example in self.examples]
        pair = self._compared(np.array([gold is not None for gold in golds]), what="right answers")
        return [_hashable(gold) for gold in golds if gold is not None], pair

    def _compared(self, kept: Bools, *, what: str) -> Comparison:
        keys = [example.cluster for example in self.examples]
        inside = np.flatnonzero(kept[: len(self.home)])
        beyond = np.flatnonzero(kept[len(self.home) :]) + len(self.home)
        sides = [[keys[row] for row in rows] for rows in (inside, beyond)]
        for domain, side in zip((self.home, self.other), sides, strict=True):
            _enough(domain, len(set(side)), what=what)
        rng = self.ctx.generator("divisions", self.other.name, what)
        return Comparison.of(*sides, rng=rng, divisions=self.divisions)


def _enough(domain: Domain, independent: int, *, what: str) -> None:
    if not independent:
        detail = f"The items of {domain.name} have no {what}; if they do, name the column with --label-column."
        raise UnmeasurableError(SkipReason.NO_GOLD, detail)
    if independent < FEW:
        found = plural(independent, "independent item")
        detail = f"{domain.name} has {found} with {what} of the {FEW} needed; give more."
        raise UnmeasurableError(SkipReason.TOO_FEW, detail)


def _hashable(gold: Gold) -> Hashable:
    return tuple(sorted(gold)) if isinstance(gold, tuple) else gold
