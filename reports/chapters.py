"""One chapter for each probe: the question, how it was asked, what came out, examples, and what it does not show."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from probes.core.examples import DataCard
from probes.core.findings import Finding, Status
from probes.core.manifest import Methodology, PlannedStep
from probes.core.records import Accounting, Curve, Evidence, Measurement, Record, Skip
from probes.core.run_folder import StepResult
from reports.cases import case_groups
from reports.chapter_views import Chapter, RiskChapters
from reports.charts import BarChart, bar_chart
from reports.curves import curve_charts
from reports.groups import grouped
from reports.limits import Limits, Whole, limited
from reports.load import Loaded
from reports.measurements import measurement_tables
from reports.numbers import capital, count, part_in_words, plural, printed
from reports.ranking import Ranked
from reports.results import plots, slug, summary
from reports.tables import columns, number, row, table, text
from reports.views import Badge, Fact, Row, Table
from reports.wording import AIDS, BADGES, CAUTIONS, REASONS, risk_title
from reports.words import words_fact

Kind = TypeVar("Kind", bound=Record)

_OPEN = 3
"""Chapters of failed checks that are shown open; more would bury the rest."""

FINGERPRINT = 12
"""Hex digits of a fingerprint where the full one stands elsewhere in the report."""


def chapters(loaded: Loaded, findings: Sequence[Ranked], *, limits: Limits) -> tuple[tuple[RiskChapters, ...], str]:
    """The chapters by risk in the order of the plan, and a note on those left out."""
    planned, note = limited(loaded.manifest.steps, limits.chapters, "chapters")
    anchors = chapter_anchors(loaded)
    found: dict[str, list[Ranked]] = {}
    for item in findings:
        found.setdefault(item.finding.probe, []).append(item)
    opened = set(_failing(planned, found)[:_OPEN])
    groups: dict[str, list[Chapter]] = {}
    for step in planned:
        chapter = _chapter(
            step,
            loaded,
            found.get(step.probe, []),
            anchor=anchors[step.step_id],
            is_open=step.step_id in opened,
            limits=limits,
        )
        groups.setdefault(step.risk, []).append(chapter)
    made = (
        RiskChapters(risk=risk, anchor=f"chapters-{slug(risk)}", title=risk_title(risk), chapters=tuple(group))
        for risk, group in groups.items()
    )
    return tuple(made), note


def chapter_anchors(loaded: Loaded) -> Mapping[str, str]:
    """Step id -> element id; a probe that runs twice gets a number."""
    anchors: dict[str, str] = {}
    for step in loaded.manifest.steps:
        name = f"probe-{slug(step.probe)}"
        taken = sum(1 for other in anchors.values() if other == name or other.startswith(name + "--"))
        anchors[step.step_id] = f"{name}--{taken + 1}" if taken else name
    return anchors


def _failing(planned: Iterable[PlannedStep], found: Mapping[str, Sequence[Ranked]]) -> list[str]:
    failing = {probe for probe, items in found.items() if any(item.finding.status is Status.FAIL for item in items)}
    return [step.step_id for step in planned if step.probe in failing]


def _chapter(
    step: PlannedStep,
    loaded: Loaded,
    judged: Sequence[Ranked],
    *,
    anchor: str,
    is_open: bool,
    limits: Limits,
) -> Chapter:
    doc = loaded.manifest.methodology.get(step.probe) or _UNDOCUMENTED
    result = loaded.steps.get(step.step_id)
    records = result.records if result else ()
    accounts = _of(records, Accounting)
    findings = [item.finding for item in judged]
    curves, curves_note = curve_charts(_of(records, Curve), key=f"{anchor}-curve", limits=limits)
    groups = grouped(_of(records, Measurement), _of(records, Skip), judged, title=step.title, limits=limits)
    return Chapter(
        anchor=anchor,
        title=step.title,
        probe=f"{step.probe}, version {step.version}",
        question=Whole(doc.question),
        badges=_badges(findings, result),
        result=_result(findings, result, records),
        caution=CAUTIONS.get(step.risk, ""),
        open=is_open,
        why=_whole(doc.why),
        method=(*_method(step, doc, loaded), *words_fact(records)),
        settings=_settings(step),
        accounting=_accounting(accounts, step.title, limits),
        bars=_bars(accounts, step.title, f"{anchor}-items"),
        aids=_aids(_of(records, Measurement)),
        plots=plots(judged, key=f"{anchor}-plot", title=step.title, limits=limits),
        tables=(*groups.tables, *measurement_tables(groups.measurements, title=step.title, limits=limits)),
        curves=curves,
        curves_note=curves_note,
        cases=case_groups(_of(records, Evidence), limits=limits, alike=step.own_texts or bool(step.domains)),
        skips=_skips(groups.skips, step.title, limits),
        failure=_failure(result, limits),
        limits_title=_limits_title(findings, records),
        limits=_whole(doc.limits),
        references=Whole(doc.references),
        command=Whole(rerun(loaded.manifest.command, step.probe)),
    )


_UNDOCUMENTED = Methodology(
    question="No description was recorded for this probe.",
    measures="Not recorded.",
    why="",
    method="Not recorded.",
    limits="Not recorded: without a description nothing can be concluded from this probe.",
    references="Not recorded.",
)


def _of(records: Iterable[Record], kind: type[Kind]) -> list[Kind]:
    return [record for record in records if isinstance(record, kind)]


def _badges(findings: Sequence[Finding], result: StepResult | None) -> tuple[Badge, ...]:
    if result is None:
        return (BADGES[Status.NOT_RUN],)
    states = {finding.status for finding in findings}
    if result.end.status == "failed":
        states.add(Status.ERROR)
    return tuple(BADGES[status] for status in Status if status in states)


def _result(findings: Sequence[Finding], result: StepResult | None, records: Sequence[Record]) -> str:
    if result is None:
        return "No result: the run ended before this step."
    if result.end.status == "failed":
        return f"No result: the test broke. {result.end.error}"
    return _said(findings, records) + _left_open(records)


def _said(findings: Sequence[Finding], records: Sequence[Record]) -> str:
    if findings:
        messages = list(dict.fromkeys(finding.message for finding in findings))
        return messages[0] if len(messages) == 1 else f"{summary(findings)} {messages[0]}"
    whole = [m for m in _of(records, Measurement) if not m.slice]
    if whole:
        return (
            "Measured, not judged: "
            + "; ".join(f"{m.title} {printed(m.estimate, m.unit).line}" for m in whole[:3])
            + "."
        )
    return "Measured, not judged." if _of(records, Measurement) else "Nothing was measured; the reasons are below."


def _limits_title(findings: Sequence[Finding], records: Sequence[Record]) -> str:
    """A pass is spoken of only where something was judged."""
    if any(finding.estimate is not None for finding in findings):
        return "What a pass does not mean"
    return "What these numbers do not show" if _of(records, Measurement) else "What this test cannot show"


def _left_open(records: Sequence[Record]) -> str:
    """That not everything was measured, so that what stands above is not taken for the whole."""
    missing = len(_of(records, Skip))
    if not missing or not _of(records, Measurement):
        return ""
    return f" {plural(missing, 'other number')} could not be measured; the reasons are in the chapter."


def _method(step: PlannedStep, doc: Methodology, loaded: Loaded) -> tuple[Fact, ...]:
    data = loaded.manifest.data
    return (
        Fact("What it measures", _whole(doc.measures), prose=True),
        Fact("How", _whole(doc.method), prose=True),
        *(Fact(part, _whole(told), prose=True) for part, told in doc.parts.items()),
        Fact("Data", _data(step, data)),
    )


def _whole(told: str) -> Whole:
    return Whole(capital(told))


_OF_NAMED_TEXTS = ("digest", "training_texts")
"""Parameters of probes whose texts the user named: published benchmarks, test cases, canaries, training texts."""
_NAMED = "Texts that were named for this test, their digest among its settings"
_WITH_THE_TEST = "Texts of the test's own, which come with this version of it"


def _data(step: PlannedStep, data: DataCard) -> str:
    if step.own_texts:
        named = any(step.parameters.get(name) for name in _OF_NAMED_TEXTS)
        return f"{_NAMED if named else _WITH_THE_TEST}; none of the audit's data"
    whole = f" and {', '.join(step.domains)}" if step.domains else ""
    of = "" if step.domains else f" of {count(data.n)}"
    return f"{data.name}{whole}: {plural(step.items, 'item')}{of}; fingerprint {step.sample[:FINGERPRINT]}"


def _aids(found: Sequence[Measurement]) -> tuple[Fact, ...]:
    """How to read those numbers that need it, in the order in which they are measured."""
    return tuple(AIDS[name] for name in dict.fromkeys(measurement.name for measurement in found) if name in AIDS)


def _settings(step: PlannedStep) -> tuple[Fact, ...]:
    return tuple(Fact(name, _setting(value), code=True) for name, value in sorted(step.parameters.items()))


def _setting(value: object) -> str:
    return ", ".join(map(str, value)) or "none" if isinstance(value, list | tuple) else str(value)


def _accounting(accounts: Sequence[Accounting], title: str, limits: Limits) -> Table | None:
    if not accounts:
        return None
    names = ("Items", "Changed", "Kept", "Scored", "Unscored", "Near ties", "Errors")
    rows = [_account_row(account) for account in accounts]
    note = (
        "Items: could be used. Changed: the text could be changed. Kept: the change passed the checks on it. "
        "Near ties: scored, but within numerical noise, so counted as unchanged."
    )
    return table(
        f"{title}: what became of the items", columns("Part", *names, numbers=names), rows, most=limits.rows, note=note
    )


def _account_row(account: Accounting) -> Row:
    part = part_in_words(account.slice) or "All"
    values = (
        account.eligible,
        account.perturbed,
        account.kept,
        account.scored,
        account.unscored,
        account.tied,
        account.errors,
    )
    return row(text(part, account.note), *(number("–" if value is None else count(value)) for value in values))


def _bars(accounts: Sequence[Accounting], title: str, key: str) -> BarChart | None:
    """The way of the items through the test, where it has one account and can lose items on the way."""
    if len(accounts) != 1 or accounts[0].perturbed is None:
        return None
    account = accounts[0]
    stages = (
        ("Items", account.eligible),
        ("Changed", account.perturbed),
        ("Kept", account.kept),
        ("Scored", account.scored),
    )
    values = [(name, value) for name, value in stages if value is not None]
    told = f"{count(account.scored)} of {plural(account.eligible, 'item')} were scored."
    return bar_chart(values, key=key, title=f"{title}: items from start to score", takeaway=told)


def _skips(skips: Sequence[Skip], title: str, limits: Limits) -> Table | None:
    if not skips:
        return None
    alike: dict[tuple[str, ...], list[str]] = {}
    for skip in skips:
        alike.setdefault((REASONS[skip.reason], skip.detail, skip.enable or "–"), []).append(_skip_name(skip))
    rows = [
        row(text(", ".join(names)), text(reason, capital(detail)), text(enable))
        for (reason, detail, enable), names in alike.items()
    ]
    return table(f"{title}: not measured", columns("What", "Reason", "What would enable it"), rows, most=limits.rows)


def _skip_name(skip: Skip) -> str:
    part = part_in_words(skip.slice)
    return " ".join(piece for piece in (skip.name or "The whole probe", f"({part})" if part else "") if piece)


def _failure(result: StepResult | None, limits: Limits) -> tuple[str, ...]:
    if result is None or result.end.status != "failed":
        return ()
    lines, note = limited(result.end.traceback.split("\n"), limits.lines, "lines")
    return (*lines, note) if note else tuple(lines)


def rerun(command: Sequence[str], probe: str) -> str:
    """The command of the run, restricted to one probe, quoted for a POSIX shell."""
    kept: list[str] = []
    words = iter(command)
    for word in words:
        if word == "--only":
            next(words, None)
        elif not word.startswith("--only="):
            kept.append(word)
    return shlex.join([*kept, "--only", probe])
