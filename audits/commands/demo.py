"""`audit demo`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # `audit --help` loads nothing heavy
    from audits.demo.model import DemoPaths


@click.command("demo")
@click.option(
    "--kind",
    type=click.Choice(["classifier", "generator"]),
    default="classifier",
    show_default=True,
    help="classifier: a small sentiment model is fine-tuned here. generator: a small chat model is fetched, saved as "
    "an ordinary folder and audited with the full suite under a time budget.",
)
def command(kind: str) -> int:
    """Build a demonstration model and its data in the user's cache; a generator is audited too."""
    return _generator() if kind == "generator" else _classifier()


def _classifier() -> int:
    from audits.console import Terminal
    from audits.demo.model import build_demo

    with Terminal() as terminal:
        for line in _lines(build_demo(progress=terminal.notice)):
            terminal.line(line)
        terminal.line("Audit it with: audit run --model demo")
    return 0


def _generator() -> int:
    from audits.config import resolve
    from audits.console import Terminal
    from audits.demo.generator import BUDGET, NAME, build_generator
    from audits.run import run_audit

    with Terminal() as terminal:
        for line in _lines(build_generator(progress=terminal.notice)):
            terminal.line(line)
        terminal.line(f"The same audit: audit run --model {NAME} --suite full --time-budget {BUDGET}")
        request = resolve({"model": NAME, "suite": "full", "time_budget": BUDGET}, file=None)
        concluded = run_audit(request, command=["audit", *sys.argv[1:]], reporter=terminal)
        terminal.concluded(concluded)
        return concluded.exit_code


def _lines(paths: DemoPaths) -> list[str]:
    """Where everything lies."""
    others = [f"        {path} ({name})" for name, path in paths.domains.items()]
    return [f"Model   {paths.model}", f"Data    {paths.data}", *others]
