"""The probe that asks how well a language model expects the texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from probes.core.answers import LANGUAGE_HEADS
from probes.core.examples import Example
from probes.core.groups import groups
from probes.core.likelihoods import Scoring
from probes.core.measuring import measured
from probes.core.model import Capability, Scorer
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Better, Measurement, Outcomes, Record, Skip, SkipReason, Unit
from probes.core.scored_texts import ScoredTexts, ratio
from probes.core.stats.derived import FEW


@dataclass(frozen=True)
class Likelihood:
    """How well does the language model expect the texts?

    Measures:
        Perplexity by token and by word, for causal models bits for each byte of the texts, the bits for each token that
        are gained over guessing every token by how often it stands in the other texts, and perplexity for each value of
        each group column. For masked models all of these are made of pseudo-log-likelihoods.

    Why it matters:
        A model that does not expect the texts it will work on has not learned their language, or not their kind. These
        numbers are evidence relevant to declared performance; they say nothing about whether what a model writes is
        true or useful.

    Method:
        Causal models: the log-probability of each token given those before it, the first given the token that begins a
        text (the tokenizer's own, otherwise its token for the beginning or the end of a text). Masked models: each
        token in turn is replaced by a mask and guessed from all others (pseudo-log-likelihood). Special tokens are not
        scored. Perplexity is two to the power of all bits by all tokens (or words, separated by blanks), so long texts
        count more. Guessing by frequency uses the other texts of the same data (those of the same cluster are left out)
        with add-one smoothing. Intervals are cluster bootstraps of ratios (BCa, 2000 resamples), on the logarithm for
        perplexities, with the document as cluster: tokens of one text are not independent.

    Limits:
        Perplexity by token can be compared only between models with the same tokenizer, that by word and bits by byte
        also between others. Pseudo-perplexities can be compared only with pseudo-perplexities, and are lower for
        tokenizers that cut words into more pieces, because the other pieces of a word give it away. Texts longer than
        the model reads count with their beginning only; the accounting says how many tokens have no score. A text the
        model was trained on is expected better than one like it.

    References:
        Jelinek et al. 1977, JASA 62:S63 (perplexity). Salazar et al. 2020, Masked Language Model Scoring, ACL
        (pseudo-log-likelihood). Gao et al. 2020, arXiv:2101.00027 (bits per byte). Kauf and Ivanova 2023, ACL (pieces
        of words). Efron 1987, JASA 82:171 (BCa).
    """

    resamples: int = 2000
    minimum: int = FEW
    """Independent texts a group must have."""

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="performance.likelihood",
            version=1,
            risk="performance",
            title="How well texts are expected",
            doc=ProbeDoc.parse(type(self).__doc__),
            needs=frozenset({Capability.SCORE}),
            problems=LANGUAGE_HEADS,
        )

    def run(self, model: Scorer, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements for the whole and for groups, then cases and outcomes."""
        items = ScoredTexts.ask(model, data)
        yield items.accounting()
        if not len(items):
            yield Skip(reason=SkipReason.TOO_FEW, detail="There is no text to score.", enable="give texts with --data")
            return
        yield from self._whole(items, ctx, causal=model.card.scoring is Scoring.LEFT_TO_RIGHT)
        yield from self._groups(items, ctx)
        yield from items.cases(ctx)
        yield items.outcomes()

    def _whole(self, items: ScoredTexts, ctx: Context, *, causal: bool) -> Iterator[Measurement | Skip]:
        what = "perplexity" if causal else "pseudo-perplexity"
        for name, sizes, of in (("perplexity", items.tokens, "token"), ("word_perplexity", items.words, "word")):
            yield measured(
                name,
                f"{what} by {of}",
                lambda name=name, sizes=sizes: items.perplexity(  # type: ignore[misc]  # bound now, called at once
                    sizes, rng=ctx.generator(name), resamples=self.resamples
                ),
                better=Better.LOWER,
                unit=Unit.SCORE,
            )
        if causal:
            yield measured(
                "bits_per_byte",
                "bits for each byte of the texts",
                lambda: items.bits_per(items.bytes, rng=ctx.generator("bytes"), resamples=self.resamples),
                better=Better.LOWER,
                unit=Unit.SCORE,
            )
        yield measured(
            "bits_over_frequency",
            "bits gained for each token over guessing it by how often it stands in the other texts",
            lambda: ratio(
                items.frequency_bits - items.bits,
                items.tokens,
                clusters=items.clusters,
                rng=ctx.generator("frequency"),
                resamples=self.resamples,
            ),
            better=Better.HIGHER,
            unit=Unit.SCORE,
        )

    def _groups(self, items: ScoredTexts, ctx: Context) -> Iterator[Measurement | Skip]:
        for group, members in groups(items.examples):
            yield self._group(items.where(members), group, ctx)

    def _group(self, items: ScoredTexts, group: str, ctx: Context) -> Measurement | Skip:
        independent = len(set(items.clusters))
        if independent < self.minimum:
            return Skip(
                reason=SkipReason.TOO_FEW,
                detail=f"Group {group} has {independent} independent texts, fewer than {self.minimum}.",
                enable="add texts of this group",
                slice={"group": group},
            )
        return measured(
            "perplexity",
            f"perplexity by token where {group}",
            lambda: items.perplexity(items.tokens, rng=ctx.generator("group", group), resamples=self.resamples),
            better=Better.LOWER,
            unit=Unit.SCORE,
            part={"group": group},
            family=f"{self.info.id}.groups",
        )
