"""Accepted exceptions: a person answers for letting a check pass that did not, for a while and up to a number.

A waiver changes what a finding does, never what was measured: its status becomes WAIVED and the status beneath stays
beside it. A waiver that is expired, unused, for another model or exceeded changes nothing and holds up the verdict
until a person has put the file in order.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from audits.persons import person, same_person
from audits.policy.file import MOST_DAYS, PAGE
from audits.policy.published import PUBLISHED, Number
from audits.policy.words import Name, Said
from probes.core.errors import UsageError
from probes.core.findings import Finding, Level, Status, WaiverState, WaiverUse
from probes.core.model import ModelCard
from probes.core.patterns import matches
from probes.core.yaml_file import Located, parse_located, read_text
from reports.numbers import ends

WAIVABLE = frozenset({Status.FAIL, Status.INCONCLUSIVE})
"""What was measured and did not pass. What was not measured cannot be accepted: nobody knows what it would be."""

_DIGEST = re.compile(r"(sha256:)?([0-9a-f]{12,64})")


class Waiver(BaseModel):
    """One exception.

    Attributes:
        checks: names of findings, "<probe>.<measurement>[slice]"; `*` is a wildcard, for checks that only warn.
        model: the model's fingerprint (its first 12 digits or more), or a pattern of its name.
        max_observed: the worst number that is accepted, in the unit of the check.
        owner: who answers for the exception.
        approver: who granted it; somebody else.
        expires: the last day on which it counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Name
    checks: tuple[str, ...] = Field(min_length=1)
    model: str = Field(min_length=1)
    max_observed: float = Field(allow_inf_nan=False, strict=True)
    reason: Said
    owner: Said
    approver: Said
    created: date
    expires: date
    compensating_controls: tuple[str, ...] = ()
    risk_acceptance_ref: str = ""

    @model_validator(mode="after")
    def _is_granted_by_somebody_else_for_a_while(self) -> Waiver:
        if not person(self.owner) or not person(self.approver):
            raise ValueError(f"{self.id}: owner and approver must be names or addresses")
        if same_person(self.owner, self.approver):
            raise ValueError(f"{self.id}: the approver must be somebody else than the owner")
        if not self.created <= self.expires:
            raise ValueError(f"{self.id}: it expires before it was created")
        if (self.expires - self.created).days > MOST_DAYS:
            raise ValueError(f"{self.id}: it may last {MOST_DAYS} days at most")
        return self

    def is_for(self, model: ModelCard) -> bool:
        """Is it for this model."""
        digest = _DIGEST.fullmatch(self.model)
        if digest:
            return model.fingerprint.startswith(digest[2])
        return matches(self.model, model.name)

    def names(self, finding: Finding) -> bool:
        """Does it name this check."""
        return any(matches(pattern, finding.check) for pattern in self.checks)

    def accepts(self, finding: Finding) -> bool:
        """May it be applied to a finding it names: a check that blocks must be named in full."""
        return finding.level is not Level.BLOCK or finding.check in self.checks

    def exceeded(self, finding: Finding) -> bool:
        """Has the number become worse than what was accepted."""
        assert finding.estimate is not None  # a check that was decided has one
        value = finding.estimate.value
        return value > self.max_observed if finding.maximum is not None else value < self.max_observed


