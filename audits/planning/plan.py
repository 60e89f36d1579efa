"""From a request to a list of steps and skips: pure, no weights, nothing written."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from audits.config import Config, SuiteEntry
from audits.planning.budget import fit_budget
from audits.planning.domains import Domains
from audits.planning.parameters import parameters_of, settable, with_parameters
from audits.planning.pools import Pools
from audits.planning.prices import WRITTEN
from audits.planning.recipes import with_recipes
from audits.planning.rehearsal import rehearse
from audits.planning.suites import BUILT_IN as SUITES
from audits.planning.suites import find_suite
from probes.core.answers import SEQUENCE_HEADS
from probes.core.errors import UsageError
from probes.core.examples import DataCard, Example, data_fingerprint
from probes.core.manifest import Manifest, PlannedSkip, PlannedStep
from probes.core.model import Capability, ModelCard
from probes.core.probe import Incomplete, Particular, Probe
from probes.core.records import Skip, SkipReason
from probes.registry import Broken, Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One probe, ready to run on its share of the data."""

    planned: PlannedStep
    probe: Probe
    data: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What will run, what will not and why, and what a reader must know of how it was decided."""

    steps: tuple[Step, ...]
    skips: tuple[PlannedSkip, ...]
    notes: tuple[str, ...] = ()

    @property
    def calls(self) -> int:
        """Texts that go through the model: each item's own once, and what the probes ask beyond."""
        asking = (step for step in self.steps if step.probe.info.answers)
        clean = max((sum(not example.domain for example in step.data) for step in asking), default=0)
        return clean + sum(step.planned.calls for step in self.steps)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A probe the suite selected, with its parameters set and at most `items` items."""

    probe: Probe
    items: int | None


def make_plan(
    config: Config,
    *,
    registry: Registry,
    model: ModelCard,
    data: Sequence[Example],
    card: DataCard,
    domains: Domains | None = None,
    sizes: Mapping[str, int] | None = None,
    seconds_per_call: float | None = None,
    written: float = WRITTEN,
) -> Plan:
    """Decide what runs.

    Args:
        domains: data of other kinds, where there are some.
        sizes: `sizes_of` the manifest of a run that is being resumed; wins over everything.
        seconds_per_call: measured or estimated cost of one text; needed for a time budget.
        written: of a generator, how many words it reads in the time in which it writes a token.

    Raises:
        UsageError: for unknown suites, probes or parameters, for parameters that mean nothing to this model, or when
            nothing is left to run.
    """
    wanted = select(config, registry=registry)
    lacking = partial(why_not, model=model, card=card, domains=bool(domains))
    skips = [_skip_row(probe, _left(probe, config, lacking(probe))) for probe in _left_out(config, registry, wanted)]
    skips += [_broken(broken) for broken in registry.broken]
    reasons = [(want, lacking(want.probe)) for want in wanted]
    skips += [_skip_row(want.probe, skip) for want, skip in reasons if skip is not None]
    runnable = [want for want, skip in reasons if skip is None]
    _require_meaning(runnable, model)
    pools = Pools(data, domains or Domains(home=tuple(data)), seed=config.seed)
    counts = {want.probe.info.id: _most(want, config, pools) for want in runnable}
    wishes = [want.probe for want in runnable]
    rates = rehearse(wishes, pools, card=model, seed=config.seed, items=counts, written=written)
    notes: list[str] = []
    if sizes is not None:
        counts = {name: sizes.get(name, count) for name, count in counts.items()}
    elif config.time_budget and seconds_per_call:
        counts, notes = fit_budget(counts, rates, seconds=config.time_budget, seconds_per_call=seconds_per_call)
    notes += [note for want in runnable if isinstance(want.probe, Incomplete) for note in want.probe.left_out()]
    steps = []
    for want in runnable:
        count = counts[want.probe.info.id]
        calls = rates[want.probe.info.id].calls(count)
        sample = pools.sample(want.probe, limit=count)
        steps.append(_step(want.probe, sample, limit=count, calls=calls, model=model, seed=config.seed))
    return Plan(steps=tuple(steps), skips=tuple(skips), notes=tuple(notes))


def _require_meaning(wanted: Sequence[Wanted], model: ModelCard) -> None:
    for want in wanted:
        if isinstance(want.probe, Particular):
            want.probe.require(model)


def sizes_of(manifest: Manifest) -> dict[str, int]:
    """Probe id -> the most items it may get, as frozen: of each domain where it compares domains."""
    return {step.probe: step.items if step.limit is None else step.limit for step in manifest.steps}


def select(config: Config, *, registry: Registry) -> list[Wanted]:
    """The probes of the suite that `--only` leaves, each matched by the first line of the suite that fits it."""
    for name in config.probes:
        registry.get(name)
    if config.only:
        registry.matching(config.only)
    suite = with_recipes(find_suite(config.suite, config.suites), config.recipes)
    wanted = []
    for name, probe in registry.probes.items():
        entry = _entry_for(name, suite)
        if entry is None or not _only(name, config.only):
            continue
        parameters = {**_applicable(entry.parameters, probe), **config.probes.get(name, {})}
        wanted.append(Wanted(with_parameters(probe, parameters), entry.items))
    if not wanted:
        raise UsageError("no probe is selected", hint="see `audit probes` for names and widen --only or the suite")
    return wanted


def why_not(probe: Probe, *, model: ModelCard, card: DataCard, domains: bool = False) -> Skip | None:
    """The reason a probe cannot run on this model and data, or None."""
    info = probe.info
    if model.problem not in info.problems:
        whole = "It applies to answers about whole texts only" if info.problems >= SEQUENCE_HEADS else ""
        tasks = ", ".join(sorted(problem.replace("_", " ") for problem in info.problems))
        own = model.problem.replace("_", " ")
        detail = f"{whole or f'It applies to other tasks ({tasks})'}; the task of this model is {own}."
        return Skip(reason=SkipReason.WRONG_PROBLEM, detail=detail)
    missing = sorted(info.needs - model.capabilities)
    if missing:
        return _cannot(missing, model)
    if info.chat and not model.chat:
        return Skip(
            reason=SkipReason.NO_CAPABILITY,
            detail="It is for models that are talked to, and this one has no template for conversations.",
        )
    if info.harm is not None and info.harm is not model.positive.harm:
        return _wrong_profile(info.harm, model.positive.origin)
    if info.groups and not card.groups:
        return Skip(
            reason=SkipReason.NO_GROUPS,
            detail="The data name no group of people or texts to compare.",
            enable="name the column with --group-column; repeatable",
        )
    if info.domains and not domains:
        return Skip(
            reason=SkipReason.NO_DOMAINS,
            detail="There are no data of another kind to compare with.",
            enable="name some with --shift NAME=PATH; repeatable",
        )
    if info.gold and not card.labelled:
        return Skip(
            reason=SkipReason.NO_GOLD,
            detail="The data have no right answers to compare with.",
            enable="pass labelled data with --data (and --label-column if the column has an unusual name)",
        )
    return info.lacks


def _cannot(missing: Sequence[Capability], model: ModelCard) -> Skip:
    """A model that could with another engine is no model that cannot: the absence counts."""
    what = ", ".join(missing)
    if not set(missing) <= set(model.withheld):
        return Skip(reason=SkipReason.NO_CAPABILITY, detail=f"The model cannot {what}.")
    why = "; ".join(dict.fromkeys(model.withheld[each] for each in missing))
    return Skip(
        reason=SkipReason.NOT_BY_ENGINE,
        detail=f"The model cannot {what} through {model.engine}: {why}.",
        enable=f"leave out --engine {model.engine}",
    )


def _wrong_profile(harm: bool, origin: str) -> Skip:
    if origin.startswith("--profile"):
        detail = f"It was left out by {origin.partition(';')[0]}."
        return Skip(reason=SkipReason.WRONG_PROFILE, detail=detail, enable="leave out --profile")
    looks = "none of the model's labels names a harm" if harm else "the model looks for harm in texts"
    kind = "classifiers that look for harm in texts" if harm else "classifiers that do not look for harm"
    profile = "toxicity" if harm else "general"
    return Skip(
        reason=SkipReason.WRONG_PROFILE,
        detail=f"It is for {kind}, and {looks}.",
        enable=f"pass --profile {profile} if that is wrong",
    )


def _step(
    probe: Probe,
    data: tuple[Example, ...],
    *,
    limit: int,
    calls: int,
    model: ModelCard,
    seed: int,
) -> Step:
    info, parameters, sample = probe.info, parameters_of(probe), data_fingerprint(data)
    return Step(
        probe=probe,
        data=data,
        planned=PlannedStep(
            step_id=step_id(
                info.id,
                version=info.version,
                parameters=parameters,
                model=[*model.identity, *model.positive.labels, model.positive.meaning.value],
                data=sample,
                seed=seed,
            ),
            probe=info.id,
            version=info.version,
            risk=info.risk,
            title=info.title,
            parameters=parameters,
            items=len(data),
            calls=calls,
            sample=sample,
            own_texts=not info.data,
            domains=tuple(dict.fromkeys(example.domain for example in data if example.domain)),
            limit=limit,
        ),
    )


def step_id(
    probe: str, *, version: int, parameters: Mapping[str, Any], model: Sequence[str], data: str, seed: int
) -> str:
    """First 12 hex digits of SHA-256 over everything that determines a step's result."""
    parts = [probe, version, parameters, list(model), data, seed]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def _entry_for(name: str, suite: Sequence[SuiteEntry]) -> SuiteEntry | None:
    """The first line of the suite that fits; None where there is none, or it leaves the probe out."""
    found = next((entry for entry in suite if fnmatch.fnmatchcase(name, entry.probes)), None)
    return None if found is None or found.leave_out else found


