"""One browser for the tests of a module, and the reports of the usual situations, each of them rendered once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports import write_report
from tests.reports import synthetic_run as synthetic
from tests.reports.in_browser import Tabs, Visit, chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def tabs(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Tabs:
    aside = tmp_path_factory.mktemp("aside") / "nothing.html"
    aside.write_text("<!DOCTYPE html><title>nothing</title>", encoding="utf-8")
    return Tabs(browser, aside)


@pytest.fixture
def visit(tabs: Tabs) -> Iterator[Visit]:
    yield tabs.opened
    tabs.leave()


ONE_MAP = ", one map"
"""Behind the name of a situation: with the evidence map of one instrument, where a report has those of all, alike."""


class Reports(dict[str, Path]):
    """Name of a situation -> its report, which nobody may change; "short" has everything and few perturbations."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        super().__init__()
        self.folders = folders

    def __missing__(self, name: str) -> Path:
        folder, told = self.folders.mktemp("report"), name.removesuffix(ONE_MAP)
        run = synthetic.rich(folder, perturbations=2) if told == "short" else synthetic.SITUATIONS[told](folder)
        self[name] = path = write_report(synthetic.with_one_map(run) if told != name else run)
        return path


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Reports:
    return Reports(tmp_path_factory)
