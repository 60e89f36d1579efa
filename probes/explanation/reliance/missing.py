"""What could not be measured because too few texts hold it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from probes.core.records import Skip, SkipReason
from probes.core.stats.derived import FEW
from probes.explanation.reliance.categories import IDENTITY, LISTED
from probes.explanation.reliance.selections import Selection, Sorted
from probes.text.identity import AXES

RARE = "too rare"
"""Stands in a slice for everything that too few texts hold."""


def missing(
    texts: Sorted, categories: Mapping[str, Selection], answers: Sequence[str], *, listed: Sequence[str]
) -> Iterator[Skip]:
    """One skip each for categories, for categories by answer, and for listed words."""
    counts = {name: texts.clusters(where) for name, where in categories.items()}
    axes = {f"{IDENTITY}, {axis.replace('_', ' ')}": texts.clusters(texts.axis(axis)) for axis in AXES}
    yield from _too_few({**counts, **(axes if counts[IDENTITY] >= FEW else {})}, {"category": RARE})
    by_answer = {
        f"{name} in texts answered {answer}": texts.clusters(texts.answered(categories[name], answer))
        for answer in answers
        for name, count in counts.items()
        if count >= FEW
    }
    yield from _too_few(by_answer, {"category": RARE, "label": "each"})
    by_word = {word: texts.clusters(_listed_word(texts, word)) for word in listed}
    yield from _too_few(by_word, {"category": LISTED, "word": RARE})


def _too_few(counts: Mapping[str, int], part: Mapping[str, str]) -> Iterator[Skip]:
    few = [f"{name} ({count})" for name, count in counts.items() if count < FEW]
    if few:
        yield Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"At least {FEW} independent texts are needed, and fewer hold: {', '.join(few)}.",
            enable="give more texts, or texts that hold such words",
            name="attribution_excess",
            slice=part,
        )


def _listed_word(texts: Sorted, word: str) -> Selection:
    return texts.select(lambda mark: mark.category == LISTED and mark.word == word)
