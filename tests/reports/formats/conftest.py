"""Each situation in memory, built once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from reports.load import Loaded, load
from tests.reports import synthetic_run as synthetic


@pytest.fixture(scope="session")
def situation(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loaded]:
    """Name of a situation -> its run."""

    @cache
    def loaded(name: str) -> Loaded:
        return load(synthetic.SITUATIONS[name](tmp_path_factory.mktemp("run") / "run"))

    return loaded
