"""A waiver from the day it is granted to the day it ends: what it lets pass, what ends it, where all may read it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest
from junitparser import JUnitXml, Skipped

from audits.gate.judgement import judge
from audits.gate.waivers import parse_waivers
from audits.policy.policy import parse_policy
from probes.core.errors import UsageError
from probes.core.findings import ExitCode, Finding, Status, Verdict, WaiverState
from probes.core.records import Record, Skip, SkipReason
from tests.audits.gate.test_gate import done, failed, manifest, measured, policy, step
from tests.audits.test_exit_codes import FAILS, HOLDS, OPEN, RULES, code, folder, process, waivers, written

__all__ = ["process"]  # a fixture for every test here

CHECK = "robustness.typos.flip_rate"
GRANTED, ENDS = date(2026, 11, 20), date(2027, 1, 15)
ACCEPTED = {
    "id": "W-1", "checks": [CHECK], "model": "fake", "max_observed": 0.25, "reason": "relabelled until spring",
    "owner": "a.lopez@example.org", "approver": "risk@example.org", "created": str(GRANTED), "expires": str(ENDS),
}  # fmt: skip
"""Of a model of which 20 % of answers change where the policy allows 5 %."""


def given(*entries: dict[str, object], day: date):
    told = json.dumps({"apiVersion": "audit-waivers/v1", "waivers": list(entries)})
    return parse_waivers(told, name="waivers.yaml", as_of=day)


def verdict(
    changes: dict[str, object] | None = None,
    *,
    day: date = GRANTED,
    typos: dict[str, float] | Record | str = FAILS,
    case: dict[str, float] = HOLDS,
    rule: dict[str, object] | None = None,
    **settings: object,
) -> Verdict:
    """Two blocking checks, the first with a waiver, judged on a day; `settings` are those of the policy."""
    checks = json.loads(policy({"check": CHECK, **(rule or {})}, RULES[1]).text)
    rules = parse_policy(json.dumps(checks | settings), name="policy.yaml")
    one, other = step(), step("robustness.case")
    first = failed(one) if typos == "crashed" else done(one, measured(**typos) if isinstance(typos, dict) else typos)
    results = {one.step_id: first, other.step_id: done(other, measured(**case))}
    return judge(
        manifest([one, other], rules=rules), results, rules, waivers=given({**ACCEPTED, **(changes or {})}, day=day)
    )


def first(judged: Verdict) -> Finding:
    return next(finding for finding in judged.findings if finding.check.startswith("robustness.typos"))


# --- in force ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("result", "underlying"), [(FAILS, Status.FAIL), (OPEN, Status.INCONCLUSIVE)])
def test_a_waiver_in_force_lets_the_check_pass_and_shows_what_is_beneath(result, underlying):
    judged = verdict(typos=result)
    assert judged.exit_code == ExitCode.PASSED
    found = first(judged)
    assert (found.status, found.underlying, found.waiver) == (Status.WAIVED, underlying, "W-1")
    assert judged.counts["WAIVED"] == 1
    assert (judged.waivers[0].state, judged.waivers[0].findings) == (WaiverState.USED, (CHECK,))
    assert "W-1 until 2027-01-15" in judged.sentence
    assert judged.as_of == "2026-11-20"
    assert judged.waivers_digest == given(ACCEPTED, day=GRANTED).digest


def test_it_lets_a_required_check_pass_too():
    assert verdict(rule={"required": True}).exit_code == ExitCode.PASSED


def test_it_accepts_one_check_and_hides_no_other():
    judged = verdict(case=FAILS)
    assert judged.exit_code == ExitCode.FAILED
    assert first(judged).status is Status.WAIVED
    assert "1 of 2 blocking checks failed" in judged.sentence
    assert verdict(case=OPEN).exit_code == ExitCode.INCONCLUSIVE


def test_it_changes_no_number_and_no_other_finding():
    plain, waived = verdict({"expires": str(GRANTED)}, day=ENDS), verdict()
    ours = [finding.model_dump(exclude={"status", "underlying", "waiver"}) for finding in waived.findings]
    assert ours == [finding.model_dump(exclude={"status", "underlying", "waiver"}) for finding in plain.findings]


def test_of_a_family_of_alarms_the_others_are_corrected_as_before():
    rule = {"burden": "prove_bad", "family": "f"}
    judged = verdict(typos={"value": 0.2, "half": 0.01}, rule=rule)
    assert (first(judged).status, judged.exit_code) == (Status.WAIVED, ExitCode.PASSED)


# --- the end of it ----------------------------------------------------------------------------------------------------

DAYS = [
    (GRANTED - timedelta(days=1), WaiverState.MISMATCHED),
    (GRANTED, WaiverState.USED),
    (ENDS, WaiverState.USED),
    (ENDS + timedelta(days=1), WaiverState.EXPIRED),
]


@pytest.mark.parametrize(("day", "state"), DAYS)
def test_day_by_day(day, state):
    judged = verdict(day=day)
    assert judged.waivers[0].state is state
    assert judged.exit_code == (ExitCode.PASSED if state is WaiverState.USED else ExitCode.FAILED)


OUT_OF_ORDER = {
    WaiverState.EXPIRED: ({"expires": "2026-11-30"}, {}),
    WaiverState.UNUSED: ({"checks": ["robustness.typos.accuracy_drop"]}, {}),
    WaiverState.MISMATCHED: ({"model": "another"}, {}),
    WaiverState.EXCEEDED: ({"max_observed": 0.19}, {}),
    WaiverState.NOT_WAIVABLE: ({}, {"non_waivable": ["robustness.typos.*"]}),
}
"""State -> what is wrong with the waiver, and what the policy says."""


@pytest.mark.parametrize("state", OUT_OF_ORDER)
def test_what_is_not_in_order_blocks_and_is_said(state):
    changes, settings = OUT_OF_ORDER[state]
    judged = verdict(changes, day=date(2026, 12, 20), **settings)
    assert judged.exit_code == ExitCode.FAILED
    assert first(judged).status is Status.FAIL
    assert judged.waivers[0].state is state
    assert "W-1" in judged.sentence
    assert judged.waivers[0].note in judged.sentence


@pytest.mark.parametrize("state", [WaiverState.EXPIRED, WaiverState.UNUSED, WaiverState.MISMATCHED])
def test_it_holds_up_even_a_model_that_passes(state):
    changes, settings = OUT_OF_ORDER[state]
    judged = verdict(changes, day=date(2026, 12, 20), typos=HOLDS, **settings)
    assert judged.exit_code == ExitCode.INCONCLUSIVE
    assert judged.waivers[0].state is state
    assert judged.waivers[0].note in judged.sentence


def test_one_out_of_order_beside_one_in_force():
    rules = policy({"check": CHECK}, RULES[1])
    one, other = step(), step("robustness.case")
    results = {one.step_id: done(one, measured(**FAILS)), other.step_id: done(other, measured(**HOLDS))}
    both = given(ACCEPTED, {**ACCEPTED, "id": "W-2", "checks": ["robustness.case.flip_rate"]}, day=GRANTED)
    judged = judge(manifest([one, other], rules=rules), results, rules, waivers=both)
    assert [use.state for use in judged.waivers] == [WaiverState.USED, WaiverState.UNUSED]
    assert judged.exit_code == ExitCode.INCONCLUSIVE
    assert "W-2" in judged.sentence


@pytest.mark.parametrize(("value", "state"), [(0.25, WaiverState.USED), (0.2500001, WaiverState.EXCEEDED)])
def test_it_dies_with_the_first_step_beyond_what_was_accepted(value, state):
    assert verdict(typos={"value": value}).waivers[0].state is state


def test_a_pattern_covers_no_check_that_blocks():
    judged = verdict({"checks": ["robustness.typos.*"]})
    assert (judged.exit_code, judged.waivers[0].state) == (ExitCode.FAILED, WaiverState.NOT_WAIVABLE)
    warned = verdict({"checks": ["robustness.typos.*"]}, rule={"level": "warn"})
    assert (warned.exit_code, warned.waivers[0].state) == (ExitCode.PASSED, WaiverState.USED)


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("crashed", ExitCode.INCOMPLETE),
        (Skip(reason=SkipReason.NOT_SELECTED, detail="d", name="flip_rate"), ExitCode.INCONCLUSIVE),
        (Skip(reason=SkipReason.WRONG_PROBLEM, detail="d", name="flip_rate"), ExitCode.INCONCLUSIVE),
    ],
)
def test_what_was_not_measured_cannot_be_accepted(result, expected):
    judged = verdict(typos=result)
    assert (judged.exit_code, judged.waivers[0].state) == (expected, WaiverState.UNUSED)


def test_the_policy_may_allow_less_time():
    with pytest.raises(UsageError, match="56 days; the policy allows 30"):
        verdict(max_waiver_days=30)


# --- from outside -----------------------------------------------------------------------------------------------------

TODAY = datetime.now(UTC).date()
REFUSED = {
    "owner approves": ({"owner": "Risk Office", "approver": " risk  office"}, "somebody else"),
    "longer than 90 days": ({"expires": str(TODAY + timedelta(days=91))}, "90 days"),
    "ends before it begins": ({"expires": str(TODAY - timedelta(days=1))}, "before it was created"),
    "no end": ({"expires": ""}, "expires"),
    "no reason": ({"reason": ""}, "reason"),
    "unknown key": ({"until": "never"}, "until"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_file_that_is_not_in_order_is_refused_and_judges_nothing(what, tmp_path, capsys):
    changes, said = REFUSED[what]
    run = folder(tmp_path / "run", typos=FAILS)
    assert code("gate", run.path, "--waivers", waivers(tmp_path / "waivers.yaml", **changes)) == ExitCode.USAGE
    told = " ".join(capsys.readouterr().err.split())
    assert said in told
    assert "line" in told
    assert not run.findings_path.exists()


def everywhere(run: Path, printed: str) -> dict[str, str]:
    """Whatever a person may look at, as text on one line."""
    names = ("report.html", "summary.md", "pull-request.md", "junit.xml", "findings.json")
    texts = {name: (run / name).read_text(encoding="utf-8") for name in names} | {"terminal": printed}
    return {name: " ".join(unescape(text).split()) for name, text in texts.items()}


def test_a_waiver_in_force_is_printed_everywhere(tmp_path, capsys):
    run = folder(tmp_path / "run", typos=FAILS)
    assert code("gate", run.path) == ExitCode.FAILED
    capsys.readouterr()
    assert code("gate", run.path, "--waivers", waivers(tmp_path / "waivers.yaml")) == ExitCode.PASSED
    end = str(TODAY + timedelta(days=30))
    for name, text in everywhere(run.path, capsys.readouterr().out).items():
        assert "W-1" in text, name
        assert end in text, name
    assert all(word in everywhere(run.path, "")["report.html"] for word in ("lopez", "risk", "Waived"))
    (case,) = [case for suite in JUnitXml.fromfile(str(run.file("junit.xml"))) for case in suite if case.name == CHECK]
    assert isinstance(case.result[0], Skipped)
    (result,) = json.loads(run.file("findings.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert result["suppressions"][0]["status"] == "accepted"


ENDED = {
    WaiverState.EXPIRED: {"created": str(TODAY - timedelta(days=60)), "expires": str(TODAY - timedelta(days=1))},
    WaiverState.UNUSED: {"checks": ["robustness.case.flip_rate"]},
    WaiverState.MISMATCHED: {"model": "another"},
    WaiverState.EXCEEDED: {"max_observed": 0.19},
    WaiverState.NOT_WAIVABLE: {"checks": ["robustness.typos.*"]},
}


@pytest.mark.parametrize("state", ENDED)
def test_a_waiver_that_is_not_in_order_is_printed_everywhere_and_blocks(state, tmp_path, capsys):
    run = folder(tmp_path / "run", typos=FAILS)
    file = waivers(tmp_path / "waivers.yaml", **ENDED[state])
    assert code("gate", run.path, "--waivers", file) == ExitCode.FAILED
    note = run.verdict().waivers[0].note
    for name, text in everywhere(run.path, capsys.readouterr().out).items():
        assert "W-1" in text, name
        assert note.split(" is ")[0].split(",")[0] in text.replace("&#42;", "*"), name
    assert run.verdict().waivers[0].state is state


def test_the_policy_decides_what_nobody_may_waive(tmp_path):
    run = folder(tmp_path / "run", typos=FAILS)
    rules = written(tmp_path / "policy.yaml", *RULES, non_waivable=[CHECK])
    file = waivers(tmp_path / "waivers.yaml")
    assert code("gate", run.path, "--policy", rules, "--waivers", file) == ExitCode.FAILED
    assert run.verdict().waivers[0].state is WaiverState.NOT_WAIVABLE


def test_from_the_first_failure_to_the_end(tmp_path):
    """Fails, is accepted, is judged once more without the file, and verifies in every state."""
    run = folder(tmp_path / "run", typos=FAILS)
    file = waivers(tmp_path / "waivers.yaml")
    for arguments, expected in (
        ([], ExitCode.FAILED),
        (["--waivers", file], ExitCode.PASSED),
        ([], ExitCode.FAILED),
    ):
        assert code("gate", run.path, *arguments) == expected
        assert code("verify", run.path) == ExitCode.PASSED
