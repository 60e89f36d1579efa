"""The HateCheck test cases (Röttger et al. 2021), from a file, a folder or the Hub, as functional cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probes.core.errors import DataError
from probes.core.functional_case import FunctionalCase, suite_digest
from probes.data.sources import open_source
from probes.data.table import Table, shown, writable

COLUMNS = ("functionality", "test_case", "label_gold", "templ_id")
TARGET = "target_ident"
GOLD = {"hateful": True, "non-hateful": False}
PUBLISHED = 3728
"""Cases of the published suite."""
FUNCTIONALITIES = 29


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedHateCheck:
    """The cases in file order, and where they come from.

    Attributes:
        name: of the file or data set.
        revision: commit of a Hub data set; empty for a local file.
        digest: SHA-256 of the cases.
        notes: what a reader must know, such as that only part of the suite is there.
    """

    cases: tuple[FunctionalCase, ...]
    name: str
    revision: str
    digest: str
    notes: tuple[str, ...]


def load_hatecheck(source: str, *, revision: str | None = None) -> LoadedHateCheck:
    """Read HateCheck as its authors publish it.

    Args:
        source: what `load_data` takes: a file, a folder, or a Hub id ("Paul/hatecheck").
        revision: branch, tag or commit of a Hub data set.

    Raises:
        UsageError: for a path that does not exist.
        DataError: for a file that is not HateCheck: a missing column, an empty cell, an unknown label.
    """
    opened = open_source(source, revision=revision)
    where, table = writable(opened.name), opened.table
    missing = [name for name in COLUMNS if name not in table.names]
    if missing:
        raise DataError(
            f"{where} is not HateCheck: it has no column {shown(missing)} (columns: {shown(table.names)})",
            hint="pass the file with the test cases as published, or the Hub id Paul/hatecheck",
        )
    rows = [_case(row, where=where, at=at) for at, row in enumerate(_rows(table), 1)]
    if not rows:
        raise DataError(f"{where} has no rows", hint="pass the file with the test cases as published")
    cases = tuple({case.id: case for case in rows}.values())
    return LoadedHateCheck(
        cases=cases,
        name=where,
        revision=opened.revision or "",
        digest=suite_digest(cases),
        notes=(*_notes(cases, name=where, repeated=len(rows) - len(cases)), *table.notes),
    )


def _rows(table: Table) -> Sequence[Mapping[str, object]]:
    names = [name for name in (*COLUMNS, TARGET) if name in table.names]
    columns = [table.values(name) for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _case(row: Mapping[str, object], *, where: str, at: int) -> FunctionalCase:
    cells = {name: _cell(value) for name, value in row.items()}
    empty = [name for name in COLUMNS if not cells[name].strip()]
    if empty:
        raise DataError(f"{where}, row {at}: no {empty[0]}", hint="pass the file with the test cases as published")
    if cells["label_gold"] not in GOLD:
        raise DataError(
            f"{where}, row {at}: label_gold is {shown([cells['label_gold']])}", hint=f"the labels are {', '.join(GOLD)}"
        )
    return FunctionalCase(
        text=writable(str(row["test_case"])),  # as published, spaces at the end included
        functionality=cells["functionality"],
        title=cells["functionality"],
        harmful=GOLD[cells["label_gold"]],
        target=cells.get(TARGET) or None,
        template=cells["templ_id"],
    )


def _cell(value: object) -> str:
    """A cell as text; numbers as they are written in the CSV file, whatever a Parquet file made of them."""
    if value is None or value != value:  # NaN
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return writable(str(value)).strip()


def _notes(cases: Sequence[FunctionalCase], *, name: str, repeated: int) -> tuple[str, ...]:
    kinds = len({case.functionality for case in cases})
    notes = [f"{name}: {len(cases):,} cases in {kinds} functionalities."]
    if len(cases) != PUBLISHED or kinds != FUNCTIONALITIES:
        notes.append(
            f"The published suite has {PUBLISHED:,} cases in {FUNCTIONALITIES}; "
            "numbers from this file are not comparable with published ones."
        )
    if repeated:
        notes.append(f"Rows that repeat another one exactly, left out: {repeated}.")
    return tuple(notes)
