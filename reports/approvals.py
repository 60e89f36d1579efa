"""Who answers for a policy and approved its thresholds, and when, as far as the text of the policy says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict

from probes.core.errors import UsageError
from probes.core.findings import Finding
from probes.core.patterns import matches
from probes.core.yaml_file import parse_yaml
from reports.views import Fact

_KEYS = ("owner", "approve", "rationale_doc", "expires")
"""A text without any of them says nothing of the kind and need not be parsed."""


class _Check(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    check: str = ""
    approver: str | None = None
    approved_on: date | str | None = None


class _Policy(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    owner: str | None = None
    approved_by: str | None = None
    approved_on: date | str | None = None
    rationale_doc: str | None = None
    expires: date | str | None = None
    checks: tuple[_Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Approvals:
    """What a policy says about approval: facts about the whole, who approved it, and what each check says itself."""

    facts: tuple[Fact, ...]
    whole: str
    checks: tuple[tuple[str, str], ...]

    def of(self, finding: Finding) -> str:
        """Who approved the threshold that was applied; "" where nobody is named. The last check that matches counts."""
        own = next((told for pattern, told in reversed(self.checks) if matches(pattern, finding.check)), "")
        return own or self.whole


def approvals(text: str) -> Approvals:
    """Read the text of a policy; one that cannot be read names nobody."""
    try:
        read = parse_yaml(text, _Policy, name="policy") if any(key in text for key in _KEYS) else _Policy()
    except UsageError:
        read = _Policy()
    whole = _told(read.approved_by, read.approved_on)
    checks = tuple((check.check, _told(check.approver, check.approved_on)) for check in read.checks)
    return Approvals(tuple(_facts(read, whole)), whole, checks)


def _facts(read: _Policy, whole: str) -> Iterator[Fact]:
    yield Fact("Owner of the policy", read.owner or "not recorded")
    yield Fact("Policy approved by", whole or "not recorded")
    if read.rationale_doc:
        yield Fact("Reasons written down in", read.rationale_doc)
    if read.expires:
        yield Fact("Policy counts until", _day(read.expires))


def _told(approver: str | None, on: date | str | None) -> str:
    return ", ".join(part for part in (approver or "", _day(on)) if part)


def _day(on: date | str | None) -> str:
    return on.isoformat() if isinstance(on, date) else on or ""
