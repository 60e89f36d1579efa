"""Data of other kinds than the audit's own: named with --shift, or told apart by a column called `domain`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from probes.core.errors import UsageError, did_you_mean
from probes.core.examples import DataCard, Example, data_fingerprint
from probes.core.sampling import stratified

COLUMN = "domain"


@dataclass(frozen=True, slots=True)
class Domains:
    """In-domain items, and those of every other domain.

    Attributes:
        home: what the model was made for.
        others: name -> its items, each marked with the name.
        cards: name -> what is known of them.
    """

    home: tuple[Example, ...]
    others: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)
    cards: Mapping[str, DataCard] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.others)

    @property
    def largest(self) -> int:
        """Items of the largest domain."""
        return max(map(len, (self.home, *self.others.values())))

    def sample(self, limit: int | None, *, seed: int) -> list[Example]:
        """At most `limit` items of each domain, in-domain ones first, with the label shares of each."""
        return [
            example
            for examples in (self.home, *self.others.values())
            for example in stratified(examples, limit=limit, seed=seed)
        ]


def named(home: Sequence[Example], others: Mapping[str, tuple[Sequence[Example], DataCard]]) -> Domains:
    """Data sets of their own, by name.

    Raises:
        UsageError: when two of them hold the same texts.
    """
    return _without_copies(
        Domains(
            home=tuple(home),
            others={
                name: tuple(example.within(name) for example in examples) for name, (examples, _) in others.items()
            },
            cards={name: card.model_copy(update={"name": name}) for name, (_, card) in others.items()},
        )
    )


def by_column(data: Sequence[Example], card: DataCard, *, home: str | None) -> Domains:
    """One data set whose column `domain` says what each item is; `home` is its in-domain value.

    Raises:
        UsageError: for a value that no item has, when none is named and two are equally common, or when two domains
            hold the same texts.
    """
    counts = Counter(value for example in data if (value := example.groups.get(COLUMN)))
    if len(counts) < 2 and home is None:
        return Domains(home=tuple(data))
    chosen = _in_domain(counts, home)
    members = {
        name: tuple(example.within(name) for example in data if example.groups.get(COLUMN) == name)
        for name in sorted(counts)
        if name != chosen
    }
    return _without_copies(
        Domains(
            home=tuple(example for example in data if example.groups.get(COLUMN) == chosen),
            others=members,
            cards={name: _part(name, examples, card) for name, examples in members.items()},
        )
    )


def _without_copies(domains: Domains) -> Domains:
    # Asked of all items, before any sample is drawn: two samples of one file would look like two kinds of text.
    seen = {frozenset(example.text for example in domains.home): "the in-domain data"}
    for name, examples in domains.others.items():
        first = seen.setdefault(frozenset(example.text for example in examples), f"those called {name}")
        if first != f"those called {name}":
            raise UsageError(
                f"the data called {name} hold exactly the same texts as {first}, so there is nothing to compare",
                hint="give other data that name, or leave it out",
            )
    return domains


def _in_domain(counts: Mapping[str, int], asked: str | None) -> str:
    if asked is not None:
        if asked not in counts:
            raise UsageError(
                f"no item has {asked!r} in the column {COLUMN}", hint=did_you_mean(asked, sorted(counts) or ["(none)"])
            )
        return asked
    (first, most), (_, next_most) = Counter(counts).most_common(2)
    if most == next_most:
        raise UsageError(
            f"the column {COLUMN} has several values and none is the commonest: {', '.join(sorted(counts))}",
            hint="name the one that the model was made for with --in-domain",
        )
    return first


def _part(name: str, examples: Sequence[Example], card: DataCard) -> DataCard:
    return DataCard(
        name=name,
        source=card.source,
        fingerprint=data_fingerprint(examples),
        n=len(examples),
        labelled=sum(example.gold is not None for example in examples),
        revision=card.revision,
        licence=card.licence,
    )
