"""What a probe will really ask: each one is run on a few items against a model that answers by chance and remembers.

Counting questions this way sees what arithmetic does not: variants that equal their text, texts that several probes
share, probes that only ask again what others asked before. Two sizes of sample tell what grows with the data from what
is asked about a sample of fixed size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

from audits.planning.pools import Pools
from audits.planning.prices import WRITTEN, Prices
from audits.planning.recorder import Asked, Question, Recorder
from probes.core.examples import Example
from probes.core.judges import Judge
from probes.core.model import OWN_QUESTIONS, Capability, ModelCard
from probes.core.probe import Context, Probe, varied

SIZES = (0, 16)
"""Items: enough to see how often a perturbation applies, few enough to cost seconds for all probes together."""
DOMAIN_SIZES = (32, 64)
"""Items of each domain for probes that compare domains: they refuse few items."""
EXPLAINED_SIZES = (64, 128)
"""Items for the probe that explains most texts. Such probes draw samples of fixed size, and ask for the explanations of
one another's items: each gets its part of these, as it will of the items."""
PRICED = 128
"""Items whose lengths tell what a usual question is."""
LEAST_PART = 3 / 8
"""More than any sample of fixed size takes of the smaller size."""


class Questions(NamedTuple):
    """What a probe asks beyond the items' own texts.

    Attributes:
        own: for each item.
        new: of these, those that no earlier probe asks.
        fixed: whatever the number of items, about texts of the probe's own or a sample of fixed size; those that no
            earlier probe asks. Below 0 for a probe that asks little of few items.
    """

    own: float
    new: float
    fixed: float = 0.0

    def calls(self, items: int) -> int:
        """Model calls for so many items."""
        return max(0, round(items * self.new + self.fixed))


def rehearse(
    probes: Sequence[Probe],
    pools: Pools,
    *,
    card: ModelCard,
    seed: int,
    items: Mapping[str, int] | None = None,
    written: float = WRITTEN,
) -> Mapping[str, Questions]:
    """Probe id -> what it asks, told from two sizes of sample.

    A probe that fails here counts with the calls it declares: whether it fails in earnest is for the audit to show. So
    does one that searches: against a model that answers by chance a search ends too soon.

    Args:
        items: probe id -> how many items it is to have; without it all have as many.
        written: as for `Prices.of`.
    """
    prices = Prices.of(card, [example.text for example in pools.own(limit=PRICED)], written=written)
    few, domains, explained = (_stages(pools, sizes) for sizes in (SIZES, DOMAIN_SIZES, EXPLAINED_SIZES))
    parts = _parts([probe.info.id for probe in probes if _explains(probe)], items or {})
    return {
        probe.info.id: _questions(
            probe,
            *(explained if _explains(probe) else domains if probe.info.domains else few),
            part=parts.get(probe.info.id, 1.0),
            recorder=partial(Recorder, card, prices=prices),
            seed=seed,
        )
        for probe in probes
    }


def _explains(probe: Probe) -> bool:
    return Capability.ATTRIBUTE in probe.info.needs


def _parts(names: Sequence[str], items: Mapping[str, int]) -> Mapping[str, float]:
    """Probe id -> its items as a part of the most that any of these probes has."""
    most = max((items.get(name, 0) for name in names), default=0)
    return {name: max(LEAST_PART, items[name] / most) for name in names if most and name in items}


def _stages(pools: Pools, sizes: tuple[int, int]) -> tuple[_Stage, _Stage]:
    """Two samples, smaller ones in proportion where there are not as many items."""
    small, large = sizes
    items = min(large, len(pools.data))
    return _Stage.of(pools, items * small // large), _Stage.of(pools, items)


@dataclass(slots=True)
class _Stage:
    """A size of sample on which probes are rehearsed one after another.

    Attributes:
        clean: questions about the texts of the audit's own items.
        seen: these, and what the probes so far have asked.
    """

    pools: Pools
    items: int
    clean: set[Question]
    seen: set[Question]

    @classmethod
    def of(cls, pools: Pools, items: int) -> _Stage:
        texts = [example.text for example in pools.own(limit=items)]
        # Whichever of them it is that a model of this kind is asked about its items.
        clean: set[Question] = {(question.value, text) for text in texts for question in OWN_QUESTIONS}
        return cls(pools, items, clean, set(clean))


def _questions(
    probe: Probe, small: _Stage, large: _Stage, *, part: float, recorder: Callable[[], Recorder], seed: int
) -> Questions:
    """What a probe that gets this part of the items asks, which from then on counts as seen."""
    if probe.info.searches:
        return _declared(probe)
    sizes = [math.ceil(part * stage.items) for stage in (small, large)]
    samples = [stage.pools.sample(probe, limit=size) for stage, size in zip((small, large), sizes, strict=True)]
    few = _asked(probe, samples[0], recorder=recorder(), seed=seed)
    many = few if samples[0] == samples[1] else _asked(probe, samples[1], recorder=recorder(), seed=seed)
    if few is None or many is None:
        return _declared(probe)
    more = sizes[1] - sizes[0]
    own = (_cost(many, large.clean) - _cost(few, small.clean)) / more if more else 0.0
    new = (_cost(many, large.seen) - _cost(few, small.seen)) / more if more else 0.0
    fixed = _cost(many, large.seen) - new * sizes[1]
    small.seen |= few.keys()
    large.seen |= many.keys()
    return Questions(own=max(0.0, own), new=new, fixed=fixed)


def _declared(probe: Probe) -> Questions:
    calls = max(0.0, probe.info.calls - 1)
    return Questions(own=calls, new=calls)


def _cost(asked: Asked, known: set[Question]) -> float:
    """Of the questions that are not known yet."""
    return sum(cost for question, cost in asked.items() if question not in known)


def _asked(probe: Probe, data: Sequence[Example], *, recorder: Recorder, seed: int) -> Asked | None:
    """The probe's questions about these items; None when it fails."""
    probe = _with_judges_that_record(probe, recorder.asked)
    try:
        for _ in probe.run(recorder, data, Context(probe=probe.info.id, seed=seed)):
            if probe.info.asks_first:
                break
    except Exception:  # a stranger's code may fail in any way
        return None
    return recorder.asked


def _with_judges_that_record(probe: Probe, asked: Asked) -> Probe:
    """The probe with recorders in the place of the classifiers that judge what the model writes: no weights load."""
    judges: tuple[Judge, ...] = getattr(probe, "judges", ())
    if not judges:
        return probe
    recorded = tuple(
        replace(judge, open=partial(Recorder, judge.card, asked=asked, network=f"{judge.card.fingerprint} "))
        for judge in judges
    )
    return varied(probe, judges=recorded)
