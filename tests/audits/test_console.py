from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from audits.console import Terminal, number, printable
from probes.core.errors import UsageError
from probes.core.findings import Finding, Level, Status, Verdict
from probes.core.records import SCHEMA_VERSION, Better, Estimate, StepEnd, Unit
from probes.core.run_folder import RunFolder

HOSTILE = "\x1b[2J\u202eevil\u200b[bold]x[/bold]"


def step(name: str = "robustness.typos") -> SimpleNamespace:
    return SimpleNamespace(planned=SimpleNamespace(probe=name))


def finding(status: Status, level: Level = Level.BLOCK, check: str = "a.b.c") -> Finding:
    estimate = Estimate(value=0.1, low=0.05, high=0.2, n=100, clusters=100, method="m")
    return Finding(
        check=check, probe="a.b", risk="a", title="t", status=status, level=level, message="m", estimate=estimate,
        better=Better.LOWER, unit=Unit.PROPORTION, maximum=0.08,
    )  # fmt: skip


def verdict(*findings: Finding) -> Verdict:
    return Verdict(
        schema_version=SCHEMA_VERSION, run_id="r", policy_id="p", policy_digest="d", exit_code=1,
        sentence="Blocked: " + HOSTILE, counts={"FAIL": 1}, findings=findings,
    )  # fmt: skip


def recorded(terminal: Terminal, *, live: bool) -> io.StringIO:
    buffer = io.StringIO()
    terminal.out = Console(file=buffer, force_terminal=live, width=160, highlight=False)
    terminal.live = live
    return buffer


def test_control_characters_are_shown_not_obeyed():
    assert printable("a\x1bb\u202e") == "a\\u001bb\\u202e"
    assert printable("x\n::error::no ##vso[no]") == "x\n:\\u003aerror:\\u003ano #\\u0023vso[no]"
    terminal = Terminal()
    buffer = recorded(terminal, live=False)
    terminal.line(HOSTILE)
    assert "\x1b" not in buffer.getvalue()
    assert "[bold]x[/bold]" in buffer.getvalue()


def test_progress_on_a_terminal_from_nothing_to_done():
    terminal = Terminal()
    buffer = recorded(terminal, live=True)
    terminal.progress(3, 10)  # before any step: the clean texts
    terminal.step_started(step(), index=1, total=2)
    for done in (0, 4, 10):
        terminal.progress(done, 10)
    terminal.step_finished(step(), end=StepEnd(status="failed", records=0, items=0, error="broke"), telemetry=None)
    terminal.step_started(step("b.c"), index=2, total=2)
    terminal.__exit__()
    assert "broke" in buffer.getvalue()


def test_in_a_log_a_probe_that_says_what_it_is_at_is_told_by_that(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("audits.console.time.monotonic", lambda: clock[0])
    terminal = Terminal()
    buffer = recorded(terminal, live=False)

    def later(done, total):
        clock[0] += 20
        terminal.progress(done, total)

    terminal.step_started(step("a.b"), index=1, total=2)
    terminal.within("fast", 0, 100)
    later(41, 41)
    terminal.within("fast", 7, 100)
    later(20, 20)
    terminal.step_started(step("b.c"), index=2, total=2)
    later(1, 1)
    assert buffer.getvalue().splitlines() == [
        "[1/2] a.b: fast",
        "[1/2] a.b: fast, 7 of 100 items",
        "[2/2] b.c: 1 of 1 text",
    ]


def test_blocking_failures_come_first(tmp_path):
    terminal = Terminal()
    buffer = recorded(terminal, live=False)
    terminal.verdict(
        verdict(
            finding(Status.INCONCLUSIVE, check="a.b.second"),
            finding(Status.FAIL, Level.WARN, check="a.b.third"),
            finding(Status.FAIL, check="a.b.first"),
            finding(Status.PASS, check="a.b.passed"),
        ),
        report=tmp_path / "report.html",
    )
    shown = buffer.getvalue()
    assert shown.index("first") < shown.index("second") < shown.index("third")
    assert "a.b.passed" not in shown
    assert "1 further check of a passed" in shown
    assert "\x1b" not in shown


def test_errors_are_two_lines_on_standard_error(capsys):
    Terminal(quiet=True).error(UsageError("what\x1b happened", hint="what to do"))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == ["Error: what\\u001b happened", "Hint: what to do"]


def test_machine_output_is_json(capsys):
    Terminal(quiet=True, machine=True).machine({"a": "\u2028\x1b"})
    assert json.loads(capsys.readouterr().out) == {"a": "\u2028\x1b"}


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.125, Unit.PROPORTION, "12.5 %"),
        (-0.02, Unit.DIFFERENCE, "-2.0 pp"),
        (1.23456, Unit.SCORE, "1.23"),
        (2, None, "2"),
    ],
)
def test_numbers(value, unit, text):
    assert number(value, unit) == text


def test_offensive_words_are_masked_on_the_terminal_unless_asked_for():
    judged = verdict(finding(Status.FAIL, check="a.b.c[word=bullshit]"))
    for unmask, word in ((False, "b*******"), (True, "bullshit")):
        terminal = Terminal(unmask=unmask)
        buffer = recorded(terminal, live=False)
        terminal.line("bullshit happens")
        terminal.table("", ("a",), [("some bullshit",)])
        terminal.verdict(judged, report=RunFolder(Path("runs/shit")).report_path)
        told = buffer.getvalue()
        assert f"{word} happens" in told
        assert f"some {word}" in told
        assert f"a.b.c[word={word}]" in told
        assert "runs/shit" in told, "a path must stay one that can be typed"
