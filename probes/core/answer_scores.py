"""How right an answer in words is: the exact match and the F1 of the SQuAD evaluation."""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

from probes.core.readings import NONE

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = dict.fromkeys(map(ord, string.punctuation))
_REMEMBERED = 1 << 14
"""Answers: those to a text and to its variants are mostly the same few, and all are compared with the same golds."""


@lru_cache(maxsize=_REMEMBERED)
def normalised(answer: str) -> str:
    """In small letters, without ASCII punctuation and English articles, with single blanks.

    Source: Rajpurkar et al. 2016, the official evaluation script, `normalize_answer`.
    """
    letters = answer.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", letters).split())


def exact_match(answer: str, golds: Sequence[str]) -> float:
    """1.0 if the answer equals one of the golds after normalisation, otherwise 0.0; no golds mean "no answer"."""
    return _best(lambda gold: float(normalised(answer) == normalised(gold)), golds)


def f1(answer: str, golds: Sequence[str]) -> float:
    """F1 of the words shared with a gold, the best of all golds; no golds mean "no answer".

    Against "no answer", or as "no answer", it is 1.0 if both are and otherwise 0.0 (SQuAD 2, Rajpurkar et al. 2018).
    """
    return _best(lambda gold: _overlap(answer, gold), golds)


def _best(score: Callable[[str], float], golds: Sequence[str]) -> float:
    # As in the reference, a gold of which normalisation leaves nothing is none.
    kept = [gold for gold in golds if normalised(gold)] or [NONE]
    return max(score(gold) for gold in kept)


@lru_cache(maxsize=_REMEMBERED)
def _overlap(answer: str, gold: str) -> float:
    words, right = normalised(answer).split(), normalised(gold).split()
    if not words or not right:
        return float(words == right)
    shared = sum((Counter(words) & Counter(right)).values())
    return 2 * shared / (len(words) + len(right))
