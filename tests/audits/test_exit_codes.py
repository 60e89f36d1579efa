"""Every exit code, and which comes first, as a shell sees them: through the command line, on small run folders."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import pytest

from audits import cli
from probes.core.findings import ExitCode
from probes.core.records import Skip, SkipReason, to_line
from probes.core.run_folder import RunFolder
from tests import tiny_models
from tests.audits.gate.test_gate import done, failed, manifest, measured, policy, step

TODAY = datetime.now(UTC).date()
HOLDS, FAILS, OPEN = {"value": 0.01, "half": 0.001}, {"value": 0.2}, {"value": 0.05}
PROBES = ("robustness.typos", "robustness.case", "robustness.words", "robustness.crash")


@pytest.fixture(autouse=True)
def process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """What a process starts with, and what `main` does to it taken back."""
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


def code(*arguments: object) -> int:
    """What the shell gets."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(each) for each in arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


RULES = [{"check": f"{name}.flip_rate"} for name in PROBES[:3]]


def folder(path: Path, rules: list[dict[str, object]] | None = None, **results: object) -> RunFolder:
    """A run of three probes whose number holds unless `results` says otherwise (`typos`, `case`, `words`, `crash`): a
    mapping for `measured`, a record, "crashed", or None for a step that never ended."""
    given = {"typos": HOLDS, "case": HOLDS, "words": HOLDS, **results}
    run, steps = RunFolder(path), [step(f"robustness.{name}") for name in given]
    run.manifest_path.parent.mkdir(parents=True)
    run.step_path("x").parent.mkdir()
    frozen = policy(*(rules or RULES))
    run.manifest_path.write_text(manifest(steps, rules=frozen).model_dump_json(), encoding="utf-8")
    for planned, result in zip(steps, given.values(), strict=True):
        if result == "crashed":
            written, file = failed(planned), run.failed_path(planned.step_id)
        else:
            record = measured(**result) if isinstance(result, dict) else result
            written, file = done(planned, *([record] if record else [])), run.step_path(planned.step_id)
        if result is not None:
            lines = [to_line(each) for each in (*written.records, written.end)]
            file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return run


