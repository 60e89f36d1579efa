"""The texts of all domains with the model's answers and embeddings, asked for in one go."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import compress
from typing import Any

import numpy as np

from probes.core.answers import Bools, Classifications, Floats
from probes.core.examples import Example
from probes.core.model import Capability
from probes.shift.domains import Domain, Domains


@dataclass(frozen=True)
class Asked:
    """n items of all domains, in-domain ones first.

    Attributes:
        domains: of the items that got a finite answer and a finite embedding.
        answers: (n,) in the order of the domains and of the items in them.
        vectors: (n, width), or None where the model gives no embeddings.
    """

    domains: Domains
    answers: Classifications
    vectors: Floats | None

    @classmethod
    def ask(cls, model: Any, domains: Domains) -> Asked:
        """Ask about every item; embeddings only of a model that gives them."""
        texts = [text for domain in domains for text in domain.texts]
        card = model.card
        answers = Classifications(logits=np.zeros((0, len(card.labels))), labels=card.labels, problem=card.problem)
        vectors = None
        if texts:
            answers = model.classify(texts)
            if Capability.EMBED in card.capabilities:
                vectors = np.asarray(model.embed(texts), dtype=np.float64)
        finite = np.asarray(np.isfinite(answers.logits).all(axis=1))
        if vectors is not None:
            finite = finite & np.isfinite(vectors).all(axis=1)
        rows = np.flatnonzero(finite)
        return cls(_kept(domains, finite), answers[rows], None if vectors is None else vectors[rows])

    @cached_property
    def examples(self) -> list[Example]:
        """(n,) items."""
        return [example for domain in self.domains for example in domain.examples]

    @cached_property
    def clusters(self) -> list[str]:
        """(n,) of the items."""
        return [example.cluster for example in self.examples]

    def within(self, domain: Domain) -> Bools:
        """(n,) which items are of the domain."""
        names = np.concatenate([np.repeat(each.name, len(each)) for each in self.domains])
        return np.asarray(names == domain.name)


def _kept(domains: Domains, finite: Bools) -> Domains:
    ends = np.cumsum([len(domain) for domain in domains])
    home, *others = (
        Domain(domain.name, tuple(compress(domain.examples, part)))
        for domain, part in zip(domains, np.split(finite, ends[:-1]), strict=True)
    )
    return Domains(home, tuple(others))
