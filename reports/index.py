"""One page over many runs: what was audited, what came of it, and how each check went from run to run."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from probes.core.errors import AuditError, UsageError
from probes.core.findings import Finding, Level, Status, Verdict
from probes.core.manifest import Manifest
from probes.core.records import Unit
from probes.core.run_folder import RunFolder, write_atomic
from reports.decision import badge_of
from reports.limits import Limits
from reports.numbers import accepted, capital, count, plural, printed
from reports.pages import fitted, left_out, public, rendered
from reports.render import Layout, report_path
from reports.tables import code, columns, number, row, table, text
from reports.trends import Spark, spark
from reports.views import Badge, Cell, Link, Table
from reports.wording import BADGES, LEVELS

NAME = "index.html"
MOST_RUNS = 8
"""Runs that a table of trends shows, the latest ones."""

MOST_LISTED = 1000
"""Runs that are listed, the latest ones."""

LAYOUTS: tuple[Layout, ...] = ("single", "dir")
ELSEWHERE = "Their folders hold the rest."
OTHER_DATA = (
    "* Made on other items than the run before it: no line joins the two, and what differs may lie in the data."
)


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
class Course:
    """One check from run to run: its picture, and a cell for each run."""

    check: str
    title: str
    level: str
    accepted: str
    spark: Spark
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """All checks of one model under one policy; `runs` are the day and the time of each."""

    caption: str
    runs: tuple[tuple[str, str], ...]
    courses: tuple[Course, ...]
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """The page."""

    title: str
    contents: tuple[Link, ...]
    summary: str
    runs: tuple[Listed, ...]
    runs_note: str
    trends: tuple[Trend, ...]
    trends_note: str
    unread: Table | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    folder: RunFolder
    manifest: Manifest
    verdict: Verdict | None


def _take(_run: RunFolder) -> None:
    """Every run is taken as it is."""


def write_index(
    folder: Path, *, out: Path | None = None, unmask: bool = False, require: Callable[[RunFolder], None] = _take
) -> Path:
    """Write the page, as `index.html` in the folder unless told otherwise; the same runs give the same bytes.

    `require` as for `render_index`.

    Raises:
        UsageError: when there is no run below the folder.
        OutputError: when the page cannot be written.
    """
    target = out or folder / NAME
    write_atomic(target, render_index(folder, beside=target.parent, unmask=unmask, require=require))
    return target


def render_index(
    folder: Path,
    *,
    beside: Path | None = None,
    unmask: bool = False,
    require: Callable[[RunFolder], None] = _take,
) -> bytes:
    """The index as one HTML file, under 5 MB; links to reports lead from the folder `beside`, where it will stand.

    Listed offensive words and personal data of a known form are masked, unless `unmask`. A run that `require` refuses
    by an AuditError is listed with the reason and without its verdict.

    Raises:
        UsageError: when there is no run below the folder.
    """
    runs, unread = _read(run_folders(folder), require)
    if not runs and not unread:
        raise UsageError(f"no run folder in {folder}", hint="pass the folder that --out of `audit run` names")
    found = _Found(folder, beside or folder, runs, unread, str if unmask else public)
    return fitted(
        lambda limits: rendered(
            "index.html.j2",
            limits=limits,
            masked=not unmask,
            in_print=f"Index of {len(runs)} runs",
            page=_index(found, limits),
        )
    )


def run_folders(folder: Path) -> list[Path]:
    """Every folder below, or the folder itself, that holds a run or what is left of one."""
    found = []
    for place, names, files in os.walk(folder):
        if "manifest.json" in files or "findings.json" in files or _has_steps(Path(place), names):
            found.append(Path(place))
            names.clear()  # there are no runs within a run
    return sorted(found)


def _has_steps(place: Path, names: Sequence[str]) -> bool:
    return "steps" in names and any((place / "steps").glob("*.jsonl"))


@dataclass(frozen=True, slots=True)
class _Found:
    root: Path
    beside: Path
    runs: Sequence[_Run]
    unread: Sequence[tuple[Path, str]]
    said: Callable[[str], str]


def _read(paths: Sequence[Path], require: Callable[[RunFolder], None]) -> tuple[list[_Run], list[tuple[Path, str]]]:
    """The runs, the latest first, and the folders that could not be read or were refused with the reason."""
    runs, unread = [], []
    for path in paths:
        try:
            run = _run(RunFolder(path))
            require(run.folder)
            runs.append(run)
        except AuditError as error:
            unread.append((path, error.message))
        except OSError as error:
            unread.append((path, f"cannot be read: {error.strerror or error}"))
    runs.sort(key=lambda run: (run.manifest.created, run.manifest.run_id), reverse=True)
    return runs, unread


def _run(folder: RunFolder) -> _Run:
    if not folder.manifest_path.exists():
        raise UsageError("it has results of a run and no manifest", hint="run the audit again")
    manifest = folder.manifest()
    verdict = folder.verdict() if folder.findings_path.exists() else None
    if verdict is not None and verdict.run_id != manifest.run_id:
        hint = f"run `audit gate {folder.path}` to judge this run"
        raise UsageError(f"findings of another run: {verdict.run_id}", hint=hint)
    return _Run(folder=folder, manifest=manifest, verdict=verdict)


def _index(found: _Found, limits: Limits) -> Index:
    models = {run.manifest.model.fingerprint for run in found.runs}
    shown = found.runs[:MOST_LISTED]
    trends = list(_trends(found, limits))
    unread = _unread(found, limits)
    not_read = f" {plural(len(found.unread), 'folder')} could not be read." if found.unread else ""
    return Index(
        title=f"Audits in {found.root.resolve().name}",
        contents=_contents(trends=bool(trends), unread=unread is not None),
        summary=f"{plural(len(found.runs), 'run')} of {plural(len(models), 'model')}, the latest first.{not_read}",
        runs=tuple(_listed(run, found) for run in shown),
        runs_note=left_out(len(shown), len(found.runs), "runs", where=ELSEWHERE),
        trends=tuple(trends[: limits.chapters]),
        trends_note=left_out(min(len(trends), limits.chapters), len(trends), "tables", where=ELSEWHERE),
        unread=unread,
    )


def _contents(*, trends: bool, unread: bool) -> tuple[Link, ...]:
    links = (
        Link("Runs", "runs"),
        Link("Trends", "trends") if trends else None,
        Link("Not readable", "unread") if unread else None,
    )
    return tuple(link for link in links if link)


def _listed(run: _Run, found: _Found) -> Listed:
    manifest, verdict = run.manifest, run.verdict
    report = next((path for path in (report_path(run.folder, layout) for layout in LAYOUTS) if path.exists()), None)
    return Listed(
        badge=badge_of(verdict),
        link=_address(report, found.beside) if report else "",
        run_id=manifest.run_id,
        model=manifest.model.name,
        sentence=found.said(verdict.sentence) if verdict else "Nothing has been judged.",
        facts=(
            manifest.created,
            f"model {manifest.model.fingerprint[:12]}",
            f"{manifest.data.name}, {plural(manifest.data.n, 'item')}",
            f"suite {manifest.suite}",
            f"policy {verdict.policy_id}" if verdict else "no policy applied",
            *_counts(verdict),
        ),
    )


def _address(path: Path, beside: Path) -> Markup:
    """A relative address. Quoted, it has no character that HTML or an address gives a meaning (a folder may be called
    "javascript:..."), and it is an address: as markup it is not masked like words.
    """
    return Markup(quote(os.fsencode(Path(os.path.relpath(path, beside)).as_posix())))


def _counts(verdict: Verdict | None) -> Iterator[str]:
    for status, badge in BADGES.items():
        number_of = verdict.counts.get(status.value, 0) if verdict else 0
        if number_of and status is not Status.NOT_APPLICABLE:
            yield f"{count(number_of)} {badge.word.lower()}"


def _trends(found: _Found, limits: Limits) -> Iterator[Trend]:
    """For every model name and policy that were judged more than once: its checks, run by run, oldest first."""
    groups: dict[tuple[str, str], list[_Run]] = defaultdict(list)
    for run in reversed(found.runs):
        if run.verdict is not None:
            groups[run.manifest.model.name, run.verdict.policy_id.split(" ")[0]].append(run)
    for (model, policy), members in sorted(groups.items()):
        if len(members) > 1:
            yield _trend(f"{model} under the policy {policy}", members, limits, said=found.said)


def _trend(caption: str, members: Sequence[_Run], limits: Limits, *, said: Callable[[str], str]) -> Trend:
    runs = members[-MOST_RUNS:]
    data = [run.manifest.data.fingerprint for run in runs]
    found = [{finding.check: finding for finding in run.verdict.findings} if run.verdict else {} for run in runs]
    newest = {check: finding for each in found for check, finding in each.items()}
    kept = sorted((f for f in newest.values() if f.level is not Level.OFF), key=_importance)
    changed = [False, *(one != other for one, other in pairwise(data))]
    notes = (
        left_out(len(runs), len(members), "runs", where="They are the latest."),
        left_out(min(len(kept), limits.rows), len(kept), "checks", where=ELSEWHERE),
        OTHER_DATA if any(changed) else "",
    )
    return Trend(
        caption=caption,
        runs=tuple(_when(run.manifest.created, marked=new) for run, new in zip(runs, changed, strict=True)),
        courses=tuple(
            _course(each, [past.get(each.check) for past in found], data, said=said) for each in kept[: limits.rows]
        ),
        note=" ".join(note for note in notes if note),
    )


def _when(created: str, *, marked: bool) -> tuple[str, str]:
    day, _, time = created.partition("T")
    return day + ("*" if marked else ""), time


_STATUS = (Status.FAIL, Status.ERROR, Status.INCONCLUSIVE, Status.NOT_RUN, Status.WAIVED, Status.PASS)


def _importance(finding: Finding) -> tuple[int, int, str]:
    """What blocks before what warns, and of both what did not pass in the latest run that has it."""
    level = (Level.BLOCK, Level.WARN, Level.INFO, Level.OFF).index(finding.level)
    return level, _STATUS.index(finding.status) if finding.status in _STATUS else len(_STATUS), finding.check


def _course(
    newest: Finding, history: Sequence[Finding | None], data: Sequence[str], *, said: Callable[[str], str]
) -> Course:
    return Course(
        check=said(newest.check),
        title=capital(said(newest.title)),
        level=LEVELS[newest.level],
        accepted=accepted(newest.minimum, newest.maximum, newest.unit),
        spark=spark(history, data),
        cells=tuple(_cell(each) for each in history),
    )


def _cell(finding: Finding | None) -> Cell:
    if finding is None:
        return number("–", "no such check")
    if finding.estimate is None:
        return number("–", BADGES[finding.status].word)
    told = printed(finding.estimate, finding.unit or Unit.SCORE)
    return number(f"{told.value} {BADGES[finding.status].word}", told.interval)


def _here(why: str, path: Path) -> str:
    """A reason without where on this machine the folder is."""
    return why.replace(f"{path}{os.sep}", "").replace(str(path), "this folder")


def _unread(found: _Found, limits: Limits) -> Table | None:
    if not found.unread:
        return None
    rows = [
        row(code(Path(os.path.relpath(path, found.root)).as_posix()), text(_here(why, path)))
        for path, why in found.unread
    ]
    shown = rows[: limits.checks]
    note = left_out(len(shown), len(rows), "folders", where="")
    return table("Run folders that could not be read", columns("Folder", "Why"), shown, most=len(shown), note=note)
