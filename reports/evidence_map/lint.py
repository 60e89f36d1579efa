"""What is wrong with a map: run over the files that ship, and over those of anybody who changes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from probes.core.errors import UsageError
from probes.core.patterns import matches
from probes.core.yaml_file import parse_yaml
from reports.evidence_map.dates import is_stale, staleness
from reports.evidence_map.instrument import FOLDER, NEVER_FILE, Clause, Instrument, Never
from reports.vocabulary import banned_words


@dataclass(frozen=True, slots=True)
class Complaint:
    """One defect: the file, where in it, and what is wrong."""

    file: str
    where: str
    problem: str


def shipped() -> Mapping[str, str]:
    """File name -> text of every map that comes with the tool, and of the list of what no run supplies."""
    return {path.name: path.read_text(encoding="utf-8") for path in (*sorted(FOLDER.glob("*.yaml")), NEVER_FILE)}


def lint(files: Mapping[str, str], *, probes: Collection[str], day: date | None = None) -> tuple[Complaint, ...]:
    """Every defect of these files, by name and text.

    Args:
        probes: ids of the probes there are.
        day: for the age of the maps; None: it is not looked at.
    """
    found: list[Complaint] = []
    read: dict[str, Instrument] = {}
    gaps = Never(never=())
    for name, content in files.items():
        try:
            if name == NEVER_FILE.name:
                gaps = parse_yaml(content, Never, name=name)
            else:
                read[name] = parse_yaml(content, Instrument, name=name)
        except UsageError as error:
            found.append(Complaint(name, "", error.message))
    for name, one in read.items():
        found += _instrument(name, one, probes, day)
    found += _same_ids(read)
    found += _gaps(gaps, read, complete=len(read) == len(files) - 1)
    return tuple(found)


def _instrument(name: str, one: Instrument, probes: Collection[str], day: date | None) -> Iterator[Complaint]:
    header = one.instrument
    if header.id != Path(name).stem:
        yield Complaint(name, header.id, "the id is not the name of the file")
    if day is not None and is_stale(header, day):
        yield Complaint(name, header.id, staleness(header, day))
    for twice in _repeated(clause.id for clause in one.clauses):
        yield Complaint(name, twice, "the clause stands there twice")
    for clause in one.clauses:
        for problem in _clause(clause, header.applies_from, probes):
            yield Complaint(name, clause.id, problem)
    for word in _banned(one.model_dump(mode="json")):
        yield Complaint(name, header.id, f"{word!r} is the word of a verdict")


def _clause(clause: Clause, dates: Collection[str], probes: Collection[str]) -> Iterator[str]:
    for evidence in clause.evidence:
        glob = evidence.check_glob
        if glob and not any(matches(glob, probe) for probe in probes):
            yield f"no probe is called {glob!r}"
    for what in _repeated(f"{e.check_glob or e.section or e.what} {e.relation}" for e in clause.evidence):
        yield f"the evidence stands there twice: {what}"
    if not clause.evidence:
        yield "it names no evidence; what is never supplied is a row with relation N"
    for missing in (name for name in clause.applies if name not in dates):
        yield f"applies_from has no {missing!r}"


def _same_ids(read: Mapping[str, Instrument]) -> Iterator[Complaint]:
    for name in _repeated(one.instrument.id for one in read.values()):
        files = ", ".join(file for file, one in read.items() if one.instrument.id == name)
        yield Complaint(files, name, "two files describe one instrument")


def _gaps(gaps: Never, read: Mapping[str, Instrument], *, complete: bool) -> Iterator[Complaint]:
    clauses = {one.instrument.id: {clause.id for clause in one.clauses} for one in read.values()}
    for gap in gaps.never:
        for name, asked in gap.asked_by.items():
            for clause in asked:
                if complete and clause not in clauses.get(name, ()):
                    yield Complaint(NEVER_FILE.name, gap.what, f"{name} has no clause {clause!r}")
    for word in _banned(gaps.model_dump(mode="json")):
        yield Complaint(NEVER_FILE.name, "", f"{word!r} is the word of a verdict")
    for what in _repeated(gap.what for gap in gaps.never):
        yield Complaint(NEVER_FILE.name, what, "it stands there twice")


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _banned(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from banned_words(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from banned_words(str(key))
            yield from _banned(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _banned(inner)
