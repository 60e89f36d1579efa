"""Each situation and each attack in memory, built once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from reports.load import Loaded, load
from reports.redacted import without_personal
from tests.reports import synthetic_run as synthetic
from tests.reports.formats import runs


@pytest.fixture(scope="session")
def situation(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loaded]:
    """Name of a situation -> its run."""

    @cache
    def loaded(name: str) -> Loaded:
        return load(synthetic.SITUATIONS[name](tmp_path_factory.mktemp("run") / "run"))

    return loaded


@pytest.fixture(scope="session")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loaded]:
    """Name of an attack -> a run in which every free text is that attack."""

    @cache
    def loaded(name: str) -> Loaded:
        return runs.attacked(tmp_path_factory.mktemp("attack") / "run", runs.ATTACKS[name])

    return loaded


@pytest.fixture(scope="session")
def public(situation: Callable[[str], Loaded]) -> Callable[[str], Loaded]:
    """Name of a situation -> what all formats are made of, as `Format.render` has it made for each of them."""

    @cache
    def shown(name: str) -> Loaded:
        return without_personal(situation(name))

    return shown
