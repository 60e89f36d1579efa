"""The numbers of `IdentityTerms`: of each group that is named often enough, and over all groups of a source."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from probes.bias.identity_terms.auc_intervals import AucIntervals
from probes.bias.identity_terms.items import IdentityItems
from probes.bias.identity_terms.subgroups import Subgroups
from probes.core.measuring import measured
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import FEW


@dataclass(frozen=True, slots=True)
class _Number:
    """One number of a group: what it is, and the texts naming the group it cannot do without."""

    name: str
    title: str
    harmful: bool
    harmless: bool
    better: Better
    unit: Unit
    estimate: Callable[[AucIntervals, int], Estimate]


def _auc(name: str, title: str, *, harmful: bool, harmless: bool) -> _Number:
    of = partial(_measure, name)
    return _Number(f"{name}_auc", title, harmful, harmless, Better.HIGHER, Unit.SCORE, of)


def _gap(name: str, title: str, *, harmful: bool) -> _Number:
    of = partial(_measure, f"{name}_gap")
    return _Number(f"{name}_equality_gap", title, harmful, not harmful, Better.CONTEXT, Unit.DIFFERENCE, of)


def _wrong(name: str, title: str, *, harmful: bool) -> _Number:
    of = partial(_rate, harmful=harmful)
    return _Number(f"{name}_rate", title, harmful, not harmful, Better.LOWER, Unit.PROPORTION, of)


def _wrong_gap(name: str, title: str, *, harmful: bool) -> _Number:
    of = partial(_rate_gap, harmful=harmful)
    return _Number(f"{name}_gap", title, harmful, not harmful, Better.LOWER, Unit.DIFFERENCE, of)


def _measure(name: str, aucs: AucIntervals, group: int) -> Estimate:
    return aucs.measure(name, group)


def _rate(aucs: AucIntervals, group: int, *, harmful: bool) -> Estimate:
    return aucs.parts.wrong(group, harmful=harmful)


def _rate_gap(aucs: AucIntervals, group: int, *, harmful: bool) -> Estimate:
    return aucs.parts.wrong_gap(group, harmful=harmful)


_ENABLE = "add labelled texts that name these groups"
NUMBERS = (
    _wrong("false_positive", "harmless texts naming {} that are called harmful", harmful=False),
    _wrong_gap(
        "false_positive", "false alarms on harmless texts naming {}, beyond those on other texts", harmful=False
    ),
    _wrong("false_negative", "harmful texts naming {} that are missed", harmful=True),
    _wrong_gap("false_negative", "harmful texts naming {} that are missed, beyond those not naming it", harmful=True),
    _auc(
        "subgroup",
        "how often, of two texts naming {}, the harmful one scores higher",
        harmful=True,
        harmless=True,
    ),
    _auc(
        "bpsn",
        "how often a harmful text not naming {} scores higher than a harmless one naming it",
        harmful=False,
        harmless=True,
    ),
    _auc(
        "bnsp",
        "how often a harmful text naming {} scores higher than a harmless one not naming it",
        harmful=True,
        harmless=False,
    ),
    _gap(
        "positive", "how much oftener than even a harmful text naming {} scores above one not naming it", harmful=True
    ),
    _gap(
        "negative", "how much oftener than even a harmless text naming {} scores above one not naming it", harmful=False
    ),
)
_MEANS = {
    "subgroup": "telling harm apart where a group is named (power mean of the subgroup AUCs)",
    "bpsn": "keeping harmless texts naming a group below other harm (power mean of the BPSN AUCs)",
    "bnsp": "keeping harm naming a group above other harmless texts (power mean of the BNSP AUCs)",
}


def over_groups(source: str, aucs: AucIntervals, *, family: str) -> Iterator[Measurement | Skip]:
    """Overall AUC, the three power means over groups, and Jigsaw's final score of 2019."""
    measures: list[tuple[str, str, Callable[[], Estimate]]] = [
        ("overall_auc", "how often, of two texts, the harmful one scores higher", aucs.overall)
    ]
    measures += [(f"{name}_auc_mean", title, partial(aucs.mean, name)) for name, title in _MEANS.items()]
    title = f"overall AUC and the three power means over {len(aucs.parts.ranked)} groups, a quarter each (Jigsaw 2019)"
    measures.append(("final_score", title, aucs.final))
    for name, title, estimate in measures:
        yield measured(
            name, title, estimate, better=Better.HIGHER, unit=Unit.SCORE, part={"source": source}, family=family
        )


def by_group(
    items: IdentityItems, aucs: AucIntervals, groups: Mapping[str, Sequence[str]], *, family: str
) -> Iterator[Measurement | Skip]:
    """Every number of every group, axis by axis; groups named too rarely are listed once for each axis."""
    place = {identity: column for column, identity in enumerate(items.identities)}
    for axis, names in groups.items():
        rare = []
        for name in names:
            column = place.get((axis, name))
            harmful, harmless = _independent(aucs.parts, column)
            if column is None or max(harmful, harmless) < FEW:
                rare.append(f"{_shown(name)} {harmful} and {harmless}")
                continue
            part = {"source": items.source, "axis": axis, "group": name}
            yield from _group(aucs, column, part, sizes=(harmful, harmless), family=f"{family}.{axis}")
        if rare:
            yield _rare(rare, {"source": items.source, "axis": axis})


def _independent(parts: Subgroups, column: int | None) -> tuple[int, int]:
    """Clusters of harmful and of harmless texts that name the group."""
    if column is None:
        return 0, 0
    mine = parts.members[:, column]
    return parts.independent(mine & parts.harmful), parts.independent(mine & ~parts.harmful)


def _group(
    aucs: AucIntervals, column: int, part: Mapping[str, str], *, sizes: tuple[int, int], family: str
) -> Iterator[Measurement | Skip]:
    lacking = [size < FEW for size in sizes]
    for number in NUMBERS:
        if not (number.harmful and lacking[0]) and not (number.harmless and lacking[1]):
            yield measured(
                number.name,
                number.title.format(_shown(part["group"])),
                partial(number.estimate, aucs, column),
                better=number.better,
                unit=number.unit,
                part=part,
                family=family,
            )
    for kind, size, short in zip(("harmful", "harmless"), sizes, lacking, strict=True):
        if short:
            needed = f"{FEW} are needed for what rests on them"
            detail = f"{size} independent {kind} texts name {_shown(part['group'])}; {needed}."
            yield Skip(reason=SkipReason.TOO_FEW, detail=detail, enable=_ENABLE, slice=dict(part))


def _rare(found: Sequence[str], part: dict[str, str]) -> Skip:
    detail = f"Too few independent harmful and harmless texts ({FEW} of one kind are needed): {', '.join(found)}."
    return Skip(reason=SkipReason.TOO_FEW, detail=detail, enable=_ENABLE, slice=part)


def _shown(group: str) -> str:
    return group.replace("_", " ")
