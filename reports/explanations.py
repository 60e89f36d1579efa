"""Explanations: what was asked about the model's reasons, and whether those explanations can be trusted at all."""

from __future__ import annotations

from collections.abc import Sequence

from probes.core.manifest import PlannedStep
from probes.core.records import Measurement
from reports.chapters import chapter_anchors
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import capital, plural
from reports.tables import columns, estimated, rests_on, row, table, text
from reports.views import Fact, Link, Section
from reports.wording import AIDS, CAUTIONS

RISK = "explanation"

_QUESTIONS = (
    ("Do the weights add up to the answer?", ("complete_share", "converged", "convergence_delta")),
    ("Do the words that weigh most carry the answer?", ("comprehensiveness", "sufficiency")),
    ("Do the weights tell what taking words out does?", ("infidelity",)),
    ("Is a list of words that weigh most the same for other texts?", ("list_overlap",)),
    ("Does a little noise change them?", ("max_sensitivity",)),
    ("Do they vanish in a network with random weights?", ("over_randomised", "randomised")),
    ("Does a second method agree?", ("overlap", "agreement", "rank_correlation")),
)
"""What a reader asks of explanations, with the names of the numbers that answer: whole, or how they begin or end."""


def explanations(loaded: Loaded, *, limits: Limits) -> Section:
    """The chapter on explanations; texts with shaded words stand in the chapters of the tests."""
    steps = [step for step in loaded.manifest.steps if step.risk == RISK]
    if not steps:
        return Section(lead=_none(loaded))
    found = [(step, r) for step, r in loaded.records() if step.risk == RISK and isinstance(r, Measurement)]
    anchors = chapter_anchors(loaded)
    shown = steps[: limits.chapters]
    visible = {step.step_id for step in loaded.manifest.steps[: limits.chapters]}
    head = columns("Question", "Number", "Estimate and interval", "Items", numbers=("Estimate and interval", "Items"))
    rows = [
        row(text(asked), text(capital(m.title), step.title), estimated(m.estimate, m.unit), rests_on(m.estimate))
        for asked, names in _QUESTIONS
        for step, m in _whole(found)
        if m.name.startswith(names) or m.name.endswith(names)
    ]
    checks = table("Can the explanations be relied upon?", head, rows, most=limits.rows, what="numbers", wide=True)
    return Section(
        lead=f"{CAUTIONS[RISK]} {plural(len(steps), 'test')} of this run asked for explanations.",
        facts=_aids(found),
        tables=(checks,) if rows else (),
        links=tuple(Link(step.title, anchors[step.step_id]) for step in shown if step.step_id in visible),
    )


def _none(loaded: Loaded) -> str:
    left_out = [skip.skip.detail for skip in loaded.manifest.skips if skip.risk == RISK]
    why = f" {left_out[0]}" if left_out else ""
    return f"No test of this run asked for explanations, so nothing is known of what the answers hang on.{why}"


def _whole(found: Sequence[tuple[PlannedStep, Measurement]]) -> list[tuple[PlannedStep, Measurement]]:
    return [(step, m) for step, m in found if not m.slice]


def _aids(found: Sequence[tuple[PlannedStep, Measurement]]) -> tuple[Fact, ...]:
    return tuple(AIDS[name] for name in dict.fromkeys(m.name for _, m in found) if name in AIDS)
