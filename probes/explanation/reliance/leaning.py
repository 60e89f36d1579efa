"""How much the model leans on the words of a selection: by attribution, and by what taking them out does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Floats
from probes.explanation.reliance.removals import Cut, Moved, Removals
from probes.explanation.reliance.selections import Selection, Sorted


@dataclass(frozen=True, kw_only=True)
class Leaning:
    """n items that hold the words selected, of which k were asked without them and without as many neutral words.

    Attributes:
        clusters: (n,).
        share: (n,) of the attribution of an item that lies on the words; NaN where it has no attribution at all.
        excess: (n,) share of one of the words minus that of matched neutral words, on average; NaN without a match.
        signed: (n,) the same with the sign of the scores: above 0 towards the answer.
        words, borrowed: how many words these are, and how many of them are compared with words of other texts.
        pairs: (k,) what was taken out, and the neutral words.
        pair_clusters: (k,).
        taken, neutral: (k,) what each did.
        limits: how far a probability can move.
    """

    clusters: tuple[str, ...]
    share: Floats
    excess: Floats
    signed: Floats
    words: int
    borrowed: int
    pairs: tuple[tuple[Cut, Cut], ...]
    pair_clusters: tuple[str, ...]
    taken: Moved
    neutral: Moved
    limits: tuple[float, float]

    @classmethod
    def of(cls, texts: Sorted, selection: Selection, removals: Removals) -> Leaning:
        """Look at the words selected."""
        found = np.array([_attributed(texts, row, words) for row, words in selection.items()]).reshape(-1, 4)
        pairs = tuple(pair for pair in texts.pairs(selection) if removals.answered(*pair))
        clusters = texts.items.clusters
        return cls(
            clusters=tuple(clusters[row] for row in selection),
            share=found[:, 0],
            excess=found[:, 1],
            signed=found[:, 2],
            words=sum(map(len, selection.values())),
            borrowed=int(found[:, 3].sum()),
            pairs=pairs,
            pair_clusters=tuple(clusters[cut[0]] for cut, _ in pairs),
            taken=removals.of([cut for cut, _ in pairs]),
            neutral=removals.of([control for _, control in pairs]),
            limits=removals.limits,
        )

    @cached_property
    def beyond(self) -> Floats:
        """(k,): how much farther the probability moves without the words than without the neutral ones."""
        return np.asarray(np.abs(self.taken.change) - np.abs(self.neutral.change))


def _attributed(texts: Sorted, row: int, words: tuple[int, ...]) -> tuple[float, float, float, int]:
    """(share, excess of a word, signed excess, words compared with words of other texts)."""
    marked, own = texts.marked[row], texts.controls.own[row]
    matched = {at: texts.controls.match(row, marked, at) for at in words}
    gaps = [
        (abs(marked.shares[at]) - control[0], marked.shares[at] - control[1])
        for at, control in matched.items()
        if control is not None
    ]
    excess, signed = np.mean(gaps, axis=0) if gaps else (np.nan, np.nan)
    borrowed = sum(control is not None and marked.kinds[at] not in own for at, control in matched.items())
    return float(np.abs(marked.shares[list(words)]).sum()), float(excess), float(signed), borrowed
