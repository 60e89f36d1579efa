"""`audit demo`."""

from __future__ import annotations

import click


@click.command("demo")
def command() -> int:
    """Build the embedded default: a small sentiment model and four data sets, in the user's cache."""
    from audits.console import Terminal
    from audits.demo.model import build_demo

    with Terminal() as terminal:
        paths = build_demo(progress=terminal.notice)
        terminal.line(f"Model   {paths.model}")
        terminal.line(f"Data    {paths.data}")
        for name, path in paths.domains.items():
            terminal.line(f"        {path} ({name})")
        terminal.line("Audit it with: audit run --model demo")
    return 0
