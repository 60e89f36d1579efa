"""What can go wrong, as the user is told it.

    AuditError                  2  anything the user can act on
    ├── UsageError              2  a wrong flag, path, column or name
    │   ├── DataError           2  the data cannot be read or does not fit the model
    │   └── PolicyError         2  the policy cannot be read or names unknown checks
    ├── ModelError              4  the model is there but would not load or run
    ├── OutputError             4  results cannot be written (disk full, read-only)
    ├── DefectError             4  a defect of this program
    └── IntegrityError          5  what is on disk is not what was recorded

Every error is one line of what happened and one of what to do; a traceback shown to a user is a defect of ours.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable
from pathlib import PurePath

SAID = 300
"""Characters of what an unexpected error says that are shown."""


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


class DefectError(AuditError):
    """A defect of this program: it must not look like a verdict on the model."""

    exit_code = 4

    @classmethod
    def of(cls, error: BaseException) -> DefectError:
        """Something that nobody meant to be raised, with the place where it was."""
        places = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
        code = places[-1].f_code if places else None
        where = f", in {code.co_name} of {PurePath(code.co_filename).name}" if code else ""
        said = " ".join(str(error).split())[:SAID]
        return cls(
            f"this program has a defect: {type(error).__name__}{f': {said}' if said else ''}{where}",
            hint="finished steps are kept; AUDIT_TRACEBACK=1 with the same command shows what to report",
        )


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
