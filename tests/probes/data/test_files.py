"""Local files: formats, encodings and everything that can be wrong with them."""

from __future__ import annotations

import csv
import gzip
import json
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from probes.core.errors import DataError
from probes.data.load import Columns, load_data
from tests.conftest import model_card

CSV = b"text,label\nA good film,positive\nA bad film,negative\n"
TWO = [("A good film", "positive"), ("A bad film", "negative")]


def items(loaded):
    return [(example.text, example.gold) for example in loaded.examples]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV),
        ("a.CSV", CSV),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)),
        ("bom.csv", b"\xef\xbb\xbf" + CSV),
        ("crlf.csv", CSV.replace(b"\n", b"\r\n")),
        ("cr.csv", CSV.replace(b"\n", b"\r")),
        ("utf16.csv", CSV.decode().encode("utf-16")),
        ("utf32.csv", CSV.decode().encode("utf-32")),
        ("semicolon.csv", CSV.replace(b",", b";")),
        ("a.tsv", CSV.replace(b",", b"\t")),
        ("a.jsonl", b'{"text":"A good film","label":"positive"}\r\n{"text":"A bad film","label":"negative"}'),
        ("a.ndjson", b'{"text":"A good film","label":"positive"}\n{"label":"negative","text":"A bad film"}\n'),
        ("lines.json", b'{"text":"A good film","label":"positive"}\n{"text":"A bad film","label":"negative"}'),
        ("list.json", b'[{"text":"A good film","label":"positive"},{"text":"A bad film","label":"negative"}]'),
        ("list.jsonl", b'[{"text":"A good film","label":"positive"},{"text":"A bad film","label":"negative"}]'),
        ("columns.json", b'{"text":["A good film","A bad film"],"label":["positive","negative"]}'),
        ("pandas.json", b'{"text":{"0":"A good film","1":"A bad film"},"label":{"0":"positive","1":"negative"}}'),
        ("data.json", b'{"data":[{"text":"A good film","label":"positive"},{"text":"A bad film","label":"negative"}]}'),
    ],
)
def test_every_format_gives_the_same_items(load_bytes, name, content):
    assert items(load_bytes(content, name)) == TWO


def test_parquet(tmp_path):
    pq.write_table(
        pa.table({"text": ["A good film", "A bad film"], "label": ["positive", "negative"]}), tmp_path / "a.parquet"
    )
    assert items(load_data(str(tmp_path / "a.parquet"), card=model_card())) == TWO


def test_category_columns_of_pandas(tmp_path):
    labels = pa.array(["positive", "negative"]).dictionary_encode()
    pq.write_table(
        pa.table({"text": pa.array(["A good film", "A bad film"], pa.large_string()), "label": labels}),
        tmp_path / "a.parquet",
    )
    assert items(load_data(str(tmp_path / "a.parquet"), card=model_card())) == TWO


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n \n", "is empty"),
        ("a.csv", b"text,label\n", "has no rows"),
        ("a.csv", b"text,label\n,positive\n", "no usable row in a.csv: 1 x no text"),
        ("a.csv", b"text,label\nfine,positive\na,b,c\n", "line 3: 3 cells where the first row has 2"),
        ("a.csv", b"text,label\nonly one\n", "line 2: 1 cells where the first row has 2"),
        ("a.csv", b'text,label\n"never closed,positive\nmore,negative\n', "line 2: a quote is opened and never closed"),
        ("a.csv", b'text,label\n"a" b,positive\n', "line 2"),
        ("a.csv", b"text,label\ncaf\xe9,positive\n", "is not UTF-8: byte 0xe9 at offset 14 (line 2)"),
        ("a.csv", b"text,text\na,b\n", "more than one column called 'text'"),
        ("a.csv.gz", b"no gzip", "not a whole gzip file"),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)[:-9], "not a whole gzip file"),
        ("a.jsonl", b"", "is empty"),
        ("a.jsonl", b'{"text":"a"}\n{"text":\n', "line 2: not JSON"),
        ("a.jsonl", b'{"text":"a"}\n\n["b"]\n', "line 3: not an object"),
        ("a.jsonl", b"[" * 100_000, "line 1: not JSON"),
        ("a.jsonl", b'{"text":"a","label":' + b"9" * 5000 + b"}", "line 1: not JSON"),
        ("a.json", b'[{"text":"a"},\n{"text" "b"}]', "line 2: not JSON"),
        ("a.json", b'[{"text":"a"}, 3]', "entry 2: not an object"),
        ("a.json", b"3", "the document: not an object"),
        ("a.json", b"[]", "has no rows"),
        ("a.parquet", b"PAR1 no", "is not Parquet or is damaged"),
        ("a.parquet", b"", "is not Parquet or is damaged"),
        ("a.txt", b"hello", "no data file we can read"),
        ("a.xlsx", b"PK", "no data file we can read"),
    ],
)  # fmt: skip
def test_bad_files_are_named_with_the_place(load_bytes, name, content, said):
    with pytest.raises(DataError) as caught:
        load_bytes(content, name)
    assert said in caught.value.message
    assert caught.value.hint


