"""Data of other kinds than the audit's own: named with --shift, or told apart by a column called `domain`."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from probes.core.counts import plural
from probes.core.errors import UsageError, did_you_mean
from probes.core.examples import NO_VALUE, DataCard, Example, data_fingerprint
from probes.core.sampling import stratified
from probes.core.stats.clusters import FEW
from probes.shift.domains import HOME

COLUMN = "domain"


@dataclass(frozen=True, slots=True)
class Domains:
    """In-domain items, and those of every other domain.

    Attributes:
        home: what the model was made for.
        others: name -> its items, each marked with the name.
        cards: name -> what is known of them.
        notes: sentences a reader must know.
    """

    home: tuple[Example, ...]
    others: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)
    cards: Mapping[str, DataCard] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

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
        UsageError: for a name that cannot be used, and when one holds nothing that another one does not.
    """
    return _usable(
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
        UsageError: for a value that no item has or that cannot be used, when none is named and two are equally common,
            or when one domain holds nothing that another one does not.
    """
    counts = Counter(value for example in data if (value := example.groups.get(COLUMN, "")) not in NO_VALUE)
    if len(counts) < 2 and home is None:
        return Domains(home=tuple(data))
    chosen = _in_domain(counts, home)
    members = {
        name: tuple(example.within(name) for example in data if example.groups.get(COLUMN) == name)
        for name in sorted(counts)
        if name != chosen
    }
    return _usable(
        Domains(
            home=tuple(example for example in data if example.groups.get(COLUMN) == chosen),
            others=members,
            cards={name: _part(name, examples, card) for name, examples in members.items()},
            notes=tuple(_chosen(chosen, counts, asked=home is not None, rows=len(data))),
        )
    )


def _chosen(value: str, counts: Mapping[str, int], *, asked: bool, rows: int) -> Iterator[str]:
    """What was taken as in-domain, and what belongs nowhere."""
    why = "" if asked else ", because most items have it; --in-domain names another one"
    yield f"probes that compare kinds of text take the {COLUMN} {value!r} as in-domain ({counts[value]:,} items){why}"
    nowhere = rows - sum(counts.values())
    if nowhere:
        yield plural(
            nowhere,
            f"item has no {COLUMN} and is compared with nothing",
            f"items have no {COLUMN} and are compared with nothing",
        )


def _usable(domains: Domains) -> Domains:
    for name in domains.others:
        if name == HOME:
            raise UsageError(
                f"other data cannot be called {HOME}, which is what reports call the audit's own",
                hint=f"give them another name; in a column {COLUMN}, name the model's own with --in-domain",
            )
        if any(unicodedata.category(sign) == "Cc" for sign in name):
            raise UsageError(
                f"the name {name!r} of other data holds line breaks, tabs or the like",
                hint="give them a name that fits in a line",
            )
    return _without_copies(domains)


def _without_copies(domains: Domains) -> Domains:
    # Asked of all items, before any sample is drawn: two samples of one file would look like two kinds of text.
    home = _wordings(domains.home)
    seen: dict[frozenset[str], str] = {}
    for name, examples in domains.others.items():
        found = _wordings(examples)
        if found == home:
            raise _copies(name, "hold exactly the same texts as the in-domain data")
        if len(found) < FEW:
            continue  # no number will be given of so few, and a stray row is no reason to refuse all the others
        if found < home:
            raise _copies(name, f"hold nothing but texts of the in-domain data ({len(found):,} of {len(home):,})")
        first = seen.setdefault(found, name)
        if first != name:
            raise _copies(name, f"hold exactly the same texts as those called {first}")
    return domains


def _wordings(examples: Sequence[Example]) -> frozenset[str]:
    """The distinct texts; blanks between words do not tell them apart."""
    return frozenset("\n".join(" ".join(part.split()) for part in example.texts) for example in examples)


def _copies(name: str, what: str) -> UsageError:
    return UsageError(
        f"the data called {name} {what}, so there is nothing to compare",
        hint="give other data that name, or leave it out",
    )


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
