"""`audit verify`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import click

from audits.commands.options import output_options


def _sha256(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str:
    digest = (value or "").lower().removeprefix("sha256:")
    if value is not None and not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise click.BadParameter(f"{value!r} is no SHA-256: 64 hexadecimal digits")
    return digest


@click.command("verify")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--key", "keys", multiple=True, type=click.Path(path_type=Path), metavar="PUB.pem",
    help="Public key that must have signed the bundle; repeatable.",
)  # fmt: skip
@click.option(
    "--expect-digest", callback=_sha256, metavar="SHA256", help="Digest of bundle.json that you know from elsewhere."
)
@click.option(
    "--date", "on", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD",
    help="Day on which waivers and the report must still count; default: today, UTC.",
)  # fmt: skip
@output_options
def command(
    run: Path, keys: tuple[Path, ...], expect_digest: str, on: datetime | None, quiet: bool, machine: bool
) -> int:
    """Check that a run is what was sealed: digests, verdict, report, signatures. Needs no model and no network."""
    from audits.console import Terminal
    from audits.evidence.signing import load_public
    from audits.evidence.verify import verify
    from probes.core.run_folder import RunFolder

    verification = verify(
        RunFolder(run),
        keys=[load_public(key) for key in keys],
        expected=expect_digest,
        as_of=(on or datetime.now(UTC)).date(),
    )
    with Terminal(quiet=quiet or machine, machine=machine) as terminal:
        for check in verification.checks:
            terminal.line(f"{check.outcome.value:<9} {check.name}: {check.sentence}")
        terminal.line(f"bundle    sha256:{verification.digest}")
        if machine:
            terminal.machine(
                {
                    "run": str(run),
                    "bundle_digest": verification.digest,
                    "checks": [
                        {
                            "name": each.name,
                            "outcome": each.outcome.value,
                            "sentence": each.sentence,
                            "files": each.files,
                        }
                        for each in verification.checks
                    ],
                }
            )
    verification.require()
    return 0
