"""`audit signoff`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import click


def _day(given: datetime | None) -> date:
    """The day of the decision; nobody has decided tomorrow."""
    from probes.core.errors import UsageError

    today = datetime.now(UTC).date()
    day = given.date() if given else today
    if day > today:
        raise UsageError(
            f"a sign-off of {day} would be of a day to come: today is {today} (UTC)", hint="correct --date"
        )
    return day


@click.command("signoff")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--reviewer", required=True, metavar="NAME", help="Who decides.")
@click.option("--role", required=True, type=click.Choice(["reviewer", "approver"]), help="In which capacity.")
@click.option("--decision", required=True, type=click.Choice(["accept", "accept-with-conditions", "reject"]))
@click.option("--condition", "conditions", multiple=True, metavar="TEXT", help="What must hold; repeatable.")
@click.option("--reason", default="", metavar="TEXT", help="Why; needed to accept what the gate did not pass.")
@click.option("--dissent", default="", metavar="TEXT", help="An opinion that differs from the decision.")
@click.option("--preparer", default="", metavar="NAME", help="Who ran the audit; cannot approve it.")
@click.option("--key", type=click.Path(path_type=Path), metavar="KEY.pem", help="Sign it with this private key.")
@click.option(
    "--date",
    "on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Default: today, UTC; recorded.",
)
def command(
    run: Path,
    reviewer: str,
    role: str,
    decision: str,
    conditions: tuple[str, ...],
    reason: str,
    dissent: str,
    preparer: str,
    key: Path | None,
    on: datetime | None,
) -> int:
    """Put a person's decision about a run on record, bound to its evidence. The run is verified first."""
    from audits.console import Terminal
    from audits.evidence.signing import load_private
    from audits.evidence.signoff import sign_off, write_signed_copy
    from audits.evidence.verify import verify
    from probes.core.attestation import Decision, Role
    from probes.core.run_folder import RunFolder

    folder, day = RunFolder(run), _day(on)
    verify(folder).require()
    path = sign_off(
        folder,
        reviewer=reviewer,
        role=Role(role),
        decision=Decision(decision),
        on=day,
        conditions=conditions,
        reason=reason,
        dissent=dissent,
        preparer=preparer,
        key=load_private(key) if key else None,
    )
    with Terminal() as terminal:
        terminal.path(path, name="Signoff")
        terminal.path(write_signed_copy(folder), name="Report")
    return 0
