"""What every format says of a run: the verdict in a word, the counts, and the findings in order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from probes.core.findings import Burden, ExitCode, Finding, Level, Status, WaiverUse
from probes.core.manifest import WRITTEN_OUT
from reports.decision import verdict_badge
from reports.formats.plain import line
from reports.load import Loaded
from reports.numbers import plural
from reports.ranking import Ranked, ranked
from reports.wording import BADGES, LEVELS

POLICY_FILE = "policy.yaml"
_UNJUDGED = "No policy has been applied to these measurements: they carry no verdict."


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The verdict of a run and its findings.

    Attributes:
        word: the verdict as the report prints it ("Blocked").
        sentence: the verdict with its reason, on one line.
        exit_code: None where nothing has been judged.
        counts: status -> number of checks, as in findings.json; without those of which there is none.
        findings: the most important first.
    """

    word: str
    sentence: str
    exit_code: int | None
    counts: Mapping[str, int]
    findings: tuple[Ranked, ...]

    @property
    def totals(self) -> str:
        """The counts in words: "Pass 12, Fail 3"."""
        told = ", ".join(f"{BADGES[Status(status)].word} {number:,}" for status, number in self.counts.items())
        return told or "no checks"

    @property
    def weak(self) -> str:
        """A sentence on the passes of alarms, which say less than the others; "" without any."""
        findings = [item.finding for item in self.findings]
        number = sum(f.status is Status.PASS and f.burden is Burden.PROVE_BAD for f in findings)
        return f"{plural(number, 'pass', 'passes')} only in that no violation was shown." if number else ""

    @property
    def open(self) -> tuple[Ranked, ...]:
        """The findings that ask something of the reader."""
        return tuple(item for item in self.findings if matters(item.finding))

    @property
    def attention(self) -> tuple[Ranked, ...]:
        """The open findings and the waived ones, whose reason must still hold."""
        return tuple(item for item in self.findings if needs_attention(item.finding))


def outcome(loaded: Loaded) -> Outcome:
    """The outcome of a run, judged or not."""
    verdict = loaded.verdict
    return Outcome(
        word=verdict_badge(loaded).word,
        sentence=line(verdict.sentence if verdict else _UNJUDGED, 1_000),
        exit_code=verdict.exit_code if verdict else None,
        counts={status: number for status, number in verdict.counts.items() if number} if verdict else {},
        findings=ranked(loaded.findings, titles=loaded.titles),
    )


def verdict_name(exit_code: int | None) -> str:
    """The verdict as programs read it: "passed", "failed", "inconclusive", "incomplete", "integrity", "not_judged"."""
    if exit_code is None:
        return "not_judged"
    try:
        return ExitCode(exit_code).name.lower()
    except ValueError:
        return f"exit_{exit_code}"


def blocks(finding: Finding) -> bool:
    """Does the gate not pass while the finding stands as it is, unless it is a pass."""
    return finding.level is Level.BLOCK and finding.decisive


def matters(finding: Finding) -> bool:
    """Does the finding ask something of the reader: it influences the verdict or warns, and is no pass.

    What was not measured matters where it blocks; otherwise it is among the checks that were not run.
    """
    if finding.status in (Status.ERROR, Status.NOT_RUN):
        return finding.status is Status.ERROR or blocks(finding)
    gating = finding.level in (Level.BLOCK, Level.WARN) and finding.decisive
    return gating and finding.status in (Status.FAIL, Status.INCONCLUSIVE)


def needs_attention(finding: Finding) -> bool:
    """Is the finding open or waived."""
    return matters(finding) or finding.status is Status.WAIVED


def described(finding: Finding, most: int = 400) -> str:
    """Status, level and message on one line: "Fail, blocking: ..."."""
    status = BADGES[finding.status].word
    if finding.underlying is not None:
        status += f" (without the waiver: {BADGES[finding.underlying].word.lower()})"
    return f"{status}, {LEVELS[finding.level].lower()}: {line(finding.message, most)}"


def numbers(finding: Finding) -> dict[str, float | int]:
    """Estimate, interval, sample size and threshold under stable names; what is missing is left out."""
    estimate = finding.estimate
    found = {
        "estimate": estimate.value if estimate else None,
        "low": estimate.low if estimate else None,
        "high": estimate.high if estimate else None,
        "confidence_level": estimate.level if estimate else None,
        "n": estimate.n if estimate else None,
        "clusters": estimate.clusters if estimate else None,
        "minimum": finding.minimum,
        "maximum": finding.maximum,
        "bound": finding.bound,
        "needed_n": finding.needed_n,
    }
    return {name: value for name, value in found.items() if value is not None}


def fingerprint(finding: Finding) -> str:
    """32 hex digits that stay the same for the same check on the same part of the data, in every run and status."""
    identity = json.dumps([finding.check, sorted(finding.slice.items())])
    return hashlib.sha256(identity.encode("utf-8", errors="surrogatepass")).hexdigest()[:32]


def waiver_of(loaded: Loaded, finding: Finding) -> WaiverUse | None:
    """The waiver under which the status of a finding was accepted."""
    waivers = loaded.verdict.waivers if loaded.verdict else ()
    return next((waiver for waiver in waivers if finding.waiver and waiver.id == finding.waiver), None)


def policy_file(loaded: Loaded) -> str:
    """The policy relative to where the command was given, for places that link to a line of it.

    "policy.yaml" where that is not known or not what the lines count: a preset, a policy that extends another, or a
    path outside.
    """
    given = loaded.verdict.policy_file if loaded.verdict else None
    path = PurePosixPath(_frozen_file(loaded) if given is None else given)
    inside = not path.is_absolute() and ".." not in path.parts and path.suffix in (".yaml", ".yml")
    return line(path.as_posix(), 300) if inside else POLICY_FILE


def _frozen_file(loaded: Loaded) -> str:
    """The file that the run was frozen with; "" where the run was judged by another one."""
    given = loaded.manifest.config.get("policy")
    same = loaded.verdict is None or loaded.verdict.policy_digest == loaded.manifest.policy_digest
    read = same and isinstance(given, str) and not loaded.manifest.policy.startswith(WRITTEN_OUT)
    return str(given) if read else ""
