"""How differently a model treats two groups in the same sentences, for the two groups it treats most differently."""

from __future__ import annotations

from itertools import compress, permutations

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Floats
from probes.core.records import Estimate, SkipReason
from probes.core.stats.derived import FEW, UnmeasurableError, mapped
from probes.toxicity.functional.answered import Answered


def largest_gap(items: Answered, among: Bools, *, rng: np.random.Generator) -> Estimate:
    """The largest difference of flagged shares between two groups, each pair over the sentences that both have.

    Every ordered pair is a condition, so the largest is never negative; the bounds hold for all pairs together.

    Raises:
        UnmeasurableError: when no two groups share at least FEW independent sentences.
    """
    shares, templates = _shares(items, among)
    gaps = [shares[:, a] - shares[:, b] for a, b in permutations(range(shares.shape[1]), 2)]
    usable = [gap for gap in gaps if len(set(compress(templates, ~np.isnan(gap)))) >= FEW]
    if not usable:
        raise UnmeasurableError(SkipReason.TOO_FEW, f"No two groups share {FEW} sentences.")
    matrix = np.column_stack(usable)
    shared = np.asarray(~np.isnan(matrix).all(axis=1))
    clusters = list(compress(templates, shared))
    estimate = stats.worst_of(matrix[shared], clusters=clusters, rng=rng, limits=(-1.0, 1.0))
    return mapped(estimate, lambda gap: max(gap, 0.0), method=estimate.method)


def _shares(items: Answered, among: Bools) -> tuple[Floats, list[str]]:
    """(sentences, groups): share flagged, NaN where a sentence has no case for a group; and each sentence's cluster."""
    cases = [(row, case) for row, case in enumerate(items.cases) if among[row] and case.target]
    sentences = sorted({(case.template, case.functionality) for _, case in cases})
    targets = sorted({case.target for _, case in cases if case.target})
    counts = np.zeros((len(sentences), len(targets)))
    flagged = np.zeros_like(counts)
    line = {sentence: at for at, sentence in enumerate(sentences)}
    for row, case in cases:
        cell = line[case.template, case.functionality], targets.index(case.target or "")
        counts[cell] += 1
        flagged[cell] += items.flagged[row]
    with np.errstate(invalid="ignore"):
        return flagged / counts, [template for template, _ in sentences]
