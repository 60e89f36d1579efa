"""`audit sign`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("sign")
@click.argument("run", type=click.Path(path_type=Path), required=False)
@click.option("--key", type=click.Path(path_type=Path), metavar="KEY.pem", help="Ed25519 private key to sign with.")
@click.option("--new-key", type=click.Path(path_type=Path), metavar="FILE", help="Make a pair of keys instead.")
def command(run: Path | None, key: Path | None, new_key: Path | None) -> int:
    """Sign the verdict of a run and the digest of its evidence, offline. The run is verified first."""
    from audits.console import Terminal
    from audits.evidence import signing
    from audits.evidence.statements import sign_result
    from audits.evidence.verify import verify
    from probes.core.run_folder import RunFolder

    with Terminal() as terminal:
        if new_key is not None and run is None and key is None:
            private, public = signing.new_key(new_key)
            terminal.path(private, name="Private")
            terminal.path(public, name="Public")
            terminal.line(f"Key     {signing.keyid(signing.load_public(public))}")
        elif run is not None and key is not None and new_key is None:
            secret = signing.load_private(key)
            verify(RunFolder(run)).require()
            terminal.path(sign_result(RunFolder(run), secret), name="Signed")
        else:
            raise click.UsageError("give either RUN and --key KEY.pem, or --new-key FILE")
    return 0
