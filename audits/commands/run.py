"""`audit run`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from audits.commands.options import base_option, form_options, judging_options, output_options, request_options

if TYPE_CHECKING:  # `audit --help` loads nothing heavy
    from reports.render import Layout


@click.command("run")
@request_options
@click.option(
    "--policy", type=click.Path(path_type=Path), metavar="FILE", help="Thresholds; default: the built-in policy."
)
@judging_options
@base_option
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where run folders go; default runs/.")
@click.option("--no-gate", is_flag=True, help="Measure only; judge later with `audit gate`.")
@click.option("--no-cache", is_flag=True, hidden=True, help="Neither read nor write the answer cache.")
@form_options
@output_options
def command(
    config: Path | None,
    no_gate: bool,
    no_cache: bool,
    unmask: bool,
    layout: Layout,
    pdf: bool,
    quiet: bool,
    machine: bool,
    **flags: Any,
) -> int:
    """Audit a model: run the probes, judge them by a policy, write a report.

    The run folder holds everything. An interrupted audit goes on when the same command is given again.
    """
    from audits.conclusion import Form
    from audits.config import resolve
    from audits.console import Terminal
    from audits.run import run_audit

    request = resolve({**flags, "cache": False if no_cache else None}, file=config)
    form = Form(unmask=unmask, layout=layout, pdf=pdf)
    with Terminal(quiet=quiet or machine, machine=machine, unmask=unmask) as terminal:
        asked = ["audit", *sys.argv[1:]]
        concluded = run_audit(request, command=asked, reporter=terminal, gate=not no_gate, form=form)
        terminal.concluded(concluded)
        return concluded.exit_code
