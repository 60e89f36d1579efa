"""What is worth a second look in a policy that is otherwise in order. Mistakes are errors when it is read."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from audits.gate.waivers import person
from audits.policy.extension import Place
from audits.policy.policy import Policy
from audits.policy.published import PUBLISHED, USER_METRIC
from probes.core.findings import Burden, Level
from probes.core.records import ALPHAS

SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to look at; `place` is None where it is about the whole file."""

    message: str
    place: Place | None = None

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


def lint(policy: Policy, *, probes: Sequence[str], on: date) -> list[Remark]:
    """Remarks on a policy, those on the whole file first.

    Args:
        probes: ids of all probes that exist without a run asking for more.
        on: the day on which it is to be used.

    Raises:
        PolicyError: for a check about nothing that exists, and for a policy that has expired.
    """
    policy.require_current(on)
    metrics = {check.probe for check in policy.checks if check.probe.startswith(USER_METRIC)}
    policy.require_known([*probes, *metrics])
    about_checks = [*_wildcards(policy), *_replaced(policy), *_unsigned(policy), *_families(policy, probes)]
    own = sorted(about_checks, key=lambda remark: _order(policy, remark))
    return [*_approval(policy, on), *own]


def _order(policy: Policy, remark: Remark) -> int:
    return policy.places.index(remark.place) if remark.place else -1


def _approval(policy: Policy, on: date) -> Iterator[Remark]:
    file = policy.file
    blocks = any(check.level is Level.BLOCK and not check.approver for check in policy.effective)
    if blocks and not file.approved_by:
        yield Remark("nobody has approved the checks that block: name who did with approved_by and approved_on")
    if file.approved_by and not file.approved_on:
        yield Remark("approved_by has no date: add approved_on")
    if file.approved_on and not file.approved_by:
        yield Remark("approved_on names nobody: add approved_by")
    if file.approved_by and file.owner and person(file.approved_by) == person(file.owner):
        yield Remark("the owner approved the policy alone: have somebody else approve it")
    if file.approved_on and file.approved_on > on:
        yield Remark(f"approved_on lies in the future: {file.approved_on}")
    if file.expires and file.expires - on <= SOON:
        yield Remark(f"it expires on {file.expires}: have it reviewed")


def _wildcards(policy: Policy) -> Iterator[Remark]:
    for check, place in zip(policy.checks, policy.places, strict=True):
        if check.level is Level.BLOCK and "*" in check.whole_name().check:
            yield Remark(
                f"{check.check} blocks by a wildcard: a probe or a number that a later version adds would block too; "
                "name what blocks",
                place,
            )


def _replaced(policy: Policy) -> Iterator[Remark]:
    """Checks that never decide. To replace what is extended is what an extension is for."""
    for row, check in enumerate(policy.checks):
        for later in range(len(policy.checks) - 1, row, -1):
            same_file = policy.places[later].name == policy.places[row].name
            if policy.checks[later].covers(check):
                if same_file:
                    line = policy.places[later].line
                    yield Remark(f"{check.check} never decides: the check on line {line} does", policy.places[row])
                break


def _unsigned(policy: Policy) -> Iterator[Remark]:
    for check, place in zip(policy.checks, policy.places, strict=True):
        if check.approver and not check.approved_on:
            yield Remark(f"the approval of {check.check} has no date: add approved_on", place)
        if check.approved_on and not check.approver:
            yield Remark(f"the date of approval of {check.check} names nobody: add approver", place)


def _families(policy: Policy, probes: Sequence[str]) -> Iterator[Remark]:
    """Families of alarms that are certain to be larger than the bounds on record can correct for."""
    families: dict[str, list[int]] = defaultdict(list)
    for row, check in enumerate(policy.checks):
        if check.burden is Burden.PROVE_BAD and check.family and check.level is not Level.OFF:
            families[check.family].append(row)
    for name, rows in families.items():
        size = sum(_size(policy, row, probes) for row in rows)
        first = policy.checks[rows[0]]
        most = math.floor(first.alpha / min(ALPHAS) + 1e-9)
        if size > most:
            yield Remark(
                f"the family {name!r} has at least {size} checks; at alpha {first.alpha:g} no more than {most} can be "
                "corrected for with the bounds on record: make it smaller",
                policy.places[rows[0]],
            )


def _size(policy: Policy, row: int, probes: Sequence[str]) -> int:
    """How many numbers a check decides about at the least: slices are counted once."""
    check, later = policy.checks[row], policy.checks[row + 1 :]
    return sum(
        check.may_name(name)
        for probe in probes
        if check.matches_probe(probe) and not any(each.matches(probe, check.key) for each in later)
        for name in PUBLISHED.get(probe, ())
    )
