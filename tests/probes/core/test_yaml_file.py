"""Reading the YAML that people write: lines of everything, and nothing that builds objects or never ends."""

from __future__ import annotations

import io
import math
import time
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from probes.core import yaml_file
from probes.core.errors import UsageError
from probes.core.yaml_file import MOST_REPEATED, parse_located, parse_yaml, read_yaml

ROOT = Path(__file__).parents[3]
SHIPPED = sorted(path for folder in ("audits", "probes", "reports", "docs") for path in (ROOT / folder).rglob("*.y*ml"))
PARSERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])]


@pytest.fixture(params=PARSERS, ids=lambda parser: parser.__name__)
def parser(request, monkeypatch):
    """With libyaml and without: nobody should see which one it was."""
    monkeypatch.setattr(yaml_file, "_PARSER", request.param)


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    limit: float = Field(default=0.0, alias="max")


class File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str = ""
    entries: tuple[Entry, ...] = ()


TEXT = """\
# a comment
title: x

entries:
  - name: first
    max: 1
  - {name: second}
"""


def refused(text):
    with pytest.raises(UsageError) as caught:
        parse_yaml(text, File, name="f.yaml")
    assert caught.value.hint
    return caught.value


def test_lines_are_kept():
    located = parse_located(TEXT, File, name="f.yaml")
    assert located.content.entries[0].limit == 1.0
    assert located.line("title") == 2
    assert located.line("entries", 0) == 5
    assert located.line("entries", 0, "max") == 6
    assert located.line("entries", 1, "name") == 7
    assert located.line("entries", 1, "max") == 7  # not in the file: the line of its entry
    assert located.line("nothing") == 1


def test_a_mistyped_key_is_told_before_what_is_missing_because_of_it():
    error = refused(TEXT.replace("- name: first", "- nam: first"))
    assert "line 5: unknown key 'entries.0.nam'" in error.message
    assert "name" in error.hint


def test_a_duplicate_key_is_told_with_its_line():
    error = refused(TEXT.replace("    max: 1\n", "    max: 1\n    max: 2\n"))
    assert "line 7" in error.message
    assert "keep one of them" in error.hint


@pytest.mark.parametrize("text", ["title: " + "[" * 5000 + "]" * 5000, "&a {title: *a}\n"])
def test_endless_nesting_is_refused(text):
    assert "nested" in refused(text).message


def test_a_list_within_itself_is_no_text():
    refused("title: &a [*a]\n")


@pytest.mark.parametrize("text", ["title: !!python/name:os.system\n", "title: !mine x\n"])
def test_tags_build_nothing(text):
    try:
        content = parse_yaml(text, File, name="f")
    except UsageError:
        return
    assert type(content.title) is str


def test_unreadable_files(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"title: \xff")
    for name in ("missing.yaml", "latin.yaml"):
        with pytest.raises(UsageError, match=name):
            read_yaml(tmp_path / name, File)


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


def content(text: str) -> dict[str, Any]:
    return dict(parse_yaml(text, Anything, name="f").model_extra or {})


def other_reader(text: str) -> Any:
    """What another YAML 1.2 reader makes of it; it reads days as dates, which that version no longer does."""
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    return without_days(reader.load(text))


def without_days(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): without_days(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_days(inner) for inner in value]
    return value.isoformat() if isinstance(value, date) else value


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_every_file_that_ships_reads_as_by_another_reader(path, parser):
    text = path.read_text(encoding="utf-8")
    assert content(text) == other_reader(text)


SCALARS = (
    st.integers(-(10**20), 10**20)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False)
    | st.sampled_from(["no", "off", "yes", "on", "0x1f", "010", "1e3", ".5", "~", "null", "True", "=", "<<", "-"])
)


def documents(*, without: str = "") -> st.SearchStrategy[dict[str, Any]]:
    """Keys with words, numbers, lists and mappings, of any letters and signs but those."""
    words = st.text(
        st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"), exclude_characters=without)
        | st.sampled_from("\n\t"),
        max_size=20,
    )
    nested = st.recursive(
        SCALARS | words,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
        max_leaves=12,
    )
    return st.dictionaries(words, nested, max_size=4)


def by_another_writer(said: Any, *, flow: bool) -> str:
    writer, text = YAML(typ="safe", pure=True), io.StringIO()
    writer.default_flow_style = flow
    writer.dump(said, text)
    return text.getvalue()


