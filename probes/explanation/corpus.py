"""The sample of the items that probes about a whole corpus explain."""

from __future__ import annotations

from collections.abc import Sequence

from probes.core.attributions import Method
from probes.core.examples import Example
from probes.core.model import Attributor
from probes.core.records import Accounting
from probes.core.sampling import stratified
from probes.explanation.explained import Explained, accounting
from probes.explanation.method import instead


def explain(model: Attributor, data: Sequence[Example], *, method: Method, limit: int, seed: int) -> Explained:
    """At most `limit` of the items, with the label shares of the whole, and what pushed their answers."""
    return Explained.ask(model, stratified(data, limit=limit, seed=seed), method=method)


def accounted(items: Explained, *, total: int, asked: Method, note: str = "") -> Accounting:
    """What became of `total` items of which some were explained, and by which method where it is not the one asked."""
    explained = len(items) + items.unscored
    parts = (
        f"{total - explained} of {total} items are left out: a sample of {explained} is explained, the most that the "
        "parameter items allows"
        if explained < total
        else "",
        instead(items.method, asked=asked),
        note,
    )
    found = accounting(items, note="; ".join(part for part in parts if part))
    return found.model_copy(update={"eligible": total})
