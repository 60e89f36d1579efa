"""`audit policy init|lint|plan|schema`: what they print, what they write and how they end."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from audits.commands.policy import command
from audits.policy.file import json_schema
from audits.policy.policy import load_policy
from audits.policy.presets import PRESETS
from audits.policy.start import starting_file
from probes.core.errors import OutputError, PolicyError, UsageError


def run(*args):
    result = CliRunner().invoke(command, [str(arg) for arg in args], standalone_mode=False)
    if result.exception:
        raise result.exception
    assert result.return_value == 0
    return result.output


@pytest.mark.parametrize("preset", PRESETS)
def test_a_starting_file_is_in_order(preset, tmp_path):
    path = tmp_path / "policy.yaml"
    run("init", "--preset", preset, "--out", path)
    told = run("lint", path)
    assert "in order" in told
    warnings = [line for line in told.splitlines() if line.startswith("Warning")]
    assert all("nobody has approved" in line for line in warnings)  # only its user can change that
    assert len(warnings) == (preset != "screening")


@pytest.mark.parametrize("preset", PRESETS)
def test_its_comments_are_yaml_when_they_are_no_comments_any_more(preset, tmp_path):
    head, checks = starting_file(preset, name="p.yaml").split("# checks:\n")
    keys = [line for line in head.splitlines() if line.startswith("# ") and ": " in line and "#   " not in line[:4]]
    for line in head.splitlines():
        key = line.removeprefix("# ").split(":")[0]
        if line in keys and key in json_schema()["properties"]:
            head = head.replace(line, line.removeprefix("# "))
    bare = "".join(line.removeprefix("#").removeprefix(" ") for line in checks.splitlines(keepends=True))
    path = tmp_path / "p.yaml"
    path.write_text(f"{head}checks:\n{bare}", encoding="utf-8")
    policy = load_policy(path)
    assert policy.file.owner == "ml-platform@example.org"
    assert policy.max_waiver_days == 30
    assert policy.file.expires
    blocking = [check for check in policy.effective if check.level == "block"]
    assert len(blocking) >= 1
    assert len(policy.checks) > len(load_policy(None).checks)


def test_a_file_is_never_replaced_unasked(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="exists already"):
        run("init", "--out", path)
    assert path.read_text(encoding="utf-8") == "mine"
    run("init", "--out", path, "--force")
    assert "extends: default" in path.read_text(encoding="utf-8")


def test_where_nothing_can_be_written_and_what_is_no_preset(tmp_path):
    with pytest.raises(OutputError):
        run("init", "--out", tmp_path / "missing" / "policy.yaml")
    with pytest.raises(UsageError) as caught:
        run("init", "--preset", "relase", "--out", tmp_path / "p.yaml")
    assert "release" in caught.value.hint
    assert not (tmp_path / "p.yaml").exists()


def test_lint_takes_presets_and_tells_as_json(tmp_path):
    told = json.loads(run("lint", "regulated", "--json"))
    assert told["policy"] == "regulated 1"
    assert len(told["digest"]) == 64
    assert [warning["file"] for warning in told["warnings"]] == [None]


def test_lint_judges_by_the_day_it_is_given(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(starting_file("screening", name="p.yaml") + "expires: 2027-01-31\n", encoding="utf-8")
    assert "no warnings" in run("lint", path, "--as-of", "2026-11-29")
    assert "1 warning\n" in run("lint", path, "--as-of", "2027-01-15")
    with pytest.raises(PolicyError) as caught:
        run("lint", path, "--as-of", "2027-02-01")
    assert caught.value.exit_code == 2


def test_plan_prints_a_row_for_each_check():
    told = run("plan", "release")
    assert "power 80%" in told
    (row,) = [line for line in told.splitlines() if "accuracy_vs_baseline" in line]
    assert "6,183" in row
    told = json.loads(run("plan", "release", "--discordant", "0.05", "--json"))
    (check,) = [each for each in told["checks"] if each["check"] == "performance.quality.accuracy_vs_baseline"]
    assert (check["needed_n"], check["level"], told["run"]) == (3092, "block", None)


def test_plan_refuses_what_is_no_run(tmp_path):
    with pytest.raises(UsageError, match="not a run folder"):
        run("plan", "default", tmp_path)


def test_schema_is_json():
    assert json.loads(run("schema")) == json.loads(json.dumps(json_schema()))


def test_no_model_library_is_loaded():
    code = (
        "import sys; from click.testing import CliRunner; from audits.commands.policy import command\n"
        "for args in (['lint', 'default'], ['plan', 'default'], ['schema']):\n"
        "    assert CliRunner().invoke(command, args, standalone_mode=False).exception is None\n"
        "print([name for name in ('torch', 'transformers', 'datasets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


CHECK = """\
apiVersion: audit-policy/v1
id: mine
version: "1"
checks:
  - check: performance.quality.accuracy{part}
    {limit}
    level: warn
    rationale: r
    source: s
"""


@pytest.mark.parametrize("verb", ["lint", "plan"])
@pytest.mark.parametrize(
    ("limit", "part"),
    [("max: 0.8", ""), ("min: 80", ""), ("min: true", ""), ('min: "0.8"', ""), ("min: 1", "[grup=a]")],
)
def test_both_refuse_what_cannot_be_meant(verb, limit, part, tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(CHECK.format(limit=limit, part=part), encoding="utf-8")
    with pytest.raises(PolicyError, match=r"p\.yaml, line [56]: ") as caught:
        run(verb, path)
    assert caught.value.exit_code == 2


def test_one_of_a_thing_is_one(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(CHECK.format(limit="min: 0.8", part=""), encoding="utf-8")
    assert "in order; 1 check, no warnings" in run("lint", path)


def test_a_plug_in_can_be_planned_for(tmp_path):
    path, plugin = tmp_path / "p.yaml", tmp_path / "plugin.py"
    path.write_text(
        CHECK.format(limit="min: 0.8", part="").replace("performance.quality", "mine.own"), encoding="utf-8"
    )
    plugin.write_text(PLUGIN, encoding="utf-8")
    with pytest.raises(PolicyError, match="matches no probe"):
        run("plan", path)
    assert "mine.own.accuracy" in run("plan", path, "--plugin", plugin)


PLUGIN = """
from dataclasses import dataclass
from probes.core.probe import ProbeDoc, ProbeInfo

@dataclass(frozen=True)
class Own:
    @property
    def info(self):
        doc = ProbeDoc(question="q", measures="m", why="w", method="m", limits="l", references="r")
        return ProbeInfo(id="mine.own", version=1, risk="mine", title="Own", doc=doc)

    def run(self, model, data, ctx):
        yield from ()

PROBES = (Own(),)
"""
