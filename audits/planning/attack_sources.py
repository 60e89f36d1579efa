"""What attacks draw on besides their own lists, where it is named or at hand: who it is, before weights are loaded."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from audits.config import Config
from audits.planning.scorers import loaded, parsed
from probes.core.answers import ProblemType
from probes.core.errors import AuditError, UsageError
from probes.core.model import Capability, ModelCard
from probes.core.probe import varied
from probes.registry import Registry

PROBE = "robustness.adversarial"
_ENTAILS = "entailment"


def add_sources(registry: Registry, config: Config, *, device: str) -> None:
    """Give what attacks may draw on to the probe of attacks; who it is becomes a parameter of it.

    WordNet is looked for where a recipe that makes use of it is named, and the encoder of the demonstration model is
    taken where it is installed and a recipe is named: without such recipes neither is opened.

    Raises:
        UsageError: for a model that cannot do what it is named for.
        ModelError: for one that is broken.
        DataError: for a file of word vectors that cannot be read.
    """
    probe = registry.probes.get(PROBE)
    if probe is None:
        return
    given = _given(config, device)
    who = tuple(resource.parameter for resource in given.values())
    registry.probes[PROBE] = varied(probe, given=given, resources=who)


def _given(config: Config, device: str) -> dict[Any, Any]:
    from probes.robustness.adversarial.recipe import Resource

    named: dict[Resource, tuple[str | None, Callable[[str], Any]]] = {
        Resource.WORD_VECTORS: (config.word_vectors, _vectors),
        Resource.WORD_MODEL: (config.word_model, partial(_word_model, config=config, device=device)),
        Resource.SENTENCE_ENCODER: (
            config.sentence_encoder or _installed(config),
            partial(_encoder, config=config, device=device),
        ),
        Resource.ENTAILMENT_MODEL: (config.entailment_model, partial(_entailment, config=config, device=device)),
    }
    found = {resource: make(given) for resource, (given, make) in named.items() if given is not None}
    wanted = _wanted(config)
    if Resource.WORDNET in wanted and (wordnet := _wordnet()) is not None:
        found[Resource.WORDNET] = wordnet
    return found


def _installed(config: Config) -> str | None:
    """The encoder that comes with the extra `demo`, for attacks that are asked for by name."""
    from audits.demo.sources import encoder_folder

    if not config.recipes:
        return None
    try:
        return str(encoder_folder())
    except AuditError:
        return None


def _wanted(config: Config) -> set[Any]:
    """What the recipes that are named need, or make use of."""
    from probes.robustness.adversarial.recipe import Composed
    from probes.robustness.adversarial.recipes import RECIPES

    own: Any = config.probes.get(PROBE, {}).get("recipes", ())
    names = (*config.recipes, *((own,) if isinstance(own, str) else own))
    found = [RECIPES[name] for name in names if name in RECIPES]
    taken = {each for recipe in found if isinstance(recipe, Composed) for each in recipe.takes}
    return taken | {need for recipe in found for need in recipe.needs}


def _wordnet() -> Any:
    from probes.robustness.adversarial.sources.wordnet import find

    return find()


def _vectors(given: str) -> Any:
    from pathlib import Path

    from probes.robustness.adversarial.sources.vectors import load_vectors

    return load_vectors(Path(given).expanduser())


def _word_model(given: str, *, config: Config, device: str) -> Any:
    from probes.robustness.adversarial.sources.assistants import WordModel

    card = _card(given)
    if Capability.FILL not in card.capabilities:
        raise UsageError(
            f"{given} fills no words into texts (it is for {card.task})",
            hint="--word-model takes a masked language model, such as distilroberta-base",
        )
    return WordModel(card=card, open=lambda: loaded(card, config, device))


def _encoder(given: str, *, config: Config, device: str) -> Any:
    from probes.model.encoders import describe_encoder, load_encoder
    from probes.robustness.adversarial.sources.assistants import SentenceEncoder

    source, revision, _ = parsed(given)
    card = describe_encoder(source, revision=revision)
    return SentenceEncoder(card=card, open=lambda: load_encoder(card, device=device))


def _entailment(given: str, *, config: Config, device: str) -> Any:
    from probes.robustness.adversarial.sources.assistants import EntailmentModel

    card = _card(given)
    label = next((label for label in card.labels if label.lower() == _ENTAILS), None)
    if card.problem is not ProblemType.SINGLE_LABEL or label is None:
        raise UsageError(
            f"{given} has no label called entailment (its labels: {', '.join(card.labels) or 'none'})",
            hint="--entailment-model takes a classifier of premise and hypothesis",
        )
    return EntailmentModel(card=card, label=label, open=lambda: loaded(card, config, device))


def _card(given: str) -> ModelCard:
    from probes.model.card import describe

    source, revision, _ = parsed(given)
    return describe(source, revision=revision)
