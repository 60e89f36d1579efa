"""The group columns of the data: one reading for all probes."""

from __future__ import annotations

from probes.core.examples import Example
from probes.core.groups import UNKNOWN, group_columns, group_values, groups


def item(text: str, **found: str) -> Example:
    return Example.of(text, groups=found)


ITEMS = [item("a", age="old", sex=" f "), item("b", age="young"), item("c", age="", sex="f"), item("d")]


def test_columns_are_those_of_any_item():
    assert group_columns(ITEMS) == ["age", "sex"]
    assert group_columns([]) == []


def test_values_have_no_white_space_and_may_be_absent():
    assert group_values(ITEMS, "sex") == ["f", "", "f", ""]


def test_every_item_is_in_one_group_of_each_column():
    found = {name: members.tolist() for name, members in groups(ITEMS)}
    assert list(found) == [f"age={UNKNOWN}", "age=old", "age=young", f"sex={UNKNOWN}", "sex=f"]
    assert found["sex=f"] == [True, False, True, False]
    for column in ("age", "sex"):
        rows = [members for name, members in found.items() if name.startswith(column)]
        assert [sum(row) for row in zip(*rows, strict=True)] == [1] * len(ITEMS)
    assert list(groups([item("a"), item("b")])) == []
