"""An instrument as its file describes it: clauses, and what a run may hold that is relevant to them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import StringConstraints, model_validator

from probes.core.errors import UsageError, did_you_mean
from probes.core.records import Frozen
from probes.core.yaml_file import read_yaml

FOLDER = Path(__file__).parent / "instruments"
NEVER_FILE = Path(__file__).parent / "never.yaml"

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

Section = Literal[
    "baseline",
    "card",
    "integrity",
    "limitations",
    "not-run",
    "policy",
    "quality",
    "register",
    "reproduce",
    "results",
    "review",
    "words",
]
"""Parts of the report, besides its chapters, that may be evidence: the ids of their headings' sections."""


class Relation(StrEnum):
    """What a piece of evidence is to a clause."""

    DIRECT = "D"
    PARTIAL = "P"
    RECORD = "R"
    ENABLER = "E"
    NOT_SUPPLIED = "N"


class LegalStatus(StrEnum):
    """The standing of an instrument on the day it was last checked."""

    IN_FORCE = "in_force"
    ADOPTED = "adopted_not_yet_applicable"
    DRAFT = "draft"
    VOLUNTARY = "voluntary"
    SUPERSEDED = "superseded"


class EvidenceRow(Frozen):
    """One thing that is, or with relation N is not, evidence relevant to a clause.

    Attributes:
        check_glob: ids of probes, `*` standing for any letters; empty where a section of the report is meant.
        what: what it tells, in a few words of our own.
    """

    check_glob: str = ""
    section: Section | None = None
    relation: Relation
    what: Words

    @model_validator(mode="after")
    def _one_origin(self) -> EvidenceRow:
        origins = bool(self.check_glob) + (self.section is not None)
        if self.relation is Relation.NOT_SUPPLIED and origins:
            raise ValueError("a row with relation N names no probes and no section")
        if self.relation is not Relation.NOT_SUPPLIED and origins != 1:
            raise ValueError("a row names either probes (check_glob) or a section of the report")
        return self


class Clause(Frozen):
    """One clause, or several that ask for the same.

    Attributes:
        id: the number as it is cited.
        title: what it is about, in our own words.
        applies: those keys of `applies_from` that decide when it applies; empty: no date is known for it.
        limits: what the evidence leaves open; no clause goes without.
        human_needed: what people have to supply.
        number_from_memory: the number was not compared with the text.
    """

    id: Words
    title: Words
    applies: tuple[Words, ...] = ()
    evidence: tuple[EvidenceRow, ...]
    limits: Words
    human_needed: tuple[Words, ...]
    number_from_memory: bool = False


class Header(Frozen):
    """What an instrument is and how far the map of it can be relied on.

    Attributes:
        applies_from: what starts to apply, and when.
        verified_on: the day on which status, dates and clauses were last looked up.
        source: what they were looked up in.
        reviewer: counsel who has read the map; None where nobody has.
        note: what a reader must know about the instrument.
    """

    id: Words
    title: Words
    version: Words
    status: LegalStatus
    applies_from: Mapping[str, date] = {}
    verified_on: date
    source: Words
    reviewer: Words | None
    note: str = ""


class Instrument(Frozen):
    """A file under `instruments/`."""

    instrument: Header
    clauses: tuple[Clause, ...]


class NeverRow(Frozen):
    """Something that no run supplies.

    Attributes:
        asked_by: instrument id -> clauses that ask for it.
    """

    what: Words
    why: Words
    who: Words
    asked_by: Mapping[str, tuple[Words, ...]] = {}


class Never(Frozen):
    """The file `never.yaml`."""

    never: tuple[NeverRow, ...]


def instrument_ids() -> tuple[str, ...]:
    """The instruments there are maps of."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@cache
def instrument(name: str) -> Instrument:
    """The instrument with this id, read once."""
    return read_yaml(FOLDER / f"{name}.yaml", Instrument)


@cache
def never() -> tuple[NeverRow, ...]:
    """What no run supplies, read once."""
    return read_yaml(NEVER_FILE, Never).never


def refuse_unknown(name: str, *, where: str) -> None:
    """Check the name of an instrument that a user gave; `where` says in which file and line.

    Raises:
        UsageError: when it is none of `instrument_ids`, with the closest ones.
    """
    if name not in instrument_ids():
        raise UsageError(f"{where}: no instrument called {name!r}", hint=did_you_mean(name, instrument_ids()))
