"""`audit compare`."""

from __future__ import annotations

from pathlib import Path

import click

from audits.commands.options import output_options


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN RUN [RUN ...]")
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Write the comparison as one page."
)
@click.option("--unmask", is_flag=True, hidden=True, help="Show offensive words in terminal and page.")
@output_options
def command(runs: tuple[Path, ...], html: Path | None, unmask: bool, quiet: bool, machine: bool) -> int:
    """Put runs side by side, the first as the baseline: every number, and the difference on the same items.

    Needs no model. Judges nothing: `audit gate --baseline` does.
    """
    from audits.comparison.comparing import side_by_side
    from audits.comparison.lines import tell
    from audits.console import Terminal
    from probes.core.run_folder import RunFolder, write_atomic
    from reports.side_by_side import render_side_by_side

    found = side_by_side([RunFolder(run) for run in runs])
    with Terminal(quiet=quiet or machine, machine=machine, unmask=unmask) as terminal:
        if html:  # before anything is told: who reads only the first lines closes the pipe, and has the page
            write_atomic(html, render_side_by_side(found, unmask=unmask))
        tell(found, terminal)
        if html:
            terminal.path(html, name="Page")
        if machine:
            terminal.machine(found.model_dump(mode="json"))
    return 0
