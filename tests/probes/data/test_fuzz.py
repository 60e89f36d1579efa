"""Whatever the bytes, the loader answers with items or with an error a user can act on."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.core.answers import ProblemType
from probes.core.errors import AuditError
from probes.data.load import Columns, load_data
from tests.conftest import model_card

CARDS = (
    model_card(),
    model_card(labels=("LABEL_0", "LABEL_1", "LABEL_2")),
    model_card(labels=("a", "b", "1"), problem=ProblemType.MULTI_LABEL),
    model_card(labels=("score",), problem=ProblemType.REGRESSION),
)
fuzz = settings(max_examples=120, deadline=None, database=None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def survives(path: Path, content: bytes, **options) -> None:
    path.write_bytes(content)
    for card in CARDS:
        try:
            loaded = load_data(str(path), card=card, **options)
        except AuditError as error:
            (error.message + error.hint).encode("utf-8")
        else:
            assert loaded.card.rows_read == loaded.card.n + sum(loaded.card.rows_dropped.values())
            assert loaded.card.n > 0
            loaded.card.model_dump_json().encode("utf-8")


TEXTUAL = st.sampled_from(["a.csv", "a.tsv", "a.jsonl", "a.json", "a.csv.gz", "a.parquet"])
PIECES = st.lists(
    st.sampled_from([*"{}[]:,;\t\n\x00\u2028\ufeff 1aé", '"', "\r\n", "-1", "null", "NaN", "\\ud800", "text", "label"]),
    max_size=60,
)  # fmt: skip


@fuzz
@given(name=TEXTUAL, content=st.binary(max_size=300))
def test_random_bytes(folder, name, content):
    survives(folder / name, content)


@fuzz
@given(name=TEXTUAL, content=st.binary(max_size=200))
def test_random_bytes_after_a_header(folder, name, content):
    survives(folder / name, b"text,label\n" + content)


@fuzz
@given(name=TEXTUAL, pieces=PIECES)
def test_random_syntax(folder, name, pieces):
    content = "".join(pieces).encode()
    survives(folder / name, gzip.compress(content) if name.endswith(".gz") else content)


ANY_TEXT = st.text(st.characters(), max_size=8)  # lone surrogates included
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    ANY_TEXT,
    st.sampled_from(["a", "positive", "LABEL_1"]),
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
)
NAMES = ("text", "text_b", "label", "label_text", "a", "b", "1", "group", "Text")
ROWS = st.lists(
    st.dictionaries(st.sampled_from(NAMES) | ANY_TEXT, VALUES, max_size=6),
    max_size=8,
)  # fmt: skip


@fuzz
@given(rows=ROWS)
def test_random_json_rows(folder, rows):
    survives(folder / "rows.jsonl", "\n".join(map(json.dumps, rows)).encode())
    survives(folder / "rows.json", json.dumps(rows).encode())


@fuzz
@given(rows=st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=6))
def test_random_values_in_named_columns(folder, rows):
    content = "\n".join(json.dumps(dict(zip(("text", "label", "group"), row, strict=True))) for row in rows)
    survives(
        folder / "named.jsonl",
        content.encode(),
        columns=Columns(text=("text",), label="label", groups=("group",), cluster="group"),
        label_map={"x": "-"},
    )


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    labels = json.dumps({"info": {"features": {"label": {"names": ["negative", "positive"], "_type": "ClassLabel"}}}})
    table = pa.table({"text": ["one", "two", None], "label": pa.array([0, 1, -1], pa.int64())})
    pq.write_table(table.replace_schema_metadata({"huggingface": labels}), sink)
    return sink.getvalue()


WHOLE = parquet_bytes()


@fuzz
@given(changes=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=5))
def test_damaged_parquet(folder, changes):
    content = bytearray(WHOLE)
    for at, byte in changes:
        content[at] = byte
    survives(folder / "damaged.parquet", bytes(content))


def test_parquet_with_each_byte_damaged(folder):
    # Among these is a row count that disagrees with the columns, which the Parquet reader itself accepts.
    for at in range(len(WHOLE)):
        survives(folder / "byte.parquet", WHOLE[:at] + b"\x01" + WHOLE[at + 1 :])


@fuzz
@given(end=st.integers(0, len(WHOLE)))
def test_parquet_cut_short(folder, end):
    survives(folder / "cut.parquet", WHOLE[:end])


@fuzz
@given(features=VALUES)
def test_odd_feature_metadata(folder, features):
    table = pa.table({"text": ["one"], "label": pa.array([0], pa.int64())})
    sink = io.BytesIO()
    metadata = {"huggingface": json.dumps({"info": {"features": {"label": features}}})}
    pq.write_table(table.replace_schema_metadata(metadata), sink)
    survives(folder / "odd.parquet", sink.getvalue())


@fuzz
@given(source=st.text(max_size=30).filter(lambda text: "/" not in text))
def test_random_names(source):
    with contextlib.suppress(AuditError):
        load_data(source, card=CARDS[0])
