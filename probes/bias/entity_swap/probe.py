"""The probe that puts names and places of different groups into the same sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Literal

import numpy as np

from probes.bias.entity_swap.swaps import (
    AXES,
    COUNTRIES,
    PEOPLE,
    Swapped,
    ask_swaps,
    fillings,
    kinds_of,
    swaps_of,
)
from probes.core import stats
from probes.core.answers import Bools, ProblemType
from probes.core.counts import plural
from probes.core.entities import Tagset
from probes.core.examples import Example
from probes.core.labelled import no_gold
from probes.core.measuring import measured
from probes.core.model import Capability, Tagger
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import (
    Accounting,
    Better,
    Estimate,
    Evidence,
    Measurement,
    Outcomes,
    Record,
    Shown,
    Skip,
    SkipReason,
    Unit,
)
from probes.core.stats.derived import FEW, UnmeasurableError
from probes.core.tagged import gold_tags, told
from probes.text.identity import table
from probes.text.word_lists import axis_words, first_names


@dataclass(frozen=True)
class EntitySwap:
    """Does the tagger find people and places of every group alike, in the same sentences?

    Measures:
        For each group of an axis (gender, race and ethnicity: first names; nationality: countries) the share of its
        names that are found when they stand where the data have a person or a place, and the largest difference between
        two groups of an axis.

    Why it matters:
        A tagger that misses the names of a group leaves its members out of search, out of anonymisation, or out of
        whatever is made of the entities. Names of some groups are rarer in training texts and fall into more pieces.
        These numbers are evidence relevant to the examination of data and models for bias.

    Method:
        In each labelled sentence with a person (or place), one of them, drawn by the seed, is replaced as a whole by a
        first name (or country) from the lists of this tool: as many of each group, the sentence otherwise unchanged, so
        that groups are compared on the same sentences. A name counts as found when exactly its words are answered with
        the kind of the entity it replaced. Shares have Wilson intervals with the sentence as cluster. The largest
        difference is the largest mean of the differences within sentences over all ordered pairs of groups; being the
        largest of several, its lower bound is simultaneous (max-t over a cluster bootstrap). Which kinds of entities
        are people or places is told from their names, or declared by the parameters. A sentence in which one of the
        names is cut off is left out.

    Limits:
        First names say something about a group, and nothing about a person; the lists are of the United States, and
        the intervals are about other sentences with these names, not about other names. A name stands alone where a
        full name may have stood, and a country where a town may have. Names differ in more than
        the group: a difference may be one of how common they are, which is how it comes about, not an excuse. With
        fewer than 10 sentences no number is given.

    References:
        Mishra, He and Belli 2020, Assessing Demographic Bias in Named Entity Recognition, AKBC workshop. Mehrabi et al.
        2020, Man is to Person as Woman is to Location, Hypertext. Westfall and Young 1993, Resampling-Based Multiple
        Testing (max-t). Wilson 1927, JASA 22:209.
    """

    axes: tuple[str, ...] = tuple(AXES)
    people: tuple[str, ...] = ()
    """Kinds of entities that are people; told from their names unless given."""
    places: tuple[str, ...] = ()
    """Likewise for places."""
    draws: int = 2
    """Names of each group in a sentence; of a country there is one."""
    minimum: int = FEW
    resamples: int = 2000

    def __post_init__(self) -> None:
        unknown = sorted(set(self.axes) - set(AXES))
        if unknown or not self.axes:
            raise ValueError(f"axes are some of {', '.join(AXES)}, not {', '.join(unknown) or 'none'}")
        if self.draws < 1:
            raise ValueError("draws is at least 1")

    @cached_property
    def info(self) -> ProbeInfo:
        asked = sum(len(fillings(axis)) * (1 if axis == COUNTRIES else self.draws) for axis in self.axes)
        return ProbeInfo(
            id="bias.entity_swap",
            version=1,
            risk="bias",
            title="Names and places of groups",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=1 + asked,
            needs=frozenset({Capability.TAG}),
            problems=frozenset({ProblemType.TOKEN}),
            gold=True,
        )

    def run(self, model: Tagger, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Axis by axis: accounting, measurements, cases; then the lists and one row of outcomes for each sentence."""
        labelled = sorted((example for example in data if example.gold is not None), key=lambda example: example.id)
        if not labelled:
            yield Accounting(eligible=0, scored=0)
            yield no_gold()
            return
        tagset = Tagset.of(model.card.labels, map(gold_tags, labelled))
        asked: list[tuple[str, Swapped]] = []
        for axis in self.axes:
            kinds = kinds_of(AXES[axis], tagset, self.people if AXES[axis] == PEOPLE else self.places)
            swaps = swaps_of(axis, labelled, tagset, kinds, draws=self.draws, ctx=ctx)
            swapped = ask_swaps(model, labelled, swaps, tagset)
            yield _accounting(swapped, axis, eligible=len(labelled))
            if len({swapped.examples[item].cluster for item in swapped.items}) < self.minimum:
                yield _too_few(axis, tagset, kinds, sentences=len(swapped.items), minimum=self.minimum)
                continue
            asked.append((axis, swapped))
            yield from _recalls(swapped, axis)
            yield self._gap(swapped, axis, ctx)
        yield from _cases(asked, ctx)
        yield from first_names([axis for axis, _ in asked])
        if COUNTRIES in (axis for axis, _ in asked):
            yield axis_words(table(COUNTRIES), {"place"}, part="countries")
        if asked:
            yield _outcomes(asked)

    def _gap(self, swapped: Swapped, axis: str, ctx: Context) -> Measurement | Skip:
        return measured(
            "recall_gap",
            "largest difference between two groups in the share of names found",
            lambda: _largest_gap(swapped, rng=ctx.generator("gap", axis), resamples=self.resamples),
            better=Better.LOWER,
            unit=Unit.DIFFERENCE,
            part={"axis": axis},
        )


