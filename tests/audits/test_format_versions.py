"""Run folders of other formats: one line says which version wrote it and what to do, whatever is asked of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from audits.evidence.bundle import seal
from probes.core.errors import UsageError
from probes.core.records import SCHEMA_VERSION
from probes.core.run_folder import RunFolder
from tests.audits.evidence import runs
from tests.audits.test_exit_codes import code, process

__all__ = ["process"]  # a fixture for every test here

FORMATS = {
    "a newer": (SCHEMA_VERSION + 1, "responsible-audit 88.0.0", {"weather": "fine"}),
    "an older": (SCHEMA_VERSION - 1, "responsible-audit 0.0.1", {}),
}
"""(version, tool, keys that this version does not know) by how it is called."""


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> RunFolder:
    return runs.sealed(tmp_path_factory.mktemp("once") / "run")


def of_format(once: RunFolder, folder: Path, which: str, *, sealed: bool) -> RunFolder:
    """A copy as the other version would have left it: its manifest, and a bundle with its digests."""
    version, tool, more = FORMATS[which]
    shutil.copytree(once.path, folder)
    run = RunFolder(folder)
    if sealed:
        content = json.loads(run.manifest_path.read_text(encoding="utf-8"))
        content["environment"]["tool"] = tool
        run.manifest_path.write_text(json.dumps(content), encoding="utf-8")
        seal(run)
    else:
        run.bundle_path.unlink()
    content = json.loads(run.manifest_path.read_text(encoding="utf-8"))
    content["environment"]["tool"] = tool
    text = json.dumps(content | {"schema_version": version} | more)
    run.manifest_path.write_text(text, encoding="utf-8")
    if sealed:
        _sealed_by_it(run, more)
    return run


def _sealed_by_it(run: RunFolder, more: dict[str, str]) -> None:
    """A bundle of a newer format has keys of its own; that of an older one may look like ours."""
    import hashlib

    import rfc8785

    bundle = json.loads(run.bundle_path.read_bytes()) | more
    manifest = run.manifest_path.read_bytes()
    digest = hashlib.sha256(manifest).hexdigest()
    bundle["freeze"]["manifest_sha256"] = digest
    for file in bundle["files"]:
        if file["path"] == run.manifest_path.name:
            file |= {"sha256": digest, "size": len(manifest)}
    run.bundle_path.write_bytes(rfc8785.dumps(bundle))


VERBS = {
    "gate": lambda run, other: ("gate", run),
    "report": lambda run, other: ("report", run),
    "verify": lambda run, other: ("verify", run),
    "compare": lambda run, other: ("compare", other, run),
    "baseline": lambda run, other: ("gate", other, "--baseline", run),
    "signoff": lambda run, other: (
        "signoff", run, "--reviewer", "Rex", "--role", "reviewer", "--decision", "reject",
    ),
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("sealed", [True, False], ids=["sealed", "unsealed"])
@pytest.mark.parametrize("which", FORMATS)
def test_one_line_says_what_wrote_it_and_what_to_do(once, tmp_path, capsys, which, sealed, verb):
    shutil.copytree(once.path, tmp_path / "ours")
    run = of_format(once, tmp_path / "run", which, sealed=sealed)
    before = {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}
    assert code(*VERBS[verb](run.path, tmp_path / "ours")) == 2
    told = "".join(capsys.readouterr().err.split())
    version, tool, _ = FORMATS[which]
    line = f"was written by {tool} in {which} format ({version}; this version reads {SCHEMA_VERSION})"
    assert "".join(line.split()) in told
    assert "readitwiththeversionthatwroteit" in told
    assert "Traceback" not in told
    assert {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("which", FORMATS)
def test_the_index_lists_it_with_the_reason(once, tmp_path, which):
    of_format(once, tmp_path / "runs" / "run", which, sealed=True)
    assert code("index", tmp_path / "runs") == 0
    assert f"in {which} format" in (tmp_path / "runs" / "index.html").read_text(encoding="utf-8")


def test_a_manifest_that_was_damaged_is_no_other_format(once, tmp_path):
    """In a sealed run a changed version number is a changed file."""
    shutil.copytree(once.path, tmp_path / "run")
    path = tmp_path / "run" / "manifest.json"
    text = path.read_text(encoding="utf-8")
    told = f'"schema_version": {SCHEMA_VERSION}'
    assert told in text
    path.write_text(text.replace(told, f'"schema_version": {SCHEMA_VERSION + 1}'), encoding="utf-8")
    assert code("verify", tmp_path / "run") == 5
    assert code("gate", tmp_path / "run") == 5


@pytest.mark.parametrize("tool", ["x\x1b[31m\nExit 0", 7, None, "n" * 500])
def test_a_hostile_name_of_a_tool_stays_on_its_line(once, tmp_path, tool):
    run = of_format(once, tmp_path / "run", "a newer", sealed=False)
    content = json.loads(run.manifest_path.read_text(encoding="utf-8"))
    content["environment"]["tool"] = tool
    run.manifest_path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        run.manifest()
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 400
