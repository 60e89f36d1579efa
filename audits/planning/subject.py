"""What is to be audited: the model described, the data read, the probes known. No weight is loaded until asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audits.config import Config
from audits.planning.attack_sources import add_sources
from audits.planning.domains import COLUMN, Domains, by_column, named
from audits.planning.labelling import fitting, own_task, with_labels
from audits.planning.prices import WRITTEN, Prices
from audits.planning.prompts import add_prompts
from audits.planning.recipes import add_textattack
from audits.planning.scorers import add_scorers
from audits.reporter import Reporter
from probes.core.answers import LANGUAGE_HEADS, WRITING_HEADS, ProblemType
from probes.core.errors import UsageError, did_you_mean
from probes.core.examples import DataCard, Example, data_fingerprint
from probes.core.model import VLLM, ModelCard
from probes.core.positive import NONE, Meaning, PositiveClass, recognise
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
    from probes.data.builtin import builtin_corpus, builtin_questions
    from probes.model import device as devices
    from probes.model.card import describe

    config = _demo(config, reporter)
    registry = load_registry(plugin_files=config.plugins)
    _add_user_metrics(registry, config)
    _add_own_terms(registry, config)
    _add_hatecheck(registry, config)
    _add_benchmarks(registry, config)
    place = devices.choose(config.device)
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
        from probes.model.vllm_engine import through_vllm

        model = through_vllm(model, device=place, trust_remote_code=config.trust_remote_code)
    model = model.model_copy(update={"positive": positive_class(config, model)})
    add_scorers(registry, config, model=model, device=str(place))
    add_sources(registry, config, device=str(place))
    add_textattack(registry, config, model=model)
    if config.pairs and model.problem is ProblemType.TOKEN:
        raise UsageError("a tagger reads one text, not a pair", hint="leave out --pairs")
    if config.data is None:
        reader = model.problem is ProblemType.SPAN
        pairs = config.pairs or model.task == "multiple-choice"
        loaded = builtin_questions() if reader else builtin_corpus(pairs=pairs)
    else:
        loaded = _read(config.data, config, model, split=config.split, revision=config.data_revision)
    domains = _domains(config, model, loaded)
    model = fitting(config, model, [*loaded.examples, *(each for part in domains.others.values() for each in part)])
    _add_known_texts(registry, config, model)
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


def _read(source: str, config: Config, model: ModelCard, **how: Any) -> Any:
    from probes.data.load import Columns, load_data

    columns = Columns(
        text=config.text_columns,
        label=config.label_column,
        groups=config.group_columns,
        cluster=config.cluster_column,
    )
    return load_data(source, card=model, columns=columns, label_map=config.label_map, **how)


def _domains(config: Config, model: ModelCard, loaded: Any) -> Domains:
    """The data sets of --shift; without them the values of a column `domain`, if it is one of the group columns."""
    if config.shifts and config.in_domain:
        raise UsageError("--shift and --in-domain say two different things", hint="leave one of them out")
    if config.shifts and config.data is None:
        raise UsageError(
            "--shift compares with the data the model was made for, and none are given; the built-in sentences are not",
            hint="name them with --data; labels are not needed for every comparison",
        )
    if config.shifts:
        others = {name: _read(source, config, model) for name, source in config.shifts.items()}
        return named(loaded.examples, {name: (other.examples, other.card) for name, other in others.items()})
    if config.in_domain and COLUMN not in loaded.card.groups:
        raise UsageError(f"--in-domain needs a column called {COLUMN}", hint=f"add --group-column {COLUMN}")
    if COLUMN in loaded.card.groups:
        return by_column(loaded.examples, loaded.card, home=config.in_domain)
    return Domains(home=loaded.examples)


def require_engine(config: Config) -> None:
    """Refuse to begin where the engine is not installed; plans need none.

    Raises:
        UsageError: it is not.
    """
    if config.engine == VLLM:
        from probes.model.vllm_engine import require_vllm

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


def positive_class(config: Config, model: ModelCard) -> PositiveClass:
    """The positive class as declared, or else as the label names and the profile tell.

    Raises:
        UsageError: for a label the model does not have, all labels of a single-label model, or a harm that cannot be
            told from the label names.
    """
    found = recognise(model.labels, model.problem)
    if config.positive_labels == (NONE,) and NONE not in model.labels:
        found = PositiveClass(origin=NONE)
    elif config.positive_labels:
        found = _declared(config.positive_labels, model, meaning=found.meaning if _same(config, found) else None)
    if config.profile == "toxicity" and not found.harm:
        if not found.labels:
            raise UsageError(
                f"which of the labels is the harm: {', '.join(model.labels)}?", hint="name it with --positive-label"
            )
        return found.model_copy(update={"meaning": Meaning.HARM, "origin": f"--profile toxicity; {found.origin}"})
    if config.profile == "general" and found.harm:
        return found.model_copy(
            update={"meaning": Meaning.UNFAVOURABLE, "origin": f"--profile general; {found.origin}"}
        )
    return found


def _same(config: Config, found: PositiveClass) -> bool:
    return set(config.positive_labels) <= set(found.labels)


def _declared(labels: Sequence[str], model: ModelCard, *, meaning: Meaning | None) -> PositiveClass:
    for label in labels:
        if label not in model.labels:
            raise UsageError(f"the model has no label {label!r}", hint=did_you_mean(label, model.labels))
    if model.problem is ProblemType.SINGLE_LABEL and set(labels) == set(model.labels):
        raise UsageError("every label of the model is named positive", hint="name only those that count")
    kept = tuple(label for label in model.labels if label in labels)
    return PositiveClass(labels=kept, meaning=meaning or _meaning_of(kept, model), origin="declared")


def _meaning_of(labels: tuple[str, ...], model: ModelCard) -> Meaning:
    """What the names of just these labels say, for a user who names another label than would be recognised."""
    alone = recognise((*labels, "\x00"), model.problem)
    return alone.meaning if alone.origin == "label names" and set(alone.labels) == set(labels) else Meaning.UNKNOWN


def _add_user_metrics(registry: Registry, config: Config) -> None:
    if not config.metrics:
        return
    from probes.performance.evaluate_metrics import load_metric
    from probes.performance.user_metrics import UserMetric

    for source in config.metrics:
        load_metric(source, allow_code=True)  # named by the user; a bad name is an error now, not a failed step later
        registry.add(UserMetric(source=source), origin="--metric")


def _add_own_terms(registry: Registry, config: Config) -> None:
    """The user's identity terms become further axes of the swaps; their digests are parameters, so that a changed list
    is another audit."""
    if not config.terms:
        return
    from probes.bias.counterfactual.probe import Counterfactual
    from probes.text.identity import AXES, read_terms

    tables = tuple(read_terms(path) for path in config.terms)
    axes = [table.axis for table in tables]
    for axis in axes:
        if axis in AXES or axes.count(axis) > 1:
            raise UsageError(
                f"two term lists are about the axis {axis!r}",
                hint="give your file another name, or a line '# axis: ...'",
            )
    digests = tuple(
        f"{table.axis} {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"
        for table, path in zip(tables, config.terms, strict=True)
    )
    registry.probes["bias.counterfactual"] = Counterfactual(own_terms=digests, own_tables=tables)


def _add_hatecheck(registry: Registry, config: Config) -> None:
    if config.hatecheck is None:
        return
    from probes.data.hatecheck import load_hatecheck
    from probes.toxicity.functional.probe import HateCheck

    found = load_hatecheck(config.hatecheck)
    probe = HateCheck(
        source=found.name, digest=found.digest, revision=found.revision, cases=found.cases, notes=found.notes
    )
    registry.add(probe, origin="--hatecheck")


def _add_benchmarks(registry: Registry, config: Config) -> None:
    if config.benchmarks is None:
        return
    from probes.bias.bbq.probe import Bbq
    from probes.bias.stereotypes.crows_pairs import CrowsPairs
    from probes.bias.stereotypes.pronouns import WinoBias, Winogender
    from probes.bias.stereotypes.stereoset import StereoSet
    from probes.data.benchmarks import load_benchmarks

    found = load_benchmarks(config.benchmarks)
    kinds = {
        "crows_pairs": CrowsPairs,
        "stereoset": StereoSet,
        "wino_bias": WinoBias,
        "winogender": Winogender,
        "bbq": Bbq,
    }
    for name, kind in kinds.items():
        cases = getattr(found, name)
        if cases:
            probe = kind(digest=data_fingerprint(cases), cases=cases, notes=found.notes.get(name, ()))
            registry.add(probe, origin="--benchmarks")
    add_prompts(registry, found)


def _add_known_texts(registry: Registry, config: Config, model: ModelCard) -> None:
    """Texts the model was trained on, others like them, and planted secrets: what the probes of leaks are about."""
    if config.holdout_texts and not config.training_texts:
        raise UsageError(
            "--holdout-texts are compared with texts the model was trained on, and none are given",
            hint="name those with --training-texts",
        )
    if config.training_texts and model.problem in LANGUAGE_HEADS | WRITING_HEADS:
        _add_training_texts(registry, config, model)
    if config.canaries:
        from probes.data.canaries import load_canaries
        from probes.privacy.exposure import Exposure

        found = load_canaries(config.canaries)
        registry.probes["privacy.exposure"] = Exposure(digest=found.digest, canaries=found.cases)


def _add_training_texts(registry: Registry, config: Config, model: ModelCard) -> None:
    from probes.core.known_texts import KnownTexts
    from probes.privacy.membership import Membership
    from probes.privacy.memorisation import Memorisation

    how = config.model_copy(update={"group_columns": (), "cluster_column": None})
    sources = [source for source in (config.training_texts, config.holdout_texts) if source]
    texts = KnownTexts.of(*(_read(source, how, model).examples for source in sources))
    training, holdout = (data_fingerprint(side) if side else "" for side in (texts.training, texts.holdout))
    for kind in (Memorisation, Membership):
        probe = kind(training_texts=training, holdout_texts=holdout, texts=texts)
        registry.probes[probe.info.id] = probe


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
