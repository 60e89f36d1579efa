"""The verdict in words names the check that the report's register begins with."""

from __future__ import annotations

import pytest

from audits.gate.sentence import sentence
from probes.core.findings import ExitCode, Level, Status
from probes.core.records import Unit
from reports.ranking import ranked
from tests.reports.synthetic_run import check, plain


def losses(status, *, worst):
    """Blocking checks in the order of a policy, of which the one called `worst` is furthest from its threshold."""
    return [
        check(f"robustness.{name}", name, status=status, estimate=plain(0.3 if name == worst else 0.12, 0.01),
              maximum=0.1, unit=Unit.DIFFERENCE, message=f"What is said of {name}.")
        for name in ("first", "second", "third")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "code"), [(Status.FAIL, ExitCode.FAILED), (Status.INCONCLUSIVE, ExitCode.INCONCLUSIVE)]
)
@pytest.mark.parametrize("worst", ["first", "second", "third"])
def test_the_check_it_names_is_the_first_finding_of_the_report(status, code, worst):
    warning = check("bias.x", "warning", status=Status.FAIL, estimate=plain(0.9, 0.01), maximum=0.1, level=Level.WARN)
    findings = [warning, *losses(status, worst=worst)]
    first = ranked(findings, titles={})[0]
    assert first.number == "F-001"
    assert first.finding.message == f"What is said of {worst}."
    assert first.finding.message in sentence(code, findings, lacking=(), blocks=True)


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "."), (1, "; 1 check that only warns did not pass."), (2, "; 2 checks that only warn did not pass.")],
)
def test_warnings_are_a_clause_of_their_own_that_agrees_with_their_number(count, told):
    warnings = [check("bias.x", f"warning_{n}", status=Status.FAIL, level=Level.WARN) for n in range(count)]
    assert sentence(ExitCode.PASSED, warnings, lacking=(), blocks=False) == (
        f"Nothing blocks: this policy has no blocking checks{told}"
    )
    assert sentence(ExitCode.PASSED, warnings, lacking=(), blocks=True) == (
        f"Nothing blocks: no blocking check of this policy applies to this model{told}"
    )


def test_an_alarm_without_data_is_not_named_before_a_check_that_holds_up_the_release():
    silent = check("toxicity.x", "silent", status=Status.INCONCLUSIVE, estimate=plain(0.9, 0.05), maximum=0.1)
    findings = [silent.model_copy(update={"decisive": False}), *losses(Status.INCONCLUSIVE, worst="third")]
    told = sentence(ExitCode.INCONCLUSIVE, findings, lacking=(), blocks=True)
    assert ranked(findings, titles={})[0].finding.message in told
