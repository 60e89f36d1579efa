"""What must hold for a model to be released: checks with thresholds, read from YAML.

    apiVersion: audit-policy/v1
    id: ticket-router-release
    version: "3"
    checks:
      - check: performance.quality.accuracy_over_majority
        min: 0
        level: block
        burden: prove_good
        required: true
        rationale: a model that does no better than the commonest label has learned nothing
        source: policy choice

`check` is "<risk>.<probe>.<measurement key>" in which only `*` is a wildcard: brackets, question marks and dots stand
for themselves. The first two parts never cross a dot. Where several checks match a measurement the last one in the file
decides, alone and as a whole, so exceptions go below rules and `level: off` takes a measurement out.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from probes.core.answers import ProblemType
from probes.core.errors import IntegrityError, PolicyError, did_you_mean
from probes.core.findings import Burden, Level
from probes.core.manifest import Manifest
from probes.core.records import ALPHAS, measurement_key
from probes.core.yaml_file import parse_yaml

DEFAULT = Path(__file__).parent / "policies" / "default.yaml"

_FORM = re.compile(r"(?P<probe>[^.\[\]]+\.[^.\[\]]+)\.(?P<key>.+)", re.DOTALL)


class Check(BaseModel):
    """One line of a policy.

    Attributes:
        check: which measurements, see above.
        minimum, maximum: the threshold (`min` and `max` in the file), exactly one of them unless the level is off. It
            counts as met where the value equals it.
        alpha: one-sided error rate of the decision.
        family: for prove_bad, checks corrected together (Holm); default the measurement's own family.
        required: when nothing that the check is about could be judged, the audit is incomplete.
        minimum_n: fewer independent items than this decide nothing.
        problems: kinds of heads the check is meant for.
        rationale, source: why this threshold, and where it comes from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    minimum: float | None = Field(default=None, alias="min", allow_inf_nan=False)
    maximum: float | None = Field(default=None, alias="max", allow_inf_nan=False)
    level: Level
    burden: Burden = Burden.PROVE_GOOD
    alpha: float = Field(default=0.05, ge=min(ALPHAS), le=0.5)
    family: str | None = Field(default=None, min_length=1)
    required: bool = False
    minimum_n: int = Field(default=1, ge=1)
    problems: frozenset[ProblemType] = frozenset(ProblemType)
    rationale: str = Field(min_length=1)
    source: str = Field(min_length=1)

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

    def matches_probe(self, probe: str) -> bool:
        """Is the probe one that the check is about."""
        wanted, given = self.probe.split("."), probe.split(".")
        return len(wanted) == len(given) and all(_glob(w, g) for w, g in zip(wanted, given, strict=True))

    def matches(self, probe: str, key: str) -> bool:
        """Is the measurement one that the check is about."""
        return self.matches_probe(probe) and _glob(self.key, key)

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
        return same_keys and _glob(bracket + wanted, measurement_key("", part))

    def covers(self, other: Check) -> bool:
        """Does this check decide whatever `other` would, when it stands below it."""
        return self.matches(other.probe, other.key) and self.problems >= other.problems


class _PolicyFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    api_version: Literal["audit-policy/v1"] = Field(alias="apiVersion")
    id: str = Field(min_length=1)
    version: str = Field(min_length=1)
    title: str = ""
    checks: tuple[Check, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Policy:
    """A policy as read: its text, and what it says.

    Attributes:
        text: as in the file; it is frozen with the run.
        file: the parsed content.
        name: path or other name, for messages.
    """

    text: str
    file: _PolicyFile
    name: str

    @property
    def id(self) -> str:
        """Id and version, as findings name it."""
        return f"{self.file.id} {self.file.version}"

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks in the order of the file."""
        return self.file.checks

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the policy says; comments and layout do not count."""
        content = self.file.model_dump(mode="json", by_alias=True)
        for check in content["checks"]:
            check["problems"].sort()
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def active(self, problem: ProblemType) -> tuple[Check, ...]:
        """The checks meant for this kind of head that no later one replaces as a whole."""
        meant = [check for check in self.checks if problem in check.problems]
        return tuple(
            check for place, check in enumerate(meant) if not any(later.covers(check) for later in meant[place + 1 :])
        )

    def require_known(self, probes: Iterable[str]) -> None:
        """Refuse checks about probes that do not exist.

        Raises:
            PolicyError: with the closest names.
        """
        known = sorted(set(probes))
        for check in self.checks:
            if not any(check.matches_probe(probe) for probe in known):
                raise PolicyError(
                    f"{self.name}: the check {check.check!r} matches no probe", hint=did_you_mean(check.probe, known)
                )


def load_policy(path: Path | None) -> Policy:
    """Read the policy at `path`, or the one that comes with the package.

    Raises:
        PolicyError: naming file and line, when it cannot be read or does not make sense.
    """
    path, name = (DEFAULT, "the built-in policy") if path is None else (path, str(path))
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(
            f"cannot read the policy {path}: {error.strerror}", hint="check the path given with --policy"
        ) from None
    except UnicodeDecodeError:
        raise PolicyError(f"the policy {path} is not UTF-8 text", hint="save it as UTF-8") from None
    return parse_policy(text, name=name)


def parse_policy(text: str, *, name: str) -> Policy:
    """Likewise for text; `name` stands for the file in messages."""
    return Policy(text=text, file=parse_yaml(text, _PolicyFile, name=name, error=PolicyError), name=name)


def frozen_policy(manifest: Manifest) -> Policy:
    """The policy that was frozen before the run's first step.

    Raises:
        IntegrityError: when its text does not have the digest recorded beside it.
    """
    try:
        policy = parse_policy(manifest.policy, name="the policy in the manifest")
    except PolicyError as error:
        raise IntegrityError(
            error.message, hint="the manifest was changed after the run: run the audit again"
        ) from None
    if policy.digest != manifest.policy_digest:
        raise IntegrityError(
            "the policy in the manifest is not the one the run was made under",
            hint="run the audit again, or judge by a policy of your choice with --policy",
        )
    return policy


def _part(check: str, name: str) -> str:
    match = _FORM.fullmatch(check)
    assert match is not None  # validated
    return match[name]


def _glob(pattern: str, text: str) -> bool:
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None
