"""The run folder: whole files or none, and damage is noticed."""

from __future__ import annotations

import errno

import pytest

from probes.core.errors import IntegrityError, OutputError, UsageError
from probes.core.findings import Verdict
from probes.core.records import SCHEMA_VERSION, Skip, SkipReason, StepEnd, to_line
from probes.core.run_folder import RunFolder, Telemetry, write_atomic

HOSTILE = "a\u2028b\u2029c\x85d\x0be\x1cf\x00g\r\nh\u202ei"
SKIP = Skip(reason=SkipReason.NO_GOLD, detail=HOSTILE)


def lines(*records, status="done"):
    end = StepEnd(status=status, records=len(records), items=0)
    return "".join(to_line(record) + "\n" for record in (*records, end))


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.step_path("s").parent.mkdir(parents=True)
    return folder


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode("utf-8"))


def test_step_comes_back_as_it_was_written(run):
    put(run.step_path("s"), lines(SKIP, SKIP))
    step = run.step("s")
    assert step.records == (SKIP, SKIP)
    assert (step.end.status, step.end.records, step.telemetry) == ("done", 2, None)


def test_step_that_is_not_there(run):
    assert run.step("s") is None


def test_failed_step_is_read_and_a_finished_one_wins(run):
    put(run.failed_path("s"), lines(status="failed"))
    assert run.step("s").end.status == "failed"
    put(run.step_path("s"), lines(SKIP))
    assert run.step("s").end.status == "done"


def test_partial_file_is_not_a_step(run):
    put(run.step_path("s").with_name("s.jsonl.partial"), lines(SKIP))
    assert run.step("s") is None


@pytest.mark.parametrize("keep", range(0, len(lines(SKIP, SKIP)) - 1, 7))
def test_cut_short_anywhere_is_noticed(run, keep):
    put(run.step_path("s"), lines(SKIP, SKIP)[:keep])
    with pytest.raises(IntegrityError) as caught:
        run.step("s")
    assert caught.value.exit_code == 5
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        to_line(SKIP) + "\n",
        lines(SKIP) + lines(SKIP),
        lines(SKIP) + to_line(SKIP) + "\n",
        "not json\n",
        lines(SKIP).replace('"no_gold"', '"no_idea"'),
        lines(SKIP).replace('"detail"', '"detial"'),
        "\n" + lines(SKIP),
    ],
)
def test_damage_is_noticed(run, text):
    put(run.step_path("s"), text)
    with pytest.raises(IntegrityError):
        run.step("s")


def test_lines_lost_from_the_middle_are_noticed(run):
    kept = lines(SKIP, SKIP, SKIP).split("\n")
    put(run.step_path("s"), "\n".join(kept[1:]))
    with pytest.raises(IntegrityError):
        run.step("s")


def test_bytes_that_are_no_text_are_noticed(run):
    run.step_path("s").write_bytes(lines(SKIP).encode()[:-5] + b"\xff\xfe\n")
    with pytest.raises(IntegrityError):
        run.step("s")


def test_telemetry_is_read_beside_the_step(run):
    put(run.step_path("s"), lines())
    put(run.telemetry_path("s"), Telemetry(seconds=1.5, asked=3).model_dump_json())
    assert run.step("s").telemetry == Telemetry(seconds=1.5, asked=3)
    put(run.telemetry_path("s"), "{}")
    with pytest.raises(IntegrityError):
        run.step("s")


def test_no_run_folder(run):
    with pytest.raises(UsageError, match="not a run folder"):
        run.manifest()
    file = run.path / "file"
    put(file, "")
    with pytest.raises(UsageError, match="not a run folder"):
        RunFolder(file).manifest()


def test_damaged_manifest_names_the_place(run):
    put(run.manifest_path, '{"kind": "manifest"}')
    with pytest.raises(IntegrityError, match="schema_version"):
        run.manifest()


def test_verdict(run):
    with pytest.raises(UsageError, match="not judged yet"):
        run.verdict()
    verdict = Verdict(
        schema_version=SCHEMA_VERSION,
        run_id="r",
        policy_id="p",
        policy_digest="d",
        exit_code=0,
        sentence=HOSTILE,
        counts={},
        findings=[],
    )
    put(run.findings_path, verdict.model_dump_json())
    assert run.verdict() == verdict
    put(run.findings_path, "{}")
    with pytest.raises(IntegrityError):
        run.verdict()


def test_write_atomic_creates_folders_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "new" / "deep" / "file.json"
    write_atomic(path, HOSTILE.encode())
    assert path.read_bytes() == HOSTILE.encode()
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]


@pytest.mark.parametrize("place", ["os.fsync", "pathlib.Path.replace", "pathlib.Path.open"])
def test_full_disk_leaves_the_old_file_whole(tmp_path, monkeypatch, place):
    path = tmp_path / "file.json"
    write_atomic(path, b"old")

    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(place, full)
        with pytest.raises(OutputError, match="No space left") as caught:
            write_atomic(path, b"new")
    assert caught.value.exit_code == 4
    assert path.read_bytes() == b"old"
    write_atomic(path, b"newer")
    assert path.read_bytes() == b"newer"


def test_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError):
        write_atomic(tmp_path / "file" / "x.json", b"")
