"""OpenMetrics 1.0 text, for GitLab's metrics report and whatever reads Prometheus files: one number a line.

A status is a series of its own and no label of the numbers: those would be other series once it changes, and could not
be compared with the ones before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from probes.core.findings import Finding
from reports.formats.outcome import numbers, outcome
from reports.formats.plain import line
from reports.load import Loaded
from reports.ranking import Ranked

MOST = 5_000
"""Checks with numbers; `audit_checks_left_out` counts the rest."""
_NUMBERS = {
    "estimate": "What was measured.",
    "low": "Lower end of its interval.",
    "high": "Upper end of its interval.",
    "n": "Items it rests on.",
}
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def openmetrics(loaded: Loaded) -> bytes:
    """Exit code, number of checks by status, and status, estimate, interval and n of each check."""
    result = outcome(loaded)
    measured = [item for item in result.findings if item.finding.estimate is not None]
    named = list(_named(measured[:MOST]))
    lines: list[str] = []
    if result.exit_code is not None:
        lines += [
            *_family("audit_exit_code", "What the gate says to the shell."),
            f"audit_exit_code {result.exit_code}",
        ]
    lines += _family("audit_checks", "Checks by status.")
    lines += [f'audit_checks{{status="{status}"}} {number}' for status, number in result.counts.items()]
    lines += _family("audit_checks_left_out", "Measured checks that are not listed here.")
    lines.append(f"audit_checks_left_out {max(0, len(measured) - MOST)}")
    lines += _family("audit_status", "1 for the status of the check.")
    lines += [f'audit_status{{check="{name}",status="{finding.status.value}"}} 1' for name, finding in named]
    for key, told in _NUMBERS.items():
        lines += _family(f"audit_{key}", told)
        lines += [f'audit_{key}{{check="{name}"}} {numbers(finding)[key]}' for name, finding in named]
    return ("\n".join([*lines, "# EOF"]) + "\n").encode()


def _family(name: str, told: str) -> list[str]:
    return [f"# TYPE {name} gauge", f"# HELP {name} {told}"]


def _named(measured: Iterable[Ranked]) -> Iterator[tuple[str, Finding]]:
    """A series must not occur twice; names that are alike once shortened are told apart by their number."""
    seen: dict[str, int] = {}
    for item in measured:
        check = line(item.finding.check, 200).translate(_ESCAPED)
        seen[check] = again = seen.get(check, 0) + 1
        yield check if again == 1 else f"{check} ({again})", item.finding
