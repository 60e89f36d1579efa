"""The first page: the verdict, what matters most, what was not tested, and what the reviewer has to do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from probes.core.findings import Burden, Finding, Status, Verdict, WaiverState
from probes.core.records import Evidence
from reports.bearings import bearings
from reports.load import Loaded
from reports.marks import visible
from reports.measurements import name_in_words
from reports.not_run import NotRun, counted, grouped
from reports.numbers import count, plural
from reports.ranking import UNNUMBERED, Ranked, beyond
from reports.register import sentence
from reports.views import Badge, Decision, Fact, Headline
from reports.waivers import in_short
from reports.wording import ASSURANCE, BADGES, LEVELS, NOT_JUDGED, VERDICTS

_HEADLINES = 5
_TASKS = 6
_UNTESTED = 3
_RISKS = 110
_NOTE = 110
_PROBE = 45
_TITLE = 100
_SENTENCE = 190
_VERDICT = 800
_BEARING = 330
"""Characters of one item on the first page, so that the page fits on paper."""


def decision(loaded: Loaded, findings: Sequence[Ranked], missing: Sequence[NotRun]) -> Decision:
    """Assemble the first page."""
    open_items = [item for item in findings if item.finding.status not in UNNUMBERED]
    return Decision(
        badge=verdict_badge(loaded),
        sentence=_whole(loaded.verdict.sentence if loaded.verdict else _UNJUDGED, _VERDICT),
        counts=_counts(loaded.findings),
        total=_total(loaded),
        bearings=tuple(replace(fact, value=_whole(fact.value, _BEARING)) for fact in bearings(loaded, findings)),
        headlines=tuple(_headline(item, related) for item, related in _leading(open_items)),
        headline_note=_headline_note(loaded, open_items),
        closest=() if open_items else tuple(_headline(item, 0) for item in _closest(findings)),
        waivers=_clip(in_short(loaded.verdict.waivers if loaded.verdict else ()), _SENTENCE),
        untested=_untested(loaded, missing),
        tasks=(*_tasks(loaded, findings, missing)[: _TASKS - 1], _signoff_task(loaded)),
        notes=_notes(loaded),
        assurance=ASSURANCE,
    )


_UNJUDGED = (
    "Nothing has been judged: this run holds measurements, and no policy has been applied to them. "
    "The numbers below carry no verdict."
)


def verdict_badge(loaded: Loaded) -> Badge:
    """The verdict in a word."""
    return badge_of(loaded.verdict)


def badge_of(verdict: Verdict | None) -> Badge:
    """Likewise, of a verdict or the lack of one."""
    if verdict is None:
        return NOT_JUDGED
    return VERDICTS.get(verdict.exit_code, Badge(f"Exit code {verdict.exit_code}", "error"))


def _counts(findings: Iterable[Finding]) -> tuple[tuple[Badge, str], ...]:
    counts = Counter(finding.status for finding in findings)
    order = (
        Status.FAIL,
        Status.ERROR,
        Status.INCONCLUSIVE,
        Status.NOT_RUN,
        Status.WAIVED,
        Status.PASS,
        Status.NOT_APPLICABLE,
    )
    return tuple((BADGES[status], count(counts[status])) for status in order if counts[status])


def _total(loaded: Loaded) -> str:
    """How much was planned, done and judged, in whole sentences."""
    planned = len(loaded.manifest.steps)
    done = sum(1 for step in loaded.steps.values() if step.end.status == "done")
    if not planned:
        probes = "No probe was planned."
    else:
        probes = f"{count(done)} of {plural(planned, 'planned probe')} finished."
    weak = sum(1 for f in loaded.findings if f.status is Status.PASS and f.burden is Burden.PROVE_BAD)
    mean = "means" if weak == 1 else "mean"
    aside = f" {plural(weak, 'pass', 'passes')} {mean} only that no violation was shown." if weak else ""
    return f"{probes} {_made(loaded)}{aside}"


def _made(loaded: Loaded) -> str:
    if loaded.verdict is None:
        return "No policy was applied, so no check was made."
    if not loaded.findings:
        return "The policy has no check that applies."
    made = sum(1 for finding in loaded.findings if finding.estimate is not None)
    were = "was" if made == 1 else "were"
    return f"{count(made)} of {plural(len(loaded.findings), 'check')} {were} made."


def _leading(open_items: Sequence[Ranked]) -> list[tuple[Ranked, int]]:
    """The first of each number of each probe, with how many more of that number are open (other severities, groups)."""
    groups: dict[tuple[str, str], list[Ranked]] = {}
    for item in open_items:
        groups.setdefault((item.finding.probe, item.finding.measurement or item.finding.check), []).append(item)
    return [(group[0], len(group) - 1) for group in groups.values()][:_HEADLINES]


def _headline(item: Ranked, related: int) -> Headline:
    finding = item.finding
    more = f" And {count(related)} more like it." if related else ""
    return Headline(
        number=item.number,
        anchor=item.anchor,
        badge=BADGES[finding.status],
        level=LEVELS[finding.level],
        title=_titled(item),
        sentence=_whole(sentence(finding), _SENTENCE) + more,
    )


def _titled(item: Ranked) -> str:
    """The title, or where that is long the name of the number in its place; the whole of it is in the register."""
    name = item.finding.measurement
    if len(item.title) <= _TITLE or not name:
        return _clip(item.title, _TITLE)
    part = f" ({item.part})" if item.part else ""
    return _clip(f"{item.probe_title}: {name_in_words(name)}{part}", _TITLE)


def _headline_note(loaded: Loaded, open_items: Sequence[Ranked]) -> str:
    rest = len(open_items) - sum(1 + related for _, related in _leading(open_items))
    if rest:
        return f"{plural(rest, 'more finding')} in the findings register."
    if open_items:
        return ""
    if not any(finding.status is Status.PASS for finding in loaded.findings):
        return "No check reached a result. This is an absence of evidence, not a good result."
    return (
        "No check that ran failed or stayed open. That is evidence about these checks on these data only, "
        "and says nothing about what was not tested. The checks closest to their thresholds:"
    )


def _closest(findings: Sequence[Ranked]) -> list[Ranked]:
    measured = [item for item in findings if item.finding.status is Status.PASS and item.finding.estimate]
    return sorted(measured, key=lambda item: -beyond(item.finding))[:3]


def _untested(loaded: Loaded, missing: Sequence[NotRun]) -> tuple[Fact, ...]:
    groups = grouped(missing)
    facts = [Fact(reason, _names(names)) for reason, names in groups[:_UNTESTED]]
    if len(groups) > _UNTESTED:
        facts.append(Fact("More", f"{plural(len(groups) - _UNTESTED, 'further reason')} under Not run"))
    declared = loaded.manifest.card.unmeasured_risks
    if declared:
        facts.append(Fact("Declared as outside these tests", _some(declared, _RISKS)))
    facts.append(Fact("Outside any such audit", "the system around the model, its users and its operation"))
    return tuple(facts)


def _names(names: Sequence[str]) -> str:
    parts: dict[str, int] = {}
    for name in names:
        probe = name.partition(": ")[0]
        parts[probe] = parts.get(probe, 0) + 1
    told = [
        _clip(probe, _PROBE) + (f" ({count(times)} numbers)" if times > 1 else "") for probe, times in parts.items()
    ]
    shown = ", ".join(told[:3])
    return shown if len(told) <= 3 else f"{shown} and {count(len(told) - 3)} more"


def _notes(loaded: Loaded) -> tuple[str, ...]:
    notes = [*loaded.manifest.notes, *loaded.manifest.data.notes]
    shown = tuple(_whole(note, _NOTE) for note in notes[:2])
    return (*shown, f"{plural(len(notes) - 2, 'more note')} under Limitations.") if len(notes) > 2 else shown


def _tasks(loaded: Loaded, findings: Sequence[Ranked], missing: Sequence[NotRun]) -> list[Fact]:
    """Manual checks, those that the run itself calls for first."""
    tasks = [
        _decide_task(
            findings,
            Status.FAIL,
            "Decide each failed check",
            "correct and run again, restrict the use, or record a signed exception",
        ),
        _decide_task(
            findings,
            Status.INCONCLUSIVE,
            "Decide each inconclusive check",
            "add items, or accept the uncertainty in writing",
        ),
        _decide_task(
            findings, Status.WAIVED, "Review each waived check", "the reason must still hold and must not have ended"
        ),
        _disorder_task(loaded),
        _missing_task(missing),
        _data_task(loaded),
        _examples_task(loaded),
        _thresholds_task(loaded),
    ]
    return [task for task in tasks if task is not None]


def _decide_task(findings: Sequence[Ranked], status: Status, title: str, how: str) -> Fact | None:
    found = [item for item in findings if item.finding.status is status]
    if not found:
        return None
    numbers = ", ".join(item.number for item in found[:3]) + (" ..." if len(found) > 3 else "")
    needed = max((item.finding.needed_n or 0 for item in found), default=0)
    more = f" (up to about {count(needed)} items)" if needed and status is Status.INCONCLUSIVE else ""
    return Fact(f"{title} ({count(len(found))}: {numbers})", how + more)


def _disorder_task(loaded: Loaded) -> Fact | None:
    bad = [use for use in (loaded.verdict.waivers if loaded.verdict else ()) if use.state is not WaiverState.USED]
    if not bad:
        return None
    return Fact(f"Put {plural(len(bad), 'waiver')} in order", "expired, unused or not meant for this run; see Policy")


def _signoff_task(loaded: Loaded) -> Fact:
    if loaded.verdict is None:
        return Fact("Sign nothing yet", "a run without a verdict cannot be accepted")
    card = loaded.manifest.card
    who = f"declared: {_clip(card.review.strip(), 70)}" if card.review.strip() else "who decides was not declared"
    day = _clip(card.report_expires.strip(), 20)
    when = f"the report counts until {day}" if day else "by when was not declared"
    return Fact("Sign or reject", f"under Review and sign-off; {who}; {when}")


def _missing_task(missing: Sequence[NotRun]) -> Fact | None:
    if not missing:
        return None
    return Fact(f"Decide whether what was not measured matters ({counted(missing)})", "the reasons are under Not run")


def _data_task(loaded: Loaded) -> Fact:
    data = loaded.manifest.data
    if data.source == "built-in":
        return Fact(
            "Repeat with your own data", "the built-in sentences stand for no particular use and carry no right answers"
        )
    return Fact(
        f"Confirm that “{_clip(data.name, 40)}” resembles the intended use",
        "languages, topics, lengths and writers; every number holds for items like these only",
    )


def _examples_task(loaded: Loaded) -> Fact | None:
    """What to ask of the examples depends on whether they compare a text with a changed one."""
    found = [record for _, record in loaded.records() if isinstance(record, Evidence)]
    if not found:
        return None
    drawn = [case for case in found if case.chosen == "random"]
    if any(len({shown.texts for shown in case.shown}) > 1 for case in drawn or found):
        ask = "would a careful reader give the same answer to the changed text?"
    else:
        ask = "would a careful reader give the answer that the model gave?"
    return Fact("Read the random examples" if drawn else "Read the examples", ask)


def _thresholds_task(loaded: Loaded) -> Fact | None:
    bare = sum(1 for f in loaded.findings if not f.rationale and (f.minimum is not None or f.maximum is not None))
    if loaded.verdict is None:
        return Fact("Judge the run by a policy", "until then no number here has a threshold")
    told = (
        f"{plural(bare, 'threshold')} without a recorded rationale" if bare else "each has its rationale under Policy"
    )
    return Fact("Confirm that the thresholds suit the use", told)


def _some(texts: Sequence[str], most: int) -> str:
    """Those that fit, whole, and how many more there are; a first one that does not fit is clipped."""
    for shown in range(len(texts), 0, -1):
        told = "; ".join(texts[:shown]) + (f" and {count(len(texts) - shown)} more" if shown < len(texts) else "")
        if len(told) <= most and len(visible(told)) <= most:
            return visible(told)
    return _clip("; ".join(texts), most)


def _whole(text: str, most: int) -> str:
    """The first sentences, as many as fit; the mark after them says that more were written. A first sentence that does
    not fit is clipped."""
    shown = visible(text[:most])
    if len(text) <= most and len(shown) <= most:
        return shown
    ends = [found.end() for found in _SENTENCE_END.finditer(shown[: most - 1])]
    return f"{shown[: ends[-1]]} …" if ends else _clip(text, most)


_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)[.!?](?= [^a-z])")


def _clip(text: str, most: int) -> str:
    shown = visible(text[:most])
    if len(text) <= most and len(shown) <= most:
        return shown
    cut = shown[: most - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut[most // 2 :] else cut).rstrip(" ,;:") + "…"
