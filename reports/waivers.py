"""Waivers: what was accepted though it did not pass, by whom, for how long, and which waivers are not in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from probes.core.findings import Finding, WaiverState, WaiverUse
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import plural
from reports.tables import code, columns, row, status, table, text
from reports.views import Badge, Row, Table

ANCHOR = "waivers"
"""Element id of the table."""

STATES: Mapping[WaiverState, Badge] = {
    WaiverState.USED: Badge("In force", "waived"),
    WaiverState.EXPIRED: Badge("Expired", "fail"),
    WaiverState.UNUSED: Badge("Unused", "open"),
    WaiverState.MISMATCHED: Badge("Not for this run", "fail"),
    WaiverState.EXCEEDED: Badge("Exceeded", "fail"),
    WaiverState.NOT_WAIVABLE: Badge("Not allowed", "fail"),
}


def waivers(loaded: Loaded, *, limits: Limits) -> Table | None:
    """Every waiver that was given, those not in order first; None where none was."""
    if loaded.verdict is None or not loaded.verdict.waivers:
        return None
    uses = sorted(loaded.verdict.waivers, key=lambda use: use.state is WaiverState.USED)
    head = columns("Waiver", "State", "Accepted checks", "Reason", "Owner, approver", "Until")
    known = loaded.verdict.as_of or "a day not recorded", loaded.verdict.waivers_digest or "not recorded"
    note = f"Judged as of {known[0]}. Digest of the file (SHA-256): {known[1]}."
    made = table("Waivers", head, [_row(use) for use in uses], most=limits.rows, what="waivers", note=note, wide=True)
    return replace(made, anchor=ANCHOR)


def use_of(finding: Finding, loaded: Loaded) -> WaiverUse | None:
    """The waiver under which a finding was accepted; None where it was not."""
    uses = loaded.verdict.waivers if loaded.verdict else ()
    return next((use for use in uses if finding.waiver and use.id == finding.waiver), None)


def in_short(uses: Sequence[WaiverUse]) -> str:
    """The waivers in one sentence for the first page; "" where there are none."""
    used = [use for use in uses if use.state is WaiverState.USED]
    parts = [f"{use.id} accepts {plural(len(use.findings), 'check')} until {use.expires}" for use in used[:2]]
    if len(used) > 2:
        parts.append(f"{len(used) - 2} more are in force")
    bad = [use for use in uses if use.state is not WaiverState.USED]
    if bad:
        parts.append(f"{plural(len(bad), 'waiver')} not in order ({', '.join(use.id for use in bad[:3])})")
    return f"Waivers: {'; '.join(parts)}." if parts else ""


def _row(use: WaiverUse) -> Row:
    badge = STATES[use.state]
    accepted = "" if use.max_observed is None else f"worst number accepted: {use.max_observed:g}"
    return row(
        text(use.id, f"for {use.scope}"),
        status(badge),
        replace(code("; ".join(use.findings or use.checks)), sub=accepted),
        text(use.reason, use.note),
        text(use.owner, f"approved by {use.approver}"),
        text(use.expires, f"from {use.created}"),
        kind=badge.kind,
    )
