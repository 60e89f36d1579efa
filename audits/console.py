"""The only place that prints: rich on a terminal, plain lines elsewhere, one object with --json."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from audits.planning.plan import Plan, Step
from probes.core.errors import AuditError
from probes.core.examples import DataCard
from probes.core.findings import ExitCode, Finding, Level, Status, Verdict
from probes.core.model import ModelCard
from probes.core.records import StepEnd, Unit
from probes.core.run_folder import RunFolder, Telemetry
from probes.text.masking import MASK, mask
from reports.numbers import plural
from reports.redacted import redacted_verdict

if TYPE_CHECKING:
    from audits.conclusion import Conclusion

STYLES: Mapping[Status, str] = {
    Status.PASS: "green",
    Status.FAIL: "bold red",
    Status.INCONCLUSIVE: "yellow",
    Status.ERROR: "bold magenta",
    Status.NOT_RUN: "cyan",
    Status.NOT_APPLICABLE: "dim",
    Status.WAIVED: "blue",
}

MEANINGS: Mapping[int, str] = {
    ExitCode.PASSED: "the gate passed",
    ExitCode.FAILED: "a blocking check failed",
    ExitCode.USAGE: "usage or configuration error",
    ExitCode.INCONCLUSIVE: "inconclusive: more items or a human decision are needed",
    ExitCode.INCOMPLETE: "the audit is incomplete: something required did not run",
    ExitCode.INTEGRITY: "integrity failure: results do not match what was recorded",
    ExitCode.INTERRUPTED: "interrupted; the same command resumes",
}


class Terminal:
    """Progress and results for people.

    Args:
        quiet: only errors.
        machine: results go to standard output as JSON, so everything else goes to standard error.
        unmask: offensive words are shown.
    """

    def __init__(self, *, quiet: bool = False, machine: bool = False, unmask: bool = False) -> None:
        self.quiet = quiet
        self._machine = machine
        self.unmask = unmask
        # A log has no width: give the table room instead of folding it at 80 columns.
        width = None if sys.stdout.isatty() else 160
        self.out = Console(stderr=machine, highlight=False, width=width, soft_wrap=width is not None)
        self.errors = Console(stderr=True, highlight=False, soft_wrap=True)
        self.live = self.out.is_terminal and not quiet
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._label = "[0] all texts as they are"
        self._within = ""
        self._said = 0.0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def line(self, message: str = "") -> None:
        """One line: no markup is interpreted, control characters are shown, offensive words masked."""
        self._print(self.shown(message))

    def path(self, path: Path, *, name: str = "") -> None:
        """Where something is; never masked, since it may have to be typed."""
        self._print((f"{name:<8}" if name else "") + printable(str(path)))

    def shown(self, text: str) -> str:
        """Text from models and data as the terminal shows it."""
        return printable(text if self.unmask else mask(text).replace(MASK, "*"))

    def _print(self, message: str) -> None:
        if not self.quiet:
            (self._bar.console if self._bar else self.out).print(Text(message))

    def notice(self, message: str) -> None:
        """Something the user should know while it happens."""
        self.line(message)

    def error(self, error: AuditError) -> None:
        """What happened, and what to do."""
        self._stop()
        self.errors.print(Text.assemble(("Error: ", "bold red"), printable(error.message)))
        self.errors.print(Text.assemble(("Hint: ", "bold"), printable(error.hint)))

    def planned(
        self, plan: Plan, *, model: ModelCard, data: DataCard, others: Sequence[DataCard], run: RunFolder
    ) -> None:
        """What is about to happen."""
        labels = f", {len(model.labels)} labels" if model.labels else ""
        self.line(f"Model  {model.name}: {model.architecture}, {model.parameters:,} parameters{labels}")
        self.data_read(data, others)
        for note in (*data.notes, *(f"{other.name}: {note}" for other in others for note in other.notes), *plan.notes):
            self.line(f"Note   {note}")
        self.line(
            f"Plan   {plural(len(plan.steps), 'probe')}, about {plan.calls:,} model calls; "
            f"{plural(len(plan.skips), 'probe')} left out"
        )
        self._print(f"Run    {printable(str(run.path))}")

    def data_read(self, data: DataCard, others: Iterable[DataCard]) -> None:
        """How many items there are, and how many rows are none and why."""
        for word, card in (("Data", data), *(("Other", other) for other in others)):
            self.line(f"{word:<6} {card.name}: {card.n:,} items, {card.labelled:,} with a right answer")
            for reason, count in card.rows_dropped.items():
                self.line(f"       {plural(count, 'row')} not used: {reason}")

    def step_started(self, step: Step, *, index: int, total: int) -> None:
        self._label = f"[{index}/{total}] {step.planned.probe}"
        self._within = ""
        self._said = time.monotonic()
        if self.live:
            self._start()

    def within(self, what: str, done: int, total: int) -> None:
        """What the probe is at: said with the texts, which may be asked about in many rounds."""
        self._within = f": {what}, {done:,} of {plural(total, 'item')}" if done else f": {what}"

    def progress(self, done: int, total: int) -> None:
        """Texts answered so far within the current step, or in this round of it."""
        if self.live and self._bar is None:
            self._start()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, total=total, description=self._label + self._within)
        elif not self.quiet and time.monotonic() - self._said > 15:
            self._said = time.monotonic()
            self.line(self._label + (self._within or f": {done:,} of {plural(total, 'text')}"))

    def step_finished(self, step: Step, *, end: StepEnd, telemetry: Telemetry | None) -> None:
        if end.status == "failed":
            self.line(f"{self._label}: failed: {end.error}")
        elif not self.live:
            cost = (
                f"{telemetry.seconds:.1f} s, {telemetry.computed:,} of {telemetry.asked:,} texts computed"
                if telemetry
                else ""
            )
            self.line(f"{self._label}: done. {cost}")

    def concluded(self, conclusion: Conclusion) -> None:
        """What came of a run: for people, and with --json as one object."""
        if conclusion.verdict is None:
            self.path(conclusion.report, name="Report")
            self.line(f"Measured, not judged. Judge with: audit gate {conclusion.run.path}")
        else:
            self.verdict(conclusion.verdict, report=conclusion.report, bundle=conclusion.bundle)
        for annotation in conclusion.annotations:  # a job's log reads them; they leave --json whole
            sys.stderr.write(f"{annotation}\n")
        if self._machine:
            self.machine(conclusion.payload)

    def verdict(self, verdict: Verdict, *, report: Path, bundle: str = "") -> None:
        """The table of checks, the verdict and where the report is."""
        self._stop()
        if self.quiet:
            return
        verdict = verdict if self.unmask else redacted_verdict(verdict)
        if any(map(needs_attention, verdict.findings)):
            self.out.print(_checks_table(verdict.findings, shown=self.shown))
        for risk, count in _passing(verdict.findings).items():
            self.line(f"  {plural(count, 'further check')} of {risk} passed")
        self.line()
        self.out.print(Text(self.shown(verdict.sentence), style="bold"))
        for use in verdict.waivers:
            self.line(f"Waiver  {use.id}: {use.state.value.replace('_', ' ')}; {use.note}")
        self.line("Counts  " + ", ".join(f"{count} {name}" for name, count in verdict.counts.items() if count))
        self.path(report, name="Report")
        if bundle:
            self.line(f"Bundle  sha256:{bundle}")
        self.line(f"Exit    {verdict.exit_code}: {MEANINGS[verdict.exit_code]}")

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A plain table of strings."""
        table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(self.shown(cell)) for cell in row))
        if not self.quiet:
            self.out.print(table)

    def machine(self, payload: Mapping[str, Any]) -> None:
        """One JSON object on standard output."""
        sys.stdout.write(json.dumps(payload, indent=1, ensure_ascii=True) + "\n")

    def _start(self) -> None:
        if self._bar is None:
            self._bar = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.completed:,.0f}/{task.total:,.0f} texts"),
                _Rate(),
                TimeElapsedColumn(),
                TimeRemainingColumn(),
                console=self.out,
                transient=True,
            )
            self._bar.start()
        if self._task is not None:
            self._bar.remove_task(self._task)
        self._task = self._bar.add_task(self._label, total=1)

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar, self._task = None, None


