"""The decision rule: what a bound says about a threshold, alone or within a family of checks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from audits.policy.checks import Check
from audits.policy.limits import misplaced
from probes.core.errors import PolicyError
from probes.core.findings import Burden, Status
from probes.core.manifest import PlannedStep
from probes.core.records import Estimate, Measurement, Tail, Unit
from probes.core.stats import POWER, detectable_effect, holm, needed_n, scaled_n
from reports.numbers import plural, rounded_up, threshold


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One check applied to one measurement.

    Attributes:
        rounding: how far rounding alone may move a bound of it; see `audits.gate.rounding`.
    """

    check: Check
    step: PlannedStep
    measurement: Measurement
    rounding: float = 0.0

    @property
    def name(self) -> str:
        """ "<probe id>.<measurement key>"."""
        return f"{self.step.probe}.{self.measurement.key}"

    @property
    def family(self) -> str:
        """Name of the checks that are corrected together: as the policy says, or the measurement, or the probe."""
        return self.check.family or self.measurement.family or self.step.probe

    @property
    def threshold(self) -> float:
        """The limit, whichever side it is on."""
        return self.check.threshold

    def bounds(self, alpha: float) -> tuple[float, float]:
        """(bad-side bound, good-side bound) at one-sided error rate `alpha`."""
        return self.sides(self.measurement.estimate.tail(alpha))

    def sides(self, tail: Tail) -> tuple[float, float]:
        """(bad-side bound, good-side bound) of a tail."""
        return (tail.high, tail.low) if self.check.maximum is not None else (tail.low, tail.high)

    def beyond(self, number: float, *, ease: float = 0.0) -> bool:
        """Does the number violate the threshold, eased by so much; one that equals it does not."""
        if self.check.maximum is not None:
            return number > self.threshold + ease
        return number < self.threshold - ease


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What follows for one case, and why in words."""

    status: Status
    reason: str
    bound: float | None = None
    needed_n: int | None = None
    decisive: bool = True


def decide(cases: Sequence[Case]) -> list[Decision]:
    """One decision for each case, in the same order.

    prove_good needs no correction for several checks: a release needs all of them, so the chance of a wrong approval is
    at most alpha whatever their number (intersection-union test, Berger 1982, Technometrics 24:295). prove_bad does:
    one false alarm blocks, so each family is corrected by Holm (1979).

    Raises:
        PolicyError: for a maximum on a number that is better when higher, or a minimum on one better when lower.
    """
    decisions: dict[int, Decision] = {}
    for place, case in enumerate(cases):
        _check_direction(case)
        early = _undecidable(case)
        if early:
            decisions[place] = early
        elif case.check.burden is Burden.PROVE_GOOD:
            decisions[place] = prove_good(case)
    for places in _families(cases).values():
        members = [cases[place] for place in places]
        decisions.update(zip(places, prove_bad(members), strict=True))
    effects = smallest_effects(cases)
    return [_with_power(cases[place], decisions[place], effects[place]) for place in range(len(cases))]


def smallest_effects(cases: Sequence[Case], *, power: float = POWER) -> list[float | None]:
    """For each case the smallest violation that its data show with this power, in the unit of the measurement.

    For prove_bad at the error rate that is left after the correction for its family. None where nothing is decided.
    """
    alphas = {place: case.check.alpha for place, case in enumerate(cases) if not _undecidable(case)}
    for places in _families(cases).values():
        alphas |= {place: cases[place].check.alpha / len(places) for place in places}
    return [
        detectable_effect(case.measurement.estimate, alpha=alphas[place], power=power) if place in alphas else None
        for place, case in enumerate(cases)
    ]


def _families(cases: Sequence[Case]) -> dict[str, list[int]]:
    """Name -> places of the cases that are corrected together."""
    families: dict[str, list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        if case.check.burden is Burden.PROVE_BAD and not _undecidable(case):
            families[case.family].append(place)
    return families


def _with_power(case: Case, decision: Decision, effect: float | None) -> Decision:
    """A pass counts only where the data could have shown the effect that the policy wants to be able to see."""
    wanted = case.check.max_mde
    if decision.status is not Status.PASS or wanted is None or effect is None or effect <= wanted:
        return decision
    needed = scaled_n(case.measurement.estimate.n, effect / wanted)
    more = f"about {needed:,} items would do" if needed else "no number of items is likely to do"
    reason = (
        f"{decision.reason} But these data can only show violations of {_size(case, effect)} or more (power "
        f"{POWER:.0%}), and the policy asks for {_size(case, wanted)}; {more}."
    )
    return replace(decision, status=Status.INCONCLUSIVE, reason=reason, needed_n=needed)


def _size(case: Case, effect: float) -> str:
    """An effect in words, rounded up so that it is never said to be smaller than it is."""
    unit = case.measurement.unit
    return threshold(rounded_up(effect), Unit.DIFFERENCE if unit is Unit.PROPORTION else unit, named=True)


def prove_good(case: Case) -> Decision:
    """PASS if the bad-side bound is within the threshold, FAIL if even the good-side bound is beyond it."""
    alpha = case.check.alpha
    bad, good = case.bounds(alpha)
    sure = f"{100 * (1 - alpha):g}%"
    if not case.beyond(bad):
        return Decision(status=Status.PASS, reason=f"Within the limit with {sure} confidence.", bound=bad)
    if case.beyond(good):
        return Decision(status=Status.FAIL, reason=f"Beyond the limit with {sure} confidence.", bound=good)
    needed = needed_n(case.measurement.estimate, threshold=case.threshold, alpha=alpha)
    few = "Too few items to tell on which side of the limit it lies"
    return Decision(
        status=Status.INCONCLUSIVE,
        reason=f"{few}; about {needed:,} items would decide it, were the value to stay as it is."
        if needed
        else "So near the limit that no number of items is likely to tell on which side it lies.",
        bound=bad,
        needed_n=needed,
    )


def prove_bad(cases: Sequence[Case]) -> list[Decision]:
    """FAIL only where the good-side bound is beyond the threshold after Holm's correction within these cases.

    The p-value of a case is bounded from above by the smallest alpha on record whose bound excludes the threshold; Holm
    on upper bounds of p-values errs on the side of not failing.

    An alarm has no room between PASS and FAIL, so that rounding could turn one into the other. Where it fails with
    every limit of the family eased by what rounding may move, and where it passes with every limit tightened by that,
    no other run of the same model decides otherwise: both are monotone in the bounds, and so is Holm. Between the two
    it is INCONCLUSIVE.
    """
    p_values = [p_value(case) for case in cases]
    decisions = [
        _prove_bad(case, p=p, adjusted=float(adjusted), size=len(cases))
        for case, p, adjusted in zip(cases, p_values, holm(p_values), strict=True)
    ]
    if not any(case.rounding for case in cases):
        return decisions
    eased, tightened = (_fails(cases, ease=ease) for ease in (1, -1))
    return [
        decision if sure == unsure else _within_rounding(case)
        for case, decision, sure, unsure in zip(cases, decisions, eased, tightened, strict=True)
    ]


def p_value(case: Case, *, ease: float = 0.0) -> float:
    """The smallest error rate on record at which the good-side bound violates the threshold; 1 where none does.

    Args:
        ease: of the threshold, in units of what rounding may move.
    """
    tails, eased = case.measurement.estimate.tails, ease * case.rounding
    return min((tail.alpha for tail in tails if case.beyond(case.sides(tail)[1], ease=eased)), default=1.0)


def _fails(cases: Sequence[Case], *, ease: float) -> list[bool]:
    """Which cases of a family fail with every limit eased."""
    adjusted = holm([p_value(case, ease=ease) for case in cases])
    return [_excluded(float(p), case) for p, case in zip(adjusted, cases, strict=True)]


def _excluded(adjusted: float, case: Case) -> bool:
    return adjusted <= case.check.alpha or math.isclose(adjusted, case.check.alpha)


def _within_rounding(case: Case) -> Decision:
    reason = (
        f"Rounding in this number type may move its bound by {_size(case, case.rounding)}, and with that it is on "
        "either side of the limit; audit it in float32 (--dtype float32) to tell."
    )
    return Decision(status=Status.INCONCLUSIVE, reason=reason, bound=case.bounds(case.check.alpha)[1])


def _prove_bad(case: Case, *, p: float, adjusted: float, size: int) -> Decision:
    alpha, estimate = case.check.alpha, case.measurement.estimate
    good = case.bounds(alpha)[1]
    if _excluded(adjusted, case):
        reason = f"Shown to be beyond the limit with {100 * (1 - alpha):g}% confidence{_corrected(size)}."
        return Decision(status=Status.FAIL, reason=reason, bound=good)
    if p == min(tail.alpha for tail in estimate.tails):  # as extreme as the record can show, and still not enough
        reason = (
            f"The family of {size} checks is larger than the bounds on record can correct for; declare smaller ones."
        )
        return Decision(status=Status.INCONCLUSIVE, reason=reason, bound=good)
    corrected = case.bounds(max(alpha / size, min(tail.alpha for tail in estimate.tails)))[1]
    reason = f"Not shown to violate the limit{_corrected(size)}; that is no proof that it is kept."
    if p <= alpha:
        reason = f"Beyond the limit if it stood alone, but not{_corrected(size)}: look at it. A pass here is no proof."
    return Decision(status=Status.PASS, reason=reason, bound=corrected)


def _corrected(size: int) -> str:
    return f", corrected for {size} checks" if size > 1 else ""


def _undecidable(case: Case) -> Decision | None:
    estimate: Estimate = case.measurement.estimate
    if not any(tail.alpha <= case.check.alpha or math.isclose(tail.alpha, case.check.alpha) for tail in estimate.tails):
        return Decision(
            status=Status.ERROR, reason="The probe published this number without the bounds a decision needs."
        )
    if estimate.clusters < case.check.minimum_n:
        least = case.check.minimum_n
        reason = f"It rests on {plural(estimate.clusters, 'independent item')}; the policy asks for at least {least:,}."
        alarm = case.check.burden is Burden.PROVE_BAD and not case.check.required
        return Decision(status=Status.INCONCLUSIVE, reason=reason, needed_n=least, decisive=not alarm)
    return None


def _check_direction(case: Case) -> None:
    found = case.measurement
    wrong = misplaced(case.check, case.name, better=found.better, unit=found.unit)
    if wrong:
        raise PolicyError(wrong[0], hint=wrong[1])
