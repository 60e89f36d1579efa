"""How often this model was audited up to this result, and what came out: who tries often enough passes in the end."""

from __future__ import annotations

from probes.core.attestation import Attempt, Attempts
from probes.core.manifest import Manifest
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import count, plural
from reports.tables import code, columns, row, table, text
from reports.views import Badge, Row, Table
from reports.wording import NOT_JUDGED, VERDICTS

NO_LEDGER = "No ledger of attempts was kept, so it is not known how often this model was audited before."


def attempt_number(loaded: Loaded) -> str:
    """For the first page: "2 under this policy, and tried under 1 other policy"."""
    if loaded.attempts is None:
        return "not recorded"
    others = loaded.attempts.other_policies
    told = f"{count(len(loaded.attempts.same_policy) + 1)} under this policy"
    return f"{told}, and tried under {plural(others, 'other policy', 'other policies')}" if others else told


def attempts_sentence(loaded: Loaded) -> str:
    """What a reader must know about repeated attempts."""
    if loaded.attempts is None:
        return NO_LEDGER
    same, others = len(loaded.attempts.same_policy), loaded.attempts.other_policies
    told = (
        f"{plural(same, 'other run')} of this model under this policy came before this result"
        if same
        else "This is the first run of this model under this policy that the ledger knows"
    )
    more = f"; the model was audited under {plural(others, 'other policy', 'other policies')} as well" if others else ""
    return f"{told}{more}. Where a model is tried often, one attempt may pass by chance."


def attempts_table(loaded: Loaded, *, limits: Limits) -> Table | None:
    """The ledger as it stood; None where none was kept."""
    if loaded.attempts is None:
        return None
    head = columns("Run", "Begun", "Policy", "What came out", "Data")
    rows = [_row(each, loaded.manifest, loaded.attempts) for each in loaded.attempts.attempts]
    return table("Attempts at this model", head, rows, most=limits.rows, what="attempts", wide=True)


def judged_at(loaded: Loaded) -> str:
    """When this run was judged last, UTC; "" where it was not recorded."""
    outcomes = [
        outcome
        for attempt in (loaded.attempts.attempts if loaded.attempts else ())
        if _is(attempt, loaded.manifest)
        for outcome in attempt.outcomes
    ]
    return outcomes[-1].time if outcomes else ""


def _is(attempt: Attempt, manifest: Manifest) -> bool:
    return (attempt.run_id, attempt.created) == (manifest.run_id, manifest.created)


def _row(attempt: Attempt, manifest: Manifest, attempts: Attempts) -> Row:
    same = "the same policy" if attempt.policy_digest == attempts.policy_digest else "another policy"
    return row(
        text(attempt.run_id, "this run" if _is(attempt, manifest) else ""),
        text(attempt.created),
        text(attempt.policy_id, same),
        text(
            "; ".join(f"{_verdict(each.exit_code).word}, {each.time}" for each in attempt.outcomes) or NOT_JUDGED.word
        ),
        code(attempt.data[:12]),
    )


def _verdict(exit_code: int) -> Badge:
    return VERDICTS.get(exit_code, Badge(f"Exit code {exit_code}", "error"))
