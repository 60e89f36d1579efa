"""The run in Markdown: the step summary of a CI job, and the shorter comment on a pull request."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from probes.core.findings import WaiverUse
from probes.core.records import Unit
from reports.changed import Moved, fine_tuning, moved
from reports.formats.markdown import code, escaped, fitted, table_head, table_row
from reports.formats.outcome import Outcome, needs_attention, outcome
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import accepted, count, difference_unit, items, plural, printed
from reports.ranking import Ranked
from reports.wording import ASSURANCE, BADGES, LEVELS

MOST_SUMMARY = 900_000
"""Bytes; GitHub takes 1 MiB for a step, with whatever else the step has written."""
MOST_COMMENT = 64_000
"""Bytes; GitHub takes 65,536 characters."""
_COMMENT_ROWS = 25
_WAIVERS = 8_000
"""Bytes of the table of waivers, and of that of what fine-tuning changed."""
_MOVED = 20
"""Rows of that."""
MOVED = ("Number", "Before", "After", "Change", "Moved", "After correction")
COLUMNS = ("Status", "Level", "Check", "Measured", "The policy accepts")
_EMPTY = (
    "No check that ran failed or stayed open. That is evidence about these checks on these data only, and says nothing "
    "about what was not tested."
)


def summary(loaded: Loaded, *, most: int = MOST_SUMMARY) -> bytes:
    """Verdict, the findings that ask for something, and all others folded away, in at most `most` bytes."""
    result = outcome(loaded)
    head, foot = _head(loaded, result), _foot()
    room = most - len((head + foot).encode()) - 1_000
    changed = _fine_tuning(loaded)
    room -= len(changed.encode())
    first = _attention(result, room)
    rest = [item for item in result.findings if not needs_attention(item.finding)]
    room -= len(first.encode())
    more = _folded(rest, room) if rest else ""
    return (head + first + changed + more + foot).encode()


def comment(loaded: Loaded) -> bytes:
    """The comment on a pull request: its first line, which nobody sees, tells which comment to replace next time."""
    result = outcome(loaded)
    head, foot = f"{marker(loaded)}\n{_head(loaded, result)}", _foot()
    room = MOST_COMMENT - len((head + foot).encode()) - 1_000
    return (head + _attention(result, room, rows=_COMMENT_ROWS) + foot).encode()


def marker(loaded: Loaded) -> str:
    """The same for every run of a model of this name."""
    name = loaded.manifest.model.name.encode("utf-8", errors="surrogatepass")
    return f"<!-- responsible-audit {hashlib.sha256(name).hexdigest()[:12]} -->"


def finding_row(item: Ranked) -> str:
    """A finding as a row of a table; the columns are status, level, check, number and threshold."""
    finding = item.finding
    told = [f"<strong>{BADGES[finding.status].word}</strong>" if item.number else BADGES[finding.status].word]
    told.append(LEVELS[finding.level])
    told.append(f"{escaped(item.title, 200)}<br>{code(finding.check)}")
    told.append(_measured(item))
    told.append(escaped(accepted(finding.minimum, finding.maximum, finding.unit)))
    return table_row(told)


def _measured(item: Ranked) -> str:
    finding = item.finding
    if finding.estimate is None:
        return escaped(finding.message, 300)
    return escaped(f"{printed(finding.estimate, finding.unit or Unit.SCORE).line}, n = {items(finding.estimate)}")


def _head(loaded: Loaded, result: Outcome) -> str:
    model, data, judged = loaded.manifest.model, loaded.manifest.data, loaded.verdict
    subject = {
        "Model": f"{code(model.name)} ({code(model.fingerprint[:12])})",
        "Data": f"{escaped(data.name, 200)}, {plural(data.n, 'item')}",
        "Policy": f"{code(judged.policy_id)} ({code(judged.policy_digest[:12])})" if judged else "not applied",
        "Run": code(loaded.manifest.run_id),
        **({"Compared with": code(judged.baseline.run_id)} if judged and judged.baseline else {}),
    }
    totals = f"Checks: {result.totals}. {result.weak}".rstrip()
    return (
        f"## Audit: {result.word}\n\n"
        f"**{result.word}.** {escaped(result.sentence, 1_000)}\n\n"
        f"{totals}\n\n"
        f"{table_head(('Audited', ''))}{''.join(map(table_row, subject.items()))}\n"
        f"{_waivers(judged.waivers if judged else ())}"
    )


def _waivers(waivers: Sequence[WaiverUse]) -> str:
    """Who accepted what, and whether it still counts."""
    if not waivers:
        return ""
    rows = [
        table_row((code(w.id), escaped(w.state.value.replace("_", " ")), code(w.expires), escaped(w.note, 300)))
        for w in waivers
    ]
    body, kept = fitted(rows, _WAIVERS)
    head = f"### Waivers\n\n{table_head(('Waiver', 'State', 'Until', 'What became of it'))}"
    return f"{head}{body}\n{_left_out(kept, len(waivers), 'waivers')}"


def _fine_tuning(loaded: Loaded) -> str:
    """What moved against the model it was fine-tuned from, what moved most in relation to its uncertainty first."""
    section, comparison = fine_tuning(loaded, limits=Limits()), loaded.comparison
    if section is None:
        return ""
    found = moved(comparison) if comparison is not None and comparison.tuned else []
    shown = [each for each in found if each.held]
    body, kept = fitted(map(_moved_row, shown[:_MOVED]), _WAIVERS)
    table = f"{table_head(MOVED)}{body}\n{_left_out(kept, len(shown), 'numbers that moved')}" if shown else ""
    return f"### What fine-tuning changed\n\n{escaped(section.lead, 1_000)}\n\n{table}"


def _moved_row(each: Moved) -> str:
    unit = difference_unit(each.unit)
    told = [printed(estimate, of).line for estimate, of in ((each.before, each.unit), (each.after, each.unit))]
    told += [printed(each.change, unit).line, each.badge.word, each.held]
    return table_row([escaped(f"{each.title} ({each.part})" if each.part else each.title, 200), *map(escaped, told)])


def _foot() -> str:
    return f"{ASSURANCE} The whole report is `report.html` in the run folder.\n"


def _attention(result: Outcome, room: int, *, rows: int | None = None) -> str:
    shown = result.attention
    if not shown and result.exit_code == 0:
        return f"{_EMPTY}\n\n"
    if not shown:
        return "No single check is open; the reason stands above.\n\n"
    head = f"### What needs attention\n\n{table_head(COLUMNS)}"
    body, kept = fitted(map(finding_row, shown[:rows]), room - len(head.encode()))
    return f"{head}{body}\n{_left_out(kept, len(shown))}"


def _folded(rest: Sequence[Ranked], room: int) -> str:
    head = f"<details><summary>{plural(len(rest), 'other check')}</summary>\n\n{table_head(COLUMNS)}"
    body, kept = fitted(map(finding_row, rest), room - len(head.encode()))
    return f"{head}{body}\n{_left_out(kept, len(rest))}</details>\n\n"


def _left_out(kept: int, of: int, what: str = "checks") -> str:
    if kept == of:
        return ""
    return (
        f"Shortened: {count(kept)} of {count(of)} {what} are shown. All are in `findings.json` and `report.html`.\n\n"
    )
