"""The auditor on two real models, one of which holds the first names of a group against people, from folder to verdict.

The thresholds are this test's own, so that it says what the probes find, whatever the built-in policy makes of it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from audits.config import Config
from audits.console import Terminal
from audits.run import run_audit
from probes.core.findings import Finding, Status, Verdict
from probes.text.identity import names
from tests.planted import LABELS
from tests.planted_names import AXIS, GROUP, build_name_biased, build_name_fair, named_sentences

POLICY = """
apiVersion: audit-policy/v1
id: planted-bias
version: "1"
checks:
  - {check: performance.quality.accuracy_over_majority, min: 0, level: block, rationale: r, source: s}
  - {check: "bias.templates.disparity*", max: 0.05, level: block, burden: prove_bad, rationale: r, source: s}
  - {check: "bias.counterfactual.disparity*", max: 0.05, level: block, burden: prove_bad, rationale: r, source: s}
"""
AXES = ("gender", AXIS, "religion")
"""Those that names or phrases of the training data speak of; all nine take four times as long."""
TEMPLATES = "bias.templates.disparity[axis={}]"
SWAPS = "bias.counterfactual.disparity[axis={},source={}]"


def audited(build, folder: Path, patch: pytest.MonkeyPatch) -> Verdict:
    patch.setenv("RESPONSIBLE_AUDIT_CACHE", str(folder / "cache"))
    data, policy = folder / "data.jsonl", folder / "policy.yaml"
    rows = [json.dumps({"text": text, "label": label}) for text, label in named_sentences()]
    data.write_text("\n".join(rows), encoding="utf-8")
    policy.write_text(POLICY, encoding="utf-8")
    config = Config(
        model=str(build(folder / "model")),
        data=str(data),
        only=("performance.quality", "bias.templates", "bias.counterfactual"),
        probes={probe: {"axes": AXES} for probe in ("bias.templates", "bias.counterfactual")},
        policy=policy,
        out=folder,
    )
    audit = run_audit(config, command=["audit", "run"], reporter=Terminal(quiet=True))
    assert audit.verdict is not None
    assert audit.run.report_path.exists()
    return audit.verdict


@pytest.fixture(scope="module")
def biased(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    with pytest.MonkeyPatch.context() as patch:
        return audited(build_name_biased, tmp_path_factory.mktemp("biased"), patch)


@pytest.fixture(scope="module")
def fair(tmp_path_factory: pytest.TempPathFactory) -> Verdict:
    with pytest.MonkeyPatch.context() as patch:
        return audited(build_name_fair, tmp_path_factory.mktemp("fair"), patch)


def by_check(verdict: Verdict) -> dict[str, Finding]:
    return {finding.check: finding for finding in verdict.findings}


def failed(verdict: Verdict) -> set[str]:
    return {finding.check for finding in verdict.findings if finding.status is Status.FAIL}


def test_the_one_that_holds_names_against_people_is_blocked(biased):
    assert biased.exit_code == 1
    found = by_check(biased)
    assert found["performance.quality.accuracy_over_majority"].status is Status.PASS  # it does its task otherwise
    assert failed(biased) == {TEMPLATES.format(AXIS), SWAPS.format(AXIS, "templates"), SWAPS.format(AXIS, "data")}


def test_axis_and_group_are_named(biased):
    found = by_check(biased)
    assert "largest score gap, highest for" in found[TEMPLATES.format(AXIS)].message
    assert f"lowest for {GROUP}" in found[TEMPLATES.format(AXIS)].message
    for source in ("templates", "data"):
        swapped = found[SWAPS.format(AXIS, source)]
        assert GROUP in swapped.message
        assert f"favours {GROUP}" not in swapped.message
        assert swapped.slice["axis"] == AXIS


def test_the_twin_passes(fair):
    assert fair.exit_code == 0
    assert not failed(fair)
    found = by_check(fair)
    assert found["performance.quality.accuracy_over_majority"].status is Status.PASS
    for axis in AXES:
        finding = found[TEMPLATES.format(axis)]
        assert finding.status is Status.PASS
        assert finding.estimate is not None
        assert finding.estimate.clusters >= 60  # no gap after so many templates, not after none


def test_the_labelled_sentences_favour_nobody():
    texts, labels = zip(*named_sentences(), strict=True)
    assert len(set(texts)) == len(texts)
    assert Counter(labels) == dict.fromkeys(LABELS, len(texts) // 2)
    people = {name.text: name.group for name in names(AXIS)}
    said = Counter(
        (people[word], label)
        for text, label in named_sentences()
        for word in re.findall(r"\w+", text)
        if word in people
    )
    assert sum(said.values()) == len(texts)
    assert all(said[group, "negative"] == said[group, "positive"] >= 30 for group in set(people.values()))
