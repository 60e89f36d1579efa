"""The words that decide, for each answer, over the whole corpus."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

import numpy as np

from probes.core.attributions import Method
from probes.core.attributors import Attributor
from probes.core.counts import plural
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.measuring import measured
from probes.core.model import Capability
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Better, Evidence, Measurement, Record, Skip, SkipReason, Unit
from probes.core.sampling import stratified
from probes.core.stats.derived import UnmeasurableError
from probes.explanation.explained import Explained, accounting, gold_of, shown
from probes.explanation.method import chosen_method, method_named, no_method
from probes.explanation.top_words.ranking import Ranking, Side, sides

MOST = 20
"""A longer list could not be corrected for with the bounds on record."""


@dataclass(frozen=True)
class TopWords:
    """Which words push the model most towards each of its answers?

    Measures:
        For each answer the ten words that push most towards it over the corpus: the mean push of a word per text, and
        the share of the texts that hold it. Also how much of the list another sample of as many texts would share.

    Why it matters:
        A single explained text is an anecdote. The words that decide over many texts are what the model has learned,
        and somebody who knows the task can judge them: a place, a name or a date at the top of the list should worry.

    Method:
        Every text is explained towards the answer it got (of several answers at once, the most probable one; of a
        score, upwards and downwards). The push of a word in a text is the sum of the attributions of its occurrences,
        in logits, and 0 in a text without it. The mean is over all texts with this answer, so that a word counts by
        how hard it pushes and by how often. Capitals are ignored, all numbers are one word, all web addresses another,
        punctuation is left out; both texts of a pair count. Words in at least five independent texts are ranked; the
        ten commonest answers are reported. Intervals are a cluster bootstrap over texts with the small-sample rules of
        the texts that hold the word. The overlap is the mean share of the list that two resamples have in common, with
        the range in which 95 % of such pairs lie. At most 2000 texts are explained, drawn by a hash of the item
        with the label shares of the whole.

    Limits:
        An attribution describes what one model computes from one text. It is not causal, and not a reason that may be
        given to a person: explanation.shortcuts tests suspicious words by putting them in and taking them out. The
        words are picked on the same texts that they are measured on, so the numbers lean upwards, most of all low on
        the list where the overlap is small. A word that works only together with others is not seen for what it is,
        and word forms ("disappoint", "disappointing") are counted apart. Words beyond the model's length limit are not
        read.

    References:
        Sundararajan, Taly and Yan 2017, Axiomatic Attribution for Deep Networks, ICML (integrated gradients). Ribeiro,
        Singh and Guestrin 2016, KDD (submodular pick: from single explanations to a global view). van der Linden,
        Haned and Kanoulas 2019, Global Aggregations of Local Explanations, arXiv:1907.03039. Efron 1987, J. American
        Statistical Association 82:171 (BCa).
    """

    method: Method = Method.INTEGRATED_GRADIENTS
    """How texts are explained."""
    minimum: int = 5
    """Independent texts that must hold a word."""
    top: int = 10
    """Words on a list, 1 to MOST."""
    labels: int = 10
    """Answers that are reported: the commonest."""
    items: int = 2000
    """Texts that are explained at most."""
    resamples: int = 2000
    """Of the bootstrap."""
    info: ClassVar[ProbeInfo]

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", method_named(self.method, probe="explanation.top_words"))
        if not 1 <= self.top <= MOST or self.minimum < 2 or min(self.labels, self.items) < 1 or self.resamples < 100:
            raise UsageError(
                "explanation.top_words: parameters",
                hint=f"top is a number from 1 to {MOST}, minimum from 2, labels and items from 1, resamples from 100",
            )

    def run(self, model: Attributor, data: Sequence[Example], ctx: Context) -> Iterator[Record]:
        """Explain the items, then rank the words of each answer."""
        method = chosen_method(model.card, self.method)
        if method is None:
            yield from no_method(model.card, self.method, total=len(data))
            return
        items = Explained.ask(model, stratified(data, limit=self.items, seed=ctx.seed), method=method)
        found = sides(items, most=self.labels)
        left_out = max(0, len(set(items.targets)) - self.labels)
        note = f"{plural(left_out, 'answer')} given more rarely and not reported" if left_out else ""
        yield accounting(items, asked=self.method, total=len(data), note=note)
        if not len(items):
            yield Skip(reason=SkipReason.TOO_FEW, detail="There is no item to explain.")
            return
        rankings: list[tuple[Side, Ranking]] = []
        for side in found:
            ranking = self._ranking(items, side, ctx)
            if isinstance(ranking, Skip):
                yield ranking
                continue
            rankings.append((side, ranking))
            yield from _measured(side, ranking)
        yield from _cases(items, rankings, ctx)

    def _ranking(self, items: Explained, side: Side, ctx: Context) -> Ranking | Skip:
        rng = ctx.generator("words", side.label)
        try:
            return Ranking.of(items, side, minimum=self.minimum, top=self.top, rng=rng, resamples=self.resamples)
        except UnmeasurableError as error:
            detail = f"words towards {side.label}: {error.detail}"
            return Skip(reason=error.reason, detail=detail, name="push", slice={"label": side.label})


TopWords.info = ProbeInfo(
    id="explanation.top_words",
    version=1,
    risk="explanation",
    title="Words that decide",
    doc=ProbeDoc.parse(TopWords.__doc__),
    calls=73,
    needs=frozenset({Capability.CLASSIFY, Capability.ATTRIBUTE}),
)


def _measured(side: Side, ranking: Ranking) -> Iterator[Measurement | Skip]:
    for column in ranking.listed:
        part = {"label": side.label, "word": ranking.vocabulary.words[column]}
        yield measured(
            "push",
            f"mean push towards {side.label} per text, in logits",
            partial(ranking.push, column),
            better=Better.CONTEXT,
            unit=Unit.SCORE,
            part=part,
            family=f"explanation.top_words.{side.label}",
        )
        yield measured(
            "share_of_items",
            f"share of the texts explained towards {side.label} that hold the word",
            partial(ranking.share, column),
            better=Better.CONTEXT,
            part=part,
        )
    yield measured(
        "list_overlap",
        f"share of the list towards {side.label} that another sample of texts would share",
        ranking.overlap,
        better=Better.HIGHER,
        part={"label": side.label},
        family="explanation.top_words.overlap",
    )


def _cases(items: Explained, rankings: Sequence[tuple[Side, Ranking]], ctx: Context) -> Iterator[Evidence]:
    """Random items, then for each answer the one that its first word pushes most."""
    drawn = sorted(range(len(items)), key=lambda row: ctx.rng("evidence", items.examples[row].id).random())
    ordinary = drawn[: ctx.random_cases]
    yield from (_case(items, row, chosen="random", note="", part={}) for row in ordinary)
    pushed: dict[int, tuple[Side, Ranking]] = {}
    for side, ranking in rankings:
        row = int(side.rows[np.argmax(side.sign * ranking.vocabulary.pushes[:, ranking.listed[0]])])
        if row not in ordinary:
            pushed.setdefault(row, (side, ranking))
    for row, (side, ranking) in list(pushed.items())[: ctx.worst_cases]:
        first = ranking.vocabulary.words[ranking.listed[0]]
        note = f"'{first}' pushes towards {side.label} here more than in any other text"
        yield _case(items, row, chosen="worst", note=note, part={"label": side.label, "word": first})


def _case(
    items: Explained, row: int, *, chosen: Literal["random", "worst"], note: str, part: dict[str, str]
) -> Evidence:
    answer = items.answers[np.array([row])]
    return Evidence(
        example_id=items.examples[row].id,
        chosen=chosen,
        shown=(shown(items.attributions[row], answer=answer.names()[0], confidence=float(answer.confidence[0])),),
        gold=gold_of(items.examples[row]),
        note=note,
        slice=part,
    )
