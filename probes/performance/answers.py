"""The probe that compares the answers found in contexts with the accepted ones."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answer_scores import normalised
from probes.core.answered import Answered, cases, exact_of, f1_of, outcomes
from probes.core.answers import Bools, Floats, ProblemType
from probes.core.examples import Example
from probes.core.groups import groups
from probes.core.labelled import no_gold
from probes.core.measuring import measured, share
from probes.core.model import Capability, Reader
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.readings import NONE, question_and_context
from probes.core.records import (
    Accounting,
    Better,
    Estimate,
    Measurement,
    Outcomes,
    Record,
    Skip,
    SkipReason,
    Unit,
)
from probes.core.stats.derived import FEW, resampled

_SENTENCE = re.compile(r"\S.*?(?:[.!?](?=\s)|$)", re.DOTALL)
_ASKED = re.compile(r"\b(how (?:many|much|long|old|far|often)|who|whom|whose|what|which|when|where|why|how)\b", re.I)


@dataclass(frozen=True)
class AnswerQuality:
    """How often does the model find the answer in the context, and does it say so where there is none?

    Measures:
        F1 (words shared with the accepted answers) and exact match, over all questions; where the data have questions
        that their context does not answer, both for answerable ones alone, the share of unanswerable ones left
        unanswered, and the share of answerable ones left unanswered; the share of answers that share no word with an
        accepted one; F1 of a trivial reader and the gain over it; F1 by kind of question (who, when, how many) and for
        each value of each group column.

    Why it matters:
        An answer cut out of a text looks convincing whether it is right or not. A model that always gives an answer is
        wrong about every question that the text does not answer, and the total over both kinds hides which of the two
        it fails at. These numbers are evidence relevant to declared accuracy metrics.

    Method:
        A context is read in overlapping windows, and the span of at most 30 tokens with the highest sum of start and
        end logits is the answer; "no answer", where the data have it, is given when its score (the lowest of all
        windows) is above that of the best span. Normalisation, exact match and F1 are those of the SQuAD evaluation:
        small letters, no ASCII punctuation, no English articles, the best of all accepted answers. The trivial reader
        gives the sentence that shares most words with the question, or never an answer, whichever scores higher on
        these data. Means have a cluster bootstrap with 2000 resamples (BCa), rates Wilson intervals; questions about
        one context, or one article where there are enough, are one cluster.

    Limits:
        Accepted answers are taken to be complete; a right answer in other words counts as wrong. Normalisation knows
        English articles only. The threshold of "no answer" is 0, not tuned on the data, so that a tuned model may do
        better. With fewer than 10 clusters no mean is given, and no number of a group or kind of question.

    References:
        Rajpurkar et al. 2016, EMNLP (SQuAD, exact match and F1, sliding window baseline). Rajpurkar, Jia and Liang
        2018, ACL (SQuAD 2, unanswerable questions). Devlin et al. 2019, NAACL (windows, score of "no answer"). Efron
        1987, JASA 82:171 (BCa). Wilson 1927, JASA 22:209.
    """

    resamples: int = 2000
    minimum: int = FEW
    """Independent contexts a group must have."""

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="performance.answers",
            version=1,
            risk="performance",
            title="Answers found in texts",
            doc=ProbeDoc.parse(type(self).__doc__),
            needs=frozenset({Capability.ANSWER}),
            problems=frozenset({ProblemType.SPAN}),
            gold=True,
        )

    def run(self, model: Reader, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements for the whole, for both kinds of questions, against a trivial reader and for groups."""
        items = Answered.ask(model, data)
        yield Accounting(
            eligible=len(items), scored=len(items), unscored=items.unlabelled, tied=int(items.answers.tied.sum())
        )
        if not len(items):
            yield no_gold()
            return
        yield self._f1(items, np.ones(len(items), dtype=bool), {}, ctx)
        yield _rate("exact_match", "share of answers that match exactly", items.exact, items)
        yield from self._both_kinds(items, ctx)
        yield _rate(
            "miss_rate", "share of answers without a word of an accepted one", items.f1 == 0, items, better=Better.LOWER
        )
        yield from self._against_trivial(items, ctx)
        yield from self._slices(items, ctx)
        yield from cases(items, ctx)
        yield outcomes(items)

    def _f1(
        self, items: Answered, members: Bools, part: dict[str, str], ctx: Context, family: str | None = None
    ) -> Measurement | Skip:
        where = "".join(f" where {name} is {value}" for name, value in part.items())
        return measured(
            "f1",
            f"mean F1 of the answers{where}",
            lambda: self._mean(items.f1[members], _of(items.clusters, members), ctx, "f1", *part.values()),
            better=Better.HIGHER,
            part=part,
            family=family,
        )

    def _mean(self, values: Floats, clusters: list[str], ctx: Context, *keys: str) -> Estimate:
        """Mean of (n,) numbers from 0 to 1."""
        alike = bool(len(values)) and values.min() == values.max() and values[0] in (0.0, 1.0)
        right = bool(alike and values[0] == 1.0)
        return resampled(
            lambda weights: weights @ values / weights.sum(axis=1),
            clusters=clusters,
            rng=ctx.generator(*keys),
            resamples=self.resamples,
            limits=(0.0, 1.0),
            unseen=(lambda other: 1.0 - other if right else other) if alike else None,
        )

    def _both_kinds(self, items: Answered, ctx: Context) -> Iterator[Measurement | Skip]:
        if not items.answers.may_abstain:
            yield Skip(
                reason=SkipReason.NO_GOLD,
                detail="The data have no question that its context does not answer.",
                enable="give data with such questions, if the model is meant to say that there is no answer",
                name="abstention",
            )
            return
        asked, none = items.answerable, ~items.answerable
        yield self._f1(items, asked, {"answerable": "yes"}, ctx)
        yield _rate(
            "exact_match", "share of answerable questions answered exactly", items.exact, items, among=asked,
            part={"answerable": "yes"},
        )  # fmt: skip
        silent = items.answers.abstained
        yield _rate("abstention", "share of unanswerable questions left unanswered", silent, items, among=none)
        yield _rate(
            "false_abstention", "share of answerable questions left unanswered", silent, items, among=asked,
            better=Better.LOWER,
        )  # fmt: skip

    def _against_trivial(self, items: Answered, ctx: Context) -> Iterator[Measurement | Skip]:
        name, answers, scores = trivial(items)
        exact = exact_of(answers, items.golds)
        yield measured(
            "trivial_f1",
            f"mean F1 of a trivial reader: {name}",
            lambda: self._mean(scores, items.clusters, ctx, "trivial_f1"),
            better=Better.CONTEXT,
        )
        yield _rate("trivial_exact_match", f"exact matches of it: {name}", exact, items, better=Better.CONTEXT)
        gain = items.f1 - scores
        yield measured(
            "f1_over_trivial",
            f"gain in mean F1 over a trivial reader: {name}",
            lambda: resampled(
                lambda weights: weights @ gain / weights.sum(axis=1),
                clusters=items.clusters,
                rng=ctx.generator("f1_over_trivial"),
                resamples=self.resamples,
                limits=(-1.0, 1.0),
            ),
            better=Better.HIGHER,
            unit=Unit.DIFFERENCE,
        )

    def _slices(self, items: Answered, ctx: Context) -> Iterator[Measurement | Skip]:
        kinds = [_kind(question_and_context(example.text)[0]) for example in items.examples]
        for kind in sorted(set(kinds)):
            members = np.array([each == kind for each in kinds], dtype=bool)
            yield self._slice(items, members, {"question": kind}, ctx, family=f"{self.info.id}.questions")
        for group, members in groups(items.examples):
            yield self._slice(items, members, {"group": group}, ctx, family=f"{self.info.id}.groups")

    def _slice(
        self, items: Answered, members: Bools, part: dict[str, str], ctx: Context, *, family: str
    ) -> Measurement | Skip:
        independent = len(set(_of(items.clusters, members)))
        if independent >= self.minimum:
            return self._f1(items, members, part, ctx, family)
        return Skip(
            reason=SkipReason.TOO_FEW,
            detail=f"{', '.join(part.values())}: {independent} independent contexts, fewer than {self.minimum}.",
            enable="add questions of this kind, about other contexts",
            name="f1",
            slice=part,
        )


