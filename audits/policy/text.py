"""A policy as text that stands on its own: what is frozen with a run and read again by a later version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import Enum
from typing import Any

from pydantic import BaseModel

from audits.policy.checks import Check
from audits.policy.file import PolicyFile
from probes.core.manifest import WRITTEN_OUT

_ALWAYS = ("check", "min", "max", "level", "burden", "alpha", "rationale", "source")
"""Keys of a check that are written out even where they have their default."""


def written(file: PolicyFile) -> str:
    """YAML that parses to the same content, whatever the file extended."""
    lines = [WRITTEN_OUT]
    lines += [f"{key}: {value}" for key, value in _pairs(file) if key != "checks"]
    lines.append("checks:")
    for check in file.checks:
        lines += written_check(check)
    return "\n".join(lines).rstrip("\n") + "\n"


def written_check(check: Check) -> Iterator[str]:
    """The lines of an entry of `checks`, and an empty one."""
    first, *others = (f"{key}: {value}" for key, value in _pairs(check))
    yield f"  - {first}"
    yield from (f"    {other}" for other in others)
    yield ""


def _pairs(model: BaseModel) -> Iterator[tuple[str, str]]:
    """Keys with their values in YAML, in the order of the schema."""
    for name, field in type(model).model_fields.items():
        key, value = field.alias or name, getattr(model, name)
        default = not field.is_required() and value == field.default
        if value is not None and (key in _ALWAYS or not default):
            yield key, _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return f"[{', '.join(sorted(map(_scalar, value)))}]"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_scalar, value))}]"
    return repr(value)


def _quoted(text: str) -> str:
    """In double quotes, with everything escaped that YAML does not take as it is."""
    return '"' + "".join(f"\\{c}" if c in '"\\' else c if c.isprintable() else f"\\U{ord(c):08x}" for c in text) + '"'
