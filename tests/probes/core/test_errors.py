"""Errors carry a remedy and an exit code."""

from __future__ import annotations

import pytest

from probes.core.errors import (
    AuditError,
    DataError,
    IntegrityError,
    ModelError,
    OutputError,
    PolicyError,
    UsageError,
    did_you_mean,
)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (AuditError, 2),
        (UsageError, 2),
        (DataError, 2),
        (PolicyError, 2),
        (ModelError, 4),
        (OutputError, 4),
        (IntegrityError, 5),
    ],
)
def test_exit_codes(kind, code):
    error = kind("what happened", hint="what to do")
    assert isinstance(error, AuditError)
    assert (error.exit_code, error.message, error.hint, str(error)) == (
        code,
        "what happened",
        "what to do",
        "what happened",
    )


def test_an_error_without_a_remedy_cannot_be_raised():
    with pytest.raises(TypeError):
        UsageError("what happened")


def test_close_names_are_suggested():
    assert did_you_mean("tipos", ["typos", "case", "emoji"]) == "did you mean typos?"
    assert did_you_mean("case_upper", ["case_upper_1", "case_upper_2"]) == "did you mean case_upper_2 or case_upper_1?"


def test_all_names_when_none_is_close():
    assert did_you_mean("zzz", ["typos", "case"]) == "known names: case, typos"
