"""Sign-offs: who prepared an audit does not approve it under another spelling, and nobody decides tomorrow."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from audits.commands.signoff import command
from audits.evidence import rederived
from audits.evidence.signoff import sign_off
from audits.evidence.verify import verify
from probes.core.attestation import Decision, Role
from probes.core.errors import UsageError
from probes.core.run_folder import RunFolder
from tests.audits.evidence import runs

DAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> RunFolder:
    return runs.sealed(tmp_path_factory.mktemp("once") / "run", auditor="Ada Auditor <ada@example.org>")


@pytest.fixture
def run(once, tmp_path, monkeypatch) -> RunFolder:
    monkeypatch.setattr(rederived, "_tool", lambda: runs.TOOL)
    shutil.copytree(once.path, tmp_path / "run")
    return RunFolder(tmp_path / "run")


def approved(run: RunFolder, reviewer: str, **how: str) -> Path:
    return sign_off(run, reviewer=reviewer, role=Role.APPROVER, decision=Decision.ACCEPT, on=DAY, **how)


@pytest.mark.parametrize(
    "reviewer",
    [
        "ADA auditor",
        "Auditor, Ada",
        "A. A. (ada@example.org)",
        "Ada\u200b  Auditor",
        "ＡＤＡ AUDITOR",
        "ADA@EXAMPLE.ORG",
    ],
)
def test_who_prepared_it_does_not_approve_it(run, reviewer):
    with pytest.raises(UsageError, match="prepared the audit and cannot approve it"):
        approved(run, reviewer)
    assert not run.attestations.exists()


def test_the_preparer_that_is_named_counts_besides_the_declared_one(run):
    for reviewer in ("lee, SAM", "Ada Auditor"):
        with pytest.raises(UsageError, match="cannot approve"):
            approved(run, reviewer, preparer="Sam Lee")
    assert approved(run, "Rex Reviewer <rex@example.org>", preparer="Sam Lee").is_file()


@pytest.fixture(scope="module")
def undeclared_once(tmp_path_factory) -> RunFolder:
    return runs.sealed(tmp_path_factory.mktemp("undeclared") / "run")


@pytest.fixture
def undeclared(undeclared_once, tmp_path, monkeypatch) -> RunFolder:
    monkeypatch.setattr(rederived, "_tool", lambda: runs.TOOL)
    shutil.copytree(undeclared_once.path, tmp_path / "undeclared")
    return RunFolder(tmp_path / "undeclared")


@pytest.mark.parametrize("preparer", ["R M", "", "Sam Lee"])
def test_two_people_do_not_approve_each_others_work(undeclared, preparer):
    approved(undeclared, "R M", preparer="A. Lopez")
    with pytest.raises(UsageError, match="pez prepared the audit and cannot approve it"):
        approved(undeclared, "A. L\u03bfpez", preparer=preparer)
    assert len(list(undeclared.attestations.iterdir())) == 1


def test_verify_finds_sign_offs_that_were_put_there_the_other_way_round(undeclared):
    first = approved(undeclared, "R M", preparer="A. Lopez")
    kept = first.read_bytes()
    first.unlink()
    second = approved(undeclared, "A. Lopez", preparer="R M")
    second.rename(second.with_name("signoff-2.json"))
    first.write_bytes(kept)
    [failed] = [each for each in verify(undeclared).failed if each.name == "attest/signoff-2.json"]
    assert "A. Lopez prepared the audit and cannot approve it" in failed.sentence


def test_an_audit_has_one_preparer(undeclared):
    approved(undeclared, "R M", preparer="A. Lopez")
    for role in Role:
        with pytest.raises(UsageError, match=r"an earlier sign-off says that A\. Lopez prepared") as caught:
            sign_off(undeclared, reviewer="Rex", role=role, decision=Decision.ACCEPT, on=DAY, preparer="R M")
        assert "--preparer" in caught.value.hint
    for preparer in ("", "LOPEZ, A."):
        assert approved(undeclared, "Rex", preparer=preparer).is_file()
    assert '"preparer":"A. Lopez"' in (undeclared.attestations / "signoff-2.json").read_text("utf-8")


def test_a_name_needs_a_letter(run):
    with pytest.raises(UsageError, match="needs a name"):
        approved(run, " .,\u200b")


def signed_off(run: RunFolder, on: date | None) -> object:
    given = ["--date", str(on)] if on else []
    arguments = [str(run.path), "--reviewer", "Rex", "--role", "reviewer", "--decision", "accept", *given]
    return CliRunner().invoke(command, arguments, standalone_mode=False)


def test_a_day_to_come_is_refused(run):
    today = datetime.now(UTC).date()
    found = signed_off(run, today + timedelta(days=1)).exception
    assert isinstance(found, UsageError)
    assert f"today is {today} (UTC)" in found.message
    assert not run.attestations.exists()


@pytest.mark.parametrize("days", [None, 0])
def test_today_is_not(run, days):
    today = datetime.now(UTC).date()
    if today < date.fromisoformat(run.manifest().created[:10]):
        pytest.skip("this machine's clock is before the day of the run")
    assert signed_off(run, today if days == 0 else None).exception is None
    assert f'"date":"{today}"' in (run.attestations / "signoff-1.json").read_text()
