"""The numbers of each candidate as records, and those of the whole probe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from probes.core.measuring import measured
from probes.core.records import Better, Measurement, Skip, SkipReason, Unit
from probes.explanation.shortcuts.findings import Finding, largest_flip_rate

FAMILY = "explanation.shortcuts"


def of_word(finding: Finding) -> Iterator[Measurement | Skip]:
    """What attribution says, what the right answers say, and what insertion and deletion do."""
    candidate = finding.candidate
    part = {"word": candidate.word, "label": candidate.label}
    status = "confirmed" if finding.confirmed else "not confirmed"
    aside = f" (towards {candidate.label}; {finding.justified.value}; {status})"
    gold, among = ("gold", "") if finding.held.graded else ("answers", ", by the model's own answers")
    context, difference = Better.CONTEXT, Unit.DIFFERENCE
    for name, title, make, better, unit in (
        ("attribution", "mean push of an occurrence, in logits", finding.attribution, context, Unit.SCORE),
        ("share_of_items", "share of texts that hold it", finding.share, context, Unit.PROPORTION),
        (
            f"association_with_{gold}",
            f"share of {candidate.label} among texts that hold it, minus that among the others{among}",
            finding.association,
            context,
            difference,
        ),
        (
            "insertion_effect",
            "change of the probability when it is put in, beyond control words",
            finding.effect,
            Better.LOWER,
            difference,
        ),
        (
            "insertion_flip_rate",
            "share of answers that turn when it is put in, beyond control words",
            finding.flips,
            Better.LOWER,
            difference,
        ),
        (
            "deletion_effect",
            "loss of probability when it is taken out, beyond control words",
            finding.loss,
            context,
            difference,
        ),
        (
            "deletion_flip_rate",
            "share of answers that turn when it is taken out, beyond control words",
            finding.lost,
            context,
            difference,
        ),
    ):
        yield measured(name, title + aside, make, better=better, unit=unit, part=part, family=f"{FAMILY}.{name}")


def of_all(findings: Sequence[Finding], *, rng: np.random.Generator, resamples: int) -> Iterator[Measurement | Skip]:
    """The largest flip rate, of all candidates and of those that the right answers do not justify."""
    title = "largest share of answers that one word turns when it is put in, beyond control words"
    make = partial(largest_flip_rate, findings, rng=rng, resamples=resamples)
    yield measured(
        "largest_insertion_flip_rate",
        title,
        partial(make, suspicious=False),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        family=f"{FAMILY}.largest",
    )
    if not findings[0].held.graded:
        yield _no_gold()
        return
    untold = sum(not finding.justified.decided for finding in findings)
    left_out = f", and {untold} of which they cannot tell are left out" if untold else ""
    yield measured(
        "largest_unjustified_flip_rate",
        f"{title}; words that the right labels justify count 0{left_out}",
        partial(make, suspicious=True),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        family=f"{FAMILY}.unjustified",
    )


def none_found(*, known: bool) -> Iterator[Skip]:
    """Where no word was suspicious enough, or there were too few items, to be tested."""
    names = ("largest_insertion_flip_rate", *(("largest_unjustified_flip_rate",) if known else ()))
    for name in names:
        yield Skip(
            reason=SkipReason.TOO_FEW,
            detail="No word stood in enough texts and pushed an answer harder than most words do, so none was tested.",
            enable="add items",
            name=name,
        )
    if not known:
        yield _no_gold()


def _no_gold() -> Skip:
    return Skip(
        reason=SkipReason.NO_GOLD,
        detail="Without enough right answers nobody can say whether a word is justified.",
        enable="name the label column with --label-column",
        name="largest_unjustified_flip_rate",
    )
