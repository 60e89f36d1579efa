"""The ledger: what was tried is counted, once, and cannot be changed unseen."""

from __future__ import annotations

import builtins
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from audits.evidence import ledger, recording
from audits.evidence.history import attempts, other_results
from audits.evidence.ledger import LEDGER, Line, read_ledger
from audits.evidence.measured import results_digest
from audits.evidence.recording import record_frozen, record_judged
from audits.gate.judgement import run_gate
from audits.policy.policy import frozen_policy, parse_policy
from probes.core.attestation import ATTEMPTS, Attempts
from probes.core.errors import IntegrityError, OutputError
from tests.audits.evidence import runs
from tests.audits.evidence.runs import flip

ROOT = Path(__file__).resolve().parents[3]


def lines_of(folder):
    return read_ledger(folder / LEDGER)


def carried(run) -> Attempts:
    return Attempts.model_validate_json(run.file(ATTEMPTS).read_bytes())


def test_a_run_is_two_lines_however_often_it_is_resumed_and_judged(tmp_path):
    run = runs.tried(tmp_path / "run")
    runs.written_down(run, time="2027-01-01T00:00:00Z")
    record_frozen(run)
    lines = lines_of(tmp_path)
    assert [(line.event, line.exit_code) for line in lines] == [("frozen", None), ("judged", 0)]
    assert lines[1].time == runs.NOW
    assert lines[0].time == run.manifest().created
    raw = (tmp_path / LEDGER).read_bytes().splitlines()
    assert lines[0].previous == "0" * 64
    assert lines[1].previous == hashlib.sha256(raw[0]).hexdigest()


def test_another_result_or_another_policy_is_another_line(tmp_path):
    run = runs.tried(tmp_path / "run")
    runs.written_down(run, text=runs.policy(0.99))
    runs.written_down(run)
    assert [line.exit_code for line in lines_of(tmp_path)] == [None, 0, 1, 0]
    model, digest = run.manifest().model.fingerprint, run.manifest().policy_digest
    (under,) = attempts(lines_of(tmp_path), model, digest)
    assert [outcome.exit_code for outcome in under.outcomes] == [0, 0]
    assert len(attempts(lines_of(tmp_path), model)) == 2
    assert attempts(lines_of(tmp_path), "another model") == ()


def test_a_run_carries_what_was_tried_before_it(tmp_path):
    strict = runs.policy(0.99)
    first = runs.tried(tmp_path / "a", run_id="a", text=strict, created="2026-11-20T08:00:00Z")
    never = runs.measured(tmp_path / "b", run_id="b", text=strict, created="2026-11-20T09:00:00Z")
    record_frozen(never)
    runs.tried(tmp_path / "c", run_id="c", created="2026-11-20T09:30:00Z")
    last = runs.sealed(tmp_path / "d", run_id="d", text=strict, created="2026-11-20T10:00:00Z")
    runs.tried(tmp_path / "e", run_id="e", text=strict, created="2026-11-20T11:00:00Z")
    known = carried(last)
    assert [attempt.run_id for attempt in known.same_policy] == ["a", "b"]
    assert [[o.exit_code for o in attempt.outcomes] for attempt in known.same_policy] == [[1], []]
    assert known.other_policies == 1
    bundle = json.loads(last.bundle_path.read_bytes())
    assert bundle["attempts"] == {"count": 2, "outcomes": [1, None], "other_policies": 1}
    assert [attempt.run_id for attempt in carried(first).attempts] == ["a"]
    assert carried(first).same_policy == ()


def test_a_run_that_was_deleted_and_made_again_counts(tmp_path):
    run = runs.tried(tmp_path / "run")
    run.path.rename(tmp_path / "gone")
    again = runs.tried(tmp_path / "run", created="2026-11-20T18:00:00Z")
    assert [attempt.created for attempt in carried(again).same_policy] == ["2026-11-20T11:40:03Z"]


