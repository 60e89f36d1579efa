"""The policy as applied: every threshold with its reason, origin and approver, whether it was frozen before the run,
and the exceptions that were granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from probes.core.findings import Finding
from reports.approvals import Approvals, approvals
from reports.attempts import judged_at
from reports.limits import Limits, limited
from reports.load import Loaded
from reports.numbers import accepted, capital
from reports.ranking import Ranked
from reports.register import bound
from reports.tables import code, columns, number, row, status, table_of, text
from reports.views import Fact, Listing, Policy, Row, Table
from reports.waivers import waivers
from reports.wording import BADGES, LEVELS

_OTHER = (
    "The findings were made with another policy than the one frozen before the run. Ask when and why it was changed: "
    "a threshold chosen after the numbers are known is weaker evidence."
)
_NO_REASON = "none recorded"


def policy(loaded: Loaded, findings: Sequence[Ranked], *, limits: Limits) -> Policy:
    """The policy chapter."""
    manifest, verdict = loaded.manifest, loaded.verdict
    changed = verdict is not None and verdict.policy_digest != manifest.policy_digest
    known = approvals(loaded.judged_by or ("" if changed else manifest.policy))
    return Policy(
        facts=(*_facts(loaded), *known.facts),
        warning=_OTHER if changed else "",
        checks=_checks([item.finding for item in findings], known, limits),
        waivers=waivers(loaded, limits=limits),
        texts=tuple(_texts(loaded, limits)),
    )


def _facts(loaded: Loaded) -> Iterator[Fact]:
    manifest, verdict = loaded.manifest, loaded.verdict
    if verdict is not None:
        yield Fact("Policy that judged the run", verdict.policy_id)
        yield Fact("Its digest (SHA-256)", verdict.policy_digest, code=True)
    yield Fact("Digest of the policy frozen before the first step (SHA-256)", manifest.policy_digest, code=True)
    yield Fact("Frozen, with the manifest of the run", manifest.created)
    judged = judged_at(loaded)
    if verdict is not None:
        yield Fact("Judged", judged or "the time was not recorded: no ledger of attempts was kept")
        if verdict.as_of:
            yield Fact("Waivers judged as of", verdict.as_of)
        yield Fact("Verdict in full", verdict.sentence)


def _texts(loaded: Loaded, limits: Limits) -> Iterator[Listing]:
    frozen = loaded.manifest.policy
    yield _listing("Full text of the policy as frozen", frozen, limits)
    if loaded.judged_by and loaded.judged_by != frozen:
        yield _listing("Full text of the policy that judged the run", loaded.judged_by, limits)


def _listing(title: str, text_of: str, limits: Limits) -> Listing:
    lines, note = limited(text_of.split("\n"), limits.lines, "lines")
    return Listing(title=title, lines=tuple(lines), note=note)


def _checks(findings: Sequence[Finding], known: Approvals, limits: Limits) -> Table | None:
    applied = sorted((f for f in findings if f.minimum is not None or f.maximum is not None), key=lambda f: f.check)
    if not applied:
        return None
    names = ("Check", "Accepted", "Deciding bound", "Status", "Why this threshold, from where and approved by whom")
    head = columns(*names, numbers=("Accepted", "Deciding bound"))
    return table_of(
        applied,
        lambda finding: _row(finding, known.of(finding)),
        "Thresholds as applied",
        head,
        most=limits.checks,
        what="thresholds",
        wide=True,
    )


def _row(finding: Finding, approved: str) -> Row:
    burden = finding.burden.value.replace("_", " ") if finding.burden else ""
    alpha = f"error rate {finding.alpha:g}" if finding.alpha is not None else ""
    badge = BADGES[finding.status]
    return row(
        code(finding.check),
        number(accepted(finding.minimum, finding.maximum, finding.unit), burden),
        number(bound(finding), alpha),
        replace(status(badge), sub=LEVELS[finding.level]),
        text(finding.rationale or _NO_REASON, _origin(finding, approved)),
        kind=badge.kind,
    )


def _origin(finding: Finding, approved: str) -> str:
    """Source, line and approver in one line."""
    parts = (
        f"Source: {finding.source}" if finding.source else "",
        "" if finding.policy_line is None else f"line {finding.policy_line} of the policy",
        f"approved by {approved}" if approved else "approval not recorded",
    )
    return capital("; ".join(part for part in parts if part))
