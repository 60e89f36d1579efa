"""Who is told how an audit goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from audits.executor import Watcher
from audits.planning.plan import Plan
from probes.core.examples import DataCard
from probes.core.model import ModelCard
from probes.core.run_folder import RunFolder


class Reporter(Watcher, Protocol):
    """The console implements it; tests use a silent one."""

    def notice(self, message: str) -> None:
        """Something the user should know while it happens."""
        ...

    def planned(
        self, plan: Plan, *, model: ModelCard, data: DataCard, others: Sequence[DataCard], run: RunFolder
    ) -> None:
        """What is about to happen; `others` are data of other kinds."""
        ...

    def progress(self, done: int, total: int) -> None:
        """Texts answered so far within the current step."""
        ...