def test_moving_a_run_away_from_its_ledger_forgets_nothing(tmp_path):
    old = tmp_path / "old"
    runs.tried(old / "first", run_id="first", text=runs.policy(0.99), created="2026-11-20T08:00:00Z")
    run = runs.tried(old / "second", run_id="second")
    before = carried(run)
    assert [attempt.run_id for attempt in before.attempts] == ["first", "second"]
    (tmp_path / "new").mkdir()
    moved = run.path.rename(tmp_path / "new" / "second")
    runs.written_down(type(run)(moved), text=runs.policy(0.85))
    runs.written_down(type(run)(moved), time="2026-12-01T00:00:00Z")
    after = carried(type(run)(moved))
    assert [attempt.run_id for attempt in after.attempts] == ["first", "second", "second"]
    assert after.other_policies == 2
    (own,) = (each for each in after.attempts if each.policy_digest == after.policy_digest)
    assert [outcome.time for outcome in own.outcomes] == [runs.NOW, "2026-12-01T00:00:00Z"]


def test_a_run_judged_before_under_another_policy_is_seen(tmp_path):
    run = runs.tried(tmp_path / "run", text=runs.policy(0.99))
    runs.written_down(run, text=runs.policy(0.1))
    known = carried(run)
    assert known.same_policy == ()
    assert known.other_policies == 1
    assert sorted([o.exit_code for o in attempt.outcomes] for attempt in known.attempts) == [[0], [1]]


def test_a_run_that_was_frozen_with_another_policy_is_not_taken_up_again(tmp_path):
    """Policy and digest in the manifest changed together, and the run resumed: the ledger knows the first ones."""
    run = runs.tried(tmp_path / "run")
    before = (tmp_path / LEDGER).read_bytes()
    first = run.manifest().policy_digest
    run.path.rename(tmp_path / "first")
    again = runs.measured(tmp_path / "run", text=runs.policy(0.5))
    assert again.manifest().policy_digest != first
    with pytest.raises(IntegrityError, match=f"line 1 of the ledger .*{LEDGER} .* the policy {first[:12]}, not"):
        record_frozen(again)
    assert (tmp_path / LEDGER).read_bytes() == before


def test_every_changed_byte_is_found_and_its_line_named(tmp_path):
    for name in "abc":
        runs.tried(tmp_path / name, run_id=name)
    path = tmp_path / LEDGER
    content = path.read_bytes()
    starts = [0, *(i + 1 for i, byte in enumerate(content) if byte == 10)]
    assert len(read_ledger(path)) == 6
    last = starts[-2]
    for place in range(0, last, 37):
        flip(path, place)
        line = sum(start <= place for start in starts)
        with pytest.raises(IntegrityError, match=r"at line (\d+)") as caught:
            read_ledger(path)
        found = int(caught.value.message.rsplit(" ", 1)[1])
        assert found in (line, line + 1)
        path.write_bytes(content)


@pytest.mark.parametrize("line", [0, 1, 3])
def test_a_removed_line_is_found(tmp_path, line):
    for name in "abc":
        runs.tried(tmp_path / name, run_id=name)
    lines = (tmp_path / LEDGER).read_bytes().splitlines(keepends=True)
    del lines[line]
    (tmp_path / LEDGER).write_bytes(b"".join(lines))
    with pytest.raises(IntegrityError, match=f"at line {line + 1}"):
        read_ledger(tmp_path / LEDGER)


def test_nothing_is_added_to_a_broken_ledger(tmp_path):
    run = runs.tried(tmp_path / "run")
    path = tmp_path / LEDGER
    path.write_bytes(path.read_bytes() + b'{"event":"fro')
    before = path.read_bytes()
    other = runs.measured(tmp_path / "other", run_id="other")
    with pytest.raises(IntegrityError, match="at line 3"):
        record_frozen(other)
    assert path.read_bytes() == before
    assert run.path.exists()


WRITER = """
import sys
from pathlib import Path
import audits.evidence.ledger as ledger
if {fallback}:
    sys.modules["fcntl"] = None
for i in range(25):
    line = ledger.Line(event="frozen", time="t", run_id=f"{{sys.argv[1]}}-{{i}}", created="c", model="m", data="d",
                       policy_id="p", policy_digest="q")
    ledger.append(Path(sys.argv[2]), line)
"""


