"""A section for a model card on the Hugging Face Hub, with the numbers as model-index metadata. Nothing is uploaded."""

from __future__ import annotations

import math
from collections.abc import Iterator

from huggingface_hub import EvalResult, ModelCardData
from huggingface_hub.utils import yaml_dump

from probes.core.manifest import PlannedStep
from probes.core.records import Better, Measurement
from reports.formats.markdown import code, escaped, table_head, table_row
from reports.formats.outcome import outcome
from reports.formats.plain import line
from reports.formats.summary import COLUMNS, finding_row
from reports.load import Loaded
from reports.numbers import count, exact, items, level, plural, printed
from reports.wording import ASSURANCE

MOST_METRICS = 60
_ROWS = 15
_NAME = 120


def model_card(loaded: Loaded) -> bytes:
    """YAML front matter with a model-index, then the section; to be merged into README.md by whoever owns the card."""
    model = loaded.manifest.model
    metrics = [_metric(loaded, step, found) for step, found in _whole(loaded)][:MOST_METRICS]
    card = ModelCardData(model_name=line(model.name, _NAME) or "model", eval_results=metrics or None)
    # On lines of their own, parts of a text could be taken for commands when a job prints the file.
    front = f"---\n{yaml_dump(card.to_dict(), width=math.inf)}---\n" if metrics else ""
    return (front + _section(loaded)).encode()


def _whole(loaded: Loaded) -> Iterator[tuple[PlannedStep, Measurement]]:
    """The numbers of the finished steps about all of the data, in the order of the plan."""
    for step, record in loaded.records():
        done = loaded.steps[step.step_id].end.status == "done"
        if done and isinstance(record, Measurement) and not record.slice and record.better is not Better.CONTEXT:
            yield step, record


def _metric(loaded: Loaded, step: PlannedStep, found: Measurement) -> EvalResult:
    """The interval stands in the name: the format has no field for it."""
    data = loaded.manifest.data
    told = printed(found.estimate, found.unit)
    sure = told.interval if exact(found.estimate) else f"{level(found.estimate)} interval {told.interval}"
    rests = f"{sure}, n = {items(found.estimate)}"
    return EvalResult(
        task_type=line(loaded.manifest.model.task, _NAME),
        dataset_type=line(data.source, _NAME) if data.revision and not step.own_texts else "local",
        dataset_name=f"texts of the test {line(step.probe, _NAME)}" if step.own_texts else line(data.name, _NAME),
        dataset_config=line(step.probe, _NAME),
        dataset_revision=line(data.revision, _NAME) if data.revision and not step.own_texts else None,
        metric_type=found.name,
        metric_value=found.estimate.value,
        metric_name=f"{line(step.title, _NAME)}: {line(found.title, _NAME)} ({rests})",
    )


def _section(loaded: Loaded) -> str:
    manifest, result = loaded.manifest, outcome(loaded)
    facts = {
        "Result": f"{result.word}. {escaped(result.sentence, 600)}",
        "Checks": result.totals,
        "Audited": f"{code(manifest.model.name)}, fingerprint {code(manifest.model.fingerprint)}",
        "Data": f"{escaped(manifest.data.name, 200)}, {plural(manifest.data.n, 'item')}",
        "Policy": f"{code(loaded.verdict.policy_id)}, digest {code(loaded.verdict.policy_digest)}"
        if loaded.verdict
        else "not applied",
        "Run": f"{code(manifest.run_id)}, {code(manifest.created)}",
    }
    shown = [item for item in result.findings if item.finding.estimate is not None or item.number][:_ROWS]
    rest = len(result.findings) - len(shown)
    more = f"\n{count(rest)} more in the report.\n" if rest else ""
    table = f"{table_head(COLUMNS)}{''.join(map(finding_row, shown))}{more}\n" if shown else ""
    return (
        f"## Audit results\n\n{table_head(('', ''))}{''.join(map(table_row, facts.items()))}\n{table}"
        "The numbers hold for items like the audit data, for the weights with this fingerprint, and for what was "
        f"tested; they are evidence for a decision about one use, not a property of the model. {ASSURANCE}\n"
    )
