"""The findings register: how grave, whom it concerns, where its record stands, who accepted it."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from probes.core.findings import Level, Status
from probes.core.records import Unit
from reports.limits import Limits
from reports.load import load
from reports.page import page
from reports.severity import margin, severity
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import check, plain, share


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return synthetic.rich(tmp_path_factory.mktemp("rich"))


@pytest.fixture(scope="module")
def entries(run):
    return page(load(run), limits=Limits()).register


def facts_of(entry):
    return {fact.name: fact.value for fact in entry.facts}


def test_every_entry_answers_the_questions_of_a_register(entries):
    for entry in entries:
        names = list(facts_of(entry))
        assert {"Condition", "Severity", "Concerns", "Criteria", "Cause", "Consequence", "Recommendation", "Evidence",
                "Check"} <= set(names)  # fmt: skip
        assert [link.text for link in entry.links][-1] == "Policy"


def test_the_evidence_is_the_line_of_the_file_that_holds_the_number(run, entries):
    """Read back from disk by what the report says."""
    seen = 0
    findings = {finding.check: finding for finding in run.verdict().findings}
    for entry in entries:
        facts = facts_of(entry)
        finding = findings[facts["Check"]]
        found = re.fullmatch(r"(steps/\w+\.jsonl), line (\d+), SHA-256 (\w{64})", facts["Evidence"])
        if finding.estimate is None or found is None:
            continue
        content = (run.path / found[1]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == found[3]
        record = json.loads(content.decode().split("\n")[int(found[2]) - 1])
        assert (record["name"], record["slice"]) == (finding.measurement, dict(finding.slice))
        seen += 1
    assert seen > 15


def test_a_broken_test_points_at_what_it_left(entries):
    entry = next(entry for entry in entries if facts_of(entry)["Check"].startswith("robustness.paraphrase"))
    assert re.fullmatch(r"steps/\w+\.failed\.jsonl, SHA-256 \w{64}", facts_of(entry)["Evidence"])


def test_a_change_since_the_baseline_points_at_the_comparison(tmp_path):
    step = synthetic.Step("performance.quality", "Quality", synthetic.quality_records())
    found = check("performance.quality", "loss of accuracy", status=Status.FAIL, name="accuracy_vs_baseline",
                  estimate=plain(0.03, 0.01), maximum=0.01, unit=Unit.DIFFERENCE)  # fmt: skip
    comparison = synthetic.compared([step, step])
    run = synthetic.write(tmp_path, [step], [found], comparison=comparison)
    (entry,) = page(load(run), limits=Limits()).register
    assert facts_of(entry)["Evidence"].startswith("comparison.json, SHA-256 ")


def test_a_waived_finding_names_the_waiver_and_leads_to_it(entries):
    (entry,) = [entry for entry in entries if entry.badge.word == "Waived"]
    facts = facts_of(entry)
    assert facts["Waiver"].startswith("W-2026-014, until 2027-01-15: Phone notes are typed in haste")
    assert "Owner: support-platform@example.org. Approver: model-risk@example.org." in facts["Waiver"]
    assert ("Waiver", "waivers") in [(link.text, link.anchor) for link in entry.links]
    assert facts["Severity"].startswith("Medium: ")
    assert facts["Concerns"] == "Items of this part of the data: language."
    assert facts["Criteria"].endswith("Line 9 of the policy.")


@pytest.mark.parametrize(
    ("changes", "begins", "told"),
    [
        ({"status": Status.FAIL}, "High: ", "20.0 percentage points beyond"),
        ({"status": Status.FAIL, "level": Level.WARN}, "Medium: ", "beyond"),
        ({"status": Status.FAIL, "level": Level.INFO}, "Low: ", "beyond"),
        ({"status": Status.INCONCLUSIVE}, "Not known: ", "Up to high."),
        ({"status": Status.ERROR, "estimate": None}, "Not known: ", "Up to high."),
    ],
)
def test_severity_follows_from_the_policy_and_says_what_it_rests_on(changes, begins, told):
    fields = {"estimate": share(300, 1000), "maximum": 0.1} | changes
    assert severity(check("r.a", "a", **fields)).startswith(begins)
    assert told in severity(check("r.a", "a", **fields))
    assert "no test measures it" in severity(check("r.a", "a", **fields))


@pytest.mark.parametrize(
    ("estimate", "limits", "unit", "expected"),
    [
        (share(300, 1000), {"maximum": 0.1}, Unit.PROPORTION, "20.0 pp beyond"),
        (share(50, 1000), {"maximum": 0.1}, Unit.PROPORTION, "5.0 pp inside"),
        (share(900, 1000), {"minimum": 0.95}, Unit.PROPORTION, "5.0 pp beyond"),
        (plain(0.871, 0.02), {"minimum": 0.8}, Unit.SCORE, "0.071 inside"),
        (share(5, 10), {}, Unit.PROPORTION, ""),
        (None, {"maximum": 0.1}, Unit.PROPORTION, ""),
    ],
)
def test_the_margin_names_the_side(estimate, limits, unit, expected):
    assert margin(check("r.a", "a", status=Status.PASS, estimate=estimate, unit=unit, **limits)) == expected
