"""How many items each check of a policy needs for a decision, and what the data at hand can show.

Before a run this rests on an assumption for each check, which is told with it. With a run it rests on the run's own
numbers: their spread, their clusters and the size of their families.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audits.gate.absences import measurements
from audits.gate.decide import Case, smallest_effects
from audits.policy.checks import Check
from audits.policy.fit import Numbers
from audits.policy.policy import Policy
from audits.policy.published import PUBLISHED
from probes.core import stats
from probes.core.answers import ProblemType
from probes.core.counts import plural
from probes.core.findings import Burden, Level
from probes.core.records import Unit
from probes.core.run_folder import RunFolder

RATES = frozenset({
    "abstention", "accuracy", "answer_differs", "any_flip_rate", "beyond_tolerance", "complete_share", "converged",
    "duplicate_share", "exact_match", "exact_share", "false_negative_rate", "false_positive_rate", "flip_rate",
    "found_under_all", "overconfidence_rate", "precision", "recall", "recall_kept", "selection_rate", "selective_risk",
    "true_positive_rate", "underconfidence_rate", "worst_accuracy",
})  # fmt: skip
"""Names of shares of items."""

PAIRED = frozenset({
    "accuracy_drop", "accuracy_over_majority", "accuracy_vs_baseline", "changed_vs_baseline", "worst_accuracy_drop",
})  # fmt: skip
"""Names of differences between two shares of the same items."""

UNPAIRED = frozenset({
    "accuracy_difference", "accuracy_lost", "demographic_parity_difference", "equal_opportunity_difference",
    "error_gap", "equalized_odds_difference", "false_negative_gap", "false_positive_gap",
    "predictive_parity_difference", "worst_accuracy_lost", "worst_part_accuracy_lost", "worst_slice_error_gap",
})  # fmt: skip
"""Names of differences between shares of two parts of the items; of more parts, the two furthest apart."""

RATIOS = frozenset({
    "demographic_parity_ratio", "equalized_odds_ratio", "impact_ratio", "ratio_to_most_favoured",
})  # fmt: skip
"""Names of ratios of two such shares, the lower over the higher."""

_NUMBERS = Numbers(tuple(PUBLISHED), PUBLISHED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What is assumed where there are no data yet.

    Attributes:
        margin: distance of the truth from a threshold, on the side where the check is to be decided.
        discordant: share of the items that come out differently in a paired comparison, either way.
        base_rate: the share in the group that a group is compared with.
        power: chance of a decision where the truth is as assumed.
    """

    margin: float = 0.05
    discordant: float = 0.1
    base_rate: float = 0.5
    power: float = stats.POWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One check.

    Attributes:
        line: of the check in the text of the policy.
        needed_n: items for a decision; None where no number can be given.
        basis: what that rests on, in words.
        measured: how many numbers of the run the check is about; the rest is about the one that needs most.
        effect: the smallest violation that the data show.
    """

    check: Check
    line: int | None
    needed_n: int | None
    basis: str
    measured: int = 0
    measurement: str = ""
    unit: Unit | None = None
    n: int | None = None
    clusters: int | None = None
    effect: float | None = None

    @property
    def payload(self) -> dict[str, Any]:
        """For `--json`."""
        check = self.check
        return {
            "check": check.check,
            "line": self.line,
            "level": check.level.value,
            "burden": check.burden.value,
            "alpha": check.alpha,
            "minimum_n": check.minimum_n,
            "max_mde": check.max_mde,
            "needed_n": self.needed_n,
            "basis": self.basis,
            "measured": self.measured,
            "measurement": self.measurement or None,
            "n": self.n,
            "clusters": self.clusters,
            "detectable_effect": self.effect,
        }


def plan(policy: Policy, assumed: Assumed, *, run: RunFolder | None = None) -> list[Row]:
    """A row for each check that can decide something, in the order of the policy.

    Raises:
        UsageError: when `run` is no run folder.
        IntegrityError: when it is damaged.
    """
    if run is None:
        return [_planned(policy, check, assumed) for check in _deciding(policy, list(ProblemType))]
    manifest = run.manifest()
    cases = _cases(policy, run)
    by_check: dict[Check, list[tuple[Case, float | None]]] = defaultdict(list)
    for case, effect in zip(cases, smallest_effects(cases, power=assumed.power), strict=True):
        by_check[case.check].append((case, effect))
    return [_found(policy, check, by_check[check], assumed) for check in _deciding(policy, [manifest.model.problem])]


def _deciding(policy: Policy, problems: Sequence[ProblemType]) -> list[Check]:
    active = {check for problem in problems for check in policy.active(problem)}
    return [check for check in dict.fromkeys(policy.checks) if check in active and check.level is not Level.OFF]


def _cases(policy: Policy, run: RunFolder) -> list[Case]:
    """The numbers of a run, and those of its comparison with a baseline, each with the check that decides."""
    manifest, comparison = run.manifest(), run.comparison()
    cases = []
    for step in manifest.steps:
        compared = comparison.of(step.step_id) if comparison else None
        for found in (*measurements(run.step(step.step_id)), *(compared.measurements if compared else ())):
            check = policy.deciding(step.probe, found.key, manifest.model.problem)
            if check and check.level is not Level.OFF:
                cases.append(Case(check=check, step=step, measurement=found))
    return cases


def _planned(policy: Policy, check: Check, assumed: Assumed) -> Row:
    needed, basis = _by_formula(check, assumed)
    return Row(check=check, line=policy.line_of(check), needed_n=needed, basis=basis)


def _found(policy: Policy, check: Check, cases: Sequence[tuple[Case, float | None]], assumed: Assumed) -> Row:
    if not cases:
        row = _planned(policy, check, assumed)
        return Row(check=check, line=row.line, needed_n=row.needed_n, basis=f"not measured in this run; {row.basis}")
    found = [(case, effect, *_by_data(case, effect)) for case, effect in cases]
    case, effect, needed, basis = max(found, key=lambda each: (each[2] or 0, each[1] or 0.0))
    estimate = case.measurement.estimate
    return Row(
        check=check,
        line=policy.line_of(check),
        needed_n=needed,
        basis=basis,
        measured=len(cases),
        measurement=case.name,
        unit=case.measurement.unit,
        n=estimate.n,
        clusters=estimate.clusters,
        effect=effect,
    )


def _by_data(case: Case, effect: float | None) -> tuple[int | None, str]:
    """Items that would decide, were the value to stay as it is."""
    check, estimate = case.check, case.measurement.estimate
    if estimate.clusters < check.minimum_n:
        return check.minimum_n, f"minimum_n; it rests on {plural(estimate.clusters, 'independent item')}"
    if effect is None:
        return None, "the number was published without the bounds that a decision needs"
    distances = []
    if check.burden is Burden.PROVE_GOOD or case.beyond(estimate.value):
        distances.append((abs(estimate.value - case.threshold), "were the value to stay as it is"))
    if check.max_mde is not None:
        distances.append((check.max_mde, "to show the max_mde"))
    if not distances:
        return None, "it passes while no violation is shown"
    distance, basis = min(distances)
    needed = stats.scaled_n(estimate.n, effect / distance) if distance else None
    return (max(needed, check.minimum_n), basis) if needed else (None, "the value lies on the threshold")


def _by_formula(check: Check, assumed: Assumed) -> tuple[int | None, str]:
    names = {name for _, name, _ in _NUMBERS.of(check).numbers}
    for kind, formula in ((RATES, _rate), (PAIRED, _paired), (UNPAIRED, _unpaired), (RATIOS, _ratio)):
        if names and names <= kind:
            needed, basis = formula(check, assumed)
            return (max(needed, check.minimum_n) if needed else None), basis
    return None, "no formula for it: plan with a run that measured it"


def _side(check: Check) -> int:
    """The side of the limit on which the check is to be decided: 1 above, -1 below."""
    inward = 1 if check.maximum is None else -1
    return inward if check.burden is Burden.PROVE_GOOD else -inward


def _truth(check: Check, assumed: Assumed) -> float:
    """A margin away from the limit."""
    return check.threshold + _side(check) * (check.max_mde or assumed.margin)


def _difference(check: Check, assumed: Assumed) -> float:
    """None at all, where that keeps a limit that is to be shown to be kept (Piaggio et al. 2012, JAMA 308:2594)."""
    limit = check.threshold
    return 0.0 if limit * _side(check) < 0 and _by_none(check, abs(limit)) else _truth(check, assumed)


def _by_none(check: Check, distance: float) -> bool:
    """Is no difference at all, which lies at this distance from the limit, what the check is planned for."""
    return check.burden is Burden.PROVE_GOOD and (check.max_mde is None or check.max_mde >= distance)


def _rate(check: Check, assumed: Assumed) -> tuple[int | None, str]:
    truth = min(max(_truth(check, assumed), 0.0), 1.0)
    distance = abs(truth - check.threshold)
    if not distance:
        return None, "no share lies beyond this limit"
    needed = stats.n_for_rate(truth, margin=distance, alpha=check.alpha, power=assumed.power)
    return needed, f"{_percent(truth)} in truth"


def _paired(check: Check, assumed: Assumed) -> tuple[int | None, str]:
    truth = _difference(check, assumed)
    changed = max(assumed.discordant, abs(truth))
    needed = stats.n_for_paired(
        changed, margin=abs(truth - check.threshold), difference=truth, alpha=check.alpha, power=assumed.power
    )
    return needed, f"{_points(truth)} in truth; {_percent(changed)} of the items come out differently"


def _unpaired(check: Check, assumed: Assumed) -> tuple[int | None, str]:
    truth = _difference(check, assumed)
    rates = (min(max(assumed.base_rate - truth, 0.0), 1.0), assumed.base_rate)
    needed = stats.n_for_difference(rates, margin=abs(truth - check.threshold), alpha=check.alpha, power=assumed.power)
    return needed, f"in each of two groups; {_points(truth)} in truth, shares near {_percent(assumed.base_rate)}"


def _ratio(check: Check, assumed: Assumed) -> tuple[int | None, str]:
    room = 1 - check.threshold
    truth = 1.0 if room > 0 and _by_none(check, room) else min(_truth(check, assumed), 1.0)
    if truth <= 0 or check.threshold <= 0 or truth == check.threshold:
        return None, "no ratio lies beyond this limit"
    rates = (truth * assumed.base_rate, assumed.base_rate)
    needed = stats.n_for_ratio(rates, threshold=check.threshold, alpha=check.alpha, power=assumed.power)
    return needed, f"in each of two groups; {truth:.3g} in truth, higher share {_percent(assumed.base_rate)}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g}%"


def _points(difference: float) -> str:
    return f"{100 * difference:.3g} pp"
