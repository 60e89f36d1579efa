"""How many items a policy needs: the published guide before there are data, and a run's own numbers after."""

from __future__ import annotations

import pytest

from audits.gate.judgement import judge
from audits.policy.plan import Assumed, plan
from audits.policy.policy import parse_policy
from probes.core import stats
from probes.core.comparison import Comparison, StepComparison
from probes.core.findings import BaselineUse, Status
from probes.core.records import Better, Measurement, StepEnd, Unit, to_line
from probes.core.run_folder import RunFolder, StepResult
from tests.audits.gate.test_gate import manifest, step

HEAD = 'apiVersion: audit-policy/v1\nid: mine\nversion: "1"\nchecks:\n'


def entry(check, limit, **keys):
    rows = {"level": "block", "rationale": "r", "source": "s", **keys}
    return f"  - check: '{check}'\n    {limit}\n" + "".join(f"    {key}: {value}\n" for key, value in rows.items())


def policy(*entries):
    return parse_policy(HEAD + "".join(entries), name="p.yaml")


def needed(check, limit, *, assumed=None, **keys):
    (row,) = plan(policy(entry(check, limit, **keys)), assumed or Assumed())
    return row.needed_n


@pytest.mark.parametrize(("margin", "n"), [(0.01, 5565), (0.02, 1392), (0.03, 619), (0.05, 223)])
def test_accuracy_of_nine_in_ten_by_the_guide(margin, n):
    limit = f"min: {0.9 - margin}"
    assert needed("performance.quality.accuracy", limit, assumed=Assumed(margin=margin)) == n
    assert needed("performance.quality.accuracy", limit, max_mde=margin) == n


@pytest.mark.parametrize(
    ("discordant", "sizes"), [(0.05, (3092, 773, 344)), (0.1, (6183, 1546, 687)), (0.2, (12366, 3092, 1374))]
)
def test_non_inferiority_by_the_guide(discordant, sizes):
    for margin, n in zip((0.01, 0.02, 0.03), sizes, strict=True):
        limit = f"min: -{margin}"
        assert needed("performance.quality.accuracy_vs_baseline", limit, assumed=Assumed(discordant=discordant)) == n


@pytest.mark.parametrize(("base", "n"), [(0.1, 2235), (0.3, 580), (0.5, 249)])
def test_impact_ratio_by_the_guide(base, n):
    assert needed("bias.groups.impact_ratio[attribute=*]", "min: 0.8", assumed=Assumed(base_rate=base)) == n


def test_a_rare_event_by_the_rule_of_three():
    assert needed("shift.overlap.exact_share[domain=*]", "max: 0.01") == 299


def test_groups_are_counted_each():
    both = stats.n_for_difference((0.5, 0.5), margin=0.1, alpha=0.05)
    assert needed("bias.groups.accuracy_difference[attribute=*]", "max: 0.1") == both


def test_an_alarm_is_planned_for_a_violation_and_a_proof_for_none():
    alarm = needed("robustness.upper_case.accuracy_drop[severity=2]", "max: 0.1", burden="prove_bad")
    proof = needed("robustness.upper_case.accuracy_drop[severity=2]", "max: 0.1")
    assert alarm == stats.n_for_paired(0.15, margin=0.05, difference=0.15, alpha=0.05)
    assert proof == stats.n_for_paired(0.1, margin=0.1, alpha=0.05)


def test_a_stricter_decision_and_more_power_need_more_and_minimum_n_is_the_least():
    name, limit = "performance.quality.accuracy", "min: 0.85"
    assert needed(name, limit, alpha=0.01) > needed(name, limit)
    assert needed(name, limit, assumed=Assumed(power=0.9)) > needed(name, limit)
    assert needed(name, limit, minimum_n=10_000) == 10_000


@pytest.mark.parametrize(
    ("check", "limit", "keys"),
    [
        ("performance.quality.mcc", "min: 0.5", {}),
        ("performance.quality.accuracy", "min: 0", {"burden": "prove_bad"}),
        ("bias.groups.impact_ratio", "min: 1", {}),
        ("mine.probe.number", "min: 1", {}),
    ],
)
def test_where_no_number_can_be_given_it_says_so(check, limit, keys):
    (row,) = plan(policy(entry(check, limit, **keys)), Assumed())
    assert row.needed_n is None
    assert row.basis


def test_only_what_can_decide_is_listed_in_the_order_of_the_policy():
    rules = policy(
        entry("performance.quality.accuracy", "min: 0.8"),
        entry("performance.quality.mcc", "min: 0.8"),
        entry("performance.quality.accuracy", "min: 0.9"),
        entry("performance.quality.f1", "min: 0.9", level="off"),
    )
    assert [(row.check.key, row.line) for row in plan(rules, Assumed())] == [("mcc", 10), ("accuracy", 15)]


# --- with a run -----------------------------------------------------------------------------------------------------


def rate(name, failures, n, *, unit=Unit.PROPORTION, **part):
    estimate = stats.rate([True] * failures + [False] * (n - failures))
    return Measurement(name=name, title=name, estimate=estimate, better=Better.LOWER, unit=unit, slice=part)


