"""The policy as applied: who approved what and when, what was waived, and which text judged the run."""

from __future__ import annotations

import json

import pytest

from probes.core.findings import Status, WaiverState
from reports.approvals import approvals
from reports.limits import Limits
from reports.load import load
from reports.page import page
from reports.waivers import STATES, in_short
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import check, share, waiver

TEXT = """\
owner: a@example.org
approved_by: b@example.org
approved_on: 2026-11-02
expires: 2027-05-01
checks:
  - {check: r.*.rate, max: 0.1, approver: c@example.org, approved_on: 2026-11-05}
  - {check: "r.a.rate[severity=*]", max: 0.2}
  - {check: r.b.rate, max: 0.2, approver: d@example.org}
"""


def finding(name):
    probe = name.rpartition(".")[0]
    return check(probe, "t", status=Status.PASS, estimate=share(1, 10), maximum=0.1).model_copy(update={"check": name})


def test_each_threshold_has_the_approver_of_the_last_check_that_matches_or_of_the_whole():
    found = approvals(TEXT)
    assert found.of(finding("r.a.rate")) == "c@example.org, 2026-11-05"
    assert found.of(finding("r.b.rate")) == "d@example.org"
    assert found.of(finding("r.a.rate[severity=2]")) == "b@example.org, 2026-11-02"
    assert found.of(finding("other.a.rate")) == "b@example.org, 2026-11-02"
    facts = {fact.name: fact.value for fact in found.facts}
    assert facts["Owner of the policy"] == "a@example.org"
    assert facts["Policy approved by"] == "b@example.org, 2026-11-02"
    assert facts["Policy counts until"] == "2027-05-01"


@pytest.mark.parametrize("text", ["", "owner: [", "owner: {a: 1}", "- owner", "owner: a\nowner: b", "\x00 approve"])
def test_a_policy_that_cannot_be_read_names_nobody(text):
    found = approvals(text)
    assert found.of(finding("r.a.rate")) == ""
    assert {fact.value for fact in found.facts} == {"not recorded"}


def test_the_chapter_tells_when_it_was_frozen_judged_and_approved(tmp_path):
    policy = page(load(synthetic.rich(tmp_path)), limits=Limits()).policy
    facts = {fact.name: fact.value for fact in policy.facts}
    assert facts["Frozen, with the manifest of the run"] == "2026-11-20T11:40:03Z"
    assert facts["Judged"] == "2026-11-20T12:05:44Z"
    assert facts["Policy approved by"] == "model-risk@example.org, 2026-11-02"
    whys = {row.cells[0].text: row.cells[4].sub for row in policy.checks.rows}
    assert whys["robustness.keyboard_typos.flip_rate"].endswith("; approved by j.doe@example.org, 2026-11-05")
    assert whys["performance.quality.macro_f1"].endswith("; approved by model-risk@example.org, 2026-11-02")
    assert whys["performance.calibration.ece"].endswith("model-risk@example.org, 2026-11-02")


def test_without_a_ledger_the_time_of_judging_is_not_known(tmp_path):
    facts = {fact.name: fact.value for fact in page(load(synthetic.passing(tmp_path)), limits=Limits()).policy.facts}
    assert facts["Judged"].startswith("the time was not recorded")


def test_the_policy_that_judged_is_printed_beside_the_frozen_one(tmp_path):
    run = synthetic.passing(tmp_path)
    assert len(page(load(run), limits=Limits()).policy.texts) == 1
    run.policy_path.write_text("id: another\napproved_by: z@example.org\n")
    run.findings_path.write_text(json.dumps(json.loads(run.findings_path.read_text()) | {"policy_digest": "0" * 64}))
    policy = page(load(run), limits=Limits()).policy
    assert [text.title for text in policy.texts] == [
        "Full text of the policy as frozen", "Full text of the policy that judged the run",
    ]  # fmt: skip
    assert policy.texts[1].lines[0] == "id: another"
    assert "another policy than the one frozen" in policy.warning
    assert policy.checks.rows[0].cells[4].sub.endswith("approved by z@example.org")


def test_waivers_not_in_order_come_first_and_all_is_told(tmp_path):
    table = page(load(synthetic.rich(tmp_path)), limits=Limits()).policy.waivers
    assert [row.cells[1].badge.word for row in table.rows] == ["Expired", "In force"]
    used = table.rows[1].cells
    assert (used[0].text, used[0].sub) == ("W-2026-014", "for ticket-classifier*")
    assert used[2].text == "bias.groups.gap[attribute=language]"
    assert used[2].sub == "worst number accepted: 0.12"
    assert (used[4].text, used[4].sub) == ("support-platform@example.org", "approved by model-risk@example.org")
    assert (used[5].text, used[5].sub) == ("2027-01-15", "from 2026-10-20")
    assert table.anchor == "waivers"
    assert "as of 2026-11-20" in table.note


def test_waivers_in_short():
    used = [waiver(f"W-{i}", WaiverState.USED, "", "a.b.c", "a.b.d") for i in range(4)]
    assert in_short([]) == ""
    assert in_short(used[:1]) == "Waivers: W-0 accepts 2 checks until 2027-01-15."
    assert in_short(used).endswith("until 2027-01-15; 2 more are in force.")
    bad = [waiver(f"X-{state}", state, "") for state in WaiverState if state is not WaiverState.USED]
    assert in_short(bad).startswith(f"Waivers: {len(bad)} waivers not in order (X-expired, ")
    assert set(STATES) == set(WaiverState)
