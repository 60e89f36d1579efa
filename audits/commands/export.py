"""`audit export`."""

from __future__ import annotations

from pathlib import Path

import click

from audits.commands.options import output_options

WHAT = ("adversarial",)


@click.command("export")
@click.argument("what", type=click.Choice(WHAT))
@click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Default: RUN-adversarial, beside RUN.",
)
@click.option("--unmask", is_flag=True, hidden=True, help="Keep offensive words and personal data as they are.")
@output_options
def command(what: str, run: Path, out: Path | None, unmask: bool, quiet: bool, machine: bool) -> int:
    """Write the attacks of RUN that reached their goal as files to work with.

    A sheet for people to check whether the changed texts still mean the same, and a file of changed texts with the
    right labels to train on. Needs no model.
    """
    from audits.adversarial_export import beside, export_adversarial
    from audits.console import Terminal
    from probes.core.run_folder import RunFolder

    with Terminal(quiet=quiet or machine, machine=machine, unmask=unmask) as terminal:
        found = export_adversarial(RunFolder(run), out=out or beside(run, what), unmask=unmask)
        for name, path in found.paths.items():
            terminal.path(path, name=name)
        for note in found.notes:
            terminal.notice(note)
        if machine:
            terminal.machine(found.summary())
    return 0
