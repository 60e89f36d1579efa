"""Which items to use when not all can be: stratified by label, decided by item id."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from probes.core.examples import Accepted, Example
from probes.core.rng import derive


def stratified(examples: Sequence[Example], *, limit: int | None, seed: int) -> list[Example]:
    """At most `limit` examples with the label shares of the whole, in the order given.

    Within a label the examples with the smallest hash of (seed, id) are taken, so the order of the rows has no
    influence and a smaller sample is very nearly a subset of a larger one. Shares are rounded by largest remainder.
    """
    if limit is None or limit >= len(examples):
        return list(examples)
    strata: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        strata[stratum(example)].append(example)
    quotas = allocate({name: len(members) for name, members in strata.items()}, total=limit)
    chosen: set[str] = set()
    for name, members in strata.items():
        ranked = sorted(members, key=lambda example: derive(seed, "sample", example.id))
        chosen.update(example.id for example in ranked[: quotas[name]])
    return [example for example in examples if example.id in chosen]


def stratum(example: Example) -> str:
    """The label, or set of labels, an example is stratified by; numbers and missing labels form one stratum each."""
    gold = example.gold
    if isinstance(gold, str):
        return gold
    if isinstance(gold, Accepted):
        return "answerable" if gold else "unanswerable"
    if isinstance(gold, tuple):
        # One tag for each word: hardly two sentences have the same ones, but many the same kinds of them.
        kinds = gold if len(set(gold)) == len(gold) else sorted(set(gold))
        return "+".join(kinds)
    return "(none)" if gold is None else "(score)"


def allocate(sizes: dict[str, int], *, total: int) -> dict[str, int]:
    """Split `total` over strata in proportion to their sizes (largest remainder; ties by name)."""
    whole = sum(sizes.values())
    exact = {name: total * size / whole for name, size in sizes.items()}
    quotas = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(sizes, key=lambda name: (quotas[name] - exact[name], name))
    for name in by_remainder[: total - sum(quotas.values())]:
        quotas[name] += 1
    return quotas
