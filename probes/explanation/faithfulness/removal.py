"""Texts without the words that a ranking puts first, and with nothing but them, and what the model answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from probes.core.answers import Classifications, Floats, Ints, ProblemType
from probes.core.attributions import Attribution
from probes.core.examples import Text
from probes.core.model import Classifier
from probes.core.words import spans, without
from probes.explanation.explained import target_logits, target_scores
from probes.explanation.faithfulness.scored import Scored, Why, scored

SHARES = (0.05, 0.1, 0.2, 0.5)
"""Of the words, taken out or left; DeYoung et al. (2020) use these and 1 %, which is no word of a short text."""

Measure = Callable[[Classifications, Sequence[str]], Floats]
"""(n,) answers and targets -> (n,) numbers whose drop is measured."""


def counts(words: int) -> tuple[int, ...]:
    """How many words each of SHARES is, rounded up: at least one, and never all of two words or more."""
    return tuple(math.ceil(share * words - 1e-9) for share in SHARES)


def ranked(scores: Floats, rng: np.random.Generator) -> Ints:
    """(w,): positions of the words from the highest score down, equal ones in random order."""
    return np.asarray(np.lexsort((rng.random(len(scores)), -scores)), dtype=np.int64)


def why_not(explained: Sequence[Attribution], answers: Classifications) -> list[Why | None]:
    """(n,): why the scores put no word before another, or the answer cannot drop, if that is so."""
    flat = answers.problem is ProblemType.REGRESSION and not spread(answers) > 0
    return [Why.NO_SCALE if flat else unrankable(each) for each in explained]


def unrankable(explained: Attribution) -> Why | None:
    """Why the scores put no word before another, if that is so."""
    if len(explained.scores) < 2:
        return Why.ONE_WORD
    if not np.isfinite(explained.scores).all():
        return Why.NOT_FINITE
    return Why.NO_RANKING if np.ptp(explained.scores) == 0 else None


def spread(answers: Classifications) -> float:
    """Standard deviation of the values of a regression."""
    values = answers.logits[np.isfinite(answers.logits).all(axis=1)]
    return float(values.std()) if len(values) else 0.0


def measure_of(answers: Classifications) -> Measure:
    """What is to drop: the probability of the target; of a regression its value, in standard deviations of these."""
    if answers.problem is not ProblemType.REGRESSION:
        return target_scores
    scale = spread(answers) or np.nan
    return lambda given, targets: np.asarray(target_scores(given, targets) / scale)


def log_odds(answers: Classifications, targets: Sequence[str]) -> Floats:
    """(n,): logarithm of the odds of each target, from the logits so that it is finite at any confidence."""
    logits = target_logits(answers, targets)
    if answers.problem is not ProblemType.SINGLE_LABEL:
        return logits
    columns = np.array([answers.labels.index(target) for target in targets], dtype=np.int64)
    others = np.where(np.arange(len(answers.labels)) == columns[:, None], -np.inf, answers.logits)
    return np.asarray(logits - logsumexp(others, axis=1))


@dataclass(frozen=True, kw_only=True)
class Removed:
    """The answers to n texts, and to their variants by one ranking of the words of each.

    Attributes:
        targets, rankings: (n,) what was explained; the positions of the words, first the ones that go first.
        before: (n,) answers to the whole texts.
        without: (n * K,) the first words taken out, for each of the K SHARES, text by text.
        alone: (n * K,) nothing but these words left.
    """

    targets: Sequence[str]
    rankings: Sequence[Ints]
    before: Classifications
    without: Classifications
    alone: Classifications

    def comprehensiveness(self, measure: Measure) -> Floats:
        """(n, K): drop when the words are taken out (DeYoung et al. 2020)."""
        return self._drop(measure, self.without)

    def sufficiency(self, measure: Measure) -> Floats:
        """(n, K): drop when nothing but the words is left (DeYoung et al. 2020)."""
        return self._drop(measure, self.alone)

    def changes(self) -> Floats:
        """(n, 2K): drop of the target's logit, first without and then alone."""
        return np.concatenate([self.comprehensiveness(target_logits), self.sufficiency(target_logits)], axis=1)

    def weights(self, scores: Sequence[Floats]) -> Floats:
        """(n, 2K): the sum of the (n,) scores of the words gone in each variant, in the order of `changes`."""
        rows = []
        for own, order in zip(scores, self.rankings, strict=True):
            taken = np.cumsum(own[order])[np.array(counts(len(order))) - 1]
            rows.append(np.concatenate([taken, own.sum() - taken]))
        return np.array(rows).reshape(len(scores), 2 * len(SHARES))

    def _drop(self, measure: Measure, after: Classifications) -> Floats:
        targets = [target for target in self.targets for _ in SHARES]
        left = measure(after, targets).reshape(-1, len(SHARES))
        return np.asarray(measure(self.before, self.targets)[:, None] - left)


def ask(
    model: Classifier,
    before: Classifications,
    explained: Sequence[Attribution],
    rankings: Sequence[Sequence[Ints]],
) -> list[Removed]:
    """Ask for the variants of n texts by r rankings of their words, all in one bulk.

    Args:
        before: (n,) answers to the texts.
        explained: (n,) which words were read, and towards which target.
        rankings: (r, n) orders of the words.
    """
    pairs = [pair for ranking in rankings for pair in zip(explained, ranking, strict=True)]
    answers = model.classify([text for pair in pairs for text in variants(*pair)])
    rows = np.arange(len(answers)).reshape(len(rankings), len(explained), 2, len(SHARES))
    return [
        Removed(
            targets=[each.target for each in explained],
            rankings=ranking,
            before=before,
            without=answers[own[:, 0].ravel()],
            alone=answers[own[:, 1].ravel()],
        )
        for ranking, own in zip(rankings, rows, strict=True)
    ]


def variants(explained: Attribution, order: Ints) -> Iterator[Text]:
    """Without the first words, for each share; then with them alone.

    Words beyond the length limit go in every variant, or they would come into view as others leave.
    """
    every = set(spans(explained.text))
    read = [explained.words[position] for position in order]
    unread = every - set(read)
    for count in counts(len(read)):
        yield without(explained.text, unread | set(read[:count]))
    for count in counts(len(read)):
        yield without(explained.text, every - set(read[:count]))


@dataclass(frozen=True, kw_only=True)
class Drops:
    """How far the answers to n texts fall by one ranking, or by the mean of several.

    Attributes:
        ranking: its name.
        comprehensiveness, sufficiency, log_odds: (n, K); log-odds are those without the words, of classifiers.
        why: (n,) why an item has no ranking, if it has none.
    """

    ranking: str
    comprehensiveness: Floats
    sufficiency: Floats
    why: Sequence[Why | None]
    log_odds: Floats | None = None

    @classmethod
    def of(cls, ranking: str, removed: Sequence[Removed], *, measure: Measure, why: Sequence[Why | None]) -> Drops:
        """The mean over the rankings in `removed`."""
        return cls(
            ranking=ranking,
            comprehensiveness=np.mean([each.comprehensiveness(measure) for each in removed], axis=0),
            sufficiency=np.mean([each.sufficiency(measure) for each in removed], axis=0),
            why=why,
            log_odds=np.mean([each.comprehensiveness(log_odds) for each in removed], axis=0),
        )

    def at(self, values: Floats, place: int) -> list[Scored]:
        """(n,): of the drops (n, K) those at one share."""
        return scored(values[:, place], self.why)

    def aopc(self, values: Floats) -> list[Scored]:
        """(n,): mean of the drops (n, K) over the shares: the area over the perturbation curve."""
        return scored(values.mean(axis=1), self.why)
