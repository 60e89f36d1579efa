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

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from audits.policy.checks import Check
from audits.policy.extension import Place, read_source
from audits.policy.file import MOST_DAYS, PolicyFile
from audits.policy.presets import PRESETS, preset_path
from audits.policy.published import ON_REQUEST, PUBLISHED
from audits.policy.text import written
from probes.core.answers import ProblemType
from probes.core.comparison import SUFFIX
from probes.core.errors import IntegrityError, PolicyError, did_you_mean
from probes.core.manifest import Manifest
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
    """

    text: str
    file: PolicyFile
    name: str
    lines: tuple[int, ...]
    places: tuple[Place, ...]

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
            raise PolicyError(
                f"{self.name} expired on {self.file.expires}", hint="have it reviewed, and give it a later date"
            )

    def line_of(self, check: Check) -> int | None:
        """Line of a check in the text, counted from 1; of equal ones the last, and None for one of another policy."""
        lines = [line for line, own in zip(self.lines, self.checks, strict=True) if own == check]
        return lines[-1] if lines else None

    @property
    def effective(self) -> tuple[Check, ...]:
        """The checks that no later one replaces as a whole."""
        return _not_replaced(self.checks)

    def active(self, problem: ProblemType) -> tuple[Check, ...]:
        """The checks meant for this kind of head that no later one replaces as a whole."""
        return _not_replaced([check for check in self.checks if problem in check.problems])

    def deciding(self, probe: str, key: str, problem: ProblemType) -> Check | None:
        """The check that decides about a measurement: the last one that matches it.

        A wildcard for the run's own numbers does not reach those against a baseline, whose limits are margins.
        """
        compared = SUFFIX in key
        meant = (check for check in reversed(self.checks) if problem in check.problems)
        return next((c for c in meant if c.needs_baseline == compared and c.matches(probe, key)), None)

    def require_known(self, probes: Iterable[str], *, published: Mapping[str, frozenset[str]] = PUBLISHED) -> None:
        """Refuse checks about probes that do not exist, or about numbers that none of them publishes.

        Args:
            probes: ids of those that exist; those that only some runs ask for exist too.
            published: the names of all numbers of a probe, where they are known.

        Raises:
            PolicyError: with the line and the closest names.
        """
        known = sorted({*probes, *ON_REQUEST})
        for check, place in zip(self.checks, self.places, strict=True):
            named = [probe for probe in known if check.matches_probe(probe)]
            if not named:
                raise PolicyError(
                    f"{place}: the check {check.check!r} matches no probe", hint=did_you_mean(check.probe, known)
                )
            _require_published(check, place, named, published)


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
    return parse_policy(text, name=name, folder=path.parent, above=(str(path.resolve()),))


def parse_policy(text: str, *, name: str, folder: Path | None = None, above: tuple[str, ...] = ()) -> Policy:
    """Likewise for text; `name` stands for the file in messages, `folder` is where relative paths lead from."""
    source = read_source(text, name=name, folder=folder, above=above)
    if not source.extended:
        lines = tuple(place.line for place in source.places)
        return Policy(text=text, file=source.file, name=name, lines=lines, places=source.places)
    text = written(source.file)
    located = parse_located(text, PolicyFile, name=name, error=PolicyError)
    lines = tuple(located.line("checks", row) for row in range(len(source.file.checks)))
    return Policy(text=text, file=source.file, name=name, lines=lines, places=source.places)


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


def _not_replaced(checks: Sequence[Check]) -> tuple[Check, ...]:
    return tuple(
        check for place, check in enumerate(checks) if not any(later.covers(check) for later in checks[place + 1 :])
    )


def _require_published(
    check: Check, place: Place, probes: Iterable[str], published: Mapping[str, frozenset[str]]
) -> None:
    """Refuse a name that none of the probes publishes; a probe whose numbers are not known may publish any."""
    names: set[str] = set()
    for probe in probes:
        if probe not in published:
            return
        names |= published[probe]
    if not any(check.may_name(name) for name in names):
        raise PolicyError(
            f"{place}: the check {check.check!r} matches no measurement",
            hint=did_you_mean(check.key.split("[")[0], names),
        )
