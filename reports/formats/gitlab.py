"""GitLab's code quality report: what a merge request shows beside the line of the policy.

GitLab merges the reports of all jobs and shows one entry for each fingerprint, so fingerprints name the model too.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from probes.core.findings import Finding, Status
from reports.formats.outcome import Outcome, blocks, described, fingerprint, outcome, policy_file
from reports.formats.plain import line
from reports.load import Loaded
from reports.numbers import plural

MOST = 5_000
"""Findings listed; the rest is counted in the entry of the verdict."""


def code_quality(loaded: Loaded) -> bytes:
    """A list of entries: the verdict unless the gate passed, then each finding that asks something of the reader."""
    result = outcome(loaded)
    shown = result.open[:MOST]
    entries = [_entry(loaded, item.finding, title=item.title) for item in shown]
    if result.exit_code != 0 or len(shown) < len(result.open):
        entries.insert(0, _verdict(loaded, result, left_out=len(result.open) - len(shown)))
    return (json.dumps(entries, ensure_ascii=False, indent=1) + "\n").encode()


def _verdict(loaded: Loaded, result: Outcome, *, left_out: int) -> dict[str, Any]:
    more = f" {plural(left_out, 'finding')} more in findings.json." if left_out else ""
    return {
        "description": f"{result.word}: {result.sentence} Checks: {result.totals}.{more}",
        "check_name": "gate",
        "fingerprint": _fingerprint(loaded, "gate"),
        "severity": "blocker" if result.exit_code != 0 else "info",
        "location": {"path": policy_file(loaded), "lines": {"begin": 1}},
    }


def _entry(loaded: Loaded, finding: Finding, *, title: str) -> dict[str, Any]:
    return {
        "description": f"{line(title, 200)}. {described(finding)}",
        "check_name": line(finding.check, 200),
        "fingerprint": _fingerprint(loaded, fingerprint(finding)),
        "severity": _severity(finding),
        "location": {"path": policy_file(loaded), "lines": {"begin": finding.policy_line or 1}},
    }


def _fingerprint(loaded: Loaded, entry: str) -> str:
    """The same for every run of a model of this name."""
    identity = json.dumps([loaded.manifest.model.name, entry])
    return hashlib.sha256(identity.encode("utf-8", errors="surrogatepass")).hexdigest()[:32]


def _severity(finding: Finding) -> str:
    """GitLab knows info, minor, major, critical and blocker."""
    if finding.status is Status.ERROR:
        return "critical"
    if not blocks(finding):
        return "minor"
    return "blocker" if finding.status is Status.FAIL else "major"
