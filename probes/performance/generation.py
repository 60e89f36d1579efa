"""The probe that compares what a model writes with what it should write."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from probes.core.answered import f1_of
from probes.core.answers import WRITING_HEADS, Bools, Floats
from probes.core.counts import plural
from probes.core.examples import Example
from probes.core.generated import Generated
from probes.core.groups import groups
from probes.core.labelled import no_gold
from probes.core.measuring import measured, share
from probes.core.model import Capability, Generator
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import (
    Accounting,
    Better,
    Estimate,
    Evidence,
    Measurement,
    Outcomes,
    Record,
    Shown,
    Skip,
    SkipReason,
    Unit,
)
from probes.core.scored_texts import ratio
from probes.core.stats.derived import FEW, Statistic, resampled
from probes.performance import text_metrics

ROUGE_L = text_metrics.ROUGE.index("rougeL")
_SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s)|\n|$)", re.DOTALL)


@dataclass(frozen=True)
class GenerationQuality:
    """How close is what the model writes to what it should write?

    Measures:
        Exact match and F1 of words (as in the SQuAD evaluation), ROUGE-1, ROUGE-2, ROUGE-L, BLEU and chrF against the
        references, over all texts that are not empty; the gain in F1 and ROUGE-L over a trivial writer; the share of
        empty and of unfinished texts; the length of the texts in relation to their references; the share of texts that
        repeat themselves; F1 and ROUGE-L for each value of each group column.

    Why it matters:
        A text may read well and not be what was asked for. Overlap with references is what can be measured without a
        judge, and what published results of the same task can be compared with. A model that never ends, writes nothing
        or repeats itself fails its users whatever its score. These numbers are evidence relevant to declared accuracy
        metrics.

    Method:
        The likeliest token is taken each time (greedy), up to `max_tokens`, which unless set gives room for the longest
        reference at two bytes a token, 16 to 512, and up to the first of the texts in `stop`, if there are any. Of
        several references the best counts, in BLEU all of them. Exact match and F1: small letters, no ASCII
        punctuation, no English articles. ROUGE: library rouge-score, F-measure, no stemming. BLEU and chrF: library
        sacrebleu with its defaults (tokenizer 13a, mixed case, `exp` smoothing; character order 6, beta 2), over the
        corpus, shown as 0 to 100 %. The trivial writer gives the first sentence of the prompt, or the commonest
        reference where one occurs twice, whichever has the higher F1. A text repeats itself if four words in a row
        stand in it three times or more. Means and corpus scores have a cluster bootstrap with 2000 resamples (BCa; BLEU
        and chrF from the counts of each text), shares Wilson intervals; items of one cluster are not independent.

    Limits:
        Overlap of words is not meaning: a right answer in other words scores low, a wrong one in the same words high,
        and nothing here says whether a text is true. Tokenization and normalisation are made for languages written with
        blanks and for English articles; for others read chrF. Empty texts have no score, so read the scores beside the
        share of empty texts. The limit of tokens depends on the references given. With fewer than 10 clusters no mean
        is given, and no number of a group.

    References:
        Rajpurkar et al. 2016, EMNLP (exact match, F1). Lin 2004, ACL workshop (ROUGE). Papineni et al. 2002, ACL
        (BLEU). Popovic 2015, WMT (chrF). Post 2018, WMT (sacrebleu). Holtzman et al. 2020, ICLR (repetition). Koehn
        2004, EMNLP (bootstrap of corpus scores). Efron 1987, JASA 82:171 (BCa). Wilson 1927, JASA 22:209.
    """

    max_tokens: int | None = None
    """Of each text; None: room for the longest reference."""
    stop: tuple[str, ...] = ()
    """What ends a text, such as a line break, for models that do not end one themselves; it is cut off."""
    resamples: int = 2000
    minimum: int = FEW
    """Independent items a group must have."""

    def __post_init__(self) -> None:
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError("max_tokens must be 1 or more")
        if not all(self.stop):
            raise ValueError("stop holds an empty text")

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="performance.generation",
            version=1,
            risk="performance",
            title="Quality of written texts",
            doc=ProbeDoc.parse(type(self).__doc__),
            needs=frozenset({Capability.GENERATE}),
            problems=WRITING_HEADS,
            gold=True,
        )

    def run(self, model: Generator, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements of all texts and of those that are not empty, then of groups, cases and outcomes."""
        items = Generated.ask(model, data, max_tokens=self.max_tokens, stop=self.stop)
        yield _accounting(items)
        if not len(items):
            yield no_gold()
            return
        yield from _whole(items)
        written = items.where(~items.answers.empty)
        if len(written):
            rouge = text_metrics.rouge_f(written.texts, written.golds)
            yield from self._scores(written, rouge, ctx)
            yield from self._against_trivial(written, rouge[:, ROUGE_L], ctx)
            yield from self._form(written, ctx)
            yield from self._groups(written, rouge[:, ROUGE_L], ctx)
        else:
            yield Skip(reason=SkipReason.UNDEFINED, detail="Every text is empty: there is nothing to compare.")
        yield from _cases(items, ctx)
        yield _outcomes(items)

    def _scores(self, items: Generated, rouge: Floats, ctx: Context) -> Iterator[Measurement | Skip]:
        yield measured(
            "exact_match",
            "share of texts that match a reference exactly",
            lambda: share(items.exact, clusters=items.clusters),
            better=Better.HIGHER,
        )
        yield self._mean("f1", "mean F1 of words", items.f1, items, ctx)
        for column, (name, title) in enumerate(
            (("rouge_1", "ROUGE-1"), ("rouge_2", "ROUGE-2"), ("rouge_l", "ROUGE-L"))
        ):
            yield self._mean(name, f"mean {title} (F-measure)", rouge[:, column], items, ctx)
        yield self._corpus("bleu", "BLEU", text_metrics.bleu, text_metrics.bleu_counts, items, ctx)
        yield self._corpus("chrf", "chrF", text_metrics.chrf, text_metrics.chrf_counts, items, ctx)

    def _mean(
        self,
        name: str,
        title: str,
        values: Floats,
        items: Generated,
        ctx: Context,
        *,
        better: Better = Better.HIGHER,
        part: dict[str, str] | None = None,
    ) -> Measurement | Skip:
        """Mean of (n,) numbers from 0 to 1."""
        return measured(
            name,
            title,
            lambda: self._resampled(_mean_of(values), items, ctx, name, *(part or {}).values(), edge=_edge(values)),
            better=better,
            part=part,
            family=f"{self.info.id}.groups" if part else None,
        )

    def _corpus(
        self,
        name: str,
        title: str,
        score: Callable[[Floats], Floats],
        count: Callable[[Sequence[str], Sequence[Sequence[str]]], Floats],
        items: Generated,
        ctx: Context,
    ) -> Measurement | Skip:
        counts = count(items.texts, items.golds)
        return measured(
            name,
            f"{title} over the corpus",
            lambda: self._resampled(lambda weights: score(weights @ counts), items, ctx, name),
            better=Better.HIGHER,
        )

    def _resampled(
        self, statistic: Statistic, items: Generated, ctx: Context, *keys: str, edge: float | None = None
    ) -> Estimate:
        """A number from 0 to 1; `edge` is 0 or 1 where every item has just that."""
        return resampled(
            statistic,
            clusters=items.clusters,
            rng=ctx.generator(*keys),
            resamples=self.resamples,
            limits=(0.0, 1.0),
            unseen=None if edge is None else lambda other: abs(edge - other),
        )

    def _against_trivial(self, items: Generated, rouge_l: Floats, ctx: Context) -> Iterator[Measurement | Skip]:
        name, texts = trivial(items)
        other = f"a trivial writer: {name}"
        trivial_rouge_l = text_metrics.rouge_f(texts, items.golds)[:, ROUGE_L]
        for key, title, own, theirs in (
            ("f1", "mean F1 of words", items.f1, f1_of(texts, items.golds)),
            ("rouge_l", "mean ROUGE-L", rouge_l, trivial_rouge_l),
        ):
            yield self._mean(f"trivial_{key}", f"{title} of {other}", theirs, items, ctx, better=Better.CONTEXT)
            yield measured(
                f"{key}_over_trivial",
                f"gain in {title} over {other}",
                partial(self._gain, own - theirs, items, ctx, key),
                better=Better.HIGHER,
                unit=Unit.DIFFERENCE,
            )

    def _gain(self, gain: Floats, items: Generated, ctx: Context, key: str) -> Estimate:
        return resampled(
            _mean_of(gain),
            clusters=items.clusters,
            rng=ctx.generator("over_trivial", key),
            resamples=self.resamples,
            limits=(-1.0, 1.0),
        )

    def _form(self, items: Generated, ctx: Context) -> Iterator[Measurement | Skip]:
        own, wanted = text_metrics.closest_lengths(items.texts, items.golds)
        yield measured(
            "length_ratio",
            "words written for each word of the references closest in length",
            lambda: ratio(own, wanted, clusters=items.clusters, rng=ctx.generator("length"), resamples=self.resamples),
            better=Better.CONTEXT,
            unit=Unit.SCORE,
        )
        yield measured(
            "repetition_rate",
            "share of texts in which four words in a row stand three times or more",
            lambda: share(text_metrics.repetitive(items.texts), clusters=items.clusters),
            better=Better.LOWER,
        )

    def _groups(self, items: Generated, rouge_l: Floats, ctx: Context) -> Iterator[Measurement | Skip]:
        for group, members in groups(items.examples):
            yield from self._group(items.where(members), rouge_l[members], group, ctx)

    def _group(self, items: Generated, rouge_l: Floats, group: str, ctx: Context) -> Iterator[Measurement | Skip]:
        part = {"group": group}
        independent = len(set(items.clusters))
        if independent < self.minimum:
            yield Skip(
                reason=SkipReason.TOO_FEW,
                detail=f"Group {group} has {independent} independent texts, fewer than {self.minimum}.",
                enable="add prompts of this group",
                slice=part,
            )
            return
        yield self._mean("f1", f"mean F1 of words where {group}", items.f1, items, ctx, part=part)
        yield self._mean("rouge_l", f"mean ROUGE-L where {group}", rouge_l, items, ctx, part=part)


