"""In-domain items and those of other domains, with what can be told of a domain before anything is measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from probes.core.answers import Bools
from probes.core.examples import Example, Text
from probes.core.labelled import no_gold
from probes.core.records import Accounting, Skip, SkipReason
from probes.core.stats.clusters import FEW

HOME = "in-domain"
"""How the audit's own data are called in slices and titles."""


@dataclass(frozen=True)
class Domain:
    """Items of one kind, sorted by id: the order of the rows changes nothing.

    Attributes:
        name: HOME for the audit's own.
    """

    name: str
    examples: tuple[Example, ...]

    def __len__(self) -> int:
        return len(self.examples)

    @cached_property
    def texts(self) -> list[Text]:
        return [example.text for example in self.examples]

    @cached_property
    def clusters(self) -> list[str]:
        return [example.cluster for example in self.examples]

    @property
    def labelled(self) -> Domain:
        """The items whose right answer is known."""
        return Domain(self.name, tuple(example for example in self.examples if example.gold is not None))

    @property
    def slice(self) -> dict[str, str]:
        """The slice of its records."""
        return {"domain": self.name}

    @property
    def where(self) -> str:
        """On which texts, for titles and reasons."""
        return "on the in-domain texts" if self.name == HOME else f"on the texts called {self.name}"


@dataclass(frozen=True)
class Domains:
    """The audit's own items, and other domains by name."""

    home: Domain
    others: tuple[Domain, ...]

    @classmethod
    def of(cls, data: Sequence[Example]) -> Domains:
        """Split the items a probe was given (`ProbeInfo.domains`)."""
        names = sorted({example.domain for example in data if example.domain})
        return cls(_domain(HOME, data, ""), tuple(_domain(name, data, name) for name in names))

    @property
    def labelled(self) -> Domains:
        """The items whose right answer is known, of each domain that has some."""
        return Domains(self.home.labelled, tuple(part for domain in self.others if len(part := domain.labelled)))

    def __iter__(self) -> Iterator[Domain]:
        yield self.home
        yield from self.others

    def comparable(self, *, minimum: int = FEW) -> tuple[list[Domain], list[Skip]]:
        """The other domains that can be compared with the in-domain items, and a reason for each that cannot."""
        kept, skips = [], []
        for domain in self.others:
            skip = too_few(self.home, minimum=minimum) or too_few(domain, minimum=minimum) or self._same(domain)
            if skip is None:
                kept.append(domain)
            else:
                skips.append(skip.model_copy(update={"slice": domain.slice}))
        return kept, skips

    def _same(self, domain: Domain) -> Skip | None:
        if set(domain.texts) != set(self.home.texts):
            return None
        return Skip(
            reason=SkipReason.UNDEFINED,
            detail=f"The data called {domain.name} hold exactly the in-domain texts, so there is nothing to compare.",
            enable="name other data with --shift",
        )


def no_others(domains: Domains) -> Skip | None:
    """Why there is nothing to compare with; None where there is."""
    if domains.others:
        return None
    return Skip(
        reason=SkipReason.NO_DOMAINS,
        detail="There are no data of another kind to compare with.",
        enable="name some with --shift NAME=PATH; repeatable",
    )


def too_few(domain: Domain, *, minimum: int = FEW) -> Skip | None:
    """Why a domain is too small to say anything about it; None when it is not."""
    independent = len(set(domain.clusters))
    if independent >= minimum:
        return None
    which = "The audit's own data have" if domain.name == HOME else f"The data called {domain.name} have"
    return Skip(
        reason=SkipReason.TOO_FEW,
        detail=f"{which} {independent} independent items of the {minimum} needed.",
        enable="give more items",
        slice=domain.slice,
    )


def unanswered(given: Domains, found: Domains) -> list[Skip]:
    """A reason for each of the other domains given of which no item was found to be labelled and answered."""
    names = {domain.name for domain in found}
    return [
        Skip(
            reason=SkipReason.NO_GOLD,
            detail=f"No text of the data called {domain.name} has a right answer and a readable answer of the model.",
            enable="label some of these texts",
            slice=domain.slice,
        )
        for domain in given.others
        if domain.name not in names
    ]


def compared(given: Domains, found: Domains) -> tuple[list[Domain], list[Skip]]:
    """The in-domain items and then the domains that can be compared with them, and a reason for each that cannot.

    Args:
        found: those of the items given that have a right answer and a readable one of the model.
    """
    nothing = no_others(given)
    if nothing is not None:
        return [], [nothing]
    if not len(found.home):
        return [], [no_gold()]
    domains, unfit = found.comparable()
    return [found.home, *domains], [*unanswered(given, found), *unfit]


def one_answer(domain: Domain, gold: Bools) -> Skip | None:
    """Why nothing can be said of labels where all items have the same right answer; None where they have not.

    Args:
        gold: (n, K) which labels are right for each item of the domain.
    """
    if (gold != gold[0]).any():
        return None
    return Skip(
        reason=SkipReason.UNDEFINED,
        detail=f"The right answer is the same {domain.where} throughout, so labels cannot be told apart.",
        enable="give texts with at least two different right answers",
        slice=domain.slice,
    )


def accounting(domains: Domains, *, used: Sequence[Domain]) -> Iterator[Accounting]:
    """How many items of each domain there are and how many count."""
    kept = {domain.name: len(domain) for domain in used}
    for domain in domains:
        scored = kept.get(domain.name, 0)
        yield Accounting(eligible=len(domain), scored=scored, unscored=len(domain) - scored, slice=domain.slice)


def _domain(name: str, data: Sequence[Example], marked: str) -> Domain:
    chosen = (example for example in data if example.domain == marked)
    return Domain(name, tuple(sorted(chosen, key=lambda example: example.id)))
