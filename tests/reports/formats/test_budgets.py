"""10,000 findings: every file stays within what its reader takes, and what is left out is counted."""

from __future__ import annotations

import re

import pytest

from reports.formats import FORMATS
from reports.load import load
from reports.redacted import without_personal
from tests.reports import synthetic_run as synthetic


@pytest.fixture(scope="module")
def stress(tmp_path_factory):
    """10,000 findings in every format: name -> bytes."""
    loaded = without_personal(load(synthetic.stress(tmp_path_factory.mktemp("stress") / "run")))
    return {name: form.make(loaded) for name, form in FORMATS.items()}


@pytest.mark.parametrize(
    ("name", "most"),
    [("summary", 900_000), ("pull-request", 64_000), ("annotations", 20_000), ("model-card", 64_000),
     ("sarif", 10_000_000), ("code-quality", 10_000_000), ("metrics", 10_000_000), ("junit", 10_000_000)],
)  # fmt: skip
def test_ten_thousand_findings_keep_the_budget(stress, name, most):
    assert 0 < len(stress[name]) <= most


@pytest.mark.parametrize(
    ("name", "note"),
    [("summary", r"Shortened: [\d,]+ of 10,000 checks are shown"), ("annotations", "9,991 more findings"),
     ("pull-request", "Shortened: 25 of 10,000 checks"), ("sarif", "5,000 more findings"),
     ("code-quality", "5,000 findings more"), ("metrics", "audit_checks_left_out 5000"),
     ("model-card", "9,985 more in the report")],
)  # fmt: skip
def test_what_is_left_out_is_counted(stress, name, note):
    assert re.search(note, stress[name].decode())
