"""What became of the items of each domain, which estimate is trusted for it, and whether that proved right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from probes.core.records import Accounting
from probes.core.stats.derived import UnmeasurableError
from probes.shift.domains import HOME
from probes.shift.estimate.answered import Answered
from probes.shift.estimate.comparison import Comparison
from probes.shift.estimate.trust import Trust


def accounts(
    asked: Sequence[Answered], home: Answered, comparisons: Sequence[Comparison], trust: Mapping[str, Trust]
) -> Iterator[Accounting]:
    """One for each domain; that of a domain says which estimate is trusted, and whether it proved right."""
    used = {each.other.name: each for each in comparisons}
    for each in asked:
        if each.name == HOME:
            left = len(each) - len(home)
            yield account(each, scored=len(home), note=f"{left} without a right answer are not used" if left else "")
        elif each.name in used:
            yield account(each, scored=len(each), note=_note(used[each.name], trust[each.name]))
        else:
            yield account(each, scored=0)


def account(each: Answered, *, scored: int, note: str = "") -> Accounting:
    """Of one domain; items without a finite answer are not scored."""
    lost = each.eligible - len(each)
    broken = f"{lost} got no finite answer" if lost else ""
    return Accounting(
        eligible=each.eligible,
        scored=scored,
        unscored=each.eligible - scored,
        tied=int(each.answers.tied.sum()) if scored else 0,
        note="; ".join(filter(None, (note, broken))),
        slice=each.domain.slice,
    )


def _note(each: Comparison, trust: Trust) -> str:
    parts = [f"trusted is {trust.estimator}, because {trust.reason}", _verdict(each, trust)]
    lacking = sorted(_classes(each.home) - _classes(each.other))
    if each.truth_known and lacking:
        parts.append(f"no item has the right answer {' or '.join(lacking)}, which in-domain items have")
    if each.refused is None:
        size = f"reweighted in-domain items are worth {each.effective_n:.0f} of {len(each.home)}"
        unseen = ", ".join(each.slices.unmatched)
        parts.append(f"{size}, and cannot be weighted for {unseen}, too rare there" if unseen else size)
    return "; ".join(parts)


def _classes(items: Answered) -> set[str]:
    return {items.answers.labels[column] for column in items.gold[items.known]}


def _verdict(each: Comparison, trust: Trust) -> str:
    """Whether the trusted estimate proved right."""
    if not each.truth_known:
        return f"whether it is right is not known, as {each.missing}"
    try:
        error = each.estimation_error(trust.estimator)
    except UnmeasurableError as problem:
        return f"whether it is right is not known: {problem.detail}"
    if error.low <= 0 <= error.high:
        return f"it is {100 * abs(error.value):.1f} points from the truth, which chance alone may explain"
    way = "high" if error.value > 0 else "low"
    return (
        f"it is {100 * abs(error.value):.1f} points too {way}, more than chance explains: its assumption fails here, "
        "and it should not be believed on such texts"
    )
