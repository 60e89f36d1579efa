"""The templates in docs/ci: readable, pinned, and closed to what a name could smuggle into a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from audits.cli import cli
from reports.formats import FORMATS

CI = Path(__file__).resolve().parents[3] / "docs" / "ci"
ACTION = "action.yml"
TEMPLATES = sorted(path.name for path in CI.glob("*.y*ml"))


def read(name: str) -> Any:
    return YAML(typ="safe").load(CI / name)


def uses(content: Any) -> list[str]:
    """The values of every key `uses`, however deep."""
    if isinstance(content, dict):
        own = [content["uses"]] if "uses" in content else []
        return own + [found for value in content.values() for found in uses(value)]
    return [found for value in content for found in uses(value)] if isinstance(content, list) else []


def scripts(content: Any) -> list[str]:
    if isinstance(content, dict):
        own = [content["run"]] if isinstance(content.get("run"), str) and "value" not in content else []
        return own + [found for value in content.values() for found in scripts(value)]
    return [found for value in content for found in scripts(value)] if isinstance(content, list) else []


@pytest.mark.parametrize("name", TEMPLATES)
def test_actions_of_others_are_pinned_to_a_commit(name):
    for action in uses(read(name)):
        assert action.startswith("./") or re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action), action


@pytest.mark.parametrize("name", TEMPLATES)
def test_no_expression_stands_within_a_script(name):
    for script in scripts(read(name)):
        assert "${{" not in script


def test_the_action_has_what_github_asks_for():
    action = read(ACTION)
    assert {"name", "description", "inputs", "outputs", "runs"} <= set(action)
    assert action["runs"]["using"] == "composite"
    for step in action["runs"]["steps"]:
        assert ("uses" in step) != ("run" in step)
        assert "run" not in step or step["shell"] == "bash"
    for given in action["inputs"].values():
        assert given["description"]
        assert given.get("required") or isinstance(given["default"], str)
    assert {"verdict", "exit-code", "bundle-digest", "run"} == set(action["outputs"])


def test_the_workflow_gives_the_action_only_inputs_that_it_has():
    (job,) = read("github-workflow.yml")["jobs"].values()
    (given,) = [step["with"] for step in job["steps"] if step["uses"].startswith("./")]
    inputs = read(ACTION)["inputs"]
    assert set(given) <= set(inputs)
    assert {name for name, details in inputs.items() if details.get("required")} <= set(given)


def test_gitlab_reads_files_that_a_run_has():
    reports = read("gitlab-ci.yml")[".audit"]["artifacts"]["reports"]
    assert set(reports) == {"junit", "codequality", "metrics"}
    assert {Path(path).name for path in reports.values()} <= {form.file for form in FORMATS.values()}


def test_the_page_names_every_file():
    page = (CI.parent / "ci-outputs.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([^`]+)` \|", page, re.M)) == {form.file for form in FORMATS.values()}


# --- what the templates call exists -----------------------------------------------------------------------------------


def verb(*names: str) -> click.Command:
    command: click.Command | None = cli
    for name in names:
        assert isinstance(command, click.Group)
        command = command.get_command(click.Context(command), name)
        assert command is not None, names
    assert command is not None
    return command


def flags(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts}


def calls(script: str) -> list[str]:
    """The lines that build or make a call of `audit`."""
    return [line for line in script.splitlines() if re.search(r"command|set --|\baudit ", line)]


@pytest.mark.parametrize("name", [ACTION, "gitlab-ci.yml"])
def test_flags_of_the_templates_are_those_of_audit_run(name):
    content = read(name)
    scripts_ = scripts(content) if name == ACTION else content[".audit"]["script"]
    lines = [line for script in scripts_ for line in calls(script)]
    assert any(re.search(r"\baudit run\b", line) for line in lines)
    used = {flag for line in lines for flag in re.findall(r"(?<=[ (])--[a-z][a-z-]+", line)}
    assert {"--model", "--policy", "--waivers", "--baseline", "--json"} <= used
    assert used <= flags(verb("run")), used - flags(verb("run"))


def test_arguments_of_the_workflow_are_flags_of_audit_run():
    (job,) = read("github-workflow.yml")["jobs"].values()
    (given,) = [step["with"] for step in job["steps"] if step["uses"].startswith("./")]
    used = {word for word in given["arguments"].split() if word.startswith("--")}
    assert used
    assert used <= flags(verb("run"))


def test_the_hooks_call_verbs_that_take_what_they_are_given():
    hooks = [hook for repo in read("pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    for hook in hooks:
        program, *names = hook["entry"].split()
        command = verb(*names)
        assert program == "audit"
        (argument,) = [each for each in command.params if isinstance(each, click.Argument)]
        many = argument.nargs == -1
        assert many or re.fullmatch(r"\^[\w\\.]+\$", hook["files"])  # pre-commit gives all files that match at once


def test_every_call_of_the_pages_exists():
    """Each `audit verb --flag` in the texts beside the templates."""
    texts = [path.read_text(encoding="utf-8") for path in (*CI.iterdir(), CI.parent / "ci-outputs.md")]
    found = [match for text in texts for match in re.findall(r"`audit ([a-z]+(?: [a-z]+)?)((?: --[a-z-]+)*)", text)]
    assert found
    for names, used in found:
        group = verb(names.split()[0])
        command = verb(*names.split()) if isinstance(group, click.Group) and " " in names else group
        assert set(used.split()) <= flags(command)


FAKE = """#!/bin/sh
printf '%s\\n' "$@" > "$LOG"
mkdir -p audit-runs/one
echo '<!-- responsible-audit 0 -->' > audit-runs/one/pull-request.md
{ printf '{"run": "audit-runs/one"}'; } 2>/dev/null
exit 3
"""


def shell(tmp_path: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a script of a template with a stand-in for `audit` that notes its arguments and ends with 3."""
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "audit").write_text(FAKE)
    (tools / "audit").chmod(0o755)
    env = {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "LOG": str(tmp_path / "log"),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "out"),
        **variables,
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)