def trivial(items: Answered) -> tuple[str, list[str], Floats]:
    """What a reader without a model would answer: its name, (n,) answers and (n,) their F1."""
    closest = [closest_sentence(*question_and_context(example.text)) for example in items.examples]
    scores = f1_of(closest, items.golds)
    if items.answers.may_abstain and (~items.answerable).mean() > scores.mean():
        silent = [NONE] * len(items)
        return "never an answer", silent, f1_of(silent, items.golds)
    return "the sentence that shares most words with the question", closest, scores


def closest_sentence(question: str, context: str) -> str:
    """The first of the sentences of the context that share most different words with the question."""
    asked = set(normalised(question).split())
    sentences = [found.group() for found in _SENTENCE.finditer(context)] or [context]
    return max(sentences, key=lambda sentence: len(asked & set(normalised(sentence).split())))


def _kind(question: str) -> str:
    """The first word, or two, that ask."""
    found = _ASKED.search(question)
    return " ".join(found.group().lower().split()) if found else "(other)"


def _of(clusters: Sequence[str], members: Bools) -> list[str]:
    return [cluster for cluster, kept in zip(clusters, members, strict=True) if kept]


def _rate(
    name: str,
    title: str,
    successes: Bools,
    items: Answered,
    *,
    among: Bools | None = None,
    better: Better = Better.HIGHER,
    part: dict[str, str] | None = None,
) -> Measurement | Skip:
    return measured(
        name,
        title,
        lambda: share(successes, among=among, clusters=items.clusters, of="such question"),
        better=better,
        part=part,
    )
