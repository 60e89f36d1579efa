"""What the data could have shown decides whether a pass counts."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audits.gate.decide import Case, decide, smallest_effects
from audits.policy.checks import Check
from probes.core import stats
from probes.core.findings import Status
from probes.core.manifest import PlannedStep
from probes.core.records import Better, Measurement, Unit

STEP = PlannedStep(step_id="s", probe="a.b", version=1, risk="a", title="B", items=1, calls=1, sample="s")


def case(failures, n, *, family=None, unit=Unit.PROPORTION, **changes):
    rules = {"check": "a.b.c", "max": 0.1, "level": "block", "rationale": "r", "source": "s", **changes}
    estimate = stats.rate(np.arange(n) < failures)
    number = Measurement(name="c", title="c", estimate=estimate, better=Better.LOWER, unit=unit, family=family)
    return Case(check=Check(**rules), step=STEP, measurement=number)


def decision(*args, **changes):
    return decide([case(*args, **changes)])[0]


@pytest.mark.parametrize("burden", ["prove_bad", "prove_good"])
def test_a_pass_of_data_that_could_not_have_shown_the_effect_is_undecided(burden):
    assert decision(0, 60, burden=burden).status is Status.PASS
    found = decision(0, 60, burden=burden, max_mde=0.05)
    assert found.status is Status.INCONCLUSIVE
    assert found.decisive
    assert found.needed_n > 60
    assert "percentage points or more (power 80%), and the policy asks for 5 percentage points" in found.reason


@pytest.mark.parametrize("burden", ["prove_bad", "prove_good"])
def test_more_data_make_it_a_pass_again(burden):
    needed = decision(0, 60, burden=burden, max_mde=0.05).needed_n
    assert decision(0, needed + 1, burden=burden, max_mde=0.05).status is Status.PASS
    assert decision(0, needed // 2, burden=burden, max_mde=0.05).status is Status.INCONCLUSIVE


def test_it_changes_neither_failures_nor_what_is_undecided_already():
    assert decision(30, 60, burden="prove_bad", max_mde=0.001).status is Status.FAIL
    undecided = decision(6, 60, burden="prove_good", max_mde=0.001)
    assert undecided == decision(6, 60, burden="prove_good")
    few = decision(0, 60, burden="prove_bad", max_mde=0.001, minimum_n=100)
    assert few.needed_n == 100


def test_a_correction_for_many_alarms_makes_each_see_less():
    def checks(count):
        return [case(5, 100, burden="prove_bad", family="f", max_mde=0.08) for _ in range(count)]

    one, ten = smallest_effects(checks(1)), smallest_effects(checks(10))
    assert one[0] < 0.08 < ten[0]
    assert {each.status for each in decide(checks(1))} == {Status.PASS}
    assert {each.status for each in decide(checks(10))} == {Status.INCONCLUSIVE}
    proofs = [case(5, 100, burden="prove_good") for _ in range(10)]
    assert smallest_effects(proofs)[0] == pytest.approx(one[0])  # all of them are needed, so nothing is corrected


def test_what_decides_nothing_shows_nothing():
    assert smallest_effects([case(0, 10, minimum_n=20)]) == [None]


def test_the_effect_is_told_in_the_unit_of_the_number():
    judged = case(0, 60, burden="prove_bad", max_mde=0.05, unit=Unit.SCORE)
    (effect,) = smallest_effects([judged])
    assert f"of {math.ceil(1000 * effect) / 1000} or more" in decide([judged])[0].reason


def test_an_alarm_that_passes_under_max_mde_would_have_sounded():
    """With the data that `max_mde` demands, a model worse by that much goes unnoticed in one case of five at most."""
    generator = np.random.default_rng(11)
    n = 400
    quiet = 0
    for _ in range(400):
        failures = int(generator.binomial(n, 0.1 + 0.05))
        quiet += decision(failures, n, burden="prove_bad", max_mde=0.05).status is Status.PASS
    assert quiet / 400 <= 0.2 + 0.04
