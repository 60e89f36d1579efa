"""Rules that ask another model: is the text still near the first one, does it follow from it, does it read on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Floats
from probes.robustness.adversarial.attacked import Candidate
from probes.robustness.adversarial.parts import Attempt, Situation
from probes.robustness.adversarial.pure import Rule
from probes.robustness.adversarial.sources.assistants import ENCODER, ENTAILMENT, FLUENCY
from probes.robustness.search import Oracle, Request, Steps

SIMILARITY = "similarity"
"""Note: cosine of the sentence embeddings of the first text and this one."""

ENTAILED = "entailment"
"""Note: probability that this text follows from the first one."""

NOT_ENTAILED = "doubt.entailment"
"""Note: 1 where it is too low, or there is none."""

FLUENT = "fluency"
"""Note: mean log-probability of the changed words in their places, less that of the words that stood there; below 0
where a masked language model finds the new ones less likely."""

Place = tuple[str, tuple[int, int]]
"""A text, and the characters of it that are looked at."""


@dataclass(frozen=True)
class Similar(Rule):
    """The sentence embedding stays near that of the first text.

    Args:
        least: cosine.
    """

    least: float

    def keep(self, candidates: Sequence[Candidate], situation: Situation) -> Steps[list[Candidate]]:
        """Those that are near enough, each with its similarity noted."""
        texts = [situation.start.text, *(candidate.text for candidate in candidates)]
        vectors: Floats = yield Request(ENCODER, situation.item, texts)
        found = _cosines(vectors)
        for candidate, cosine in zip(candidates, found.tolist(), strict=True):
            candidate.notes[SIMILARITY] = cosine
        return [each for each, cosine in zip(candidates, found.tolist(), strict=True) if cosine >= self.least]


@dataclass(frozen=True)
class Entailed(Rule):
    """The text follows from the first one, as a model of entailment says.

    Args:
        least: probability.
        refuse: others are dropped; otherwise they are kept and noted as doubtful.
    """

    least: float = 0.5
    refuse: bool = False

    def keep(self, candidates: Sequence[Candidate], situation: Situation) -> Steps[list[Candidate]]:
        """Those that follow, each with the probability noted."""
        pairs = [(situation.start.text, candidate.text) for candidate in candidates]
        found: Floats = yield Request(ENTAILMENT, situation.item, pairs)
        for candidate, probability in zip(candidates, found.tolist(), strict=True):
            candidate.notes[ENTAILED] = probability
            candidate.notes[NOT_ENTAILED] = float(not probability >= self.least)
        follows = found >= self.least
        return [each for each, kept in zip(candidates, follows.tolist(), strict=True) if kept or not self.refuse]


@dataclass(frozen=True)
class Fluent(Rule):
    """A masked language model finds the new words not much less likely in their places than the old ones.

    Args:
        most: natural logarithms of probability that may be lost by a change.
    """

    most: float

    def keep(self, candidates: Sequence[Candidate], situation: Situation) -> Steps[list[Candidate]]:
        """Those that read on well enough at each changed word; words that are only taken away are not asked about."""
        asked = [(candidate, places) for candidate in candidates for places in _put_in(candidate)]
        if not asked:
            return list(candidates)
        questions = [place for _, places in asked for place in places]
        logs: Floats = yield Request(FLUENCY, situation.item, questions)
        lost = (logs[0::2] - logs[1::2]).tolist()
        refused = {id(candidate) for (candidate, _), loss in zip(asked, lost, strict=True) if not loss <= self.most}
        return [candidate for candidate in candidates if id(candidate) not in refused]


def note_similarity(attempts: Sequence[Attempt], oracles: Mapping[str, Oracle]) -> None:
    """Note how near the texts that attacks ended with are to the first ones, where no constraint did."""
    rows = [
        row
        for row, attempt in enumerate(attempts)
        if attempt.found is not None and SIMILARITY not in attempt.notes and ENCODER in oracles
    ]
    if not rows:
        return
    pairs = [(attempts[row].start.text, found.text) for row in rows if (found := attempts[row].found) is not None]
    answers = oracles[ENCODER]([Request(ENCODER, row, pair) for row, pair in zip(rows, pairs, strict=True)])
    for row, vectors in zip(rows, answers, strict=True):
        attempts[row].notes[SIMILARITY] = float(_cosines(vectors)[0])


def note_fluency(attempts: Sequence[Attempt], oracles: Mapping[str, Oracle]) -> None:
    """Note how well the texts that attacks ended with read on, where a masked language model can be asked."""
    if FLUENCY not in oracles:
        return
    compared = [(row, *_changed_words(attempt)) for row, attempt in enumerate(attempts)]
    compared = [(row, before, after) for row, before, after in compared if before and after]
    if not compared:
        return
    answers = oracles[FLUENCY]([Request(FLUENCY, row, [*before, *after]) for row, before, after in compared])
    for (row, before, _), logs in zip(compared, answers, strict=True):
        gained = float(np.mean(logs[len(before) :]) - np.mean(logs[: len(before)]))
        if np.isfinite(gained):  # what lies behind the longest text the model reads has no probability
            attempts[row].notes[FLUENT] = gained


def _cosines(vectors: Floats) -> Floats:
    """Of the first of (n, width) vectors with each of the others."""
    lengths = np.linalg.norm(vectors, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (vectors[1:] @ vectors[0]) / (lengths[1:] * lengths[0])
    return np.asarray(np.nan_to_num(found, nan=0.0))


def _put_in(candidate: Candidate) -> Iterator[tuple[Place, Place]]:
    """Of each edit that puts something in: its place as it was, and as it is."""
    base = candidate.base
    for edit in candidate.change:
        if edit.text:
            earlier = tuple(each for each in candidate.change if each.place < edit.place)
            start, end = base.span(edit.place)
            at = start + len(base.changed(earlier)) - len(base.text)
            yield (base.text, (start, end)), (candidate.text, (at, at + len(edit.text)))


def _changed_words(attempt: Attempt) -> tuple[list[Place], list[Place]]:
    """The words that an attempt changed, in the first text; and what stands in their places at the end."""
    start, found = attempt.start, attempt.found
    if found is None:
        return [], []
    now = [(found.text, span) for span, own in zip(found.spans, found.origins, strict=True) if own in found.edited]
    return [(start.text, start.span(own)) for own in sorted(found.edited)], now