class _WaiverFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    api_version: Literal["audit-waivers/v1"] = Field(alias="apiVersion")
    waivers: tuple[Waiver, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waivers:
    """A file of waivers as read, and the day on which it is judged."""

    text: str
    entries: tuple[Waiver, ...]
    as_of: date

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def load_waivers(path: Path, *, as_of: date) -> Waivers:
    """Read a file of waivers.

    Raises:
        UsageError: naming file and line, when it cannot be read or a waiver is not in order.
    """
    return parse_waivers(read_text(path), name=str(path), as_of=as_of)


def parse_waivers(text: str, *, name: str, as_of: date) -> Waivers:
    """Likewise for text; `name` stands for the file in messages."""
    located = parse_located(text, _WaiverFile, name=name, page=PAGE)
    _require_own_ids(located, name)
    _require_on_scale(located, name)
    return Waivers(text=text, entries=located.content.waivers, as_of=as_of)


def _require_own_ids(located: Located[_WaiverFile], name: str) -> None:
    lines: dict[str, int] = {}
    for row, waiver in enumerate(located.content.waivers):
        line = located.line("waivers", row, "id")
        if waiver.id in lines:
            told = f"two waivers are called {waiver.id!r}; the first one stands on line {lines[waiver.id]}"
            raise UsageError(f"{name}, line {line}: {told}", hint="give each waiver an id of its own")
        lines[waiver.id] = line


def _require_on_scale(located: Located[_WaiverFile], name: str) -> None:
    """Refuse a worst number that a check can never reach: the waiver would accept everything, or nothing."""
    for row, waiver in enumerate(located.content.waivers):
        for check in waiver.checks:
            low, high = _scale(check)
            if not low <= waiver.max_observed <= high:
                line = located.line("waivers", row, "max_observed")
                told = f"{check} is from {low:g} to {high:g}, so max_observed cannot be {waiver.max_observed:g}"
                raise UsageError(
                    f"{name}, line {line}: {told}", hint="write shares as numbers from 0 to 1: 90 % is 0.9"
                )


def _scale(check: str) -> tuple[float, float]:
    """From where to where the numbers that a waiver names can be; endless where that is not known of one of them."""
    scales = [ends(number.unit) for number in _published(check.split("[")[0])] or [ends(None)]
    return min(low for low, _ in scales), max(high for _, high in scales)


def _published(name: str) -> Iterator[Number]:
    """What is known of the numbers of this name, which may hold wildcards."""
    for probe, numbers in PUBLISHED.items():
        yield from (number for key, number in numbers.items() if matches(name, f"{probe}.{key}"))


def apply(
    findings: Sequence[Finding], waivers: Waivers, *, model: ModelCard, non_waivable: Sequence[str] = ()
) -> tuple[list[Finding], tuple[WaiverUse, ...]]:
    """The findings with exceptions marked, and what became of every waiver, in the order of the file.

    Args:
        non_waivable: patterns of checks for which the policy allows no exception.
    """
    marked = list(findings)
    uses = []
    for waiver in waivers.entries:
        use, accepted = _use(waiver, marked, model=model, as_of=waivers.as_of, non_waivable=non_waivable)
        uses.append(use)
        for place in accepted:
            finding = marked[place]
            marked[place] = finding.model_copy(
                update={"status": Status.WAIVED, "underlying": finding.status, "waiver": waiver.id}
            )
    return marked, tuple(uses)


def _use(
    waiver: Waiver, findings: Sequence[Finding], *, model: ModelCard, as_of: date, non_waivable: Sequence[str]
) -> tuple[WaiverUse, list[int]]:
    named = [place for place, finding in enumerate(findings) if finding.status in WAIVABLE and waiver.names(finding)]
    forbidden = [
        place
        for place in named
        if not waiver.accepts(findings[place]) or any(matches(each, findings[place].check) for each in non_waivable)
    ]
    exceeded = [place for place in named if waiver.exceeded(findings[place])]
    if not waiver.is_for(model):
        state, note = WaiverState.MISMATCHED, f"it is for {waiver.model}, which is not this model"
    elif as_of < waiver.created:
        state, note = WaiverState.MISMATCHED, f"it counts from {waiver.created} on"
    elif as_of > waiver.expires:
        state, note = WaiverState.EXPIRED, f"it expired on {waiver.expires}"
    elif forbidden:
        state, note = WaiverState.NOT_WAIVABLE, _not_waivable(findings[forbidden[0]], non_waivable)
    elif not named:
        state, note = WaiverState.UNUSED, "no check that it names failed or was left undecided"
    elif exceeded:
        worse = findings[exceeded[0]]
        assert worse.estimate is not None  # see Waiver.exceeded
        state = WaiverState.EXCEEDED
        note = f"{worse.check} is {worse.estimate.value:.4g}, worse than the {waiver.max_observed:g} accepted"
    else:
        state, note = WaiverState.USED, f"accepted until {waiver.expires}"
    accepted = named if state is WaiverState.USED else []
    return _record(waiver, state, note, [findings[place].check for place in accepted]), accepted


def _not_waivable(finding: Finding, non_waivable: Sequence[str]) -> str:
    if any(matches(pattern, finding.check) for pattern in non_waivable):
        return f"the policy allows no exception for {finding.check}"
    return f"{finding.check} blocks, so it must be named in full and not by a pattern"


def _record(waiver: Waiver, state: WaiverState, note: str, findings: Sequence[str]) -> WaiverUse:
    return WaiverUse(
        id=waiver.id,
        checks=waiver.checks,
        scope=waiver.model,
        owner=waiver.owner,
        approver=waiver.approver,
        reason=waiver.reason,
        created=waiver.created.isoformat(),
        expires=waiver.expires.isoformat(),
        max_observed=waiver.max_observed,
        state=state,
        note=note,
        findings=tuple(findings),
    )


def require_within(waivers: Waivers, *, days: int) -> None:
    """Refuse exceptions that last longer than the policy allows.

    Raises:
        UsageError: naming the waiver.
    """
    for waiver in waivers.entries:
        if (waiver.expires - waiver.created).days > days:
            raise UsageError(
                f"the waiver {waiver.id} lasts {(waiver.expires - waiver.created).days} days; the policy allows {days}",
                hint="shorten it, and renew it when it has been looked at again",
            )
