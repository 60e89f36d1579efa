"""The findings register: condition, criteria, cause, consequence, recommendation (the audit standard's five parts),
with how grave it is, whom it concerns, where its record stands and who accepted it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from probes.core.findings import Burden, Finding, Status
from probes.core.records import Unit
from reports.load import Loaded
from reports.numbers import accepted, capital, count, in_words, part_in_words, printed
from reports.pointers import pointer
from reports.ranking import Ranked
from reports.severity import severity
from reports.views import Entry, Fact, Link
from reports.waivers import ANCHOR, use_of
from reports.wording import BADGES, CONSEQUENCES, LEVELS

BURDENS: Mapping[Burden, str] = {
    Burden.PROVE_GOOD: "prove good (passes only when the data show a value within the threshold)",
    Burden.PROVE_BAD: "prove bad (fails only when the data show a value beyond the threshold)",
}

RECOMMENDATIONS: Mapping[Status, str] = {
    Status.FAIL: "Read the examples in the chapter. Then correct the model or the data and run again, restrict the "
    "use so that this cannot matter, or record a signed exception with an end date.",
    Status.ERROR: "Correct the cause given in the chapter and run the same command again; finished steps are kept.",
    Status.INCONCLUSIVE: "Audit on more items, or let a responsible person decide in writing whether the range the "
    "interval allows is acceptable.",
    Status.WAIVED: "Check that the reason still holds and that the end date has not passed.",
}


def entry(item: Ranked, loaded: Loaded, *, chapter: str) -> Entry:
    """One finding, explained; `chapter` is the anchor of its probe's chapter or ""."""
    finding = item.finding
    return Entry(
        risk=finding.risk,
        number=item.number,
        anchor=item.anchor,
        badge=BADGES[finding.status],
        level=LEVELS[finding.level],
        title=item.title,
        facts=tuple(fact for fact in _facts(finding, loaded) if fact.value),
        links=tuple(_links(finding, loaded, chapter)),
    )


def _links(finding: Finding, loaded: Loaded, chapter: str) -> Iterator[Link]:
    if chapter:
        yield Link("Chapter and examples", chapter)
    if use_of(finding, loaded):
        yield Link("Waiver", ANCHOR)
    yield Link("Policy", "policy")


def _facts(finding: Finding, loaded: Loaded) -> list[Fact]:
    doc = loaded.manifest.methodology.get(finding.probe)
    return [
        Fact("Condition", finding.message),
        Fact("In numbers", _numbers(finding)),
        Fact("Severity", severity(finding)),
        Fact("Concerns", _concerns(finding)),
        Fact("Criteria", criteria(finding)),
        Fact("Cause", "Not established by this audit."),
        Fact("Consequence", " ".join(part for part in (capital(doc.why) if doc else "", consequence(finding)) if part)),
        Fact("Recommendation", recommendation(finding)),
        Fact("Waiver", _waiver(finding, loaded)),
        Fact("Evidence", pointer(finding, loaded), code=True),
        Fact("Check", finding.check, code=True),
    ]


def _concerns(finding: Finding) -> str:
    """The part of the data, which is where the groups of people are."""
    part = part_in_words(finding.slice)
    return f"Items of this part of the data: {part}." if part else "All items alike; the check singles out no group."


def _waiver(finding: Finding, loaded: Loaded) -> str:
    use = use_of(finding, loaded)
    if use is None:
        return ""
    return f"{use.id}, until {use.expires}: {use.reason.rstrip('.')}. Owner: {use.owner}. Approver: {use.approver}."


def _numbers(finding: Finding) -> str:
    """The estimate in natural frequencies, unless the message has said it already."""
    told = sentence(finding) if finding.estimate else ""
    return "" if told[1:-1] in finding.message else told


def consequence(finding: Finding) -> str:
    """What the finding does to the gate."""
    if finding.status is Status.WAIVED:
        return "It is waived, so it does not stop the gate."
    return CONSEQUENCES[finding.level]


def sentence(finding: Finding) -> str:
    """The estimate in natural frequencies, or the gate's own message where there is none."""
    if finding.estimate is None:
        return finding.message
    name = finding.measurement or ""
    told = in_words(finding.estimate, finding.unit, minimum=finding.minimum, maximum=finding.maximum, name=name)
    return capital(told) + "."


def criteria(finding: Finding) -> str:
    """Threshold, burden of proof, error rate, the bound that decided, and why the threshold is what it is."""
    parts = [f"The policy accepts {accepted(finding.minimum, finding.maximum, finding.unit, named=True)}"]
    if finding.burden is not None:
        parts.append(f"Burden: {BURDENS[finding.burden]}")
    if finding.bound is not None and finding.estimate is not None:
        alpha = f" at error rate {finding.alpha:g}" if finding.alpha is not None else ""
        parts.append(f"Deciding bound{alpha}: {bound(finding)}")
    parts.append(f"Rationale: {finding.rationale.rstrip('.')}" if finding.rationale else "Rationale: none recorded")
    if finding.source:
        parts.append(f"Source: {finding.source.rstrip('.')}")
    if finding.policy_line is not None:
        parts.append(f"Line {finding.policy_line} of the policy")
    return ". ".join(parts) + "."


def bound(finding: Finding) -> str:
    """The bound that decided, in the digits of the estimate."""
    if finding.bound is None or finding.estimate is None:
        return "–"
    beside = finding.estimate.model_copy(update={"value": finding.bound})
    return printed(beside, finding.unit or Unit.SCORE).value


def recommendation(finding: Finding) -> str:
    """What to do, with the number of items that would decide an open check and the flag that enables a missing one."""
    parts = [RECOMMENDATIONS.get(finding.status, "")]
    if finding.needed_n is not None:
        parts.append(f"About {count(finding.needed_n)} items would decide it, were the value to stay as it is.")
    if finding.enable:
        parts.append(f"To enable it: {finding.enable}")
    return " ".join(part for part in parts if part)
