"""A candidate beside a baseline: the same items, asked of both models, compared item by item.

Pairing is what makes a small loss visible: most items come out alike in both runs, and only those that do not count
(Miller 2024, arXiv:2411.00640). Runs that were not made of the same items by the same version of a probe are refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from audits.comparison.facts import differences
from audits.comparison.items import Key, Row, Rows, incomparable, may_miss, outcomes, setting, unpaired
from audits.comparison.numbers import Side, compared_numbers
from probes.core import stats
from probes.core.comparison import OF_TEXTS, SUFFIX, Comparison, StepComparison
from probes.core.errors import IntegrityError, UsageError
from probes.core.findings import BaselineUse
from probes.core.manifest import Manifest, PlannedStep
from probes.core.model import ModelCard
from probes.core.records import SCHEMA_VERSION, Better, Estimate, Measurement, Unit
from probes.core.run_folder import RunFolder, write_atomic
from probes.core.side_by_side import ComparedNumber, Value

FAMILY = "vs_baseline"

MOST_SETTINGS = 60
"""Variants of a step that are settings of its test, such as severities; more of them are texts and not settings."""


def compare_with(candidate: RunFolder, baseline: RunFolder) -> Comparison:
    """Compare every finished step of a run with the same step of its baseline.

    Raises:
        UsageError: when one of them is no run folder, or the baseline is the run itself.
        IntegrityError: when they were not made on the same data, or a file is damaged.
    """
    new, old = candidate.manifest(), baseline.manifest()
    require_another_run(candidate, baseline)
    require_same_data(new.data.fingerprint, old)
    before, missing = {step.probe: step for step in old.steps}, may_miss(new.model, old.model)
    numbers = compared_numbers([_side("A", baseline, old), _side("B", candidate, new)])
    found = (_step(step, before.get(step.probe), candidate, baseline, missing) for step in new.steps)
    steps = tuple(_with_those_of_texts(step, numbers) for step in found)
    return Comparison(
        schema_version=SCHEMA_VERSION,
        run_id=new.run_id,
        baseline=BaselineUse(
            run_id=old.run_id,
            model_name=old.model.name,
            model=old.model.fingerprint,
            created=old.created,
            bundle_digest=_digest(baseline),
            refused=tuple(f"{step.title}: {step.refused}" for step in steps if step.refused),
        ),
        differences=tuple(differences(old, new)),
        steps=steps,
        numbers=tuple(map(_without_tails, numbers)),
        tuned=is_base(old.model, of=new.model, named=new.config.get("against_base")),
    )


def _with_those_of_texts(step: StepComparison, numbers: Sequence[ComparedNumber]) -> StepComparison:
    """The step with the numbers about texts that a policy may judge."""
    own = [each for each in numbers if each.probe == step.probe and "label" not in each.part]
    more = tuple(_of_texts(each, step) for each in own if _name(each) in OF_TEXTS and each.values[1].difference)
    return step if step.refused else step.model_copy(update={"measurements": (*step.measurements, *more)})


def _name(number: ComparedNumber) -> str:
    return number.name.removeprefix(f"{number.probe}.").partition("[")[0]


def _of_texts(number: ComparedNumber, step: StepComparison) -> Measurement:
    difference = number.values[1].difference
    assert difference is not None
    return Measurement(
        name=f"{_name(number)}{SUFFIX}",
        title=f"{number.title.removeprefix(f'{step.title}: ')}, against the baseline",
        estimate=difference,
        better=number.better or Better.CONTEXT,
        unit=Unit.SCORE if number.unit is Unit.SCORE else Unit.DIFFERENCE,
        slice=number.part,
        family=FAMILY,
    )


def is_base(model: ModelCard, *, of: ModelCard, named: str | None = None) -> bool:
    """Is a model what another one was fine-tuned from, as the card of that says or the user who named it."""
    return model.source in {of.base, of.base_model, named} - {None}


def _side(letter: str, run: RunFolder, manifest: Manifest) -> Side:
    found = ((step.step_id, run.step(step.step_id)) for step in manifest.steps)
    return Side(letter, run, manifest, {step_id: result for step_id, result in found if result is not None})


def _without_tails(number: ComparedNumber) -> ComparedNumber:
    """As it is shown: the bounds by which a policy judges stand in the steps, and in the numbers that it judges."""
    return number.model_copy(update={"values": tuple(map(_shown, number.values))})


def _shown(value: Value) -> Value:
    def bare(estimate: Estimate | None) -> Estimate | None:
        return None if estimate is None else estimate.model_copy(update={"tails": ()})

    return value.model_copy(update={"estimate": bare(value.estimate), "difference": bare(value.difference)})


def require_another_run(run: RunFolder, baseline: RunFolder) -> None:
    """Refuse a run as its own baseline, in its place or as a copy: nothing would have changed, whatever it is.

    Raises:
        UsageError: naming both.
    """
    if is_same_run(run, baseline):
        raise UsageError(
            f"the baseline {baseline.path} is the run {run.manifest().run_id} itself",
            hint="name the run of the model that was approved last",
        )


def is_same_run(one: RunFolder, other: RunFolder) -> bool:
    """Are two folders one run: by its id, which stands for the whole request, or by the bytes of its bundle."""
    return one.manifest().run_id == other.manifest().run_id or (_digest(one) == _digest(other) != "")


def require_same_data(fingerprint: str, baseline: Manifest) -> None:
    """Refuse a baseline that was measured on other items.

    Raises:
        IntegrityError: naming both.
    """
    if baseline.data.fingerprint != fingerprint:
        raise IntegrityError(
            f"the baseline {baseline.run_id} was measured on other data "
            f"({baseline.data.fingerprint[:12]} instead of {fingerprint[:12]})",
            hint="run the baseline's model on this data first, and compare with that run",
        )


def write_comparison(run: RunFolder, comparison: Comparison) -> None:
    """Keep it in the run folder."""
    write_atomic(run.comparison_path, (comparison.model_dump_json(indent=1) + "\n").encode())


def _digest(run: RunFolder) -> str:
    return hashlib.sha256(run.bundle_path.read_bytes()).hexdigest() if run.bundle_path.exists() else ""


def _step(
    new: PlannedStep, old: PlannedStep | None, candidate: RunFolder, baseline: RunFolder, most_missing: float
) -> StepComparison:
    found = StepComparison(step_id=new.step_id, probe=new.probe, title=new.title)
    reason = incomparable(new, old)
    if old is None or reason:
        return found.model_copy(update={"refused": reason})
    after, before = outcomes(candidate, new), outcomes(baseline, old)
    reason = unpaired(before, after, most_missing=most_missing)
    if before is None or after is None or reason:
        return found.model_copy(update={"refused": reason, "outcomes": after is not None})
    keys = sorted(after.keys() & before.keys())
    return found.model_copy(update={"paired": len(keys), "measurements": tuple(_measured(before, after, keys))})


def _measured(before: Rows, after: Rows, keys: Sequence[Key]) -> Iterator[Measurement]:
    for part, members in _settings(keys):
        clusters = [after[key].cluster for key in members]
        for question in _QUESTIONS:
            old = [question.of(before[key]) for key in members]
            new = [question.of(after[key]) for key in members]
            pairs = [
                (o, n, cluster)
                for o, n, cluster in zip(old, new, clusters, strict=True)
                if o is not None and n is not None
            ]
            if pairs:
                yield _measurement(question, pairs, part)


def _settings(keys: Sequence[Key]) -> Iterator[tuple[dict[str, str], list[Key]]]:
    """The rows of each setting of a test, or all of them where variants are no settings."""
    variants = sorted({variant for _, variant in keys})
    parts = {variant: setting(variant) for variant in variants}
    if len(variants) > MOST_SETTINGS or any(part is None for part in parts.values()):
        yield {}, list(keys)
        return
    for variant in variants:
        yield parts[variant] or {}, [key for key in keys if key[1] == variant]


@dataclass(frozen=True, slots=True)
class _Question:
    name: str
    title: str
    better: Better
    unit: Unit
    of: Callable[[Row], float | None]


_QUESTIONS = (
    _Question(
        f"accuracy{SUFFIX}",
        "share of right answers, against the baseline",
        Better.HIGHER,
        Unit.DIFFERENCE,
        lambda row: row.correct,
    ),
    _Question(
        f"changed{SUFFIX}",
        "share of answers that change, against the baseline",
        Better.LOWER,
        Unit.DIFFERENCE,
        lambda row: row.changed,
    ),
    _Question(
        f"absolute_error{SUFFIX}",
        "mean absolute error, against the baseline",
        Better.LOWER,
        Unit.SCORE,
        lambda row: row.error,
    ),
)


def _measurement(
    question: _Question, pairs: Sequence[tuple[float, float, str]], part: Mapping[str, str]
) -> Measurement:
    old, new = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    clusters = [pair[2] for pair in pairs]
    if question.unit is Unit.DIFFERENCE:
        estimate = stats.paired_difference(old.astype(bool), new.astype(bool), clusters=clusters)
    else:
        estimate = stats.mean(new - old, clusters=clusters)
    return Measurement(
        name=question.name,
        title=question.title,
        estimate=estimate,
        better=question.better,
        unit=question.unit,
        slice=dict(part),
        family=FAMILY,
    )
