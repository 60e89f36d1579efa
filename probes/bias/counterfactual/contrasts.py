"""Two texts that differ in the group they mention and, as far as words allow, in nothing else."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from typing import Literal

from probes.core.examples import Example, Text, content_hash
from probes.core.probe import Context
from probes.text.identity import AXES, Name, TermTable
from probes.text.swaps import swaps_of
from probes.text.templates import sentences

Source = Literal["data", "templates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """One text and its counterpart.

    Attributes:
        example_id, cluster: of the source text, or of the template.
        groups: of the first and of the second text; the same twice where the second is a control.
        texts: first and second.
        terms: what was replaced by what, for the reader.
    """

    example_id: str
    cluster: str
    groups: tuple[str, str]
    texts: tuple[Text, Text]
    terms: str = ""

    @property
    def control(self) -> bool:
        """Do both texts mention the same group."""
        return self.groups[0] == self.groups[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrasts:
    """All contrasts of one axis from one source, and what became of the texts on the way.

    Attributes:
        texts: looked at.
        mentioning: texts that mention a group of the axis.
        dropped: reason -> variants that could not be made.
    """

    axis: str
    source: Source
    rows: tuple[Contrast, ...]
    texts: int
    mentioning: int
    dropped: Mapping[str, int]


def from_data(
    data: Sequence[Example], table: TermTable, *, names: Sequence[Name], public_figures: bool, ctx: Context
) -> Contrasts:
    """Every text that mentions a group, with each of its swaps; what is drawn depends on the item and the axis only."""
    rows: list[Contrast] = []
    dropped: Counter[str] = Counter()
    mentioning = 0
    for example in sorted(data, key=lambda example: example.id):
        found = swaps_of(
            example.text,
            table,
            rng=ctx.rng(table.axis, example.id),
            names=names,
            public_figures=public_figures,
        )
        dropped.update(found.dropped)
        mentioning += bool(found.swaps or found.dropped)
        rows += [
            Contrast(
                example_id=example.id,
                cluster=example.cluster,
                groups=(swap.source, swap.target),
                texts=(example.text, swap.text),
                terms=", ".join(f"{old} → {new}" for old, new in dict.fromkeys(swap.terms)),
            )
            for swap in found.swaps
        ]
    return Contrasts(
        axis=table.axis,
        source="data",
        rows=tuple(rows),
        texts=len(data),
        mentioning=mentioning,
        dropped=dict(sorted(dropped.items())),
    )


@lru_cache(maxsize=len(AXES))  # a plan and its run, and runs of several models, ask for the same ones
def from_templates(table: TermTable, *, names: tuple[Name, ...], terms: int) -> Contrasts:
    """Every template filled with a term of each group, in pairs of groups; and, as controls, in pairs of terms of one
    group."""
    filled: dict[str, dict[str, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for sentence in sentences(table, names=names, terms=terms):
        filled[sentence.template][sentence.group].append((sentence.text, sentence.term))
    rows = [row for template, by_group in filled.items() for row in _of_template(template, by_group, table.axis)]
    return Contrasts(
        axis=table.axis,
        source="templates",
        rows=tuple(rows),
        texts=len(filled),
        mentioning=len(filled),
        dropped={},
    )


def _of_template(template: str, by_group: Mapping[str, list[tuple[str, str]]], axis: str) -> Iterator[Contrast]:
    name = content_hash([axis, template])
    for first, second in combinations(by_group, 2):
        for before, after in zip(by_group[first], by_group[second], strict=False):
            yield _filled(name, template, (first, second), before, after)
    for group, entries in by_group.items():
        for before, after in pairwise(entries):
            if before[0] != after[0]:
                yield _filled(name, template, (group, group), before, after)


def _filled(
    name: str, template: str, groups: tuple[str, str], before: tuple[str, str], after: tuple[str, str]
) -> Contrast:
    return Contrast(
        example_id=name,
        cluster=template,
        groups=groups,
        texts=(before[0], after[0]),
        terms=f"{before[1]} → {after[1]}",
    )
