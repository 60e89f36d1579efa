"""The classifiers that judge what a generator writes: who they are, before any of their weights is loaded."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audits.config import Config
from probes.core.errors import UsageError
from probes.core.functional_case import FunctionalCase, suite_digest
from probes.core.judges import Judge, Sought
from probes.core.model import ModelCard
from probes.core.probe import varied
from probes.registry import Registry


def add_scorers(registry: Registry, config: Config, *, model: ModelCard, device: str) -> None:
    """Give the scorers to every probe that asks judges; who they are becomes a parameter of these probes.

    Raises:
        UsageError: for a scorer that is the audited model, is named twice, or does not tell what it looks for; for
            calibration texts without a scorer.
        ModelError: for one that is broken.
        DataError: for calibration texts that cannot be read.
    """
    if not config.scorers:
        if config.scorer_calibration:
            raise UsageError("calibration texts for no scorer", hint="name the scorer with --scorer")
        return
    judges, digest = _calibrated([_judge(given, config, model, device) for given in config.scorers], config)
    named = _told_apart(judges)
    for name, probe in registry.probes.items():
        if hasattr(probe, "judges"):
            registry.probes[name] = varied(
                probe, judges=named, scorers=tuple(judge.parameter for judge in named), calibration=digest
            )


def parsed(given: str) -> tuple[str, str | None, tuple[str, ...]]:
    """PATH|ID[@REVISION][=LABEL,LABEL] in its parts; a folder of exactly this name is a folder."""
    if Path(given).expanduser().is_dir():
        return given, None, ()
    source, equals, labels = given.rpartition("=")
    source = source if equals else given
    place, at, revision = source.rpartition("@")
    if at and place and not Path(source).expanduser().exists():
        source = place
    else:
        revision = ""
    wanted = tuple(label.strip() for label in labels.split(",") if label.strip()) if equals else ()
    return source, revision or None, wanted


def _judge(given: str, config: Config, model: ModelCard, device: str) -> Judge:
    from probes.model.judging import describe_judge, trained_on

    source, revision, labels = parsed(given)
    card, sought = describe_judge(source, labels=labels, revision=revision)
    if card.fingerprint == model.fingerprint:
        raise UsageError(
            f"the scorer {source} is the audited model itself", hint="let another model judge what this one writes"
        )
    return Judge(
        name=card.name,
        card=card,
        sought=sought,
        open=lambda: loaded(card, config, device),
        datasets=trained_on(source, revision=revision),
    )


def loaded(card: ModelCard, config: Config, device: str) -> Any:
    """A model that helps to audit another one, with its weights and the answers it gave before."""
    from probes.model.cache import AnswerCache, default_cache_path
    from probes.model.load import load

    return load(card, device=device, cache=AnswerCache.open(default_cache_path() if config.cache else None))


def _calibrated(judges: Sequence[Judge], config: Config) -> tuple[tuple[Judge, ...], str]:
    """The judges of harm with labelled texts, and the digest of these: those given, or our own cases as a stand-in."""
    given = _labelled(config.scorer_calibration) if config.scorer_calibration else None
    found = tuple(
        dataclasses.replace(judge, calibration=given or _own_cases(judge), stand_in=given is None)
        if judge.sought is Sought.HARM
        else judge
        for judge in judges
    )
    return found, suite_digest({case.id: case for judge in found for case in judge.calibration}.values())


def _labelled(source: str) -> tuple[FunctionalCase, ...]:
    from probes.data.calibration import load_calibration

    return load_calibration(source).cases


def _own_cases(judge: Judge) -> tuple[FunctionalCase, ...]:
    from probes.toxicity.functional.cases import own_cases, sought

    return own_cases(sought(judge.card.positive.labels))


def _told_apart(judges: Sequence[Judge]) -> tuple[Judge, ...]:
    """The judges under different names."""
    twice = [who for who, count in Counter(judge.parameter for judge in judges).items() if count > 1]
    if twice:
        raise UsageError(f"the scorer {twice[0]} is named twice", hint="name every scorer once")
    names = Counter(judge.name for judge in judges)
    return tuple(
        dataclasses.replace(judge, name=_longer(judge)) if names[judge.name] > 1 else judge for judge in judges
    )


def _longer(judge: Judge) -> str:
    """The name with what tells it from others of this name: files, and labels."""
    return f"{judge.name} {judge.card.fingerprint[:8]} {'+'.join(judge.card.positive.labels)}"
