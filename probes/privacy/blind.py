"""How well two samples of texts can be told apart by their words alone, by one who never saw the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from probes.core.answers import Bools, Floats, Ints
from probes.core.rng import derive

FOLDS = 5
SMOOTHING = 1.0


def blind_scores(texts: Sequence[str], members: Bools, *, clusters: Sequence[str]) -> Floats:
    """(n,): how much each text looks like those of `members` (n,), learned from texts of other clusters only.

    Naive Bayes on which words (without regard to case) stand in a text, and on its length in powers of two: what a
    guess from the texts themselves can reach at little cost (Das, Zhang and Tramer 2024).
    """
    folds = np.array([derive(0, "fold", name) % FOLDS for name in clusters], dtype=np.int64)
    features = _features(texts)
    scores = np.zeros(len(texts))
    for fold in range(FOLDS):
        learn, told = folds != fold, np.flatnonzero(folds == fold)
        weights = _log_odds(features, learn & members) - _log_odds(features, learn & ~members)
        scores[told] = [float(weights[features[row]].sum()) for row in told.tolist()]
    return scores


def _features(texts: Sequence[str]) -> list[Ints]:
    """(n,) numbers of the features of each text."""
    number: dict[str, int] = {}
    found = []
    for text in texts:
        words = text.casefold().split()
        names = [*dict.fromkeys(words), f"\x00{len(words).bit_length()}"]
        found.append(np.array([number.setdefault(name, len(number)) for name in names], dtype=np.int64))
    return found


def _log_odds(features: Sequence[Ints], rows: Bools) -> Floats:
    """(features,) log of the smoothed share of the texts in `rows` that have each feature."""
    size = 1 + max((int(each.max()) for each in features), default=0)
    counts = Counter(name for row in np.flatnonzero(rows).tolist() for name in features[row].tolist())
    seen = np.array([counts[name] for name in range(size)], dtype=np.float64)
    return np.asarray(np.log((seen + SMOOTHING) / (int(rows.sum()) + 2 * SMOOTHING)))
