"""`audit plan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audits.commands.options import output_options, request_options
from probes.core.counts import plural

if TYPE_CHECKING:  # `audit --help` loads nothing heavy
    from audits.console import Terminal
    from audits.planning.plan import Plan
    from audits.planning.subject import Subject


@click.command("plan")
@request_options
@output_options
def command(config: Path | None, quiet: bool, machine: bool, **flags: Any) -> int:
    """Show what `run` would do, what it would leave out and why, and about how long it takes. Loads no weights."""
    from audits.config import resolve
    from audits.console import Terminal
    from audits.planning.estimate import seconds_per_text
    from audits.planning.plan import make_plan
    from audits.planning.subject import prepare

    request = resolve(flags, file=config)
    with Terminal(quiet=quiet or machine, machine=machine) as terminal:
        subject = prepare(request, reporter=terminal)
        texts = [example.text for example in subject.data[:256]]
        pace = seconds_per_text(subject.model, texts, device=subject.device)
        plan = make_plan(
            subject.config,
            registry=subject.registry,
            model=subject.model,
            data=subject.data,
            card=subject.card,
            domains=subject.domains,
            seconds_per_call=pace,
        )
        _tell(terminal, plan, subject, pace=pace)
        if machine:
            terminal.machine(
                {
                    "steps": [step.planned.model_dump(mode="json") for step in plan.steps],
                    "skips": [skip.model_dump(mode="json") for skip in plan.skips],
                    "calls": plan.calls,
                    "seconds": plan.calls * pace,
                    "notes": plan.notes,
                    "rows_dropped": dict(subject.card.rows_dropped),
                }
            )
    return 0


def _tell(terminal: Terminal, plan: Plan, subject: Subject, *, pace: float) -> None:
    """What would run at what cost, what would not and why."""
    steps = [step.planned for step in plan.steps]
    terminal.data_read(subject.card, subject.domains.cards.values())
    terminal.table(
        "Would run",
        ("probe", "items", "model calls", "about"),
        [
            (
                step.probe,
                "its own" if step.own_texts else f"{step.items:,}",
                f"{step.calls:,}",
                f"{step.calls * pace:.0f} s",
            )
            for step in steps
        ],
    )
    terminal.table(
        "Would not run",
        ("probe", "why", "to run it"),
        [(skip.probe, skip.skip.detail, skip.skip.enable) for skip in plan.skips],
    )
    others = subject.domains.cards.items()
    for note in (
        *subject.model.notes,
        *subject.card.notes,
        *(f"{name}: {note}" for name, card in others for note in card.notes),
        *plan.notes,
    ):
        terminal.line(f"Note: {note}")
    terminal.line(
        f"{plural(len(steps), 'probe')}, about {plural(plan.calls, 'model call')}, "
        f"about {plan.calls * pace / 60:.1f} minutes on {subject.device_name} (estimated from "
        "the model's size and a short timing of this machine; repeated texts and the cache make it less)."
    )
