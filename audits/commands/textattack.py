"""`audit textattack`."""

from __future__ import annotations

import shlex

import click


@click.group("textattack")
def command() -> None:
    """Run TextAttack's own recipes: `audit run --recipe textattack:pwws`."""


@command.command("install")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and how big it is.")
def install(dry_run: bool) -> int:
    """Build an environment for TextAttack in the user's cache: it needs other packages than this program."""
    from audits.console import Terminal
    from audits.textattack import SIZE, commands, home
    from audits.textattack import install as build

    with Terminal() as terminal:
        if dry_run:
            terminal.line(f"{SIZE}, in {home()}:")
            for words in commands(home() / "venv"):
                terminal.line(f"  {shlex.join(words)}")
            return 0
        peer = build(progress=terminal.notice)
        terminal.path(peer.python, name="Python")
        terminal.line(f"TextAttack {peer.version}. Use it: audit run --model demo --recipe textattack:deepwordbug")
    return 0
