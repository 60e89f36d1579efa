"""`audit policy`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # `audit --help` loads nothing heavy
    from audits.policy.plan import Row

_PATH = click.Path(path_type=Path)
_MACHINE = click.option("--json", "machine", is_flag=True, help="Result as JSON on standard output.")
_PLUGINS = click.option("--plugin", "plugins", multiple=True, type=_PATH, help="Python file with a PROBES tuple.")


@click.group("policy")
def command() -> None:
    """Start a policy, check it, and see how much data it needs."""


@command.command("init")
@click.option("--preset", default="default", show_default=True, help="default, screening, release or regulated.")
@click.option("--out", type=_PATH, default=Path("policy.yaml"), show_default=True, metavar="FILE")
@click.option("--force", is_flag=True, help="Replace a file that exists.")
def init(preset: str, out: Path, force: bool) -> int:
    """Write a file to start from: a preset extended, with what one may want to change as comments."""
    from audits.console import Terminal
    from audits.policy.start import write_start

    with Terminal() as terminal:
        terminal.path(write_start(out, preset=preset, replace=force), name="Policy")
        terminal.line(f"Check it with: audit policy lint {out}")
    return 0


@command.command("lint")
@click.argument("file", type=_PATH)
@click.option(
    "--as-of",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="The day on which it is to be used; default today (UTC).",
)
@_PLUGINS
@_MACHINE
def lint(file: Path, as_of: datetime | None, plugins: tuple[Path, ...], machine: bool) -> int:
    """Is the policy FILE in order. FILE may be the name of a preset; a mistake ends with 2, a warning with 0."""
    from datetime import UTC

    from audits.console import Terminal
    from audits.policy.lint import lint as remarks_on
    from audits.policy.policy import load_policy
    from probes.registry import load_registry
    from reports.numbers import plural

    policy = load_policy(file)
    day = (as_of or datetime.now(UTC)).date()
    remarks = remarks_on(policy, probes=list(load_registry(plugin_files=plugins).probes), on=day)
    with Terminal(quiet=machine, machine=machine) as terminal:
        for remark in remarks:
            terminal.line(f"Warning: {remark}")
        warned = plural(len(remarks), "warning") if remarks else "no warnings"
        terminal.line(f"{policy.id}: in order; {plural(len(policy.checks), 'check')}, {warned}")
        terminal.line(f"Digest {policy.digest}")
        if machine:
            warnings = [
                {
                    "message": remark.message,
                    "file": remark.place.name if remark.place else None,
                    "line": remark.place.line if remark.place else None,
                }
                for remark in remarks
            ]
            told = {"policy": policy.id, "digest": policy.digest, "checks": len(policy.checks), "warnings": warnings}
            terminal.machine(told)
    return 0


@command.command("plan")
@click.argument("file", type=_PATH)
@click.argument("run", type=_PATH, required=False)
@click.option("--power", type=click.FloatRange(0.5, 0.99), default=0.8, show_default=True, help="Chance of a decision.")
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.05,
    show_default=True,
    help="Assumed distance of the truth from a limit.",
)
@click.option(
    "--discordant",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.1,
    show_default=True,
    help="Assumed share of items that come out differently in a paired comparison.",
)
@click.option(
    "--base-rate",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.5,
    show_default=True,
    help="Assumed share in the group that others are compared with.",
)
@_PLUGINS
@_MACHINE
def plan(
    file: Path,
    run: Path | None,
    power: float,
    margin: float,
    discordant: float,
    base_rate: float,
    plugins: tuple[Path, ...],
    machine: bool,
) -> int:
    """How many items the checks of FILE need for a decision, and what the data of RUN can show."""
    from audits.console import Terminal
    from audits.policy.fit import before_a_run, require_fit, require_fit_to_run
    from audits.policy.plan import Assumed
    from audits.policy.plan import plan as rows_of
    from audits.policy.policy import load_policy
    from probes.core.run_folder import RunFolder
    from probes.registry import load_registry

    policy = load_policy(file)
    probes = before_a_run(policy, load_registry(plugin_files=plugins).probes)
    if run:
        require_fit_to_run(policy, RunFolder(run), probes=probes)
    else:
        require_fit(policy, probes)
    assumed = Assumed(margin=margin, discordant=discordant, base_rate=base_rate, power=power)
    rows = rows_of(policy, assumed, run=RunFolder(run) if run else None)
    with Terminal(quiet=machine, machine=machine) as terminal:
        title = f"{policy.id}: items for a decision with power {power:.0%}"
        columns = ("level", "check", "needs", *(("has", "shows", "basis") if run else ("assuming",)))
        terminal.table(title, columns, [_cells(row, measured=run is not None) for row in rows])
        if machine:
            terminal.machine(
                {
                    "policy": policy.id,
                    "digest": policy.digest,
                    "power": power,
                    "run": str(run) if run else None,
                    "checks": [row.payload for row in rows],
                }
            )
    return 0


@command.command("schema")
def schema() -> int:
    """Print the JSON Schema of policy files, for editors and other tools."""
    from audits.console import Terminal
    from audits.policy.file import json_schema

    Terminal(machine=True).machine(json_schema())
    return 0


def _cells(row: Row, *, measured: bool) -> tuple[str, ...]:
    from probes.core.records import Unit
    from reports.numbers import threshold

    needs = f"{row.needed_n:,}" if row.needed_n else "-"
    first = (row.check.level.value, row.check.check, needs)
    if not measured:
        return (*first, row.basis)
    unit = Unit.DIFFERENCE if row.unit is Unit.PROPORTION else row.unit
    shows = threshold(float(f"{row.effect:.2g}"), unit) if row.effect is not None else "-"
    which = f"{row.measurement.removeprefix(row.check.probe + '.')}: " if row.measured > 1 else ""
    return (*first, f"{row.n:,}" if row.n else "-", shows, which + row.basis)
