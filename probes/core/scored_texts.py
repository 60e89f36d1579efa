"""Texts and how likely a language model finds them, and the numbers that are made of that."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Floats
from probes.core.examples import Example
from probes.core.likelihoods import Likelihoods, passage
from probes.core.model import Scorer
from probes.core.probe import Context
from probes.core.records import Accounting, Estimate, Evidence, Outcomes, Shown, SkipReason
from probes.core.stats.derived import UnmeasurableError, mapped, resampled

BITS = 1 / math.log(2)


@dataclass(frozen=True)
class ScoredTexts:
    """n texts with at least one scored token, sorted by item id: the order of the rows changes nothing.

    Attributes:
        answers: of these texts.
        unscored: texts of which no token has a score; they are not among these.
    """

    examples: tuple[Example, ...]
    answers: Likelihoods
    unscored: int = 0

    @classmethod
    def ask(cls, model: Scorer, data: Sequence[Example]) -> ScoredTexts:
        """Ask about every item, in one call."""
        examples = sorted(data, key=lambda example: example.id)
        answers = model.score([example.text for example in examples])
        scored = answers.counts > 0
        return cls(tuple(compress(examples, scored)), answers[np.flatnonzero(scored)], int((~scored).sum()))

    def __len__(self) -> int:
        return len(self.examples)

    def where(self, members: Bools) -> ScoredTexts:
        """Those of the texts that are `members` (n,)."""
        return ScoredTexts(tuple(compress(self.examples, members)), self.answers[np.flatnonzero(members)])

    @cached_property
    def clusters(self) -> list[str]:
        return [example.cluster for example in self.examples]

    @cached_property
    def read(self) -> list[str]:
        """(n,): the part of each text that its scored tokens cover."""
        spans = self.answers.spans.tolist()
        return [passage(example.text)[0][a:b] for example, (a, b) in zip(self.examples, spans, strict=True)]

    @cached_property
    def bits(self) -> Floats:
        """(n,): minus the log-probability of each text, to base 2."""
        return -self.answers.totals * BITS

    @property
    def tokens(self) -> Floats:
        """(n,): scored tokens of each text."""
        return self.answers.counts.astype(np.float64)

    @cached_property
    def words(self) -> Floats:
        """(n,): words, by blanks, in what was read of each text."""
        return np.array([len(text.split()) for text in self.read], dtype=np.float64)

    @cached_property
    def bytes(self) -> Floats:
        """(n,): UTF-8 bytes in what was read of each text."""
        return np.array([len(text.encode("utf-8", "surrogatepass")) for text in self.read], dtype=np.float64)

    def bits_per(self, sizes: Floats, *, rng: np.random.Generator, resamples: int) -> Estimate:
        """Bits of all texts by the (n,) `sizes` of all texts: long texts count more, as in a perplexity.

        Raises:
            UnmeasurableError: for fewer than ten independent texts.
        """
        return ratio(self.bits, sizes, clusters=self.clusters, rng=rng, resamples=resamples)

    def perplexity(self, sizes: Floats, *, rng: np.random.Generator, resamples: int) -> Estimate:
        """Two to the power of that."""
        found = self.bits_per(sizes, rng=rng, resamples=resamples)
        return mapped(found, lambda bits: 2.0**bits, method=f"{found.method} of its logarithm")

    @cached_property
    def frequency_bits(self) -> Floats:
        """(n,): bits of each text if its tokens were drawn by how often each stands in all other texts of these data.

        Add-one smoothing over the tokens that occur and one for all others. Texts of one cluster are left out together.
        """
        kinds, token = np.unique(self.answers.ids, return_inverse=True)
        names = {name: number for number, name in enumerate(dict.fromkeys(self.clusters))}
        numbered = np.array([names[name] for name in self.clusters], dtype=np.int64)
        cluster = np.repeat(numbered, self.answers.counts)
        pair, place, own = np.unique(cluster * len(kinds) + token, return_inverse=True, return_counts=True)
        del pair
        of_cluster = np.bincount(cluster, minlength=len(names))[cluster]
        seen = np.bincount(token, minlength=len(kinds))[token] - own[place]
        logs = np.log2((seen + 1) / (len(token) - of_cluster + len(kinds) + 1))
        owner = np.repeat(np.arange(len(self)), self.answers.counts)
        return np.asarray(-np.bincount(owner, weights=logs, minlength=len(self)), dtype=np.float64)

    def accounting(self, *, part: dict[str, str] | None = None) -> Accounting:
        """How many texts were scored, and what of them was not read."""
        cut = int((self.answers.unscored > 0).sum())
        note = f"of {cut} texts {int(self.answers.unscored.sum())} tokens have no score (not read); the rest counts"
        return Accounting(
            eligible=len(self) + self.unscored,
            scored=len(self),
            unscored=self.unscored,
            note=note if cut else "",
            slice=part or {},
        )

    def shown(self, row: int) -> Shown:
        """A text with its perplexity."""
        return Shown(texts=self.examples[row].texts, answer=self.told(row))

    def told(self, row: int) -> str:
        """The perplexity of a text, in words."""
        return f"perplexity {_perplexity(self.bits[row] / self.tokens[row])} over {int(self.tokens[row])} tokens"

    def cases(self, ctx: Context, *, part: dict[str, str] | None = None) -> Iterator[Evidence]:
        """Random texts, then those the model expects least, by token; no text is shown twice."""
        drawn = sorted(range(len(self)), key=lambda row: ctx.rng("evidence", self.examples[row].id).random())
        ordinary = drawn[: ctx.random_cases]
        by_token = self.bits / self.tokens
        ranked = sorted(drawn[ctx.random_cases :], key=lambda row: (-by_token[row], self.examples[row].id))
        for row in (*ordinary, *ranked[: ctx.worst_cases]):
            yield Evidence(
                example_id=self.examples[row].id,
                chosen="random" if row in ordinary else "worst",
                shown=(self.shown(row),),
                slice=part or {},
            )

    def outcomes(self) -> Outcomes:
        """One row for each text; its score is the mean log-probability of a token. The further numbers are what
        perplexities and bits by size are the ratios of."""
        n = len(self)
        sizes = {"tokens": self.tokens, "words": self.words, "bytes": self.bytes}
        bits = {"bits": self.bits, "frequency_bits": self.frequency_bits}
        return Outcomes(
            example_id=[example.id for example in self.examples],
            cluster=self.clusters,
            variant=[""] * n,
            after=[self.told(row) for row in range(n)],
            before=[None] * n,
            gold=[None] * n,
            correct=[None] * n,
            changed=[None] * n,
            score=self.answers.means.tolist(),
            values={name: column.tolist() for name, column in (sizes | bits).items()},
        )


def ratio(
    above: Floats, below: Floats, *, clusters: Sequence[str], rng: np.random.Generator, resamples: int
) -> Estimate:
    """The sum of (n,) numbers by the sum of (n,) others of the same items, with a cluster bootstrap interval.

    Raises:
        UnmeasurableError: for fewer than ten independent items, or none with anything to divide by.
    """
    if not below.any():
        raise UnmeasurableError(SkipReason.UNDEFINED, "Nothing of these texts was read.")

    def statistic(weights: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((weights @ above) / (weights @ below))

    return resampled(statistic, clusters=clusters, rng=rng, resamples=resamples, limits=(-math.inf, math.inf))


def _perplexity(bits: float) -> str:
    value = 2.0 ** min(bits, 300.0)
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}" if value < 1e9 else f"{value:.1e}"
