"""What probes publish. These models are the published schema of a run folder: change them only with SCHEMA_VERSION.

A step file is JSON lines; `kind` says which model a line is. Numbers are never NaN or infinite: what could not be
measured is a Skip with its reason, never a number.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

SCHEMA_VERSION = 4

VALUE = "value."
"""How the columns of further numbers begin."""

ALPHAS = (0.1, 0.05, 0.025, 0.01, 0.005, 0.0025, 0.001)
"""The one-sided error rates at which every estimate carries its bounds, so that a policy may choose any of them, and a
correction for several checks can be made, without going back to the items."""


class Frozen(BaseModel):
    """Base of the schema: immutable, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Better(StrEnum):
    """Which direction of a number is good."""

    LOWER = "lower"
    HIGHER = "higher"
    CONTEXT = "context"
    """Neither: the number is there to read others by (a baseline, a share)."""


class Unit(StrEnum):
    """How a number is to be printed."""

    PROPORTION = "proportion"
    """0 to 1, shown as a percentage."""
    DIFFERENCE = "difference"
    """Of two proportions, -1 to 1, shown in percentage points."""
    SCORE = "score"
    """A plain number."""


class Tail(Frozen):
    """One-sided bounds: below `low` (or above `high`) with error rate `alpha` each."""

    alpha: float
    low: float
    high: float


class Estimate(Frozen):
    """A number with its uncertainty. `low` and `high` are the two-sided interval at `level`.

    Attributes:
        n: items it rests on.
        clusters: independent groups of items; equals n when items are independent.
        method: how the interval was made ("wilson", "cluster bootstrap (BCa, 2000)").
        estimand: "population" (items like these) or "fixed_set" (exactly these).
        tails: one-sided bounds at ALPHAS, for the gate.
    """

    value: float
    low: float
    high: float
    level: float = 0.95
    n: int = Field(ge=1)
    clusters: int = Field(ge=1)
    method: str
    estimand: Literal["population", "fixed_set"] = "population"
    tails: tuple[Tail, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> Estimate:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"estimate {self.value} outside its interval [{self.low}, {self.high}]")
        return self

    def tail(self, alpha: float) -> Tail:
        """The one-sided bounds at error rate `alpha`, or at the next stricter one on record.

        Raises:
            ValueError: when no bound this strict is on record.
        """
        usable = [tail for tail in self.tails if tail.alpha <= alpha or math.isclose(tail.alpha, alpha)]
        if not usable:
            raise ValueError(f"no bound at alpha {alpha} on record (strictest: {min(ALPHAS)})")
        return max(usable, key=lambda tail: tail.alpha)


class Measurement(Frozen):
    """One number, without judgement.

    Attributes:
        name: in snake case, unique within the probe and slice ("flip_rate").
        title: for people ("share of answers that changed").
        slice: which part of the data or which setting ({"severity": "2"}, {"gender": "f"}); empty for the whole.
        family: measurements that answer one question together, for multiplicity; default the probe's own id.
    """

    kind: Literal["measurement"] = "measurement"
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    estimate: Estimate
    better: Better
    unit: Unit
    slice: Mapping[str, str] = {}
    family: str | None = None

    @property
    def key(self) -> str:
        """`name`, or `name[a=1,b=x]` for a slice."""
        return measurement_key(self.name, self.slice)


def measurement_key(name: str, part: Mapping[str, str]) -> str:
    """The text by which policies and reports name a measurement within its probe."""
    if not part:
        return name
    return f"{name}[{','.join(f'{k}={v}' for k, v in sorted(part.items()))}]"


class Point(Frozen):
    """One point of a curve; `label` replaces the number on the axis where it reads better."""

    x: float
    y: Estimate
    label: str | None = None


class Curve(Frozen):
    """Points to be drawn together: a severity curve, a reliability diagram, a risk-coverage curve.

    Attributes:
        connected: False where nothing lies between two points (kinds of text): they are drawn without a line.
        logarithmic: True where places grow by a factor (queries allowed): the horizontal axis is, if all are above 0.
    """

    kind: Literal["curve"] = "curve"
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    x_title: str
    y_title: str
    unit: Unit
    points: tuple[Point, ...]
    reference: Literal["none", "diagonal"] = "none"
    connected: bool = True
    logarithmic: bool = False
    slice: Mapping[str, str] = {}


class WordWeight(Frozen):
    """How much the word `texts[part][start:end]` pushed the answer: positive towards it, negative away from it.

    Where the note of the case names another label, towards that one.
    """

    part: int = Field(ge=0)
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    weight: float


class Shown(Frozen):
    """A text as the model read it, and what it answered. Both parts of a pair are kept.

    Attributes:
        words: of an explained text, the weight of each word that was read, in reading order; else empty.
    """

    texts: tuple[str, ...]
    answer: str
    confidence: float | None = None
    words: tuple[WordWeight, ...] = ()


class Evidence(Frozen):
    """A concrete case. Random cases come before the worst ones, so that the reader sees the ordinary first."""

    kind: Literal["evidence"] = "evidence"
    example_id: str
    chosen: Literal["random", "worst"]
    shown: tuple[Shown, ...] = Field(min_length=1, max_length=2)
    """One case, or before and after."""
    gold: str | None = None
    note: str = ""
    content_note: str = ""
    """Why the texts may harm a reader ("hateful language"); such a case is shown on request only. Listed words are
    masked wherever they stand, with or without this note."""
    slice: Mapping[str, str] = {}


