"""A candidate beside a baseline: the same items, asked of both models, compared item by item.

Pairing is what makes a small loss visible: most items come out alike in both runs, and only those that do not count
(Miller 2024, arXiv:2411.00640). Runs that were not made of the same items by the same version of a probe are refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow.parquet as pq

from probes.core import stats
from probes.core.comparison import SUFFIX, Comparison, Difference, StepComparison
from probes.core.errors import IntegrityError, UsageError
from probes.core.findings import BaselineUse
from probes.core.manifest import Manifest, PlannedStep
from probes.core.records import SCHEMA_VERSION, Better, Measurement, Unit
from probes.core.run_folder import RunFolder, write_atomic

FAMILY = "vs_baseline"

MOST_SETTINGS = 60
"""Variants of a step that are settings of its test, such as severities; more of them are texts and not settings."""


@dataclass(frozen=True, slots=True)
class Row:
    """What happened to one variant of one item.

    Attributes:
        answer: to this variant; `first` that to the text itself, where there is a variant.
        error: how far a predicted number is from the right one; None for answers that are right or wrong.
    """

    cluster: str
    variant: str
    answer: str
    first: str | None
    gold: str | None
    correct: bool | None
    changed: bool | None
    error: float | None


Rows = Mapping[tuple[str, str], Row]
"""By (example id, variant)."""


def compare_with(candidate: RunFolder, baseline: RunFolder) -> Comparison:
    """Compare every finished step of a run with the same step of its baseline.

    Raises:
        UsageError: when one of them is no run folder, or the baseline is the run itself.
        IntegrityError: when they were not made on the same data, or a file is damaged.
    """
    new, old = candidate.manifest(), baseline.manifest()
    require_another_run(candidate, baseline)
    require_same_data(new.data.fingerprint, old)
    before = {step.probe: step for step in old.steps}
    steps = tuple(_step(step, before.get(step.probe), candidate, baseline) for step in new.steps)
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
        differences=tuple(_differences(old, new)),
        steps=steps,
    )


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


def _step(new: PlannedStep, old: PlannedStep | None, candidate: RunFolder, baseline: RunFolder) -> StepComparison:
    found = StepComparison(step_id=new.step_id, probe=new.probe, title=new.title)
    reason = incomparable(new, old)
    if old is None or reason:
        return found.model_copy(update={"refused": reason})
    after, before = outcomes(candidate, new), outcomes(baseline, old)
    reason = unpaired(before, after)
    if before is None or after is None or reason:
        return found.model_copy(update={"refused": reason, "outcomes": after is not None})
    return found.model_copy(update={"paired": len(after), "measurements": tuple(_measured(before, after))})


def incomparable(new: PlannedStep, old: PlannedStep | None) -> str:
    """Why a step cannot be paired with that of the baseline, from what was planned; "" where it can."""
    if old is None:
        return "the baseline did not run this test"
    if old.version != new.version:
        return f"the test has changed (version {old.version}, now {new.version})"
    if dict(old.parameters) != dict(new.parameters):
        return "the test was run with other settings"
    if old.sample != new.sample:
        return "the baseline was tested on other items"
    return ""


def unpaired(before: Rows | None, after: Rows | None) -> str:
    """Likewise, from what is on disk."""
    if after is None or before is None:
        return f"the {'baseline' if before is None else 'run'} keeps no outcomes of single items"
    if before.keys() != after.keys():
        shared = len(before.keys() & after.keys())
        return f"the answers of the model decide which items it tests: {shared:,} of {len(after):,} are in both runs"
    return ""


def outcomes(run: RunFolder, step: PlannedStep) -> Rows | None:
    """What a finished step kept of single items; None where it kept nothing.

    Raises:
        IntegrityError: when the file is damaged.
    """
    path = run.outcomes_path(step.step_id)
    if not (path.exists() and run.step_path(step.step_id).exists()):
        return None
    try:
        columns = pq.read_table(path).to_pydict()
        names = ("example_id", "cluster", "variant", "after", "before", "gold", "correct", "changed", "score")
        return {
            (example, variant): Row(
                cluster, variant, answer, first, gold, correct, changed, _error(score, gold, correct)
            )
            for example, cluster, variant, answer, first, gold, correct, changed, score in zip(
                *(columns[name] for name in names), strict=True
            )
        }
    except (OSError, KeyError, ValueError) as error:
        raise IntegrityError(
            f"damaged: {path} ({error})", hint="delete the run folder and run the audit again"
        ) from None


def _error(score: float | None, gold: str | None, correct: bool | None) -> float | None:
    """How far a predicted number is from the right one; None for answers that are right or wrong."""
    if correct is not None or score is None or gold is None:
        return None
    try:
        return abs(score - float(gold))
    except ValueError:
        return None


def _measured(before: Rows, after: Rows) -> Iterator[Measurement]:
    keys = sorted(after)
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


def _settings(keys: Sequence[tuple[str, str]]) -> Iterator[tuple[dict[str, str], list[tuple[str, str]]]]:
    """The rows of each setting of a test, or all of them where variants are no settings."""
    variants = sorted({variant for _, variant in keys})
    parts = {variant: setting(variant) for variant in variants}
    if len(variants) > MOST_SETTINGS or any(part is None for part in parts.values()):
        yield {}, list(keys)
        return
    for variant in variants:
        yield parts[variant] or {}, [key for key in keys if key[1] == variant]


def setting(variant: str) -> dict[str, str] | None:
    """A variant such as "severity=2,kind=x" as a slice; {} for the text itself, None for anything else."""
    if not variant:
        return {}
    pairs = [piece.partition("=") for piece in variant.split(",")]
    if all(name.isidentifier() and equals and value for name, equals, value in pairs):
        return {name: value for name, _, value in pairs}
    return None


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


def _differences(old: Manifest, new: Manifest) -> Iterator[Difference]:
    before, after = facts(old), facts(new)
    for what in dict.fromkeys((*before, *after)):
        pair = before.get(what, ""), after.get(what, "")
        if pair[0] != pair[1]:
            yield Difference(what=what, before=pair[0], after=pair[1])


def facts(run: Manifest) -> dict[str, str]:
    """What a reader must know of a run before crediting its model with a change."""
    model, environment = run.model, run.environment
    return {
        "Model": f"{model.name} {model.fingerprint[:12]}",
        "Architecture": model.architecture,
        "Labels": ", ".join(model.labels),
        "Data": f"{run.data.name} {run.data.fingerprint[:12]}",
        **{f"Data called {name}": card.fingerprint[:12] for name, card in sorted(run.domains.items())},
        "Suite": run.suite,
        "Policy": run.policy_digest[:12],
        "Seed": str(run.seed),
        "Number type": environment.dtype,
        "Device": environment.device_name,
        "Tool": environment.tool,
        "Python": environment.python,
        **dict(sorted(environment.packages.items())),
    }
