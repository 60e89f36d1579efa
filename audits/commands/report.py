"""`audit report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audits.commands.options import form_options, help_all

if TYPE_CHECKING:  # `audit --help` loads nothing heavy
    from reports.render import Layout


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@form_options
@help_all
def command(run: Path, unmask: bool, layout: Layout, pdf: bool) -> int:
    """Render the report of a run again, from what is on disk. The same run gives the same bytes."""
    from audits.conclusion import Form, publish
    from audits.console import Terminal
    from audits.evidence.unchanged import require_unchanged
    from probes.core.run_folder import RunFolder
    from reports.render import report_path

    folder = RunFolder(run)
    require_unchanged(folder)
    publish(folder, form=Form(unmask=unmask, layout=layout, pdf=pdf))
    with Terminal() as terminal:
        terminal.path(report_path(folder, layout))
    return 0
