"""`audit gate`."""

from __future__ import annotations

from pathlib import Path

import click

from audits.commands.options import output_options


@click.command("gate")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--policy", type=click.Path(path_type=Path), metavar="FILE", help="Default: the policy frozen with the run."
)
@output_options
def command(run: Path, policy: Path | None, quiet: bool, machine: bool) -> int:
    """Judge a run again, by the policy frozen with it or by another one. Needs no model."""
    from audits.console import Terminal
    from audits.gate import run_gate
    from audits.policy import frozen_policy, load_policy
    from probes.core.run_folder import RunFolder
    from reports import write_report

    folder = RunFolder(run)
    chosen = load_policy(policy) if policy else frozen_policy(folder.manifest())
    verdict = run_gate(folder, chosen)
    write_report(folder)
    with Terminal(quiet=quiet or machine, machine=machine) as terminal:
        terminal.verdict(verdict, run=folder)
        if machine:
            terminal.machine({"run": str(run), **verdict.model_dump(mode="json")})
    return verdict.exit_code
