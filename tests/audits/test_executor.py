from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import pytest

from audits.executor import execute
from audits.planning.plan import Plan, make_plan
from audits.stored_text import StoreText, stored
from probes.core.errors import OutputError
from probes.core.probe import ProbeInfo
from probes.core.records import Accounting, Evidence, Outcomes, Shown, WordWeight
from probes.core.run_folder import RunFolder
from probes.registry import Registry
from tests.audits.planning.test_plan import SUITES, card, config, examples, info
from tests.conftest import FakeModel, model_card, sentiment_rule


class CountingModel(FakeModel):
    def take_counters(self) -> Any:
        return SimpleNamespace(asked=1, distinct=1, cached=0, computed=1, tokens=1, forward_seconds=0.0, way="packed")


@dataclass(frozen=True)
class Writes:
    info: ProbeInfo = field(metadata={"parameter": False})
    fail: bool = False

    def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
        names = model.classify([example.text for example in data]).names()
        yield Accounting(eligible=len(data), scored=len(data))
        if self.fail:
            raise RuntimeError("the probe broke \x1b[31m")
        none = [None] * len(data)
        yield Outcomes(
            example_id=[e.id for e in data],
            cluster=[e.cluster for e in data],
            variant=[""] * len(data),
            after=names,
            before=none,
            gold=none,
            correct=none,
            changed=none,
            score=none,
        )


@dataclass(frozen=True)
class Shows:
    info: ProbeInfo = field(metadata={"parameter": False})

    def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
        for example in data:
            yield Evidence(example_id=example.id, chosen="random", shown=(Shown(texts=example.texts, answer="a"),))


@dataclass(frozen=True)
class Tells:
    info: ProbeInfo = field(metadata={"parameter": False})

    def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
        ctx.progress("searching", 1, len(data))
        yield Accounting(eligible=len(data), scored=len(data))


class Quiet:
    def __init__(self) -> None:
        self.ends: list[tuple[str, str]] = []
        self.told: list[tuple[str, int, int]] = []

    def step_started(self, *args: Any, **kwargs: Any) -> None: ...

    def within(self, what: str, done: int, total: int) -> None:
        self.told.append((what, done, total))

    def step_finished(self, step: Any, *, end: Any, telemetry: Any) -> None:
        self.ends.append((step.planned.probe, end.status))


@pytest.fixture
def model() -> CountingModel:
    return CountingModel(rule=sentiment_rule)


def made(*probes: Writes) -> Plan:
    registry = Registry()
    for probe in probes:
        registry.add(probe, origin="test")
    data = examples(40)
    assert SUITES
    return make_plan(config(), registry=registry, model=model_card(), data=data, card=card(data))


def run_all(plan: Plan, model: CountingModel, folder: RunFolder) -> Quiet:
    watcher = Quiet()
    execute(plan, model=model, run=folder, seed=0, watcher=watcher)
    return watcher


def test_results_are_read_back_as_written(tmp_path, model):
    folder, plan = RunFolder(tmp_path), made(Writes(info=info("a.one")))
    run_all(plan, model, folder)
    result = folder.step(plan.steps[0].planned.step_id)
    assert result.end.status == "done"
    assert result.records == (Accounting(eligible=40, scored=40),)
    table = pq.read_table(folder.outcomes_path(result.step_id))
    assert table.num_rows == result.end.items == 40
    assert table.column_names[:3] == ["example_id", "cluster", "variant"]


def test_what_a_probe_says_of_its_progress_is_passed_on(tmp_path, model):
    assert run_all(made(Tells(info=info("a.one"))), model, RunFolder(tmp_path)).told == [("searching", 1, 40)]


def test_a_failing_probe_is_isolated_and_retried(tmp_path, model):
    folder = RunFolder(tmp_path)
    plan = made(Writes(info=info("a.bad"), fail=True), Writes(info=info("a.good")))
    assert run_all(plan, model, folder).ends == [("a.bad", "failed"), ("a.good", "done")]
    bad = folder.step(plan.steps[0].planned.step_id)
    assert bad.end.error.startswith("RuntimeError: the probe broke")
    assert "Traceback" in bad.end.traceback
    assert bad.records  # what it had said before is kept
    calls = model.calls
    run_all(plan, model, folder)
    assert model.calls > calls  # the failed one ran again


def test_finished_steps_are_not_run_again(tmp_path, model):
    folder, plan = RunFolder(tmp_path), made(Writes(info=info("a.one")))
    run_all(plan, model, folder)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    calls = model.calls
    run_all(plan, model, folder)
    assert model.calls == calls
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_clean_texts_are_asked_first_and_once(tmp_path, model):
    plan = made(Writes(info=info("a.one")), Writes(info=info("a.two")))
    run_all(plan, model, RunFolder(tmp_path))
    assert model.asked[:40] == [example.text for example in plan.steps[0].data]


def test_equal_runs_write_equal_bytes(tmp_path, model):
    plan = made(Writes(info=info("a.one")))
    for name in ("x", "y"):
        run_all(plan, model, RunFolder(tmp_path / name))
    first, second = ({p.name: p.read_bytes() for p in (tmp_path / n / "steps").iterdir()} for n in ("x", "y"))
    assert first == second
    assert len(first) == 2


def test_interrupt_leaves_no_finished_file(tmp_path, model, monkeypatch):
    plan = made(Writes(info=info("a.one")))
    monkeypatch.setattr(model, "classify", lambda texts: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        run_all(plan, model, RunFolder(tmp_path))
    assert not list(tmp_path.rglob("*.jsonl"))


def test_full_disk_says_so_and_keeps_what_was_finished(tmp_path, model, monkeypatch):
    folder = RunFolder(tmp_path)
    plan = made(Writes(info=info("a.one")), Writes(info=info("a.two")))
    run_all(Plan(steps=plan.steps[:1], skips=()), model, folder)
    kept = {p: p.read_bytes() for p in tmp_path.rglob("*.jsonl")}

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        run_all(plan, model, folder)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*.jsonl")} == kept


@pytest.mark.parametrize(("how", "kept"), [("full", True), ("digest", False), ("none", False)])
def test_texts_are_kept_as_asked_and_labels_always(how, kept):
    weighed = Shown(
        texts=("my secret text",), answer="positive", words=(WordWeight(part=0, start=3, end=9, weight=1.0),)
    )
    case = Evidence(example_id="e", chosen="worst", shown=(weighed,), gold="negative", note="the word secret")
    written = stored(case, StoreText(how), quotes=False)
    assert ("secret" in written.model_dump_json()) == kept
    (side,) = written.shown
    assert (side.answer, written.gold, bool(side.words)) == ("positive", "negative", kept)
    digest = hashlib.sha256(b"my secret text").hexdigest()
    assert (digest in side.texts[0]) == (how == "digest")


def test_a_run_folder_without_texts_holds_none(model, tmp_path):
    for how in StoreText:
        folder = RunFolder(tmp_path / how.value)
        plan = made(Shows(info=info("a.one")))
        execute(plan, model=model, run=folder, seed=0, watcher=Quiet(), store_text=how)
        (step,) = plan.steps
        written = folder.step_path(step.planned.step_id).read_text("utf-8")
        assert (step.data[0].text in written) == (how is StoreText.FULL)
