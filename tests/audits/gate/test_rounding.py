"""Near the limit an alarm is undecided where rounding could decide it, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from audits.gate.decide import Case, decide
from audits.gate.rounding import IN_BITS, PERPLEXITIES, near_ties, rounding
from audits.policy.checks import Check
from audits.policy.published import PUBLISHED
from probes.core import stats
from probes.core.comparison import SUFFIX
from probes.core.findings import Burden, Status
from probes.core.manifest import PlannedStep
from probes.core.records import Accounting, Better, Measurement, Unit

STEP = PlannedStep(step_id="s", probe="a.b", version=1, risk="a", title="B", items=1, calls=1, sample="s")


def number(estimate, *, part=None, better=Better.LOWER, unit=Unit.PROPORTION):
    return Measurement(name="c", title="c", estimate=estimate, better=better, unit=unit, slice=part or {})


def rate(failures, n):
    return number(stats.rate(np.arange(n) < failures))


def account(tied, n=400, **part):
    return Accounting(eligible=n, scored=n, tied=tied, slice=part)


def status(found, *, limit, moved, burden=Burden.PROVE_BAD):
    rules = {"check": "a.b.c", "max": limit, "level": "block", "burden": burden, "rationale": "r", "source": "s"}
    (decision,) = decide([Case(check=Check(**rules), step=STEP, measurement=found, rounding=moved)])
    return decision.status


# --- how far --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tied", "n", "share"), [(0, 400, 0.0), (4, 400, 0.01), (1, 50, 0.02), (400, 400, 1.0)])
def test_a_share_moves_by_its_near_ties(tied, n, share):
    assert near_ties(rate(3, n).estimate, [account(tied, n)]) == pytest.approx(share)
    assert rounding(rate(3, n), [account(tied, n)], dtype="bfloat16") == pytest.approx(share)


def test_a_part_of_the_items_has_at_least_one_of_them():
    assert near_ties(rate(1, 10).estimate, [account(4)]) == 0.1
    assert near_ties(rate(1, 10).estimate, [account(0)]) == 0.0


def test_the_accounting_of_the_same_setting_counts():
    accounts = [account(40, severity="2"), account(0, severity="4")]
    two, four = (number(stats.rate(np.arange(400) < 3), part={"severity": each}) for each in "24")
    assert rounding(two, accounts, dtype="bfloat16") == 0.1
    assert rounding(four, accounts, dtype="bfloat16") == 0.0
    assert rounding(rate(3, 800), accounts, dtype="bfloat16") == 0.05


def test_probabilities_move_without_a_tie():
    mean = number(stats.mean(np.linspace(0, 1, 100)), unit=Unit.SCORE)
    assert rounding(mean, [account(0)], dtype="bfloat16") == 2e-2
    assert rounding(mean, [account(0)], dtype="float16") == 4e-3
    assert rounding(mean, [account(40)], dtype="bfloat16") == 0.1


LOG_BASED = ("performance.likelihood", "shift.perplexity", "bias.likelihood")


def of_logs(name, value=0.5):
    return number(stats.mean(np.full(100, value) + np.linspace(-1, 1, 100)), unit=Unit.SCORE).model_copy(
        update={"name": name}
    )


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("likelihood_difference", 0.2 / np.log(2)),
        ("bits_per_byte", 0.2 / np.log(2)),
        ("valence_gap", 0.2 / np.log(2)),
        ("nll", 0.2),
        ("perplexity", 12 * (np.exp(0.2) - 1)),
        ("word_perplexity_ratio", 12 * (np.exp(0.2) - 1)),
    ],
)
def test_log_probabilities_move_further_than_probabilities(name, moved):
    assert rounding(of_logs(name, 12), [account(0)], dtype="bfloat16") == pytest.approx(moved)
    assert rounding(of_logs(name, 12), [account(0)], dtype="float32") == 0.0


def test_every_number_made_of_log_probabilities_is_known_by_its_name():
    published = {name for probe in LOG_BASED for name in PUBLISHED[probe] if SUFFIX not in name}
    assert published | {"likelihood_difference", "praise", "praise_gap"} == PERPLEXITIES | IN_BITS
    assert {"praise", "praise_gap"} <= set(PUBLISHED["bias.fill_in"])
    assert "nll" in PUBLISHED["performance.calibration"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "unheard-of"])
def test_in_float32_nothing_moves(dtype):
    assert rounding(rate(3, 400), [account(400)], dtype=dtype) == 0.0


# --- what follows ---------------------------------------------------------------------------------------------------


def test_an_alarm_is_undecided_within_the_margin_only():
    found = rate(40, 400)
    bound = found.estimate.tail(0.05).low
    assert status(found, limit=bound - 0.0201, moved=0.02) is Status.FAIL
    assert status(found, limit=bound - 0.0199, moved=0.02) is Status.INCONCLUSIVE
    assert status(found, limit=bound + 0.0199, moved=0.02) is Status.INCONCLUSIVE
    assert status(found, limit=bound + 0.0201, moved=0.02) is Status.PASS


@pytest.mark.parametrize("limit", [0.0, 0.02, 0.05, 0.08, 0.12, 0.3])
def test_without_a_margin_nothing_changes(limit):
    expected = Status.FAIL if rate(40, 400).estimate.tail(0.05).low > limit else Status.PASS
    assert status(rate(40, 400), limit=limit, moved=0.0) is expected


def test_a_bound_on_the_limit_passes_where_nothing_can_move():
    """A rate of zero under a limit of zero."""
    assert status(rate(0, 400), limit=0.0, moved=0.0) is Status.PASS
    assert status(rate(0, 400), limit=0.0, moved=0.01) is Status.INCONCLUSIVE


def test_an_approval_has_its_own_room():
    found = rate(10, 400)
    for limit in (0.02, 0.04, 0.05):
        plain = status(found, limit=limit, moved=0.0, burden=Burden.PROVE_GOOD)
        assert status(found, limit=limit, moved=0.02, burden=Burden.PROVE_GOOD) is plain


def test_the_reason_says_what_to_do():
    rules = {"check": "a.b.c", "max": 0.08, "level": "block", "burden": "prove_bad", "rationale": "r", "source": "s"}
    case = Case(check=Check(**rules), step=STEP, measurement=rate(40, 400), rounding=0.0125)
    (decision,) = decide([case])
    assert "by 1.3 percentage points" in decision.reason
    assert "--dtype float32" in decision.reason


def test_whatever_the_ties_do_no_family_of_alarms_flips():
    """600 families of 5 rates, measured twice: each near tie comes out either way by chance, in each of them."""
    rng, flips, decided = np.random.default_rng(5), 0, 0
    for _ in range(600):
        n, tied = int(rng.integers(30, 400)), int(rng.integers(0, 12))
        rates = rng.uniform(0, 0.4, size=5)
        first, second = [], []
        for share in rates:
            sure = int(rng.binomial(n - tied, share))
            for side in (first, second):
                found = rate(sure + int(rng.integers(0, tied + 1)), n)
                moved = rounding(found, [account(tied, n)], dtype="bfloat16")
                rules = {"check": "a.b.c", "max": 0.15, "level": "block", "burden": "prove_bad", "family": "f",
                         "rationale": "r", "source": "s"}  # fmt: skip
                side.append(Case(check=Check(**rules), step=STEP, measurement=found, rounding=moved))
        for one, other in zip(decide(first), decide(second), strict=True):
            flips += {one.status, other.status} == {Status.PASS, Status.FAIL}
            decided += one.status in (Status.PASS, Status.FAIL)
    assert flips == 0
    assert decided > 1500
