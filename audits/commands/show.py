"""`audit show`."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

import click


@click.command("show")
@click.argument("probe")
@click.option(
    "--plugin", "plugins", multiple=True, type=click.Path(path_type=Path), help="Python file with a PROBES tuple."
)
def command(probe: str, plugins: tuple[Path, ...]) -> int:
    """Explain PROBE: what it measures, why, how, its limits and sources."""
    from audits.console import Terminal
    from audits.planning.parameters import settable
    from probes.registry import load_registry

    found = load_registry(plugin_files=plugins).get(probe)
    info, doc = found.info, found.info.doc
    with Terminal() as terminal:
        terminal.line(f"{info.id} (version {info.version}): {info.title}")
        terminal.line(doc.question)
        for heading, text in (
            ("Measures", doc.measures),
            ("Why it matters", doc.why),
            ("Method", doc.method),
            ("Limits", doc.limits),
            ("References", doc.references),
        ):
            terminal.line(f"\n{heading}\n  {text}")
            for part, told in doc.parts.items() if heading == "Method" else ():
                terminal.line(f"  {part}: {told}")
        needs = [str(capability) for capability in sorted(info.needs)] or ["answers"]
        needs += ["right answers"] if info.gold else []
        terminal.line(f"\nNeeds\n  {', '.join(needs)}; about {info.calls:g} model calls an item")
        terminal.line("\nParameters")
        for name, value in settable(found).items():
            terminal.line(f"  {name} = {_written(value)}")
    return 0


def _written(value: object) -> str:
    """A parameter as audit.yaml would have it; of one among several names all of them."""
    if isinstance(value, Enum):
        return f"{value.value} (one of {', '.join(str(each.value) for each in type(value))})"
    return repr(value)
