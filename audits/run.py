"""One audit from request to verdict: describe, load data, plan, freeze, execute, judge, render."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from audits.config import Config
from audits.executor import Watcher, execute, unfinished
from audits.gate import run_gate
from audits.plan import Plan, make_plan
from audits.policy import Policy, load_policy
from probes.core.errors import IntegrityError, OutputError
from probes.core.examples import DataCard, Example
from probes.core.findings import Verdict
from probes.core.manifest import Environment, Manifest, Methodology
from probes.core.model import ModelCard
from probes.core.records import SCHEMA_VERSION
from probes.core.run_folder import RunFolder, write_atomic
from probes.registry import Registry, load_registry

PACKAGES = ("torch", "transformers", "tokenizers", "datasets", "numpy", "scipy", "statsmodels", "responsible-audit")


class Reporter(Watcher, Protocol):
    """Who is told how the audit goes; the console implements it."""

    def notice(self, message: str) -> None: ...

    def planned(self, plan: Plan, *, model: ModelCard, data: DataCard, run: RunFolder) -> None: ...

    def progress(self, done: int, total: int) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is audited, before any weight is loaded."""

    config: Config
    registry: Registry
    model: ModelCard
    data: tuple[Example, ...]
    card: DataCard
    device: str
    device_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """A run that has ended; `verdict` is None when it was asked not to judge."""

    run: RunFolder
    verdict: Verdict | None


def run_audit(config: Config, *, command: Sequence[str], reporter: Reporter, gate: bool = True) -> Audit:
    """Carry out the request; a run that was interrupted is resumed by the same request.

    Raises:
        AuditError: for whatever the user can act on. Finished steps are kept in every case.
    """
    from reports import write_report

    policy = load_policy(config.policy)
    subject = prepare(config, reporter=reporter)
    run, manifest, plan, model = _frozen(subject, policy=policy, command=command, reporter=reporter)
    reporter.planned(plan, model=subject.model, data=subject.card, run=run)
    if any(unfinished(run, step) for step in plan.steps):
        model = model or load_model(subject, reporter=reporter)
        model.on_progress = reporter.progress
        execute(plan, model=model, run=run, seed=manifest.seed, watcher=reporter)
    else:
        reporter.notice("Every step of this run is finished: nothing is computed again.")
    verdict = run_gate(run, policy) if gate else None
    if verdict:
        write_report(run)
    return Audit(run=run, verdict=verdict)


def prepare(config: Config, *, reporter: Reporter | None = None) -> Subject:
    """Describe the model and read the data; loads no weights."""
    from probes.data.load import Columns

    from probes.data import builtin_corpus, load_data
    from probes.model import describe, resolve_device

    config = _demo(config, reporter)
    registry = load_registry(plugin_files=config.plugins)
    _add_user_metrics(registry, config)
    device, device_name = resolve_device(config.device)
    model = describe(
        config.model,
        revision=config.revision,
        allow_pickle=config.allow_pickle,
        trust_remote_code=config.trust_remote_code,
        dtype=config.dtype,
        max_length=config.max_length,
    )
    if config.data is None:
        loaded = builtin_corpus(pairs=config.pairs)
    else:
        columns = Columns(
            text=config.text_columns,
            label=config.label_column,
            groups=config.group_columns,
            cluster=config.cluster_column,
        )
        loaded = load_data(
            config.data,
            card=model,
            columns=columns,
            split=config.split,
            revision=config.data_revision,
            label_map=config.label_map,
        )
    return Subject(
        config=config,
        registry=registry,
        model=model,
        data=loaded.examples,
        card=loaded.card,
        device=device,
        device_name=device_name,
    )


def load_model(subject: Subject, *, reporter: Reporter) -> Any:
    """The weights, on the device, behind the engine and its cache."""
    from probes.model import AnswerCache, default_cache_path, load

    cache = AnswerCache.open(default_cache_path() if subject.config.cache else None)
    if cache.warning:
        reporter.notice(cache.warning)
    reporter.notice(f"Loading {subject.model.name} on {subject.device_name} ({subject.model.dtype}).")
    return load(
        subject.model,
        device=subject.device,
        cache=cache,
        allow_pickle=subject.config.allow_pickle,
        trust_remote_code=subject.config.trust_remote_code,
    )


def _frozen(
    subject: Subject, *, policy: Policy, command: Sequence[str], reporter: Reporter
) -> tuple[RunFolder, Manifest, Plan, Any]:
    """The run folder with its manifest: that of an earlier, interrupted attempt, or a new one."""
    identity = run_identity(subject, policy=policy)
    existing = _existing(subject.config.out, identity)
    if existing is not None:
        manifest = existing.manifest()
        sizes = {step.probe: step.items for step in manifest.steps}
        plan = _plan(subject, sizes=sizes)
        _same_steps(plan, manifest, existing)
        return existing, manifest, plan, None
    model = None
    pace = None
    if subject.config.time_budget:
        model = load_model(subject, reporter=reporter)
        pace = model.seconds_per_text([example.text for example in subject.data[:256]])
    plan = _plan(subject, seconds_per_call=pace)
    now = datetime.now(UTC)
    run = RunFolder(subject.config.out / f"{slug(subject.model.name)}-{now:%Y%m%d}-{identity}")
    manifest = _manifest(subject, plan, policy=policy, command=command, run_id=run.path.name, now=now)
    _writable(subject.config.out)
    write_atomic(run.manifest_path, manifest.model_dump_json(indent=1).encode())
    return run, manifest, plan, model


