"""What must hold for a model to be released: checks with thresholds, read from YAML.

    apiVersion: audit-policy/v1
    id: ticket-router-release
    version: "3"
    extends: release
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
decides, alone and as a whole, so exceptions go below rules and `level: off` takes a measurement out. The checks of a
policy that is extended come before all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

from audits.policy.checks import Check
from audits.policy.coverage import effective
from audits.policy.extension import Place, read_source
from audits.policy.file import MOST_DAYS, PolicyFile
from audits.policy.presets import PRESETS, preset_path
from audits.policy.published import ON_REQUEST
from audits.policy.text import written
from probes.core.answers import ProblemType
from probes.core.comparison import SUFFIX
from probes.core.errors import IntegrityError, PolicyError, did_you_mean
from probes.core.manifest import WRITTEN_OUT, Manifest
from probes.core.yaml_file import parse_located

__all__ = ["DEFAULT", "MOST_DAYS", "Check", "Policy", "frozen_policy", "load_policy", "parse_policy"]

DEFAULT = preset_path("default")


@dataclass(frozen=True)
class Policy:
    """A policy as read: its text, and what it says.

    Attributes:
        text: as in the file; where the file extends another, a text that says the same on its own. It is frozen with
            the run, and gives the same policy wherever it is read.
        file: the parsed content; it extends nothing.
        name: path or other name, for messages.
        lines: where each check stands in `text`, counted from 1.
        places: where people wrote each check.
        path: of the file that `lines` are counted in, relative to where the command was given; "" where there is none:
            a preset, a policy that extends another, a file outside.
        expires: where people wrote the date of expiry; None without any.
    """

    text: str
    file: PolicyFile
    name: str
    lines: tuple[int, ...]
    places: tuple[Place, ...]
    path: str = ""
    expires: Place | None = None

    @property
    def id(self) -> str:
        """Id and version, as findings name it."""
        return f"{self.file.id} {self.file.version}"

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks in their order."""
        return self.file.checks

    @property
    def non_waivable(self) -> tuple[str, ...]:
        """Patterns of checks for which no exception is allowed."""
        return self.file.non_waivable

    @property
    def max_waiver_days(self) -> int:
        """How long an exception may last."""
        return self.file.max_waiver_days

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what the policy says; comments and layout do not count."""
        return self.file.digest

    def require_current(self, on: date) -> None:
        """Refuse a policy that has expired.

        Raises:
            PolicyError: saying when.
        """
        if self.file.expires and on > self.file.expires:
            elsewhere = self.expires is not None and self.expires.name != self.name
            told = f", as {self.expires} says" if elsewhere else ""
            raise PolicyError(
                f"{self.name} expired on {self.file.expires}{told}", hint="have it reviewed, and give it a later date"
            )

    def line_of(self, check: Check) -> int | None:
        """Line of a check in the text, counted from 1; of equal ones the last, and None for one of another policy."""
        return self._line_by_check.get(check)

    @cached_property
    def _line_by_check(self) -> Mapping[Check, int]:
        return dict(zip(self.checks, self.lines, strict=True))

    @cached_property
    def effective(self) -> tuple[Check, ...]:
        """The checks that no later one replaces as a whole."""
        return effective(self.checks)

    def active(self, problem: ProblemType) -> tuple[Check, ...]:
        """The checks meant for this kind of head that no later one replaces as a whole."""
        return effective([check for check in self.checks if problem in check.problems])

    def deciding(self, probe: str, key: str, problem: ProblemType) -> Check | None:
        """The check that decides about a measurement: the last one that matches it.

        A wildcard for the run's own numbers does not reach those against a baseline, whose limits are margins.
        """
        compared = SUFFIX in key
        meant = (check for check in reversed(self.checks) if problem in check.problems)
        return next((c for c in meant if c.needs_baseline == compared and c.matches(probe, key)), None)

    def require_known(self, probes: Iterable[str]) -> None:
        """Refuse checks about probes that do not exist.

        Args:
            probes: ids of those that exist; those that only some runs ask for exist too.

        Raises:
            PolicyError: with the line and the closest names.
        """
        known = sorted({*probes, *ON_REQUEST})
        found: set[str] = set()
        for check, place in zip(self.checks, self.places, strict=True):
            if check.probe not in found and not any(check.matches_probe(probe) for probe in known):
                raise PolicyError(
                    f"{place}: the check {check.check!r} matches no probe", hint=did_you_mean(check.probe, known)
                )
            found.add(check.probe)


def load_policy(path: Path | None) -> Policy:
    """Read the policy at `path`, the preset of this name where there is no such file, or the default one.

    Raises:
        PolicyError: naming file and line, when it cannot be read or does not make sense.
    """
    name = "default" if path is None else str(path)
    if path is None or (name in PRESETS and not path.exists()):
        title = "the built-in policy" if name == "default" else f"the built-in policy {name}"
        return parse_policy(preset_path(name).read_text(encoding="utf-8"), name=title)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyError(
            f"cannot read the policy {path}: {error.strerror}",
            hint=f"check the path given with --policy, or name a preset: {', '.join(PRESETS)}",
        ) from None
    except UnicodeDecodeError:
        raise PolicyError(f"the policy {path} is not UTF-8 text", hint="save it as UTF-8") from None
    policy = parse_policy(text, name=name, folder=path.parent, above=(str(path.resolve()),))
    return from_file(policy, path)


def from_file(policy: Policy, path: Path) -> Policy:
    """The policy with the path of the file it was read from, where that is the text whose lines are counted."""
    place, here = path.resolve(), Path.cwd().resolve()
    if policy.text.startswith(WRITTEN_OUT) or not place.is_relative_to(here):
        return policy
    return replace(policy, path=place.relative_to(here).as_posix())


def parse_policy(text: str, *, name: str, folder: Path | None = None, above: tuple[str, ...] = ()) -> Policy:
    """Likewise for text; `name` stands for the file in messages, `folder` is where relative paths lead from."""
    source = read_source(text, name=name, folder=folder, above=above)
    if not source.extended:
        lines = tuple(place.line for place in source.places)
        return Policy(text=text, file=source.file, name=name, lines=lines, places=source.places, expires=source.expires)
    text = written(source.file)
    located = parse_located(text, PolicyFile, name=name, error=PolicyError)
    lines = tuple(located.line("checks", row) for row in range(len(source.file.checks)))
    return Policy(text=text, file=source.file, name=name, lines=lines, places=source.places, expires=source.expires)


def frozen_policy(manifest: Manifest) -> Policy:
    """The policy that was frozen before the run's first step.

    Raises:
        IntegrityError: when its text does not have the digest recorded beside it.
    """
    try:
        policy = _frozen(manifest.policy)
    except PolicyError as error:
        raise IntegrityError(
            error.message, hint="the manifest was changed after the run: run the audit again"
        ) from None
    if policy.digest != manifest.policy_digest:
        raise IntegrityError(
            "the policy in the manifest is not the one the run was made under",
            hint="the manifest was changed after the run: run the audit again",
        )
    given = manifest.config.get("policy")
    return from_file(policy, Path(given)) if isinstance(given, str) and given not in PRESETS else policy


@lru_cache(maxsize=1)  # whoever judges, records or verifies a run asks for the same one
def _frozen(text: str) -> Policy:
    return parse_policy(text, name="the policy in the manifest")
