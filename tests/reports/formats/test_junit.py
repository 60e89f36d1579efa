"""JUnit XML: readable by others, red exactly where the gate does not pass, honest about time."""

from __future__ import annotations

import json
import re
from collections import Counter
from xml.etree import ElementTree

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from probes.core.findings import Level, Status
from reports.formats.junit import junit
from reports.load import load
from tests.reports import synthetic_run as synthetic
from tests.reports.formats import runs

TIME = re.compile(r"\d+\.\d{3}")
"""Seconds without separators, which every reader of the attribute takes."""
# What Jenkins' xUnit plug-in lets pass (junit-10.xsd), as far as these files use it:
# element -> (children, attributes that must be there, attributes that may be).
GRAMMAR = {
    "testsuites": ({"testsuite"}, set(), {"name", "time", "tests", "failures", "errors"}),
    "testsuite": (
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
    ),
    "properties": ({"property"}, set(), set()),
    "property": (set(), {"name", "value"}, set()),
    "testcase": (
        {"skipped", "error", "failure", "system-out", "system-err"},
        {"name"},
        {"time", "classname", "group"},
    ),
    "failure": (set(), set(), {"type", "message"}),
    "error": (set(), set(), {"type", "message"}),
    "skipped": (set(), set(), {"type", "message"}),
    "system-out": (set(), set(), set()),
}
WITH_TEXT = {"failure", "error", "skipped", "system-out"}


def violations(content: bytes) -> list[str]:
    found = []
    root = ElementTree.fromstring(content)
    assert root.tag == "testsuites"
    for element in root.iter():
        children, required, optional = GRAMMAR[element.tag]
        found += [f"{child.tag} in {element.tag}" for child in element if child.tag not in children]
        found += [f"{element.tag} without {name}" for name in required - set(element.attrib)]
        found += [f"{element.tag} with {name}" for name in set(element.attrib) - required - optional]
        if not TIME.fullmatch(element.get("time", "0.000")):
            found.append(f"time {element.get('time')} in {element.tag}")
        if (element.text or "").strip() and element.tag not in WITH_TEXT:
            found.append(f"text in {element.tag}")
    return found


def parsed(content: bytes) -> JUnitXml:
    return JUnitXml.fromstring(content)


@pytest.mark.parametrize("told", synthetic.SITUATIONS)
def test_it_has_the_grammar_that_jenkins_asks_for(told, situation):
    assert violations(junit(situation(told))) == []


@pytest.mark.parametrize("attack", runs.ATTACKS)
def test_hostile_text_stays_text(attack, attacked):
    loaded = attacked(attack)
    content = junit(loaded)
    assert violations(content) == []
    assert sum(suite.tests for suite in parsed(content)) == len(loaded.findings) + 1


def test_the_grammar_notices_a_violation():
    bad = b"<testsuites><testsuite name='a' tests='1' failures='0'><testcase><b/></testcase></testsuite></testsuites>"
    with pytest.raises(KeyError):
        violations(bad)
    assert violations(bad.replace(b"<b/>", b"")) == ["testsuite without errors", "testcase without name"]


RED = {
    (Status.FAIL, Level.BLOCK): (Failure, "policy"),
    (Status.INCONCLUSIVE, Level.BLOCK): (Failure, "inconclusive"),
    (Status.NOT_RUN, Level.BLOCK): (Error, "not_run"),
    **{(Status.ERROR, level): (Error, "error") for level in Level},
}


def test_each_status_at_each_level_has_its_element(tmp_path):
    loaded = runs.judged(tmp_path / "run", runs.every_status())
    cases = {case.name: case for suite in parsed(junit(loaded)) for case in suite}
    for finding in loaded.findings:
        decides = finding.decisive or finding.status is Status.ERROR
        expected = RED.get((finding.status, finding.level)) if decides else None
        results = cases[finding.check].result
        if finding.status is Status.PASS:
            assert results == []
        elif expected is None:
            assert [type(result) for result in results] == [Skipped], finding
            assert finding.message in results[0].message
        else:
            assert [(type(result), result.type) for result in results] == [expected], finding
            assert finding.message in results[0].message


