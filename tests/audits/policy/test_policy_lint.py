"""What is refused about a policy that can be read, and what is worth a second look."""

from __future__ import annotations

import time
from datetime import date

import pytest

from audits.policy.lint import lint
from audits.policy.policy import parse_policy
from probes.core.errors import PolicyError
from probes.registry import load_registry

DAY = date(2026, 11, 29)
HEAD = 'apiVersion: audit-policy/v1\nid: mine\nversion: "1"\n'
SIGNED = "owner: me@x\napproved_by: you@x\napproved_on: 2026-11-02\n"


def entry(check, limit="max: 0.1", **keys):
    rows = {"level": "block", "rationale": "r", "source": "s", **keys}
    return f"  - check: '{check}'\n    {limit}\n" + "".join(f"    {key}: {value}\n" for key, value in rows.items())


def policy(*entries, keys=SIGNED):
    return parse_policy(HEAD + keys + "checks:\n" + "".join(entries), name="p.yaml")


@pytest.fixture(scope="module")
def probes():
    return list(load_registry().probes)


GOOD = entry("performance.quality.accuracy", "min: 0.8")


def remarks(rules, probes, on=DAY):
    return [str(remark) for remark in lint(rules, probes=probes, on=on)]


def test_a_signed_policy_of_named_checks_gives_no_remark(probes):
    assert remarks(policy(GOOD), probes) == []


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("", "nobody has approved"),
        ("owner: Me@x\napproved_by: me@x\napproved_on: 2026-11-02\n", "alone"),
        ("approved_by: you@x\n", "no date"),
        (SIGNED.replace("2026-11-02", "2027-01-02"), "future"),
        (SIGNED + "expires: 2026-12-05\n", "expires on 2026-12-05"),
    ],
)
def test_remarks_on_the_approval(keys, says, probes):
    assert any(says in remark for remark in remarks(policy(GOOD, keys=keys), probes))


@pytest.mark.parametrize(
    ("check", "limit", "keys", "says"),
    [
        ("performance.quality.accuracy", "min: 0", {}, "asks for nothing: 0 is the end"),
        ("robustness.upper_case.flip_rate[severity=2]", "max: 1", {}, "asks for nothing: 1 is"),
        ("performance.quality.accuracy_over_majority", "min: -1", {}, "asks for nothing: -1 is"),
        ("robustness.upper_case.accuracy_drop[severity=2]", "max: 1.0", {}, "asks for nothing: 1 is"),
        ("performance.quality.accuracy", "min: 0.8", {"alpha": 0.2}, "has alpha 0.2"),
    ],
)
def test_remarks_on_checks_that_ask_for_little(check, limit, keys, says, probes):
    (remark,) = remarks(policy(entry(check, limit, **keys)), probes)
    assert says in remark
    assert remark.startswith("p.yaml, line 8: ")


@pytest.mark.parametrize(
    ("check", "limit", "keys"),
    [
        ("performance.quality.accuracy_over_majority", "min: 0", {}),
        ("robustness.upper_case.flip_rate[severity=2]", "max: 0", {}),
        ("performance.quality.mcc", "min: 0", {}),
        ("performance.quality.accuracy", "min: 0.8", {"alpha": 0.1}),
        ("performance.quality.accuracy", "min: 0", {"level": "off", "alpha": 0.5}),
    ],
)
def test_a_limit_within_the_range_gives_no_remark(check, limit, keys, probes):
    assert remarks(policy(entry(check, limit, **keys)), probes) == []


def test_a_check_may_be_approved_by_itself(probes):
    signed = entry("performance.quality.accuracy", "min: 0.8", approver="you@x", approved_on="2026-11-02")
    assert remarks(policy(signed, keys=""), probes) == []
    undated = entry("performance.quality.accuracy", "min: 0.8", approver="you@x")
    assert remarks(policy(undated, keys=""), probes) == [
        "p.yaml, line 5: the approval of performance.quality.accuracy has no date: add approved_on"
    ]


def test_what_only_warns_needs_no_approval(probes):
    assert remarks(policy(entry("performance.quality.accuracy", "min: 0.8", level="warn"), keys=""), probes) == []


@pytest.mark.parametrize(
    ("check", "remarked"),
    [
        ("robustness.*.flip_rate[severity=2]", True),
        ("robustness.upper_case.flip_rate*", True),
        ("performance.calibration.*", True),
        ("robustness.upper_case.flip_rate[severity=*]", False),
        ("robustness.upper_case.flip_rate", False),
    ],
)
def test_a_wildcard_that_blocks_unforeseen_numbers_is_remarked(check, remarked, probes):
    found = remarks(policy(entry(check)), probes)
    assert bool(found) is remarked
    assert all("wildcard" in remark and "line 8" in remark for remark in found)
    assert not remarks(policy(entry(check, level="warn")), probes)


