"""SARIF 2.1.0 (OASIS standard), for code scanning: a rule for each check, a result for each open or waived finding.

A model has no lines of code, so a result points at the line of the policy that asked for it.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from probes.core.findings import ExitCode, Finding, Status
from reports.formats.outcome import (
    Outcome,
    blocks,
    described,
    fingerprint,
    numbers,
    outcome,
    policy_file,
    verdict_name,
    waiver_of,
)
from reports.formats.plain import line
from reports.load import Loaded
from reports.ranking import Ranked

MOST_RESULTS = 5_000
"""What GitHub shows of one run; the rest is counted in a notification."""
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_NAME = 200
_JUDGED = frozenset({ExitCode.PASSED, ExitCode.FAILED, ExitCode.INCONCLUSIVE})


def sarif(loaded: Loaded) -> bytes:
    """The run as a SARIF log with one run."""
    result = outcome(loaded)
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(loaded, result)]}
    return (json.dumps(log, ensure_ascii=False, indent=1) + "\n").encode()


def _run(loaded: Loaded, result: Outcome) -> dict[str, Any]:
    shown = result.attention
    kept = shown[:MOST_RESULTS]
    rules = {_rule_id(item.finding): item for item in reversed(kept)}
    order = {rule: index for index, rule in enumerate(sorted(rules))}
    manifest = loaded.manifest
    tool, _, version = manifest.environment.tool.rpartition(" ")
    return {
        "tool": {
            "driver": {
                "name": line(tool or "responsible-audit", _NAME),
                "version": line(version, _NAME),
                "rules": [_rule(loaded, rule, rules[rule]) for rule in sorted(rules)],
            }
        },
        "automationDetails": {"id": f"responsible-audit/{quote(line(manifest.model.name, _NAME))}/"},
        "invocations": [_invocation(result, left_out=len(shown) - len(kept))],
        "columnKind": "unicodeCodePoints",
        "results": [_result(loaded, item.finding, order) for item in kept],
        "properties": {
            "verdict": result.word,
            "counts": dict(result.counts),
            "run": line(manifest.run_id, _NAME),
            "model": line(manifest.model.fingerprint, _NAME),
            "policyDigest": loaded.verdict.policy_digest if loaded.verdict else manifest.policy_digest,
        },
    }


def _invocation(result: Outcome, *, left_out: int) -> dict[str, Any]:
    notes = []
    if result.exit_code != ExitCode.PASSED:
        notes.append({"level": "note", "message": {"text": f"{result.word}: {result.sentence}"}})
    if left_out:
        told = f"{left_out:,} more findings are in findings.json; a log holds {MOST_RESULTS:,} at most."
        notes.append({"level": "warning", "message": {"text": told}})
    invocation: dict[str, Any] = {
        "executionSuccessful": result.exit_code in _JUDGED,
        "exitCodeDescription": verdict_name(result.exit_code),
        "toolExecutionNotifications": notes,
    }
    return invocation if result.exit_code is None else {**invocation, "exitCode": result.exit_code}


def _rule_id(finding: Finding) -> str:
    """The check without the part of the data: "bias.groups.gap"."""
    return line(finding.check.partition("[")[0], _NAME)


def _rule(loaded: Loaded, rule: str, item: Ranked) -> dict[str, Any]:
    doc = loaded.manifest.methodology.get(item.finding.probe)
    told = f"{line(doc.question)} {line(doc.measures)}" if doc else line(item.measurement_title)
    return {
        "id": rule,
        "shortDescription": {"text": line(item.title.removesuffix(f" ({item.part})"), _NAME)},
        "fullDescription": {"text": told},
        "help": {"text": f"{line(doc.why)} Limits: {line(doc.limits)}" if doc else told},
        "properties": {"tags": [line(item.finding.risk, _NAME)]},
    }


def _result(loaded: Loaded, finding: Finding, order: dict[str, int]) -> dict[str, Any]:
    rule = _rule_id(finding)
    place = {
        "artifactLocation": {"uri": quote(policy_file(loaded))},
        "region": {"startLine": finding.policy_line or 1},
    }
    told = {
        "ruleId": rule,
        "ruleIndex": order[rule],
        "level": "error" if blocks(finding) or finding.status is Status.ERROR else "warning",
        "message": {"text": described(finding)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"auditCheck/v1": fingerprint(finding)},
        "properties": {
            "status": finding.status.value,
            "check": line(finding.check, _NAME),
            "title": line(finding.title, _NAME),
            **numbers(finding),
        },
    }
    # All results of a run have this property or none has (section 3.27.23): an empty list is "not suppressed".
    return {**told, "suppressions": [_suppression(loaded, finding)] if finding.status is Status.WAIVED else []}


def _suppression(loaded: Loaded, finding: Finding) -> dict[str, str]:
    waiver = waiver_of(loaded, finding)
    told = "accepted in writing"
    if waiver:
        told = f"{waiver.id}: {waiver.reason} Owner {waiver.owner}, approved by {waiver.approver}, "
        told += f"until {waiver.expires}."
    return {"kind": "external", "status": "accepted", "justification": line(told)}
