"""JUnit XML, as Jenkins, GitLab and most other CI systems read it: a suite for each risk, a case for each check.

The elements and attributes are those of the schema of Jenkins' xUnit plug-in (junit-10.xsd), which knows no properties
of a case; its numbers stand in `system-out`. A suite "gate" holds one case, the verdict: some things hold up a verdict
without being a finding of their own, such as an expired waiver, and a build must not be green then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from probes.core.findings import ExitCode, Finding, Status
from reports.formats.outcome import Outcome, blocks, described, numbers, outcome, verdict_name
from reports.formats.plain import line
from reports.load import Loaded

_NAME = 300
_GATE = "gate"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A test case; `kind` is the element that tells its result ("" for a pass)."""

    suite: str
    owner: str
    name: str
    kind: str = ""
    type: str = ""
    message: str = ""
    output: str = ""
    milliseconds: int = 0


def junit(loaded: Loaded) -> bytes:
    """The run as JUnit XML; failures and errors stand exactly where the gate does not pass."""
    result = outcome(loaded)
    spent = _milliseconds(loaded)
    suites: dict[str, list[_Case]] = {_GATE: [_verdict(result)]}
    for case in _cases(result, spent):
        suites.setdefault(case.suite, []).append(case)
    times = Counter({_GATE: 0})
    for (risk, _), cost in spent.items():
        suites.setdefault(line(risk, _NAME), [])
        times[line(risk, _NAME)] += cost
    root = Element("testsuites", name="responsible audit")
    _add_totals(root, [case for cases in suites.values() for case in cases], times.total())
    for name, cases in suites.items():
        suite = SubElement(root, "testsuite", name=name)
        _add_totals(suite, cases, times[name])
        suite.set("skipped", str(sum(case.kind == "skipped" for case in cases)))
        if name == _GATE:
            _add_properties(suite, loaded, result)
        for case in cases:
            _add_case(suite, case)
    ElementTree.indent(root, space=" ")
    text: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return text + b"\n"


def _milliseconds(loaded: Loaded) -> dict[tuple[str, str], int]:
    """(risk, probe) -> what its steps took; 0 for a step that was not run."""
    spent: dict[tuple[str, str], int] = {}
    for planned in loaded.manifest.steps:
        step = loaded.steps.get(planned.step_id)
        seconds = step.telemetry.seconds if step and step.telemetry else 0.0
        key = planned.risk, planned.probe
        spent[key] = spent.get(key, 0) + round(1_000 * seconds)
    return spent


def _cases(result: Outcome, spent: dict[tuple[str, str], int]) -> list[_Case]:
    """The checks in order; what a step took stands on the first case of its probe."""
    left = dict(spent)
    return [_case(item.finding, left.pop((item.finding.risk, item.finding.probe), 0)) for item in result.findings]


def _case(finding: Finding, milliseconds: int) -> _Case:
    kind, type_ = _result(finding)
    told = [line(finding.title, _NAME), *(f"{name}: {value}" for name, value in numbers(finding).items())]
    return _Case(
        suite=line(finding.risk, _NAME),
        owner=line(finding.probe, _NAME),
        name=line(finding.check, _NAME),
        kind=kind,
        type=type_,
        message=described(finding) if kind else "",
        output="\n".join(told),
        milliseconds=milliseconds,
    )


def _result(finding: Finding) -> tuple[str, str]:
    """Element and type. What only warns is skipped, with its message: red would stop the build, green would hide it."""
    status = finding.status
    if status is Status.PASS:
        return "", ""
    if status is Status.ERROR or (status is Status.NOT_RUN and blocks(finding)):
        return "error", status.value.lower()
    if blocks(finding) and status in (Status.FAIL, Status.INCONCLUSIVE):
        return "failure", "policy" if status is Status.FAIL else "inconclusive"
    return "skipped", status.value.lower()


def _verdict(result: Outcome) -> _Case:
    name = verdict_name(result.exit_code)
    kinds: dict[int | None, tuple[str, str]] = {
        ExitCode.PASSED: ("", ""),
        ExitCode.FAILED: ("failure", "policy"),
        ExitCode.INCONCLUSIVE: ("failure", "inconclusive"),
    }
    kind, type_ = kinds.get(result.exit_code, ("error", name))
    told = f"{result.word}: {result.sentence}"
    return _Case(
        suite=_GATE,
        owner=_GATE,
        name="verdict",
        kind=kind,
        type=type_,
        message=told if kind else "",
        output=f"{told}\n{result.totals}",
    )


def _add_properties(suite: Element, loaded: Loaded, result: Outcome) -> None:
    manifest, verdict = loaded.manifest, loaded.verdict
    facts = {
        "run": manifest.run_id,
        "model": manifest.model.name,
        "model_fingerprint": manifest.model.fingerprint,
        "data": manifest.data.name,
        "policy": verdict.policy_id if verdict else "",
        "policy_digest": verdict.policy_digest if verdict else manifest.policy_digest,
        "verdict": result.word,
        "counts": result.totals,
    }
    properties = SubElement(suite, "properties")
    for key, value in facts.items():
        SubElement(properties, "property", name=key, value=line(value, _NAME))


def _add_totals(element: Element, cases: Sequence[_Case], milliseconds: int) -> None:
    element.set("tests", str(len(cases)))
    element.set("failures", str(sum(case.kind == "failure" for case in cases)))
    element.set("errors", str(sum(case.kind == "error" for case in cases)))
    element.set("time", _seconds(milliseconds))


def _add_case(suite: Element, case: _Case) -> None:
    element = SubElement(suite, "testcase", classname=case.owner, name=case.name, time=_seconds(case.milliseconds))
    if case.kind:
        told = SubElement(element, case.kind, type=case.type, message=case.message)
        told.text = case.message
    SubElement(element, "system-out").text = case.output


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds // 1_000}.{milliseconds % 1_000:03d}"
