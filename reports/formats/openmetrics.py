"""OpenMetrics 1.0 text, for GitLab's metrics report and whatever reads Prometheus files: one number a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    """Exit code, number of checks by status, and estimate, interval and n of each check."""
    result = outcome(loaded)
    measured = [item for item in result.findings if item.finding.estimate is not None]
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
    for name, told in _NUMBERS.items():
        lines += [*_family(f"audit_{name}", told), *_samples(name, measured[:MOST])]
    return ("\n".join([*lines, "# EOF"]) + "\n").encode()


def _family(name: str, told: str) -> list[str]:
    return [f"# TYPE {name} gauge", f"# HELP {name} {told}"]


def _samples(name: str, measured: Iterable[Ranked]) -> Iterator[str]:
    """A series must not occur twice; names that are alike once shortened are told apart by their number."""
    seen: dict[str, int] = {}
    for item in measured:
        check = line(item.finding.check, 200).translate(_ESCAPED)
        seen[check] = again = seen.get(check, 0) + 1
        told = check if again == 1 else f"{check} ({again})"
        yield f'audit_{name}{{check="{told}",status="{item.finding.status.value}"}} {numbers(item.finding)[name]}'
