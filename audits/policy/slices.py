"""The part of the data that a check names in brackets: is it written so that it can match anything."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from probes.core.errors import did_you_mean

_SORTED = "write the keys in alphabetical order, as the report does"


def malformed(key: str) -> str:
    """What is wrong with the form of a measurement's key, in words; "" where nothing is."""
    name, bracket, rest = key.partition("[")
    if not bracket:
        return "a bracket is closed that was not opened" if "]" in key and "*" not in key else ""
    if not name:
        return "there is no name before the bracket"
    if not rest.endswith(("]", "*")):
        return "the bracket is not closed"
    inner = rest.removesuffix("]")
    if not inner:
        return "there is nothing in the brackets"
    first, equals, _ = inner.partition("=")
    if "*" in first:
        return ""
    if not equals or not first or re.search(r"(^|,)\w+=\Z", inner):
        return "a part of the data is written as key=value"
    return ""


def unknown(key: str, known: Collection[str]) -> tuple[str, str] | None:
    """A slice key that no number has, or keys in an order that none has: what is wrong, and a hint.

    Values may hold commas and equals signs (a label, a group of the data), so that a later key counts as one only where
    it is known, or close to one that is.

    Args:
        key: of a measurement, well formed.
        known: the keys of slices that there are.
    """
    first, *others = _keys(key) or [""]
    if not first:
        return None
    if not known:
        return "it is not measured in parts", "leave out the brackets"
    if first not in known:
        return f"no part of it is called {first!r}", did_you_mean(first, known)
    for other in others:
        close = difflib.get_close_matches(other, known, n=1, cutoff=0.7)
        if other not in known and close and close[0] not in (first, *others):
            return f"no part of it is called {other!r}", did_you_mean(other, known)
    read = [each for each in (first, *others) if each in known]
    return None if read == sorted(read) else (f"its parts are named in the order {', '.join(sorted(read))}", _SORTED)


def _keys(key: str) -> list[str]:
    """The keys in the brackets; none where a wildcard stands for the first."""
    inner = key.partition("[")[2]
    if "*" in inner.partition("=")[0]:
        return []
    return re.findall(r"(?:^|,)(\w+)=", inner)