@pytest.fixture
def folder(tmp_path):
    """A run of one step with these numbers on disk."""

    def made(rules, *records, compared=()):
        run, planned = RunFolder(tmp_path), step("robustness.upper_case")
        run.manifest_path.write_text(manifest([planned], rules=rules).model_dump_json(), encoding="utf-8")
        (tmp_path / "steps").mkdir()
        end = StepEnd(status="done", records=len(records), items=0)
        lines = "".join(f"{to_line(record)}\n" for record in (*records, end))
        run.step_path(planned.step_id).write_text(lines, encoding="utf-8")
        if compared:
            known = Comparison(
                schema_version=4,
                run_id="run",
                baseline=BaselineUse(run_id="b", model_name="m", model="f", created="2026-01-01T00:00:00Z"),
                differences=(),
                steps=(
                    StepComparison(
                        step_id=planned.step_id, probe=planned.probe, title="t", measurements=tuple(compared)
                    ),
                ),
            )
            run.comparison_path.write_text(known.model_dump_json(), encoding="utf-8")
        return run

    return made


def test_the_run_tells_what_it_has_and_shows(folder):
    rules = policy(entry("robustness.upper_case.flip_rate[severity=*]", "max: 0.1"))
    numbers = [rate("flip_rate", 20, 400, severity="1"), rate("flip_rate", 36, 400, severity="2")]
    (row,) = plan(rules, Assumed(), run=folder(rules, *numbers))
    effect = stats.detectable_effect(numbers[1].estimate, alpha=0.05)
    assert (row.measured, row.n, row.measurement) == (2, 400, "robustness.upper_case.flip_rate[severity=2]")
    assert row.effect == pytest.approx(effect)
    assert row.needed_n == pytest.approx(400 * (effect / 0.01) ** 2, abs=2)
    # more than the gate's own estimate, which is for an even chance of a decision
    assert row.needed_n > stats.needed_n(numbers[1].estimate, threshold=0.1)


def test_what_it_shows_is_what_the_gate_goes_by(folder):
    keys = {"burden": "prove_bad", "family": "f"}
    check = "robustness.upper_case.flip_rate[severity=*]"
    numbers = [rate("flip_rate", 20, 400, severity=str(place)) for place in range(5)]
    (row,) = plan(
        policy(entry(check, "max: 0.1", **keys)), Assumed(), run=folder(policy(entry(check, "max: 0.1")), *numbers)
    )
    run = step("robustness.upper_case")
    for max_mde, status in ((row.effect * 1.001, Status.PASS), (row.effect * 0.999, Status.INCONCLUSIVE)):
        rules = policy(entry(check, "max: 0.1", max_mde=max_mde, **keys))
        end = StepEnd(status="done", records=5, items=0)
        result = StepResult(step_id=run.step_id, records=tuple(numbers), end=end, telemetry=None)
        verdict = judge(manifest([run], rules=rules), {run.step_id: result}, rules)
        assert {finding.status for finding in verdict.findings} == {status}


def test_a_silent_alarm_needs_nothing_unless_it_must_be_able_to_sound(folder):
    check = "robustness.upper_case.flip_rate[severity=2]"
    number = rate("flip_rate", 4, 400, severity="2")
    quiet = policy(entry(check, "max: 0.1", burden="prove_bad"))
    run = folder(quiet, number)
    (row,) = plan(quiet, Assumed(), run=run)
    assert row.needed_n is None
    assert "passes" in row.basis
    (asked,) = plan(policy(entry(check, "max: 0.1", burden="prove_bad", max_mde=0.005)), Assumed(), run=run)
    assert asked.needed_n > 400


def test_what_the_run_does_not_have_is_planned_as_before_it(folder):
    rules = policy(entry("performance.quality.accuracy", "min: 0.85"))
    (row,) = plan(rules, Assumed(), run=folder(rules, rate("flip_rate", 4, 400)))
    assert (row.needed_n, row.measured, row.n) == (223, 0, None)
    assert row.basis.startswith("not measured in this run")


def test_too_few_items_need_those_that_the_policy_asks_for(folder):
    rules = policy(entry("robustness.upper_case.flip_rate[severity=2]", "max: 0.1", minimum_n=30))
    (row,) = plan(rules, Assumed(), run=folder(rules, rate("flip_rate", 0, 12, severity="2")))
    assert (row.needed_n, row.n, row.effect) == (30, 12, None)


def test_numbers_of_a_comparison_count_as_well(folder):
    rules = policy(entry("robustness.upper_case.changed_vs_baseline", "max: 0.01"))
    difference = stats.paired_difference([True] * 200 + [False] * 200, [True] * 199 + [False] * 201)
    number = Measurement(
        name="changed_vs_baseline", title="t", estimate=difference, better=Better.LOWER, unit=Unit.DIFFERENCE
    )
    (row,) = plan(rules, Assumed(), run=folder(rules, rate("flip_rate", 4, 400), compared=[number]))
    assert (row.measured, row.n) == (1, 400)
    assert row.effect == pytest.approx(stats.detectable_effect(difference, alpha=0.05))


def test_payload_is_plain():
    (row,) = plan(policy(entry("performance.quality.accuracy", "min: 0.85")), Assumed())
    assert row.payload["needed_n"] == 223
    assert row.payload["level"] == "block"
    assert row.payload["detectable_effect"] is None
