"""`audit probes`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("probes")
@click.argument("pattern", default="*")
@click.option(
    "--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="Python file with a PROBES tuple."
)
@click.option("--json", "machine", is_flag=True, help="As JSON on standard output.")
def command(pattern: str, plugins: tuple[Path, ...], machine: bool) -> int:
    """List the probes, or those that match PATTERN."""
    from audits.console import Terminal
    from probes.registry import load_registry

    registry = load_registry(plugin_files=plugins)
    found = [probe.info for probe in registry.matching([pattern])]
    with Terminal(quiet=machine, machine=machine) as terminal:
        terminal.table("", ("probe", "question"), [(info.id, info.doc.question) for info in found])
        for broken in registry.broken:
            terminal.line(f"Not loaded: {broken.name}: {broken.reason}")
        terminal.line(f"{len(found)} probes. `audit show PROBE` explains one.")
        if machine:
            terminal.machine(
                {
                    "probes": [
                        {"id": i.id, "version": i.version, "title": i.title, "question": i.doc.question} for i in found
                    ],
                    "broken": [{"name": b.name, "reason": b.reason} for b in registry.broken],
                }
            )
    return 0
