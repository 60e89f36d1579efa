"""The answers of a reader on each kind of texts, as `Numbers` compare them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from probes.core.answered import Answered
from probes.shift.domains import Domain
from probes.shift.labelled import among
from probes.shift.performance.scored import Measure, Scored, share_measure

F1 = share_measure("f1", "mean F1 of the answers")
EXACT_MATCH = share_measure("exact_match", "share of answers that match exactly", charted=False)
ANSWERS = (F1, EXACT_MATCH)


def answer_measures(items: Answered, domains: Sequence[Domain]) -> Iterator[tuple[Measure, list[Scored]]]:
    """F1 and exact match, each with the numbers of the questions of every domain."""
    for measure, values in ((F1, items.f1), (EXACT_MATCH, items.exact.astype(np.float64))):
        yield measure, [Scored(domain, values[among(items, domain.examples)]) for domain in domains]
