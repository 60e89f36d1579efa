"""Parquet, column by column, with the label names that `datasets` stores beside the schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from probes.core.errors import DataError
from probes.data.decoding import unreadable
from probes.data.table import Table, column_names, writable


def read_parquet(path: Path) -> Table:
    """Read the schema now and each column when it is asked for.

    Raises:
        DataError: for a file that is not Parquet or is damaged.
    """
    schema, rows = _schema(path)
    names = column_names(schema.names, where=str(path))
    stored = dict(zip(names, schema.names, strict=True))
    return Table(
        names=names,
        rows=rows,
        values=lambda name: _column(path, stored[name], rows),
        classes=_classes(schema.metadata or {}),
    )


def _schema(path: Path) -> tuple[Any, int]:
    try:
        with pq.ParquetFile(path) as file:
            return file.schema_arrow, file.metadata.num_rows
    except (FileNotFoundError, PermissionError, IsADirectoryError) as error:
        raise unreadable(path, error) from None
    except Exception as error:  # a damaged file may fail anywhere inside the reader
        raise _damaged(path, error) from None


def _column(path: Path, name: str, rows: int) -> list[object]:
    try:
        with pq.ParquetFile(path) as file:
            values: list[object] = file.read(columns=[name]).column(name).to_pylist()
    except Exception as error:  # as above; also text that is not UTF-8
        raise _damaged(path, error) from None
    if len(values) != rows:
        raise _damaged(path, ValueError(f"column {name!r} has {len(values)} values for {rows} rows"))
    return values


def _damaged(path: Path, error: Exception) -> DataError:
    reason = writable(str(error).strip().split("\n")[0])[:200]
    return DataError(
        f"{path} is not Parquet or is damaged: {reason}", hint="write the file again, for example as CSV or JSON lines"
    )


def _classes(metadata: dict[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    try:
        features = json.loads(metadata[b"huggingface"])["info"]["features"]
        found = {name: _names_in(feature) for name, feature in features.items()}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}
    return {name: names for name, names in found.items() if names}


def _names_in(feature: Any) -> tuple[str, ...]:
    if isinstance(feature, list) and feature:  # how datasets before 4 write a list of labels
        return _names_in(feature[0])
    if not isinstance(feature, dict):
        return ()
    if feature.get("_type") == "ClassLabel":
        return tuple(str(name) for name in feature.get("names") or ())
    return _names_in(feature.get("feature"))