def require_read_as_written(said: dict[str, Any], *, flow: bool) -> None:
    for reader in PARSERS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(yaml_file, "_PARSER", reader)
            assert content(by_another_writer(said, flow=flow)) == said


@given(documents())
def test_what_was_written_is_what_is_read(said):
    require_read_as_written(said, flow=False)


@given(documents(without="?:"))
def test_within_brackets_too(said):
    """Without the two signs that PyYAML takes there as YAML 1.1 did, where words may not begin with them."""
    require_read_as_written(said, flow=True)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.from_regex(r"[-+.0-9a-fox]{1,6}", fullmatch=True)), max_size=5))
def test_bare_words_and_numbers_read_as_by_another_reader(pairs):
    """ruamel.yaml also takes digits after a dot or an exponent that YAML 1.2 asks for otherwise: those are left out."""
    text = "".join(f"{key}: {value}\n" for key, value in dict(pairs).items()) or "{}"
    try:
        expected = other_reader(text)
    except (YAMLError, ValueError):
        return
    for key, value in content(text).items():
        if type(value) is type(expected[key]):
            assert value == expected[key] or (math.isnan(value) and math.isnan(expected[key]))


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("no", "no"), ("off", "off"), ("yes", "yes"), ("True", True), ("false", False), ("~", None), ("", None),
        ("010", 10), ("0o10", 8), ("0x10", 16), ("1:30", "1:30"), ("1_000", "1_000"), ("0b1", "0b1"), ("+1", 1),
        ("1.", 1.0), (".5", 0.5), ("1e3", 1000.0), ("-.inf", -math.inf), ("2026-11-02", "2026-11-02"),
        ("'1'", "1"), ("!!str 1", "1"), ("! 1", 1), ("|\n  a\n  b", "a\nb\n"), ("<<", "<<"), ("=", "="),
    ],
)  # fmt: skip
def test_words_mean_what_yaml_12_says(written, means, parser):
    found = content(f"a: {written}\n")["a"]
    assert found == means
    assert type(found) is type(means)


def test_keys_are_text_as_it_was_written():
    assert list(content("1: a\ntrue: b\nno: c\n~: d\n010: e\n")) == ["1", "true", "no", "~", "010"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: {\n", 3, "node content"),
        ("a: 1\n\tb: 2\n", 2, "tab|cannot start any token"),
        ("a: 1\na: 2\n", 2, 'duplicate key "a"'),
        ("a: 1\n'a': 2\n", 2, 'duplicate key "a"'),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a: 1\nb: !mine x\n", 2, "the tag !mine"),
        ("a: 1\nb: !!set {x}\n", 2, "the tag !!set"),
        ("a: 1\nb: !!int 1\n", 2, "the tag !!int"),
        ("a: 1\nb: {{ x }}\n", 2, "where a key should"),
        ("a: 1\n? [b]\n: c\n", 2, "where a key should"),
        ("a: 1\nb: *c\n", 2, r"the alias \*c"),
        ("a: 1\nb: &c [*c]\n", 2, "nested within itself"),
        ("a: 1\nb: \x07\n", 2, r"U\+0007"),
        ("a: 1\nb: " + "9" * 5000, 2, "too long"),
        ("a: 1\nb: " + "[" * 100_000, 2, "nested too deeply"),
        ("a: 1\nb:\n" + "- " * 100_000, 3, "nested too deeply"),
    ],
)
def test_what_is_refused_is_told_with_its_line(text, line, says, parser):
    with pytest.raises(UsageError, match=says) as caught:
        content(text)
    assert f"line {line}:" in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint


def test_an_alias_stands_for_what_it_names():
    located = parse_located(
        TEXT + "  - &a\n    name: third\n    max: &m 3\n  - *a\n  - {name: x, max: *m}\n", File, name="f"
    )
    assert [entry.limit for entry in located.content.entries] == [1.0, 0.0, 3.0, 3.0, 3.0]
    assert located.line("entries", 3) == 11
    assert located.line("entries", 3, "max") == 10  # where it is written


@pytest.mark.parametrize(
    "text",
    [
        "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 20)),
        f"a: &a {'x' * MOST_REPEATED}\nb: [{','.join(['*a'] * 50)}]\n",
    ],
    ids=["laughs", "one long text"],
)
def test_aliases_that_stand_for_more_than_memory_holds_are_refused_at_once(text):
    start = time.perf_counter()
    with pytest.raises(UsageError, match=r"line [67]: the aliases|line 2: the aliases"):
        content(text)
    assert time.perf_counter() - start < 2