def _only(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _applicable(parameters: Mapping[str, Any], probe: Probe) -> dict[str, Any]:
    """A suite line may match probes with different parameters: each takes those it has."""
    known = settable(probe)
    return {name: value for name, value in parameters.items() if name in known}


def _most(want: Wanted, config: Config, pools: Pools) -> int:
    """How many items; `--limit` saves answers, and a probe that asks for none would miss most of what it looks for."""
    limit = config.limit if want.probe.info.answers else None
    return _at_most(want.items, limit, pools.available(want.probe))


def _at_most(items: int | None, limit: int | None, available: int) -> int:
    return min(available, *(bound for bound in (items, limit) if bound is not None), available)


def _left_out(config: Config, registry: Registry, wanted: Sequence[Wanted]) -> list[Probe]:
    chosen = {want.probe.info.id for want in wanted}
    return [probe for name, probe in registry.probes.items() if name not in chosen]


def _skip_row(probe: Probe, skip: Skip) -> PlannedSkip:
    return PlannedSkip(probe=probe.info.id, risk=probe.info.risk, title=probe.info.title, skip=skip)


def _left(probe: Probe, config: Config, lack: Skip | None) -> Skip:
    """Why a probe that was not selected is left out: where it could not run anyway, that, and else how to have it run.

    Args:
        lack: what `why_not` says of it.
    """
    if lack is not None and not lack.reason.applicable:
        return lack
    if not _only(probe.info.id, config.only):
        detail, enable = "It was left out by --only.", f"leave out --only, or add --only {probe.info.id}"
    else:
        holding = next((name for name in ("full", *SUITES) if _entry_for(probe.info.id, SUITES[name])), "")
        detail = f"The suite {config.suite} does not hold it."
        enable = f"choose --suite {holding}, or add it to your suite" if holding else "add it to a suite of your own"
    besides = f"; besides, {lack.enable}" if lack is not None and lack.enable else ""
    return Skip(reason=SkipReason.NOT_SELECTED, detail=detail, enable=enable + besides)


def _broken(broken: Broken) -> PlannedSkip:
    skip = Skip(
        reason=SkipReason.PLUGIN_BROKEN,
        detail=f"The plug-in could not be imported: {broken.reason}",
        enable="repair or uninstall the plug-in",
    )
    return PlannedSkip(probe=broken.name, risk="plugin", title=broken.name, skip=skip)
