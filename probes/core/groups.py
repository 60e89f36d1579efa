"""The group columns of the data: which there are, what each item has there, and which items share a value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from probes.core.answers import Bools
from probes.core.examples import Example

UNKNOWN = "(unknown)"
"""The group of the items that have no value in a column."""


def group_columns(examples: Sequence[Example]) -> list[str]:
    """Names of the columns that any of the items has, sorted."""
    return sorted({column for example in examples for column in example.groups})


def group_values(examples: Sequence[Example], column: str) -> list[str]:
    """(n,): what each item has in a column, without white space around it; empty where it has nothing."""
    return [(example.groups.get(column) or "").strip() for example in examples]


def groups(examples: Sequence[Example]) -> Iterator[tuple[str, Bools]]:
    """Each value of each column as "column=value", with its (n,) members, sorted."""
    for column in group_columns(examples):
        found = [value or UNKNOWN for value in group_values(examples, column)]
        for value in sorted(set(found)):
            yield f"{column}={value}", np.array([each == value for each in found], dtype=bool)
