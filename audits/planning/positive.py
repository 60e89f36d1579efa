"""The positive class of a model: as declared, or as the names of its labels tell."""

from __future__ import annotations

from collections.abc import Sequence

from audits.config import Config
from probes.core.answers import ProblemType
from probes.core.errors import UsageError, did_you_mean
from probes.core.model import ModelCard
from probes.core.positive import NONE, Meaning, PositiveClass, recognise


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
