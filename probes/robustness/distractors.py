"""The probe that puts a statement about something else into the context."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answered import accepted
from probes.core.answers import Bools, ProblemType
from probes.core.counts import plural
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.measuring import measured, share
from probes.core.model import Capability, Reader
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.readings import Answers, question_and_context
from probes.core.records import Accounting, Better, Outcomes, Record
from probes.robustness.by_severity import nothing
from probes.text.answer_trials import (
    AnswerTrials,
    Changed,
    Slice,
    ask_changed,
    cases,
    flip_rate,
    outcomes,
    quality,
    ungraded,
    worst,
)
from probes.text.distractors import distractor
from probes.text.trials import random_rows

PLACES = ("end", "start")


@dataclass(frozen=True)
class Distractors:
    """Does the model take its answer from a sentence that only looks like the question?

    Measures:
        For a misleading sentence at the end of the context, and for one at its start: the share of answers that change,
        the share taken from the added sentence, mean F1 with it, and the loss of F1 on the same items.

    Why it matters:
        A model may look for the sentence with the words of the question instead of reading what it says. Then a second
        product, person or year in the same document is enough to get a confident wrong answer, and whoever writes the
        document can plant one.

    Method:
        After AddSent (Jia and Liang 2017): the question is turned into a statement by rule, with every name and number
        in it exchanged, and with a made-up answer of the type of the accepted one, and is put behind (AddSent), or
        before, the context. The sentence is about somebody or something else, so the right answer, and every letter
        of it, stays. Deviations: names are exchanged for invented ones and numbers for others of as many digits, not
        for the nearest in a vector space; nouns and adjectives are not replaced by antonyms; five types of answers
        instead of 26; no person has corrected the sentences or picked the worst of several. Each change is drawn from
        the seed and the item alone. Means have cluster-robust t intervals, shares Wilson intervals, with the cluster
        of the item.

    Limits:
        Questions without a name or number are left out, and counted: nothing in them could be exchanged that would
        keep the sentence from being an answer. Names are told by their capital letter, so questions in small letters
        offer numbers only. The sentences are often bad English, which makes them easier to pass over than those that
        people write. English only.

    References:
        Jia and Liang 2017, EMNLP (AddSent). Rajpurkar et al. 2016, EMNLP (F1). Wilson 1927, JASA 22:209.
    """

    places: tuple[str, ...] = PLACES

    def __post_init__(self) -> None:
        if not self.places or not set(self.places) <= set(PLACES):
            raise UsageError(f"robustness.distractors: places {self.places!r}", hint='places are "end" and "start"')

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="robustness.distractors",
            version=1,
            risk="robustness",
            title="Misleading sentences",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=1 + len(self.places),
            needs=frozenset({Capability.ANSWER}),
            problems=frozenset({ProblemType.SPAN}),
        )

    def run(self, model: Reader, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements for each place, then cases and outcomes."""
        sentences = [_sentence(example, ctx) for example in data]
        changes = [change for place in self.places for change in _changes(data, sentences, place)]
        trials = ask_changed(model, data, changes)
        for place in self.places:
            yield _accounting(len(data), trials.of({"place": place}), {"place": place})
        if not len(trials):
            yield nothing([])
            return
        for place in self.places:
            yield from _measured(trials.of({"place": place}), {"place": place})
        yield from ungraded(trials)
        random = random_rows(trials, count=ctx.random_cases, rng=ctx.rng("evidence"))
        yield from cases(trials, random, chosen="random", verdict=lambda row: _verdict(trials, row))
        shown = worst(trials, count=ctx.worst_cases)
        yield from cases(trials, shown, chosen="worst", verdict=lambda row: _verdict(trials, row))
        yield outcomes(trials)


def _sentence(example: Example, ctx: Context) -> str | None:
    """What is added to the context, wherever that is."""
    question, context = question_and_context(example.text)
    golds = accepted(example.gold) if example.gold is not None else ()
    return distractor(question, context, golds, ctx.rng("distractor", example.id))


def _changes(data: Sequence[Example], sentences: Sequence[str | None], place: str) -> Iterator[Changed]:
    for item, (example, sentence) in enumerate(zip(data, sentences, strict=True)):
        if sentence is None:
            continue
        question, context = question_and_context(example.text)
        changed = f"{context} {sentence}" if place == "end" else f"{sentence} {context}"
        begin = len(context) + 1 if place == "end" else 0
        yield Changed(
            item=item,
            text=(question, changed),
            part={"place": place},
            added=(begin, begin + len(sentence)),
        )


def _accounting(eligible: int, rows: AnswerTrials[Answers], part: Slice) -> Accounting:
    left, unlabelled = eligible - len(rows), int((~rows.labelled).sum())
    notes = (
        (left, f"{left} questions have no name or number that could be exchanged, or are of another form"),
        (unlabelled, f"{plural(unlabelled, 'item')} without accepted answers, for changed answers only"),
    )
    return Accounting(
        eligible=eligible,
        perturbed=len(rows),
        kept=len(rows),
        scored=len(rows),
        tied=int(rows.tied.sum()),
        note="; ".join(note for count, note in notes if count),
        slice=part,
    )


def _measured(rows: AnswerTrials[Answers], part: Slice) -> Iterator[Record]:
    yield flip_rate(rows, part)
    yield measured(
        "distracted",
        "share of answers taken from the added sentence",
        lambda: share(in_added(rows), clusters=rows.clusters),
        better=Better.LOWER,
        part=part,
    )
    yield from quality(rows, part)


def _verdict(trials: AnswerTrials[Answers], row: int) -> str:
    if in_added(trials)[row]:
        return "the answer is taken from the added sentence"
    return "the answer changes" if trials.flipped[row] else "the answer stays"


def in_added(trials: AnswerTrials[Answers]) -> Bools:
    """(rows,): does the answer touch the sentence that was put into the context."""
    begins = np.array([change.added[0] for change in trials.changes], dtype=np.int64)
    ends = np.array([change.added[1] for change in trials.changes], dtype=np.int64)
    return (trials.after.starts < ends) & (trials.after.ends > begins) & ~trials.after.abstained
