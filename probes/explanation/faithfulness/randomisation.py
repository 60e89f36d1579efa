"""Does the explanation depend on what the model has learned: the same questions to copies with random weights.

Cascading randomisation of Adebayo et al. (2018), Sanity Checks for Saliency Maps, NeurIPS: from the head downwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from probes.core.attributions import Attribution
from probes.core.attributors import Attributor
from probes.core.examples import Text
from probes.explanation.explained import Explained, answered
from probes.explanation.faithfulness.agreement import similarity
from probes.explanation.faithfulness.removal import ask, measure_of, ranked, why_not
from probes.explanation.faithfulness.scored import Scored, scored

OUTPUT, ALL = 0.0, 1.0
STAGES: Mapping[float, str] = {OUTPUT: "output layer", 0.5: "upper half", ALL: "all layers"}
"""Share of the other layers with random weights -> its name; the output layer is random in all of them."""

Generator = Callable[[str], np.random.Generator]
"""Id of an item -> what decides the order of words that weigh the same."""


@dataclass(frozen=True, kw_only=True)
class Cascade:
    """What is left of the explanations of n items in the copies.

    Attributes:
        similarity: share of the layers -> (n,) rank correlations of the absolute scores, towards the same target.
        comprehensiveness: (n,) of the wholly random copy: its own explanation of its own answer, mean over the shares.
    """

    similarity: Mapping[float, list[Scored]]
    comprehensiveness: list[Scored]


def cascade(model: Attributor, items: Explained, *, seed: int, ties: Generator) -> Cascade:
    """Explain the same n answers in one copy for each stage; `seed` is that of the random weights."""
    alike: dict[float, list[Scored]] = {}
    own: list[Scored] = []
    for share in STAGES:
        with model.randomised(share, seed=seed) as copy:
            if share == ALL:
                found, own = _wholly(copy, items, ties=ties)
            else:
                found = copy.attribute(_texts(items), items.targets, method=items.method)
        alike[share] = [similarity(*pair, magnitude=True) for pair in zip(items.attributions, found, strict=True)]
    return Cascade(similarity=alike, comprehensiveness=own)


def _wholly(copy: Attributor, items: Explained, *, ties: Generator) -> tuple[list[Attribution], list[Scored]]:
    """(n,) explanations of the answers of the model, and comprehensiveness of those of the copy's own answers."""
    texts, n = _texts(items), len(items)
    answers = copy.classify(texts)
    found = copy.attribute([*texts, *texts], [*items.targets, *answered(answers)], method=items.method)
    own = found[n:]
    order = [ranked(each.scores, ties(example.id)) for each, example in zip(own, items.examples, strict=True)]
    [removed] = ask(copy, answers, own, [order])
    drops = removed.comprehensiveness(measure_of(answers)).mean(axis=1)
    return found[:n], scored(drops, why_not(own, answers))


def _texts(items: Explained) -> list[Text]:
    return [example.text for example in items.examples]
