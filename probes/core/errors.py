"""What can go wrong, as the user is told it.

    AuditError                  2  anything the user can act on
    ├── UsageError              2  a wrong flag, path, column or name
    │   ├── DataError           2  the data cannot be read or does not fit the model
    │   └── PolicyError         2  the policy cannot be read or names unknown checks
    ├── ModelError              4  the model is there but would not load or run
    ├── OutputError             4  results cannot be written (disk full, read-only)
    └── IntegrityError          5  what is on disk is not what was recorded

Every error is one line of what happened and one of what to do; a traceback shown to a user is a defect of ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AuditError(Exception):
    """An error with a remedy.

    Args:
        message: one line saying what happened.
        hint: one line saying what to do about it.
    """

    exit_code = 2

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(AuditError):
    """The command cannot be carried out as given."""


class DataError(UsageError):
    """The data cannot be read, or does not fit the model."""


class PolicyError(UsageError):
    """The policy cannot be read, or names checks that do not exist."""


class ModelError(AuditError):
    """The model folder is there but cannot be loaded or run."""

    exit_code = 4


class OutputError(AuditError):
    """Results cannot be written."""

    exit_code = 4


class IntegrityError(AuditError):
    """Stored results do not match what was recorded about them."""

    exit_code = 5


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint for a mistyped name: the closest known ones, or all of them when none is close."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"known names: {', '.join(names)}"
