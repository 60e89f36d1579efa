"""The policy as applied: every threshold with its reason and origin, and whether it was frozen before the run."""

from __future__ import annotations

from collections.abc import Sequence

from probes.core.findings import Finding
from reports.limits import Limits, limited
from reports.load import Loaded
from reports.numbers import accepted
from reports.ranking import Ranked
from reports.register import bound
from reports.tables import code, columns, number, row, status, table, text
from reports.views import Fact, Policy, Row, Table
from reports.wording import BADGES, LEVELS

_OTHER = (
    "The findings were made with another policy than the one frozen before the run. Ask when and why it was changed: "
    "a threshold chosen after the numbers are known is weaker evidence. The text below is the frozen one."
)
_NO_REASON = "none recorded"


def policy(loaded: Loaded, findings: Sequence[Ranked], *, limits: Limits) -> Policy:
    """The policy chapter."""
    manifest, verdict = loaded.manifest, loaded.verdict
    lines, note = limited(manifest.policy.split("\n"), limits.lines, "lines")
    facts = [
        Fact("Digest of the policy frozen before the first step (SHA-256)", manifest.policy_digest, code=True),
        Fact("Run created", manifest.created),
    ]
    if verdict is not None:
        facts.insert(0, Fact("Policy that judged the run", verdict.policy_id))
        facts.append(Fact("Verdict in full", verdict.sentence))
        facts.insert(1, Fact("Its digest (SHA-256)", verdict.policy_digest, code=True))
    changed = verdict is not None and verdict.policy_digest != manifest.policy_digest
    return Policy(
        facts=tuple(facts),
        warning=_OTHER if changed else "",
        checks=_checks([item.finding for item in findings], limits),
        lines=tuple(lines),
        lines_note=note,
    )


def _checks(findings: Sequence[Finding], limits: Limits) -> Table | None:
    applied = sorted((f for f in findings if f.minimum is not None or f.maximum is not None), key=lambda f: f.check)
    if not applied:
        return None
    head = columns(
        "Check",
        "Accepted",
        "Deciding bound",
        "Status",
        "Level",
        "Why this threshold",
        numbers=("Accepted", "Deciding bound"),
    )
    return table(
        "Thresholds as applied", head, [_row(f) for f in applied], most=limits.checks, what="thresholds", wide=True
    )


def _row(finding: Finding) -> Row:
    burden = finding.burden.value.replace("_", " ") if finding.burden else ""
    alpha = f"error rate {finding.alpha:g}" if finding.alpha is not None else ""
    return row(
        code(finding.check),
        number(accepted(finding.minimum, finding.maximum, finding.unit), burden),
        number(bound(finding), alpha),
        status(BADGES[finding.status]),
        text(LEVELS[finding.level]),
        text(finding.rationale or _NO_REASON, f"Source: {finding.source}" if finding.source else ""),
        kind=BADGES[finding.status].kind,
    )
