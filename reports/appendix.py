"""What stands behind the numbers: limitations, how to repeat the run, and fingerprints of everything it rests on."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from probes.core.model import TRANSFORMERS
from probes.core.positive import Meaning, PositiveClass
from probes.core.records import Accounting, Measurement
from reports.limits import Limits
from reports.load import FileDigest, Loaded
from reports.not_run import NotRun, counted
from reports.numbers import count, fixed, plural
from reports.quality import FEW, few
from reports.tables import code, columns, number, row, table, text
from reports.views import Fact, Table
from reports.wording import NOT_EVIDENCED


def limitations(loaded: Loaded, missing: list[NotRun], *, limits: Limits) -> tuple[Table, ...]:
    """What this run adds to what no such audit can show, and the latter."""
    head = columns("Limitation", "Why", "Who should cover it")
    run = [row(text(name), text(why), text(who)) for name, why, who in _of_this_run(loaded, missing)]
    always = [row(text(name), text(why), text(who)) for name, why, who in NOT_EVIDENCED]
    declared = [row(text(risk)) for risk in loaded.manifest.card.unmeasured_risks]
    tables = (
        table("Limitations of this run", head, run, most=limits.rows),
        table(
            "Risks outside these tests, as declared",
            columns("Risk, and who covers it"),
            declared,
            most=limits.rows,
            what="risks",
        ),
        table("What an automated test of a model cannot show", head, always, most=limits.rows),
    )
    return tuple(found for found in tables if found.rows)


def expiry(loaded: Loaded) -> str:
    """How long the report may be relied upon."""
    day = loaded.manifest.card.report_expires.strip()
    return f"Declared: not to be relied upon after {day}." if day else "No day was declared on which it ends."


def _of_this_run(loaded: Loaded, missing: list[NotRun]) -> Iterable[tuple[str, str, str]]:
    data, owner, reviewer = loaded.manifest.data, "Data owner", "Reviewer"
    yield (
        "Only these data",
        f"{plural(data.n, 'item')} of “{data.name}”; how they were sampled is not known to the tool",
        owner,
    )
    if data.labelled < data.n:
        yield (
            "Items without a right answer",
            f"{count(data.n - data.labelled)} of {count(data.n)}; only changes of the answer are measured on them",
            owner,
        )
    positive = loaded.manifest.model.positive
    if positive.labels and positive.meaning is Meaning.UNKNOWN:
        yield (
            "What a positive answer means",
            f"“{', '.join(positive.labels)}” counts as positive ({positive.origin}); whether that is good for the "
            "person concerned is not known to the tool, so no number says who is favoured",
            reviewer,
        )
    if not data.groups:
        yield ("No groups", "The data name no groups, so differences between people or sources are not measured", owner)
    for card in (data, *loaded.manifest.domains.values()):
        of_which = "" if card is data else f"{card.name}: "
        for reason, rows in sorted(card.rows_dropped.items()):
            yield ("Rows read and not used", f"{of_which}{plural(rows, 'row')}: {reason}", owner)
        for note in card.notes:
            yield ("Note on the data", of_which + note, reviewer)
    for note in loaded.manifest.notes:
        yield ("Note of the run", note, reviewer)
    if not loaded.manifest.card.unmeasured_risks:
        yield ("Risks outside these tests", "Nobody declared which ones there are, and who covers them", reviewer)
    if missing:
        yield ("Not measured", f"{counted(missing)}, each with its reason under Not run", reviewer)
    yield from _weak_numbers(loaded, reviewer)


def _weak_numbers(loaded: Loaded, reviewer: str) -> Iterable[tuple[str, str, str]]:
    weak = few(r for _, r in loaded.records() if isinstance(r, Measurement))
    if weak:
        yield (
            "Few items",
            f"{plural(weak, 'number')} with fewer than {FEW} independent items, listed under Measurement quality; "
            "their intervals are approximate",
            reviewer,
        )
    accounts = [r for _, r in loaded.records() if isinstance(r, Accounting)]
    unscored = sum(account.unscored + account.errors for account in accounts)
    if unscored:
        yield (
            "Answers that could not be scored",
            f"{count(unscored)}, counted in each chapter and never as zero",
            reviewer,
        )
    tied = sum(account.tied for account in accounts)
    if tied:
        yield ("Near ties", f"{plural(tied, 'answer')} within numerical noise, counted as unchanged", reviewer)


def reproduce(loaded: Loaded) -> tuple[Fact, ...]:
    """What one needs to run it again."""
    manifest, where = loaded.manifest, loaded.manifest.environment
    device = where.device if where.device == where.device_name else f"{where.device} ({where.device_name})"
    return (
        Fact("Command", shlex.join(manifest.command), code=True),
        Fact("Suite", manifest.suite),
        Fact("Labels of the model", ", ".join(manifest.model.labels) or "none"),
        Fact("Positive class", _positive(manifest.model.positive)),
        Fact("Seed", str(manifest.seed)),
        Fact("Device", device),
        Fact("Numeric type", where.dtype),
        *([] if manifest.model.engine == TRANSFORMERS else [Fact("Engine", manifest.model.engine)]),
        Fact("Threads", count(where.threads)),
        Fact("Python", where.python),
        Fact("Platform", where.platform),
        Fact("Tool", where.tool),
    )


def _positive(positive: PositiveClass) -> str:
    if not positive.labels:
        return "none known: measures that count one are left out"
    meaning = "" if positive.meaning is Meaning.UNKNOWN else f"; {positive.meaning.value}"
    return f"{', '.join(positive.labels)} ({positive.origin}{meaning})"


def versions(loaded: Loaded, *, limits: Limits) -> Table:
    """Packages by name."""
    rows = [row(text(name), code(version)) for name, version in sorted(loaded.manifest.environment.packages.items())]
    return table("Versions of packages", columns("Package", "Version"), rows, most=limits.rows, what="packages")


def telemetry(loaded: Loaded) -> Table | None:
    """Totals over the steps; None where no step left any."""
    found = [step.telemetry for step in loaded.steps.values() if step.telemetry]
    if not found:
        return None
    tokens, inside = sum(t.tokens for t in found), sum(t.forward_seconds for t in found)
    rows = [
        row(text("Texts asked"), number(count(sum(t.asked for t in found)))),
        row(text("Distinct texts"), number(count(sum(t.distinct for t in found)))),
        row(text("Answered from the cache"), number(count(sum(t.cached for t in found)))),
        row(text("Computed by the model"), number(count(sum(t.computed for t in found)))),
        row(text("Tokens"), number(count(tokens))),
        row(text("Tokens per second inside the model"), number(count(round(tokens / inside)) if inside > 0 else "–")),
        row(text("Seconds inside the model"), number(fixed(inside, 1))),
        row(text("Seconds in all"), number(fixed(sum(t.seconds for t in found), 1))),
    ]
    note = (
        f"Of {plural(len(found), 'step')}. Facts about one execution: they differ from run to run, the results do not."
    )
    return table("What the run cost", columns("Total", "Amount", numbers=("Amount",)), rows, most=len(rows), note=note)


def integrity(loaded: Loaded) -> tuple[Fact, ...]:
    """Fingerprints of model, data and policy."""
    manifest = loaded.manifest
    facts = [
        Fact("Model", manifest.model.fingerprint, code=True),
        Fact("Data (items, in any order)", manifest.data.fingerprint, code=True),
        *(
            Fact(f"Data called {name} (items, in any order)", card.fingerprint, code=True)
            for name, card in manifest.domains.items()
        ),
        Fact("Policy frozen before the run (its content)", manifest.policy_digest, code=True),
    ]
    if loaded.verdict is not None:
        facts.append(Fact("Policy that judged the run (its content)", loaded.verdict.policy_digest, code=True))
    return tuple(facts)


def files(loaded: Loaded, *, limits: Limits) -> tuple[Table, ...]:
    """Digests of the model's files as recorded, and of the run's files as they are."""
    owners = {step.step_id: step.probe for step in loaded.manifest.steps}
    model = [row(code(path), code(digest)) for path, digest in loaded.manifest.model.files]
    run = [row(code(f.path), text(_owner(f, owners)), number(count(f.size)), code(f.sha256)) for f in loaded.files]
    head = columns("File", "Belongs to", "Bytes", "SHA-256", numbers=("Bytes",))
    tables = (
        table(
            "Files of the model, as recorded before the run",
            columns("File", "SHA-256"),
            model,
            most=limits.checks,
            what="files",
            wide=True,
        ),
        table("Files of this run, as read for this report", head, run, most=limits.checks, what="files", wide=True),
    )
    return tuple(found for found in tables if found.rows)


def _owner(file: FileDigest, owners: dict[str, str]) -> str:
    folder, _, name = file.path.rpartition("/")
    if not folder:
        return "the run"
    return owners.get(name.split(".")[0], "not in the plan")
