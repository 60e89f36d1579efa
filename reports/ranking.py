"""Findings in the order a reviewer needs them: by what they do to the release, then by distance to the threshold."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from probes.core.findings import Finding, Level, Status
from reports.numbers import part_in_words

_STATUS = (
    Status.FAIL,
    Status.ERROR,
    Status.INCONCLUSIVE,
    Status.NOT_RUN,
    Status.WAIVED,
    Status.PASS,
    Status.NOT_APPLICABLE,
)
_LEVEL = (Level.BLOCK, Level.WARN, Level.INFO, Level.OFF)
SETTLED = frozenset({Status.PASS, Status.NOT_APPLICABLE})
"""Statuses that ask nothing of the reviewer."""
UNNUMBERED = SETTLED | {Status.NOT_RUN}
"""Statuses without an entry in the register: what was not run has its own list."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A finding with its number in the register ("" for one that is not in it) and the title of its probe."""

    number: str
    finding: Finding
    probe_title: str

    @property
    def title(self) -> str:
        """What was measured and by which probe: the titles of measurements are the same for many probes."""
        title = self.finding.title
        return title if title.startswith(self.probe_title) else f"{self.probe_title}: {title}"

    @property
    def measurement_title(self) -> str:
        """The title without the part of the data it is about."""
        return self.short_title.removesuffix(f" ({self.part})")

    @property
    def short_title(self) -> str:
        """The title where the probe is known anyway."""
        return self.finding.title.removeprefix(f"{self.probe_title}: ")

    @property
    def part(self) -> str:
        """Which part of the data or which setting: "severity 2"; "" for the whole."""
        return part_in_words(self.finding.slice)

    @property
    def anchor(self) -> str:
        """Where its register entry is."""
        return self.number.lower()


def ranked(findings: Iterable[Finding], *, titles: Mapping[str, str]) -> tuple[Ranked, ...]:
    """All findings in order, those with an entry in the register numbered F-001, F-002 and so on.

    Args:
        findings: of one verdict.
        titles: probe id -> title.
    """
    found = ordered(findings)
    numbers = iter(range(1, len(found) + 1))
    return tuple(
        Ranked(
            "" if finding.status in UNNUMBERED else f"F-{next(numbers):03d}",
            finding,
            titles.get(finding.probe, finding.title),
        )
        for finding in found
    )


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """The findings in the order of the register, which does not depend on the order they come in."""
    return sorted(findings, key=_key)


def beyond(finding: Finding) -> float:
    """How far the estimate is on the bad side of its threshold (negative: on the good side; -inf: cannot be said)."""
    if finding.estimate is None:
        return -math.inf
    value = finding.estimate.value
    over = -math.inf if finding.maximum is None else value - finding.maximum
    under = -math.inf if finding.minimum is None else finding.minimum - value
    return max(over, under)


def _key(finding: Finding) -> tuple[bool, int, int, bool, float, str]:
    settled = finding.status in SETTLED
    return (
        settled,
        _LEVEL.index(finding.level),
        _STATUS.index(finding.status),
        not finding.decisive,
        -beyond(finding),
        finding.check,
    )


def by_risk(findings: Iterable[Ranked]) -> Mapping[str, list[Ranked]]:
    """The findings of each risk, the risks in alphabetical order."""
    groups: dict[str, list[Ranked]] = {}
    for item in findings:
        groups.setdefault(item.finding.risk, []).append(item)
    return dict(sorted(groups.items()))
