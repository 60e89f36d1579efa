"""One line of a policy: which measurements, which threshold, who must prove what, and who says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic.config import JsonDict

from audits.policy.words import Said
from probes.core import patterns
from probes.core.answers import ProblemType
from probes.core.comparison import SUFFIX
from probes.core.findings import Burden, Level
from probes.core.records import ALPHAS, measurement_key

_FORM = re.compile(r"(?P<probe>[^.\[\]]+\.[^.\[\]]+)\.(?P<key>.+)", re.DOTALL)

_ONE_THRESHOLD: JsonDict = {
    "if": {"properties": {"level": {"const": "off"}}, "required": ["level"]},
    "else": {
        "oneOf": [
            {"properties": {bound: {"type": "number"}}, "required": [bound], "not": {"required": [other]}}
            for bound, other in (("min", "max"), ("max", "min"))
        ]
    },
}
"""What `Check` says about its threshold, for editors."""


class Check(BaseModel):
    """A check: a threshold for the measurements that it names."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        title="Check",
        json_schema_extra=_ONE_THRESHOLD,
    )

    check: str = Field(json_schema_extra={"pattern": r"^[^.\[\]]+\.[^.\[\]]+\.[\s\S]+$"})
    """Which measurements: "<risk>.<probe>.<measurement key>", in which only `*` is a wildcard."""
    minimum: float | None = Field(default=None, alias="min", allow_inf_nan=False, strict=True)
    """The least that is accepted; the value itself is."""
    maximum: float | None = Field(default=None, alias="max", allow_inf_nan=False, strict=True)
    """The most that is accepted; the value itself is. A check has either min or max, unless its level is off."""
    level: Level
    """What it does to the verdict where it does not pass: block, warn, info, or off (the measurement is not judged)."""
    burden: Burden = Burden.PROVE_GOOD
    """prove_good passes only what is shown to keep the threshold; prove_bad fails only what is shown to break it."""
    alpha: float = Field(default=0.05, ge=min(ALPHAS), le=0.5, strict=True)
    """One-sided error rate of the decision."""
    family: str | None = Field(default=None, min_length=1)
    """For prove_bad, the checks that are corrected together (Holm); by default the measurement's own family."""
    required: bool = Field(default=False, strict=True)
    """Where nothing that the check is about could be judged, the audit is incomplete."""
    minimum_n: int = Field(default=1, ge=1, strict=True)
    """Fewer independent items than this decide nothing."""
    max_mde: float | None = Field(default=None, gt=0, allow_inf_nan=False, strict=True)
    """The smallest effect that the data must be able to show (with power 0.8, in the unit of the measurement): where
    they can only show larger ones, a pass becomes inconclusive."""
    problems: frozenset[ProblemType] = Field(
        default=frozenset(ProblemType), json_schema_extra={"default": [str(problem) for problem in sorted(ProblemType)]}
    )
    """The kinds of heads that the check is meant for; all by default."""
    rationale: Said
    """Why this threshold."""
    source: Said
    """Where the threshold comes from: a publication, a decision, a memo."""
    approver: Said | None = None
    """Who agreed to this threshold."""
    approved_on: date | None = None
    """When, as YYYY-MM-DD."""

    @field_validator("check")
    @classmethod
    def _has_three_parts(cls, check: str) -> str:
        if not _FORM.fullmatch(check):
            raise ValueError("write it as risk.probe.measurement, for example performance.quality.accuracy")
        return check

    @model_validator(mode="after")
    def _has_one_threshold(self) -> Check:
        if (self.minimum is None) == (self.maximum is None) and self.level is not Level.OFF:
            raise ValueError(f"{self.check} needs either min or max")
        return self

    @property
    def probe(self) -> str:
        """The part that names probes."""
        return _part(self.check, "probe")

    @property
    def key(self) -> str:
        """The part that names measurements."""
        return _part(self.check, "key")

    @property
    def threshold(self) -> float:
        """The limit, whichever side it is on; of a check that is not off."""
        limit = self.minimum if self.maximum is None else self.maximum
        assert limit is not None  # validated
        return limit

    @property
    def needs_baseline(self) -> bool:
        """Is it about the change since a baseline."""
        return SUFFIX in self.key

    def matches_probe(self, probe: str) -> bool:
        """Is the probe one that the check is about."""
        return _names(self.probe, probe)

    def matches(self, probe: str, key: str) -> bool:
        """Is the measurement one that the check is about."""
        return self.matches_probe(probe) and patterns.matches(self.key, key)

    @property
    def name(self) -> str:
        """The part that names measurements without their slices."""
        name = self.key.split("[")[0]
        return name.split("*")[0] + "*" if re.search(r"[^\w*]", name) else name  # a `*` that runs on into a slice

    def may_name(self, measurement: str) -> bool:
        """Could the check be about this measurement or a slice of it, going by the name alone."""
        return patterns.matches(self.name, measurement)

    def whole_name(self) -> Check:
        """The same check about a measurement as a whole, whatever slices it names."""
        return self.model_copy(update={"check": self.check.split("[")[0]})

    def matches_slice(self, part: Mapping[str, str]) -> bool:
        """Is the check about this slice, of whatever measurement. A `*` for one key does not stand for further keys."""
        _, bracket, wanted = self.key.partition("[")
        if not bracket:
            return self.key.endswith("*")
        keys = re.findall(r"(?:^|,)(\w+)=", wanted)
        same_keys = not keys or set(keys) == set(part)
        return same_keys and patterns.matches(bracket + wanted, measurement_key("", part))

    def covers(self, other: Check, *, probe: str = "", key: str = "") -> bool:
        """Does this check decide whatever `other` would, when it stands below it.

        Args:
            probe, key: the number in question; by default all that `other` is about.
        """
        alike = self.needs_baseline == other.needs_baseline and self.problems >= other.problems
        return alike and self.matches(probe or other.probe, key or other.key)


@lru_cache(maxsize=65536)  # every measurement is asked about with every check, and there are few probes
def _names(pattern: str, probe: str) -> bool:
    """Does the pattern match the probe part by part."""
    wanted, given = pattern.split("."), probe.split(".")
    return len(wanted) == len(given) and all(patterns.matches(w, g) for w, g in zip(wanted, given, strict=True))


@lru_cache(maxsize=4096)
def _part(check: str, name: str) -> str:
    match = _FORM.fullmatch(check)
    assert match is not None  # validated
    return match[name]
