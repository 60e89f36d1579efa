"""What moved between a run and its baseline: every number that both have, before and after, on the same items.

For a baseline of the model that the run's was fine-tuned from, it is a chapter of its own: what fine-tuning changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from probes.core.comparison import Comparison
from probes.core.records import Better, Estimate, Unit
from probes.core.side_by_side import ComparedNumber, Direction, Reading, Value, apart
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import capital, count, difference_unit, part_in_words, plural
from reports.tables import code, columns, estimated, number, rests_on, row, status, table, text
from reports.views import Badge, Fact, Row, Section, Table
from reports.wording import risk_title

WORSE = Badge("Worse", "fail")
BETTER = Badge("Better", "pass")
UNCLEAR = Badge("No difference shown", "none")
AWAY = Badge("Further from no preference", "fail")
TOWARDS = Badge("Closer to no preference", "pass")
_MOVED: Mapping[Direction, Badge] = {"higher": Badge("Higher", "open"), "lower": Badge("Lower", "open")}

FIRST = ("bias", "toxicity", "robustness", "performance")
"""Risks in the order in which fine-tuning is asked about; others come after them."""

_NO_PREFERENCE: Mapping[str, float] = {
    "stereotype_share": 0.5,
    "aul_stereotype_share": 0.5,
    "aula_stereotype_share": 0.5,
    "stereotype_score": 0.5,
    "likelihood_difference": 0.0,
    "valence": 0.0,
    "bias_score": 0.0,
}
"""Names of numbers without a good direction -> the value of a model without a preference."""

LEAST = 0.05
"""The largest adjusted p-value of a difference that is still said to be none of chance alone."""

_NOTE = (
    "Sorted by the size of the change in relation to its uncertainty. A number is said to have moved where the "
    "interval of its difference lies wholly on one side of zero."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One number before and after, with its paired difference.

    Attributes:
        part: of the data or the setting, in words.
        badge: whether and which way it is shown to have moved.
        held: that it also holds after the correction for many numbers, or not; "" where nothing moved.
    """

    title: str
    part: str
    unit: Unit
    before: Estimate
    after: Estimate
    change: Estimate
    badge: Badge
    held: str


def fine_tuning(loaded: Loaded, *, limits: Limits) -> Section | None:
    """The chapter on what fine-tuning changed; None where that was not asked."""
    comparison, reason = loaded.comparison, loaded.manifest.not_compared
    if comparison is None or not comparison.tuned:
        return Section(lead=f"Not compared with the model it was fine-tuned from. {reason}") if reason else None
    baseline = comparison.baseline
    facts = (
        Fact("Fine-tuned from", baseline.model_name),
        Fact("Fingerprint", baseline.model, code=True),
        Fact("Its run", baseline.run_id, code=True),
    )
    lead = f"The same tests were put to this model and to {baseline.model_name}, and compared item by item. "
    return Section(lead=lead + in_all(comparison), facts=facts, tables=tables(comparison, limits))


def in_all(comparison: Comparison) -> str:
    """How many numbers moved, and how many of them by more than chance may explain."""
    found = moved(comparison)
    if not found:
        return "No number of the two could be compared."
    counts = Counter(each.badge.word for each in found)
    ways = [f"{count(many)} {word.lower()}" for word, many in counts.items() if word != UNCLEAR.word]
    held, unclear = sum(each.held == _held(True) for each in found), counts[UNCLEAR.word]
    told = f" ({', '.join(ways)})" if ways else ""
    return (
        f"Of {plural(len(found), 'number')} compared, {count(len(found) - unclear)} moved{told}; for {count(unclear)} "
        "these items show no difference. "
        f"Corrected for all {count(len(found))} (Benjamini and Hochberg 1995: of those that remain, about {LEAST:.0%} "
        f"at most are expected to be chance), {count(held)} remain."
    )