def test_a_check_that_never_decides_is_remarked_with_the_line_of_the_one_that_does(probes):
    found = remarks(policy(GOOD, entry("performance.quality.accuracy", "min: 0.9")), probes)
    assert found == ["p.yaml, line 8: performance.quality.accuracy never decides: the check on line 13 does"]


def test_a_wildcard_for_own_numbers_replaces_no_check_about_a_baseline(probes):
    compared = entry("performance.quality.accuracy_vs_baseline", "min: -0.01")
    rules = policy(compared, entry("performance.quality.*", level="off"))
    assert remarks(rules, probes) == []
    assert [check.check for check in rules.effective] == [
        "performance.quality.accuracy_vs_baseline", "performance.quality.*",
    ]  # fmt: skip
    assert len(remarks(policy(compared, entry("performance.quality.*_vs_baseline", level="off")), probes)) == 1


def test_replacing_what_is_extended_is_what_an_extension_is_for(probes):
    rules = policy(
        entry("performance.quality.balanced_accuracy_over_chance", "min: 0.1"), keys=SIGNED + "extends: default\n"
    )
    assert remarks(rules, probes) == []


def test_a_family_larger_than_the_bounds_can_correct_for_is_remarked(probes):
    def rules(**keys):
        return policy(entry("robustness.*.flip_rate[severity=*]", level="warn", burden="prove_bad", **keys))

    (remark,) = remarks(rules(family="all", alpha="0.025"), probes)
    others = {
        f"robustness.{name}"
        for name in ("worst_case", "format", "few_shot_order", "adversarial", "adversarial_prompts")
    }
    perturbed = sum(probe.startswith("robustness.") and probe not in others for probe in probes)
    assert f"at least {perturbed} checks" in remark
    assert "no more than 25" in remark
    assert remarks(rules(family="all", alpha="0.1"), probes) == []
    assert remarks(rules(alpha="0.025"), probes) == []  # each probe is a family of its own


def test_an_expired_policy_is_refused_from_the_day_after(probes):
    rules = policy(GOOD, keys=SIGNED + "expires: 2026-11-29\n")
    lint(rules, probes=probes, on=DAY)
    with pytest.raises(PolicyError, match="expired on 2026-11-29"):
        lint(rules, probes=probes, on=date(2026, 11, 30))


def test_expiry_before_approval_is_a_mistake():
    with pytest.raises(PolicyError, match="expired before"):
        policy(GOOD, keys=SIGNED + "expires: 2026-11-01\n")


@pytest.mark.parametrize(
    ("check", "says", "hint"),
    [
        ("performance.qualty.accuracy", "matches no probe", "performance.quality"),
        ("performance.quality.acuracy", "matches no measurement", "accuracy"),
        ("performance.quality.flip_rate", "matches no measurement", "known names"),
        ("robustness.*.flip_rte[severity=2]", "matches no measurement", "flip_rate"),
        ("performance.quality.f2[label=*]", "matches no measurement", "f1"),
        ("performance.quality.accuracy_vs_basline", "matches no measurement", "accuracy_vs_baseline"),
    ],
)
def test_what_cannot_exist_is_refused_with_line_and_closest_name(check, says, hint, probes):
    with pytest.raises(PolicyError) as caught:
        lint(policy(GOOD, entry(check)), probes=probes, on=DAY)
    assert says in caught.value.message
    assert "p.yaml, line 13" in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("check", "limit"),
    [
        ("toxicity.hatecheck.balanced_accuracy", "min: 0.1"),
        ("performance.metric_mine.whatever", "max: 1000"),
        ("robustness.upper_case.flip*severity=2]", "max: 0.1"),
        ("performance.quality.absolute_error_vs_baseline", "max: 3"),
        ("robustness.upper_case.accuracy_vs_baseline[severity=2]", "min: -0.1"),
        ("*.*.accuracy", "min: 0.1"),
        ("mine.probe.anything[of=it]", "max: 0.1"),
    ],
)
def test_what_may_exist_is_accepted(check, limit, probes):
    lint(policy(entry(check, limit, level="warn")), probes=[*probes, "mine.probe"], on=DAY)


def test_many_checks_take_no_longer_each(probes):
    """Ten times the checks may not take a hundred times as long, whether they are named, alike or patterns."""

    def seconds(entries):
        start = time.perf_counter()
        lint(policy(*entries), probes=probes, on=DAY)
        return time.perf_counter() - start

    for form in ("attribute={}", "axis=*,pair={},source=*", "attribute=*"):
        probe = "bias.counterfactual.disparity" if "axis" in form else "bias.groups.accuracy_difference"
        keys = {"burden": "prove_bad", "family": "all"}
        few, many = ([entry(f"{probe}[{form.format(i)}]", **keys) for i in range(n)] for n in (300, 3_000))
        seconds(few)
        assert seconds(many) < 30 * seconds(few)
