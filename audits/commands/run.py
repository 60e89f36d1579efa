"""`audit run`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from audits.commands.options import output_options, request_options


@click.command("run")
@request_options
@click.option(
    "--policy", type=click.Path(path_type=Path), metavar="FILE", help="Thresholds; default: the built-in policy."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where run folders go; default runs/.")
@click.option("--no-gate", is_flag=True, help="Measure only; judge later with `audit gate`.")
@click.option("--no-cache", is_flag=True, hidden=True, help="Neither read nor write the answer cache.")
@click.option("--unmask", is_flag=True, hidden=True, help="Show offensive words in terminal and report.")
@output_options
def command(
    config: Path | None, no_gate: bool, no_cache: bool, unmask: bool, quiet: bool, machine: bool, **flags: Any
) -> int:
    """Audit a model: run the probes, judge them by a policy, write a report.

    The run folder holds everything. An interrupted audit goes on when the same command is given again.
    """
    from audits.config import resolve
    from audits.console import Terminal
    from audits.run import run_audit

    request = resolve({**flags, "cache": False if no_cache else None}, file=config)
    with Terminal(quiet=quiet or machine, machine=machine, unmask=unmask) as terminal:
        asked = ["audit", *sys.argv[1:]]
        audit = run_audit(request, command=asked, reporter=terminal, gate=not no_gate, unmask=unmask)
        if audit.verdict is None:
            terminal.path(audit.run.report_path, name="Report")
            terminal.line(f"Measured, not judged. Judge with: audit gate {audit.run.path}")
            return 0
        terminal.verdict(audit.verdict, run=audit.run)
        if machine:
            terminal.machine({"run": str(audit.run.path), **audit.verdict.model_dump(mode="json")})
        return audit.verdict.exit_code
