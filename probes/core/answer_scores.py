"""How right an answer in words is: the exact match and the F1 of the SQuAD evaluation."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence

from probes.core.readings import NONE

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = frozenset(string.punctuation)


def normalised(answer: str) -> str:
    """In small letters, without ASCII punctuation and English articles, with single blanks.

    Source: Rajpurkar et al. 2016, the official evaluation script, `normalize_answer`.
    """
    letters = "".join(sign for sign in answer.lower() if sign not in _PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", letters).split())


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """1.0 if the answer equals one of the golds after normalisation, otherwise 0.0; no golds mean "no answer"."""
    return _best(lambda gold: float(normalised(answer) == normalised(gold)), golds)


def f1(answer: str, golds: Sequence[str]) -> float:
    """F1 of the words shared with a gold, the best of all golds; no golds mean "no answer".

    Against "no answer", or as "no answer", it is 1.0 if both are and otherwise 0.0 (SQuAD 2, Rajpurkar et al. 2018).
    """
    words = normalised(answer).split()
    return _best(lambda gold: _overlap(words, normalised(gold).split()), golds)


def _best(score: Callable[[str], float], golds: Sequence[str]) -> float:
    # As in the reference, a gold of which normalisation leaves nothing is none.
    kept = [gold for gold in golds if normalised(gold)] or [NONE]
    return max(score(gold) for gold in kept)


def _overlap(answer: Sequence[str], gold: Sequence[str]) -> float:
    if not answer or not gold:
        return float(answer == gold)
    shared = sum((Counter(answer) & Counter(gold)).values())
    return 2 * shared / (len(answer) + len(gold))