def trivial(items: Generated) -> tuple[str, list[str]]:
    """What a writer without a model would write: its name and (n,) texts."""
    first = [first_sentence(str(example.text)) for example in items.examples]
    commonest, count = Counter(gold for golds in items.golds for gold in set(golds)).most_common(1)[0]
    always = [commonest] * len(items)
    if count > 1 and f1_of(always, items.golds).mean() > f1_of(first, items.golds).mean():
        return "always the commonest reference", always
    return "the first sentence of the prompt", first


def first_sentence(text: str) -> str:
    """Up to the first end of a sentence or of a line."""
    found = _SENTENCE.search(text)
    return found.group().strip() if found else text


def _mean_of(values: Floats) -> Statistic:
    return lambda weights: np.asarray(weights @ values / weights.sum(axis=1))


def _edge(values: Floats) -> float | None:
    """0 or 1 where all of (n,) numbers are just that."""
    alike = len(values) and values.min() == values.max() and values[0] in (0.0, 1.0)
    return float(values[0]) if alike else None


def _accounting(items: Generated) -> Accounting:
    empty = int(items.answers.empty.sum())
    cut = int((items.answers.cut > 0).sum())
    notes = [
        f"{plural(empty, 'empty text')} without a score" if empty else "",
        f"of {cut} prompts the beginning was not read" if cut else "",
        f"{plural(items.pairs, 'item')} with a pair in place of a prompt" if items.pairs else "",
    ]
    return Accounting(
        eligible=len(items),
        scored=len(items) - empty,
        unscored=items.unlabelled + items.pairs + empty,
        tied=int(items.answers.near.sum()),
        note="; ".join(filter(None, notes)),
    )


