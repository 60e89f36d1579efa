"""Selection rates and impact ratios in the columns of New York City's rule."""

from __future__ import annotations

import pytest

from probes.core.positive import Meaning, PositiveClass
from probes.core.records import Better, Skip, SkipReason, Unit
from reports.limits import Limits
from reports.load import load
from reports.selection_rates import selection_rates
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import Step, measured, plain, share

EXAMPLE = {"Male": (667, 1390), "Female": (555, 1181)}
"""The worked example of the rule (6 RCNY 5-301): rates of 48 % and 47 %, impact ratios of 1.00 and 0.979."""


def records(rates, *, turned=False, attribute="sex"):
    """What a comparison of groups publishes; `turned` where the positive answer is to somebody's disadvantage."""
    good = {group: 1 - hits / n if turned else hits / n for group, (hits, n) in rates.items()}
    found = [measured("unknown_share", "share without a value", share(29, 2600), better=Better.CONTEXT,
                      attribute=attribute)]  # fmt: skip
    for group, (hits, n) in rates.items():
        part = {"attribute": attribute, "group": group}
        ratio = plain(good[group] / max(good.values()), 0.02, n=n)
        found += [
            measured("selection_rate", "share answered accepted", share(hits, n), better=Better.CONTEXT, **part),
            measured("ratio_to_most_favoured", "rate", ratio, unit=Unit.SCORE, better=Better.HIGHER, **part),
        ]
    small = Skip(reason=SkipReason.TOO_FEW, detail="4 items, 0.2% of those with a value; 3 answered accepted.",
                 name="ratio_to_most_favoured", slice={"attribute": attribute, "group": "Other"})  # fmt: skip
    return [*found, small]


def tables(folder, found, *, meaning=Meaning.FAVOURABLE):
    model = synthetic.model_card(positive=PositiveClass(labels=("accepted",), meaning=meaning, origin="declared"))
    run = synthetic.write(folder, [Step("bias.groups", "Groups", found)], [], model=model)
    return selection_rates(load(run), limits=Limits())


def test_the_worked_example_of_the_rule(tmp_path):
    (table,) = tables(tmp_path, records(EXAMPLE))
    assert [column.text for column in table.columns] == [
        "Category", "Number", "Selected", "Selection rate", "Impact ratio",
    ]  # fmt: skip
    rows = [[cell.text for cell in row.cells] for row in table.rows]
    assert rows[0] == ["Male", "1,390", "667", "48.0%", "1.00"]
    assert rows[1] == ["Female", "1,181", "555", "47.0%", "0.979"]
    assert rows[2] == ["Unknown", "29", "–", "–", "–"]
    assert rows[3] == ["Other", "–", "–", "–", "–"]
    assert table.rows[3].cells[0].sub == "left out: 4 items, 0.2% of those with a value; 3 answered accepted."
    assert table.note.startswith("Selection rate: share answered accepted. ")
    assert "Evidence relevant to 6 RCNY 5-301(b)" in table.note
    assert "sets no pass line" in table.note


@pytest.mark.parametrize("meaning", [Meaning.HARM, Meaning.UNFAVOURABLE])
def test_of_an_answer_to_somebodys_disadvantage_the_other_answers_are_the_selected(meaning, tmp_path):
    (table,) = tables(tmp_path, records({"a": (30, 100), "b": (10, 100)}, turned=True), meaning=meaning)
    assert [[cell.text for cell in row.cells[:4]] for row in table.rows[:2]] == [
        ["b", "100", "90", "90%"], ["a", "100", "70", "70%"],
    ]  # fmt: skip
    assert "one less the share answered accepted, which is to their disadvantage" in table.note


@pytest.mark.parametrize("meaning", Meaning)
def test_where_all_rates_are_equal_the_meaning_of_the_answer_tells(meaning, tmp_path):
    adverse = meaning in (Meaning.HARM, Meaning.UNFAVOURABLE)
    (table,) = tables(tmp_path, records({"a": (30, 100), "b": (30, 100)}, turned=adverse), meaning=meaning)
    told = ["70", "70%"] if adverse else ["30", "30%"]
    assert [[cell.text for cell in row.cells[2:4]] for row in table.rows[:2]] == [told, told]


def test_rates_and_ratios_of_opposite_answers_are_not_shown_together(tmp_path):
    found = records({"a": (30, 100), "b": (10, 100)}, turned=True)
    assert tables(tmp_path, found, meaning=Meaning.FAVOURABLE) == ()


def test_a_ratio_that_is_not_that_of_the_rates_is_not_shown_beside_them(tmp_path):
    found = [each for each in records(EXAMPLE) if each.slice.get("group") != "Male"]
    assert tables(tmp_path, found) == ()


def test_without_rates_there_is_no_table(tmp_path):
    found = [each for each in records(EXAMPLE) if getattr(each, "name", "") != "selection_rate"]
    assert tables(tmp_path, found) == ()
