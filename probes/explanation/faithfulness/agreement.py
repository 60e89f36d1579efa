"""How alike two explanations of one text are."""

from __future__ import annotations

from difflib import SequenceMatcher

import numpy as np
from scipy.stats import rankdata

from probes.core.answers import Floats
from probes.core.attributions import Attribution
from probes.core.words import word
from probes.explanation.faithfulness.scored import Scored, Why

LEAST = 3
"""Two words always agree perfectly or not at all."""
TOP = 5


def rank_correlation(first: Floats, second: Floats) -> Scored:
    """Spearman's rank correlation of two (w,) scores, equal ones sharing their mean rank; undefined where all are."""
    if len(first) < LEAST:
        return Why.FEW_WORDS
    if not np.isfinite(first + second).all():
        return Why.NOT_FINITE
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return Why.NO_RANKING
    ranks = np.stack([rankdata(first), rankdata(second)])
    centred = ranks - ranks.mean(axis=1, keepdims=True)
    product = float(centred[0] @ centred[1]) / float(np.sqrt(np.square(centred).sum(axis=1).prod()))
    return min(max(product, -1.0), 1.0)


def similarity(first: Attribution, second: Attribution, *, magnitude: bool = False) -> Scored:
    """Rank correlation of the scores of the same words; of their absolute values where signs mean nothing."""
    if first.words != second.words:
        return Why.OTHER_WORDS
    one, other = (np.abs(each.scores) if magnitude else each.scores for each in (first, second))
    return rank_correlation(one, other)


def top(words: int) -> int:
    """How many words count as the top ones: five, of short texts a quarter of the words."""
    return max(1, min(TOP, round(words / 4)))


def overlap(first: Attribution, second: Attribution) -> Scored:
    """Share of the top words of one explanation that are top words of the other.

    Where a tie crosses the edge of the top, each of the tied words belongs to it by the share of them that fits, so
    that equal explanations overlap wholly.
    """
    if first.words != second.words:
        return Why.OTHER_WORDS
    if len(first.words) < LEAST:
        return Why.FEW_WORDS
    if not np.isfinite(first.scores + second.scores).all():
        return Why.NOT_FINITE
    if np.ptp(first.scores) == 0 or np.ptp(second.scores) == 0:
        return Why.NO_RANKING
    count = top(len(first.words))
    both = np.minimum(_membership(first.scores, count), _membership(second.scores, count))
    return float(both.sum()) / count


def _membership(scores: Floats, count: int) -> Floats:
    """(w,): 1 for the `count` highest scores, shared evenly among those equal to the last of them."""
    edge = np.sort(scores)[-count]
    above, tied = scores > edge, scores == edge
    return np.asarray(above + tied * ((count - above.sum()) / tied.sum()))


def common(first: Attribution, second: Attribution) -> tuple[Floats, Floats]:
    """The scores of the words that two texts have in common, in the same order and whatever their case."""
    one, other = _names(first), _names(second)
    blocks = SequenceMatcher(None, one, other, autojunk=False).get_matching_blocks()
    left = [block.a + step for block in blocks for step in range(block.size)]
    right = [block.b + step for block in blocks for step in range(block.size)]
    return first.scores[left], second.scores[right]


def _names(explained: Attribution) -> list[tuple[int, str]]:
    return [(span.part, word(explained.text, span).lower()) for span in explained.words]
