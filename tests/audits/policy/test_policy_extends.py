"""Policies that extend others: what comes first, what cannot be loosened, and a text that stands on its own."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.policy.file import PolicyFile
from audits.policy.fit import require_fit
from audits.policy.policy import Check, frozen_policy, load_policy, parse_policy
from audits.policy.presets import PRESETS, preset_path
from audits.policy.text import written
from audits.policy.words import LONGEST_NAME, has_visible
from probes.core.answers import ProblemType
from probes.core.errors import PolicyError
from probes.core.findings import Burden, Level

HEAD = 'apiVersion: audit-policy/v1\nid: {id}\nversion: "1"\n'


def entry(check="performance.quality.accuracy", limit="min: 0.8", **keys):
    rows = {"level": "block", "rationale": "r", "source": "s", **keys}
    return f"  - check: {check}\n    {limit}\n" + "".join(f"    {key}: {value}\n" for key, value in rows.items())


def write(path: Path, *checks: str, **keys: str) -> Path:
    text = HEAD.format(id=path.stem) + "".join(f"{key}: {value}\n" for key, value in keys.items())
    path.write_text(text + ("checks:\n" + "".join(checks) if checks else ""), encoding="utf-8")
    return path


def refused(path):
    with pytest.raises(PolicyError) as caught:
        load_policy(path)
    assert caught.value.hint
    return caught.value


def test_checks_of_the_extended_policy_come_first_so_that_own_ones_decide(tmp_path):
    write(tmp_path / "base.yaml", entry(), entry("performance.quality.mcc", "min: 0.1"))
    policy = load_policy(write(tmp_path / "own.yaml", entry(limit="min: 0.9"), extends="base.yaml"))
    assert [check.minimum for check in policy.checks] == [0.8, 0.1, 0.9]
    decides = policy.deciding("performance.quality", "accuracy", ProblemType.SINGLE_LABEL)
    assert decides is policy.checks[2]
    assert policy.id == "own 1"


def test_an_extension_may_add_nothing(tmp_path):
    write(tmp_path / "base.yaml", entry())
    assert len(load_policy(write(tmp_path / "own.yaml", extends="./base.yaml")).checks) == 1


def test_presets_are_extended_by_name_and_files_by_their_path_from_the_extending_file(tmp_path):
    (tmp_path / "team").mkdir()
    write(tmp_path / "team" / "base.yml", entry(), extends="default")
    policy = load_policy(write(tmp_path / "own.yaml", extends="team/base.yml"))
    assert policy.checks[:-1] == load_policy(None).checks


def test_frozen_text_says_the_same_on_its_own(tmp_path):
    base = write(tmp_path / "base.yaml", entry(max_mde="0.05", approver="a@b", approved_on="2026-01-31"))
    path = write(
        tmp_path / "own.yaml",
        entry(limit="min: 0.9"),
        extends="base.yaml",
        owner="me",
        expires="2027-05-01",
        non_waivable='["performance.*"]',
    )
    policy = load_policy(path)
    base.unlink()
    again = parse_policy(policy.text, name="frozen")
    assert again.digest == policy.digest
    assert again.file == policy.file
    assert again.text == policy.text
    assert "extends" not in policy.text

    manifest = SimpleNamespace(policy=policy.text, policy_digest=policy.digest, config={})
    assert frozen_policy(manifest).checks == policy.checks


def test_lines_are_those_of_the_frozen_text_and_places_those_of_the_authors(tmp_path):
    write(tmp_path / "base.yaml", entry())
    path = write(tmp_path / "own.yaml", entry("performance.quality.mcc", "min: 0.1"), extends="base.yaml")
    policy = load_policy(path)
    lines = policy.text.splitlines()
    for check in policy.checks:
        line = policy.line_of(check)
        assert check.check in lines[line - 1]
    assert [str(place) for place in policy.places] == [f"{tmp_path / 'base.yaml'}, line 5", f"{path}, line 6"]


def test_lines_of_a_policy_that_extends_nothing_are_those_of_its_file():
    policy = load_policy(None)
    lines = policy.text.splitlines()
    for check in policy.checks:
        assert check.check in lines[policy.line_of(check) - 1]
    other = Check(check="a.b.c", min=0, level="warn", rationale="r", source="s")
    assert policy.line_of(other) is None


def test_of_two_equal_checks_the_line_is_that_of_the_one_that_decides(tmp_path):
    policy = load_policy(write(tmp_path / "p.yaml", entry(), entry()))
    assert policy.line_of(policy.checks[0]) == 10


def test_an_extension_can_only_be_stricter_about_exceptions(tmp_path):
    write(
        tmp_path / "base.yaml", entry(), non_waivable='["a.*", "b.*"]', max_waiver_days="30", expires="2027-01-31",
        owner="base-owner", approved_by="base-approver",
    )  # fmt: skip
    own = load_policy(
        write(
            tmp_path / "own.yaml",
            extends="base.yaml",
            non_waivable='["b.*", "c.*"]',
            max_waiver_days="60",
            expires="2028-01-31",
        )
    )
    assert own.non_waivable == ("a.*", "b.*", "c.*")
    assert own.max_waiver_days == 30
    assert own.file.expires == date(2027, 1, 31)
    assert own.file.owner is None
    assert own.file.approved_by is None


@pytest.mark.parametrize("chain", [("a.yaml",), ("b.yaml", "a.yaml"), ("b.yaml", "c.yaml", "b.yaml")])
def test_cycles_are_refused(tmp_path, chain):
    names = ("a.yaml", *chain)
    for name, extended in zip(names, chain, strict=False):
        write(tmp_path / name, entry(), extends=f"./{extended}")
    error = refused(tmp_path / "a.yaml")
    assert "extends this policy in turn" in error.message
    assert "line 4" in error.message


@pytest.mark.parametrize(
    ("extends", "says"),
    [("relase", "no preset"), ("/etc/base.yaml", "absolute"), ("missing.yaml", "cannot read"), ("../x", "no preset")],
)
def test_what_cannot_be_extended(tmp_path, extends, says):
    error = refused(write(tmp_path / "own.yaml", entry(), extends=extends))
    assert says in error.message


def test_a_mistake_in_the_extended_file_is_told_there(tmp_path):
    write(tmp_path / "base.yaml", entry(levl="warn"))
    error = refused(write(tmp_path / "own.yaml", extends="base.yaml"))
    assert "base.yaml, line 10" in error.message
    assert "level" in error.hint


def test_a_file_that_is_not_there_is_told_at_the_line_that_names_it(tmp_path):
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub" / "base.yaml", extends="nowhere.yaml")
    error = refused(write(tmp_path / "own.yaml", extends="sub/base.yaml"))
    assert error.message.startswith(f"{tmp_path / 'sub' / 'base.yaml'}, line 4: cannot read")


def test_a_date_of_the_extended_file_is_told_there(tmp_path):
    base = write(tmp_path / "base.yaml", entry(), expires="2026-01-31")
    late = load_policy(write(tmp_path / "own.yaml", extends="base.yaml"))
    with pytest.raises(PolicyError, match=r"own\.yaml expired on 2026-01-31, as .*base\.yaml, line 4 says"):
        late.require_current(date(2026, 2, 1))
    error = refused(write(tmp_path / "signed.yaml", extends="base.yaml", approved_on="2026-06-01"))
    assert error.message.startswith(f"{base}, line 4: this expires on 2026-01-31")


def test_a_limit_of_the_extended_file_is_told_there(tmp_path):
    write(tmp_path / "base.yaml", entry(limit="max: 0.8"))
    with pytest.raises(PolicyError, match=r"base\.yaml, line \d: .*wrong side"):
        require_fit(load_policy(write(tmp_path / "own.yaml", extends="base.yaml")), ["performance.quality"])


def test_a_text_without_a_file_cannot_lead_to_files():
    text = HEAD.format(id="x") + "extends: base.yaml\n"
    with pytest.raises(PolicyError, match="without a file"):
        parse_policy(text, name="the manifest")


def test_presets_can_be_named_instead_of_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_policy(Path("release")).file.id == "release"
    write(tmp_path / "release", entry())
    assert len(load_policy(Path("release")).checks) == 1


def test_resolving_is_the_same_whatever_the_hash_seed():
    load = "from audits.policy.policy import load_policy"
    code = f"from pathlib import Path; {load}; print(load_policy(Path('regulated')).text)"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            cwd=preset_path("default").parents[2],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(texts) == 1


# --- any content survives being written out -------------------------------------------------------------------------

text = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
said = text.filter(has_visible)
names = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=LONGEST_NAME).filter(
    has_visible
)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def checks(draw):
    return Check(
        check="a.b." + draw(text),
        **{draw(st.sampled_from(["min", "max"])): draw(numbers)},
        level=draw(st.sampled_from(Level)),
        burden=draw(st.sampled_from(Burden)),
        alpha=draw(st.floats(0.001, 0.5)),
        family=draw(st.none() | text),
        required=draw(st.booleans()),
        minimum_n=draw(st.integers(1, 10**12)),
        max_mde=draw(st.none() | st.floats(min_value=0, exclude_min=True, allow_infinity=False)),
        problems=draw(st.frozensets(st.sampled_from(ProblemType))),
        rationale=draw(said),
        source=draw(said),
        approver=draw(st.none() | said),
        approved_on=draw(st.none() | st.dates()),
    )


@given(st.lists(checks(), min_size=1, max_size=3), names, text, st.none() | st.dates(), st.lists(text))
def test_whatever_a_policy_says_survives_being_written_out(entries, name, title, expires, patterns):
    file = PolicyFile(
        apiVersion="audit-policy/v1",
        id=name,
        version="1",
        title=title,
        expires=expires,
        non_waivable=tuple(patterns),
        checks=tuple(entries),
    )
    again = parse_policy(written(file), name="x")
    assert again.file == file
    assert again.digest == file.digest


@pytest.mark.parametrize("name", PRESETS)
def test_presets_stand_on_their_own_when_frozen(name):
    policy = load_policy(Path(name)) if name != "default" else load_policy(None)
    assert policy.file.id == name
    assert parse_policy(policy.text, name="x").digest == policy.digest
    assert json.dumps(policy.file.model_dump(mode="json"))
