"""Is a probe's parameter of the type that its field has: told in words before the probe is made of it."""

from __future__ import annotations

import json
import typing
from collections.abc import Mapping
from enum import Enum
from types import NoneType
from typing import Any

from pydantic import PydanticSchemaGenerationError, TypeAdapter, ValidationError

from probes.core.errors import UsageError
from probes.core.probe import Probe

_WORDS: Mapping[Any, tuple[str, str]] = {
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    str: ("a text", "texts"),
    bool: ("true or false", "true or false, each"),
    NoneType: ("null", "nulls"),
}
"""One and several of a type."""


def require_types(probe: Probe, values: Mapping[str, Any]) -> None:
    """Refuse values of another type than that of their fields; a type of a plug-in's own is not looked at.

    Raises:
        UsageError: naming the parameter and what it takes.
    """
    hints = _hints(probe)
    for name, value in values.items():
        if name in hints and not _fits(value, hints[name]):
            raise UsageError(
                f"{probe.info.id}: {name} takes {in_words(hints[name])}, not {value!r}",
                hint=f"see `audit show {probe.info.id}`",
            )


def _hints(probe: Probe) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(type(probe))
    except (NameError, TypeError):  # a plug-in that imports them for type checkers only
        return {}


def _fits(value: Any, hint: Any) -> bool:
    """As it would be read from JSON, where a list may stand for a tuple and a name for a member of an enumeration."""
    try:
        TypeAdapter(hint).validate_json(json.dumps(value), strict=True)
    except PydanticSchemaGenerationError:
        return True
    except (ValidationError, TypeError, ValueError):
        return False
    return True


def in_words(hint: Any, *, many: bool = False) -> str:
    """A type for people: "a list of whole numbers"."""
    inner = typing.get_args(hint)
    if hint in _WORDS:
        return _WORDS[hint][many]
    if typing.get_origin(hint) is tuple and inner[1:] == (...,):
        return f"{'lists' if many else 'a list'} of {in_words(inner[0], many=True)}"
    if isinstance(hint, type) and issubclass(hint, Enum):
        return f"one of {', '.join(str(each.value) for each in hint)}"
    return " or ".join(in_words(each) for each in inner) or str(hint)
