"""Everything after the measurements in its one order: what is judged, compared, written and sealed fits together."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audits.conclusion import Form, conclude, publish, require_comparable
from audits.evidence.bundle import seal
from audits.evidence.checked import Outcome
from audits.evidence.ledger import ledger_of, read_ledger
from audits.evidence.recording import record_frozen
from audits.evidence.unchanged import PRODUCTS, require_unchanged, unseal
from audits.evidence.verify import verify
from audits.executor import parquet
from audits.policy.policy import frozen_policy, parse_policy
from probes.core.attestation import bundle_digest
from probes.core.errors import IntegrityError, PolicyError, UsageError
from probes.core.findings import Status, WaiverState
from probes.core.run_folder import RunFolder
from reports.formats import FORMATS
from tests.audits.comparison.test_baseline import flags, outcomes
from tests.audits.evidence import runs

TODAY = datetime.now(UTC).date()
CHECK = "performance.quality.accuracy"


def measured(folder: Path, *, right: list[bool] | None = None, **how: str) -> RunFolder:
    """A run with outcomes of single items, frozen and not yet judged."""
    run = runs.measured(folder, **how)
    step = run.manifest().steps[0]
    run.outcomes_path(step.step_id).write_bytes(parquet(outcomes({"": right or flags(400, 0.85)})))
    for other in run.manifest().steps[1:]:
        run.outcomes_path(other.step_id).unlink(missing_ok=True)
    record_frozen(run)
    return run


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> RunFolder:
    """A run judged by its own policy and sealed; not to be written to."""
    run = measured(tmp_path_factory.mktemp("once") / "run")
    judged(run)
    return run


@pytest.fixture
def concluded(once, tmp_path) -> RunFolder:
    """A copy of it with its ledger."""
    shutil.copytree(once.path.parent, tmp_path / "runs")
    return RunFolder(tmp_path / "runs" / "run")


def policy(minimum: float = 0.8, **more: str) -> str:
    return runs.policy(minimum).replace(
        'version: "1"', "\n".join(['version: "1"', *(f"{k}: {v}" for k, v in more.items())])
    )


def waivers(folder: Path, **changes: object) -> Path:
    entry = {
        "id": "W-1",
        "checks": [CHECK],
        "model": "*",
        "max_observed": 0.5,
        "reason": "relabelled until spring",
        "owner": "lopez",
        "approver": "risk",
        "created": str(TODAY),
        "expires": str(TODAY + timedelta(days=30)),
        **changes,
    }
    path = folder / "waivers.yaml"
    path.write_text(json.dumps({"apiVersion": "audit-waivers/v1", "waivers": [entry]}), encoding="utf-8")
    return path


def judged(run: RunFolder, text: str = "", **how: object):
    return conclude(run, parse_policy(text, name="policy") if text else frozen_policy(run.manifest()), **how)


def holds(run: RunFolder) -> None:
    found = verify(run)
    found.require()
    assert {each.name: each.outcome for each in found.checks}["verdict"] in (Outcome.OK, Outcome.NOT_DONE)


def test_everything_is_written_and_verifies(concluded):
    run = concluded
    for name in ("findings.json", "policy.yaml", "report.html", "bundle.json", "attempts.json"):
        assert (run.path / name).is_file(), name
    assert all(run.file(form.file).is_file() for form in FORMATS.values())
    holds(run)


def test_judging_again_changes_nothing(concluded):
    first = bundle_digest(concluded)
    done = judged(concluded)
    assert done.bundle == first
    assert done.exit_code == done.verdict.exit_code == concluded.verdict().exit_code
    assert publish(concluded, form=Form()) == first


def test_measurements_changed_after_sealing_are_not_sealed_again(concluded):
    run = concluded
    before = run.bundle_path.read_bytes()
    step = run.step_path(run.manifest().steps[0].step_id)
    step.write_text(step.read_text(encoding="utf-8").replace("0.9", "0.8", 1), encoding="utf-8")
    with pytest.raises(IntegrityError, match=step.name):
        judged(run)
    assert run.bundle_path.read_bytes() == before


@pytest.mark.parametrize(
    "name",
    [
        "notes.txt",
        "steps/0123456789ab.jsonl",
        "steps/0123456789ab.parquet",
        "telemetry/0123456789ab.json",
        "report/more.html",
        "more/findings.json",
    ],
)
def test_what_was_put_into_a_sealed_run_is_not_sealed(concluded, name):
    before = concluded.bundle_path.read_bytes()
    path = concluded.path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"{}")
    with pytest.raises(IntegrityError, match=f"was not there when it was sealed .*{name}") as caught:
        judged(concluded)
    assert caught.value.exit_code == 5
    assert concluded.bundle_path.read_bytes() == before


def test_a_file_that_only_measuring_writes_cannot_change_or_go(concluded):
    telemetry = next((concluded.path / "telemetry").iterdir())
    telemetry.write_bytes(telemetry.read_bytes() + b" ")
    with pytest.raises(IntegrityError, match=f"not what was sealed .*{telemetry.name}"):
        judged(concluded)
    telemetry.unlink()
    with pytest.raises(IntegrityError, match=f"not what was sealed .*{telemetry.name}"):
        judged(concluded)


def test_whatever_the_gate_itself_writes_is_written_again(concluded, tmp_path):
    """In both layouts and with waivers, and from a state in which each of these files is another."""
    for name in PRODUCTS - {"policy.yaml", "comparison.json", "attempts.json", "waivers.yaml"}:
        path = concluded.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"of another state")
    judged(concluded, form=Form(layout="dir"))
    judged(concluded, waivers=waivers(tmp_path, checks=["none"]))
    holds(concluded)


def test_a_run_that_is_measured_further_is_no_sealed_run(concluded):
    unseal(concluded)
    unseal(concluded)
    concluded.failed_path("0123456789ab").write_bytes(b"{}")
    judged(concluded)
    holds(concluded)


def other_results(run: RunFolder) -> Path:
    step = run.step_path(run.manifest().steps[0].step_id)
    step.write_text(step.read_text(encoding="utf-8").replace("0.9", "0.8", 1), encoding="utf-8")
    return step


@pytest.mark.parametrize("how", ["bundle deleted", "sealed again"])
def test_other_results_than_were_judged_are_refused_without_the_first_bundle(concluded, how):
    """The folder alone looks like one that was never sealed, or whole; the ledger knows what was judged."""
    other_results(concluded)
    concluded.bundle_path.unlink()
    if how == "sealed again":
        seal(concluded)
    told = r"judged before on other results .*line 2 of the ledger"
    for act in (lambda: judged(concluded), lambda: require_unchanged(concluded)):
        with pytest.raises(IntegrityError, match=told) as caught:
            act()
        assert caught.value.exit_code == 5
        assert ("its bundle.json is gone" in caught.value.message) == (how == "bundle deleted")
    if how == "sealed again":
        (check,) = (each for each in verify(concluded).failed if each.name == "ledger of attempts")
        assert "line 2 of the ledger" in check.sentence


def test_a_run_that_was_killed_between_judgement_and_seal_is_finished(concluded):
    first = bundle_digest(concluded)
    for name in ("bundle.json", "report.html"):
        concluded.file(name).unlink()
    assert judged(concluded).bundle == first
    holds(concluded)


def test_a_run_that_was_killed_while_it_was_measured_further_is_finished(concluded):
    """However often: what a step leaves until the run is judged again is not held against the last judgement."""
    for part in (b"{}", b"{}\n"):
        require_unchanged(concluded)
        unseal(concluded)
        concluded.failed_path("0123456789ab").write_bytes(part)
    judged(concluded)
    events = [line.event for line in read_ledger(ledger_of(concluded))]
    assert events == ["frozen", "judged", "reopened", "judged"]
    concluded.bundle_path.unlink()
    concluded.failed_path("0123456789ab").write_bytes(b"{ }")
    with pytest.raises(IntegrityError, match="line 4 of the ledger"):
        require_unchanged(concluded)


def test_a_run_that_was_moved_begins_a_ledger_with_its_freezing(concluded, tmp_path):
    (tmp_path / "new").mkdir()
    moved = RunFolder(concluded.path.rename(tmp_path / "new" / "run"))
    judged(moved)
    assert [line.event for line in read_ledger(ledger_of(moved))] == ["frozen", "judged"]
    holds(moved)


def test_a_damaged_report_is_simply_made_again(concluded):
    run = concluded
    first = bundle_digest(run)
    run.report_path.write_text("no report", encoding="utf-8")
    assert judged(run).bundle == first


def test_without_a_policy_nothing_is_judged(tmp_path):
    run = measured(tmp_path / "run")
    done = conclude(run, None)
    assert (done.verdict, done.exit_code, run.findings_path.exists()) == (None, 0, False)
    holds(run)


def test_a_waiver_accepts_is_kept_and_is_gone_when_it_is_not_named(tmp_path):
    run = measured(tmp_path / "run", text=policy(0.99))
    assert judged(run).exit_code == 1
    done = judged(run, waivers=waivers(tmp_path))
    assert done.exit_code == 0
    assert done.verdict.sentence.startswith("The gate passed by waiver alone: the one blocking check that applies did")
    assert "W-1 until" in done.verdict.sentence
    assert "met" not in done.verdict.sentence
    (finding,) = [each for each in done.verdict.findings if each.check == CHECK]
    assert (finding.status, finding.underlying, finding.waiver) == (Status.WAIVED, Status.FAIL, "W-1")
    assert "W-1" in run.report_path.read_text(encoding="utf-8")
    holds(run)
    assert judged(run).exit_code == 1
    assert not run.waivers_path.exists()
    holds(run)


def test_the_verdict_under_a_waiver_is_verified_as_of_its_day(tmp_path):
    """Years later the bundle still verifies; that the waiver has ended is a note."""
    run = measured(tmp_path / "run", text=policy(0.99))
    judged(run, waivers=waivers(tmp_path))
    found = verify(run, as_of=TODAY + timedelta(days=900))
    found.require()
    assert any("W-1 expired" in each.sentence for each in found.checks if each.outcome is Outcome.NOTE)


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"created": str(TODAY - timedelta(days=60)), "expires": str(TODAY - timedelta(days=1))}, WaiverState.EXPIRED),
        ({"model": "another"}, WaiverState.MISMATCHED),
        ({"max_observed": 0.97}, WaiverState.EXCEEDED),
        ({"checks": ["performance.quality.nothing"]}, WaiverState.UNUSED),
    ],
)
def test_a_waiver_that_is_not_in_order_holds_up_the_verdict(tmp_path, changes, state):
    failing, passing = (
        measured(tmp_path / name, text=policy(m), run_id=name) for name, m in (("bad", 0.99), ("good", 0.5))
    )
    file = waivers(tmp_path, **changes)
    blocked = judged(failing, waivers=file)
    assert blocked.exit_code == 1
    assert blocked.verdict.waivers[0].state is state
    assert "W-1" in blocked.verdict.sentence
    held = judged(passing, waivers=file)
    assert held.exit_code == 3, "somebody believes that something is accepted, and it is not"
    assert "W-1" in held.verdict.sentence


def test_what_the_policy_does_not_let_anybody_waive(tmp_path):
    run = measured(tmp_path / "run", text=policy(0.99, non_waivable="['performance.*']"))
    done = judged(run, waivers=waivers(tmp_path))
    assert (done.exit_code, done.verdict.waivers[0].state) == (1, WaiverState.NOT_WAIVABLE)


def test_a_policy_may_allow_shorter_waivers_only(tmp_path):
    run = measured(tmp_path / "run", text=policy(0.99, max_waiver_days="7"))
    with pytest.raises(UsageError, match="lasts 30 days"):
        judged(run, waivers=waivers(tmp_path))
    assert not run.findings_path.exists()


def test_a_policy_that_has_expired_judges_nothing(tmp_path):
    run = measured(tmp_path / "run", text=policy(expires=str(TODAY - timedelta(days=1))))
    with pytest.raises(PolicyError, match="expired"):
        judged(run)


MARGIN = """
  - {check: performance.quality.accuracy_vs_baseline, min: -0.03, level: block, burden: prove_good,
     rationale: agreed, source: memo}