def test_text_that_is_not_utf8_inside_parquet(tmp_path):
    bad = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"]).buffers())
    pq.write_table(pa.table({"text": bad}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match="damaged"):
        load_data(str(tmp_path / "a.parquet"), card=model_card())


def test_quoted_cells_keep_commas_quotes_and_line_breaks(load_bytes):
    loaded = load_bytes(b'text,label\n"one, two\nthree ""four""",positive\n')
    assert items(loaded) == [('one, two\nthree "four"', "positive")]


def test_tsv_with_plain_quotes_swallows_no_row(load_bytes):
    loaded = load_bytes(
        b'text\tlabel\n"Fine" she said\tpositive\n"Oh\tnegative\nno"\tnegative\nwell\tpositive\n', "a.tsv"
    )
    assert [text for text, _ in items(loaded)] == ['"Fine" she said', '"Oh', 'no"', "well"]
    assert any("plain characters" in note for note in loaded.card.notes)


def test_tsv_with_two_stray_quotes_that_would_pass_for_one_cell(load_bytes):
    loaded = load_bytes(b'text\tlabel\n"Oh\tnegative\nno"\tnegative\nwell\tpositive\n', "a.tsv")
    assert items(loaded) == [('"Oh', "negative"), ('no"', "negative"), ("well", "positive")]


def test_tsv_with_quoted_cells(load_bytes):
    loaded = load_bytes(b'text\tlabel\n"a\tb"\tpositive\n"say ""c"""\tnegative\n', "a.tsv")
    assert items(loaded) == [("a\tb", "positive"), ('say "c"', "negative")]


def test_other_separators_are_noted(load_bytes):
    assert "';'" in load_bytes(CSV.replace(b",", b";")).card.notes[0]


def test_a_cell_longer_than_the_csv_modules_limit(load_bytes):
    before = csv.field_size_limit()
    loaded = load_bytes(b"text,label\n" + b"x" * 500_000 + b",positive\n")
    assert len(loaded.examples[0].text) == 500_000
    assert csv.field_size_limit() == before


def test_unnamed_index_column_of_pandas(load_bytes):
    assert items(load_bytes(b",text,label\n0,A good film,positive\n1,A bad film,negative\n")) == TWO


def test_line_separators_inside_json_strings(load_bytes):
    line = json.dumps({"text": "one\u2028two\x85three"}, ensure_ascii=False)
    assert load_bytes(line.encode() + b"\n", "a.jsonl").examples[0].text == "one\u2028two\x85three"


def test_keys_may_be_missing_from_some_lines(load_bytes):
    loaded = load_bytes(b'{"text":"a"}\n{"text":"b","label":"positive"}\n', "a.jsonl")
    assert items(loaded) == [("a", None), ("b", "positive")]


def test_a_hundred_thousand_rows_in_seconds(load_bytes):
    rows = "".join(f'"This is sentence number {n}, about nothing.",{n % 2},g{n % 7}\n' for n in range(100_000))
    start = time.perf_counter()
    loaded = load_bytes(f"text,label,group\n{rows}".encode(), columns=Columns(groups=("group",)))
    assert loaded.card.n == 100_000
    assert time.perf_counter() - start < 30  # about 4 on an idle core
