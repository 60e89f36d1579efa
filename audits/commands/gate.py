"""`audit gate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from audits.commands.options import form_options, judging_options, output_options

if TYPE_CHECKING:  # `audit --help` loads nothing heavy
    from reports.render import Layout


@click.command("gate")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--policy", type=click.Path(path_type=Path), metavar="FILE", help="Default: the policy frozen with the run."
)
@judging_options
@form_options
@output_options
def command(
    run: Path,
    policy: Path | None,
    waivers: Path | None,
    baseline: Path | None,
    unmask: bool,
    layout: Layout,
    pdf: bool,
    quiet: bool,
    machine: bool,
) -> int:
    """Judge a run again, by the policy frozen with it or by another one. Needs no model.

    Waivers count only when they are named; a comparison with a baseline stays unless another one is named.
    """
    from audits.conclusion import Form, conclude
    from audits.console import Terminal
    from audits.evidence.unchanged import require_unchanged
    from audits.policy.fit import require_fit_to_run
    from audits.policy.policy import frozen_policy, load_policy
    from probes.core.run_folder import RunFolder

    folder = RunFolder(run)
    require_unchanged(folder)  # a damaged run comes before a faulty policy file
    chosen = frozen_policy(folder.manifest())
    if policy:
        chosen = load_policy(policy)
        require_fit_to_run(chosen, folder)
    form = Form(unmask=unmask, layout=layout, pdf=pdf)
    with Terminal(quiet=quiet or machine, machine=machine, unmask=unmask) as terminal:
        concluded = conclude(folder, chosen, waivers=waivers, baseline=baseline, form=form)
        terminal.concluded(concluded)
        return concluded.exit_code