"""


def paired(folder: Path, lost: int) -> tuple[RunFolder, RunFolder]:
    """Two runs under a policy with a margin; the second answers `lost` items wrongly that the first had right."""
    right = flags(400, 0.85)
    victims = [k for k, flag in enumerate(right) if flag][:lost]
    worse = [flag and k not in victims for k, flag in enumerate(right)]
    text = runs.policy() + MARGIN
    return (
        measured(folder / "old", right=right, text=text, run_id="old"),
        measured(folder / "new", right=worse, text=text, run_id="new"),
    )


@pytest.mark.parametrize(("lost", "status", "code"), [(0, Status.PASS, 0), (60, Status.FAIL, 1)])
def test_non_inferiority_to_a_baseline(tmp_path, lost, status, code):
    old, new = paired(tmp_path, lost)
    done = judged(new, baseline=old.path)
    (finding,) = [each for each in done.verdict.findings if each.check == f"{CHECK}_vs_baseline"]
    assert (finding.status, done.exit_code) == (status, code)
    assert done.verdict.baseline.run_id == "old"
    holds(new)
    assert judged(new).verdict == done.verdict, "the comparison stays when the run is judged again"


def test_without_a_baseline_the_margin_does_not_apply_unless_it_is_required(tmp_path):
    _, new = paired(tmp_path, 0)
    done = judged(new)
    (finding,) = [each for each in done.verdict.findings if each.check.endswith("_vs_baseline")]
    assert (finding.status, done.exit_code) == (Status.NOT_APPLICABLE, 0)
    required = judged(new, runs.policy() + MARGIN.replace("level: block", "level: block, required: true"))
    assert required.exit_code == 4
    assert "--baseline" in required.verdict.sentence


def test_a_baseline_that_cannot_be_paired_holds_up_the_verdict(tmp_path):
    old, new = paired(tmp_path, 0)
    content = json.loads(old.manifest_path.read_text(encoding="utf-8"))
    content["steps"][0]["version"] += 1
    old.manifest_path.write_text(json.dumps(content), encoding="utf-8")
    done = judged(new, baseline=old.path)
    assert done.exit_code == 3
    assert "the test has changed" in done.verdict.sentence


def test_a_baseline_on_other_data_is_an_error_of_integrity(tmp_path):
    old, new = paired(tmp_path, 0)
    content = json.loads(old.manifest_path.read_text(encoding="utf-8"))
    content["data"]["fingerprint"] = "e" * 64
    old.manifest_path.write_text(json.dumps(content), encoding="utf-8")
    for act in (
        lambda: judged(new, baseline=old.path),
        lambda: require_comparable(old.path, data=new.manifest().data.fingerprint),
    ):
        with pytest.raises(IntegrityError, match="other data"):
            act()


@pytest.mark.parametrize("sealed_again", [False, True])
def test_a_baseline_that_was_changed_since_it_was_sealed_is_refused(tmp_path, sealed_again):
    old, new = paired(tmp_path, 0)
    judged(old)
    judged(new)
    before = new.bundle_path.read_bytes()
    other_results(old)
    if sealed_again:
        seal(old)
    with pytest.raises(IntegrityError, match=f"{old.path} (is not what was sealed|was judged before)") as caught:
        judged(new, baseline=old.path)
    assert caught.value.exit_code == 5
    assert (new.bundle_path.read_bytes(), new.comparison_path.exists()) == (before, False)


@pytest.mark.parametrize("how", ["itself", "copied", "renamed"])
def test_a_run_is_not_its_own_baseline(concluded, tmp_path, how):
    before = concluded.bundle_path.read_bytes()
    other = concluded.path
    if how != "itself":
        other = tmp_path / "elsewhere"
        shutil.copytree(concluded.path, other)
    if how == "renamed":  # another id, and still the bytes of this run's bundle
        content = json.loads((other / "manifest.json").read_text(encoding="utf-8"))
        (other / "manifest.json").write_text(json.dumps(content | {"run_id": "another"}), encoding="utf-8")
    with pytest.raises(UsageError, match="is the run tickets-20261120-1a2b3c itself") as caught:
        judged(concluded, baseline=other)
    assert (caught.value.exit_code, concluded.bundle_path.read_bytes()) == (2, before)
    assert not concluded.comparison_path.exists()


def test_another_run_of_the_same_model_is_a_baseline_and_is_told(tmp_path):
    old, new = paired(tmp_path, 0)
    sentence = judged(new, baseline=old.path).verdict.sentence
    assert sentence.endswith("The baseline is another run of this very model.")
    assert "The baseline is another run of this very model" in new.report_path.read_text(encoding="utf-8")
    content = json.loads(old.manifest_path.read_text(encoding="utf-8"))
    content["model"]["fingerprint"] = "f" * 64
    old.manifest_path.write_text(json.dumps(content), encoding="utf-8")
    assert "this very model" not in judged(new, baseline=old.path).verdict.sentence
    assert "this very model" not in new.report_path.read_text(encoding="utf-8")


def test_a_wildcard_on_own_numbers_is_no_margin(tmp_path):
    old, new = paired(tmp_path, 200)
    text = runs.policy(0.1).replace("robustness.*.flip_rate", "performance.*.*").replace("max: 0.001", "min: 0.0")
    done = judged(new, text, baseline=old.path)
    assert not [each for each in done.verdict.findings if each.check.endswith("_vs_baseline")]


def test_a_github_job_is_told(tmp_path, monkeypatch):
    summary, output = tmp_path / "summary.md", tmp_path / "output"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    done = judged(measured(tmp_path / "run"))
    assert done.annotations
    assert done.bundle in output.read_text(encoding="utf-8")
    assert done.verdict.sentence[:20] in summary.read_text(encoding="utf-8")


def test_the_ledger_knows_every_attempt(tmp_path):
    first, second = (
        measured(tmp_path / "a", run_id="a"),
        measured(tmp_path / "b", run_id="b", created="2026-11-21T00:00:00Z"),
    )
    judged(first)
    judged(second)
    assert ledger_of(first).is_file()
    bundle = json.loads(second.bundle_path.read_text(encoding="utf-8"))
    assert bundle["attempts"]["count"] == 1


def test_a_policy_that_is_refused_leaves_the_seal_whole(concluded):
    run = concluded
    with pytest.raises(PolicyError, match="wrong side"):
        judged(run, runs.policy().replace("min: 0.8", "max: 0.8"))
    holds(run)
