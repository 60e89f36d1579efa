"""The items that probes about a whole corpus explain, by the method asked for or the next best."""

from __future__ import annotations

from collections.abc import Sequence

from probes.core.attributions import Method
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Attributor, ModelCard
from probes.core.records import Accounting, Skip, SkipReason
from probes.core.sampling import stratified
from probes.explanation.explained import Explained, accounting, usable


def method_named(name: str, *, probe: str) -> Method:
    """The method of that name, as read from YAML.

    Raises:
        UsageError: for another word.
    """
    try:
        return Method(name)
    except ValueError:
        raise UsageError(f"{probe}: method {name!r}", hint=f"method is one of {', '.join(Method)}") from None


def chosen_method(card: ModelCard, asked: Method) -> Method | None:
    """The method asked for, or one that the model allows instead; None when there is none."""
    return usable(card, asked, Method.INTEGRATED_GRADIENTS, Method.OCCLUSION)


def explain(model: Attributor, data: Sequence[Example], *, method: Method, limit: int, seed: int) -> Explained:
    """At most `limit` of the items, with the label shares of the whole, and what pushed their answers."""
    return Explained.ask(model, stratified(data, limit=limit, seed=seed), method=method)


def accounted(items: Explained, *, total: int, asked: Method, note: str = "") -> Accounting:
    """What became of `total` items of which some were explained, and by which method where it is not the one asked."""
    explained = len(items) + items.unscored
    parts = (
        f"a sample of {explained} of {total} items" if explained < total else "",
        f"by {items.method.replace('_', ' ')}, because the model does not allow {asked.replace('_', ' ')}"
        if items.method is not asked
        else "",
        note,
    )
    found = accounting(items, note="; ".join(part for part in parts if part))
    return found.model_copy(update={"eligible": total})


def no_method(card: ModelCard, asked: Method) -> Skip:
    """When no method can be used."""
    return Skip(
        reason=SkipReason.NO_CAPABILITY,
        detail=f"No attribution method can be used on this model: {card.unattributable.get(asked, 'not supported')}",
    )
