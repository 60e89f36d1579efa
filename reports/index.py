"""One page over many runs: what was audited, what came of it, and how each check went from run to run."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from probes.core.errors import AuditError, UsageError
from probes.core.findings import Finding, Level, Status, Verdict
from probes.core.manifest import Manifest
from probes.core.records import Unit
from probes.core.run_folder import RunFolder
from reports.decision import badge_of
from reports.limits import Limits
from reports.numbers import count, plural, printed
from reports.tables import code, columns, number, row, table, text
from reports.views import Badge, Cell, Row, Table
from reports.wording import BADGES, LEVELS

NAME = "index.html"
MOST_RUNS = 8
"""Runs that a table of trends shows, the latest ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A run as the index shows it; `link` leads to its report where there is one."""

    badge: Badge
    link: str
    run_id: str
    model: str
    sentence: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The page."""

    title: str
    summary: str
    runs: tuple[Listed, ...]
    trends: tuple[Table, ...]
    unread: Table | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    folder: RunFolder
    manifest: Manifest
    verdict: Verdict | None


def index(folder: Path, *, limits: Limits) -> Index:
    """Every run below a folder, the latest first.

    Raises:
        UsageError: when there is none.
    """
    paths = sorted(folder.glob("**/manifest.json"))
    if not paths:
        raise UsageError(f"no run folder in {folder}", hint="pass the folder that --out of `audit run` names")
    runs, unread = _read(paths)
    runs.sort(key=lambda run: (run.manifest.created, run.manifest.run_id), reverse=True)
    models = {run.manifest.model.fingerprint for run in runs}
    return Index(
        title=f"Audits in {folder.resolve().name}",
        summary=f"{plural(len(runs), 'run')} of {plural(len(models), 'model')}; the latest first.",
        runs=tuple(_listed(run, folder) for run in runs),
        trends=tuple(_trends(runs, limits)),
        unread=_unread(unread, folder, limits),
    )


def _read(paths: Sequence[Path]) -> tuple[list[_Run], list[tuple[Path, str]]]:
    runs, unread = [], []
    for path in paths:
        folder = RunFolder(path.parent)
        try:
            verdict = folder.verdict() if folder.findings_path.exists() else None
            runs.append(_Run(folder=folder, manifest=folder.manifest(), verdict=verdict))
        except AuditError as error:
            unread.append((path.parent, error.message))
    return runs, unread


def _listed(run: _Run, root: Path) -> Listed:
    manifest, verdict = run.manifest, run.verdict
    report = run.folder.report_path
    return Listed(
        badge=badge_of(verdict),
        link=Path(os.path.relpath(report, root)).as_posix() if report.exists() else "",
        run_id=manifest.run_id,
        model=manifest.model.name,
        sentence=verdict.sentence if verdict else "Nothing has been judged.",
        facts=(
            manifest.created,
            f"model {manifest.model.fingerprint[:12]}",
            f"{manifest.data.name}, {plural(manifest.data.n, 'item')}",
            f"suite {manifest.suite}",
            f"policy {verdict.policy_id}" if verdict else "no policy applied",
            *_counts(verdict),
        ),
    )


def _counts(verdict: Verdict | None) -> Iterator[str]:
    for status, badge in BADGES.items():
        number_of = verdict.counts.get(status.value, 0) if verdict else 0
        if number_of and status is not Status.NOT_APPLICABLE:
            yield f"{count(number_of)} {badge.word.lower()}"


def _trends(runs: Sequence[_Run], limits: Limits) -> Iterator[Table]:
    """For every model name and policy that were judged more than once: its checks, run by run."""
    groups: dict[tuple[str, str], list[_Run]] = defaultdict(list)
    for run in reversed(runs):
        if run.verdict is not None:
            groups[run.manifest.model.name, run.verdict.policy_id.split(" ")[0]].append(run)
    for (model, policy), members in sorted(groups.items()):
        if len(members) > 1:
            yield _trend(f"{model} under the policy {policy}", members[-MOST_RUNS:], limits)


def _trend(caption: str, runs: Sequence[_Run], limits: Limits) -> Table:
    found = [{finding.check: finding for finding in run.verdict.findings} if run.verdict else {} for run in runs]
    newest = {check: finding for each in found for check, finding in each.items()}
    shown = sorted((f for f in newest.values() if f.level is not Level.OFF), key=_importance)
    names = [run.manifest.created for run in runs]
    rows = [_row(finding, [each.get(finding.check) for each in found]) for finding in shown]
    head = columns("Check", "Level", *names, numbers=names)
    return table(caption, head, rows, most=limits.rows, what="checks", wide=True)


def _importance(finding: Finding) -> tuple[int, str]:
    return (Level.BLOCK, Level.WARN, Level.INFO, Level.OFF).index(finding.level), finding.check


def _row(finding: Finding, history: Sequence[Finding | None]) -> Row:
    return row(code(finding.check), text(LEVELS[finding.level]), *(_cell(each) for each in history))


def _cell(finding: Finding | None) -> Cell:
    if finding is None:
        return number("–", "no such check")
    told = printed(finding.estimate, finding.unit or Unit.SCORE).value if finding.estimate else "–"
    return number(told, BADGES[finding.status].word)


def _unread(found: Sequence[tuple[Path, str]], root: Path, limits: Limits) -> Table | None:
    rows = [row(code(Path(os.path.relpath(path, root)).as_posix()), text(why)) for path, why in found]
    return (
        table("Run folders that could not be read", columns("Folder", "Why"), rows, most=limits.rows) if rows else None
    )
