"""What a request gives probes to ask about: metrics, terms, published test cases, texts the model was trained on."""

from __future__ import annotations

import hashlib

from audits.config import Config
from audits.planning.data import read
from audits.planning.prompts import add_prompts
from probes.core.answers import LANGUAGE_HEADS, WRITING_HEADS
from probes.core.errors import UsageError
from probes.core.examples import data_fingerprint
from probes.core.model import ModelCard
from probes.registry import Registry


def add_material(registry: Registry, config: Config) -> None:
    """Register the probes of what the user named, whatever the model.

    Raises:
        UsageError: for what cannot be read, or contradicts itself.
    """
    _add_user_metrics(registry, config)
    _add_own_terms(registry, config)
    _add_hatecheck(registry, config)
    _add_benchmarks(registry, config)


def add_known_texts(registry: Registry, config: Config, model: ModelCard) -> None:
    """Texts the model was trained on, others like them, and planted secrets: what the probes of leaks are about.

    Raises:
        UsageError: for what cannot be read, or held-out texts alone.
    """
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
    texts = KnownTexts.of(*(read(source, how, model).examples for source in sources))
    training, holdout = (data_fingerprint(side) if side else "" for side in (texts.training, texts.holdout))
    for kind in (Memorisation, Membership):
        probe = kind(training_texts=training, holdout_texts=holdout, texts=texts)
        registry.probes[probe.info.id] = probe


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
