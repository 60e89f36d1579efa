"""What is to be audited: the model described, the data read, the probes known. No weight is loaded until asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audits.config import Config
from audits.planning.attack_sources import add_sources
from audits.planning.data import data_of_other_kinds, own_data
from audits.planning.domains import Domains
from audits.planning.labelling import fitting, own_task, with_labels
from audits.planning.material import add_known_texts, add_material
from audits.planning.positive import positive_class
from audits.planning.prices import WRITTEN, Prices
from audits.planning.recipes import add_textattack
from audits.planning.scorers import add_scorers
from audits.reporter import Reporter
from probes.core.examples import DataCard, Example
from probes.core.model import VLLM, ModelCard
from probes.core.sampling import stratified
from probes.registry import Registry, load_registry

LEAST_WRITTEN = 1.0
"""Writing is never faster than reading; a machine that was busy at the wrong moment may say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is audited, before any weight is loaded."""

    config: Config
    registry: Registry
    model: ModelCard
    data: tuple[Example, ...]
    card: DataCard
    domains: Domains
    device: str
    device_name: str


def prepare(config: Config, *, reporter: Reporter | None = None) -> Subject:
    """Describe the model and read the data; loads no weights."""
    from probes.model import device as devices

    config = _demo(config, reporter)
    registry = load_registry(plugin_files=config.plugins)
    add_material(registry, config)
    place = devices.choose(config.device)
    model = described(config, place)
    add_scorers(registry, config, model=model, device=str(place))
    add_sources(registry, config, device=str(place))
    add_textattack(registry, config, model=model)
    loaded = own_data(config, model)
    domains = data_of_other_kinds(config, model, loaded)
    model = fitting(config, model, [*loaded.examples, *(each for part in domains.others.values() for each in part)])
    add_known_texts(registry, config, model)
    return Subject(
        config=config,
        registry=registry,
        model=model,
        data=loaded.examples,
        card=loaded.card.model_copy(update={"notes": (*loaded.card.notes, *domains.notes)}),
        domains=domains,
        device=str(place),
        device_name=devices.describe(place),
    )


def described(config: Config, place: Any = None) -> ModelCard:
    """The card of the model as the request would have it asked on a device; by default the one that it names."""
    from probes.model import device as devices
    from probes.model.card import describe

    place = place or devices.choose(config.device)
    model = describe(
        config.model,
        revision=config.revision,
        base=config.base,
        allow_pickle=config.allow_pickle,
        trust_remote_code=config.trust_remote_code,
        dtype=config.dtype,
        max_length=config.max_length,
        task=own_task(config),
    )
    model = with_labels(config, model)
    if config.engine == VLLM:
        from probes.model.vllm_card import through_vllm

        model = through_vllm(model, device=place, trust_remote_code=config.trust_remote_code)
    return model.model_copy(update={"positive": positive_class(config, model)})


def require_engine(config: Config) -> None:
    """Refuse to begin where the engine is not installed; plans need none.

    Raises:
        UsageError: it is not.
    """
    if config.engine == VLLM:
        from probes.model.vllm_start import require_vllm

        require_vllm()


def load_model(subject: Subject, *, reporter: Reporter) -> Any:
    """The weights, on the device, behind the engine and its cache."""
    from probes.model.cache import AnswerCache, default_cache_path
    from probes.model.load import load
    from probes.model.verbalised import Verbalised, as_language_model

    cache = AnswerCache.open(default_cache_path() if subject.config.cache else None)
    if cache.warning:
        reporter.notice(cache.warning)
    reporter.notice(f"Loading {subject.model.name} on {subject.device_name} ({subject.model.dtype}).")
    asked = subject.model.verbaliser
    loaded = load(
        subject.model if asked is None else as_language_model(subject.model),
        device=subject.device,
        cache=cache,
        trust_remote_code=subject.config.trust_remote_code,
    )
    return loaded if asked is None else Verbalised(model=loaded, card=subject.model)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What the model costs on this machine.

    Attributes:
        seconds_per_call: of its own question about an item.
        written: words it reads in the time in which it writes a token.
    """

    seconds_per_call: float
    written: float = WRITTEN


def measured_pace(model: Any, subject: Subject) -> Pace:
    """Measured on a few of the audit's own texts; a first pass over some of them warms up."""
    texts = [example.text for example in stratified(subject.data, limit=128, seed=subject.config.seed)]
    model.throughput(texts[:16])
    found = model.throughput(texts)
    seconds = 1.0 / float(found.texts_per_second)
    if found.seconds_per_written_token is None:
        return Pace(seconds_per_call=seconds)
    written = found.seconds_per_written_token / seconds * Prices.of(subject.model, texts).usual
    return Pace(seconds_per_call=seconds, written=max(LEAST_WRITTEN, written))


def _demo(config: Config, reporter: Reporter | None) -> Config:
    """`--model demo` and `--model demo-lm` are the demonstration models with data of their own."""
    if config.model not in ("demo", "demo-lm") or Path(config.model).is_dir():
        return config
    from audits.demo.generator import SAMPLES, build_generator
    from audits.demo.model import build_demo

    tell: Callable[[str], None] = reporter.notice if reporter else (lambda message: None)
    small = config.model == "demo"
    paths = build_demo(progress=tell) if small else build_generator(progress=tell)
    changes: dict[str, Any] = {"model": str(paths.model)}
    if not small:
        changes["probes"] = {**SAMPLES, **config.probes}
    if config.data is None:
        shifts = config.shifts or {name: str(path) for name, path in paths.domains.items()}
        changes |= {"data": str(paths.data), "shifts": shifts}
    return config.model_copy(update=changes)
