"""One explanation against another of the same answer, as records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from probes.core.attributions import Attribution, Method
from probes.core.measuring import measured
from probes.core.records import Accounting, Better, Curve, Measurement, Point, Skip, SkipReason, Unit
from probes.core.stats.derived import UnmeasurableError
from probes.explanation.explained import Explained, Weighed
from probes.explanation.faithfulness.agreement import overlap, similarity, top
from probes.explanation.faithfulness.infidelity import max_sensitivity
from probes.explanation.faithfulness.randomisation import ALL, STAGES, Cascade
from probes.explanation.faithfulness.scored import Scored, account, mean, minus
from probes.explanation.faithfulness.stability import Edited
from probes.explanation.method import named

ALIKE = (-1.0, 1.0)
"""Limits of a rank correlation."""


def agreement_numbers(
    items: Weighed, others: Sequence[Attribution], *, second: Method
) -> Iterator[Accounting | Measurement | Skip]:
    """Does the second method say the same: `others` (n,) is what it says."""
    pairs = list(zip(items.attributions, others, strict=True))
    name = named(second)
    unsigned = Method.SALIENCY in (items.method, second)
    alike = [similarity(*pair, magnitude=unsigned) for pair in pairs]
    shared = [overlap(*pair) for pair in pairs]
    expected: list[Scored] = [top(len(each.words)) / len(each.words) for each in items.attributions]
    yield account("compared with a second method", alike)
    yield _correlation("agreement", f"rank correlation with {name}", alike, items.clusters, better=Better.HIGHER)
    yield measured(
        "overlap",
        f"share of the top words that are top words by {name}",
        partial(mean, shared, clusters=items.clusters, limits=(0.0, 1.0)),
        better=Better.HIGHER,
    )
    yield measured(
        "overlap_over_chance",
        f"share of the top words that are top words by {name}, less what chance gives",
        partial(mean, minus(shared, expected), clusters=items.clusters, limits=(-1.0, 1.0)),
        better=Better.HIGHER,
        unit=Unit.DIFFERENCE,
    )


def sensitivity_numbers(
    few: Explained, moved: Sequence[Sequence[Attribution]]
) -> Iterator[Accounting | Measurement | Skip]:
    """How far the scores move with a little noise: `moved` holds (n,) explanations for each draw."""
    values = [max_sensitivity(own, each) for own, each in zip(few.attributions, zip(*moved, strict=True), strict=True)]
    yield account("with a little noise", values)
    yield measured(
        "max_sensitivity",
        "largest relative change of the scores with a little noise on the input",
        partial(mean, values, clusters=few.clusters, limits=(0.0, np.inf)),
        better=Better.LOWER,
        unit=Unit.SCORE,
    )


def randomisation_numbers(
    few: Explained, own: Sequence[Scored], copies: Cascade, *, regression: bool
) -> Iterator[Accounting | Measurement | Skip | Curve]:
    """What the explanation owes to training; `own` is (n,) the comprehensiveness of the items in the model itself."""
    alike = copies.similarity[ALL]
    yield account("with random weights in the network", alike)
    title = "rank correlation with the explanation of a network with random weights"
    yield _correlation("randomised_similarity", title, alike, few.clusters, better=Better.LOWER)
    reach = np.inf if regression else 2.0
    yield measured(
        "comprehensiveness_over_randomised",
        "comprehensiveness: more than in a network with random weights",
        partial(mean, minus(own, copies.comprehensiveness), clusters=few.clusters, limits=(-reach, reach)),
        better=Better.HIGHER,
        unit=Unit.SCORE if regression else Unit.DIFFERENCE,
    )
    yield from _cascade_curve(few, copies)


def _cascade_curve(few: Explained, copies: Cascade) -> Iterator[Curve]:
    points = []
    for place, (share, label) in enumerate(STAGES.items()):
        try:
            alike = mean(copies.similarity[share], clusters=few.clusters, limits=ALIKE)
        except UnmeasurableError:
            continue
        points.append(Point(x=place, y=alike, label=label))
    if points:
        yield Curve(
            name="randomised_similarity",
            title="How much of the explanation is left when weights are random",
            x_title="layers with random weights, from the output down",
            y_title="rank correlation with the model's own explanation",
            unit=Unit.SCORE,
            points=tuple(points),
        )


def stability_numbers(edits: Sequence[Edited]) -> Iterator[Accounting | Measurement | Skip]:
    """Over all edits, each edited text one row of its source's cluster, and by edit."""
    yield from (edited.accounting for edited in edits)
    values = [value for edited in edits for value in edited.values]
    clusters = [key for edited in edits for key in edited.clusters]
    title = "rank correlation of the scores before and after edits that keep the meaning"
    yield _correlation("stability", title, values, clusters, better=Better.HIGHER)
    for edited in edits:
        if not edited.values:
            detail = "There is nothing in these texts that the edit changes."
            part = {"edit": edited.edit}
            yield Skip(reason=SkipReason.NOTHING_PERTURBED, detail=detail, name="stability", slice=part)
            continue
        yield _correlation(
            "stability",
            f"rank correlation of the scores before and after: {edited.edit}",
            edited.values,
            edited.clusters,
            better=Better.HIGHER,
            edit=edited.edit,
        )


def _correlation(
    name: str, title: str, values: Sequence[Scored], clusters: Sequence[str], *, better: Better, edit: str = ""
) -> Measurement | Skip:
    return measured(
        name,
        title,
        partial(mean, values, clusters=clusters, limits=ALIKE),
        better=better,
        unit=Unit.SCORE,
        part={"edit": edit} if edit else None,
    )
