"""The head of the report: what it says fits, whatever the names are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.load import load
from reports.page import identity
from tests.reports import synthetic_run as synthetic


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("x" * 2_000 + " 1", "x" * 60 + "…"),
        ("x" * 58 + " 12", "x" * 58 + " 1…"),
        ("x" * 58 + " 1", "x" * 58 + " 1"),
    ],
)
def test_a_long_name_of_a_policy_is_cut(tmp_path, name, shown):
    loaded = load(synthetic.passing(tmp_path))
    named = replace(loaded, verdict=loaded.verdict.model_copy(update={"policy_id": name}))
    facts = {fact.name: fact.value for fact in identity(named).facts}
    assert facts["Policy"] == f"{shown} ({loaded.verdict.policy_digest[:12]})"
