"""The frozen description of a run: written before the first step, never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from probes.core.audit_card import AuditCard
from probes.core.examples import DataCard
from probes.core.model import ModelCard
from probes.core.records import Frozen, Skip

WRITTEN_OUT = "# Written out from several files: line numbers are those of this text."
"""First line of a policy that is not the text of one file."""


class PlannedStep(Frozen):
    """One probe with its parameters and its share of the data.

    Attributes:
        step_id: first 12 hex digits of SHA-256 over probe id and version, parameters, model and data fingerprint, seed.
        items: how many items it gets.
        calls: about how many model calls it makes.
        sample: fingerprint of exactly the items it gets.
    """

    step_id: str
    probe: str
    version: int
    risk: str
    title: str
    parameters: Mapping[str, Any] = {}
    items: int
    calls: int
    sample: str
    own_texts: bool = False
    """It asks about texts of its own, and none of the data."""
    domains: tuple[str, ...] = ()
    """The other domains whose items it gets, besides those of the audit's own data."""
    limit: int | None = None
    """The most items it may get, of each domain if it compares domains: drawn by it, the sample is the same again. None
    in manifests that did not record it."""


class PlannedSkip(Frozen):
    """A probe of the suite that will not run, and why."""

    probe: str
    risk: str
    title: str
    skip: Skip


class Environment(Frozen):
    """Where a run took place."""

    tool: str
    python: str
    platform: str
    device: str
    device_name: str
    dtype: str
    threads: int
    packages: Mapping[str, str]


class Methodology(Frozen):
    """A probe's documentation as it stood when the run was made."""

    question: str
    measures: str
    why: str
    method: str
    limits: str
    references: str
    parts: Mapping[str, str] = {}
    """Of a method that is put together from several: name -> what it does."""


class Manifest(Frozen):
    """Everything needed to say what was run, and to run it again."""

    kind: Literal["manifest"] = "manifest"
    schema_version: int
    run_id: str
    created: str
    """UTC, ISO 8601, to the second."""
    command: tuple[str, ...]
    config: Mapping[str, Any]
    policy: str
    """Text of the policy as frozen before the first step."""
    policy_digest: str
    seed: int
    model: ModelCard
    data: DataCard
    domains: Mapping[str, DataCard] = {}
    """Data of other kinds, by name."""
    card: AuditCard = AuditCard()
    """What people declared."""
    environment: Environment
    steps: tuple[PlannedStep, ...]
    skips: tuple[PlannedSkip, ...]
    methodology: Mapping[str, Methodology]
    """Probe id -> documentation."""
    suite: str
    not_compared: str = ""
    """Why it is not compared with the model it was fine-tuned from, where that was asked for."""
    notes: tuple[str, ...] = ()
    """Sentences a reader must know (sample sizes cut by a time budget, remote code allowed, ...)."""

    @property
    def probes(self) -> frozenset[str]:
        """Ids of the probes that the run knows of, whether they ran or not."""
        planned, left_out = (step.probe for step in self.steps), (skip.probe for skip in self.skips)
        return frozenset((*planned, *left_out, *self.methodology))
