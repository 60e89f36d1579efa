"""The answer to one question about a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from probes.core.errors import AuditError


class Outcome(StrEnum):
    """Of one check."""

    OK = "ok"
    FAILED = "failed"
    NOT_DONE = "not done"
    NOTE = "note"
    """Nothing is wrong with the bytes, but a reader must know it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One check; `files` are those that are not as they should be."""

    name: str
    outcome: Outcome
    sentence: str
    files: tuple[str, ...] = ()


def asked(name: str, question: Callable[[], Checked]) -> Checked:
    """The answer; what cannot be read does not hold."""
    try:
        return question()
    except (AuditError, UnicodeDecodeError) as error:
        message = error.message if isinstance(error, AuditError) else str(error)
        return Checked(name, Outcome.FAILED, message)
