"""Reading the YAML that people write: lines of everything, and nothing that builds objects or never ends."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, Field

from probes.core.errors import UsageError
from probes.core.yaml_file import parse_located, parse_yaml, read_yaml


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
