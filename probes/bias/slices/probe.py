"""The parts of the user's own data on which the model errs most, found on one half and confirmed on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from probes.bias.slices.features import Texts, conditions
from probes.bias.slices.numbers import confirmed
from probes.bias.slices.search import SMALLEST, Search, Slice, search
from probes.core.answers import Bools, Floats, ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.labelled import Labelled, accounting, cases, no_gold
from probes.core.model import Capability
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Record, Skip, SkipReason
from probes.core.rng import derive

MOST = 20
"""A larger family of gaps could not be corrected for with the bounds on record."""
FEWEST = 2 * SMALLEST
"""With fewer items than this there is nothing to search."""


@dataclass(frozen=True)
class Slices:
    """On which kinds of texts is the model wrong far more often than on the rest?

    Measures: for at most ten parts of the labelled data, each named in words that can be checked on a text: the share
        of wrong answers, and how much higher it is than on all other texts. Also the largest of these gaps, with a
        bound that allows for its being the largest.
    Why it matters: a good average may hide a kind of text, and the people who write it, on which the model fails.
    Method: half of the independent items, drawn by a hash, are searched and the other half is kept apart. Parts are
        made of length, readability (Flesch), sentiment words, punctuation, capitals, digits, addresses, handles, words
        in 5 % of the texts or more, the values of the group columns, and clusters of the model's own embeddings
        (k-means, described by their most distinctive words); one of these or two together. Thresholds, words and
        clusters come from the searched half. Parts whose error rate stands out there (hypergeometric test, false
        discovery rate 10 %) are ranked by the lower bound of the gap, those that mostly repeat a better one are
        dropped, and up to ten are measured on the half kept apart. Where none stands out, the strongest one is measured
        alone. The rate on the searched half is shown as well; it is too high by selection. Gaps have MOVER intervals
        from exact bounds of the two rates, clustered; the largest gap has simultaneous bounds (Bonferroni).
    Limits: it finds parts that these features can name, and no others, and no part of fewer than about 40 labelled
        texts, or 1 % of them. A part is a pattern in these data and no cause, and a group of texts is not a group of
        people. Right answers are taken to be true, so a part may show bad labels. Readability and sentiment words fit
        English only. An empty result is no proof that all parts are served alike.
    References: Chung et al. 2019, Slice Finder, ICDE 2019:1550. Eyuboglu et al. 2022, Domino, ICLR 2022. d'Eon et al.
        2022, The Spotlight, FAccT 2022:1962. Benjamini and Hochberg 1995, J. Royal Statistical Society B 57:289. Zou
        and Donner 2008, Statistics in Medicine 27:1693 (MOVER). Flesch 1948, J. Applied Psychology 32:221.
    """

    most: int = 10
    """Parts to confirm, 1 to MOST."""
    minimum: int = 200
    """Independent labelled items without which nothing is searched, FEWEST or more."""
    embeddings: bool = True
    """Use clusters of the model's embeddings, which cost a second pass over the texts."""
    info: ClassVar[ProbeInfo]

    def __post_init__(self) -> None:
        if not 1 <= self.most <= MOST or self.minimum < FEWEST:
            raise UsageError(
                f"bias.slices: most {self.most}, minimum {self.minimum}",
                hint=f"most is a number from 1 to {MOST}, minimum one from {FEWEST}",
            )

    def run(self, model: Any, data: Sequence[Example], ctx: Context) -> Iterator[Record]:
        """Search one half and confirm on the other."""
        items = Labelled.ask(model, data)
        found = Search(searched=0, found=())
        known = _searched_half(items, ctx)
        # Asked before it is known whether the items suffice: a rehearsal on a few of them counts the questions.
        vectors = self._vectors(model, items)
        enough = len(set(items.clusters)) >= self.minimum
        if enough:
            texts = Texts.of(items.examples, known=known)
            seed = derive(ctx.seed, ctx.probe, "clusters") % 2**32
            candidates = conditions(texts, examples=items.examples, vectors=vectors, seed=seed)
            found = search(candidates, ~items.correct, known=known, most=self.most)
        yield accounting(items).model_copy(update={"note": _note(found, known)})
        if not enough:
            yield self._too_few(items)
            return
        yield from confirmed(found.found, items, kept=~known)
        yield from cases(items[~known], ctx, note=_membership(found.found, known))

    def _vectors(self, model: Any, items: Labelled) -> Floats | None:
        if not self.embeddings or Capability.EMBED not in model.card.capabilities:
            return None
        return np.asarray(model.embed([example.text for example in items.examples]), dtype=np.float64)

    def _too_few(self, items: Labelled) -> Skip:
        if not len(items):
            return no_gold()
        return Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"{len(set(items.clusters))} independent labelled items; a search that keeps one half apart needs "
            f"{self.minimum}.",
            enable="add labelled items",
        )


def _searched_half(items: Labelled, ctx: Context) -> Bools:
    """(n,): is an item in the half that is searched; items of one cluster are in the same half."""
    coin = {cluster: ctx.rng("half", cluster).random() < 0.5 for cluster in set(items.clusters)}
    return np.array([coin[cluster] for cluster in items.clusters], dtype=bool)


def _note(found: Search, known: Bools) -> str:
    if not found.searched:
        return ""
    standing = sum(each.stands_out for each in found.found)
    return (
        f"{found.searched} parts searched on {int(known.sum())} items; {standing} of those that stand out there are "
        f"confirmed on the other {int((~known).sum())}"
    )


def _membership(found: Sequence[Slice], known: Bools) -> Callable[[int], str]:
    """A sentence about an item of the half kept apart: which of the slices it is in."""
    rows = np.flatnonzero(~known)

    def note(row: int) -> str:
        names = [each.name for each in found if each.holds[rows[row]]]
        return f"among {'; '.join(names)}" if names else "in none of the parts found"

    return note


Slices.info = ProbeInfo(
    id="bias.slices",
    version=1,
    risk="bias",
    title="Weakest parts of the data",
    doc=ProbeDoc.parse(Slices.__doc__),
    calls=2,
    gold=True,
    problems=frozenset({ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL}),
)
