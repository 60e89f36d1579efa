"""`audit index`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("index")
@click.argument("runs_dir", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Default: index.html in the folder."
)
@click.option("--unmask", is_flag=True, help="Show offensive words.")
def command(runs_dir: Path, out: Path | None, unmask: bool) -> int:
    """List all runs below a folder on one page: models, verdicts, and the trend of each check. Needs no model."""
    from audits.console import Terminal
    from audits.evidence.unchanged import require_verdict_as_sealed
    from reports.index import write_index

    with Terminal() as terminal:
        index = write_index(runs_dir, out=out, unmask=unmask, require=require_verdict_as_sealed)
        terminal.path(index, name="Index")
    return 0
