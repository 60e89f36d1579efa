"""What is worth a second look in a policy that is otherwise in order. Mistakes are errors when it is read."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from audits.persons import same_person
from audits.policy.checks import Check
from audits.policy.coverage import Coverage
from audits.policy.extension import Place
from audits.policy.fit import Numbers, before_a_run, require_fit
from audits.policy.limits import asks_nothing
from audits.policy.policy import Policy
from audits.policy.published import PUBLISHED
from probes.core.findings import Burden, Level
from probes.core.records import ALPHAS

SOON = timedelta(days=30)
LENIENT = 0.1
"""An error rate above this one is told."""


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
    require_fit(policy, before_a_run(policy, probes))
    coverage, numbers = Coverage(policy.checks), Numbers(probes, PUBLISHED)
    about_checks = [
        *_wildcards(policy), *_replaced(policy, coverage), *_unsigned(policy), *_undemanding(policy, numbers),
        *_families(policy, numbers, coverage),
    ]  # fmt: skip
    order = {place: row for row, place in reversed(list(enumerate(policy.places)))}
    own = sorted(about_checks, key=lambda remark: order[remark.place] if remark.place else -1)
    return [*_approval(policy, on), *own]


def _approval(policy: Policy, on: date) -> Iterator[Remark]:
    file = policy.file
    blocks = any(check.level is Level.BLOCK and not check.approver for check in policy.effective)
    if blocks and not file.approved_by:
        yield Remark("nobody has approved the checks that block: name who did with approved_by and approved_on")
    if file.approved_by and not file.approved_on:
        yield Remark("approved_by has no date: add approved_on")
    if file.approved_on and not file.approved_by:
        yield Remark("approved_on names nobody: add approved_by")
    if file.approved_by and file.owner and same_person(file.approved_by, file.owner):
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


def _replaced(policy: Policy, coverage: Coverage) -> Iterator[Remark]:
    """Checks that never decide. To replace what is extended is what an extension is for."""
    for row, (check, place) in enumerate(zip(policy.checks, policy.places, strict=True)):
        later = coverage.replaced_by(row)
        if later is not None and policy.places[later].name == place.name:
            line = policy.places[later].line
            yield Remark(f"{check.check} never decides: the check on line {line} does", place)


def _unsigned(policy: Policy) -> Iterator[Remark]:
    for check, place in zip(policy.checks, policy.places, strict=True):
        if check.approver and not check.approved_on:
            yield Remark(f"the approval of {check.check} has no date: add approved_on", place)
        if check.approved_on and not check.approver:
            yield Remark(f"the date of approval of {check.check} names nobody: add approver", place)


def _undemanding(policy: Policy, numbers: Numbers) -> Iterator[Remark]:
    """Checks that every model passes, and those that may easily be wrong."""
    for check, place in zip(policy.checks, policy.places, strict=True):
        if check.level is Level.OFF:
            continue
        units = [number.unit for _, _, number in numbers.of(check).numbers]
        if units and all(asks_nothing(check, unit=unit) for unit in units):
            yield Remark(f"{check.check} asks for nothing: {check.threshold:g} is the end of the number's range", place)
        if check.alpha > LENIENT:
            yield Remark(
                f"{check.check} has alpha {check.alpha:g}: above {LENIENT:g}, more than one decision in ten "
                "may be wrong by chance",
                place,
            )


def _families(policy: Policy, numbers: Numbers, coverage: Coverage) -> Iterator[Remark]:
    """Families of alarms that are certain to be larger than the bounds on record can correct for."""
    families: dict[str, list[int]] = defaultdict(list)
    for row, check in enumerate(policy.checks):
        if check.burden is Burden.PROVE_BAD and check.family and check.level is not Level.OFF:
            families[check.family].append(row)
    for name, rows in families.items():
        size = sum(_size(policy.checks[row], row, numbers, coverage) for row in rows)
        first = policy.checks[rows[0]]
        most = math.floor(first.alpha / min(ALPHAS) + 1e-9)
        if size > most:
            yield Remark(
                f"the family {name!r} has at least {size} checks; at alpha {first.alpha:g} no more than {most} can be "
                "corrected for with the bounds on record: make it smaller",
                policy.places[rows[0]],
            )


def _size(check: Check, row: int, numbers: Numbers, coverage: Coverage) -> int:
    """How many numbers a check decides about at the least: slices are counted once."""
    names = Counter(probe for probe, _, _ in numbers.of(check).numbers)
    return sum(count for probe, count in names.items() if coverage.replaced_by(row, probe=probe) is None)
