"""The items of all domains that have a right answer and got a readable one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from probes.core.answers import Bools
from probes.core.examples import Example
from probes.core.labelled import Labelled


def answered(model: Any, data: Sequence[Example]) -> Labelled:
    """The labelled items of all domains whose answer is a finite number, asked about in one call."""
    items = Labelled.ask(model, data)
    return items[np.asarray(np.isfinite(items.answers.logits).all(axis=1))]


class Asked(Protocol):
    """Items that were asked about, whatever the answers are."""

    @property
    def examples(self) -> tuple[Example, ...]: ...


def among(items: Asked, examples: Sequence[Example]) -> Bools:
    """(n,): which items are among the examples."""
    ids = {example.id for example in examples}
    return np.array([example.id in ids for example in items.examples], dtype=bool)