HOSTILE = "a b; touch owned $(touch owned) `touch owned` \" ' *"


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_action_passes_arguments_and_exit_code_as_they_are(tmp_path):
    (step,) = [step for step in read(ACTION)["runs"]["steps"] if step.get("id") == "audit"]
    given = {
        "MODEL": HOSTILE,
        "DATA": "data.csv",
        "SUITE": "quick",
        "POLICY": "",
        "WAIVERS": "waivers.yaml",
        "BASELINE": HOSTILE,
        "ARGUMENTS": f"--limit\n5\n{HOSTILE}\n",
    }
    assert set(step["env"]) == set(given)
    ended = shell(tmp_path, step["run"], **given)
    assert ended.returncode == 3, ended.stderr
    assert (tmp_path / "log").read_text().splitlines() == [
        "run", "--model", HOSTILE, "--suite", "quick", "--out", "audit-runs", "--json", "--data", "data.csv",
        "--waivers", "waivers.yaml", "--baseline", HOSTILE, "--limit", "5", HOSTILE,
    ]  # fmt: skip
    assert (tmp_path / "out").read_text() == "run=audit-run\n"
    assert (tmp_path / "audit-run" / "pull-request.md").exists()
    assert not (tmp_path / "owned").exists()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_the_gitlab_job_passes_arguments_and_exit_code_as_they_are(tmp_path):
    job = read("gitlab-ci.yml")[".audit"]
    given = {
        "AUDIT_MODEL": HOSTILE, "AUDIT_DATA": "", "AUDIT_POLICY": "policy.yaml", "AUDIT_SUITE": "full",
        "AUDIT_WAIVERS": "", "AUDIT_BASELINE": "last run",
    }  # fmt: skip
    assert set(job["variables"]) == {*given, "AUDIT_PACKAGE"}
    (script,) = job["script"]
    ended = shell(tmp_path, script, **given)
    assert ended.returncode == 3, ended.stderr
    assert (tmp_path / "log").read_text().splitlines()[:4] == ["run", "--model", HOSTILE, "--suite"]
    assert (tmp_path / "log").read_text().splitlines()[-4:] == ["--policy", "policy.yaml", "--baseline", "last run"]
    assert (tmp_path / "audit-run" / "pull-request.md").exists()
    assert not (tmp_path / "owned").exists()
