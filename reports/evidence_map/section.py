"""The section "Evidence map" of the report: clauses beside what this run holds for them, blanks included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from reports.evidence_map.dates import NOT_YET, ahead, day_of, listed, staleness, status_on
from reports.evidence_map.found import Found, found_in
from reports.evidence_map.instrument import (
    Clause,
    EvidenceRow,
    Header,
    Instrument,
    LegalStatus,
    Relation,
    Section,
    instrument,
    instrument_ids,
    never,
)
from reports.evidence_map.views import ClauseRow, EvidenceItem, EvidenceMap, InstrumentMap
from reports.limits import Limits, limited
from reports.load import Loaded
from reports.numbers import count, plural
from reports.tables import columns, number, row, status, table, text
from reports.views import Badge, Fact, Link, Row, Table

SCOPE = (
    "Each row names evidence relevant to a clause, if that clause applies at all. Whether it does (role, risk class, "
    "territory, dates) is decided by the reader's counsel, not by this tool. No row is a verdict on a clause, and this "
    "is not legal advice."
)
_NAME = 40
"""Letters of a name that there is no map of."""
MEMORY = "Clause number from memory: check against the bought text."
UNREVIEWED = Badge("Not reviewed by counsel", "open")

RELATIONS: Mapping[Relation, tuple[str, str]] = {
    Relation.DIRECT: ("direct", "A direct measurement of something that the clause asks to be tested."),
    Relation.PARTIAL: ("partial", "A partial input to a wider duty."),
    Relation.RECORD: ("record", "Support for a duty to keep records or to report in a certain form."),
    Relation.ENABLER: ("enabler", "Help for something that people do; they have to act on it."),
    Relation.NOT_SUPPLIED: ("not supplied", "This tool does not supply it. The row stays, so that the gap is seen."),
}

SECTIONS: Mapping[Section, str] = {
    "baseline": "Change since the baseline",
    "card": "Audit card",
    "integrity": "Integrity",
    "limitations": "Limitations",
    "not-run": "Not run",
    "policy": "Policy as applied",
    "quality": "Measurement quality",
    "register": "Findings register",
    "reproduce": "Reproducibility",
    "results": "Results",
    "review": "Review and sign-off",
    "words": "Words and names used",
}


def evidence_map(loaded: Loaded, *, limits: Limits) -> EvidenceMap:
    """The instruments that the audit card names; all there are where it names none that there is a map of."""
    asked, day = tuple(dict.fromkeys(loaded.manifest.card.instruments)), day_of(loaded)
    named = [name for name in asked if name in instrument_ids()]
    chosen = sorted((instrument(name) for name in named or instrument_ids()), key=_binding_first)
    globs = (e.check_glob for one in chosen for clause in one.clauses for e in clause.evidence if e.check_glob)
    found = found_in(loaded, globs, limits=limits)
    return EvidenceMap(
        scope=SCOPE,
        banner=_banner(chosen),
        notes=(_compared(loaded, day), *_filtered(asked, named)),
        status=_status(chosen, day, limits),
        relations=tuple(Fact(f"{code} ({word})", meaning) for code, (word, meaning) in RELATIONS.items()),
        instruments=tuple(_instrument(one, found, day, limits) for one in chosen),
        never=_never(chosen, limits),
    )


def _binding_first(one: Instrument) -> tuple[bool, str]:
    return one.instrument.status is not LegalStatus.IN_FORCE, one.instrument.title


def _banner(chosen: Sequence[Instrument]) -> str:
    """Which maps no lawyer has read; "" where there is none."""
    without = [one.instrument.title for one in chosen if one.instrument.reviewer is None]
    if not without:
        return ""
    which = "every map below" if len(without) == len(chosen) else ", ".join(without)
    return f"Not reviewed by counsel: {which}."


def _compared(loaded: Loaded, day: date | None) -> str:
    if day is None:
        return "The day of this run cannot be read, so no date was compared with it."
    judged = loaded.verdict and loaded.verdict.as_of == str(day)
    return f"Dates are compared with {day}, the day {'on which this run was judged' if judged else 'of this run'}."


def _filtered(asked: Sequence[str], named: Sequence[str]) -> Iterator[str]:
    """What the audit card did to the list."""
    if named:
        yield "Only the instruments that the audit card names are shown."
    gone = [name[:_NAME] for name in asked if name not in named]
    if gone:
        yield f"The audit card also names what this version of the tool has no map of: {', '.join(gone)}."


def _status(chosen: Sequence[Instrument], day: date | None, limits: Limits) -> Table:
    names = ("Instrument", "Legal status", "Applies from", "Last checked", "Clauses here")
    head = columns(*names, numbers=names[-1:])
    rows = [_status_row(one.instrument, len(one.clauses), day) for one in chosen]
    return table("Instruments and their legal status", head, rows, most=limits.rows, what="instruments", wide=True)


def _status_row(header: Header, clauses: int, day: date | None) -> Row:
    return row(
        text(header.title, header.version),
        status(status_on(header, day), _anchor(header)),
        text(listed(header.applies_from) or "–"),
        text(str(header.verified_on), "too long ago: see the warning" if staleness(header, day) else ""),
        number(count(clauses)),
    )


def _anchor(header: Header) -> str:
    return f"map-{header.id}"


def _instrument(one: Instrument, found: Mapping[str, Found], day: date | None, limits: Limits) -> InstrumentMap:
    header = one.instrument
    shown, note = limited(one.clauses, limits.rows, "clauses")
    return InstrumentMap(
        anchor=_anchor(header),
        title=header.title,
        id=header.id,
        badges=(status_on(header, day), *(() if header.reviewer else (UNREVIEWED,))),
        warning=staleness(header, day),
        summary=_summary(one, found),
        facts=_facts(header),
        clauses=tuple(_clause(clause, header, found, day) for clause in shown),
        note=note,
    )


def _summary(one: Instrument, found: Mapping[str, Found]) -> str:
    """How many clauses this run has numbers for; more would be a verdict."""
    globs = ([evidence.check_glob for evidence in clause.evidence if evidence.check_glob] for clause in one.clauses)
    measured = sum(1 for named in globs if any(found[glob].measured for glob in named))
    return f"{plural(len(one.clauses), 'clause')}; numbers of this run stand beside {count(measured)} of them"


def _facts(header: Header) -> tuple[Fact, ...]:
    return (
        Fact("Version", header.version),
        Fact("Applies from", listed(header.applies_from) or "no date applies"),
        Fact("Last checked", f"{header.verified_on}, in: {header.source}"),
        Fact("Read by counsel", header.reviewer or "nobody"),
        *((Fact("Note", header.note),) if header.note else ()),
    )


def _clause(clause: Clause, header: Header, found: Mapping[str, Found], day: date | None) -> ClauseRow:
    since = ahead(clause, header, day)
    return ClauseRow(
        id=clause.id,
        title=clause.title,
        badge=NOT_YET if since else None,
        since=since,
        warning=MEMORY if clause.number_from_memory else "",
        items=tuple(_item(evidence, found) for evidence in clause.evidence),
        limits=clause.limits,
        human="; ".join(clause.human_needed),
    )


def _item(evidence: EvidenceRow, found: Mapping[str, Found]) -> EvidenceItem:
    here = found.get(evidence.check_glob) or Found(text="")
    links = (Link(SECTIONS[evidence.section], evidence.section),) if evidence.section else here.links
    word, _ = RELATIONS[evidence.relation]
    return EvidenceItem(
        what=evidence.what, found=here.text, links=links, relation=f"{evidence.relation.value} ({word})"
    )


def _never(chosen: Sequence[Instrument], limits: Limits) -> Table:
    titles = {one.instrument.id: one.instrument.title for one in chosen}
    rows = []
    for gap in never():
        asked = "; ".join(f"{titles[name]} {', '.join(ids)}" for name, ids in gap.asked_by.items() if name in titles)
        rows.append(row(text(gap.what), text(gap.why), text(gap.who), text(asked or "–")))
    head = columns("Never supplied", "Why", "Who can", "Asked for in, among others")
    return table("What this tool can never evidence", head, rows, most=max(limits.rows, len(rows)), wide=True)
