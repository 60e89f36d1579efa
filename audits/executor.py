"""Run the steps of a plan: skip what is finished, isolate what fails, leave nothing half-written under a final name."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from audits.planning.plan import Plan, Step
from audits.stored_text import StoreText, stored, stored_error, stored_outcomes
from probes.core.answers import SEQUENCE_HEADS
from probes.core.errors import OutputError
from probes.core.model import Capability
from probes.core.probe import Context
from probes.core.records import VALUE, Outcomes, StepEnd, to_line
from probes.core.run_folder import RunFolder, Telemetry, write_atomic


class Counting(Protocol):
    """A model that keeps count of what it was asked and reports progress."""

    def take_counters(self) -> Any:
        """The counters since the last call, which are then zero."""
        ...


class Watcher(Protocol):
    """Who is told how the steps go."""

    def step_started(self, step: Step, *, index: int, total: int) -> None: ...

    def step_finished(self, step: Step, *, end: StepEnd, telemetry: Telemetry | None) -> None: ...

    def within(self, what: str, done: int, total: int) -> None:
        """What the probe of the current step is at, and how many of how many items are done with it."""
        ...


def execute(
    plan: Plan, *, model: Any, run: RunFolder, seed: int, watcher: Watcher, store_text: StoreText = StoreText.FULL
) -> None:
    """Run every step that is not finished yet.

    Step 0, so to speak, asks for all clean texts at once: every later question about them is answered from the cache.

    Raises:
        OutputError: when results cannot be written; finished steps stay.
    """
    todo = [step for step in plan.steps if unfinished(run, step)]
    # What is written depends on how it is asked for, and that is the probes' own affair.
    if todo and model.card.question is not Capability.GENERATE:
        asked = _all_examples(step for step in todo if step.probe.info.answers)
        getattr(model, model.card.question)([example.text for example in asked])
        model.take_counters()
    for index, step in enumerate(plan.steps, start=1):
        watcher.step_started(step, index=index, total=len(plan.steps))
        result = run.step(step.planned.step_id)
        if result is not None and result.end.status == "done":
            watcher.step_finished(step, end=result.end, telemetry=result.telemetry)
            continue
        end, telemetry = run_step(step, model=model, run=run, seed=seed, watcher=watcher, store_text=store_text)
        watcher.step_finished(step, end=end, telemetry=telemetry)


def unfinished(run: RunFolder, step: Step) -> bool:
    """Is there no finished file of this step: one that failed is tried again."""
    return not run.step_path(step.planned.step_id).exists()


def run_step(
    step: Step, *, model: Any, run: RunFolder, seed: int, watcher: Watcher, store_text: StoreText = StoreText.FULL
) -> tuple[StepEnd, Telemetry]:
    """Run one probe and write its files; the JSON lines come last, so their presence means that all is there."""
    started = time.perf_counter()
    lines: list[str] = []
    outcomes: Outcomes | None = None
    error: Exception | None = None
    quotes = model.card.problem not in SEQUENCE_HEADS
    ctx = Context(probe=step.probe.info.id, seed=seed, progress=watcher.within)
    try:
        for record in step.probe.run(model, step.data, ctx):
            if isinstance(record, Outcomes):
                outcomes = stored_outcomes(record, store_text)
            else:
                lines.append(to_line(stored(record, store_text, quotes=quotes)))
    except OutputError:
        raise
    except Exception as caught:  # a probe may fail in any way; the audit goes on and says so
        error = caught
    telemetry = _telemetry(model, seconds=time.perf_counter() - started)
    end = _end(lines, outcomes=outcomes, told=stored_error(error, store_text) if error is not None else None)
    _write(step.planned.step_id, lines=lines, outcomes=outcomes, end=end, run=run)
    write_atomic(run.telemetry_path(step.planned.step_id), telemetry.model_dump_json().encode())
    return end, telemetry


def _end(lines: Sequence[str], *, outcomes: Outcomes | None, told: tuple[str, str] | None) -> StepEnd:
    """How a step ended; `told` is the error in one line and its traceback, None where there was none."""
    items = len(outcomes) if outcomes is not None else 0
    if told is None:
        return StepEnd(status="done", records=len(lines), items=items)
    return StepEnd(status="failed", records=len(lines), items=items, error=told[0], traceback=told[1])


def _write(step_id: str, *, lines: Sequence[str], outcomes: Outcomes | None, end: StepEnd, run: RunFolder) -> None:
    content = "".join(f"{line}\n" for line in [*lines, to_line(end)]).encode()
    if end.status == "failed":
        write_atomic(run.failed_path(step_id), content)
        return
    if outcomes is not None:
        write_atomic(run.outcomes_path(step_id), parquet(outcomes))
    write_atomic(run.step_path(step_id), content)
    run.failed_path(step_id).unlink(missing_ok=True)


_TYPES = {"correct": pa.bool_(), "changed": pa.bool_(), "score": pa.float64()}


def parquet(outcomes: Outcomes) -> bytes:
    """The outcomes as a Parquet file; equal outcomes give equal bytes."""
    table = pa.table({name: pa.array(list(values), type=_type(name)) for name, values in outcomes.columns()})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _type(column: str) -> pa.DataType:
    return pa.float64() if column.startswith(VALUE) else _TYPES.get(column, pa.string())


def _all_examples(steps: Iterable[Step]) -> list[Any]:
    distinct = {example.id: example for step in steps for example in step.data}
    return list(distinct.values())


def _telemetry(model: Any, *, seconds: float) -> Telemetry:
    counters = model.take_counters()
    return Telemetry(
        seconds=seconds,
        asked=counters.asked,
        distinct=counters.distinct,
        cached=counters.cached,
        computed=counters.computed,
        tokens=counters.tokens,
        forward_seconds=counters.forward_seconds,
        way=counters.way,
    )
