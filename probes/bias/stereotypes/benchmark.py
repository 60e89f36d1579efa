"""What probes of published pairs have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from probes.bias.stereotypes.pairs import measure
from probes.core.answers import LANGUAGE_HEADS
from probes.core.examples import Example
from probes.core.model import Capability, Scorer
from probes.core.probe import FOR_THE_RECORD, Context, ProbeDoc, ProbeInfo
from probes.core.records import Outcomes, Record
from probes.core.stereotype_cases import SentencePair


@dataclass(frozen=True)
class PairBenchmark:
    """Pairs of sentences from the user's files.

    Attributes:
        digest: SHA-256 of the cases.
        notes: what a reader must know about the files.
    """

    digest: str = field(default="", metadata=FOR_THE_RECORD)
    cases: tuple[SentencePair, ...] = field(default=(), repr=False, metadata={"parameter": False})
    notes: tuple[str, ...] = field(default=(), repr=False, metadata={"parameter": False})

    info: ClassVar[ProbeInfo]

    def run(self, model: Scorer, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Score the pairs given; `data` is not used."""
        yield from measure(model, self.cases, ctx, notes=self.notes)


def info(name: str, *, title: str, doc: str | None) -> ProbeInfo:
    """Of a benchmark that language models of either kind are asked about."""
    return ProbeInfo(
        id=f"bias.{name}",
        version=2,
        risk="bias",
        title=title,
        doc=ProbeDoc.parse(doc),
        needs=frozenset({Capability.SCORE}),
        data=False,
        problems=LANGUAGE_HEADS,
    )
