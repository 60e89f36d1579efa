"""Group tables: one for each attribute, every number in exactly one table, small groups with their reason."""

from __future__ import annotations

import pytest

from probes.core.findings import Level, Status
from probes.core.records import Better, Skip, SkipReason, Unit
from reports.chapters import chapters
from reports.groups import grouped
from reports.limits import Limits
from reports.load import load
from reports.measurements import measurement_tables
from reports.numbers import part_in_words
from reports.ranking import ranked
from reports.render import render
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import Step, check, measured, plain, share

RATES = {"f": (96, 240), "m": (330, 600), "x": (21, 60)}
GAP = "demographic_parity_difference"
RATIO = "ratio_to_most_favoured"


def of_attribute(attribute: str = "gender"):
    records = [
        measured("unknown_share", "share without a value", share(48, 948), better=Better.CONTEXT, attribute=attribute)
    ]
    for group, (hits, n) in RATES.items():
        part = {"attribute": attribute, "group": group}
        records += [
            measured("selection_rate", "share answered accepted", share(hits, n), better=Better.CONTEXT, **part),
            measured("precision", "of the items answered accepted, share that are", share(hits // 2, hits), **part),
        ]
        records.append(measured(RATIO, "rate", plain(hits / n / 0.55, 0.1, n=n), unit=Unit.SCORE, **part))
    records.append(measured(GAP, "largest gap", plain(0.2, 0.1, n=900), unit=Unit.DIFFERENCE, attribute=attribute))
    return records


def small(group: str, *, attribute: str = "gender", **changes: object) -> Skip:
    fields = {
        "reason": SkipReason.TOO_FEW,
        "detail": "7 items, 0.8% of those with a value; 7 independent, 30 are needed.",
        "enable": "add items of this group",
        "name": RATIO,
        "slice": {"attribute": attribute, "group": group},
    }
    return Skip(**(fields | changes))


def judged(*findings):
    return ranked(findings, titles={"bias.groups": "Groups in the data"})


def finding(status, part, *, name=RATIO, level=Level.BLOCK):
    return check(
        "bias.groups", "ratio", status=status, estimate=plain(0.6, 0.1), minimum=0.8, part=part, name=name, level=level
    )


def tables_of(records, skips=(), findings=(), limits=None):
    return grouped(records, skips, findings, title="Groups", limits=limits or Limits())


def words(table):
    return [[cell.badge.word if cell.badge else cell.text for cell in row.cells] for row in table.rows]


def test_one_table_for_the_groups_and_one_for_the_gaps_between_them():
    found = tables_of(of_attribute())
    assert [table.caption for table in found.tables] == ["Groups: gender, by group", "Groups: gender, between groups"]
    by_group, between = found.tables
    assert [column.text for column in by_group.columns] == [
        "Group", "Items", "Selection rate", "Ratio to most favoured", "Precision",
    ]  # fmt: skip
    assert [row[:3] for row in words(by_group)] == [["m", "600", "55.0%"], ["f", "240", "40%"], ["x", "60", "35%"]]
    assert by_group.rows[0].cells[2].sub == "51.0% to 58.9%"
    assert by_group.rows[0].cells[4].sub.endswith("; n 330")
    assert "Sorted by selection rate." in by_group.note
    assert "Precision: of the items answered accepted, share that are." in by_group.note
    assert [row[0] for row in words(between)] == ["Share without a value", "Largest gap"]
    assert [row.cells[0].sub for row in between.rows] == ["unknown_share", GAP]
    assert found.measurements == ()


def test_every_number_is_in_exactly_one_table():
    records = [
        *of_attribute("gender"),
        *of_attribute("age + gender"),
        measured("accuracy", "share of right answers", share(90, 100)),
        measured("flip_rate", "share that change", share(3, 100), axis="religion", pair="a vs b"),
        measured("score_gap", "largest", plain(0.1, 0.1), axis="religion"),
        measured("mean_score", "mean score", plain(0.4, 0.1), axis="age", group="old"),
        measured("f1", "F1", share(4, 90), group="channel=chat"),
    ]
    found = tables_of(records)
    rest = measurement_tables(found.measurements, title="Groups", limits=Limits())
    printed = [
        cell.text for t in (*found.tables, *rest) for row in t.rows for cell in row.cells if cell.kind == "number"
    ]
    values = sum(text not in ("–",) for text in printed)
    items = sum(column.text == "Items" for t in (*found.tables, *rest) for column in t.columns for _ in t.rows)
    assert values - items == len(records)
    assert [m.key for m in found.measurements] == [
        "accuracy", "flip_rate[axis=religion,pair=a vs b]", "score_gap[axis=religion]", "f1[group=channel=chat]",
    ]  # fmt: skip
    assert [t.caption for t in found.tables if "age" in t.caption] == [
        "Groups: age + gender, by group", "Groups: age + gender, between groups", "Groups: age, by group",
    ]  # fmt: skip


def test_groups_too_small_to_compare_have_their_own_table():
    undefined = small("x", reason=SkipReason.UNDEFINED, name="precision", detail="No items.")
    other = small("n", attribute="language")
    found = tables_of(of_attribute(), [small("nb"), undefined, other])
    last = found.tables[-1]
    assert last.caption == "Groups: gender, groups not compared"
    assert [(row.cells[0].text, row.cells[1].sub) for row in last.rows] == [("nb", small("nb").detail)]
    assert found.skips == (undefined, other)  # a number missing of a group that is shown; an attribute without a table
    record = [m for m in of_attribute() if m.slice.get("group") != "x" or m.name != "precision"]
    assert words(tables_of(record).tables[0])[2][-1] == "–"


def test_groups_carry_the_gravest_status_of_their_findings():
    part = {"attribute": "gender", "group": "f"}
    findings = judged(
        finding(Status.PASS, part, name="precision"),
        finding(Status.FAIL, part),
        finding(Status.PASS, {"attribute": "gender", "group": "m"}),
        finding(Status.INCONCLUSIVE, {"attribute": "gender"}, name=GAP),
        finding(Status.FAIL, {"attribute": "age", "group": "x"}),
    )
    by_group, between = tables_of(of_attribute(), findings=findings).tables
    assert [row[:2] for row in words(by_group)] == [["m", "Pass"], ["f", "Fail"], ["x", "–"]]
    assert by_group.rows[1].cells[1].anchor
    assert [row[1] for row in words(between)] == ["–", "Inconclusive"]


@pytest.mark.parametrize(("key", "told"), [("axis", "native american"), ("attribute", "native_american")])
def test_names_of_our_own_lists_lose_their_underscores_and_those_of_the_data_do_not(key, told):
    value = measured("mean_score", "mean score", plain(0.2, 0.1), **{key: "race_ethnicity", "group": "native_american"})
    table = tables_of([value]).tables[0]
    assert table.caption == (
        "Groups: race ethnicity, by group" if key == "axis" else "Groups: race_ethnicity, by group"
    )
    assert [row[0] for row in words(table)] == [told]
    assert told in part_in_words(value.slice)


def test_our_own_group_lists_are_shown_likewise():
    records = [
        measured("mean_score", "mean score", plain(v, 0.1), better=Better.CONTEXT, source="data", axis="faith", group=g)
        for g, v in (("a", 0.2), ("b", 0.7))
    ]
    table = tables_of(records).tables[0]
    assert table.caption == "Groups: faith (source data), by group"
    assert [row[0] for row in words(table)] == ["b", "a"]


def test_many_numbers_are_divided_into_tables_that_fit_on_paper():
    many = [
        measured(name, f"number {name}", plain(0.1, 0.1), attribute="a", group=f"g{g}")
        for name in ("rate", "b", "c", "d", "e", "f", RATIO)
        for g in range(9)
    ]
    findings = judged(finding(Status.FAIL, {"attribute": "a", "group": "g1"}))
    tables = tables_of(many, findings=findings, limits=Limits(rows=5)).tables
    assert [[column.text for column in table.columns] for table in tables] == [
        ["Group", "Status", "Items", "Rate", "Ratio to most favoured"],
        ["Group", "Items", "B", "C", "D"],
        ["Group", "Items", "E", "F"],
    ]
    assert [table.caption for table in tables] == [
        "Groups: a, by group", "Groups: a, by group: b, c, d", "Groups: a, by group: e, f",
    ]  # fmt: skip
    assert len(tables[0].rows) == 5
    assert "5 of 9 groups" in tables[0].note


@pytest.mark.parametrize(
    ("part", "caption", "first"),
    [
        ({"axis": "religion", "pair": "a vs b"}, "T: by pair of groups", ["Axis", "Pair"]),
        ({"functionality": "threat"}, "T: by functionality", ["Functionality"]),
        ({"target": "women"}, "T: by target group", ["Target"]),
        ({"severity": "2", "technique": "leet"}, "T: by technique and severity", ["Technique", "Severity"]),
        ({"kind": "insult", "strength": "2"}, "T: by kind and strength", ["Kind", "Strength"]),
    ],
)
def test_other_slices_have_a_column_for_each_key(part, caption, first):
    table = measurement_tables([measured("flip_rate", "share", share(3, 90), **part)], title="T", limits=Limits())[0]
    assert table.caption == caption
    assert [column.text for column in table.columns] == [*first, "Items", "Share"]
    assert sorted(row.text for row in table.rows[0].cells[: len(part)]) == sorted(part.values())


def steps():
    lacking = [
        Skip(reason=SkipReason.NO_GOLD, detail="No right answers.", enable="--label-column", name=name)
        for name in ("accuracy", "precision")
    ]
    return [Step("bias.groups", "Groups in the data", [*of_attribute(), small("nb"), *lacking])]


def test_the_chapter_holds_the_tables_and_names_each_skip_once(tmp_path):
    part = {"attribute": "gender", "group": "f"}
    run = synthetic.write(tmp_path, steps(), [finding(Status.FAIL, part)], exit_code=1)
    loaded = load(run)
    risks, _ = chapters(loaded, judged(finding(Status.FAIL, part)), limits=Limits())
    chapter = risks[0].chapters[0]
    assert [t.caption.split(": ")[1] for t in chapter.tables] == [
        "gender, by group", "gender, between groups", "gender, groups not compared",
    ]  # fmt: skip
    assert words(chapter.skips) == [["accuracy, precision", words(chapter.skips)[0][1], "--label-column"]]
    html = render(run).decode()
    assert html.count("<caption><span>Groups in the data: gender, by group</span></caption>") == 1
