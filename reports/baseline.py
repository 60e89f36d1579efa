"""Change since the baseline: the same items, asked of both models, item by item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from probes.core.comparison import SUFFIX, Comparison, StepComparison
from probes.core.findings import Finding
from probes.core.records import Measurement
from probes.core.side_by_side import Reading, apart, reading
from reports.changed import BETTER, UNCLEAR, WORSE, tables
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import count, items, part_in_words, plural, printed
from reports.tables import code, columns, number, row, status, table, text
from reports.views import Badge, Fact, Row, Section, Table

_NONE = "No earlier run was named as a baseline, so nothing is said about change."
_TUNED = " Every number of both models stands under What fine-tuning changed."
_NOTE = (
    "Run minus baseline, for the same items. “Worse” and “better” are said where the interval lies wholly on one side "
    "of zero; with many rows a few do so by chance. What the policy asks about is judged under Results."
)


def change(loaded: Loaded, *, limits: Limits) -> Section:
    """The chapter on the change since the baseline."""
    comparison = loaded.comparison
    if comparison is None:
        return Section(lead=_NONE)
    baseline = comparison.baseline
    facts = (
        Fact("Baseline run", baseline.run_id, code=True),
        Fact("Its model", baseline.model_name),
        Fact("Fingerprint of its model", baseline.model, code=True),
        Fact("Created", baseline.created),
        Fact("Digest of its bundle", baseline.bundle_digest or "it was not sealed", code=bool(baseline.bundle_digest)),
    )
    every = () if comparison.tuned else tables(comparison, limits)  # those of a base have a chapter of their own
    found = (_numbers(comparison, limits), *every, _refused(comparison, limits), _differences(comparison, limits))
    lead = _own(loaded) + _lead(comparison) + (_TUNED if comparison.tuned else "")
    return Section(lead=lead, facts=facts, tables=tuple(each for each in found if each.rows))


Place = tuple[str, str, tuple[tuple[str, str], ...]]
"""A probe, what the comparison with a baseline calls a number, and the part of the data it is about."""

_COMPARED = {
    "accuracy": "accuracy", "exact_match": "accuracy", "flip_rate": "changed", "any_flip_rate": "changed",
    "mae": "absolute_error",
}  # fmt: skip
"""Names of numbers -> what a comparison calls the same number, where it has another name for it."""


def baseline_changes(loaded: Loaded) -> Mapping[Place, Measurement]:
    """What changed since the baseline, by where it was measured; of a probe that ran twice nothing."""
    steps = loaded.comparison.steps if loaded.comparison else ()
    once = [step for step in steps if sum(other.probe == step.probe for other in steps) == 1]
    return {(step.probe, found.name, _part(found.slice)): found for step in once for found in step.measurements}


def place_of(finding: Finding) -> Place:
    """Where the change of the number that was judged would be."""
    name = _COMPARED.get(finding.measurement or "", finding.measurement)
    return finding.probe, f"{name}{SUFFIX}", _part(finding.slice)


def _part(part: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(part.items()))


def direction(found: Measurement) -> Badge:
    """Whether a difference is shown to be for the worse or the better."""
    return {Reading.WORSE: WORSE, Reading.BETTER: BETTER}.get(reading(found.estimate, found.better), UNCLEAR)


def _own(loaded: Loaded) -> str:
    """A difference to another run of one model is no change of the model."""
    same = loaded.comparison is not None and loaded.comparison.baseline.model == loaded.manifest.model.fingerprint
    return "The baseline is another run of this very model: what differs is none of the model. " if same else ""


def _lead(comparison: Comparison) -> str:
    compared = [step for step in comparison.steps if step.measurements]
    words = [direction(found) for step in compared for found in step.measurements]
    gave = "gives" if len(compared) == 1 else "give"
    return (
        f"{plural(len(compared), 'test')} of {count(len(comparison.steps))} {gave} numbers that a policy may judge "
        "against the baseline, item by item: "
        f"{plural(words.count(WORSE), 'number')} shown to be worse, {count(words.count(BETTER))} better, "
        f"{count(words.count(UNCLEAR))} without a difference that these items show."
    )


def _numbers(comparison: Comparison, limits: Limits) -> Table:
    found = [(step, each) for step in comparison.steps for each in step.measurements]
    found.sort(key=lambda pair: (_order(pair[1]), pair[0].probe, pair[1].key))
    head = columns("Test", "Number", "Change", "Interval", "Items", "Reading", numbers=("Change", "Interval", "Items"))
    return table(
        "Numbers against the baseline, worse ones first",
        head,
        [_row(step, each) for step, each in found],
        most=limits.checks,
        what="numbers",
        note=_NOTE,
        wide=True,
    )


def _order(found: Measurement) -> tuple[int, float]:
    badge = direction(found)
    return (WORSE, UNCLEAR, BETTER).index(badge), -apart(found.estimate)


def _row(step: StepComparison, found: Measurement) -> Row:
    told, badge = printed(found.estimate, found.unit), direction(found)
    return row(
        text(step.title, part_in_words(found.slice)),
        text(found.title),
        number(told.value),
        number(told.interval),
        number(items(found.estimate)),
        status(badge),
        kind=badge.kind,
    )


def _refused(comparison: Comparison, limits: Limits) -> Table:
    rows = [row(text(step.title), text(step.refused)) for step in comparison.steps if step.refused]
    return table("Not compared", columns("Test", "Why"), rows, most=limits.rows, what="tests")


def _differences(comparison: Comparison, limits: Limits) -> Table:
    rows = list(_differing(comparison))
    note = "What may explain a change besides the model." if rows else ""
    head = columns("What differs", "Baseline", "This run")
    return table("Differences between the two runs", head, rows, most=limits.rows, what="differences", note=note)


def _differing(comparison: Comparison) -> Iterator[Row]:
    for found in comparison.differences:
        yield row(text(found.what), code(found.before or "–"), code(found.after or "–"))