class Accounting(Frozen):
    """How many items went in and what became of them, so that "0 failures" can never mean "0 tests".

    eligible >= perturbed >= kept >= scored; for probes that perturb nothing, perturbed and kept are None.
    """

    kind: Literal["accounting"] = "accounting"
    eligible: int = Field(ge=0)
    perturbed: int | None = Field(default=None, ge=0)
    kept: int | None = Field(default=None, ge=0)
    scored: int = Field(ge=0)
    unscored: int = Field(default=0, ge=0)
    tied: int = Field(default=0, ge=0)
    """Scored, but on a margin within numerical noise; counted as unchanged."""
    errors: int = Field(default=0, ge=0)
    note: str = ""
    slice: Mapping[str, str] = {}


class SkipReason(StrEnum):
    """Why something was not measured."""

    NO_GOLD = "no_gold"
    NO_GROUPS = "no_groups"
    NO_DOMAINS = "no_domains"
    NO_TEXTS = "no_texts"
    """Texts that only the user can name, such as those a model was trained on, are not given."""
    NO_CAPABILITY = "no_capability"
    NOT_BY_ENGINE = "not_by_engine"
    """The engine that was chosen cannot ask it of the model; another one can."""
    WRONG_PROBLEM = "wrong_problem"
    TOO_FEW = "too_few"
    WRONG_PROFILE = "wrong_profile"
    """The model looks, or does not look, for harm in texts."""
    NO_POSITIVE_CLASS = "no_positive_class"
    NOTHING_PERTURBED = "nothing_perturbed"
    UNDEFINED = "undefined"
    NO_RESOURCE = "no_resource"
    """Something that it works with, such as a lexicon or word vectors, is not there."""
    NOT_SELECTED = "not_selected"
    PLUGIN_BROKEN = "plugin_broken"

    @property
    def applicable(self) -> bool:
        """False where the measurement makes no sense for this model; True where it only lacks something."""
        return self not in (SkipReason.NO_CAPABILITY, SkipReason.WRONG_PROBLEM, SkipReason.WRONG_PROFILE)


class Skip(Frozen):
    """Something that was not measured: a visible row in the report."""

    kind: Literal["skip"] = "skip"
    reason: SkipReason
    detail: str
    """One sentence for the reader."""
    enable: str = ""
    """The flag or change that would make it run, if there is one."""
    name: str | None = None
    """The measurement that is missing; None when it is the whole probe."""
    slice: Mapping[str, str] = {}


class WordList(Frozen):
    """Words a probe worked with, and where they come from, so that a reader can judge the choice.

    Attributes:
        title: what the words are ("Religion", "First names").
        groups: a group in words -> its words or names, the usual form first, none twice, in the order of the file.
        source: as the file says.
        licence, language: of the file ("Apache-2.0", "en").
    """

    kind: Literal["words"] = "words"
    title: str
    groups: Mapping[str, tuple[str, ...]]
    source: str
    licence: str
    language: str


class StepEnd(Frozen):
    """Last line of a step file: a file without it was cut short."""

    kind: Literal["end"] = "end"
    status: Literal["done", "failed"]
    records: int
    """Lines before this one."""
    items: int
    """Rows of the Parquet file beside it; 0 when there is none."""
    error: str = ""
    """For a failed step: the exception in one line."""
    traceback: str = ""


Record = Measurement | Curve | Evidence | Accounting | Skip | WordList
"""What goes into the JSON lines."""

Line = Annotated[Record | StepEnd, Field(discriminator="kind")]
_LINE: TypeAdapter[Line] = TypeAdapter(Line)


def to_line(record: Record | StepEnd) -> str:
    """One JSON line, keys in schema order."""
    return record.model_dump_json()


def from_line(line: str) -> Record | StepEnd:
    """The record of one JSON line.

    Raises:
        pydantic.ValidationError: for an unknown kind, a missing or unknown key.
    """
    return _LINE.validate_json(line)


@dataclass(frozen=True, kw_only=True)
class Outcomes:
    """What happened to each item, in columns of equal length; the rows of a step's Parquet file.

    Later runs pair on (example_id, variant). Missing values are None.
    """

    example_id: Sequence[str]
    cluster: Sequence[str]
    variant: Sequence[str]
    """Which variant of the example: "" for the text itself, "severity=2" for a perturbed one."""
    after: Sequence[str]
    """The answer to this variant."""
    before: Sequence[str | None]
    """The answer to the text itself, where there is a variant."""
    gold: Sequence[str | None]
    correct: Sequence[bool | None]
    changed: Sequence[bool | None]
    score: Sequence[float | None]
    """Probability of the answer given (classification) or the value (regression)."""
    values: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    """Further numbers of each row, by name. One that is called as a number of the probe, with the keys of its slice
    that the variants do not name, says what that number is the mean of, over the rows that have it. The others are
    parts of numbers that are no means. In the file they are called "value.NAME"."""

    def __len__(self) -> int:
        return len(self.example_id)

    def columns(self) -> Iterator[tuple[str, Sequence[object]]]:
        """(name, values) for each column, in schema order, then the further numbers."""
        for column in fields(self):
            if column.name != "values":
                yield column.name, getattr(self, column.name)
        for name, values in self.values.items():
            yield f"{VALUE}{name}", values
