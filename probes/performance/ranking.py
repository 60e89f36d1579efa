"""The probe that asks whether the right text is scored above the others that come with the same question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import Bools, Floats, ProblemType
from probes.core.examples import Example, content_hash
from probes.core.labelled import Labelled, no_gold
from probes.core.measuring import measured, share
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Better, Evidence, Outcomes, Record, Shown, Skip, SkipReason, Unit
from probes.core.stats.derived import resampled


@dataclass(frozen=True)
class Ranking:
    """Of the texts that come with one question, does the model score a right one highest?

    Measures:
        The share of questions whose highest score is that of a right text; the mean reciprocal rank of the first right
        one (1 where it is first, 1/2 where it is second); what guessing would give, and the gain over it; the share of
        questions whose longest text is right.

    Why it matters:
        Multiple-choice models and rankers are used to choose, and a choice depends on differences between texts of one
        question alone: scores may agree well with the right ones over all pairs and still choose wrongly, and the
        other way round. These numbers are evidence relevant to declared accuracy metrics.

    Method:
        Pairs with the same first text are one question; of its texts those with the highest gold are right. Questions
        with one text, or whose texts are all right, are left out. Where a wrong text has the same score as the best
        right one, the answer counts as wrong, so that a model which scores everything alike is never right. Each pair
        is scored alone, so that the order of the texts cannot change a score. Rates have Wilson intervals, means a
        cluster bootstrap with 2000 resamples (BCa); a question is one item.

    Limits:
        A question is judged by the texts that are in the sample: with fewer than all of them choosing is easier, and
        guessing is right more often, which the gain over guessing takes into account only in part. With fewer than 10
        questions no mean is given.

    References:
        Zellers et al. 2018, EMNLP (SWAG, choices). Voorhees 1999, TREC-8 (mean reciprocal rank). Gururangan et al.
        2018, NAACL (artefacts such as length). Wilson 1927, JASA 22:209. Efron 1987, JASA 82:171 (BCa).
    """

    resamples: int = 2000

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="performance.ranking",
            version=1,
            risk="performance",
            title="Choosing among texts",
            doc=ProbeDoc.parse(type(self).__doc__),
            problems=frozenset({ProblemType.REGRESSION}),
            gold=True,
        )

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements over questions, then cases and outcomes."""
        items = Labelled.ask(model, [example for example in data if not isinstance(example.text, str)])
        questions = _questions(items)
        used = sum(len(each.rows) for each in questions)
        tied = sum(each.tied for each in questions)
        yield Accounting(eligible=len(items), scored=used, unscored=len(items) - used, tied=tied)
        if not questions:
            yield no_gold() if not len(items) else _no_choice()
            return
        yield from self._measurements(questions, ctx)
        yield from _cases(items, questions, ctx)
        yield _outcomes(items, questions)

    def _measurements(self, questions: Sequence[Question], ctx: Context) -> Iterator[Record]:
        names = [each.name for each in questions]
        right = np.array([each.rank == 1 for each in questions])
        chance = np.array([each.right.mean() for each in questions])
        longest = np.array([each.longest_right for each in questions])
        yield measured(
            "first_right", "share of questions whose highest score is that of a right text",
            lambda: share(right, clusters=names, of="question"), better=Better.HIGHER,
        )  # fmt: skip
        yield self._mean(
            "reciprocal_rank", "mean reciprocal rank of the first right text",
            np.array([1 / each.rank for each in questions]), names, ctx, better=Better.HIGHER,
        )  # fmt: skip
        yield self._mean(
            "first_right_over_chance", "gain of that share over guessing", right - chance, names, ctx,
            better=Better.HIGHER, unit=Unit.DIFFERENCE,
        )  # fmt: skip
        yield measured(
            "longest_right", "share of questions whose longest text is right",
            lambda: share(longest, clusters=names, of="question"), better=Better.CONTEXT,
        )  # fmt: skip

    def _mean(
        self, name: str, title: str, values: Floats, clusters: list[str], ctx: Context, *,
        better: Better, unit: Unit = Unit.PROPORTION,
    ) -> Record:  # fmt: skip
        """Mean of one number a question."""
        return measured(
            name,
            title,
            lambda: resampled(
                lambda weights: weights @ values / weights.sum(axis=1),
                clusters=clusters,
                rng=ctx.generator(name),
                resamples=self.resamples,
                limits=(-1.0 if unit is Unit.DIFFERENCE else 0.0, 1.0),
            ),
            better=better,
            unit=unit,
        )


