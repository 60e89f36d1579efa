"""The gate: every status, every exit code and their precedence, and what it promises about wrong decisions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audits.gate import absences
from audits.gate.decide import Case, decide, p_value
from audits.gate.judgement import judge, run_gate
from audits.policy.policy import Check, load_policy, parse_policy
from probes.core import stats
from probes.core.answers import ProblemType
from probes.core.errors import IntegrityError, OutputError, PolicyError, UsageError
from probes.core.examples import DataCard
from probes.core.findings import ExitCode, Level, Status, Verdict
from probes.core.manifest import Environment, Manifest, PlannedSkip, PlannedStep
from probes.core.records import (
    ALPHAS,
    SCHEMA_VERSION,
    Better,
    Estimate,
    Measurement,
    Skip,
    SkipReason,
    StepEnd,
    Tail,
    Unit,
    to_line,
)
from probes.core.run_folder import RunFolder, StepResult
from probes.registry import load_registry
from tests.conftest import model_card

HOSTILE = "<script>alert(1)</script>\u202egnp\u2028\x00\x1b[31m=cmd|' /C calc'!A0"


def estimate(value, *, half, n=400, clusters=None, tails=True):
    """Bounds at `half` for alpha 0.05, wider for smaller alphas."""
    rungs = [Tail(alpha=a, low=value - half * (0.05 / a) ** 0.3, high=value + half * (0.05 / a) ** 0.3) for a in ALPHAS]
    low, high = (rungs[2].low, rungs[2].high) if tails else (value - half, value + half)
    return Estimate(
        value=value, low=low, high=high, n=n, clusters=clusters or n, method="test", tails=tuple(rungs) if tails else ()
    )


def measured(name="flip_rate", *, value=0.02, half=0.01, better=Better.LOWER, part=None, est=None, **rest):
    return Measurement(
        name=name,
        title=rest.pop("title", "share of answers that change"),
        estimate=est or estimate(value, half=half, **rest),
        better=better,
        unit=Unit.PROPORTION,
        slice=part or {},
    )


def step(probe="robustness.typos"):
    return PlannedStep(
        step_id=probe.replace(".", "")[:12],
        probe=probe,
        version=1,
        risk=probe.split(".")[0],
        title=probe,
        items=400,
        calls=400,
        sample="s",
    )


def done(planned, *records):
    end = StepEnd(status="done", records=len(records), items=0)
    return StepResult(step_id=planned.step_id, records=records, end=end, telemetry=None)


def failed(planned, *records, error="RuntimeError: boom"):
    end = StepEnd(status="failed", records=len(records), items=0, error=error, traceback="...")
    return StepResult(step_id=planned.step_id, records=records, end=end, telemetry=None)


def policy(*checks, **common):
    """A policy of one check for each mapping; `common` fills what they leave open."""
    base = {"level": "block", "max": 0.05, "rationale": "r", "source": "s", **common}
    rows = []
    for check in checks:
        row = {**base, **check}
        if "min" in check:
            row.pop("max")
        rows.append(row)
    document = {"apiVersion": "audit-policy/v1", "id": "test", "version": "1", "checks": rows}
    return parse_policy(json.dumps(document), name="test.yaml")


FLIPS = {"check": "robustness.typos.flip_rate"}


def manifest(steps=(), skips=(), *, rules=None, problem=ProblemType.SINGLE_LABEL):
    rules = rules or policy(FLIPS)
    return Manifest(
        schema_version=SCHEMA_VERSION,
        run_id="run",
        created="2026-01-01T00:00:00Z",
        command=("audit", "run"),
        config={},
        policy=rules.text,
        policy_digest=rules.digest,
        seed=0,
        model=model_card(problem=problem),
        data=DataCard(name="d", source="d", fingerprint="0" * 64, n=400, labelled=400),
        environment=Environment(
            tool="1", python="3", platform="p", device="cpu", device_name="c", dtype="float32", threads=1, packages={}
        ),
        steps=tuple(steps),
        skips=tuple(skips),
        methodology={},
        suite="full",
    )


def verdict_on(*records, rules=None, **rest):
    """One finished step with these records, judged."""
    rules = rules or policy(FLIPS)
    planned = step()
    return judge(manifest([planned], rules=rules, **rest), {planned.step_id: done(planned, *records)}, rules)


def only(verdict):
    assert len(verdict.findings) == 1
    return verdict.findings[0]


# --- one check ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "half", "status", "exit_code"),
    [
        (0.02, 0.01, Status.PASS, ExitCode.PASSED),
        (0.04, 0.01, Status.PASS, ExitCode.PASSED),  # the bound on the limit itself keeps it
        (0.04, 0.02, Status.INCONCLUSIVE, ExitCode.INCONCLUSIVE),
        (0.06, 0.02, Status.INCONCLUSIVE, ExitCode.INCONCLUSIVE),
        (0.09, 0.03, Status.FAIL, ExitCode.FAILED),
    ],
)
def test_prove_good_with_a_maximum(value, half, status, exit_code):
    verdict = verdict_on(measured(value=value, half=half))
    assert (only(verdict).status, verdict.exit_code) == (status, exit_code)


@pytest.mark.parametrize(
    ("value", "half", "status"),
    [(0.95, 0.02, Status.PASS), (0.91, 0.02, Status.INCONCLUSIVE), (0.85, 0.02, Status.FAIL)],
)
def test_prove_good_with_a_minimum(value, half, status):
    verdict = verdict_on(measured(value=value, half=half, better=Better.HIGHER), rules=policy({**FLIPS, "min": 0.9}))
    assert only(verdict).status is status


@pytest.mark.parametrize(
    ("value", "half", "status"),
    [(0.02, 0.01, Status.PASS), (0.06, 0.02, Status.PASS), (0.09, 0.03, Status.FAIL)],
)
def test_prove_bad_alone(value, half, status):
    finding = only(verdict_on(measured(value=value, half=half), rules=policy(FLIPS, burden="prove_bad")))
    assert finding.status is status
    if status is Status.PASS:
        assert "Not shown to violate" in finding.message


def test_the_bound_that_decided_is_named():
    passing = only(verdict_on(measured(value=0.02, half=0.01)))
    failing = only(verdict_on(measured(value=0.09, half=0.03)))
    assert (passing.bound, failing.bound) == (pytest.approx(0.03), pytest.approx(0.06))
    assert passing.alpha == 0.05


def test_inconclusive_says_how_many_items_would_decide():
    finding = only(verdict_on(measured(value=0.04, half=0.02)))
    assert finding.needed_n == 400 * (0.02 / 0.01) ** 2
    assert "1,600 items" in finding.message


def test_value_on_the_limit_names_no_number_of_items():
    finding = only(verdict_on(measured(value=0.05, half=0.02)))
    assert finding.status is Status.INCONCLUSIVE
    assert finding.needed_n is None


def test_smaller_alpha_needs_more_evidence():
    at = {a: only(verdict_on(measured(value=0.038, half=0.01), rules=policy(FLIPS, alpha=a))) for a in (0.05, 0.001)}
    assert (at[0.05].status, at[0.001].status) == (Status.PASS, Status.INCONCLUSIVE)


def test_minimum_n_counts_independent_items():
    rules = policy(FLIPS, minimum_n=100)
    few = only(verdict_on(measured(value=0.0, half=0.0001, n=400, clusters=80), rules=rules))
    assert (few.status, few.needed_n) == (Status.INCONCLUSIVE, 100)
    assert only(verdict_on(measured(clusters=100), rules=rules)).status is Status.PASS


def test_number_without_bounds_cannot_be_judged():
    verdict = verdict_on(measured(est=estimate(0.01, half=0.001, tails=False)))
    assert (only(verdict).status, verdict.exit_code) == (Status.ERROR, ExitCode.INCOMPLETE)


def test_limit_on_the_wrong_side_is_a_policy_error():
    with pytest.raises(PolicyError) as caught:
        verdict_on(measured(better=Better.HIGHER))
    assert "min" in caught.value.hint


def test_context_numbers_take_either_limit():
    assert only(verdict_on(measured(better=Better.CONTEXT))).status is Status.PASS


# --- levels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["warn", "info"])
@pytest.mark.parametrize(("value", "status"), [(0.2, Status.FAIL), (0.05, Status.INCONCLUSIVE)])
def test_only_blocking_checks_change_the_exit_code(level, value, status):
    rules = policy({"check": "robustness.typos.*", "max": 0.9}, {**FLIPS, "level": level})
    verdict = verdict_on(measured(value=value, half=0.02), measured("other", value=0.1, half=0.01), rules=rules)
    assert verdict.exit_code == ExitCode.PASSED
    assert verdict.counts[status] == 1


def test_off_takes_a_measurement_out():
    rules = policy({"check": "robustness.*.*"}, {**FLIPS, "level": "off"})
    verdict = verdict_on(measured(value=0.9), measured("other"), rules=rules)
    assert only(verdict).check == "robustness.typos.other"


def test_last_match_decides_alone():
    rules = policy({**FLIPS, "max": 0.001}, {"check": "robustness.*.flip_rate", "max": 0.5, "level": "warn"})
    finding = only(verdict_on(measured(value=0.2), rules=rules))
    assert (finding.status, finding.level, finding.maximum) == (Status.PASS, Level.WARN, 0.5)


def test_exception_below_a_rule_leaves_the_rest_to_the_rule():
    rules = policy(
        {"check": "robustness.*.flip_rate[severity=*]", "max": 0.01},
        {"check": "robustness.*.flip_rate[severity=2]", "max": 0.5},
    )
    verdict = verdict_on(*(measured(value=0.2, part={"severity": s}) for s in "123"), rules=rules)
    assert {f.check[-2]: f.status for f in verdict.findings} == {"1": Status.FAIL, "2": Status.PASS, "3": Status.FAIL}


def test_brackets_are_literal():
    rules = policy({"check": "robustness.*.flip_rate[severity=2]"}, {"check": "robustness.*.other"})
    verdict = verdict_on(
        measured(part={"severity": "2"}), measured("flip_ratei"), measured("flip_rate"), measured("other"), rules=rules
    )
    assert [f.check for f in verdict.findings] == ["robustness.typos.flip_rate[severity=2]", "robustness.typos.other"]


def test_checks_for_other_heads_do_not_apply():
    rules = policy({**FLIPS, "problems": ["regression"], "required": True}, {"check": "robustness.typos.other"})
    verdict = verdict_on(measured(value=0.9), measured("other"), rules=rules)
    assert (only(verdict).check, verdict.exit_code) == ("robustness.typos.other", ExitCode.PASSED)


# --- what is not there ----------------------------------------------------------------------------------------------


def absent_step(result):
    lacking, present = step("robustness.case"), step()
    rules = policy({"check": "robustness.*.flip_rate"})
    results = {present.step_id: done(present, measured()), lacking.step_id: result(lacking)}
    return judge(manifest([present, lacking], rules=rules), results, rules)


def test_crashed_step_makes_the_audit_incomplete():
    verdict = absent_step(lambda planned: failed(planned, measured(value=0.0, half=0.001)))
    assert [f.status for f in verdict.findings] == [Status.PASS, Status.ERROR]
    assert verdict.exit_code == ExitCode.INCOMPLETE
    assert "boom" in verdict.findings[1].message


def test_missing_step_makes_the_audit_incomplete():
    verdict = absent_step(lambda planned: None)
    assert [f.status for f in verdict.findings] == [Status.PASS, Status.NOT_RUN]
    assert verdict.exit_code == ExitCode.INCOMPLETE


def test_crashed_step_nobody_asked_about_still_counts():
    present, crashed = step(), step("plugin.other")
    results = {present.step_id: done(present, measured()), crashed.step_id: failed(crashed)}
    verdict = judge(manifest([present, crashed]), results, policy(FLIPS))
    assert (verdict.exit_code, verdict.findings[1].level) == (ExitCode.INCOMPLETE, Level.INFO)


@pytest.mark.parametrize("reason", list(SkipReason))
@pytest.mark.parametrize("required", [False, True])
def test_planned_skip_is_a_row_and_fatal_only_when_required(reason, required):
    skip = Skip(reason=reason, detail="The data have no labels.", enable="pass labelled data with --data")
    rules = policy(FLIPS, {"check": "performance.quality.accuracy", "min": 0.5, "required": required})
    row = PlannedSkip(probe="performance.quality", risk="performance", title="Quality", skip=skip)
    planned = step()
    verdict = judge(manifest([planned], [row], rules=rules), {planned.step_id: done(planned, measured())}, rules)
    finding = verdict.findings[1]
    assert finding.status is (Status.NOT_RUN if reason.applicable else Status.NOT_APPLICABLE)
    assert (finding.message, finding.enable) == (skip.detail, skip.enable)
    # A blocking check that could have been made and was not is never a pass.
    otherwise = ExitCode.INCONCLUSIVE if reason.applicable else ExitCode.PASSED
    assert verdict.exit_code == (ExitCode.INCOMPLETE if required else otherwise)
    assert not required or "pass labelled data with --data" in verdict.sentence


@pytest.mark.parametrize(
    ("name", "part", "concerned"),
    [
        ("flip_rate", {}, True),
        ("flip_rate", {"severity": "2"}, True),
        ("flip_rate", {"severity": "3"}, False),
        ("flip_rate_of_words", {}, False),
        (None, {}, True),
        (None, {"severity": "2"}, True),
        (None, {"group": "a=b"}, False),
        ("accuracy", {}, False),
    ],
)
def test_skip_inside_a_step_concerns_the_checks_of_its_name_and_slice(name, part, concerned):
    skip = Skip(reason=SkipReason.TOO_FEW, detail="Nothing changed.", name=name, slice=part)
    rules = policy(
        {"check": "robustness.typos.flip_rate[severity=2]", "level": "warn"}, {"check": "robustness.typos.other"}
    )
    rows = [f for f in verdict_on(measured("other"), skip, rules=rules).findings if f.message == "Nothing changed."]
    assert bool(rows) is concerned


def test_nothing_perturbed_explains_every_measurement_of_its_slice():
    skip = Skip(reason=SkipReason.NOTHING_PERTURBED, detail="d", name="flip_rate", slice={"severity": "2"})
    rules = policy({"check": "robustness.typos.accuracy_drop[severity=2]"}, {"check": "robustness.typos.other"})
    verdict = verdict_on(measured("other"), skip, rules=rules)
    assert [finding.status for finding in verdict.findings] == [Status.PASS, Status.NOT_RUN]
    assert verdict.exit_code == ExitCode.INCONCLUSIVE
    assert "1 of 2 blocking checks was not measured" in verdict.sentence


@pytest.mark.parametrize("reason", list(SkipReason))
def test_an_alarm_that_lacks_data_leaves_the_verdict_to_the_others(reason):
    skip = Skip(reason=reason, detail="No text mentions a group.")
    alarm = {"check": "bias.swaps.disparity[axis=*]", "burden": "prove_bad"}
    row = PlannedSkip(probe="bias.swaps", risk="bias", title="Swaps", skip=skip)
    planned = step()
    for required, held_up in ((False, ExitCode.INCONCLUSIVE), (True, ExitCode.INCOMPLETE)):
        rules = policy(FLIPS, {**alarm, "required": required})
        verdict = judge(manifest([planned], [row], rules=rules), {planned.step_id: done(planned, measured())}, rules)
        lacks = reason in absences.NO_MATERIAL
        quiet = not required and (lacks or not reason.applicable)
        assert verdict.exit_code == (ExitCode.PASSED if quiet else held_up)
        assert ("1 blocking alarm had too little data" in verdict.sentence) is (lacks and not required)


def test_an_alarm_on_too_few_items_neither_sounds_nor_holds_up():
    alarm = {**FLIPS, "burden": "prove_bad", "minimum_n": 500}
    rules = policy(alarm, {"check": "robustness.typos.other"})
    verdict = verdict_on(measured(), measured("other"), rules=rules)
    assert verdict.findings[0].status is Status.INCONCLUSIVE
    assert verdict.exit_code == ExitCode.PASSED
    assert "1 blocking alarm had too little data" in verdict.sentence
    required = policy({**alarm, "required": True}, {"check": "robustness.typos.other"})
    assert verdict_on(measured(), measured("other"), rules=required).exit_code != ExitCode.PASSED


def test_a_required_check_about_a_baseline_outlives_a_wildcard_for_the_runs_own_numbers():
    compared = {"check": "robustness.typos.accuracy_vs_baseline", "min": -0.01, "required": True}
    verdict = verdict_on(measured(), rules=policy(compared, {"check": "robustness.typos.*", "level": "off"}, FLIPS))
    assert verdict.exit_code == ExitCode.INCOMPLETE
    assert compared["check"] in [finding.check for finding in verdict.findings]


def test_required_check_whose_measurement_was_skipped():
    skip = Skip(reason=SkipReason.TOO_FEW, detail="Only 3 items.", name="flip_rate")
    rules = policy({**FLIPS, "required": True}, {"check": "robustness.typos.other"})
    verdict = verdict_on(measured("other"), skip, rules=rules)
    assert verdict.exit_code == ExitCode.INCOMPLETE
    assert "Only 3 items" in verdict.sentence


@pytest.mark.parametrize(("level", "code"), [("block", ExitCode.INCOMPLETE), ("warn", ExitCode.PASSED)])
def test_check_that_matches_no_measurement(level, code):
    rules = policy(FLIPS, {"check": "robustness.typos.flip_rte", "level": level})
    verdict = verdict_on(measured(), rules=rules)
    assert verdict.exit_code == code
    assert verdict.findings[1].status is Status.NOT_RUN
    assert "did you mean flip_rate?" in verdict.findings[1].message


def test_required_warning_that_matches_nothing():
    rules = policy(FLIPS, {"check": "robustness.typos.gone", "level": "warn", "required": True})
    assert verdict_on(measured(), rules=rules).exit_code == ExitCode.INCOMPLETE


def test_check_that_matches_no_probe_is_a_policy_error():
    with pytest.raises(PolicyError) as caught:
        verdict_on(measured(), rules=policy({"check": "robustness.typoes.flip_rate"}))
    assert "robustness.typos" in caught.value.hint
    assert caught.value.exit_code == ExitCode.USAGE


HATECHECK = {"check": "toxicity.hatecheck.recall", "min": 0.6}


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"level": "warn"}, ExitCode.PASSED),
        ({"level": "block"}, ExitCode.INCONCLUSIVE),
        ({"level": "warn", "required": True}, ExitCode.INCOMPLETE),
    ],
    ids=str,
)
def test_a_check_of_what_the_run_did_not_ask_for_is_a_row_and_never_a_silence(how, code):
    verdict = verdict_on(measured(), rules=policy(FLIPS, {**HATECHECK, **how}))
    row = verdict.findings[1]
    assert (row.check, row.status) == ("toxicity.hatecheck.recall", Status.NOT_RUN)
    assert "--hatecheck" in row.message
    assert "--hatecheck" in row.enable
    assert verdict.exit_code == code


def test_a_wildcard_that_others_answer_is_not_missing_what_was_not_asked_for():
    functional = step("toxicity.functional")
    rules = policy({"check": "toxicity.*.recall", "min": 0.6}, {**HATECHECK, "level": "warn"})
    found = measured("recall", value=0.9, better=Better.HIGHER)
    results = {functional.step_id: done(functional, found)}
    verdict = judge(manifest([functional], rules=rules), results, rules)
    assert [finding.status for finding in verdict.findings] == [Status.PASS, Status.NOT_RUN]
    assert verdict.exit_code == ExitCode.PASSED


@pytest.mark.parametrize("records", [(), (measured("other"),)])
def test_nothing_judged_is_never_a_pass(records):
    rules = policy({**FLIPS, "level": "warn"})
    assert verdict_on(*records, rules=rules).exit_code == ExitCode.INCOMPLETE


def test_run_without_steps_is_never_a_pass():
    row = PlannedSkip(
        probe="robustness.typos", risk="robustness", title="t", skip=Skip(reason=SkipReason.NOT_SELECTED, detail="d")
    )
    assert judge(manifest([], [row]), {}, policy(FLIPS)).exit_code == ExitCode.INCOMPLETE


def test_information_alone_is_never_a_pass():
    assert verdict_on(measured(), rules=policy(FLIPS, level="info")).exit_code == ExitCode.INCOMPLETE


def test_what_was_measured_is_not_missing_because_the_rest_is():
    rules = policy({"check": "robustness.typos.empty_rate", "max": 0.5}, FLIPS)
    nothing = Skip(reason=SkipReason.UNDEFINED, detail="Every text is empty.")
    verdict = verdict_on(measured("empty_rate", value=1.0, half=0.0), nothing, rules=rules)
    found = {finding.check: finding.status for finding in verdict.findings}
    assert found["robustness.typos.empty_rate"] is Status.FAIL
    assert [status for check, status in found.items() if check != "robustness.typos.empty_rate"] == [Status.NOT_RUN]


# --- what was not measured is named, and counted ---------------------------------------------------------------------


def beside_a_skip(*records, rules, probe="performance.quality"):
    """One finished step, and a probe that was left out."""
    skip = Skip(reason=SkipReason.NOT_SELECTED, detail="It was left out.", enable="leave out --only")
    row = PlannedSkip(probe=probe, risk=probe.split(".")[0], title="Quality of the answers", skip=skip)
    planned = step()
    return judge(manifest([planned], [row], rules=rules), {planned.step_id: done(planned, *records)}, rules)


ACCURACY = {"check": "performance.quality.accuracy", "min": 0.8}


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (0.05, "Not decided: 1 of 2 blocking checks needs more items or a human decision, and 1 was not measured. "),
        (0.2, "Blocked: 1 of 2 blocking checks failed. "),
        (0.01, "Not decided: 1 of 2 blocking checks was not measured. "),
    ],
)
def test_a_blocking_check_without_measurement_counts_among_the_blocking_checks(value, told):
    verdict = beside_a_skip(measured(value=value), rules=policy(FLIPS, ACCURACY))
    assert verdict.sentence.startswith(told)


def test_each_check_that_was_not_made_is_a_row_under_its_own_name_with_the_reason():
    rules = policy(FLIPS, ACCURACY, {"check": "performance.*.f1[label=*]", "min": 0.5, "level": "warn"})
    rows = [f for f in beside_a_skip(measured(), rules=rules).findings if f.status is Status.NOT_RUN]
    assert [(f.check, f.level, f.title) for f in rows] == [
        ("performance.quality.accuracy", Level.BLOCK, "Quality of the answers: accuracy"),
        ("performance.quality.f1[label=*]", Level.WARN, "Quality of the answers: f1"),
    ]
    assert {f.message for f in rows} == {"It was left out."}
    assert [f.minimum for f in rows] == [0.8, 0.5]
    assert {f.unit for f in rows} == {Unit.PROPORTION}, "a limit is told as if the number were there"


def test_the_verdict_names_the_check_as_the_policy_does_and_the_reason():
    required = beside_a_skip(measured(), rules=policy(FLIPS, {**ACCURACY, "required": True}))
    assert (
        "the required check performance.quality.accuracy was not measured. It was left out. "
        "To measure it: leave out --only."
    ) in required.sentence
    open_ = beside_a_skip(measured(), rules=policy(FLIPS, ACCURACY))
    assert "the check performance.quality.accuracy was not measured. It was left out." in open_.sentence


def narrowed(*records, rules, only=("robustness.typos",)):
    """One finished step, and a probe that --only left out."""
    skip = Skip(reason=SkipReason.NOT_SELECTED, detail="It was left out by --only.", enable="leave out --only")
    row = PlannedSkip(probe="performance.quality", risk="performance", title="Quality", skip=skip)
    planned = step()
    frozen = manifest([planned], [row], rules=rules).model_copy(update={"config": {"only": list(only)}})
    return judge(frozen, {planned.step_id: done(planned, *records)}, rules)


DROPS = {"check": "robustness.*.accuracy_drop[severity=2]", "level": "warn"}


def attacked_alone(*checks):
    """Attacks were measured; a perturbation, and a probe that has no severities, were left out."""
    skip = Skip(reason=SkipReason.NOT_SELECTED, detail="It was left out by --only.", enable="leave out --only")
    left_out = [
        PlannedSkip(probe=probe, risk="robustness", title=probe, skip=skip)
        for probe in ("robustness.random_case", "robustness.keyboard_typos", "robustness.adversarial_prompts")
    ]
    planned, rules = step("robustness.adversarial"), policy(*checks)
    number = measured("accuracy_drop", part={"recipe": "fast"})
    return judge(manifest([planned], left_out, rules=rules), {planned.step_id: done(planned, number)}, rules).findings


def test_a_wildcard_is_missed_in_the_probes_that_can_have_such_a_number():
    assert sorted((found.probe, found.message) for found in attacked_alone(DROPS)) == [
        ("robustness.keyboard_typos", "It was left out by --only."),
        ("robustness.random_case", "It was left out by --only."),
    ]


def test_a_wildcard_is_not_missed_where_a_later_check_decides():
    rows = attacked_alone(DROPS, {"check": "robustness.keyboard_typos.accuracy_drop[severity=2]"})
    assert {(found.probe, found.level) for found in rows} == {
        ("robustness.random_case", Level.WARN),
        ("robustness.keyboard_typos", Level.BLOCK),
    }


def test_a_wildcard_for_what_no_probe_has_is_never_silent():
    (found,) = attacked_alone({**DROPS, "check": "robustness.*.accuracy_drop[sevrity=2]"})
    assert "No measurement of this run has that name" in found.message


@pytest.mark.parametrize("required", [True, False])
def test_a_part_is_told_how_to_be_judged_alone(required):
    found = narrowed(measured(), rules=policy(FLIPS, {**ACCURACY, "required": required}))
    assert found.exit_code == (ExitCode.INCOMPLETE if required else ExitCode.INCONCLUSIVE)
    assert "performance.quality.accuracy was not measured. It was left out by --only." in found.sentence
    assert found.sentence.endswith("audit gate RUN --policy screening, or a policy of your own.")
    assert len(found.sentence.splitlines()) == 1


def test_a_part_that_no_check_is_about_needs_a_policy_of_its_own():
    found = narrowed(measured("other"), rules=policy({**ACCURACY, "required": True}))
    assert found.exit_code == ExitCode.INCOMPLETE
    assert found.sentence.endswith("(audit gate RUN --policy FILE), or only measure (--no-gate).")


LACKING = Skip(
    reason=SkipReason.NO_RESOURCE,
    detail="The recipe pwws was not run: it needs WordNet.",
    enable="install nltk",
    name="success",
    slice={"recipe": "pwws"},
)
WORST = {"check": "robustness.typos.any_success", "level": "warn"}


@pytest.mark.parametrize("rules", [[WORST, ACCURACY], [WORST]], ids=["a part of the policy", "all of it"])
def test_a_part_whose_check_was_not_measured_is_told_why(rules):
    found = narrowed(LACKING, rules=policy(*rules))
    assert found.exit_code == ExitCode.INCOMPLETE
    assert found.sentence.endswith(
        "Nothing that the policy gates on was measured. robustness.typos: any success: the check "
        "robustness.typos.any_success was not measured. The recipe pwws was not run: it needs WordNet. "
        "To measure it: install nltk."
    )


def test_the_reason_is_told_once():
    found = narrowed(LACKING, rules=policy({**WORST, "required": True}, ACCURACY))
    assert found.sentence.count("it needs WordNet") == 1


@pytest.mark.parametrize("level", ["block", "warn"])
def test_a_number_over_all_parts_is_missing_for_the_reason_that_its_parts_are(level):
    rules = policy({**WORST, "level": level}, {"check": "robustness.typos.success[recipe=bae]", "level": "warn"})
    no_gradients = Skip(reason=SkipReason.NO_CAPABILITY, detail="No gradients.", name="x", slice={"recipe": "fast"})
    rows = {row.check: row for row in verdict_on(no_gradients, LACKING, rules=rules).findings}
    whole = rows["robustness.typos.any_success"]
    assert (whole.status, whole.message, whole.enable) == (Status.NOT_RUN, LACKING.detail, LACKING.enable)
    assert "WordNet" not in rows["robustness.typos.success[recipe=bae]"].message


def test_a_whole_number_that_some_step_has_not_for_want_of_a_part_is_a_mistake_of_the_policy():
    (row,) = verdict_on(measured("success", part={"recipe": "fast"}), LACKING, rules=policy(WORST)).findings
    assert "No measurement of this run has that name" in row.message


def test_a_wildcard_of_changes_does_not_apply_without_a_baseline():
    verdict = verdict_on(measured(), rules=policy(FLIPS, {"check": "robustness.*.flip_rate_vs_baseline"}))
    assert [row.status for row in verdict.findings] == [Status.PASS, Status.NOT_APPLICABLE]
    assert verdict.exit_code == ExitCode.PASSED


def test_a_part_that_the_run_does_not_have_is_told_beside_those_it_has():
    numbers = [measured("success", part={"recipe": name}) for name in ("fast", "deepwordbug")]
    (row,) = verdict_on(*numbers, rules=policy({"check": "robustness.typos.success[recipe=bae]"})).findings
    assert row.message == "This run has success for recipe=deepwordbug and recipe=fast, not for recipe=bae."


@pytest.mark.parametrize(
    ("only", "rules"),
    [((), [FLIPS, {**ACCURACY, "required": True}]), (("robustness.typos",), [FLIPS])],
    ids=["a whole run", "a policy that asks for no more"],
)
def test_others_are_not_told_of_parts(only, rules):
    assert "--only left" not in narrowed(measured(), rules=policy(*rules), only=only).sentence


def test_two_skips_that_concern_one_check_are_one_row():
    skips = [
        Skip(reason=SkipReason.NOTHING_PERTURBED, detail="d", name=name, slice={"severity": "2"})
        for name in ("flip_rate", "accuracy_drop", "changed")
    ]
    rules = policy(
        {"check": "robustness.typos.accuracy_drop[severity=2]"},
        {"check": "robustness.typos.flip_rate[severity=2]"},
        {"check": "robustness.typos.kept[severity=2]"},
    )
    names = [f.check for f in verdict_on(*skips, rules=rules).findings]
    assert sorted(names) == [f"robustness.typos.{n}[severity=2]" for n in ("accuracy_drop", "flip_rate", "kept")]


def test_a_broken_probe_is_one_row_however_many_checks_it_had():
    planned = step()
    rules = policy(FLIPS, {"check": "robustness.typos.accuracy_drop"})
    verdict = judge(manifest([planned], rules=rules), {planned.step_id: failed(planned)}, rules)
    assert (only(verdict).check, only(verdict).level) == ("robustness.typos", Level.BLOCK)


# --- the table of docs/gate.md ---------------------------------------------------------------------------------------

DOCUMENTED = Path(__file__).resolve().parents[3] / "docs" / "gate.md"
WHY = {
    "the probe crashed": ["crashed", "missing"],
    "the run has no measurement of that name": ["mistyped"],
    "it was left out": [
        SkipReason.NOT_SELECTED,
        SkipReason.NO_RESOURCE,
        SkipReason.PLUGIN_BROKEN,
        SkipReason.NO_POSITIVE_CLASS,
        SkipReason.NOT_BY_ENGINE,
    ],
    "the data hold too little": sorted(absences.NO_MATERIAL),
    "it makes no sense": [reason for reason in SkipReason if not reason.applicable],
    "there is a measurement": ["few"],
}
"""Beginning of a row of the table -> what it stands for."""
COLUMNS = (
    {"required": True},
    {"required": True, "burden": "prove_bad"},
    {"burden": "prove_good"},
    {"burden": "prove_bad"},
)


def documented():
    """(row, codes) for each row of the table, a code for each of `COLUMNS`."""
    _, _, text = DOCUMENTED.read_text(encoding="utf-8").partition("### A blocking check without a measurement")
    text, _, _ = text.partition("\n#")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")][2:]
    return [(row[0].strip(), [int(row[place]) for place in (1, 1, 2, 3)]) for row in rows]


def without_measurement(why, rule):
    """The verdict where one check passes and this blocking one, `rule`, has no measurement."""
    other, lacking = step("robustness.case"), step()
    name = "robustness.typos.flip_rte" if why == "mistyped" else "robustness.typos.flip_rate"
    rules = policy({"check": "robustness.case.flip_rate"}, {"check": name, "minimum_n": 2, **rule})
    results = {other.step_id: done(other, measured(value=0.01, half=0.001))}
    if why == "missing":
        results[lacking.step_id] = None
    elif why == "crashed":
        results[lacking.step_id] = failed(lacking)
    elif why in ("few", "mistyped"):
        few = {"n": 1} if why == "few" else {}
        results[lacking.step_id] = done(lacking, measured(value=0.01, half=0.001, **few))
    else:
        results[lacking.step_id] = done(lacking, Skip(reason=why, detail="d", name="flip_rate"))
    return judge(manifest([other, lacking], rules=rules), results, rules)


def test_the_documented_table_has_every_row_and_every_reason():
    assert [next(start for start in WHY if row.startswith(start)) for row, _ in documented()] == list(WHY)
    assert {why for reasons in WHY.values() for why in reasons if isinstance(why, SkipReason)} == set(SkipReason)


@pytest.mark.parametrize(("row", "codes"), documented(), ids=lambda part: part[:20] if isinstance(part, str) else "")
def test_exit_codes_are_the_documented_ones(row, codes):
    reasons = next(whys for start, whys in WHY.items() if row.startswith(start))
    found = {why: [int(without_measurement(why, rule).exit_code) for rule in COLUMNS] for why in reasons}
    assert found == dict.fromkeys(reasons, codes)


# --- precedence -----------------------------------------------------------------------------------------------------

FAILS, OPEN, HOLDS = {"value": 0.2}, {"value": 0.05}, {"value": 0.01, "half": 0.001}


@pytest.mark.parametrize(
    ("first", "second", "crash", "code"),
    [
        (HOLDS, HOLDS, False, ExitCode.PASSED),
        (HOLDS, OPEN, False, ExitCode.INCONCLUSIVE),
        (HOLDS, FAILS, False, ExitCode.FAILED),
        (OPEN, FAILS, False, ExitCode.FAILED),
        (OPEN, HOLDS, True, ExitCode.INCOMPLETE),
        (FAILS, HOLDS, True, ExitCode.INCOMPLETE),
        (FAILS, OPEN, True, ExitCode.INCOMPLETE),
    ],
)
def test_precedence_of_exit_codes(first, second, crash, code):
    rules = policy({"check": "robustness.*.*"})
    one, two = step(), step("robustness.case")
    results = {
        one.step_id: done(one, measured("a", **first), measured("b", **second)),
        two.step_id: failed(two) if crash else done(two, measured()),
    }
    assert judge(manifest([one, two], rules=rules), results, rules).exit_code == code


def test_damaged_policy_comes_before_everything(tmp_path):
    run = stored(tmp_path, measured(value=0.9), policy_digest="0" * 64)
    with pytest.raises(IntegrityError) as caught:
        run_gate(run, policy(FLIPS))
    assert caught.value.exit_code == ExitCode.INTEGRITY


# --- promises -------------------------------------------------------------------------------------------------------


def check(**changes):
    return Check.model_validate(
        {"check": "robustness.*.*", "max": 0.1, "level": "block", "rationale": "r", "source": "s", **changes}
    )


def cases_of(estimates, rule):
    planned = step()
    return [Case(check=rule, step=planned, measurement=measured(f"m{i}", est=est)) for i, est in enumerate(estimates)]


def test_holm_blocks_true_nulls_at_most_alpha():
    """20 checks that all lie exactly on the limit: any block is a false one. Without correction most families block."""
    rng, rule, reps = np.random.default_rng(0), check(burden="prove_bad"), 400
    blocked = naive = 0
    for _ in range(reps):
        cases = cases_of([stats.rate(rng.random(300) < 0.1) for _ in range(20)], rule)
        blocked += any(decision.status is Status.FAIL for decision in decide(cases))
        naive += any(case.beyond(case.bounds(0.05)[1]) for case in cases)
    assert blocked / reps <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / reps)
    assert naive / reps > 0.3


def test_prove_good_approves_at_the_boundary_at_most_alpha():
    rng, rule, reps = np.random.default_rng(1), check(), 2000
    statuses = [decide(cases_of([stats.rate(rng.random(200) < 0.1)], rule))[0].status for _ in range(reps)]
    assert statuses.count(Status.PASS) / reps <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / reps)
    assert statuses.count(Status.PASS) / reps > 0.01  # and it does approve now and then: the test can fail


def test_many_prove_good_checks_need_no_correction():
    """One of 10 checks violates (on the boundary), the others hold: wrong approval stays below alpha."""
    rng, rule, reps = np.random.default_rng(2), check(), 500
    approved = 0
    for _ in range(reps):
        rates = [stats.rate(rng.random(200) < p) for p in (0.1, *[0.01] * 9)]
        approved += all(decision.status is Status.PASS for decision in decide(cases_of(rates, rule)))
    assert approved / reps <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / reps)


def test_holm_still_finds_a_real_violation():
    rng = np.random.default_rng(3)
    rates = [stats.rate(rng.random(300) < p) for p in (0.3, *[0.05] * 19)]
    statuses = [decision.status for decision in decide(cases_of(rates, check(burden="prove_bad")))]
    assert statuses[0] is Status.FAIL
    assert set(statuses[1:]) == {Status.PASS}


def test_p_value_is_the_smallest_alpha_on_record_that_excludes_the_limit():
    assert p_value(cases_of([estimate(0.2, half=0.01)], check())[0]) == 0.001
    assert p_value(cases_of([estimate(0.05, half=0.01)], check())[0]) == 1.0
    at = p_value(cases_of([estimate(0.12, half=0.019)], check())[0])
    assert at == 0.05


def test_families_are_corrected_apart():
    border = estimate(0.12, half=0.019)  # p = 0.05: enough alone, not beside another
    alone = decide(cases_of([border], check(burden="prove_bad")))
    together = decide(cases_of([border, border], check(burden="prove_bad", family="f")))
    apart = decide(
        cases_of([border], check(burden="prove_bad", family="f"))
        + cases_of([border], check(burden="prove_bad", family="g"))
    )
    assert [d.status for d in alone] == [Status.FAIL]
    assert [d.status for d in together] == [Status.PASS] * 2
    assert [d.status for d in apart] == [Status.FAIL] * 2


def test_family_too_large_to_correct_for_is_not_a_pass():
    decisions = decide(cases_of([estimate(0.9, half=0.01)] * 60, check(burden="prove_bad")))
    assert {decision.status for decision in decisions} == {Status.INCONCLUSIVE}


# --- wording, stability, disk ---------------------------------------------------------------------------------------


def test_message_has_natural_numbers():
    value = measured(est=stats.rate(np.arange(412) < 29))
    message = only(verdict_on(value)).message
    assert "about 7 in 100" in message
    assert "5 in 100" in message
    assert "n = 412" in message


def test_hostile_text_is_inert_in_sentences():
    rules = policy({"check": "robustness.typos.*"})
    verdict = verdict_on(measured(title=HOSTILE, part={"label": HOSTILE}, value=0.2), rules=rules)
    for text in (only(verdict).message, verdict.sentence):
        assert not set(text) & set("\u202e\u2028\x00\x1b")
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_hostile_skip_and_error_are_inert():
    planned = step()
    verdict = judge(manifest([planned]), {planned.step_id: failed(planned, error=HOSTILE)}, policy(FLIPS))
    for text in (verdict.sentence, verdict.findings[0].message):
        assert not set(text) & set("\u202e\u2028\x00\x1b")


def test_other_policy_than_the_frozen_one_is_said():
    planned = step()
    rules = policy(FLIPS, max=0.5)
    verdict = judge(manifest([planned]), {planned.step_id: done(planned, measured())}, rules)
    assert "another policy" in verdict.sentence
    assert "another policy" not in verdict_on(measured()).sentence


def stored(folder, *records, **changes):
    """A run folder with one finished step."""
    run, planned = RunFolder(folder), step()
    run.step_path(planned.step_id).parent.mkdir(parents=True)
    end = StepEnd(status="done", records=len(records), items=0)
    lines = [to_line(record) for record in (*records, end)]
    run.step_path(planned.step_id).write_text("\n".join(lines) + "\n", encoding="utf-8")
    frozen = manifest([planned]).model_copy(update=changes)
    run.manifest_path.write_text(frozen.model_dump_json(), encoding="utf-8")
    return run


def test_findings_on_disk_are_the_verdict_and_the_same_bytes_again(tmp_path):
    run = stored(tmp_path, measured(part={"label": HOSTILE}), measured())
    verdict = run_gate(run, policy(FLIPS))
    first = run.findings_path.read_bytes()
    assert run.verdict() == verdict
    run_gate(run, policy(FLIPS))
    assert run.findings_path.read_bytes() == first


def test_cut_short_step_is_an_integrity_error(tmp_path):
    run = stored(tmp_path, measured())
    path = run.step_path(step().step_id)
    path.write_text(path.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")
    with pytest.raises(IntegrityError):
        run_gate(run, policy(FLIPS))
    assert not run.findings_path.exists()


def test_no_run_folder(tmp_path):
    with pytest.raises(UsageError):
        run_gate(RunFolder(tmp_path / "nowhere"), policy(FLIPS))


def test_full_disk_leaves_the_old_findings(tmp_path, monkeypatch):
    run = stored(tmp_path, measured())
    run_gate(run, policy(FLIPS))
    before = run.findings_path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError):
        run_gate(run, policy(FLIPS, max=0.5))
    assert run.findings_path.read_bytes() == before


# --- the policy that comes with the package ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def probe_ids():
    return sorted(load_registry().probes)


def default_run(ids, present):
    """A finished run of all probes; `present` maps "<probe>" to its records, the others say they were not selected."""
    steps = [step(name) for name in present]
    skip = Skip(reason=SkipReason.NOT_SELECTED, detail="It was left out.")
    skips = [
        PlannedSkip(probe=name, risk=name.split(".")[0], title=name, skip=skip) for name in ids if name not in present
    ]
    rules = load_policy(None)
    results = {s.step_id: done(s, *present[s.probe]) for s in steps}
    return manifest(steps, skips, rules=rules), results, rules


def test_default_policy_without_labels_is_incomplete_with_a_remedy(probe_ids):
    frozen, results, rules = default_run(
        [name for name in probe_ids if name != "performance.quality"],
        {"robustness.keyboard_typos": [measured(part={"severity": "2"})]},
    )
    no_gold = Skip(reason=SkipReason.NO_GOLD, detail="No right answers.", enable="pass labelled data with --data")
    row = PlannedSkip(probe="performance.quality", risk="performance", title="Quality", skip=no_gold)
    verdict = judge(frozen.model_copy(update={"skips": (*frozen.skips, row)}), results, rules)
    assert verdict.exit_code == ExitCode.INCOMPLETE
    assert "pass labelled data with --data" in verdict.sentence


def test_default_policy_blocks_a_model_no_better_than_the_commonest_label(probe_ids):
    gain = measured("balanced_accuracy_over_chance", value=-0.1, half=0.02, better=Better.HIGHER)
    verdict = judge(*default_run(probe_ids, {"performance.quality": [gain]}))
    assert verdict.exit_code == ExitCode.FAILED
    assert verdict.sentence.startswith("Blocked")


# --- a wildcard must not hide behind somebody else's skip ----------------------------------------------------------


def two_probes(rules, *, of_first, of_second):
    first, second = step("robustness.typos"), step("robustness.case")
    results = {first.step_id: done(first, *of_first), second.step_id: done(second, *of_second)}
    return judge(manifest([first, second], rules=rules), results, rules)


def test_a_mistyped_wildcard_is_found_though_another_probe_has_a_skip():
    skip = Skip(reason=SkipReason.NOTHING_PERTURBED, detail="d", name="flip_rate")
    rules = policy({"check": "robustness.*.flip_rte"}, {"check": "robustness.*.flip_rate", "level": "warn"})
    verdict = two_probes(rules, of_first=[measured()], of_second=[skip])
    assert verdict.exit_code == ExitCode.INCOMPLETE
    assert any("flip_rte" in finding.check for finding in verdict.findings)


def test_a_probe_that_is_switched_off_is_not_listed_when_it_is_skipped():
    skip = Skip(reason=SkipReason.NOTHING_PERTURBED, detail="d", name="flip_rate")
    rules = policy({"check": "robustness.*.flip_rate"}, {"check": "robustness.case.*", "level": "off"})
    verdict = two_probes(rules, of_first=[measured()], of_second=[skip])
    assert [finding.probe for finding in verdict.findings] == ["robustness.typos"]
    assert verdict.exit_code == ExitCode.PASSED
