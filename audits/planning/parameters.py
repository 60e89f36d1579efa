"""The parameters of a probe: which it has, which of them a user may set, and the probe with some of them changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from audits.planning.parameter_types import require_types
from probes.core.errors import UsageError, did_you_mean
from probes.core.probe import Probe, varied


def parameters_of(probe: Probe) -> dict[str, Any]:
    """The probe's parameters: its dataclass fields, but those marked `metadata={"parameter": False}`."""
    return {field.name: getattr(probe, field.name) for field in _fields(probe)}


def settable(probe: Probe) -> dict[str, Any]:
    """Those of the parameters that a user may set: the others say for the record what the probe was given."""
    return {field.name: getattr(probe, field.name) for field in _fields(probe) if field.metadata.get("settable", True)}


def with_parameters(probe: Probe, changes: Mapping[str, Any]) -> Probe:
    """The probe with some parameters changed; lists become tuples.

    Raises:
        UsageError: for an unknown parameter, a value of another type, or one the probe refuses.
    """
    if not changes:
        return probe
    known = settable(probe)
    for name in changes:
        if name not in known:
            raise UsageError(f"{probe.info.id} has no parameter {name!r}", hint=did_you_mean(name, known or ["(none)"]))
    require_types(probe, changes)
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
    try:
        return varied(probe, **values)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{probe.info.id}: {error}", hint=f"see `audit show {probe.info.id}`") from None


def _fields(probe: Probe) -> list[dataclasses.Field[Any]]:
    fields = dataclasses.fields(probe)  # type: ignore[arg-type]  # a Probe is a dataclass by contract
    return [field for field in fields if field.metadata.get("parameter", True)]
