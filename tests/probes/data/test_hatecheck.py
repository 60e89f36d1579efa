from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path

import pytest

from probes.core.errors import DataError, UsageError
from probes.core.examples import content_hash
from probes.data.hatecheck import load_hatecheck

PUBLIC = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "hatecheck"
needs_public = pytest.mark.skipif(not PUBLIC.is_dir(), reason="the public HateCheck cases are not on this machine")

HEADER = ("functionality", "case_id", "test_case", "label_gold", "target_ident", "templ_id")
ROWS = (
    ("threat_h", "1", "We will hurt all women. ", "hateful", "women", "7"),
    ("threat_h", "2", "We will hurt all Muslims. ", "hateful", "Muslims", "7"),
    ("ident_nh", "3", "She, a nurse, came in.", "non-hateful", "", "8"),
)


def write_csv(path, rows=ROWS, header=HEADER):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def with_cell(column, value):
    at = HEADER.index(column)
    return [ROWS[0], tuple(value if place == at else cell for place, cell in enumerate(ROWS[1])), ROWS[2]]


def test_a_row_is_a_case(tmp_path):
    found = load_hatecheck(write_csv(tmp_path / "test.csv"))
    first, _, last = found.cases
    assert (first.text, first.functionality, first.harmful) == ("We will hurt all women. ", "threat_h", True)
    assert (first.target, first.template) == ("women", "7")
    assert (last.text, last.harmful, last.target, last.template) == ("She, a nurse, came in.", False, None, "8")
    assert found.revision == ""
    assert found.name == "test.csv"
    assert re.fullmatch(r"[0-9a-f]{64}", found.digest)


def test_every_format_gives_the_same_cases(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    plain = load_hatecheck(write_csv(tmp_path / "test.csv"))
    records = [dict(zip(HEADER, row, strict=True)) for row in ROWS]
    for record in records:
        record["templ_id"] = float(record["templ_id"])  # as pandas writes a column of numbers with a gap
        record["target_ident"] = record["target_ident"] or None
    pq.write_table(pa.Table.from_pylist(records), tmp_path / "test.parquet")
    (tmp_path / "test.jsonl").write_text("\n".join(json.dumps(record) for record in records))
    (tmp_path / "test.csv.gz").write_bytes(gzip.compress((tmp_path / "test.csv").read_bytes()))
    folder = tmp_path / "hatecheck"
    folder.mkdir()
    write_csv(folder / "test.csv")
    for source in ("test.parquet", "test.jsonl", "test.csv.gz", "hatecheck"):
        found = load_hatecheck(str(tmp_path / source))
        assert found.cases == plain.cases, source
        assert found.digest == plain.digest


def test_digest_is_of_the_cases_not_of_their_order(tmp_path):
    forward = load_hatecheck(write_csv(tmp_path / "a.csv"))
    backward = load_hatecheck(write_csv(tmp_path / "b.csv", ROWS[::-1]))
    other = load_hatecheck(write_csv(tmp_path / "c.csv", with_cell("templ_id", "9")))
    assert forward.digest == backward.digest != other.digest


@pytest.mark.parametrize("column", ["functionality", "test_case", "label_gold", "templ_id"])
def test_a_missing_column_is_named(tmp_path, column):
    at = HEADER.index(column)
    header, rows = ([*row[:at], *row[at + 1 :]] for row in (HEADER, ROWS[0]))
    with pytest.raises(DataError, match=f"is not HateCheck.*'{column}'") as caught:
        load_hatecheck(write_csv(tmp_path / "x.csv", [rows], header))
    assert "Paul/hatecheck" in caught.value.hint


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [("label_gold", "maybe", "row 2: label_gold is 'maybe'"), ("test_case", " ", "row 2: no test_case"),
     ("templ_id", "", "row 2: no templ_id")],
)  # fmt: skip
def test_a_wrong_cell_is_an_error_with_its_row(tmp_path, column, value, says):
    with pytest.raises(DataError, match=says):
        load_hatecheck(write_csv(tmp_path / "x.csv", with_cell(column, value)))


def test_no_rows_and_no_file_are_errors(tmp_path):
    with pytest.raises(DataError, match="no rows"):
        load_hatecheck(write_csv(tmp_path / "x.csv", []))
    with pytest.raises(UsageError, match="no such file"):
        load_hatecheck(str(tmp_path / "absent.csv"))


def test_exact_repetitions_are_counted_and_left_out(tmp_path):
    found = load_hatecheck(write_csv(tmp_path / "x.csv", [*ROWS, ROWS[0]]))
    assert len(found.cases) == 3
    assert any("left out: 1" in note for note in found.notes)


def test_part_of_the_suite_is_said_to_be_one(tmp_path):
    notes = " ".join(load_hatecheck(write_csv(tmp_path / "x.csv")).notes)
    assert "3 cases in 2 functionalities" in notes
    assert "3,728" in notes


def test_the_whole_suite_is_not(tmp_path):
    rows = [(f"f{n % 29}", str(n), f"text {n}", "hateful", "", str(n)) for n in range(3728)]
    (note,) = load_hatecheck(write_csv(tmp_path / "x.csv", rows)).notes
    assert "3,728 cases in 29 functionalities" in note


@needs_public
def test_public_file_is_read_whole():
    found = load_hatecheck(str(PUBLIC))
    with (PUBLIC / "test.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(found.cases) == len(rows) == 2556
    assert [case.text for case in found.cases] == [row["test_case"] for row in rows]
    assert sum(case.harmful is True for case in found.cases) == 1763
    assert len({case.functionality for case in found.cases}) == 29
    assert len({case.target for case in found.cases} - {None}) == 7
    assert len({case.template for case in found.cases}) == 580
    assert len({case.id for case in found.cases}) == 2556
    assert any("3,728" in note for note in found.notes)


def test_ids_depend_on_what_is_tested(tmp_path):
    first = load_hatecheck(write_csv(tmp_path / "x.csv")).cases[0]
    assert first.id == content_hash(["threat_h", "We will hurt all women. ", "women", True])


def test_a_hub_data_set_keeps_its_commit(tmp_path, monkeypatch):
    from dataclasses import replace

    from probes.data import sources

    path = write_csv(tmp_path / "test.csv")
    asked = []

    def open_hub(place, *, split, revision):
        asked.append((place, split, revision))
        return replace(sources.open_source(path), name=place, revision="c" * 40)

    monkeypatch.setattr(sources, "open_hub", open_hub)
    found = load_hatecheck("Paul/hatecheck", revision="v1")
    assert asked == [("Paul/hatecheck", None, "v1")]
    assert found.revision == "c" * 40
    assert found.digest == load_hatecheck(path).digest
