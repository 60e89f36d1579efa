"""Verification: a run as sealed holds, every changed byte is found and named, and what is not found is known."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audits.evidence import attested, rederived
from audits.evidence.attested import expired
from audits.evidence.bundle import seal
from audits.evidence.checked import Outcome
from audits.evidence.ledger import LEDGER
from audits.evidence.recording import record_judged
from audits.evidence.signoff import sign_off, write_signed_copy
from audits.evidence.statements import result_of, sign_result
from audits.evidence.verify import Verification, verify
from audits.gate.judgement import run_gate
from audits.policy.policy import parse_policy
from probes.core.attestation import Decision, Role, SignoffState, bundle_digest, signoffs
from probes.core.errors import IntegrityError, UsageError
from probes.core.findings import Verdict, WaiverState, WaiverUse
from probes.core.run_folder import RunFolder
from tests.audits.evidence import runs
from tests.audits.evidence.runs import flip

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
DAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def signed(tmp_path_factory) -> RunFolder:
    """A sealed and signed run with two sign-offs, one of them signed; not to be written to."""
    run = runs.sealed(tmp_path_factory.mktemp("signed") / "run", auditor="Ada Auditor")
    sign_result(run, KEY)
    reviewed(run)
    reviewed(run, reviewer="Rex Reviewer", role=Role.APPROVER, key=KEY)
    return run


@pytest.fixture
def run(signed, tmp_path, monkeypatch) -> RunFolder:
    monkeypatch.setattr(rederived, "_tool", lambda: runs.TOOL)
    shutil.copytree(signed.path.parent, tmp_path / "runs")
    return RunFolder(tmp_path / "runs" / "run")


def reviewed(run: RunFolder, **how: object) -> Path:
    given = {"reviewer": "Ann Analyst", "role": Role.REVIEWER, "decision": Decision.ACCEPT, "on": DAY}
    return sign_off(run, **(given | how))


def outcomes(verification: Verification) -> dict[str, Outcome]:
    return {each.name: each.outcome for each in verification.checks}


def refused(run: RunFolder, **how: object) -> IntegrityError:
    with pytest.raises(IntegrityError) as caught:
        verify(run, **how).require()
    assert caught.value.exit_code == 5
    return caught.value


def test_a_run_as_it_was_sealed_holds(run):
    found = verify(run, keys=[KEY.public_key()], expected=bundle_digest(run), as_of=DAY)
    found.require()
    assert outcomes(found) == {
        "expected digest": Outcome.OK,
        "digests": Outcome.OK,
        "bundle": Outcome.OK,
        "policy": Outcome.OK,
        "verdict": Outcome.OK,
        "report": Outcome.OK,
        "derived files": Outcome.OK,
        "ledger of attempts": Outcome.OK,
        "attest/signoff-1.json": Outcome.NOT_DONE,
        "attest/signoff-2.json": Outcome.OK,
        "attest/test-result.dsse.json": Outcome.OK,
    }
    assert found.digest == bundle_digest(run)


def test_verifying_changes_nothing(run):
    before = {path: path.read_bytes() for path in run.path.parent.rglob("*") if path.is_file()}
    verify(run, keys=[KEY.public_key()])
    assert {path: path.read_bytes() for path in run.path.parent.rglob("*") if path.is_file()} == before


def test_a_flipped_byte_in_any_file_is_found_and_the_file_named(run):
    """Unsigned: a single byte of any file of the bundle, and of the bundle itself, at its ends and between."""
    shutil.rmtree(run.attestations)
    paths = sorted(path for path in run.path.rglob("*") if path.is_file())
    assert len(paths) > 15
    for path in paths:
        size = path.stat().st_size
        for place in {0, size // 3, size // 2, size - 1}:
            for bit in (1, 128):
                flip(path, place, bit)
                error = refused(run)
                assert path.relative_to(run.path).as_posix() in error.message, (path, place)
                flip(path, place, bit)
    verify(run).require()


def test_every_hundredth_byte_of_the_bundle_unsigned(run):
    shutil.rmtree(run.attestations)
    for place in range(0, run.bundle_path.stat().st_size, 101):
        flip(run.bundle_path, place)
        assert "bundle.json" in refused(run).message, place
        flip(run.bundle_path, place)


@pytest.mark.parametrize("name", ["test-result.dsse.json", "signoff-2.json"])
def test_every_byte_of_what_is_signed(run, name, monkeypatch):
    """With the key, no byte of a signed file can change, not even the spelling of base64 or the name of the key."""
    path = run.attestations / name
    for other in set(run.attestations.iterdir()) - {path}:
        other.unlink()
    digest, keys = bundle_digest(run), [KEY.public_key()]
    # Neither follows from what is below attest/, where the bytes are flipped: made once instead of 10,000 times.
    true, manifest = result_of(run), run.manifest()
    monkeypatch.setattr(attested, "result_of", lambda _run: true)
    monkeypatch.setattr(RunFolder, "manifest", lambda _run: manifest)
    assert {each.outcome for each in attested.attestations(run, digest, keys, intact=True)} == {Outcome.OK}
    content = path.read_bytes()
    with path.open("r+b", buffering=0) as file:  # opening it anew for each byte would take most of the time
        for place, bit in product(range(len(content)), (1, 32)):
            os.pwrite(file.fileno(), bytes([content[place] ^ bit]), place)
            found = list(attested.attestations(run, digest, keys, intact=True))
            failed = [each for each in found if each.outcome is Outcome.FAILED]
            assert any(f"attest/{name}" in each.files for each in failed), (place, content[place - 20 :][:40])
            os.pwrite(file.fileno(), content[place : place + 1], place)
    assert path.read_bytes() == content


def test_a_signed_bundle_sealed_again_is_found_with_the_key(run):
    tamper_and_seal(run)
    assert "nothing about this bundle is signed" in refused(run, keys=[KEY.public_key()]).message


def test_a_bundle_sealed_again_is_found_by_the_digest_known_from_elsewhere(run):
    before = bundle_digest(run)
    tamper_and_seal(run)
    error = refused(run, expected=before)
    assert "bundle.json" in error.message
    assert before in error.message


def test_without_signature_or_digest_who_seals_again_is_not_found(run):
    """What docs/evidence.md says cannot be seen: results replaced by others, judged, rendered and sealed again."""
    tamper_and_seal(run)
    shutil.rmtree(run.attestations)
    found = verify(run)
    found.require()
    assert outcomes(found)["signatures"] is Outcome.NOT_DONE


def test_a_stale_signature_is_named_without_a_key_too(run):
    tamper_and_seal(run)
    found = verify(run)
    assert outcomes(found)["attest/test-result.dsse.json"] is Outcome.NOTE
    assert [each.state for each in signoffs(run)] == [SignoffState.STALE, SignoffState.STALE]


def tamper_and_seal(run: RunFolder) -> None:
    """Better numbers, and everything that follows from them."""
    step = run.manifest().steps[0].step_id
    text = run.step_path(step).read_text(encoding="utf-8")
    run.step_path(step).write_text(text.replace('"unscored":2', '"unscored":0'), encoding="utf-8")
    assert run.step_path(step).read_text(encoding="utf-8") != text
    runs.judged(run)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("findings.json", '"exit_code": 0', '"exit_code": 1'),
        ("findings.json", "The gate passed", "The gate has passed"),
        ("report.html", "</body>", "<p>Approved.</p></body>"),
        ("junit.xml", "<testsuites", "<!-- approved --><testsuites"),
        ("summary.md", "a", "b"),
    ],
)
def test_a_derived_file_that_was_edited_and_sealed_does_not_follow(run, name, old, new):
    path = run.file(name)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    seal(run)
    assert name in refused(run).message


def test_results_that_were_edited_and_sealed_without_judging_do_not_give_the_verdict(run):
    path = run.step_path(run.manifest().steps[0].step_id)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"n":872', '"n":871', 1), encoding="utf-8")
    seal(run)
    assert "findings.json" in refused(run).message


def test_a_policy_that_was_edited_and_sealed_is_found(run):
    content = json.loads(run.manifest_path.read_text())
    content["policy"] = content["policy"].replace("0.8", "0.7")
    run.manifest_path.write_text(json.dumps(content))
    seal(run)
    assert "policy in the manifest" in refused(run).message
    run.manifest_path.unlink()
    assert "manifest.json" in refused(run).message


def test_the_stored_policy_is_the_one_that_judges(run):
    runs.judged(run, text=runs.policy(0.99))
    found = verify(run)
    found.require()
    assert outcomes(found)["policy"] is Outcome.NOTE
    run.policy_path.write_text(runs.policy(0.98))
    seal(run)
    assert "findings.json" in refused(run).message


def test_files_that_are_missing_or_were_added(run):
    (run.path / "steps" / "extra.jsonl").write_text("{}")
    assert "steps/extra.jsonl" in refused(run).message
    (run.path / "steps" / "extra.jsonl").rename(run.path / "steps" / "extra.jsonl.partial")
    verify(run).require()
    run.file("junit.xml").unlink()
    assert "junit.xml" in refused(run).message


@pytest.mark.parametrize("what", ["file", "attest"])
def test_a_link_is_found(run, tmp_path, what):
    target = {"file": run.file("junit.xml"), "attest": run.attestations / "signoff-1.json"}[what]
    target.rename(tmp_path / "moved")
    target.symlink_to(tmp_path / "moved")
    assert target.name in refused(run).message


def test_a_folder_of_attestations_that_is_a_link_is_found(run, tmp_path):
    run.attestations.rename(tmp_path / "moved")
    run.attestations.symlink_to(tmp_path / "moved")
    assert "attest" in refused(run).message


def test_an_unmasked_report_holds_as_well(run):
    runs.judged(run, unmask=True)
    verify(run).require()


def test_a_run_without_verdict_or_report(tmp_path):
    run = runs.measured(tmp_path / "run")
    seal(run)
    found = verify(run)
    found.require()
    assert outcomes(found)["verdict"] is outcomes(found)["report"] is Outcome.NOT_DONE
    assert outcomes(found)["ledger of attempts"] is Outcome.NOT_DONE


def test_another_version_of_the_tool_says_that_it_cannot_render(run, monkeypatch):
    monkeypatch.setattr(rederived, "_tool", lambda: "responsible-audit 10.0.0")
    monkeypatch.setattr(rederived, "render", lambda _run, unmask: b"another layout")
    found = verify(run)
    found.require()
    assert outcomes(found)["report"] is Outcome.NOT_DONE
    assert "responsible-audit 9.9.9" in next(each.sentence for each in found.checks if each.name == "report")


def test_a_run_that_was_never_sealed_or_is_none(tmp_path):
    run = runs.measured(tmp_path / "run")
    assert "bundle.json" in refused(run).message
    with pytest.raises(UsageError, match="not a run folder"):
        verify(RunFolder(tmp_path))


def test_a_bundle_that_names_places_outside_is_never_followed(run):
    content = json.loads(run.bundle_path.read_bytes())
    content["files"].append({**content["files"][0], "path": "../../etc/passwd"})
    run.bundle_path.write_bytes(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())
    assert "../../etc/passwd" in refused(run).message


def test_the_ledger_is_looked_at(run):
    path = run.path.parent / LEDGER
    content = path.read_bytes()
    flip(path, len(content) // 4)
    assert re.search(rf"not what was recorded \({LEDGER}\): .*{LEDGER} .* at line \d", refused(run).message)
    path.write_bytes(content)
    runs.tried(run.path.parent / "worse", run_id="worse", text=runs.policy(0.99), created="2026-11-19T08:00:00Z")
    verify(run).require()
    runs.judged(run, text=runs.policy(0.5))
    verify(run).require()
    known = json.loads(run.file("attempts.json").read_bytes())
    known["attempts"] = [each for each in known["attempts"] if each["run_id"] != "worse"]
    run.file("attempts.json").write_bytes(json.dumps(known, sort_keys=True, separators=(",", ":")).encode())
    runs.write_report(run)
    seal(run)
    error = refused(run)
    assert f"lacks earlier runs that the ledger {path} has: worse (line 3)" in error.message
    path.unlink()
    assert outcomes(verify(run))["ledger of attempts"] is Outcome.NOT_DONE


def renamed(run: RunFolder) -> None:
    """Its id changed everywhere, and sealed again; the ledger stays."""
    for path in (run.manifest_path, run.findings_path, run.file("attempts.json")):
        path.write_bytes(path.read_bytes().replace(b"tickets-20261120-1a2b3c", b"tickets-20261120-ffffff"))
    runs.write_report(run)
    runs.write_formats(run)
    seal(run)


@pytest.mark.parametrize("how", ["emptied", "renamed", "of others"])
def test_a_ledger_without_the_freezing_of_the_run_is_named(run, tmp_path, how):
    path = run.path.parent / LEDGER
    if how == "emptied":
        path.write_bytes(b"")
    elif how == "renamed":
        renamed(run)
    else:
        runs.tried(tmp_path / "others" / "run", run_id="another")
        shutil.copy(tmp_path / "others" / LEDGER, path)
    assert f"({LEDGER}): the ledger {path} has no line of the freezing of this run" in refused(run).message
    path.unlink()
    assert outcomes(verify(run))["ledger of attempts"] is Outcome.NOT_DONE


@pytest.mark.parametrize("how", ["folder", "link", "dangling link"])
def test_what_is_no_ledger_to_be_read_is_named(run, tmp_path, how):
    path = run.path.parent / LEDGER
    path.rename(tmp_path / "elsewhere")
    if how == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / ("elsewhere" if how == "link" else "nowhere"))
    told = "cannot be read" if how == "folder" else "is a link"
    assert f"({LEDGER}): the ledger of attempts {path} {told}" in refused(run).message


def test_policy_and_manifest_changed_together_are_found_by_the_ledger(run):
    """A milder policy frozen afterwards, judged by, rendered and sealed: the folder alone is whole."""
    content = json.loads(run.manifest_path.read_text())
    first, milder = content["policy_digest"], parse_policy(runs.policy(0.5), name="policy")
    content |= {"policy": milder.text, "policy_digest": milder.digest}
    run.manifest_path.write_text(json.dumps(content, indent=1))
    run.policy_path.write_text(milder.text)
    record_judged(run, run_gate(run, milder), time="2026-11-20T13:00:00Z")
    runs.write_report(run)
    runs.write_formats(run)
    seal(run)
    error = refused(run)
    assert f"({LEDGER}, manifest.json)" in error.message
    assert f"line 1 of the ledger {run.path.parent / LEDGER} says" in error.message
    assert f"the policy {first[:12]}, not {milder.digest[:12]}" in error.message
    (run.path.parent / LEDGER).unlink()
    verify(run).require()


def test_the_ledger_and_the_verdict_agree(run):
    chosen = parse_policy(runs.policy(0.99), name="policy")
    run.policy_path.write_text(chosen.text)
    run_gate(run, chosen)
    runs.write_report(run)
    runs.write_formats(run)
    seal(run)
    error = refused(run)
    assert f"line 2 of the ledger {run.path.parent / LEDGER} and findings.json disagree" in error.message
    assert f"({LEDGER}, findings.json)" in error.message


def test_signatures_of_others_are_told_apart(run):
    found = verify(run)
    assert outcomes(found)["attest/test-result.dsse.json"] is Outcome.NOT_DONE
    assert "not verified" in next(each.sentence for each in found.checks if each.name.endswith("dsse.json"))
    assert "nothing about this bundle" in refused(run, keys=[OTHER.public_key()]).message
    sign_result(run, OTHER)
    found = verify(run, keys=[KEY.public_key(), OTHER.public_key()])
    found.require()
    assert outcomes(found)["attest/test-result.dsse.json"] is Outcome.OK


def test_a_statement_that_says_something_else_is_found_though_it_is_signed(run):
    from audits.evidence.signing import sign_statement
    from probes.core.attestation import TEST_RESULT, canonical

    true = result_of(run)
    false = true.model_copy(update={"predicate": {**true.predicate, "result": "PASSED"}})
    (run.attestations / TEST_RESULT).write_bytes(canonical(sign_statement(false, KEY)))
    assert TEST_RESULT in refused(run, keys=[KEY.public_key()]).message
    (run.attestations / TEST_RESULT).write_bytes(canonical(true))
    assert "not signed" in refused(run).message


def test_a_sign_off_written_by_hand_against_the_rules_is_found(run):
    path = run.attestations / "signoff-1.json"
    text = path.read_text().replace('"role":"reviewer"', '"role":"approver"').replace("Ann Analyst", "ADA auditor")
    path.write_text(text)
    error = refused(run)
    assert "attest/signoff-1.json" in error.message


def test_other_files_among_the_attestations_are_named(run):
    (run.attestations / "notes.txt").write_text("x")
    assert outcomes(verify(run))["attest/notes.txt"] is Outcome.NOT_DONE


def test_what_has_expired_since_is_said(run):
    content = json.loads(run.manifest_path.read_text())
    content["card"]["report_expires"] = "2026-12-01"
    run.manifest_path.write_text(json.dumps(content))
    runs.judged(run)
    told = [each.sentence for each in verify(run, as_of=date(2026, 12, 2)).checks]
    assert any("after 2026-12-01" in sentence for sentence in told)
    assert not any("2026-12-01" in each.sentence for each in verify(run, as_of=date(2026, 12, 1)).checks)
    waiver = WaiverUse(
        id="W-1", checks=("x",), scope="m", owner="o", approver="a", reason="r", created="2026-11-01",
        expires="2026-11-30", state=WaiverState.USED, note="",
    )  # fmt: skip
    verdict = Verdict.model_validate(run.verdict().model_dump() | {"waivers": (waiver,)})
    run.findings_path.write_text(verdict.model_dump_json())
    (found,) = (each for each in expired(run, date(2026, 12, 1)) if each.name == "waivers")
    assert found.outcome is Outcome.NOTE
    assert "W-1 expired on 2026-11-30" in found.sentence


def test_many_wrong_files_are_counted_in_one_line(run):
    for path in run.path.glob("*.*"):
        if path.name != "bundle.json":
            path.unlink()
    error = refused(run)
    assert " more" in error.message
    assert "\n" not in error.message


def test_the_copy_with_sign_offs_names_the_bundle_and_is_checked(run):
    path = write_signed_copy(run)
    text = path.read_text(encoding="utf-8")
    for told in (bundle_digest(run), "Ann Analyst", "Rex Reviewer"):
        assert told in text
    assert outcomes(verify(run))["attest/report.html"] is Outcome.OK
    flip(path, path.stat().st_size // 2)
    assert "attest/report.html" in refused(run).message