def _whole(items: Generated) -> Iterator[Measurement | Skip]:
    """Shares among all texts, empty ones included."""
    yield _rate("empty_rate", "share of texts that are empty", items.answers.empty, items)
    yield _rate("unfinished_rate", "share of texts that the model did not end itself", ~items.answers.finished, items)


def _rate(name: str, title: str, bad: Bools, items: Generated) -> Measurement | Skip:
    return measured(name, title, lambda: share(bad, clusters=items.clusters), better=Better.LOWER)


def _cases(items: Generated, ctx: Context) -> Iterator[Evidence]:
    """Random prompts, then those whose texts share least with a reference; none is shown twice."""
    drawn = sorted(range(len(items)), key=lambda row: ctx.rng("evidence", items.examples[row].id).random())
    ordinary = drawn[: ctx.random_cases]
    ranked = sorted(drawn[ctx.random_cases :], key=lambda row: (items.f1[row], items.examples[row].id))
    worst = [row for row in ranked if items.f1[row] < 1 and not items.answers.empty[row]][: ctx.worst_cases]
    for row in (*ordinary, *worst):
        yield Evidence(
            example_id=items.examples[row].id,
            chosen="random" if row in ordinary else "worst",
            shown=(Shown(texts=items.examples[row].texts, answer=items.texts[row]),),
            gold=" | ".join(items.golds[row]),
            note=_note(items, row),
        )


def _outcomes(items: Generated) -> Outcomes:
    """Those of the items, with what else is a mean over the texts that are not empty."""
    kept, members = items.outcomes(), ~items.answers.empty
    written = items.where(members)
    rouge = text_metrics.rouge_f(written.texts, written.golds)
    means = {f"rouge_{name}": rouge[:, at] for at, name in enumerate("12l")}
    means["repetition_rate"] = text_metrics.repetitive(written.texts).astype(np.float64)
    return replace(kept, values={**kept.values, **{name: _among(members, column) for name, column in means.items()}})


def _among(members: Bools, values: Floats) -> list[float | None]:
    """(n,): the numbers of the members, None for the others."""
    given = iter(values.tolist())
    return [next(given) if member else None for member in members.tolist()]


def _note(items: Generated, row: int) -> str:
    if items.answers.empty[row]:
        return "nothing was written: no score"
    return f"F1 {items.f1[row]:.2f}" + ("" if items.answers.finished[row] else "; not finished")
