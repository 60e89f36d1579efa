"""What a model answers to a suite of functional cases: the same numbers for every suite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import compress

import numpy as np

from probes.core.answers import Bools, Classifications
from probes.core.functional_case import FunctionalCase
from probes.core.measuring import measured, share
from probes.core.model import Classifier
from probes.core.probe import Context
from probes.core.records import Accounting, Better, Estimate, Measurement, Outcomes, Record, Skip, SkipReason, Unit
from probes.core.stats.derived import UnmeasurableError, mean_of_rates
from probes.toxicity.functional.answered import Answered, evidence, outcomes
from probes.toxicity.functional.disparity import largest_gap


def measure(
    cases: Sequence[FunctionalCase], model: Classifier, ctx: Context, *, note: str
) -> Iterator[Record | Outcomes]:
    """Ask about every case, and publish what came of it.

    Args:
        note: what a reader must know of how the cases were chosen, for the accounting.
    """
    ordered = tuple(sorted(cases, key=lambda case: case.id))
    answers = model.classify([case.text for case in ordered])
    if not model.card.positive.labels:
        yield Accounting(eligible=len(cases), scored=0, unscored=len(cases), note=note)
        yield Skip(
            reason=SkipReason.NO_POSITIVE_CLASS,
            detail="It is not known which answer of the model means that a text is harmful.",
            enable="name it with --positive-label",
        )
        return
    items = _answered(ordered, answers, model)
    scored = len(items.cases)
    tied = int(items.answers.tied.sum())
    yield Accounting(eligible=len(cases), scored=scored, unscored=len(cases) - scored, tied=tied, note=note)
    yield from _overall(items, family=ctx.probe)
    yield from _by_functionality(items, family=f"{ctx.probe}.functionality")
    yield from _by_target(items, family=f"{ctx.probe}.target")
    yield from _disparities(items, ctx)
    yield from evidence(items, ctx)
    yield outcomes(items)


def _answered(cases: tuple[FunctionalCase, ...], answers: Classifications, model: Classifier) -> Answered:
    finite = np.asarray(np.isfinite(answers.logits).all(axis=1))
    kept, positive = answers[finite], model.card.positive
    return Answered(
        cases=tuple(compress(cases, finite)),
        answers=kept,
        flagged=positive.decided(kept),
        score=positive.score(kept),
    )


def _overall(items: Answered, *, family: str) -> Iterator[Measurement | Skip]:
    yield from _recall_and_false_positives(items, np.ones(len(items.cases), dtype=bool), part={}, family=family)
    yield measured(
        "balanced_accuracy",
        "mean of harmful cases found and harmless cases let through; any constant answer gets 50 %",
        partial(_balanced_accuracy, items),
        better=Better.HIGHER,
        family=family,
    )
    for name, title, right in (
        ("accuracy", "share of all cases answered as expected; depends on the mixture of the cases", items.right),
        ("always_harmful_accuracy", "share a model would get by calling every text harmful", items.harmful),
    ):
        estimate = partial(share, right, among=items.judged, clusters=items.clusters, of="case with a right answer")
        yield measured(name, title, estimate, better=Better.CONTEXT, family=family)


def _balanced_accuracy(items: Answered) -> Estimate:
    if not (items.harmful.any() and items.harmless.any()):
        raise UnmeasurableError(SkipReason.UNDEFINED, "There are no harmful cases, or no harmless ones.")
    return mean_of_rates(items.right, [items.harmful, items.harmless], clusters=items.clusters)


def _by_functionality(items: Answered, *, family: str) -> Iterator[Measurement | Skip]:
    names = np.array([case.functionality for case in items.cases])
    words = {case.functionality: (case.title, case.harmful) for case in items.cases}
    for name, (title, harmful) in sorted(words.items()):
        members, part = names == name, {"functionality": name}
        if harmful is None:
            flagged = partial(share, items.flagged, among=members, clusters=items.clusters)
            title = f"{title}: called harmful; what the model is for decides whether it should be"
            yield measured("flagged_rate", title, flagged, better=Better.CONTEXT, part=part, family=family)
        else:
            right = partial(share, items.right, among=members, clusters=items.clusters)
            title = f"{title}: {'found' if harmful else 'let through'}, as it should be"
            yield measured("accuracy", title, right, better=Better.HIGHER, part=part, family=family)


def _by_target(items: Answered, *, family: str) -> Iterator[Measurement | Skip]:
    targets = np.array([case.target or "" for case in items.cases])
    for target in sorted(set(targets.tolist()) - {""}):
        yield from _recall_and_false_positives(items, targets == target, part={"target": target}, family=family)


def _recall_and_false_positives(
    items: Answered, members: Bools, *, part: dict[str, str], family: str
) -> Iterator[Measurement | Skip]:
    about = f" about {part['target']}" if part else ""
    for name, title, among, better in (
        ("recall", f"harmful cases{about} that are found", items.harmful, Better.HIGHER),
        ("false_positive_rate", f"harmless cases{about} that are called harmful", items.harmless, Better.LOWER),
    ):
        estimate = partial(share, items.flagged, among=among & members, clusters=items.clusters, of=f"case{about}")
        yield measured(name, title, estimate, better=better, part=part, family=family)


def _disparities(items: Answered, ctx: Context) -> Iterator[Measurement | Skip]:
    for name, title, among in (
        ("recall_disparity", "harmful cases found: largest gap between two groups, same sentences", items.harmful),
        (
            "false_positive_disparity",
            "harmless cases called harmful: largest gap between two groups, same sentences",
            items.harmless,
        ),
    ):
        estimate = partial(largest_gap, items, among, rng=ctx.generator(name))
        yield measured(name, title, estimate, better=Better.LOWER, unit=Unit.DIFFERENCE, family=ctx.probe)
