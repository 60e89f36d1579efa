"""Order, numbering and layout of what is shown."""

from __future__ import annotations

import pytest

from probes.core.findings import Level, Status
from probes.core.records import Better, Unit
from reports.chapters import rerun
from reports.limits import Limits, limited
from reports.measurements import measurement_tables, severity_matrix
from reports.ranking import beyond, ranked
from reports.results import slug
from tests.reports.synthetic_run import check, measured, perturbed_records, plain, quality_records, share


def test_findings_are_ordered_by_consequence_then_by_distance():
    findings = [
        check("r.a", "a", status=Status.PASS, estimate=share(4, 100), maximum=0.1),
        check("r.b", "b", status=Status.FAIL, estimate=share(30, 100), maximum=0.1, level=Level.WARN),
        check("r.c", "c", status=Status.INCONCLUSIVE, estimate=share(11, 100), maximum=0.1),
        check("r.d", "d", status=Status.FAIL, estimate=share(20, 100), maximum=0.1),
        check("r.e", "e", status=Status.FAIL, estimate=share(50, 100), minimum=0.9),
        check("r.f", "f", status=Status.NOT_RUN),
    ]
    order = ranked(findings, titles={})
    assert [item.finding.title for item in order] == ["e", "d", "c", "f", "b", "a"]
    assert [item.number for item in order] == ["F-001", "F-002", "F-003", "", "F-004", ""]


def test_order_does_not_depend_on_the_order_of_the_findings():
    findings = [check("r.a", str(i), status=Status.FAIL, part={"i": str(i)}) for i in range(5)]
    assert ranked(findings, titles={}) == ranked(findings[::-1], titles={})


@pytest.mark.parametrize(
    ("minimum", "maximum", "distance"),
    [(None, 0.1, 0.1), (0.5, None, 0.3), (0.1, 0.9, -0.1), (None, None, float("-inf"))],
)
def test_distance_is_positive_on_the_side_that_is_not_accepted(minimum, maximum, distance):
    finding = check("r.a", "a", status=Status.FAIL, estimate=share(20, 100), minimum=minimum, maximum=maximum)
    assert beyond(finding) == pytest.approx(distance)


def test_titles_name_the_probe_once():
    finding = check("r.a", "share of answers (severity 2)", status=Status.FAIL, part={"severity": "2"})
    named, bare = ranked([finding], titles={"r.a": "Typos"})[0], ranked([finding], titles={})[0]
    assert named.title == "Typos: share of answers (severity 2)"
    assert named.measurement_title == "share of answers"
    full = finding.model_copy(update={"title": "Typos: share of answers (severity 2)"})
    assert ranked([full], titles={"r.a": "Typos"})[0].title == named.title
    assert ranked([full], titles={"r.a": "Typos"})[0].measurement_title == "share of answers"
    assert bare.title == "share of answers (severity 2)"


def shown(tables):
    return {table.caption: [[cell.text for cell in row.cells] for row in table.rows] for table in tables}


def test_severities_become_one_compact_table():
    found = [r for r in perturbed_records(4) if r.kind == "measurement"]
    tables = measurement_tables(found, title="Typos", limits=Limits())
    assert [table.caption for table in tables] == ["Typos: all items", "Typos: by severity"]
    assert [column.text for column in tables[1].columns] == [
        "Severity", "Items", "Share of answers that changed", "Accuracy on changed texts", "Loss of accuracy",
    ]  # fmt: skip
    assert [row.cells[0].text for row in tables[1].rows] == ["1", "2", "3", "4", "5"]


def test_classes_groups_and_confusion_have_their_own_tables():
    found = [r for r in quality_records() if r.kind == "measurement"]
    tables = shown(measurement_tables(found, title="Q", limits=Limits()))
    assert list(tables) == [
        "Q: all items",
        "Q: by group",
        "Q: by class",
        "Q: right answer (rows) by answer given (columns)",
    ]
    confusion = tables["Q: right answer (rows) by answer given (columns)"]
    assert [row[0] for row in confusion] == ["billing", "delivery", "returns", "technical", "other"]
    assert len(confusion[0]) == 6
    assert confusion[0][1] == "17.2%"


def test_a_confusion_of_many_labels_is_a_list_not_a_matrix():
    found = [
        measured("confusion", "c", share(1, 9), better=Better.CONTEXT, gold=f"g{i}", predicted=f"p{i}")
        for i in range(13)
    ]
    assert [table.caption for table in measurement_tables(found, title="Q", limits=Limits())] == [
        "Q: by gold, predicted"
    ]


