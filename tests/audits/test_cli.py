"""The command line from outside: help, errors, exit codes, and whole audits of tiny models."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from audits.cli import COMMANDS
from probes.core.run_folder import RunFolder
from tests import tiny_models
from tests.audits.command_line import audit, audit_process


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny") / "model"
    return tiny_models.build("bert", folder, labels=("negative", "positive"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "test.csv"
    rows = [
        f"The {thing} number {i} was {word}.,{label}"
        for i in range(20)
        for thing, word, label in (("film", "good", "positive"), ("meal", "awful", "negative"))
    ]
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return path


def runs(cwd):
    """The run folders in `runs/`, which also holds the ledger."""
    return [path.parent for path in (cwd / "runs").glob("*/manifest.json")]


@pytest.mark.parametrize("verb", COMMANDS)
def test_help_is_short_and_complete(verb, tmp_path):
    shown = audit(verb, "--help", cwd=tmp_path, code=0).stdout
    options = re.findall(r"^  (?:-\w, )?--[a-z-]+", shown, flags=re.MULTILINE)
    assert len(options) <= 14  # a dozen and the two kinds of help


def test_unknown_verb_suggests(tmp_path):
    assert "did you mean run" in audit_process("rnu", cwd=tmp_path, code=2).stderr


def test_run_writes_everything_and_says_what_it_means(model, data, tmp_path):
    tweets = tmp_path / "tweets.csv"
    rows = [
        f"so {word} today number {n},{label}"
        for n in range(20)
        for word, label in (("good", "positive"), ("bad", "negative"))
    ]
    tweets.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    request = (
        "run",
        "--model",
        model,
        "--data",
        data,
        "--suite",
        "quick",
        "--shift",
        f"tweets={tweets}",
        "--limit",
        30,
    )
    done = audit_process(*request, cwd=tmp_path)
    assert done.returncode in (1, 3, 4)  # random weights do not pass
    assert re.search(r"Exit +\d: ", done.stdout)
    [path] = runs(tmp_path)
    run = RunFolder(path)
    manifest = run.manifest()
    assert all(run.step(step.step_id).end.status == "done" for step in manifest.steps)
    assert run.verdict().exit_code == done.returncode
    html = run.report_path.read_text(encoding="utf-8")
    assert manifest.run_id in html

    again = audit(*request, cwd=tmp_path)
    assert again.returncode == done.returncode
    assert "nothing is computed again" in again.stdout
    assert len(runs(tmp_path)) == 1

    audit("report", path, cwd=tmp_path, code=0)
    assert run.report_path.read_text(encoding="utf-8") == html
    assert audit("gate", path, cwd=tmp_path).returncode == done.returncode
    assert run.report_path.read_text(encoding="utf-8") == html


def test_json_output_is_one_object(model, data, tmp_path):
    done = audit(
        "run",
        "--model",
        model,
        "--data",
        data,
        "--suite",
        "quick",
        "--only",
        "performance.quality",
        "--json",
        cwd=tmp_path,
    )
    payload = json.loads(done.stdout)
    assert payload["exit_code"] == done.returncode
    assert payload["findings"]


def test_without_data_the_rest_is_listed_with_the_flag_that_enables_it(model, tmp_path):
    done = audit("run", "--model", model, "--suite", "quick", "--json", cwd=tmp_path)
    payload = json.loads(done.stdout)
    checks = [f for f in payload["findings"] if f["probe"] == "performance.quality"]
    quality = [f for f in checks if not f["check"].endswith("_vs_baseline")]  # those ask for a baseline as well
    assert quality
    assert all(f["status"] == "NOT_RUN" and "--data" in f["enable"] for f in quality)
    assert any(f["probe"].startswith("robustness.") and f["estimate"] for f in payload["findings"])
    assert done.returncode == 4


def test_no_gate_measures_only(model, data, tmp_path):
    done = audit(
        "run",
        "--model",
        model,
        "--data",
        data,
        "--suite",
        "quick",
        "--only",
        "performance.*",
        "--no-gate",
        cwd=tmp_path,
        code=0,
    )
    assert "audit gate" in done.stdout
    [path] = runs(tmp_path)
    assert not RunFolder(path).findings_path.exists()


def test_plan_loads_no_weights_and_says_what_it_would_do(model, data, tmp_path):
    spoilt = tmp_path / "spoilt.csv"
    spoilt.write_text(data.read_text(encoding="utf-8") + '" ",positive\n"",negative\n" ",negative\n', encoding="utf-8")
    shown = audit("plan", "--model", model, "--data", spoilt, "--suite", "full", cwd=tmp_path, code=0).stdout
    assert "rows not used: empty text" in shown
    assert "model calls" in shown
    assert "robustness.upper_case" in shown
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("args", "code", "what"),
    [
        (["--model", "./nowhere"], 2, "nowhere"),
        (["--model", "MODEL", "--suite", "ful"], 2, "full"),
        (["--model", "MODEL", "--only", "robustness.typo"], 2, "robustness."),
        (["--model", "MODEL", "--data", "none.csv"], 2, "none.csv"),
        (["--model", "MODEL", "--device", "tpu"], 2, "tpu"),
        (["--model", "MODEL", "--policy", "none.yaml"], 2, "none.yaml"),
        (["--model", "MODEL", "--config", "none.yaml"], 2, "none.yaml"),
        (["--model", "MODEL", "--limit", "0"], 2, "limit"),
        ([], 2, "no model"),
    ],
)
def test_bad_input_is_two_lines_and_the_right_code(args, code, what, model, tmp_path):
    done = audit("run", *[str(model) if a == "MODEL" else a for a in args], cwd=tmp_path, code=code)
    assert what in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 6
    assert not list(tmp_path.glob("runs/*/manifest.json"))


def test_label_mismatch_lists_both_sides(model, tmp_path):
    data = tmp_path / "d.csv"
    data.write_text("text,label\nhello there,spam\nbye now,ham\n", encoding="utf-8")
    stderr = audit("run", "--model", model, "--data", data, cwd=tmp_path, code=2).stderr
    for name in ("spam", "ham", "negative", "positive"):
        assert name in stderr


def test_unwritable_output(model, data, tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    done = audit(
        "run",
        "--model",
        model,
        "--data",
        data,
        "--suite",
        "quick",
        "--out",
        tmp_path / "file" / "runs",
        cwd=tmp_path,
        code=4,
    )
    assert "--out" in done.stderr


def test_a_damaged_run_folder_is_an_integrity_failure(model, data, tmp_path):
    audit("run", "--model", model, "--data", data, "--suite", "quick", "--only", "performance.quality", cwd=tmp_path)
    [path] = runs(tmp_path)
    [step] = (path / "steps").glob("*.jsonl")
    step.write_bytes(step.read_bytes()[:-40])
    audit("gate", path, cwd=tmp_path, code=5)
    (path / "manifest.json").write_text("{}", encoding="utf-8")
    audit("report", path, cwd=tmp_path, code=5)


def test_a_plugin_file_runs(model, data, tmp_path):
    from tests.probes.test_registry import PLUGIN

    (tmp_path / "shout.py").write_text(PLUGIN, encoding="utf-8")
    done = audit(
        "run",
        "--model",
        model,
        "--data",
        data,
        "--plugin",
        "shout.py",
        "--only",
        "acme.*",
        "--no-gate",
        cwd=tmp_path,
        code=0,
    )
    assert "acme.shout" in done.stdout


def test_doctor_and_show(tmp_path):
    assert "torch" in audit("doctor", cwd=tmp_path, code=0).stdout
    attacked = audit("show", "robustness.adversarial", cwd=tmp_path, code=0).stdout
    assert re.search(r"^  deepwordbug: Gao, ", attacked, re.MULTILINE)
    shown = audit("show", "robustness.upper_case", cwd=tmp_path, code=0).stdout
    for heading in ("Measures", "Why it matters", "Method", "Limits", "References", "Parameters"):
        assert heading in shown
