"""`audit doctor`."""

from __future__ import annotations

import click


@click.command("doctor")
def command() -> int:
    """Check the installation: versions, device, cache, plug-ins. Exit code 4 when an audit could not run."""
    from audits.console import Terminal
    from audits.doctor import examine

    with Terminal() as terminal:
        checks = examine()
        rows = [("ok" if check.ok else "PROBLEM", check.name, check.detail) for check in checks]
        terminal.table("", ("", "what", "detail"), rows)
        broken = [check for check in checks if not check.ok]
        for check in broken:
            terminal.line(f"{check.name}: {check.remedy}")
    return 4 if broken else 0
