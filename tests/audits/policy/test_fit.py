"""Checks that cannot be meant are refused before anything is measured: side, scale, names and parts of the data."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audits.policy.checks import Check
from audits.policy.coverage import Coverage, effective
from audits.policy.fit import before_a_run, require_fit, require_fit_to_run
from audits.policy.policy import load_policy, parse_policy
from audits.policy.presets import PRESETS, preset_path
from audits.policy.slices import malformed, unknown
from probes.core.answers import ProblemType
from probes.core.errors import PolicyError
from probes.core.records import StepEnd, to_line
from probes.core.run_folder import RunFolder
from probes.registry import load_registry
from tests.audits.gate.test_gate import manifest, measured, step
from tests.audits.policy.test_policy_lint import HEAD, entry

PROBES = list(load_registry().probes)


def policy(*entries):
    return parse_policy(HEAD + "checks:\n" + "".join(entries), name="p.yaml")


def fit(*entries, probes=()):
    rules = policy(*entries)
    require_fit(rules, [*before_a_run(rules, PROBES), *probes])


def refused(*entries, line=5, probes=()):
    with pytest.raises(PolicyError) as caught:
        fit(*entries, probes=probes)
    assert f"p.yaml, line {line}:" in caught.value.message
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("check", "limit", "instead"),
    [
        ("performance.quality.accuracy", "max: 0.8", "min"),
        ("performance.quality.accuracy[group=*]", "max: 0.8", "min"),
        ("robustness.keyboard_typos.flip_rate[severity=2]", "min: 0.1", "max"),
        ("robustness.*.flip_rate", "min: 0.1", "call"),
        ("performance.quality.rmse", "min: 3", "max"),
        ("bias.groups.impact_ratio[attribute=*]", "max: 0.8", "min"),
        ("performance.quality.accuracy_vs_baseline", "max: 0.01", "min"),
        ("robustness.upper_case.changed_vs_baseline", "min: 0.01", "max"),
    ],
)  # fmt: skip
def test_the_wrong_side_of_a_number_is_refused(check, limit, instead):
    error = refused(entry(check, limit))
    assert "limits the wrong side" in error.message
    assert instead == "call" or f"give it {instead} instead" in error.hint


@pytest.mark.parametrize(
    ("check", "limit"),
    [
        ("performance.quality.accuracy", "min: 80"),
        ("performance.quality.accuracy", "min: -0.1"),
        ("robustness.*.accuracy_drop[severity=2]", "max: 5"),
        ("performance.quality.accuracy_vs_baseline", "min: -2"),
        ("shift.distance.classifier_auc[domain=*]", "max: 75"),
    ],
)
def test_a_limit_off_the_scale_is_refused(check, limit):
    error = refused(entry(check, limit))
    assert "asks for" in error.message
    assert "0.9" in error.hint


@pytest.mark.parametrize(
    ("check", "limit"),
    [
        ("performance.quality.accuracy", "min: 1"),
        ("performance.quality.rmse", "max: 80"),
        ("performance.quality.majority_baseline", "max: 0.9"),  # neither direction is good
        ("explanation.reliance.flip_rate[category=*]", "min: 0"),
        ("explanation.faithfulness.comprehensiveness[ranking=random]", "max: 0.1"),  # good in one part only
        ("robustness.upper_case.accuracy_drop", "max: -0.1"),
    ],
)  # fmt: skip
def test_what_can_be_meant_is_left_alone(check, limit):
    fit(entry(check, limit))


def test_a_wildcard_is_refused_for_one_number_unless_a_later_check_decides_about_it():
    wide = entry("robustness.upper_case.*", "max: 0.1", level="warn")
    error = refused(wide)
    assert "robustness.upper_case.accuracy is better when higher" in error.message
    assert "below" in error.hint
    own = [entry(f"robustness.upper_case.{name}", "min: 0.5") for name in ("accuracy", "f1")]
    fit(wide, *own)
    refused(wide, own[0])
    refused(*own, wide, line=15)
    fit(wide, entry("robustness.upper_case.*", level="off"))


def test_a_wildcard_for_some_heads_is_left_alone_while_it_may_be_right():
    """`accuracy` is not published for scores."""
    fit(entry("robustness.upper_case.*", "max: 0.1", problems="[regression]"))
    refused(entry("robustness.upper_case.flip*", "min: 0.1", problems="[regression]"))


def test_a_later_check_for_some_heads_decides_only_about_those():
    wide, own = entry("performance.quality.accuracy", "max: 0.1"), entry("performance.quality.*", level="off")
    fit(wide, own)
    some = [entry("performance.quality.*", level="off", problems=f"[{kind.value}]") for kind in ProblemType]
    refused(wide, *some)


def test_what_a_plug_in_publishes_is_not_known():
    fit(entry("mine.probe.accuracy[of=x]", "max: 80"), probes=["mine.probe"])
    refused(entry("*.*.accuracy", "max: 0.1"), probes=["mine.probe"])  # ours is known all the same


@pytest.mark.parametrize(
    ("part", "says", "hint"),
    [
        ("[severity=2", "not closed", "name[key=value]"),
        ("[]", "nothing in the brackets", "name[key=value]"),
        ("severity=2]", "not opened", "name[key=value]"),
        ("[severity]", "key=value", "name[key=value]"),
        ("[severity=]", "key=value", "name[key=value]"),
        ("[=2]", "key=value", "name[key=value]"),
        ("[severty=2]", "no part of it is called 'severty'", "severity"),
        ("[group=a]", "no part of it is called 'group'", "severity"),
    ],
)
def test_a_slice_that_matches_nothing_is_refused(part, says, hint):
    error = refused(entry(f"robustness.upper_case.flip_rate{part}"))
    assert says in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    ("check", "says"),
    [
        ("bias.counterfactual.disparity[axis=*,sorce=data]", "'sorce'"),
        ("bias.counterfactual.disparity[source=data,axis=*]", "in the order axis, source"),
        ("performance.calibration.ece_debiased[label=x]", "not measured in parts"),
        ("robustness.*.flip_rate[severty=2]", "'severty'"),
    ],
)
def test_keys_that_no_number_has_are_refused(check, says):
    assert says in refused(entry(check)).message


@pytest.mark.parametrize(
    "check",
    [
        "performance.quality.f1[label=a,b=c]",
        "performance.quality.accuracy[group=channel=e-mail]",
        "performance.quality.f1[label=v1.2 [new]]",
        "performance.quality.f1[*]",
        "performance.quality.f1[*=x]",
        "bias.groups.impact_ratio[attribute=*",
        "bias.slices.error_gap[slice=length=long, words=x]",
    ],
)
def test_values_may_hold_what_means_something_elsewhere(check):
    fit(entry(check, "min: 0" if "error" not in check else "max: 0.1"))


@given(st.dictionaries(st.sampled_from(["label", "group", "axis"]), st.text(min_size=1), min_size=1))
@example({"label": "\n"})
def test_no_key_that_a_number_can_have_is_refused(part):
    from probes.core.records import measurement_key

    key = measurement_key("f1", part)
    if any(value.endswith("=") for value in part.values()):
        return
    assert malformed(key) == ""
    found = unknown(key, ["label", "group", "axis"])
    assert found is None or any("=" in value for value in part.values())


@pytest.mark.parametrize("preset", PRESETS)
def test_the_presets_fit(preset):
    rules = load_policy(preset_path(preset))
    require_fit(rules, before_a_run(rules, PROBES))


@pytest.mark.parametrize("probes", [PROBES, ["performance.quality"]], ids=["before a run", "beside a run"])
def test_what_only_some_runs_ask_for_exists_and_its_numbers_are_known(probes):
    def at(check, limit):
        require_fit(policy(entry(check, limit)), probes)

    at("bias.crows_pairs.stereotype_share[category=age]", "max: 0.6")
    at("toxicity.hatecheck.recall", "min: 0.6")
    with pytest.raises(PolicyError, match="limits the wrong side"):
        at("bias.stereoset.icat[task=*]", "max: 0.6")
    with pytest.raises(PolicyError, match="asks for 60"):
        at("bias.wino_bias.stereotype_share", "max: 60")
    with pytest.raises(PolicyError, match="matches no measurement"):
        at("bias.winogender.stereotyped", "max: 0.6")
    with pytest.raises(PolicyError, match="category"):
        at("bias.winogender.stereotype_share[category=*]", "max: 0.6")


def run_of(path, *records):
    """A run of a built-in perturbation."""
    folder, planned = RunFolder(path), step("robustness.upper_case")
    folder.step_path("x").parent.mkdir(parents=True)
    folder.manifest_path.write_text(manifest([planned]).model_dump_json(), encoding="utf-8")
    end = StepEnd(status="done", records=len(records), items=0)
    lines = [to_line(each) for each in (*records, end)]
    folder.step_path(planned.step_id).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_beside_a_run_its_own_numbers_count_as_well(tmp_path):
    old = measured("flip_rate", value=0.01, half=0.001).model_copy(update={"name": "gone_since"})
    rules = policy(entry("robustness.upper_case.gone_since"))
    require_fit_to_run(rules, run_of(tmp_path / "old", old))
    with pytest.raises(PolicyError, match="matches no measurement"):
        require_fit_to_run(rules, run_of(tmp_path / "new"))
    assert json.loads((tmp_path / "old" / "manifest.json").read_text(encoding="utf-8"))["steps"]


WORDS = st.sampled_from(["a", "b", "*", "a*", "*b", "a*b", "b_vs_baseline"])
NAMES = st.builds("{}.{}.{}[{}={}]".format, WORDS, WORDS, WORDS, WORDS, WORDS) | st.builds(
    "{}.{}.{}".format, WORDS, WORDS, WORDS
)
CHECKS = st.builds(
    lambda name, problems: Check.model_validate(
        {"check": name, "max": 0.1, "level": "warn", "rationale": "r", "source": "s", "problems": problems}
    ),
    NAMES,
    st.sets(st.sampled_from(sorted(ProblemType)), min_size=1),
)


@given(st.lists(CHECKS, max_size=12))
def test_looking_up_by_words_finds_what_trying_each_finds(checks):
    coverage = Coverage(checks)
    for row, check in enumerate(checks):
        later = [place for place in range(row + 1, len(checks)) if checks[place].covers(check)]
        assert coverage.replaced_by(row) == (later[-1] if later else None)
    kept = tuple(c for row, c in enumerate(checks) if not any(each.covers(c) for each in checks[row + 1 :]))
    assert effective(checks) == kept
