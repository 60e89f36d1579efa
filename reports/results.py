"""Results at a glance: every check in a table, and each risk's estimates drawn against their thresholds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from probes.core.findings import Finding, Status
from probes.core.records import Measurement, Unit
from reports.baseline import Place, baseline_changes, place_of
from reports.charts import LABEL_LENGTH, IntervalPlot, Plotted, interval_plot
from reports.detectable import POWER_SHOWN, effect_in_words, smallest_effects
from reports.limits import Limits, limited
from reports.load import Loaded
from reports.measurements import severity_matrix
from reports.numbers import accepted, capital, plural, printed
from reports.ranking import Ranked, by_risk
from reports.severity import margin
from reports.tables import columns, estimated, number, rests_on, row, status, table_of, text
from reports.views import Cell, RiskResults, Row, Table
from reports.wording import BADGES, LEVELS, outcome, risk_title

UNIT_NAMES = {Unit.PROPORTION: "shares", Unit.DIFFERENCE: "differences in percentage points", Unit.SCORE: "scores"}


@dataclass(frozen=True, slots=True)
class _Beside:
    """What is told beside the checks of all risks: changes since the baseline, and what the data could show."""

    changes: Mapping[Place, Measurement]
    effects: Mapping[str, float]


def results(loaded: Loaded, findings: Sequence[Ranked], *, limits: Limits) -> tuple[RiskResults, ...]:
    """One block for each risk with checks or with severity curves."""
    judged = by_risk(_made_first(findings))
    risks = dict.fromkeys([*(step.risk for step in loaded.manifest.steps), *judged])
    beside = _Beside(baseline_changes(loaded), smallest_effects(loaded.findings))
    blocks = (_risk(risk, judged.get(risk, []), loaded, limits, beside) for risk in risks)
    return tuple(block for block in blocks if block.checks.rows or block.matrices)


def _made_first(findings: Sequence[Ranked]) -> list[Ranked]:
    """What was measured before what was not, otherwise as it was: a run of a few probes must not hide its numbers."""
    return sorted(findings, key=lambda item: item.finding.estimate is None)


def _risk(risk: str, found: Sequence[Ranked], loaded: Loaded, limits: Limits, beside: _Beside) -> RiskResults:
    title = risk_title(risk)
    matrix = severity_matrix(_measured(loaded, risk), caption=f"{title}: how often the answer changed", limits=limits)
    return RiskResults(
        risk=risk,
        anchor=f"results-{slug(risk)}",
        title=title,
        summary=summary([item.finding for item in found]),
        plots=plots(found, key=f"plot-{slug(risk)}", title=title, limits=limits),
        checks=_checks(found, title, loaded, limits, beside),
        matrices=(matrix,) if matrix else (),
    )


def summary(findings: Sequence[Finding]) -> str:
    """Counts by status as words: "3 checks: 1 fail, 2 pass"."""
    if not findings:
        return "No check was judged."
    counts = Counter(finding.status for finding in findings)
    told = ", ".join(f"{counts[state]:,} {BADGES[state].word.lower()}" for state in Status if counts[state])
    return f"{plural(len(findings), 'check')}: {told}."


def _checks(found: Sequence[Ranked], title: str, loaded: Loaded, limits: Limits, beside: _Beside) -> Table:
    changes, effects = beside.changes, beside.effects
    numbers = ("Estimate and interval", "Accepted", *(["Change since baseline"] if changes else []), "Items")
    head = columns("Check", "Status", *numbers, numbers=numbers)
    note = _CHANGE_NOTE if changes else ""
    note = f"{_EFFECT_NOTE} {note}".strip() if any(item.finding.check in effects for item in found) else note
    return table_of(
        found,
        lambda item: _check_row(item, loaded, changes, effects),
        f"{title}: all checks",
        head,
        most=limits.checks,
        what="checks",
        note=note,
        wide=True,
    )


_EFFECT_NOTE = (
    "“Shows”, below the items: the smallest violation of the threshold that so much data would show with a chance of "
    f"{POWER_SHOWN}; a smaller one may be there and not be seen; “none”, too few "
    "items to show any."
)
_CHANGE_NOTE = (
    "Change since baseline: this run less the baseline, for the same items; a dash where this very number was not "
    "compared."
)


def _check_row(item: Ranked, loaded: Loaded, changes: Mapping[Place, Measurement], effects: Mapping[str, float]) -> Row:
    finding = item.finding
    doc = loaded.manifest.methodology.get(finding.probe)
    badge = outcome(finding)
    return row(
        text(item.title, doc.question if doc and finding.estimate else _unmade(finding)),
        replace(status(badge, item.anchor), sub=LEVELS[finding.level]),
        estimated(finding.estimate, finding.unit),
        number(_accepted(finding), margin(finding)),
        *([_change(changes.get(place_of(finding)))] if changes else []),
        _items(finding, effects.get(finding.check)),
        kind=badge.kind,
    )


def _change(found: Measurement | None) -> Cell:
    return number("–") if found is None else estimated(found.estimate, found.unit)


def _items(finding: Finding, effect: float | None) -> Cell:
    """How many items, over the clusters where these are fewer, and what so many could show."""
    cell = rests_on(finding.estimate)
    shows = "" if effect is None else f"shows {effect_in_words(effect, finding)}"
    return replace(cell, sub="; ".join(part for part in (cell.sub, shows) if part))


def _unmade(finding: Finding) -> str:
    """The check under its own name, and why it has no number."""
    return f"{finding.check}: {finding.message}"


def _accepted(finding: Finding) -> str:
    if finding.estimate is None and finding.minimum is None and finding.maximum is None:
        return "–"
    return accepted(finding.minimum, finding.maximum, finding.unit)


def plots(findings: Sequence[Ranked], *, key: str, title: str, limits: Limits) -> tuple[IntervalPlot, ...]:
    """The estimates of these findings against their thresholds.

    One plot for each number that several probes measure, and one for all others of the same unit.
    """
    groups: dict[tuple[Unit, str], list[Ranked]] = {}
    shared = _shared(findings)
    for item in findings:
        if item.finding.estimate is not None:
            name = item.finding.measurement or ""
            group = (item.finding.unit or Unit.SCORE, name if name in shared else "")
            groups.setdefault(group, []).append(item)
    return tuple(
        _plot(found, unit, name, f"{key}-{unit}-{slug(name)}", title, limits) for (unit, name), found in groups.items()
    )


def _shared(findings: Sequence[Ranked]) -> set[str]:
    """Names of measurements that more than one probe makes."""
    makers: dict[str, set[str]] = {}
    for item in findings:
        makers.setdefault(item.finding.measurement or "", set()).add(item.finding.probe)
    return {name for name, probes in makers.items() if name and len(probes) > 1}


def _plot(found: Sequence[Ranked], unit: Unit, name: str, key: str, title: str, limits: Limits) -> IntervalPlot:
    shown, note = limited(found, limits.plotted, "estimates")
    what = found[0].measurement_title if name else UNIT_NAMES[unit]
    return interval_plot(
        [_plotted(item, unit, by_probe=bool(name)) for item in shown],
        key=key,
        title=f"{title}: {what} against thresholds",
        takeaway=takeaway(found, unit),
        unit=unit,
        note=note,
    )


def _plotted(item: Ranked, unit: Unit, *, by_probe: bool) -> Plotted:
    finding = item.finding
    if finding.estimate is None:
        raise ValueError(f"nothing to plot for {finding.check}")
    label = capital(item.short_title)
    if item.part and len(label) > LABEL_LENGTH:
        label = f"{capital(item.part)}: {item.measurement_title}"
    if by_probe:
        label = f"{item.probe_title}, {item.part}" if item.part else item.probe_title
    return Plotted(
        label=label,
        value=printed(finding.estimate, unit).value,
        kind=BADGES[finding.status].kind,
        estimate=finding.estimate,
        minimum=finding.minimum,
        maximum=finding.maximum,
    )


def takeaway(found: Sequence[Ranked], unit: Unit) -> str:
    """What to take from a plot: the counts, and the first row in words."""
    counts, first = summary([item.finding for item in found]), found[0].finding
    if first.estimate is None:
        return counts
    value = printed(first.estimate, unit).line
    return f"{counts} First row: {found[0].title}, {value}, {accepted(first.minimum, first.maximum, unit)} accepted."


def _measured(loaded: Loaded, risk: str) -> Mapping[str, list[Measurement]]:
    found: dict[str, list[Measurement]] = {}
    for planned, record in loaded.records():
        if planned.risk == risk and isinstance(record, Measurement):
            found.setdefault(planned.title, []).append(record)
    return found


def slug(name: str) -> str:
    """A name as part of an element id."""
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())[:60]
