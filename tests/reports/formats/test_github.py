"""What a GitHub job is told: commands that cannot be forged, and files that are appended to."""

from __future__ import annotations

import dataclasses
import re

import pytest

from probes.core.errors import OutputError
from probes.core.findings import Level, Status
from probes.core.manifest import WRITTEN_OUT
from reports.formats.github import annotation_file, annotation_lines, publish_to_github
from reports.formats.outcome import policy_file
from reports.load import load
from tests.reports import synthetic_run as synthetic
from tests.reports.formats import runs

DIGEST = "ab" * 32


def commands(content: bytes) -> list[tuple[str, dict[str, str], str]]:
    """(name, properties, message) of each line, read as the runner of GitHub Actions reads it."""
    found = []
    for text in content.decode().removesuffix("\n").split("\n"):
        match = re.fullmatch(r"::([^ :]+)(?: (.*?))?::(.*)", text)
        assert match, text
        name, properties, message = match.groups()
        pairs = [pair.split("=", 1) for pair in (properties or "").split(",")]
        found.append((name, {key: unescaped(value) for key, value in pairs}, unescaped(message)))
    return found


def unescaped(text: str) -> str:
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


@pytest.mark.parametrize("attack", runs.ATTACKS)
def test_no_text_forges_a_command(attack, attacked):
    loaded = attacked(attack)
    found = commands(annotation_file(loaded))
    assert {name for name, _, _ in found} <= {"error", "warning", "notice"}
    assert len(found) == 5  # FAIL, INCONCLUSIVE, NOT_RUN, ERROR and the verdict
    for _, properties, message in found[:-1]:
        assert set(properties) == {"file", "line", "title"}
        assert properties["line"] == "7"
        assert "\n" not in message
        assert "\r" not in message


def test_escapes_differ_between_properties_and_messages(tmp_path):
    finding = synthetic.check("a.b", "100%, a:b", status=Status.FAIL, message="100%, a:b: 5%0A")
    loaded = runs.judged(tmp_path / "run", [finding])
    first = annotation_lines(loaded)[0]
    assert "title=100%25%2C a%3Ab::" in first
    assert first.endswith("::Fail, blocking: 100%25, a:b: 5%250A")
    assert commands(annotation_file(loaded))[0][2] == "Fail, blocking: 100%, a:b: 5%0A"


def test_nine_findings_at_most_the_most_important_first(situation):
    found = commands(annotation_file(situation("rich")))
    assert len(found) == 10
    assert [name for name, _, _ in found] == ["error"] * 4 + ["warning"] * 5 + ["error"]
    assert "Any change flips the answer" in found[0][1]["title"]
    _, properties, message = found[-1]
    assert properties == {"title": "Audit: Blocked"}
    assert "15 more findings" in message


def test_a_pass_is_a_notice(situation):
    assert [name for name, _, _ in commands(annotation_file(situation("passing")))] == ["notice"]


def test_what_only_informs_is_no_annotation(tmp_path):
    finding = synthetic.check("a.b", "c", status=Status.FAIL, level=Level.INFO)
    assert len(annotation_lines(runs.judged(tmp_path / "run", [finding], exit_code=0))) == 1


def test_elsewhere_nothing_is_published(situation, tmp_path):
    assert publish_to_github(situation("rich"), {"GITHUB_OUTPUT": str(tmp_path / "out")}) == []
    assert not list(tmp_path.iterdir())


def test_summary_and_outputs_are_appended(situation, tmp_path):
    env = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "out")}
    (tmp_path / "summary").write_text("before\n")
    (tmp_path / "out").write_text("other=1\n")
    lines = publish_to_github(situation("rich"), env, bundle_digest=DIGEST)
    assert lines == annotation_lines(situation("rich"))
    text = (tmp_path / "summary").read_text(encoding="utf-8")
    assert text.startswith("before\n")
    assert "## Audit: Blocked" in text
    assert (tmp_path / "out").read_text() == f"other=1\nverdict=failed\nexit_code=1\nbundle_digest={DIGEST}\n"


@pytest.mark.parametrize("attack", runs.ATTACKS)
def test_no_text_forges_an_output(attack, attacked, tmp_path):
    loaded = attacked(attack)
    env = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "out")}
    publish_to_github(loaded, env)
    assert (tmp_path / "out").read_text() == "verdict=failed\nexit_code=1\nbundle_digest=\n"


def test_an_unjudged_run_has_no_exit_code(situation, tmp_path):
    env = {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "out")}
    publish_to_github(situation("unjudged"), env)
    assert (tmp_path / "out").read_text() == "verdict=not_judged\nexit_code=\nbundle_digest=\n"


def test_a_step_that_audits_many_models_keeps_its_summary(tmp_path):
    loaded = load(synthetic.stress(tmp_path / "run", checks=1_500))
    path = tmp_path / "summary"
    for _ in range(5):
        publish_to_github(loaded, {"GITHUB_STEP_SUMMARY": str(path)})
    assert path.stat().st_size <= 1_000_000
    assert path.read_text(encoding="utf-8").count("Audit: Blocked") == 5


def test_a_digest_is_a_digest(situation):
    with pytest.raises(ValueError, match="not a SHA-256"):
        publish_to_github(situation("rich"), {}, bundle_digest="x\nverdict=passed")


def test_a_file_that_cannot_be_written_is_an_error(situation, tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        publish_to_github(situation("rich"), {"GITHUB_STEP_SUMMARY": str(tmp_path / "no" / "summary")})


@pytest.mark.parametrize(("written_out", "file"), [(False, "rules/mine.yaml"), (True, "policy.yaml")])
def test_the_file_is_the_one_whose_lines_are_counted(tmp_path, written_out, file):
    """A policy that extends another is written out in the run folder, whose lines are not those of the given file."""
    loaded = runs.waived(tmp_path / "run")
    text = f"{WRITTEN_OUT}\n{loaded.manifest.policy}" if written_out else loaded.manifest.policy
    digest = loaded.verdict.policy_digest
    update = {"config": {"policy": "rules/mine.yaml"}, "policy": text, "policy_digest": digest}
    changed = dataclasses.replace(loaded, manifest=loaded.manifest.model_copy(update=update))
    assert policy_file(changed) == file