def _plan(subject: Subject, **how: Any) -> Plan:
    return make_plan(
        subject.config,
        registry=subject.registry,
        model=subject.model,
        data=subject.data,
        card=subject.card,
        **how,
    )


def run_identity(subject: Subject, *, policy: Policy) -> str:
    """Eight hex digits over everything that may change a number: the same request finds its own earlier attempt."""
    config = subject.config.model_dump(mode="json", exclude={"out", "cache", "policy", "model", "data", "plugins"})
    probes = [[name, probe.info.version] for name, probe in subject.registry.probes.items()]
    parts = [
        config,
        subject.model.fingerprint,
        subject.model.dtype,
        subject.card.fingerprint,
        policy.digest,
        subject.device.split(":")[0],
        probes,
        SCHEMA_VERSION,
        _packages(),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


def _existing(out: Path, identity: str) -> RunFolder | None:
    found = sorted(path.parent for path in out.glob(f"*-{identity}/manifest.json"))
    return RunFolder(found[-1]) if found else None


def _same_steps(plan: Plan, manifest: Manifest, run: RunFolder) -> None:
    planned = [step.planned.step_id for step in plan.steps]
    if planned != [step.step_id for step in manifest.steps]:
        raise IntegrityError(
            f"the manifest in {run.path} does not describe what this command would run",
            hint="delete the folder, or choose another one with --out",
        )


def _manifest(
    subject: Subject, plan: Plan, *, policy: Policy, command: Sequence[str], run_id: str, now: datetime
) -> Manifest:
    config = subject.config
    return Manifest(
        schema_version=SCHEMA_VERSION,
        run_id=run_id,
        created=now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        command=tuple(command),
        config=config.model_dump(mode="json"),
        policy=policy.text,
        policy_digest=policy.digest,
        seed=config.seed,
        model=subject.model,
        data=subject.card,
        environment=_environment(subject),
        steps=tuple(step.planned for step in plan.steps),
        skips=plan.skips,
        methodology={step.probe.info.id: _methodology(step.probe) for step in plan.steps},
        suite=config.suite,
        notes=(*plan.notes, *_cautions(subject)),
    )


def _methodology(probe: Any) -> Methodology:
    doc = probe.info.doc
    return Methodology(**{name: getattr(doc, name) for name in Methodology.model_fields})


def _cautions(subject: Subject) -> list[str]:
    notes = []
    if subject.config.trust_remote_code:
        notes.append("Code from the model's own repository was allowed to run (--trust-remote-code).")
    if subject.config.allow_pickle:
        notes.append("Pickled weights were allowed (--allow-pickle): loading them can run code.")
    if subject.config.data is None:
        notes.append(
            "No data were given: built-in sentences stand in for the model's own domain, and nothing that needs right "
            "answers was measured."
        )
    return notes


def _environment(subject: Subject) -> Environment:
    return Environment(
        tool=f"responsible-audit {_version('responsible-audit')}",
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        device=subject.device,
        device_name=subject.device_name,
        dtype=subject.model.dtype,
        threads=_threads(),
        packages=_packages(),
    )


def _threads() -> int:
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch else (os.cpu_count() or 1)


def _packages() -> dict[str, str]:
    return {name: _version(name) for name in PACKAGES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def slug(name: str) -> str:
    """A name that is a harmless file name everywhere."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name).strip("-.")
    return kept[:60] or "model"


def _writable(folder: Path) -> None:
    probe = folder / f".write-test-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise OutputError(
            f"cannot write into {folder}: {error.strerror or error}", hint="choose another folder with --out"
        ) from None


def _add_user_metrics(registry: Registry, config: Config) -> None:
    if not config.metrics:
        return
    from probes.performance.user_metrics import UserMetric

    for source in config.metrics:
        registry.add(UserMetric(source=source), origin="--metric")


def _demo(config: Config, reporter: Reporter | None) -> Config:
    """`--model demo` is the embedded default with its own held-out data."""
    if config.model != "demo" or Path("demo").is_dir():
        return config
    from audits.demo import build_demo

    tell: Callable[[str], None] = reporter.notice if reporter else (lambda message: None)
    paths = build_demo(progress=tell)
    data = config.data or str(paths.data)
    return config.model_copy(update={"model": str(paths.model), "data": data})
