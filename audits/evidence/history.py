"""What the ledger says about a run and a model: what was tried, what came out last, and of which results.

What concerns a run is copied into its `attempts.json`, so that the run folder can be checked alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from audits.evidence.ledger import Line
from audits.evidence.measured import results_digest
from probes.core.attestation import ATTEMPTS, Attempt, Attempts, Outcome, read_canonical
from probes.core.manifest import Manifest
from probes.core.run_folder import RunFolder


def lines_about(lines: Iterable[Line], manifest: Manifest) -> list[tuple[int, Line]]:
    """The lines about a run with their numbers, from 1."""
    run = manifest.run_id, manifest.created
    return [(number, line) for number, line in enumerate(lines, start=1) if line.run == run]


def last_judged(lines: Iterable[Line], manifest: Manifest) -> tuple[int, Line] | None:
    """The last judgement of a run with its number; None where there is none, or it was measured further since."""
    since = [(number, line) for number, line in lines_about(lines, manifest) if line.event != "frozen"]
    return since[-1] if since and since[-1][1].event == "judged" else None


def other_results(run: RunFolder, lines: Iterable[Line]) -> int | None:
    """Number of the line by which a run was judged on other results than it holds now; None where there is none.

    A run that was killed between its judgement and its seal holds what was judged, and can be finished.
    """
    judged = last_judged(lines, run.manifest())
    if judged is None or judged[1].results in ("", results_digest(run)):
        return None
    return judged[0]


def attempts(lines: Iterable[Line], model: str, policy_digest: str | None = None) -> tuple[Attempt, ...]:
    """The runs of a model in the order in which they began, under one policy or under each.

    Args:
        model: fingerprint.
        policy_digest: None for all policies; a run judged by two policies is then two attempts.
    """
    found: dict[tuple[str, str, str], Attempt] = {}
    for line in lines:
        if line.model == model and policy_digest in (None, line.policy_digest):
            key = (*line.run, line.policy_digest)
            attempt = found.get(key) or _attempt(line)
            if line.exit_code is not None:
                outcome = Outcome(time=line.time, exit_code=line.exit_code)
                attempt = attempt.model_copy(update={"outcomes": (*attempt.outcomes, outcome)})
            found[key] = attempt
    return tuple(found.values())


def up_to(lines: Sequence[Line], *, run: tuple[str, str], model: str) -> tuple[Attempt, ...]:
    """What had been tried with a model by the last line about a run: what came later is no matter of that run."""
    own = [place for place, line in enumerate(lines) if line.run == run]
    return attempts(lines[: own[-1] + 1] if own else lines, model)


def unrecorded(run: RunFolder, lines: Sequence[Line]) -> tuple[str, ...]:
    """Ids of runs that the ledger has and that the run's own record of attempts lacks or knows less of.

    Raises:
        IntegrityError: when `attempts.json` is damaged.
    """
    manifest, before = run.manifest(), known(run)
    wanted = up_to(lines, run=(manifest.run_id, manifest.created), model=manifest.model.fingerprint)
    return tuple(attempt.run_id for attempt in wanted if merged(before, [attempt]) != merged(before, []))


def _attempt(line: Line) -> Attempt:
    return Attempt(
        run_id=line.run_id,
        created=line.created,
        data=line.data,
        policy_id=line.policy_id,
        policy_digest=line.policy_digest,
    )


def known(run: RunFolder) -> tuple[Attempt, ...]:
    """What `attempts.json` holds; nothing where there is none.

    Raises:
        IntegrityError: when it is damaged.
    """
    path = run.file(ATTEMPTS)
    return read_canonical(path, Attempts).attempts if path.exists() else ()


def merged(known: Iterable[Attempt], found: Iterable[Attempt]) -> tuple[Attempt, ...]:
    """Both, in the order in which they began; two records of one attempt become one with the outcomes of both."""
    whole: dict[tuple[str, str, str], Attempt] = {}
    for attempt in (*known, *found):
        key = (attempt.created, attempt.run_id, attempt.policy_digest)
        outcomes = {*attempt.outcomes, *(whole[key].outcomes if key in whole else ())}
        ordered = tuple(sorted(outcomes, key=lambda outcome: (outcome.time, outcome.exit_code)))
        whole[key] = attempt.model_copy(update={"outcomes": ordered})
    return tuple(attempt for _, attempt in sorted(whole.items(), key=lambda item: item[0]))
