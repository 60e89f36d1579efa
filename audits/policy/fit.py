"""Does every check name something that is measured, with a limit that can be meant: refused before anything is run.

`audit policy lint`, `audit policy plan`, `audit run` and `audit gate` with another policy all ask here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from audits.policy.checks import Check
from audits.policy.coverage import Coverage
from audits.policy.extension import Place
from audits.policy.limits import misplaced
from audits.policy.policy import Policy
from audits.policy.published import ON_REQUEST, PUBLISHED, SLICES, USER_METRIC, Number
from audits.policy.slices import malformed, unknown
from probes.core.answers import ProblemType
from probes.core.comparison import SUFFIX
from probes.core.errors import PolicyError, did_you_mean
from probes.core.findings import Level
from probes.core.records import Measurement, Skip
from probes.core.run_folder import RunFolder

_OUT_OF_A_WILDCARD = "name the numbers that it is meant for, or add a check below that decides about this one"


def require_fit(
    policy: Policy, probes: Iterable[str], *, published: Mapping[str, Mapping[str, Number]] = PUBLISHED
) -> None:
    """Refuse checks about what does not exist or cannot be so, as far as it is known before anything is measured.

    Args:
        probes: ids of the probes that exist; those that only some runs ask for exist too.
        published: what they publish; of a probe that is missing here, nothing is known.

    Raises:
        PolicyError: naming file and line, with what may have been meant.
    """
    policy.require_known(probes)
    numbers = Numbers(sorted({*probes, *ON_REQUEST}), published)
    coverage = Coverage(policy.checks)
    for row, (check, place) in enumerate(zip(policy.checks, policy.places, strict=True)):
        wrong = malformed(check.key)
        if wrong:
            raise PolicyError(f"{place}: the check {check.check!r}: {wrong}", hint="write it as name[key=value]")
        named = numbers.of(check)
        if named.all_known:
            _require_named(check, place, named)
            _require_slice(check, place, named)
        _require_limit(row, check, place, named, coverage)


def before_a_run(policy: Policy, probes: Iterable[str]) -> list[str]:
    """The probes that a policy may be about: those that exist, and the user's own metrics that a run may ask for."""
    metrics = {check.probe for check in policy.checks if check.probe.startswith(USER_METRIC)}
    return [*probes, *metrics]


def require_fit_to_run(policy: Policy, run: RunFolder, *, probes: Iterable[str] = ()) -> None:
    """Likewise beside a run, whose numbers count as well: an old one may hold some that no probe publishes any more.

    Args:
        probes: ids of probes that the policy may be about besides those of the run.

    Raises:
        PolicyError: as `require_fit`.
        UsageError: when it is no run folder.
        IntegrityError: when it is damaged.
    """
    manifest = run.manifest()
    known = {probe: dict(numbers) for probe, numbers in PUBLISHED.items()}
    for step in manifest.steps:
        result = run.step(step.step_id)
        for record in result.records if result and step.probe in known else ():
            if isinstance(record, Measurement | Skip) and record.name:
                known[step.probe].setdefault(record.name, Number(None, None))
    require_fit(policy, {*probes, *manifest.probes}, published=known)


@dataclass(frozen=True, slots=True)
class Named:
    """The numbers that a check may be about.

    Attributes:
        numbers: those of its name, where they are known.
        others: the other names that its probes publish.
        all_known: False where one of its probes may publish any.
    """

    numbers: tuple[tuple[str, str, Number], ...]
    others: frozenset[str]
    all_known: bool


class Numbers:
    """What the probes publish; the same question is answered once."""

    def __init__(self, probes: Sequence[str], published: Mapping[str, Mapping[str, Number]]) -> None:
        self._probes = probes
        self._published = published
        self._found: dict[tuple[str, str], Named] = {}

    def of(self, check: Check) -> Named:
        """The numbers that the check may be about."""
        asked = check.probe, check.name
        if asked not in self._found:
            self._found[asked] = self._look(check)
        return self._found[asked]

    def _look(self, check: Check) -> Named:
        probes = [probe for probe in self._probes if check.matches_probe(probe)]
        every = [(probe, *each) for probe in probes for each in self._published.get(probe, {}).items()]
        named = tuple(each for each in every if check.may_name(each[1]))
        others = frozenset(name for _, name, _ in every) - {name for _, name, _ in named}
        return Named(named, others, all(probe in self._published for probe in probes))


def _require_named(check: Check, place: Place, named: Named) -> None:
    if not named.numbers:
        raise PolicyError(
            f"{place}: the check {check.check!r} matches no measurement", hint=did_you_mean(check.name, named.others)
        )


def _require_slice(check: Check, place: Place, named: Named) -> None:
    """Refuse keys that no number of these probes is divided by; those of a comparison are the variants of a probe."""
    probes = {probe for probe, name, _ in named.numbers if SUFFIX not in name}
    if not probes or "[" not in check.key:
        return
    wrong = unknown(check.key, frozenset[str]().union(*(SLICES[probe] for probe in probes)))
    if wrong:
        raise PolicyError(f"{place}: the check {check.check!r}: {wrong[0]}", hint=wrong[1])


def _require_limit(row: int, check: Check, place: Place, named: Named, coverage: Coverage) -> None:
    """Refuse a limit that cannot have been meant for a number, unless a later check decides about that number.

    A wildcard for some kinds of heads only is left alone while it is right for one of the names: the others may be
    published for other heads.
    """
    if check.level is Level.OFF:
        return
    own = [each for each in named.numbers if (SUFFIX in each[1]) == check.needs_baseline]
    wrong = [(probe, name, told) for probe, name, number in own if (told := _misplaced(check, probe, name, number))]
    if "*" in check.name and check.problems != frozenset(ProblemType) and len(wrong) < len(own):
        return
    _, bracket, part = check.key.partition("[")
    for probe, name, (message, hint) in wrong:
        if coverage.replaced_by(row, probe=probe, key=name + bracket + part) is None:
            raise PolicyError(f"{place}: {message}", hint=_OUT_OF_A_WILDCARD if "*" in check.name else hint)


def _misplaced(check: Check, probe: str, name: str, number: Number) -> tuple[str, str] | None:
    return misplaced(check, f"{probe}.{name}", better=number.better, unit=number.unit)
