"""One item of audit data, and what is known about the data as a whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from pydantic import BaseModel, ConfigDict

Text = str | tuple[str, str]
"""What a classifier reads: one text, or a pair (premise and hypothesis, question and passage)."""


class Accepted(tuple[str, ...]):
    """The texts that are right answers to a question about a context; none where the context does not answer it."""

    __slots__ = ()


Gold = str | tuple[str, ...] | float | None
"""The right answer: a label name, the set of label names (multi-label), a score (regression), the tag of each word
(token classification), the `Accepted` texts (question answering), or unknown."""

NO_VALUE = frozenset({"", "(missing)", "(unknown)"})
"""How an item without a value in a group column is written; the second is what reading a file gives an empty cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One item.

    Attributes:
        id: content hash of text, gold and groups; never a row number, so reordering or adding rows changes nothing.
        text: what the model reads.
        gold: the right answer, or None where it is not known.
        groups: group column name -> this item's value.
        cluster: items with the same cluster are not independent; by default the hash of the text.
        domain: the kind of data it is of, where there are several; empty for the audit's own.
        material: of a prompt, the character from which on it is the text that the rest asks something about; 0 where
            that is not known.
    """

    id: str
    text: Text
    gold: Gold = None
    groups: Mapping[str, str] = field(default_factory=dict)
    cluster: str = ""
    domain: str = ""
    material: int = 0

    @classmethod
    def of(
        cls, text: Text, *, gold: Gold = None, groups: Mapping[str, str] | None = None, cluster: str | None = None
    ) -> Example:
        """An example whose id, and cluster unless given, are derived from its content."""
        groups = dict(groups or {})
        return cls(
            id=content_hash([text, gold, sorted(groups.items())]),
            text=text,
            gold=gold,
            groups=groups,
            cluster=cluster if cluster is not None else content_hash(text),
        )

    def within(self, domain: str) -> Example:
        """The same item as one of this domain, with an id of its own: the same text may stand in several domains."""
        return replace(self, domain=domain, id=content_hash([self.id, domain]))

    @property
    def texts(self) -> tuple[str, ...]:
        """The one text, or the two of a pair."""
        return (self.text,) if isinstance(self.text, str) else self.text


class DataCard(BaseModel):
    """What is known about the audit data; part of the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """As shown to a reader."""
    source: str
    """Path or Hub id as given, or "built-in"."""
    fingerprint: str
    """SHA-256 over the sorted example ids and clusters: the items, not the file."""
    n: int
    labelled: int
    groups: tuple[str, ...] = ()
    revision: str | None = None
    licence: str | None = None
    rows_read: int = 0
    rows_dropped: Mapping[str, int] = {}
    """Reason -> number of rows that were read and not used."""
    notes: tuple[str, ...] = ()
    """Sentences a reader must know, such as clashes between labels of the same text."""


_canonical = json.JSONEncoder(ensure_ascii=True, sort_keys=True, separators=(",", ":")).encode


def content_hash(value: object) -> str:
    """16 hex digits that depend on nothing but the JSON form of `value`."""
    return hashlib.sha256(_canonical(value).encode()).hexdigest()[:16]


class Item(Protocol):
    """What has an id made of its content, and a cluster."""

    @property
    def id(self) -> str: ...

    @property
    def cluster(self) -> str: ...


def data_fingerprint(examples: Iterable[Item]) -> str:
    """SHA-256 over the sorted ids and clusters: the order of rows does not matter, what belongs together does."""
    digest = hashlib.sha256()
    for name in sorted(f"{example.id} {example.cluster}" for example in examples):
        digest.update(name.encode(errors="surrogatepass") + b"\n")
    return digest.hexdigest()
