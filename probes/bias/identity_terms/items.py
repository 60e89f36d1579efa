"""Texts that are harmful or harmless and mention identities or none, with a model's answers to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.bias.identity_terms.mentions import mentions
from probes.bias.identity_terms.sentences import identity_sentences
from probes.bias.identity_terms.subgroups import Subgroups
from probes.core.answers import Bools, Classifications, Floats
from probes.core.examples import Example, Text, content_hash
from probes.core.labelled import gold_text
from probes.core.model import ModelCard
from probes.core.positive import PositiveClass
from probes.text.identity import TermTable

Identity = tuple[str, str]
"""(axis, group)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A text and what is known about it; `shown_gold` is the right answer for the reader."""

    example_id: str
    cluster: str
    text: Text
    harmful: bool
    shown_gold: str
    mentions: tuple[Identity, ...]


@dataclass(frozen=True, kw_only=True)
class IdentityItems:
    """Items of one source with their answers.

    Attributes:
        source: "data" or "templates".
        unscored: items that are not among these: their answer was not finite.
        unlabelled: texts that are not among these: it is not known whether they are harmful.
    """

    source: str
    items: tuple[Item, ...]
    answers: Classifications
    positive: PositiveClass
    unscored: int = 0
    unlabelled: int = 0

    @classmethod
    def of(
        cls, source: str, items: Sequence[Item], answers: Classifications, card: ModelCard, *, unlabelled: int = 0
    ) -> IdentityItems:
        """The items that have a finite answer."""
        finite = np.asarray(np.isfinite(answers.logits).all(axis=1))
        return cls(
            source=source,
            items=tuple(item for item, good in zip(items, finite, strict=True) if good),
            answers=answers[finite],
            positive=card.positive,
            unscored=int((~finite).sum()),
            unlabelled=unlabelled,
        )

    def __len__(self) -> int:
        return len(self.items)

    @cached_property
    def scores(self) -> Floats:
        """(n,): probability of harm."""
        return self.positive.score(self.answers)

    @cached_property
    def decided(self) -> Bools:
        """(n,): called harmful at the deployed threshold."""
        return self.positive.decided(self.answers)

    @cached_property
    def harmful(self) -> Bools:
        """(n,): by the right answers."""
        return np.array([item.harmful for item in self.items], dtype=bool)

    @cached_property
    def identities(self) -> tuple[Identity, ...]:
        """(k,): those that some item mentions, sorted."""
        return tuple(sorted({identity for item in self.items for identity in item.mentions}))

    @cached_property
    def mentioning(self) -> Bools:
        """(n,): mentions some identity."""
        return np.array([bool(item.mentions) for item in self.items], dtype=bool)

    @cached_property
    def members(self) -> Bools:
        """(n, k): which item mentions which identity."""
        place = {identity: column for column, identity in enumerate(self.identities)}
        members = np.zeros((len(self), len(place)), dtype=bool)
        for row, item in enumerate(self.items):
            members[row, [place[identity] for identity in item.mentions]] = True
        return members

    def subgroups(self) -> Subgroups:
        """Every identity as a subgroup; the background of one is every item that does not mention it."""
        return Subgroups(
            scores=self.scores,
            decided=self.decided,
            harmful=self.harmful,
            members=self.members,
            clusters=[item.cluster for item in self.items],
        )


def from_data(data: Sequence[Example], tables: Sequence[TermTable], card: ModelCard) -> list[Item]:
    """The labelled texts, sorted by id, with the identities their words mention."""
    examples = sorted((example for example in data if example.gold is not None), key=lambda example: example.id)
    harmful = card.positive.gold([example.gold for example in examples], labels=card.labels)
    return [
        Item(
            example_id=example.id,
            cluster=example.cluster,
            text=example.text,
            harmful=bool(bad),
            shown_gold=gold_text(example.gold) or "",
            mentions=mentions(" ".join(example.texts), tables),
        )
        for example, bad in zip(examples, harmful, strict=True)
    ]


def from_sentences(groups: Sequence[tuple[TermTable, str]]) -> list[Item]:
    """Our own sentences; those made of one frame are one cluster."""
    return [
        Item(
            example_id=content_hash([made.text, made.frame]),
            cluster=made.frame,
            text=made.text,
            harmful=made.harmful,
            shown_gold="harmful" if made.harmful else "harmless",
            mentions=(made.group,) if made.group else (),
        )
        for made in identity_sentences(groups)
    ]
