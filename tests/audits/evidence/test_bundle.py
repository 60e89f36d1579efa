"""The bundle: canonical, complete, the same twice, and nothing that points elsewhere."""

from __future__ import annotations

import hashlib
import json

import pytest
import rfc8785

from audits.evidence.bundle import Bundle, seal
from probes.core.attestation import bundle_digest, canonical
from probes.core.errors import IntegrityError, UsageError
from probes.core.run_folder import RunFolder
from tests.audits.evidence import runs


def test_rfc_8785_sorts_by_utf16_and_spells_numbers_as_ecmascript():
    """Section 3.2.3 of RFC 8785: names in the order of their UTF-16 code units; section 3.2.2.3: numbers."""
    names = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\u0080": 6, "\u00f6": 7}
    order = [json.loads(f"[{part.split(':')[0]}]")[0] for part in rfc8785.dumps(names).decode()[1:-1].split(",")]
    assert order == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert rfc8785.dumps([333333333.33333329, 1e30, 4.50, 2e-3, 1e-27]) == b"[333333333.3333333,1e+30,4.5,0.002,1e-27]"


def test_every_file_is_in_it_with_its_digest(tmp_path):
    run = runs.sealed(tmp_path / "run")
    content = json.loads(run.bundle_path.read_bytes())
    files = {file["path"]: file for file in content["files"]}
    on_disk = {p.relative_to(run.path).as_posix() for p in run.path.rglob("*") if p.is_file()} - {"bundle.json"}
    assert set(files) == on_disk
    assert list(files) == sorted(files)
    for path, file in files.items():
        data = (run.path / path).read_bytes()
        assert (file["sha256"], file["size"]) == (hashlib.sha256(data).hexdigest(), len(data))
    roles = {file["role"] for file in files.values()}
    assert roles == {
        "manifest", "records", "outcomes", "telemetry", "policy", "findings", "report", "attempts", "derived"
    }  # fmt: skip
    assert files["report.html"]["media_type"] == "text/html"
    assert content["freeze"]["manifest_sha256"] == files["manifest.json"]["sha256"]
    assert content["model"]["fingerprint"] == run.manifest().model.fingerprint
    assert content["verdict"]["exit_code"] == run.verdict().exit_code
    assert content["attempts"] == {"count": 0, "outcomes": [], "other_policies": 0}
    assert run.bundle_path.read_bytes() == rfc8785.dumps(content)


def test_sealing_twice_gives_the_same_bytes_and_the_digest_of_them(tmp_path):
    run = runs.sealed(tmp_path / "run")
    before = run.bundle_path.read_bytes()
    assert seal(run) == hashlib.sha256(before).hexdigest() == bundle_digest(run)
    assert run.bundle_path.read_bytes() == before
    again = runs.sealed(tmp_path / "elsewhere" / "run")
    assert again.bundle_path.read_bytes() == before


def test_judging_again_with_the_same_result_seals_the_same_bytes(tmp_path):
    run = runs.sealed(tmp_path / "run")
    before = run.bundle_path.read_bytes()
    runs.sealed(tmp_path / "other", run_id="tickets-20261121-4d5e6f", created="2026-11-21T08:00:00Z")
    runs.judged(run, time="2026-11-22T08:00:00Z")
    assert run.bundle_path.read_bytes() == before


def test_what_is_unfinished_and_what_speaks_about_the_bundle_is_left_out(tmp_path):
    run = runs.sealed(tmp_path / "run")
    before = seal(run)
    (run.path / "steps" / "x.jsonl.partial").write_bytes(b"half")
    run.attestations.mkdir()
    (run.attestations / "signoff-1.json").write_bytes(b"{}")
    assert seal(run) == before


def test_an_unjudged_run_can_be_sealed(tmp_path):
    run = runs.measured(tmp_path / "run")
    seal(run)
    bundle = Bundle.model_validate_json(run.bundle_path.read_bytes())
    assert bundle.verdict is None
    assert bundle.attempts is None
    assert canonical(bundle) == run.bundle_path.read_bytes()


@pytest.mark.parametrize("what", ["file", "folder", "attest", "dangling"])
def test_links_are_refused(tmp_path, what):
    run = runs.measured(tmp_path / "run")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.json").write_text("{}")
    target = {
        "file": ("extra.json", outside / "secret.json"),
        "folder": ("extra", outside),
        "attest": ("attest", outside),
        "dangling": ("steps/gone.jsonl", tmp_path / "nowhere"),
    }[what]
    (run.path / target[0]).symlink_to(target[1])
    with pytest.raises(IntegrityError, match=target[0]):
        seal(run)


def test_a_name_with_control_characters_is_refused(tmp_path):
    run = runs.measured(tmp_path / "run")
    (run.path / "a\nb.txt").write_text("x")
    with pytest.raises(IntegrityError, match=r"a\\nb"):
        seal(run)


def test_findings_of_another_run_are_refused(tmp_path):
    one, other = (runs.sealed(tmp_path / name, run_id=name) for name in ("one", "other"))
    one.findings_path.write_bytes(other.findings_path.read_bytes())
    with pytest.raises(IntegrityError, match="another run"):
        seal(one)


def test_no_run_folder(tmp_path):
    with pytest.raises(UsageError, match="not a run folder"):
        seal(RunFolder(tmp_path))
    with pytest.raises(UsageError, match="not sealed"):
        bundle_digest(RunFolder(tmp_path))
