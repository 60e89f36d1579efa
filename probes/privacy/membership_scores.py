"""Scores of a text that tell whether a model was trained on it, for two samples of texts asked about together."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Floats, ProblemType
from probes.core.examples import Text
from probes.core.known_texts import KnownText
from probes.core.likelihoods import Likelihoods, passage
from probes.core.model import Scorer
from probes.core.scored_texts import BITS
from probes.privacy.blind import blind_scores

LOWEST = 0.2
"""Share of the tokens of a text, the least likely ones, that min-k% looks at."""


def mean_log(answers: Likelihoods) -> Floats:
    """(n,) mean log-probability of a token (Yeom et al. 2018)."""
    return answers.means


def lowest_logs(answers: Likelihoods) -> Floats:
    """(n,) mean log-probability of the least likely tokens of each text (min-k%; Shi et al. 2024)."""
    rows = [np.sort(answers.logs[answers.tokens_of(row)]) for row in range(len(answers))]
    return np.array([each[: max(1, round(LOWEST * len(each)))].mean() for each in rows], dtype=np.float64)


def over_zlib(answers: Likelihoods, read: Sequence[str]) -> Floats:
    """(n,) minus the bits of each text for each bit that zlib makes of it (Carlini et al. 2021)."""
    sizes = [8 * len(zlib.compress(text.encode("utf-8", "surrogatepass"), 9)) for text in read]
    return np.asarray(answers.totals * BITS / np.array(sizes, dtype=np.float64))


@dataclass(frozen=True)
class Compared:
    """n texts with the likelihood of each: those of the two samples that have a scored token.

    Attributes:
        seen: (n,) is it a training text.
        answers: of these texts.
        unscored: texts without a scored token; they are not among these.
    """

    texts: tuple[KnownText, ...]
    seen: Bools
    answers: Likelihoods
    read: tuple[str, ...]
    unscored: int = 0

    @classmethod
    def ask(cls, model: Scorer, training: Sequence[KnownText], holdout: Sequence[KnownText]) -> Compared:
        """Score every text, in one call."""
        problem = model.card.problem
        sides = [[text for text in side if _askable(text, problem)] for side in (training, holdout)]
        texts = [*sides[0], *sides[1]]
        asked = [_asked(text, problem) for text in texts]
        answers = model.score(asked)
        scored = answers.counts > 0
        rows = np.flatnonzero(scored)
        spans = answers.spans[rows].tolist()
        return cls(
            texts=tuple(compress(texts, scored)),
            seen=(np.arange(len(texts)) < len(sides[0]))[rows],
            answers=answers[rows],
            read=tuple(passage(asked[row])[0][a:b] for row, (a, b) in zip(rows.tolist(), spans, strict=True)),
            unscored=len(training) + len(holdout) - len(rows),
        )

    def __len__(self) -> int:
        return len(self.texts)

    @cached_property
    def clusters(self) -> list[str]:
        return [text.cluster for text in self.texts]

    @cached_property
    def scores(self) -> Mapping[str, Floats]:
        """Name of a way to score -> (n,) scores, higher for texts that look as if trained on."""
        return {
            "loss": mean_log(self.answers),
            "min_k": lowest_logs(self.answers),
            "zlib": over_zlib(self.answers, self.read),
        }

    @cached_property
    def blind(self) -> Floats:
        """(n,): the same from the texts alone."""
        return blind_scores(self.read, self.seen, clusters=self.clusters)

    def independent(self, seen: bool) -> int:
        """Independent texts in one of the samples."""
        return len(set(compress(self.clusters, self.seen == seen)))


def _askable(text: KnownText, problem: ProblemType) -> bool:
    return bool(text.given.strip()) or problem is not ProblemType.SEQ2SEQ_LM or len(text.text.split()) > 1


def _asked(text: KnownText, problem: ProblemType) -> Text:
    """What is scored: all of a text; the second half given the first where a model reads pairs alone."""
    if text.given.strip():
        return text.given, text.text
    if problem is not ProblemType.SEQ2SEQ_LM:
        return text.text
    words = text.text.split()
    return " ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])
