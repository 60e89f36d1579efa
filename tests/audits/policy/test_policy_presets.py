"""The policies that come with the package: what each promises, and that an editor's schema accepts them."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from audits.policy.file import json_schema
from audits.policy.lint import lint
from audits.policy.policy import load_policy, parse_policy
from audits.policy.presets import PRESETS, preset_path
from probes.core.answers import SEQUENCE_HEADS, ProblemType
from probes.core.findings import Burden, Level
from probes.registry import load_registry

SCHEMA = Path(__file__).resolve().parents[3] / "docs" / "schema" / "audit-policy.schema.json"
GOOD = """\
apiVersion: audit-policy/v1
id: mine
version: "1"
checks:
  - {check: a.b.c, max: 0.1, level: block, rationale: r, source: s}
"""


@cache
def preset(name):
    return parse_policy(preset_path(name).read_text(encoding="utf-8"), name=name)


@pytest.fixture(params=PRESETS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def probes():
    return list(load_registry().probes)


def complaints(text):
    content = YAML(typ="safe").load(text)
    plain = json.loads(json.dumps(content, default=str))
    return [error.message for error in Draft202012Validator(json.loads(SCHEMA.read_text())).iter_errors(plain)]


def test_every_file_is_a_preset_and_every_preset_a_file():
    assert {path.stem for path in preset_path("default").parent.glob("*.yaml")} == set(PRESETS)


def test_preset_is_in_order_but_for_an_approval_that_only_its_user_can_give(name, probes):
    for remark in lint(preset(name), probes=probes, on=date(2026, 11, 29)):
        assert remark.message.startswith("nobody has approved")


def test_every_threshold_has_its_reason(name):
    for check in preset(name).checks:
        assert len(check.rationale) > 20
        assert check.source


@pytest.mark.parametrize("problem", ProblemType)
def test_screening_neither_blocks_nor_requires(problem):
    checks = preset("screening").active(problem)
    assert checks
    assert not any(check.level is Level.BLOCK or check.required for check in checks)


def test_screening_judges_what_default_judges(probes):
    default, screening = preset("default"), preset("screening")
    for check in default.effective:
        assert any(other.covers(check) for other in screening.checks)


@pytest.mark.parametrize(("stricter", "than"), [("release", "default"), ("regulated", "release")])
@pytest.mark.parametrize("problem", ProblemType)
def test_what_blocks_in_one_blocks_in_the_stricter_one(stricter, than, problem):
    for check in preset(than).active(problem):
        if check.level is Level.BLOCK:
            decides = preset(stricter).deciding(check.probe, check.key, problem)
            assert decides.level is Level.BLOCK
            assert decides.burden is check.burden or decides.burden is Burden.PROVE_GOOD
            assert (decides.minimum, decides.maximum) == (check.minimum, check.maximum)
            assert decides.max_mde or not check.max_mde


@pytest.mark.parametrize("problem", sorted(SEQUENCE_HEADS))  # comparisons publish no number of a tagger yet
def test_every_preset_asks_about_the_change_since_a_baseline(name, problem):
    asked = [check for check in preset(name).active(problem) if check.needs_baseline]
    expected = "absolute_error_vs_baseline" if problem is ProblemType.REGRESSION else "accuracy_vs_baseline"
    assert [check.key for check in asked] == [expected]
    level = Level.BLOCK if name in ("release", "regulated") else Level.WARN
    assert asked[0].level is level
    assert not asked[0].required


def test_regulated_proves_what_it_blocks_by_where_that_can_be_proved():
    policy = preset("regulated")
    blocking = [check for check in policy.effective if check.level is Level.BLOCK]
    alarms = [check for check in blocking if check.burden is Burden.PROVE_BAD]
    assert len(alarms) < len(blocking) / 5
    assert policy.max_waiver_days == 30
    assert policy.non_waivable


def test_published_schema_is_current():
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json.loads(json.dumps(json_schema()))


def test_schema_is_one_and_explains_every_key():
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    for model in (schema, schema["$defs"]["Check"]):
        assert all(key.get("description") for key in model["properties"].values())


def test_schema_accepts_presets(name):
    assert complaints(preset_path(name).read_text(encoding="utf-8")) == []
    assert complaints(preset(name).text) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max: 0.1", "max: much"),
        ("max: 0.1, ", ""),
        ("max: 0.1", "max: 0.1, min: 0"),
        ("max: 0.1", "maxx: 0.1"),
        ("level: block", "level: stop"),
        ("a.b.c", "accuracy"),
        ("rationale: r", 'rationale: ""'),
        ("id: mine", "id: mine\nmax_waiver_days: 91"),
        ("id: mine", "id: mine\nowners: me"),
        ("audit-policy/v1", "audit-policy/v2"),
    ],
)
def test_schema_refuses_what_the_reader_refuses(old, new):
    assert complaints(GOOD) == []
    parse_policy(GOOD, name="x")
    broken = GOOD.replace(old, new, 1)
    assert complaints(broken)
    with pytest.raises(Exception, match="x, line"):
        parse_policy(broken, name="x")


def test_schema_lets_a_measurement_be_taken_out_without_a_limit():
    assert complaints(GOOD.replace("max: 0.1, level: block", "level: off")) == []


def test_the_default_is_what_is_used_when_none_is_named():
    assert load_policy(None).digest == preset("default").digest
