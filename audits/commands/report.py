"""`audit report`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--unmask", is_flag=True, help="Show offensive words and the texts under content notes.")
def command(run: Path, unmask: bool) -> int:
    """Render the report of a run again, from what is on disk. The same run gives the same bytes."""
    from audits.console import Terminal
    from probes.core.run_folder import RunFolder
    from reports import write_report

    with Terminal() as terminal:
        terminal.path(write_report(RunFolder(run), unmask=unmask))
    return 0
