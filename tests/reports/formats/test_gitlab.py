"""GitLab's code quality report and the OpenMetrics file."""

from __future__ import annotations

import json
import re

import pytest

from probes.core.findings import Level, Status
from reports.formats.gitlab import code_quality
from reports.formats.openmetrics import openmetrics
from reports.load import load
from tests.reports import synthetic_run as synthetic
from tests.reports.formats import runs

LABEL = r'[a-zA-Z_]\w*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"([a-zA-Z_:][\w:]*)(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")


def entries(loaded) -> list[dict]:
    found = json.loads(code_quality(loaded))
    for entry in found:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert entry["location"]["lines"]["begin"] >= 1
        assert entry["location"]["path"]
    prints = [entry["fingerprint"] for entry in found]
    assert len(set(prints)) == len(prints)
    return found


@pytest.mark.parametrize("attack", runs.ATTACKS)
def test_hostile_text_keeps_the_shape(attack, attacked):
    loaded = attacked(attack)
    assert len(entries(loaded)) == 5
    assert len(samples(openmetrics(loaded))) == 1 + 7 + 1 + 5 * sum(f.estimate is not None for f in loaded.findings)


@pytest.mark.parametrize("told", synthetic.SITUATIONS)
def test_every_situation_has_the_shape(told, situation):
    found = entries(situation(told))
    verdict = situation(told).verdict
    passed = verdict is not None and verdict.exit_code == 0
    assert (found[0]["check_name"] == "gate" if found else False) is not passed
    samples(openmetrics(situation(told)))


def test_severity_follows_status_and_level(tmp_path):
    loaded = runs.judged(tmp_path / "run", runs.every_status())
    found = {entry["check_name"]: entry for entry in entries(loaded)}
    expected = {
        (Status.FAIL, Level.BLOCK): "blocker",
        (Status.INCONCLUSIVE, Level.BLOCK): "major",
        (Status.NOT_RUN, Level.BLOCK): "major",
        (Status.FAIL, Level.WARN): "minor",
        (Status.INCONCLUSIVE, Level.WARN): "minor",
    }
    for finding in loaded.findings:
        severity = expected.get((finding.status, finding.level)) if finding.decisive else None
        severity = "critical" if finding.status is Status.ERROR else severity
        assert found.pop(finding.check, {}).get("severity") == severity, finding
    assert set(found) == {"gate"}


def samples(content: bytes) -> dict[str, float]:
    """Series -> value, by the grammar of OpenMetrics: families whole, declared before use, no series twice."""
    text = content.decode()
    assert text.endswith("\n# EOF\n")
    assert not re.search(r"^# EOF.*\n.", text, re.M)
    found, declared, closed, family = {}, set(), set(), ""
    for told in text.removesuffix("# EOF\n").removesuffix("\n").split("\n"):
        if told.startswith("# TYPE "):
            closed.add(family)
            family = told.split(" ")[2]
            assert family not in declared
            declared.add(family)
        elif told.startswith("# HELP "):
            assert told.split(" ")[2] == family
        else:
            match = SAMPLE.fullmatch(told)
            assert match, told
            assert match[1] == family
            series = told.rpartition(" ")[0]
            assert series not in found
            found[series] = float(match[3])
    return found


def test_metrics_are_the_numbers_of_the_findings(situation):
    found = samples(openmetrics(situation("rich")))
    for finding in situation("rich").findings:
        series = f'{{check="{finding.check}"}}'
        status = f'audit_status{{check="{finding.check}",status="{finding.status.value}"}}'
        assert found.get(status) == (1 if finding.estimate else None)
        for name in ("low", "high", "n"):
            told = getattr(finding.estimate, name, None)
            assert found.get(f"audit_{name}{series}") == told
        assert found.get(f"audit_estimate{series}") == (finding.estimate.value if finding.estimate else None)
    assert found["audit_exit_code"] == 1


def test_a_number_stays_the_same_series_when_its_status_changes(situation, tmp_path):
    findings = situation("rich").findings
    other = runs.judged(tmp_path / "run", [finding.model_copy(update={"status": Status.PASS}) for finding in findings])
    one, two = (
        {series for series in samples(openmetrics(loaded)) if not series.startswith(("audit_status", "audit_checks{"))}
        for loaded in (situation("rich"), other)
    )
    assert one == two


def test_two_models_with_the_same_finding_are_two_entries(tmp_path):
    def audited(model: str) -> list[dict]:
        finding = synthetic.check("a.b", "c", status=Status.FAIL)
        run = synthetic.write(tmp_path / model, [], [finding], exit_code=1, model=synthetic.model_card(name=model))
        return entries(load(run))

    one, other = ({entry["fingerprint"] for entry in audited(model)} for model in ("small", "large"))
    assert len(one) == 2
    assert not one & other


def test_an_unjudged_run_has_no_exit_code(situation):
    assert "audit_exit_code" not in samples(openmetrics(situation("unjudged")))
