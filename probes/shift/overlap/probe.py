"""Do the data sets share texts?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.measuring import measured, share
from probes.core.model import Model
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Better, Evidence, Record, Shown
from probes.shift.domains import Domain, Domains, no_others, too_few
from probes.shift.overlap.duplicates import Twin, shared_texts, twins
from probes.shift.told import answers_told, gold_told

Found = list[tuple[int, Twin]]
"""Rows of a domain, each with the in-domain text it repeats."""


@dataclass(frozen=True)
class Overlap:
    """Do the data sets share texts?

    Measures:
        For each other domain, the share of its texts that also stand among the in-domain texts, word for word (exact)
        and nearly (near or exact), and how many of those carry another right answer there. How many stand word for word
        in yet another domain.

    Why it matters:
        A text that stands in both data sets is no test of a new kind of text: the more there are, the smaller the
        difference between the domains looks. If the model was tuned on one of the two sets, it may have seen them.

    Method:
        Texts are compared in lower case, without punctuation and with single spaces. Exact: the same after that. Near:
        the Jaccard similarity of their runs of five characters is 0.8 or more (parameter `threshold`). Pairs are found
        with MinHash signatures of 128 permutations in a locality-sensitive index (library datasketch), laid out to miss
        few pairs, and each one found is checked exactly. Of a pair of texts both are compared together. At most 20,000
        items of each domain are compared (parameter `items`), those first in the order of their hashes.

    Limits:
        Near duplicates just above the threshold can be missed, so their share is a lower bound. Translations,
        paraphrases and texts cut out of longer ones are not found. Nothing is said about the data the model was tuned
        on, which this tool does not see. Texts shorter than about ten characters are alike by accident.

    References:
        Broder 1997, On the resemblance and containment of documents, SEQUENCES (MinHash). Lee et al. 2022,
        Deduplicating Training Data Makes Language Models Better, ACL. Elangovan, He and Verspoor 2021, Memorization vs.
        Generalization: Quantifying Data Leakage in NLP Performance Evaluation, EACL.
    """

    info: ClassVar[ProbeInfo]

    threshold: float = 0.8
    """Similarity from which on two texts count as near duplicates."""
    items: int = 20_000
    """Items of each domain that are compared at most."""

    def __post_init__(self) -> None:
        if not 0.5 <= self.threshold <= 1 or self.items < 1:
            raise UsageError(
                "shift.overlap: parameters", hint="threshold is a number from 0.5 to 1, items a number from 1"
            )

    def run(self, model: Model, data: Sequence[Example], ctx: Context) -> Iterator[Record]:
        """Compare every other domain with the in-domain texts."""
        domains = Domains.of(data)
        home = self._part(domains.home)
        yield _account(domains.home, home, note="")
        nothing = no_others(domains)
        if nothing is not None:
            yield nothing
        parts = [self._part(domain) for domain in domains.others]
        shared = shared_texts([part.texts for part in parts])
        for domain, part, others in zip(domains.others, parts, shared, strict=True):
            found = _found(part, home, threshold=self.threshold)
            elsewhere = {parts[row].name: count for row, count in others.items()}
            yield _account(domain, part, note=_note(part, home, found, elsewhere=elsewhere))
            skip = too_few(home) or too_few(part)
            if skip is not None:
                yield skip.model_copy(update={"slice": domain.slice})
                continue
            yield from _measured(part, found)
            yield from _cases(model, part, home, found, ctx)

    def _part(self, domain: Domain) -> Domain:
        return Domain(domain.name, domain.examples[: self.items])


Overlap.info = ProbeInfo(
    id="shift.overlap",
    version=2,
    risk="shift",
    title="Texts in both data sets",
    doc=ProbeDoc.parse(Overlap.__doc__),
    needs=frozenset(),  # of a few of the items, what a model of its kind says
    answers=False,
    domains=True,
    problems=frozenset(ProblemType),
)


def _found(domain: Domain, home: Domain, *, threshold: float) -> Found:
    nearest = twins(domain.texts, home.texts, threshold=threshold)
    return [(row, twin) for row, twin in enumerate(nearest) if twin is not None]


def _measured(domain: Domain, found: Found) -> Iterator[Record]:
    for name, title, least in (
        ("exact_share", "share of the texts that also stand among the in-domain texts", 1.0),
        ("duplicate_share", "share of the texts that stand among the in-domain texts, exactly or nearly", 0.0),
    ):
        repeated = np.zeros(len(domain), dtype=bool)
        repeated[[row for row, twin in found if twin.alike >= least]] = True
        yield measured(
            name,
            title,
            partial(share, repeated, clusters=domain.clusters),
            better=Better.LOWER,
            part=domain.slice,
            family=f"shift.overlap.{name}",
        )


def _account(whole: Domain, part: Domain, *, note: str) -> Accounting:
    return Accounting(
        eligible=len(whole), scored=len(part), unscored=len(whole) - len(part), note=note, slice=whole.slice
    )


def _note(domain: Domain, home: Domain, found: Found, *, elsewhere: Mapping[str, int]) -> str:
    also = (f"word for word among those called {name}: {count}" for name, count in elsewhere.items())
    return "; ".join((_in_common(domain, home, found), *also))


def _in_common(domain: Domain, home: Domain, found: Found) -> str:
    if not found:
        return "no text in common with the in-domain texts"
    clashes = sum(_clash(domain.examples[row], home.examples[twin.row]) for row, twin in found)
    exact = sum(twin.alike == 1.0 for _, twin in found)
    same = "every text stands among the in-domain texts; " if exact == len(domain) else ""
    note = f"{same}{exact} exact and {len(found) - exact} near duplicates of in-domain texts"
    return f"{note}; {clashes} of them with another right answer" if clashes else note


def _clash(one: Example, other: Example) -> bool:
    return one.gold is not None and other.gold is not None and one.gold != other.gold


def _cases(model: Model, domain: Domain, home: Domain, found: Found, ctx: Context) -> Iterator[Evidence]:
    """Random duplicates, then the least alike ones: those a reader may doubt."""
    drawn = sorted(found, key=lambda pair: ctx.rng("evidence", domain.examples[pair[0]].id).random())
    doubtful = sorted(drawn[ctx.random_cases :], key=lambda pair: (pair[1].alike, domain.examples[pair[0]].id))
    yield from _shown(model, domain, home, drawn[: ctx.random_cases], chosen="random")
    yield from _shown(model, domain, home, doubtful[: ctx.worst_cases], chosen="worst")


def _shown(
    model: Model, domain: Domain, home: Domain, pairs: Found, *, chosen: Literal["random", "worst"]
) -> Iterator[Evidence]:
    shown = [(home.examples[twin.row], domain.examples[row], twin.alike) for row, twin in pairs]
    if not shown:
        return
    names = answers_told(model, [example.text for own, other, _ in shown for example in (own, other)])
    for at, (own, other, alike) in enumerate(shown):
        elsewhere = f"; the in-domain text has the right answer {gold_told(own, model)}" if _clash(own, other) else ""
        yield Evidence(
            example_id=other.id,
            chosen=chosen,
            shown=(Shown(texts=own.texts, answer=names[2 * at]), Shown(texts=other.texts, answer=names[2 * at + 1])),
            gold=gold_told(other, model),
            note=f"above the in-domain text, below that of {domain.name}; alike by {alike:.0%}{elsewhere}",
            slice=domain.slice,
        )