def test_columns_are_named_by_their_common_title_or_else_by_their_name():
    found = [
        measured("recall", f"how many {label} are found", plain(0.8, 0.1), unit=Unit.PROPORTION, label=label)
        for label in ("a", "b")
    ]
    table = measurement_tables(found, title="Q", limits=Limits())[0]
    assert [column.text for column in table.columns] == ["Label", "Items", "Recall"]


LONG = "how often a simple classifier on the inner representations tells the texts apart"


def test_a_long_title_stands_below_the_table_and_not_above_a_column():
    found = [
        measured("classifier_auc", LONG, plain(0.8, 0.1), unit=Unit.PROPORTION, domain=domain) for domain in ("a", "b")
    ]
    table = measurement_tables(found, title="Q", limits=Limits())[0]
    assert [column.text for column in table.columns] == ["Domain", "Items", "Classifier AUC"]
    assert table.note == f"Classifier AUC: {LONG}."
    named = [found[0].model_copy(update={"title": f"classifier AUC: {LONG}"})]
    assert measurement_tables(named, title="Q", limits=Limits())[0].note == f"Classifier AUC: {LONG}."


@pytest.mark.parametrize(("domains", "turned"), [(("a",), True), (("a", "b", "c"), True), (tuple("abcd"), False)])
def test_many_numbers_of_a_few_parts_have_a_row_each(domains, turned):
    found = [
        measured(f"number_{n}", f"{LONG}, {n}", plain(0.1 * n, 0.01), unit=Unit.PROPORTION, domain=domain)
        for n in range(1, 7)
        for domain in domains
        if (n, domain) != (6, "b")
    ]
    tables = measurement_tables(found, title="Q", limits=Limits())
    assert (len(tables) == 1) is turned
    if turned:
        assert [column.text for column in tables[0].columns] == ["Measurement", *domains, "Items"]
        assert [row.cells[0].text for row in tables[0].rows] == [f"How{LONG[3:]}, {n}" for n in range(1, 7)]
        assert [row.cells[1].text for row in tables[0].rows] == [f"{n}0.0%" for n in range(1, 7)]
        assert [row.cells[0].sub for row in tables[0].rows] == [f"number_{n}" for n in range(1, 7)]
        assert len(domains) == 1 or tables[0].rows[5].cells[2].text == "–"


def test_parts_with_words_of_their_own_for_a_number_are_told_beside_its_name():
    found = [measured(f"n{n}", "t", plain(0.1, 0.01), domain="a") for n in range(5)]
    found += [measured("frechet_distance", f"of {domain}", plain(2.0, 0.1), domain=domain) for domain in ("a", "b")]
    cell = measurement_tables(found, title="Q", limits=Limits())[0].rows[-1].cells[0]
    assert (cell.text, cell.sub) == ("Frechet distance", "a: of a; b: of b; frechet_distance")


def test_the_matrix_shows_the_most_sensitive_first_and_needs_two_probes():
    def flips(index):
        return [r for r in perturbed_records(index) if r.kind == "measurement"]

    table = severity_matrix({"weak": flips(5), "strong": flips(0)}, caption="c", limits=Limits())
    assert [row.cells[0].text for row in table.rows] == ["weak", "strong"]
    assert [cell.shade for cell in table.rows[0].cells[1:]] == [1, 2, 2, 3, 4]
    assert severity_matrix({"weak": flips(5)}, caption="c", limits=Limits()) is None


def test_what_is_left_out_is_said():
    assert limited([1, 2], 2, "rows") == ([1, 2], "")
    items, note = limited(list(range(2000)), 3, "rows")
    assert items == [0, 1, 2]
    assert note.startswith("Shortened: 3 of 2,000 rows")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (("audit", "run", "--only", "a.*", "--seed", "1"), "audit run --seed 1 --only r.x"),
        (("audit", "run", "--only=a.*"), "audit run --only r.x"),
        (("audit", "run", "--model", "a b; rm"), "audit run --model 'a b; rm' --only r.x"),
    ],
)
def test_the_command_is_narrowed_to_one_probe(command, expected):
    assert rerun(command, "r.x") == expected


def test_element_ids_are_plain():
    assert slug("robustness.<b> é\u202e") == "robustness--b----"
