from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from probes.core.model import ModelCard
from probes.data.load import Loaded, load_data
from tests.conftest import model_card

Load = Callable[..., Loaded]


@pytest.fixture
def load_rows(tmp_path: Path) -> Load:
    """Write rows as JSON lines and load them."""

    def load(rows: Sequence[Mapping[str, object]], *, card: ModelCard | None = None, **options: object) -> Loaded:
        path = tmp_path / "rows.jsonl"
        path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
        return load_data(str(path), card=card or model_card(), **options)

    return load


@pytest.fixture
def load_bytes(tmp_path: Path) -> Load:
    """Write bytes under a name and load them."""

    def load(content: bytes, name: str = "rows.csv", *, card: ModelCard | None = None, **options: object) -> Loaded:
        path = tmp_path / name
        path.write_bytes(content)
        return load_data(str(path), card=card or model_card(), **options)

    return load