def _accounting(swapped: Swapped, axis: str, *, eligible: int) -> Accounting:
    scored = len(swapped.items)
    notes = (
        (scored, f"{plural(len(swapped), 'sentence')} with a name put in"),
        (
            swapped.unread,
            plural(
                swapped.unread,
                "sentence in which a name was cut off was left out",
                "sentences in which a name was cut off were left out",
            ),
        ),
    )
    return Accounting(
        eligible=eligible,
        perturbed=scored + swapped.unread,
        kept=scored,
        scored=scored,
        note="; ".join(note for count, note in notes if count),
        slice={"axis": axis},
    )


def _too_few(axis: str, tagset: Tagset, kinds: Sequence[str], *, sentences: int, minimum: int) -> Skip:
    what = AXES[axis]
    if not kinds:
        return Skip(
            reason=SkipReason.UNDEFINED,
            detail=f"None of the kinds of entities ({', '.join(tagset.kinds[:8])}) is known to be {what}.",
            enable=f"name them with the parameter {what} of bias.entity_swap",
            name="recall_gap",
            slice={"axis": axis},
        )
    return Skip(
        reason=SkipReason.TOO_FEW,
        detail=f"{sentences} sentences with {what} in the right answers, fewer than {minimum}.",
        enable="add labelled sentences",
        name="recall_gap",
        slice={"axis": axis},
    )


def _recalls(swapped: Swapped, axis: str) -> Iterator[Measurement]:
    groups = np.array(swapped.group)
    for group in swapped.groups:
        yield Measurement(
            name="recall",
            title=f"share of names that are found: {group.replace('_', ' ')}",
            estimate=_rate(swapped, groups == group),
            better=Better.HIGHER,
            unit=Unit.PROPORTION,
            slice={"axis": axis, "group": group},
            family=f"bias.entity_swap.{axis}",
        )


def _rate(swapped: Swapped, rows: Bools) -> Estimate:
    clusters = [cluster for cluster, kept in zip(swapped.clusters, rows, strict=True) if kept]
    return stats.rate(swapped.found[rows], clusters=clusters)


