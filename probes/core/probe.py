"""What a probe is: something with `info` and `run`. Nothing to inherit.

A probe is a frozen dataclass whose fields are its parameters. It asks the model in bulk, and yields records; it never
touches a file, a device, a tensor, a clock or a global random state, and it never judges its own numbers.
"""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np

from probes.core import rng as _rng
from probes.core.answers import SEQUENCE_HEADS, ProblemType
from probes.core.examples import Example
from probes.core.model import Capability, ModelCard
from probes.core.records import Outcomes, Record, Skip

HEADINGS = ("Measures", "Why it matters", "Method", "Limits", "References")
_FIELDS = re.compile(r"^(?:Args|Attributes):", re.MULTILINE)
"""Begins what a docstring says to those who call the class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeDoc:
    """A probe's documentation, read from its docstring: `audit show` and the report's methodology print it.

    The docstring's first line is the question in plain words; then these headings, each on its own line as "Measures:".

    Attributes:
        parts: of a method that is put together from several (recipes of attack, registers): name -> what it does.
    """

    question: str
    measures: str
    why: str
    method: str
    limits: str
    references: str
    parts: Mapping[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> tuple[str, ...]:
        """All that it says."""
        told = (self.question, self.measures, self.why, self.method, self.limits, self.references)
        return (*told, *self.parts.values())

    @classmethod
    def parse(cls, docstring: str | None) -> ProbeDoc:
        """Read the headings.

        Raises:
            ValueError: when the docstring or one of the headings is missing.
        """
        text = _FIELDS.split(inspect.cleandoc(docstring or ""))[0]
        pattern = rf"^({'|'.join(HEADINGS)}):\s*"
        parts = re.split(pattern, text, flags=re.MULTILINE)
        sections = dict(zip(parts[1::2], parts[2::2], strict=True))
        missing = [heading for heading in HEADINGS if not sections.get(heading, "").strip()]
        if missing or not parts[0].strip():
            raise ValueError(f"docstring lacks {', '.join(missing) or 'the question in its first line'}")
        measures, why, method, limits, references = (" ".join(sections[h].split()) for h in HEADINGS)
        return cls(
            question=" ".join(parts[0].split()),
            measures=measures,
            why=why,
            method=method,
            limits=limits,
            references=references,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeInfo:
    """What the plan must know before a probe runs.

    Attributes:
        id: "<risk>.<name>", for plug-ins "<prefix>.<name>".
        version: raised when the same input may give other numbers.
        risk: the chapter of the report it belongs to.
        title: a few words for tables.
        calls: model calls for each item, for estimating the cost (the item's own text is shared and counts 1).
        needs: capabilities the model must have, whatever its head; empty where each of `problems` is asked its own way.
        gold: True when it is meaningless without right answers.
        groups: True when it is meaningless without a group column.
        data: False when it asks only about texts of its own, so that the audit's items do not matter.
        answers: False when it compares items among themselves and asks the model about a few of them at most.
        domains: True when it compares domains: after the audit's own items it gets as many of each other domain, which
            name theirs (`Example.domain`).
        harm: True when it is for classifiers whose positive class is a harm, False when for all others, None for any.
        problems: the kinds of heads it applies to; unless it says so, those that answer whole texts.
        chat: True when it is for models that are talked to: their tokenizer has a template for conversations.
        lacks: why it cannot run as it stands: the user has not named something that it is about. None: it can.
        searches: what it asks depends on the answers, round after round, so that only `calls` tells what it costs.
        asks_first: True when it yields its first record after its last question, so that a rehearsal can stop there.
    """

    id: str
    version: int
    risk: str
    title: str
    doc: ProbeDoc
    calls: float = 1.0
    needs: frozenset[Capability] = frozenset({Capability.CLASSIFY})
    gold: bool = False
    groups: bool = False
    data: bool = True
    answers: bool = True
    domains: bool = False
    harm: bool | None = None
    problems: frozenset[ProblemType] = SEQUENCE_HEADS
    chat: bool = False
    lacks: Skip | None = None
    searches: bool = False
    asks_first: bool = False


Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What surrounds one run of one probe.

    Attributes:
        probe: id of the probe, part of every derived seed.
        seed: of the audit.
        random_cases, worst_cases: how many cases to show as evidence.
        progress: may be told what a long probe is at, and how many of how many items are done with it.
    """

    probe: str
    seed: int = 0
    random_cases: int = 3
    worst_cases: int = 5
    progress: Progress = field(default=lambda what, done, total: None, compare=False, repr=False)

    def rng(self, *keys: str | int) -> random.Random:
        """A `random.Random` determined by the seed, the probe and the keys (usually the example id and k)."""
        return _rng.rng(self.seed, self.probe, *keys)

    def generator(self, *keys: str | int) -> np.random.Generator:
        """A numpy generator, likewise."""
        return _rng.generator(self.seed, self.probe, *keys)


def varied(probe: Probe, **values: Any) -> Probe:
    """The same probe with other values of some fields.

    Raises:
        TypeError, ValueError: for a field it does not have, or a value it refuses.
    """
    return replace(probe, **values)  # type: ignore[type-var]  # a Probe is a dataclass by contract


FOR_THE_RECORD = {"settable": False}
"""Metadata of a field that says what a probe was given, by name or digest: recorded like a parameter, not to be set."""


@runtime_checkable
class Particular(Protocol):
    """A probe some of whose parameters mean nothing to some models."""

    def require(self, card: ModelCard) -> None:
        """Refuse such a model, before anything is measured.

        Raises:
            UsageError: with what to write instead.
        """
        ...


@runtime_checkable
class Incomplete(Protocol):
    """A probe that may have to leave a part out, as is known before the model is loaded."""

    def left_out(self) -> Sequence[str]:
        """What it will leave out, why, and how to have it: a sentence each; none where it leaves out nothing."""
        ...


class Probe(Protocol):
    """One test. Implementations are frozen dataclasses; their fields are the parameters recorded in the plan."""

    @property
    def info(self) -> ProbeInfo: ...

    def run(self, model: Any, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Measure. `model` has the capabilities that `info.needs` names."""
        ...