@dataclass(frozen=True, eq=False)
class Question:
    """The texts of one question.

    Attributes:
        name: hash of the question.
        rows: (m,) where they stand among all items.
        scores: (m,) as the model gives them.
        right: (m,) which have the highest gold.
        longest_right: a right text is longer than every wrong one.
        tolerance: a difference of scores below this may be numerical noise.
    """

    name: str
    rows: Sequence[int]
    scores: Floats
    right: Bools
    longest_right: bool
    tolerance: float

    @property
    def rank(self) -> int:
        """Place of the best right text; wrong ones with the same score stand before it."""
        return 1 + int((self.scores[~self.right] >= self.scores[self.right].max()).sum())

    @property
    def tied(self) -> bool:
        """Whether the choice hangs on a difference within numerical noise."""
        return bool(abs(self.scores[self.right].max() - self.scores[~self.right].max()) < self.tolerance)

    @property
    def margin(self) -> float:
        """By how much the best right text is above the best wrong one."""
        return float(self.scores[self.right].max() - self.scores[~self.right].max())


def _questions(items: Labelled) -> list[Question]:
    """Those with right and wrong texts, sorted by name."""
    asked: dict[str, list[int]] = {}
    for row, example in enumerate(items.examples):
        asked.setdefault(example.texts[0], []).append(row)
    found = (_question(items, text, rows) for text, rows in asked.items())
    return sorted((each for each in found if 0 < each.right.sum() < len(each.rows)), key=lambda each: each.name)


def _question(items: Labelled, text: str, rows: Sequence[int]) -> Question:
    scores, golds = items.values
    right = golds[rows] == golds[rows].max()
    lengths = np.array([len(items.examples[row].texts[1]) for row in rows])
    longest = lengths[right].max() > lengths[~right].max(initial=0)
    return Question(
        name=content_hash(text),
        rows=rows,
        scores=scores[rows],
        right=right,
        longest_right=bool(longest),
        tolerance=items.answers.tolerance,
    )


def _no_choice() -> Skip:
    return Skip(
        reason=SkipReason.NO_GOLD,
        detail="No question comes with several texts of which some are right and some are not.",
        enable="give one row a text, with the same first text for one question and a higher score where it is right",
    )


def _cases(items: Labelled, questions: Sequence[Question], ctx: Context) -> Iterator[Evidence]:
    """Random questions, then those that are most wrong; of each the text that is chosen."""
    drawn = sorted(questions, key=lambda each: ctx.rng("evidence", each.name).random())
    ordinary = drawn[: ctx.random_cases]
    ranked = sorted((each for each in questions if each.rank > 1), key=lambda each: (each.margin, each.name))
    worst = [each for each in ranked if each not in ordinary][: ctx.worst_cases]
    for each in (*ordinary, *worst):
        best = each.rows[int(each.scores.argmax())]
        right = each.rows[int(np.where(each.right, each.scores, -np.inf).argmax())]
        yield Evidence(
            example_id=items.examples[best].id,
            chosen="worst" if each in worst else "random",
            shown=tuple(_shown(items, row) for row in dict.fromkeys((best, right))),
            note=f"the best right text is number {each.rank} of {len(each.rows)}",
        )


def _shown(items: Labelled, row: int) -> Shown:
    return Shown(texts=items.examples[row].texts, answer=f"{items.values[0][row]:.3f}")


def _outcomes(items: Labelled, questions: Sequence[Question]) -> Outcomes:
    """One row for each question; the answer is the id of the pair that is scored highest."""
    n = len(questions)
    return Outcomes(
        example_id=[each.name for each in questions],
        cluster=[each.name for each in questions],
        variant=[""] * n,
        after=[items.examples[each.rows[int(each.scores.argmax())]].id for each in questions],
        before=[None] * n,
        gold=[items.examples[each.rows[int(each.right.argmax())]].id for each in questions],
        correct=[each.rank == 1 for each in questions],
        changed=[None] * n,
        score=[each.margin for each in questions],
        values={"reciprocal_rank": [1 / each.rank for each in questions]},
    )