@pytest.mark.parametrize("fallback", [False, True])
def test_two_processes_write_one_chain(tmp_path, fallback):
    path = tmp_path / LEDGER
    code = WRITER.format(fallback=fallback)
    processes = [subprocess.Popen([sys.executable, "-c", code, str(i), str(path)], cwd=ROOT) for i in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    lines = read_ledger(path)
    assert sorted(line.run_id for line in lines) == sorted(f"{i}-{k}" for i in range(2) for k in range(25))
    assert not path.with_name(LEDGER + ".lock").exists()


def test_without_locks_a_stale_lock_file_is_named(tmp_path, monkeypatch):
    original = builtins.__import__

    def without_fcntl(name, *rest):
        if name == "fcntl":
            raise ImportError(name)
        return original(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_fcntl)
    monkeypatch.setattr(ledger, "PATIENCE", 0.05)
    (tmp_path / (LEDGER + ".lock")).touch()
    with pytest.raises(OutputError, match="another process"):
        record_frozen(runs.measured(tmp_path / "run"))


def test_a_ledger_that_cannot_be_written_is_an_error(tmp_path):
    run = runs.measured(tmp_path / "run")
    (tmp_path / LEDGER).mkdir()
    with pytest.raises(OutputError, match=LEDGER):
        record_frozen(run)


def test_nothing_is_written_through_a_link(tmp_path):
    run = runs.measured(tmp_path / "runs" / "run")
    (tmp_path / "elsewhere").touch()
    (tmp_path / "runs" / LEDGER).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IntegrityError, match="is a link"):
        record_frozen(run)
    assert (tmp_path / "elsewhere").read_bytes() == b""


def test_a_judgement_of_other_results_is_another_line(tmp_path):
    run = runs.tried(tmp_path / "run")
    run.failed_path("0123456789ab").write_bytes(b"{}")
    runs.written_down(run)
    first, second = lines_of(tmp_path)[1:]
    assert first.exit_code == second.exit_code
    assert len({first.results, second.results, ""}) == 3


def test_a_line_of_a_version_that_kept_no_results_holds_and_is_not_repeated(tmp_path, monkeypatch):
    monkeypatch.setattr(recording, "results_digest", lambda _run: "")
    run = runs.tried(tmp_path / "run")
    monkeypatch.undo()
    assert b"results" not in (tmp_path / LEDGER).read_bytes()
    run.failed_path("0123456789ab").write_bytes(b"{}")
    assert other_results(run, lines_of(tmp_path)) is None
    runs.written_down(run)
    assert len(lines_of(tmp_path)) == 2


def test_results_are_known_by_name_and_content_of_every_file(tmp_path):
    run = runs.measured(tmp_path / "run")
    step = run.step_path(run.manifest().steps[0].step_id)
    found = [results_digest(run)]
    (run.path / "steps" / "a.jsonl.partial").write_bytes(b"unfinished")
    assert results_digest(run) == found[0]
    flip(step, 3)
    found.append(results_digest(run))
    step = step.rename(step.with_name("other.jsonl"))
    found.append(results_digest(run))
    step.unlink()
    found.append(results_digest(run))
    assert len(set(found)) == 4


def test_the_time_is_given_not_read(tmp_path):
    run = runs.measured(tmp_path / "run")
    verdict = run_gate(run, frozen_policy(run.manifest()))
    record_judged(run, verdict, time="1999-12-31T23:59:59Z")
    assert lines_of(tmp_path)[-1].time == "1999-12-31T23:59:59Z"


def test_policy_ids_and_fingerprints_are_recorded(tmp_path):
    run = runs.tried(tmp_path / "run")
    line = lines_of(tmp_path)[1]
    manifest = run.manifest()
    assert isinstance(line, Line)
    assert (line.policy_id, line.model, line.data) == (
        "tickets 1", manifest.model.fingerprint, manifest.data.fingerprint
    )  # fmt: skip
    assert line.policy_digest == parse_policy(runs.policy(), name="p").digest