def _largest_gap(swapped: Swapped, *, rng: np.random.Generator, resamples: int) -> Estimate:
    pairs = list(permutations(range(len(swapped.groups)), 2))
    differences = np.stack([swapped.recall[:, a] - swapped.recall[:, b] for a, b in pairs], axis=1)
    clusters = [swapped.examples[item].cluster for item in swapped.items]
    try:
        return stats.worst_of(differences, clusters=clusters, rng=rng, resamples=resamples, limits=(-1.0, 1.0))
    except ValueError as error:
        raise UnmeasurableError(SkipReason.TOO_FEW, f"No interval can be given: {error}.") from error


def _cases(asked: Sequence[tuple[str, Swapped]], ctx: Context) -> Iterator[Evidence]:
    """Two names of different groups in one sentence: drawn ones, then some of which one is found and one missed."""
    ordinary: list[Evidence] = []
    worst: list[Evidence] = []
    for axis, swapped in asked:
        drawn = sorted(swapped.items, key=lambda item: ctx.rng("evidence", axis, swapped.examples[item].id).random())
        rows: dict[int, list[int]] = {}
        for row, item in enumerate(swapped.item.tolist()):
            rows.setdefault(item, []).append(row)
        first = drawn[: max(1, ctx.random_cases // len(asked))]
        for item in first:
            one, other = rows[item][0], rows[item][-1]
            ordinary.append(_case(axis, swapped, one, other, chosen="random"))
        unequal = [item for item in drawn if item not in first and len(set(swapped.found[rows[item]].tolist())) > 1]
        for item in unequal[: max(1, ctx.worst_cases // len(asked))]:
            found = next(row for row in rows[item] if swapped.found[row])
            missed = next(row for row in rows[item] if not swapped.found[row])
            worst.append(_case(axis, swapped, found, missed, chosen="worst"))
    yield from ordinary
    yield from worst


def _case(axis: str, swapped: Swapped, one: int, other: int, *, chosen: Literal["random", "worst"]) -> Evidence:
    pair = [swapped.swaps[row] for row in (one, other)]
    verdicts = [f"{swapped.swaps[row].name} is {'found' if swapped.found[row] else 'missed'}" for row in (one, other)]
    return Evidence(
        example_id=swapped.examples[pair[0].item].id,
        chosen=chosen,
        shown=(_shown(swapped, one), _shown(swapped, other)),
        gold=f"{pair[0].entity.kind}: {pair[0].name}, then {pair[1].name}",
        note="; ".join(verdicts),
        slice={"axis": axis},
    )


def _shown(swapped: Swapped, row: int) -> Shown:
    text = swapped.swaps[row].text
    return Shown(texts=(text,), answer=told(text, swapped.answers[row]), confidence=float(swapped.confidence[row]))


def _outcomes(asked: Sequence[tuple[str, Swapped]]) -> Outcomes:
    """One row for each sentence with a name put in; right is one whose name is found."""
    rows = [(axis, swapped, row) for axis, swapped in asked for row in range(len(swapped))]
    swaps = [swapped.swaps[row] for _, swapped, row in rows]
    return Outcomes(
        example_id=[swapped.examples[swapped.swaps[row].item].id for _, swapped, row in rows],
        cluster=[swapped.clusters[row] for _, swapped, row in rows],
        variant=[
            f"axis={axis},group={swap.group},name={swap.name}" for (axis, _, _), swap in zip(rows, swaps, strict=True)
        ],
        after=[told(swap.text, swapped.answers[row]) for (_, swapped, row), swap in zip(rows, swaps, strict=True)],
        before=[None] * len(rows),
        gold=[f"{swap.entity.kind}: {swap.name}" for swap in swaps],
        correct=[bool(swapped.found[row]) for _, swapped, row in rows],
        changed=[None] * len(rows),
        score=[float(swapped.confidence[row]) for _, swapped, row in rows],
    )