def tables(comparison: Comparison, limits: Limits) -> tuple[Table, ...]:
    """A table for each risk, then what was not compared and why."""
    risks = dict.fromkeys([*FIRST, *(each.risk for each in comparison.numbers)])
    found = [_of_risk(risk, moved(comparison, risk), limits) for risk in risks]
    return tuple(each for each in (*found, _not_compared(comparison, limits)) if each.rows)


def moved(comparison: Comparison, risk: str | None = None) -> list[Moved]:
    """Every number that was compared, of one risk or of all; what moved most in relation to its uncertainty first."""
    found = [
        _moved(each, before.estimate, after.estimate, after)
        for each in comparison.numbers
        if risk in (None, each.risk)
        for before, after in [each.values]
        if before.estimate is not None and after.estimate is not None and after.difference is not None
    ]
    return sorted(found, key=lambda each: (each.badge == UNCLEAR, -apart(each.change)))


def _moved(each: ComparedNumber, before: Estimate, after: Estimate, value: Value) -> Moved:
    assert value.difference is not None
    return Moved(
        title=capital(each.title),
        part=part_in_words(each.part),
        unit=each.unit or Unit.SCORE,
        before=before,
        after=after,
        change=value.difference,
        badge=_badge(each, before, value),
        held="" if value.direction is None else _held((value.adjusted or 0.0) <= LEAST),
    )


def _held(still: bool) -> str:
    return "yes" if still else "no"


def _badge(each: ComparedNumber, before: Estimate, value: Value) -> Badge:
    if value.direction is None:
        return UNCLEAR
    if value.reading in (Reading.WORSE, Reading.BETTER):
        return WORSE if value.reading is Reading.WORSE else BETTER
    return _preference(each, before.value, value) or _MOVED[value.direction]


def _preference(each: ComparedNumber, before: float, value: Value) -> Badge | None:
    """Whether the number is further from the value of a model without a preference, or closer to it; None where it has
    no such value, or is on the other side of it and not shown to be further from it than before."""
    name = each.name.removeprefix(f"{each.probe}.").partition("[")[0]
    if name not in _NO_PREFERENCE or each.better is not Better.CONTEXT or value.difference is None:
        return None
    start, change = before - _NO_PREFERENCE[name], value.difference
    if start * change.value >= 0:
        return AWAY
    if min(abs(change.low), abs(change.high)) > 2 * abs(start):
        return AWAY  # crossed, and by more than twice the way
    return TOWARDS if max(abs(change.low), abs(change.high)) < 2 * abs(start) else None


def _of_risk(risk: str, found: Sequence[Moved], limits: Limits) -> Table:
    head = columns(
        "Number", "Before", "After", "Change", "Items", "Moved", "After correction",
        numbers=("Before", "After", "Change", "Items"),
    )  # fmt: skip
    return table(
        f"{risk_title(risk)}: before and after",
        head,
        [_row(each) for each in found],
        most=limits.rows,
        what="numbers",
        note=_NOTE,
        wide=True,
    )


def _row(each: Moved) -> Row:
    return row(
        text(each.title, each.part),
        estimated(each.before, each.unit),
        estimated(each.after, each.unit),
        estimated(each.change, difference_unit(each.unit)),
        rests_on(each.change),
        status(each.badge),
        text(each.held or "–"),
        kind=each.badge.kind,
    )


def _not_compared(comparison: Comparison, limits: Limits) -> Table:
    why = Counter((each.probe, reason) for each in comparison.numbers for reason in _reasons(each))
    rows = [
        row(code(probe), text(capital(reason)), number(count(many)))
        for (probe, reason), many in sorted(why.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    head = columns("Test", "Why not", "Numbers", numbers=("Numbers",))
    note = "Both runs' numbers stand side by side in `audit compare`." if rows else ""
    return table("Numbers that were not compared", head, rows, most=limits.rows, what="reasons", note=note)


def _reasons(each: ComparedNumber) -> Iterator[str]:
    before, after = each.values
    if after.difference is None:
        yield after.unpaired or after.absent or before.absent