@pytest.mark.parametrize(
    ("exit_code", "expected"),
    [(0, []), (1, [(Failure, "policy")]), (2, [(Error, "usage")]), (3, [(Failure, "inconclusive")]),
     (4, [(Error, "incomplete")]), (5, [(Error, "integrity")]), (99, [(Error, "exit_99")])],
)  # fmt: skip
def test_the_build_is_red_whenever_the_gate_does_not_pass(exit_code, expected, tmp_path):
    """Even where no finding says why, as after an expired waiver or with a required check that only warns."""
    passing = synthetic.check("performance.quality", "accuracy", status=Status.PASS, minimum=0.5)
    suites = {
        suite.name: suite for suite in parsed(junit(runs.judged(tmp_path / "run", [passing], exit_code=exit_code)))
    }
    (case,) = suites["gate"]
    assert [(type(result), result.type) for result in case.result] == expected
    assert suites["performance"].failures == suites["performance"].errors == 0


def test_an_unjudged_run_is_red(situation):
    content = parsed(junit(situation("unjudged")))
    assert content.errors == 1


def test_a_warning_does_not_fail_the_build(tmp_path):
    warned = synthetic.check("shift.gap", "gap", status=Status.FAIL, level=Level.WARN, message="Too wide.")
    content = parsed(junit(runs.judged(tmp_path / "run", [warned], exit_code=0)))
    assert (content.failures, content.errors, content.skipped) == (0, 0, 1)


def test_a_waiver_is_skipped_with_what_lies_beneath(tmp_path):
    cases = {case.name: case for suite in parsed(junit(runs.waived(tmp_path / "run"))) for case in suite}
    (result,) = cases["bias.groups.flip_rate"].result
    assert isinstance(result, Skipped)
    assert result.message.startswith("Waived (without the waiver: fail), blocking")


def test_counts_are_those_of_the_cases(situation):
    content = parsed(junit(situation("rich")))
    for suite in content:
        kinds = Counter(type(result) for case in suite for result in case.result)
        assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (
            len(list(suite)), kinds[Failure], kinds[Error], kinds[Skipped],
        )  # fmt: skip
    assert content.tests == sum(suite.tests for suite in content) == len(situation("rich").findings) + 1


def test_the_seconds_of_a_step_stand_once_and_the_sums_are_right(tmp_path):
    run = synthetic.rich(tmp_path / "run", perturbations=4)
    spent = {step.probe: 1.5 + i for i, step in enumerate(run.manifest().steps)}
    for step in run.manifest().steps:
        path = run.telemetry_path(step.step_id)
        path.write_text(json.dumps(json.loads(path.read_text()) | {"seconds": spent[step.probe]}), encoding="utf-8")
    loaded = load(run)
    content = junit(loaded)
    told = Counter()
    for case in ElementTree.fromstring(content).iter("testcase"):
        told[case.get("classname")] += float(case.get("time"))
    checked = {finding.probe for finding in loaded.findings}
    assert len(checked & set(spent)) > 3
    assert {probe: told[probe] for probe in spent} == pytest.approx(
        {probe: cost if probe in checked else 0 for probe, cost in spent.items()}
    )
    for suite in parsed(content):
        expected = sum(cost for probe, cost in spent.items() if probe.startswith(f"{suite.name}."))
        assert suite.time == pytest.approx(expected), suite.name
    assert parsed(content).time == pytest.approx(sum(spent.values()))


def test_a_step_without_a_check_counts_in_its_suite(situation):
    loaded = situation("explained")  # explanation.examples has no check
    (suite,) = [suite for suite in parsed(junit(loaded)) if suite.name == "explanation"]
    assert suite.time == pytest.approx(2 * 4.21)
    assert sum(case.time for case in suite) == pytest.approx(4.21)
