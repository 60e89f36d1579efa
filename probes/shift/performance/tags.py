"""The entities of a tagger on each kind of texts, as `Numbers` compare them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import compress

import numpy as np

from probes.core.answers import Bools
from probes.core.entities import Tagset
from probes.core.entity_decisions import Decisions
from probes.core.records import Skip, SkipReason
from probes.core.stats.derived import f1_of_jaccard
from probes.core.tagged import Tagged, gold_tags
from probes.shift.domains import Domain
from probes.shift.labelled import among
from probes.shift.performance.scored import Measure, Scored, ScoredParts, share_measure

F1 = share_measure("f1", "F1 of entities", function=f1_of_jaccard)
PRECISION = share_measure("precision", "share of found entities that are right", charted=False)
RECALL = share_measure("recall", "share of entities that are found", charted=False)
ENTITIES = (F1, PRECISION, RECALL)


def entity_measures(items: Tagged, domains: Sequence[Domain]) -> Iterator[tuple[Measure, list[Scored]]]:
    """F1, precision and recall, each with the decisions that it is counted from in every domain."""
    decisions = items.decisions()
    for measure, counted in (
        (F1, decisions.gold | decisions.answered),
        (PRECISION, decisions.answered),
        (RECALL, decisions.gold),
    ):
        yield (
            measure,
            [_part(domain, decisions, counted & _within(items, domain)[decisions.item]) for domain in domains],
        )


def no_entity(domain: Domain, tagset: Tagset) -> Skip | None:
    """Why nothing can be said of entities where the right answers have none; None where they have some."""
    if any(tagset.entities(gold_tags(example)) for example in domain.examples):
        return None
    return Skip(
        reason=SkipReason.UNDEFINED,
        detail=f"No right answer {domain.where} has an entity, so there is nothing to find.",
        enable="give texts with entities",
        slice=domain.slice,
    )


def _within(items: Tagged, domain: Domain) -> Bools:
    return among(items, domain.examples)


def _part(domain: Domain, decisions: Decisions, counted: Bools) -> ScoredParts:
    return ScoredParts(
        domain, decisions.hits[counted].astype(np.float64), keys=list(compress(decisions.clusters, counted))
    )