def text(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def written(path: Path, *checks: dict[str, object], **more: object) -> Path:
    """A policy, in order or not."""
    rows = [{"level": "block", "rationale": "r", "source": "s", "max": 0.05, **each} for each in checks]
    for row in rows:
        if "min" in row:
            del row["max"]
    return text(path, {"apiVersion": "audit-policy/v1", "id": "test", "version": "1", "checks": rows, **more})


def waivers(path: Path, **changes: object) -> Path:
    entry = {
        "id": "W-1", "checks": ["robustness.typos.flip_rate"], "model": "*", "max_observed": 0.5, "reason": "r",
        "owner": "lopez", "approver": "risk", "created": str(TODAY), "expires": str(TODAY + timedelta(days=30)),
    }  # fmt: skip
    return text(path, {"apiVersion": "audit-waivers/v1", "waivers": [entry | changes]})


def typo(path: Path) -> Path:
    return written(path, {"check": "robustness.tpyos.flip_rate"})


def scribble(run: RunFolder, name: str = "robustness.typos") -> None:
    """Cut the last line off a file of results."""
    file = run.step_path(step(name).step_id)
    file.write_text(file.read_text(encoding="utf-8").splitlines()[0] + "\n", encoding="utf-8")


# --- 0 ----------------------------------------------------------------------------------------------------------------


def test_0_passed(tmp_path):
    assert code("gate", folder(tmp_path / "run").path) == ExitCode.PASSED


def test_0_with_warnings_only(tmp_path):
    rules = [RULES[0], {**RULES[1], "level": "warn"}, {**RULES[2], "level": "info"}]
    assert code("gate", folder(tmp_path / "run", rules, case=FAILS, words=FAILS).path) == ExitCode.PASSED


def test_0_with_a_valid_waiver(tmp_path):
    run = folder(tmp_path / "run", typos=FAILS)
    assert code("gate", run.path) == ExitCode.FAILED
    assert code("gate", run.path, "--waivers", waivers(tmp_path / "w.yaml")) == ExitCode.PASSED


def test_0_where_a_check_makes_no_sense(tmp_path):
    skip = Skip(reason=SkipReason.WRONG_PROBLEM, detail="d", name="flip_rate")
    assert code("gate", folder(tmp_path / "run", typos=skip).path) == ExitCode.PASSED


def test_0_for_what_judges_nothing(tmp_path):
    run = folder(tmp_path / "run", typos=FAILS)
    for arguments in (["--help"], ["--version"], ["gate", "--help"], ["probes"], ["show", "performance.quality"]):
        assert code(*arguments) == ExitCode.PASSED, arguments
    assert code("gate", run.path) == ExitCode.FAILED
    assert code("report", run.path) == ExitCode.PASSED
    assert code("verify", run.path) == ExitCode.PASSED


# --- 1, 3, 4: what the gate says --------------------------------------------------------------------------------------

FAR = {"value": 0.2, "half": 0.01}
FEW = {"value": 0.01, "half": 0.001, "n": 5}
LEFT_OUT = Skip(reason=SkipReason.NOT_SELECTED, detail="d", name="flip_rate")


@pytest.mark.parametrize(
    ("expected", "rule", "result"),
    [
        (1, {}, FAILS),
        (1, {"burden": "prove_bad"}, FAR),
        (3, {}, OPEN),
        (3, {"minimum_n": 30}, FEW),
        (3, {}, LEFT_OUT),
        (4, {}, "crashed"),
        (4, {}, None),
        (4, {"required": True}, LEFT_OUT),
        (4, {"required": True, "level": "warn"}, LEFT_OUT),
        (4, {"check": "robustness.typos.flip_rte"}, HOLDS),
    ],
)  # fmt: skip
def test_1_3_4_as_the_gate_says(expected, rule, result, tmp_path):
    run = folder(tmp_path / "run", [{**RULES[0], **rule}, *RULES[1:]], typos=result)
    assert code("gate", run.path) == expected
    assert run.verdict().exit_code == expected


def test_3_for_a_waiver_that_is_not_in_order(tmp_path):
    run = folder(tmp_path / "run")
    assert code("gate", run.path, "--waivers", waivers(tmp_path / "w.yaml")) == ExitCode.INCONCLUSIVE


def test_4_where_nothing_was_measured(tmp_path):
    run = folder(tmp_path / "run", [{"check": "robustness.typos.*", "level": "info"}])
    assert code("gate", run.path) == ExitCode.INCOMPLETE


def test_4_where_the_model_would_not_load(tmp_path):
    model = tiny_models.build("bert", tmp_path / "model")
    (model / "model.safetensors").write_bytes(b"no weights")
    assert code("run", "--model", model, "--suite", "quick", "--only", "robustness.upper_case") == ExitCode.INCOMPLETE


def test_4_where_results_cannot_be_written(tmp_path, monkeypatch):
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    run = folder(tmp_path / "run")
    monkeypatch.setattr("os.fsync", full)
    assert code("gate", run.path) == ExitCode.INCOMPLETE


# --- 2 ----------------------------------------------------------------------------------------------------------------

Case = Callable[[Path], list[object]]
WRONG: dict[str, Case] = {
    "no such verb": lambda p: ["gat", p / "run"],
    "no such flag": lambda p: ["gate", p / "run", "--polcy", "x"],
    "no such run": lambda p: ["gate", p / "nowhere"],
    "no such policy": lambda p: ["gate", p / "run", "--policy", p / "nowhere.yaml"],
    "no YAML": lambda p: ["gate", p / "run", "--policy", text(p / "p.yaml", "checks: [")],
    "unknown key": lambda p: ["gate", p / "run", "--policy", written(p / "p.yaml", RULES[0], colour="red")],
    "unknown key of a check": lambda p: ["gate", p / "run", "--policy", written(p / "p.yaml", {**RULES[0], "mxa": 1})],
    "duplicate key": lambda p: ["gate", p / "run", "--policy", text(p / "p.yaml", "id: a\nid: b\n")],
    "unknown probe": lambda p: ["gate", p / "run", "--policy", typo(p / "p.yaml")],
    "limit on the wrong side": lambda p: [
        "gate", p / "run", "--policy", written(p / "p.yaml", {"check": "robustness.typos.flip_rate", "min": 0.1}),
    ],
    "share above one": lambda p: ["gate", p / "run", "--policy", written(p / "p.yaml", {**RULES[0], "max": 95})],
    "policy expired": lambda p: ["gate", p / "run", "--policy", written(p / "p.yaml", RULES[0], expires="2020-01-01")],
    "no such waivers": lambda p: ["gate", p / "run", "--waivers", p / "nowhere.yaml"],
    "owner approves": lambda p: ["gate", p / "run", "--waivers", waivers(p / "w.yaml", approver="Lopez ")],
    "waiver too long": lambda p: [
        "gate", p / "run", "--waivers", waivers(p / "w.yaml", expires=str(TODAY + timedelta(days=91))),
    ],
    "no such baseline": lambda p: ["gate", p / "run", "--baseline", p / "nowhere"],
    "nothing to report": lambda p: ["report", p / "nowhere"],
    "nothing to verify": lambda p: ["verify", p / "nowhere"],
    "no model named": lambda p: ["run"],
    "no such model": lambda p: ["run", "--model", p / "nowhere"],
    "no such suite": lambda p: ["run", "--model", tiny(p), "--suite", "quikc"],
    "unknown number to measure": lambda p: measuring(p, {"check": "performance.quality.acuracy", "min": 0.8}),
    "wrong side to measure": lambda p: measuring(p, {"check": "performance.quality.accuracy", "max": 0.8}),
    "off the scale to measure": lambda p: measuring(p, {"check": "performance.quality.accuracy", "min": 80}),
    "unknown part to measure": lambda p: measuring(p, {"check": "robustness.upper_case.flip_rate[severty=2]"}),
    "no such probe": lambda p: ["show", "performance.qualty"],
    "policy to lint": lambda p: ["policy", "lint", text(p / "p.yaml", "checks: [")],
}  # fmt: skip


def measuring(path: Path, check: dict[str, object]) -> list[object]:
    """An audit that is refused before its first step."""
    return ["run", "--model", tiny(path), "--out", path / "out", "--policy", written(path / "p.yaml", check)]


def tiny(path: Path) -> Path:
    return tiny_models.build("bert", path / "model")


@pytest.mark.parametrize("what", WRONG)
def test_2_for_what_the_user_got_wrong(what, tmp_path, capsys):
    run = folder(tmp_path / "run")
    assert code(*WRONG[what](tmp_path)) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert told.strip()
    assert "Traceback" not in told
    assert not run.findings_path.exists()  # nothing was judged
    assert not (tmp_path / "out").exists()  # and nothing measured


def test_2_where_another_policy_asks_for_a_number_that_no_probe_publishes(tmp_path, capsys):
    """As before measuring: a name that cannot exist is a mistake of the policy and not a gap of the audit."""
    found = measured(**HOLDS)
    run = folder(tmp_path / "run", [{"check": "robustness.upper_case.flip_rate"}], upper_case=found)
    rules = written(tmp_path / "p.yaml", {"check": "robustness.upper_case.flip_rte"})
    assert code("gate", run.path, "--policy", rules) == ExitCode.USAGE
    told = capsys.readouterr().err
    assert "p.yaml" in told
    assert "flip_rate" in told


# --- 5 ----------------------------------------------------------------------------------------------------------------


def test_5_where_results_are_damaged(tmp_path):
    run = folder(tmp_path / "run")
    scribble(run)
    assert code("gate", run.path) == ExitCode.INTEGRITY


def test_5_where_the_policy_was_changed_after_the_run_began(tmp_path):
    run = folder(tmp_path / "run")
    content = json.loads(run.manifest_path.read_text(encoding="utf-8"))
    content["policy"] = content["policy"].replace("0.05", "0.9")
    run.manifest_path.write_text(json.dumps(content), encoding="utf-8")
    assert code("gate", run.path) == ExitCode.INTEGRITY


@pytest.mark.parametrize("verb", ["gate", "report", "verify"])
def test_5_where_a_sealed_run_is_not_what_was_sealed(verb, tmp_path):
    run = folder(tmp_path / "run")
    assert code("gate", run.path) == ExitCode.PASSED
    file = run.step_path(step("robustness.typos").step_id)
    file.write_text(file.read_text(encoding="utf-8").replace("0.01", "0.00"), encoding="utf-8")
    assert code(verb, run.path) == ExitCode.INTEGRITY


@pytest.mark.parametrize("name", ["findings.json", "report.html", "junit.xml", "findings.sarif", "bundle.json"])
def test_5_where_what_was_derived_is_not_what_follows(name, tmp_path):
    run = folder(tmp_path / "run")
    assert code("gate", run.path) == ExitCode.PASSED
    file = run.path / name
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    assert code("verify", run.path) == ExitCode.INTEGRITY


def test_5_where_the_baseline_was_measured_on_other_data(tmp_path):
    run, other = folder(tmp_path / "run"), folder(tmp_path / "other")
    content = json.loads(other.manifest_path.read_text(encoding="utf-8"))
    content["data"]["fingerprint"] = "e" * 64
    other.manifest_path.write_text(json.dumps(content | {"run_id": "other"}), encoding="utf-8")
    assert code("gate", run.path, "--baseline", other.path) == ExitCode.INTEGRITY


# --- 130 --------------------------------------------------------------------------------------------------------------


def test_130_where_it_was_interrupted(tmp_path, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("audits.conclusion.judgement", interrupted)
    assert code("gate", folder(tmp_path / "run").path) == ExitCode.INTERRUPTED


def test_130_for_a_polite_kill(tmp_path, monkeypatch):
    monkeypatch.setattr("audits.conclusion.judgement", lambda *_, **__: signal.raise_signal(signal.SIGTERM))
    assert code("gate", folder(tmp_path / "run").path) == ExitCode.INTERRUPTED


# --- precedence: 5, then 2, 4, 1, 3, 0 --------------------------------------------------------------------------------

ORDER = (5, 2, 4, 1, 3)


@pytest.mark.parametrize(
    "troubles", [chosen for size in range(len(ORDER) + 1) for chosen in combinations(ORDER, size)], ids=str
)
def test_of_several_troubles_the_first_in_the_order_is_told(troubles, tmp_path):
    run = folder(
        tmp_path / "run",
        [*RULES, {"check": "robustness.crash.flip_rate"}],
        typos=FAILS if 1 in troubles else HOLDS,
        case=OPEN if 3 in troubles else HOLDS,
        crash="crashed" if 4 in troubles else HOLDS,
    )
    arguments: list[object] = ["gate", run.path]
    if 2 in troubles:
        arguments += ["--policy", typo(tmp_path / "policy.yaml")]
    if 5 in troubles:
        scribble(run, "robustness.words")
    assert code(*arguments) == next((each for each in ORDER if each in troubles), 0)


@pytest.mark.parametrize("wrong", ["no YAML", "no such policy", "no such waivers", "owner approves"])
def test_damage_is_told_before_a_faulty_file(wrong, tmp_path):
    run = folder(tmp_path / "run")
    assert code("gate", run.path) == ExitCode.PASSED
    scribble(run)
    assert code(*WRONG[wrong](tmp_path)) == ExitCode.INTEGRITY


@pytest.mark.parametrize("shown", [False, True])
def test_a_defect_of_ours_never_looks_like_a_verdict(shown, monkeypatch, capsys):
    def breaks(**_: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(cli.cli, "main", lambda **how: breaks(**how))
    if shown:
        monkeypatch.setenv("AUDIT_TRACEBACK", "1")
    assert code("probes") == ExitCode.INCOMPLETE
    said = capsys.readouterr().err
    assert "this program has a defect: ZeroDivisionError: division by zero, in breaks of test_exit_codes.py" in said
    assert ("Traceback" in said) is shown
    assert "AUDIT_TRACEBACK=1" in said
