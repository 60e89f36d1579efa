"""Places in the files for CI lead to the policy as its user named it, and stay the same when they are made again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audits.conclusion import Form, conclude, publish
from audits.evidence.verify import verify
from audits.policy.policy import frozen_policy, load_policy
from probes.core.run_folder import RunFolder
from tests.audits.evidence.runs import measured, policy


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    monkeypatch.chdir(tmp_path)
    return measured(tmp_path / "runs" / "one")


def named(run: RunFolder) -> set[str]:
    """The files at whose lines the annotations, the SARIF log and GitLab's report point."""
    told = run.file("annotations.txt").read_text(encoding="utf-8")
    found = {part.split(",")[0] for part in told.split("file=")[1:]}
    for result in json.loads(run.file("findings.sarif").read_bytes())["runs"][0]["results"]:
        found.add(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
    entries = json.loads(run.file("gl-code-quality.json").read_bytes())
    return found | {entry["location"]["path"] for entry in entries}


def stricter(path: Path) -> Path:
    """Another policy, which nothing keeps."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"# stricter\n{policy(0.999)}", encoding="utf-8")
    return path


@pytest.mark.parametrize("given", ["rules/strict.yaml", "./rules/strict.yaml", "{here}/rules/strict.yaml"])
def test_judging_by_a_file_names_it(given, run, tmp_path):
    stricter(tmp_path / "rules" / "strict.yaml")
    conclude(run, load_policy(Path(given.format(here=tmp_path))))
    assert named(run) == {"rules/strict.yaml"}
    assert run.verdict().policy_file == "rules/strict.yaml"


def test_made_again_or_verified_anywhere_the_bytes_are_the_same(run, tmp_path, monkeypatch):
    stricter(tmp_path / "strict.yaml")
    digest = conclude(run, load_policy(Path("strict.yaml"))).bundle
    (tmp_path / "strict.yaml").unlink()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert publish(run, form=Form()) == digest
    verify(run).require()
    assert named(run) == {"strict.yaml"}


def test_a_policy_that_lies_outside_is_named_by_its_copy(run, tmp_path, monkeypatch):
    path = stricter(tmp_path / "strict.yaml")
    (tmp_path / "job").mkdir()
    monkeypatch.chdir(tmp_path / "job")
    conclude(run, load_policy(path))
    assert named(run) == {"policy.yaml"}


def test_a_file_whose_lines_are_not_those_that_are_counted_is_not_named(run, tmp_path):
    stricter(tmp_path / "base.yaml")
    head = 'apiVersion: audit-policy/v1\nid: own\nversion: "1"\n'
    (tmp_path / "own.yaml").write_text(f"{head}extends: base.yaml\n", encoding="utf-8")
    conclude(run, load_policy(Path("own.yaml")))
    assert named(run) == {"policy.yaml"}


def test_judging_by_the_frozen_policy_again_names_what_the_run_named(run, tmp_path):
    content = json.loads(run.manifest_path.read_text(encoding="utf-8"))
    content["config"]["policy"] = "rules/mine.yaml"
    run.manifest_path.write_text(json.dumps(content), encoding="utf-8")
    conclude(run, frozen_policy(run.manifest()))
    assert run.verdict().policy_file == "rules/mine.yaml"
