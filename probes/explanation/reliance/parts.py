"""Of which words and texts numbers are published: each category, each axis of identity, each answer."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from probes.core.records import Skip, SkipReason
from probes.core.stats.derived import FEW
from probes.explanation.reliance.categories import IDENTITY, SPECIAL
from probes.explanation.reliance.leaning import Leaning
from probes.explanation.reliance.numbers import Numbers, attribution_share, beyond_neutral, in_detail
from probes.explanation.reliance.removals import Removals
from probes.explanation.reliance.selections import Selection, Sorted
from probes.text.identity import AXES

MOST_LABELS = 10
"""Answers that are reported one by one: the commonest."""


def overall(texts: Sorted, found: Mapping[str, Leaning], removals: Removals, *, signs: bool) -> Numbers:
    """Each category as a whole, identity terms by axis too."""
    for category, leaning in found.items():
        if len(set(leaning.clusters)) >= FEW:
            yield from beyond_neutral(leaning, {"category": category}, family="category")
            yield from in_detail(leaning, {"category": category}, signs=signs)
    for axis in AXES:
        where = texts.axis(axis)
        if texts.clusters(where) >= FEW:
            leaning = Leaning.of(texts, where, removals)
            yield from beyond_neutral(leaning, {"category": IDENTITY, "axis": axis}, family="axis")


def special_tokens(texts: Sorted) -> Numbers:
    """The share of tokens that are no words."""
    items, part = texts.items, {"category": SPECIAL}
    special = np.array([abs(each.special) for each in items.attributions])
    if not special.any():
        detail = "Special tokens got nothing, as they must where texts are compared with one that has the same ones."
        yield Skip(reason=SkipReason.UNDEFINED, detail=detail, name="attribution_share", slice=part)
    elif len(set(items.clusters)) >= FEW:
        total = special + [np.abs(each.scores).sum() for each in items.attributions]
        shares = np.divide(special, total, out=np.full(len(special), np.nan), where=total > 0)
        yield attribution_share(shares, items.clusters, part)


def by_label(texts: Sorted, categories: Mapping[str, Selection], removals: Removals) -> Numbers:
    """Each category within the texts that got one answer, for the commonest answers."""
    for label in common_answers(texts):
        for category, where in categories.items():
            here = texts.answered(where, label)
            if texts.clusters(here) >= FEW:
                part = {"category": category, "label": label}
                yield from beyond_neutral(Leaning.of(texts, here, removals), part, family=f"label.{category}")


def common_answers(texts: Sorted) -> list[str]:
    """The commonest answers; none where all texts got the same one."""
    targets = texts.items.targets
    common = sorted(set(targets), key=lambda label: (-targets.count(label), label))
    return common[:MOST_LABELS] if len(common) > 1 else []
