"""Reading policies: what is refused, with line numbers, and what a policy means."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.policy.policy import DEFAULT, Check, frozen_policy, load_policy, parse_policy
from probes.core.answers import ProblemType
from probes.core.errors import IntegrityError, PolicyError
from probes.core.findings import Burden, Level
from probes.registry import load_registry

GOOD = """\
apiVersion: audit-policy/v1
id: mine
version: "2"
checks:
  - check: robustness.*.flip_rate[severity=2]
    max: 0.05
    level: block
    rationale: because
    source: policy choice
"""


def check(text, **changes):
    values = {"check": text, "max": 0.1, "level": "warn", "rationale": "r", "source": "s", **changes}
    return Check.model_validate(values)


def refused(text):
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, name="p.yaml")
    assert caught.value.hint
    assert "\n" not in caught.value.message
    return caught.value


def test_defaults_are_the_strict_ones():
    (only,) = parse_policy(GOOD, name="p.yaml").checks
    assert (only.maximum, only.minimum, only.level) == (0.05, None, Level.BLOCK)
    assert (only.burden, only.alpha, only.required) == (Burden.PROVE_GOOD, 0.05, False)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("    max: 0.05\n", "    max: 0.05\n    max: 0.5\n", 7, "duplicate"),
        ("    max: 0.05\n", "    maxx: 0.05\n", 6, "unknown key"),
        ("id: mine\n", "id: mine\nchek: 1\n", 3, "unknown key"),
        ("level: block", "level: stop", 7, "level"),
        ("max: 0.05", "max: much", 6, "max"),
        ("max: 0.05", "max: .nan", 6, "max"),
        ("max: 0.05", "max: true", 6, "max"),
        ("max: 0.05", 'max: "0.05"', 6, "max"),
        ("because", '" "', 8, "visible"),
        ("because", '"\\u200b"', 8, "visible"),
        ("source: policy choice", 'source: "\\t\\u2060"', 9, "visible"),
        ("id: mine", 'id: "\\u200b"', 2, "visible"),
        ("id: mine", 'id: "mi\\nne"', 2, "U+000A"),
        ('version: "2"', 'version: "2\\e[31m"', 3, "U+001B"),
        ("id: mine", f"id: {'x' * 101}", 2, "100"),
        ('version: "2"', f"version: {'x' * 101}", 3, "100"),
        ("level: block", 'level: block\n    alpha: "0.05"', 8, "alpha"),
        ("level: block", "level: block\n    minimum_n: true", 8, "minimum_n"),
        ("level: block", 'level: block\n    minimum_n: "30"', 8, "minimum_n"),
        ("level: block", "level: block\n    max_mde: yes", 8, "max_mde"),
        ("level: block", "level: block\n    required: yes", 8, "required"),
        ("max: 0.05", "max: .inf", 6, "max"),
        ("    max: 0.05\n", "", 5, "either min or max"),
        ("    max: 0.05\n", "    max: 0.05\n    min: 0.1\n", 5, "either min or max"),
        ("    rationale: because\n", "", 5, "rationale"),
        ("    source: policy choice\n", "", 5, "source"),
        ("rationale: because", 'rationale: ""', 8, "rationale"),
        ("level: block", "level: block\n    alpha: 0.0001", 8, "alpha"),
        ("robustness.*.flip_rate[severity=2]", "flip_rate", 5, "risk.probe.measurement"),
        ("audit-policy/v1", "audit-policy/v9", 1, "apiVersion"),
        ("id: mine", "id: [mine", 3, "p.yaml"),
        ("    rationale: because\n", "    ratonale: because\n", 8, "unknown key"),
        ("id: mine", "id: mine\nmax_waiver_days: 91", 3, "max_waiver_days"),
        ("id: mine", "id: mine\nmax_waiver_days: 0", 3, "max_waiver_days"),
        ("id: mine", "id: mine\nexpires: soon", 3, "expires"),
        ("id: mine", "id: mine\nexpires: 2027-01-01\napproved_on: 2027-01-02", 1, "expired before"),
        ("level: block", "level: block\n    max_mde: 0", 8, "max_mde"),
        ("level: block", "level: block\n    max_mde: .inf", 8, "max_mde"),
        ("level: block", 'level: block\n    approver: ""', 8, "approver"),
    ],
)
def test_mistakes_are_named_with_their_line(old, new, line, says):
    error = refused(GOOD.replace(old, new, 1))
    assert f"line {line}" in error.message
    assert says in error.message


@pytest.mark.parametrize(
    ("old", "new"), [("max:", "maxx:"), ("rationale:", "ratonale:"), ("version:", "versoin:"), ("level:", "levl:")]
)
def test_close_key_is_suggested(old, new):
    """Also of a key that is missing because of the mistake."""
    assert old.removesuffix(":") in refused(GOOD.replace(old, new)).hint


@pytest.mark.parametrize("text", ["", "- 1\n", "just text\n", "apiVersion: audit-policy/v1\nid: a\nversion: b\n"])
def test_not_a_policy(text):
    refused(text)


def test_tags_build_no_objects():
    refused(GOOD.replace("id: mine", "id: !!python/object/apply:os.system ['true']"))


def test_an_empty_file_names_the_page_with_an_example():
    assert refused("").hint == "see docs/gate.md for an example file"


def test_a_name_of_a_hundred_characters_is_not_too_long():
    assert parse_policy(GOOD.replace("mine", "x" * 100), name="p.yaml").file.id == "x" * 100


def test_empty_list_of_checks_is_refused():
    refused(GOOD.split("checks:")[0] + "checks: []\n")


def test_off_needs_no_threshold_and_yaml_12_does_not_read_it_as_false():
    text = GOOD.replace("    max: 0.05\n", "").replace("level: block", "level: off")
    assert parse_policy(text, name="p").checks[0].level is Level.OFF


def test_missing_and_unreadable_files(tmp_path):
    for path, content in ((tmp_path / "no.yaml", None), (tmp_path / "latin.yaml", b"id: \xff"), (tmp_path, None)):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(PolicyError) as caught:
            load_policy(path)
        assert str(path) in caught.value.message


def test_text_is_kept_and_digest_ignores_layout(tmp_path):
    path = tmp_path / "p.yaml"
    path.write_text(GOOD, encoding="utf-8")
    policy = load_policy(path)
    assert policy.text == GOOD
    assert policy.digest == parse_policy("# why\n" + GOOD.replace("max: 0.05", "max:   5.0e-2"), name="x").digest
    assert policy.digest != parse_policy(GOOD.replace("0.05", "0.06"), name="x").digest
    assert policy.digest != parse_policy(GOOD.replace("because", "why not"), name="x").digest


def test_digest_of_a_policy_stays_as_it_is_when_keys_are_added_to_the_format():
    """Runs are checked against the digest they were frozen with, also by later versions."""
    assert parse_policy(GOOD, name="x").digest == "c731dcf0c8ad2fe39d6674357760f5cb06cc9d8d2f6e11069c1f28bad3c2ce30"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id: mine", "id: mine\nowner: me"),
        ("id: mine", "id: mine\napproved_by: you"),
        ("id: mine", "id: mine\nexpires: 2027-05-01"),
        ("id: mine", "id: mine\nmax_waiver_days: 30"),
        ("id: mine", "id: mine\nnon_waivable: [a.*]"),
        ("level: block", "level: block\n    max_mde: 0.05"),
        ("level: block", "level: block\n    approver: you"),
        ("level: block", "level: block\n    approved_on: 2026-11-02"),
    ],
)
def test_everything_a_policy_says_counts_in_its_digest(old, new):
    assert parse_policy(GOOD.replace(old, new, 1), name="x").digest != parse_policy(GOOD, name="x").digest


def test_saying_what_is_so_by_default_changes_no_digest():
    text = GOOD.replace("id: mine", 'id: mine\ntitle: ""\nmax_waiver_days: 90').replace(
        "level: block", "level: block\n    alpha: 0.05\n    required: false"
    )
    assert parse_policy(text, name="x").digest == parse_policy(GOOD, name="x").digest


def test_digest_does_not_depend_on_the_order_of_a_set():
    text = GOOD + "    problems: [{}]\n"
    kinds = [kind.value for kind in ProblemType]
    assert (
        parse_policy(text.format(", ".join(kinds)), name="x").digest
        == parse_policy(text.format(", ".join(kinds[::-1])), name="x").digest
        == parse_policy(GOOD, name="x").digest
    )


class _Frozen:
    """The fields of a manifest that matter here."""

    def __init__(self, policy, digest, path=None):
        self.policy, self.policy_digest, self.config = policy, digest, {"policy": path}


def test_frozen_policy_is_checked_against_its_digest():
    policy = parse_policy(GOOD, name="x")
    assert frozen_policy(_Frozen(GOOD, policy.digest)).checks == policy.checks
    for text in (GOOD.replace("0.05", "0.5"), "nonsense"):
        with pytest.raises(IntegrityError):
            frozen_policy(_Frozen(text, policy.digest))


@pytest.mark.parametrize(
    ("pattern", "probe", "key", "matches"),
    [
        ("robustness.typos.flip_rate", "robustness.typos", "flip_rate", True),
        ("robustness.*.flip_rate", "robustness.typos", "flip_rate", True),
        ("robustness.*.flip_rate", "robustness.typos", "flip_rate[severity=2]", False),
        ("robustness.*.flip_rate*", "robustness.typos", "flip_rate[severity=2]", True),
        ("robustness.*.flip_rate[severity=2]", "robustness.typos", "flip_rate[severity=2]", True),
        ("robustness.*.flip_rate[severity=2]", "robustness.typos", "flip_rates", False),
        ("robustness.*.flip_rate[severity=?]", "robustness.typos", "flip_rate[severity=2]", False),
        ("performance.quality.f1[label=*]", "performance.quality", "f1[label=v1.2 (new)]", True),
        ("performance.quality.f1[label=v1.2]", "performance.quality", "f1[label=v1x2]", False),
        ("*.*.*", "performance.quality", "f1[label=a\nb]", True),
        ("*.flip_rate.x", "robustness.typos", "flip_rate", False),
        ("robust*.typos.flip_rate", "robustness.typos", "flip_rate", True),
    ],
)
def test_only_the_star_is_a_wildcard(pattern, probe, key, matches):
    assert check(pattern).matches(probe, key) is matches


@given(st.text(min_size=1).filter(lambda text: "*" not in text))
def test_a_key_without_a_star_matches_itself_and_nothing_longer(key):
    exact = check("a.b." + key)
    assert exact.matches("a.b", key)
    assert not exact.matches("a.b", key + "x")


def test_active_leaves_out_what_later_checks_replace_as_a_whole():
    text = GOOD + GOOD.split("checks:\n")[1].replace("robustness.*", "robustness.typos")
    policy = parse_policy(text + GOOD.split("checks:\n")[1].replace("flip_rate[severity=2]", "*"), name="x")
    assert [c.check for c in policy.active(ProblemType.REGRESSION)] == ["robustness.*.*"]


def test_unknown_probe_gets_the_closest_name():
    policy = parse_policy(GOOD.replace("robustness.*", "robustness.tipos"), name="p.yaml")
    with pytest.raises(PolicyError) as caught:
        policy.require_known(["robustness.typos", "performance.quality"])
    assert "robustness.typos" in caught.value.hint
    assert "p.yaml, line 5" in caught.value.message


@pytest.mark.parametrize(
    ("path", "told"),
    [("p.yaml", "p.yaml"), ("./ci/../p.yaml", "p.yaml"), ("{here}/p.yaml", "p.yaml"), ("{here}/../p.yaml", "")],
)
def test_the_file_is_named_from_where_the_command_was_given(path, told, tmp_path, monkeypatch):
    (tmp_path / "here" / "ci").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")
    path = Path(path.format(here=tmp_path / "here"))
    path.write_text(GOOD, encoding="utf-8")
    policy = load_policy(path)
    assert policy.path == told
    assert frozen_policy(_Frozen(GOOD, policy.digest, str(path))).path == told


def test_where_lines_are_not_those_of_the_file_none_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(GOOD.replace("checks:", "extends: default\nchecks:"), encoding="utf-8")
    extended = load_policy(Path("p.yaml"))
    assert extended.path == load_policy(None).path == load_policy(Path("release")).path == ""
    assert frozen_policy(_Frozen(extended.text, extended.digest, "p.yaml")).path == ""


def test_expires_counts_to_its_end():
    policy = parse_policy(GOOD.replace("id: mine", "id: mine\nexpires: 2027-05-01"), name="p.yaml")
    policy.require_current(date(2027, 5, 1))
    with pytest.raises(PolicyError, match=r"p\.yaml expired on 2027-05-01"):
        policy.require_current(date(2027, 5, 2))
    parse_policy(GOOD, name="p").require_current(date.max)


@pytest.mark.parametrize(
    ("key", "asks"),
    [("accuracy_vs_baseline", True), ("accuracy_vs_baseline[severity=2]", True), ("*_vs_baseline", True), ("a", False)],
)
def test_what_is_about_a_baseline_says_so(key, asks):
    assert check(f"performance.quality.{key}").needs_baseline is asks


def test_default_policy_fits_the_built_in_probes():
    policy = load_policy(None)
    policy.require_known(load_registry().probes)
    assert policy.text == DEFAULT.read_text(encoding="utf-8")


@pytest.mark.parametrize("problem", list(ProblemType))
def test_default_policy_requires_something_of_every_kind_of_head(problem):
    checks = load_policy(None).active(problem)
    assert any(c.required and c.level is Level.BLOCK and c.burden is Burden.PROVE_GOOD for c in checks)


def test_default_policy_gives_a_reason_for_every_number():
    for c in load_policy(None).checks:
        assert len(c.rationale) > 20
        assert c.source


@pytest.mark.parametrize(
    ("check", "part", "about"),
    [
        ("bias.swaps.gap[axis=*,source=data]", {"axis": "age", "source": "data"}, True),
        ("bias.swaps.gap[axis=*,source=data]", {"axis": "age", "source": "templates"}, False),
        ("bias.swaps.gap[axis=*,source=data]", {"axis": "age", "pair": "a vs b", "source": "data"}, False),
        ("bias.swaps.gap[*]", {"axis": "age", "pair": "a vs b"}, True),
        ("bias.swaps.gap", {"axis": "age"}, False),
    ],
)
def test_a_star_for_one_key_stands_for_no_further_keys(check, part, about):
    made = Check(check=check, min=0, level="block", rationale="r", source="s")
    assert made.matches_slice(part) is about