class _Rate(ProgressColumn):
    """Texts a second, once there is something to judge it by."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f}/s" if task.speed else "")


def printable(text: str) -> str:
    """Text from models and data with control and format characters shown, so that it cannot drive the terminal, and
    with a sign of the commands that CI systems read from a log (`::error::`, `##vso[`), wherever a line may be folded.
    """
    shown = "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text)
    return shown.replace("::", ":\\u003a").replace("##", "#\\u0023")


SHOWN = 30
"""Rows of the final table; the rest are counted below it, and all are in the report."""


def _checks_table(findings: Sequence[Finding], *, shown: Callable[[str], str]) -> Table:
    table = Table(
        title="Checks that need attention", title_justify="left", box=None, pad_edge=False, header_style="bold"
    )
    for name in ("status", "level", "check", "value", "95 % interval", "needs"):
        table.add_column(name, overflow="fold")
    attention = sorted(filter(needs_attention, findings), key=_urgency)
    for finding in attention[:SHOWN]:
        estimate = finding.estimate
        table.add_row(
            Text(finding.status.value, style=STYLES[finding.status]),
            finding.level.value,
            Text(shown(finding.check)),
            number(estimate.value, finding.unit) if estimate else "",
            f"{number(estimate.low, finding.unit)} to {number(estimate.high, finding.unit)}" if estimate else "",
            Text(shown(_needs(finding))),
        )
    if len(attention) > SHOWN:
        table.add_row("...", "", f"and {len(attention) - SHOWN} more, in the report", "", "", "")
    return table


_ORDER = (Status.ERROR, Status.FAIL, Status.NOT_RUN, Status.INCONCLUSIVE, Status.WAIVED)


def _urgency(finding: Finding) -> tuple[bool, bool, int]:
    """Crashes and blocking checks first, and of both what was shown before what could not be."""
    minor = finding.level is not Level.BLOCK and finding.status is not Status.ERROR
    silent = finding.status is Status.NOT_RUN or not finding.decisive
    return silent, minor, _ORDER.index(finding.status)


def needs_attention(finding: Finding) -> bool:
    """Neither passed nor irrelevant. A crash always is, also where no check asks for its numbers."""
    if finding.status is Status.ERROR:
        return True
    return finding.level not in (Level.OFF, Level.INFO) and finding.status not in (Status.PASS, Status.NOT_APPLICABLE)


def _passing(findings: Sequence[Finding]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in findings:
        if finding.status is Status.PASS:
            counts[finding.risk] = counts.get(finding.risk, 0) + 1
    return counts


def _needs(finding: Finding) -> str:
    if finding.status is Status.NOT_RUN:
        return finding.enable or finding.message
    if finding.estimate is not None and finding.bound is None and finding.needed_n:
        return f"at least {plural(finding.needed_n, 'independent item')}"
    if finding.maximum is not None:
        return f"at most {number(finding.maximum, finding.unit)}"
    if finding.minimum is not None:
        return f"at least {number(finding.minimum, finding.unit)}"
    return finding.enable


def number(value: float, unit: Unit | None) -> str:
    """As percent, percentage points or a plain number."""
    if unit is Unit.PROPORTION:
        return f"{100 * value:.1f} %"
    if unit is Unit.DIFFERENCE:
        return f"{100 * value:+.1f} pp"
    return f"{value:.3g}"
