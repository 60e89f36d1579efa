"""How close written texts are to references: ROUGE, BLEU and chrF, counted by their usual libraries.

BLEU and chrF are ratios of counts over all texts, so what is kept of each text are its counts: the metric of any
resample is then arithmetic. The libraries are imported on demand only: rouge-score imports nltk, which takes seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import zip_longest
from typing import Any

import numpy as np

from probes.core.answers import Bools, Floats

ROUGE = ("rouge1", "rouge2", "rougeL")
"""What `rouge_f` gives, by the library's names."""
ORDER = 4
"""Longest n-gram of BLEU, in words."""
BETA = 2.0
"""Weight of recall in chrF."""
REPEATS = 3
"""A run of ORDER words that stands so often in one text is no style."""


def rouge_f(texts: Sequence[str], references: Sequence[Sequence[str]]) -> Floats:
    """(n, 3) F-measures of ROUGE-1, ROUGE-2 and ROUGE-L, each the best over a text's references, without stemming.

    Source: Lin 2004; the implementation is that of the library rouge-score.
    """
    scorer = _rouge()
    found = [scorer.score_multi(list(golds), text) for text, golds in zip(texts, references, strict=True)]
    rows = [[each[name].fmeasure for name in ROUGE] for each in found]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(ROUGE))


def bleu_counts(texts: Sequence[str], references: Sequence[Sequence[str]]) -> Floats:
    """(n, 10): words written, words of the reference closest in length, matching n-grams of 1 to 4, n-grams written.

    Words are those of sacrebleu's tokenizer 13a.
    """
    return _counts(_bleu(), texts, references, width=2 + 2 * ORDER)


def bleu(counts: Floats) -> Floats:
    """(B,) corpus BLEU, 0 to 1, of (B, 10) summed counts; where an order has no match, NIST's smoothing (`exp`).

    Source: Papineni et al. 2002; Post 2018 (sacrebleu, whose numbers these are).
    """
    written, wanted = counts[:, 0], counts[:, 1]
    matches, grams = counts[:, 2 : 2 + ORDER], counts[:, 2 + ORDER :]
    halvings = np.cumsum(matches == 0, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precisions = np.where(matches > 0, matches, 0.5**halvings) / grams
        brevity = np.where(written < wanted, np.exp(1 - wanted / written), 1.0)
        scores = brevity * np.exp(np.log(precisions).mean(axis=1))
    # A corpus of texts too short for an n-gram of some order has no match of it, and counts 0.
    return np.where(matches.any(axis=1) & (grams > 0).all(axis=1), scores, 0.0)


def chrf_counts(texts: Sequence[str], references: Sequence[Sequence[str]]) -> Floats:
    """(n, 18): n-grams of 1 to 6 characters written, those of the reference that matches best, and those shared."""
    return _counts(_chrf(), texts, references, width=18)


def chrf(counts: Floats) -> Floats:
    """(B,) corpus chrF, 0 to 1, of (B, 18) summed counts: the F-score of mean precision and mean recall.

    Source: Popovic 2015; sacrebleu, whose numbers these are.
    """
    written, wanted, shared = counts[:, 0::3], counts[:, 1::3], counts[:, 2::3]
    real = (written > 0) & (wanted > 0)
    orders = np.maximum(real.sum(axis=1), 1)
    precision, recall = (
        np.where(real, shared / np.where(real, whole, 1.0), 0.0).sum(axis=1) / orders for whole in (written, wanted)
    )
    weighted = BETA**2 * precision + recall
    return np.where(weighted > 0, (1 + BETA**2) * precision * recall / np.where(weighted > 0, weighted, 1.0), 0.0)


def corpus_bleu(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """BLEU of n texts, 0 to 1."""
    return float(bleu(bleu_counts(texts, references).sum(axis=0)[None])[0])


def corpus_chrf(texts: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """chrF of n texts, 0 to 1."""
    return float(chrf(chrf_counts(texts, references).sum(axis=0)[None])[0])


def repetitive(texts: Sequence[str]) -> Bools:
    """(n,): some run of four words stands three times or more in the text, whatever the case of its letters."""
    return np.array([_most_frequent_run(text.lower().split()) >= REPEATS for text in texts], dtype=bool)


def _most_frequent_run(words: Sequence[str]) -> int:
    runs = Counter(zip(*(words[start:] for start in range(ORDER)), strict=False))
    return max(runs.values(), default=0)


def closest_lengths(texts: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[Floats, Floats]:
    """(n,) words of each text and (n,) of its reference closest in length, by blanks."""
    words = [len(text.split()) for text in texts]
    wanted = [
        min((len(gold.split()) for gold in golds), key=lambda length: (abs(length - own), length))
        for own, golds in zip(words, references, strict=True)
    ]
    return np.array(words, dtype=np.float64), np.array(wanted, dtype=np.float64)


def _counts(metric: Any, texts: Sequence[str], references: Sequence[Sequence[str]], *, width: int) -> Floats:
    # The library takes the first references of all texts, then the second ones: None where a text has no more.
    streams = list(zip_longest(*references))
    found = metric._extract_corpus_statistics(list(texts), streams) if len(texts) else []
    return np.array(found, dtype=np.float64).reshape(len(texts), width)


@cache
def _rouge() -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(ROUGE), use_stemmer=False)


@cache
def _bleu() -> Any:
    from sacrebleu.metrics.bleu import BLEU

    return BLEU(force=True)


@cache
def _chrf() -> Any:
    from sacrebleu.metrics.chrf import CHRF

    return CHRF()
