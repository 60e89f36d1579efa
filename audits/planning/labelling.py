"""A language model that is to be audited as a classifier: its labels, and the prompt that asks for one of them."""

from __future__ import annotations

from collections.abc import Iterable

from audits.config import Config
from probes.core.answers import WRITING_HEADS
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import ModelCard
from probes.core.verbaliser import LabelScore, Verbaliser

TASK = "text-classification"
"""What a language model is for once it has labels."""


def own_task(config: Config) -> str | None:
    """What the user says the model was made for: with labels, `--task` says what it is to be audited as.

    Raises:
        UsageError: labels for another task than classification.
    """
    if not config.labels:
        return config.task
    if config.task not in (None, TASK):
        raise UsageError(f"--labels is for {TASK}, not for {config.task}", hint="leave out one of the two")
    return None


def with_labels(config: Config, model: ModelCard) -> ModelCard:
    """The model as a classifier where the request names labels; otherwise as it is.

    Raises:
        UsageError: labels for a model that does not write, or that make no classifier; or a prompt without labels.
    """
    if not config.labels:
        if config.prompt is not None or config.label_score is not None:
            raise UsageError("--prompt and --label-score ask for labels, and none are named", hint="add --labels A,B")
        return model
    if model.problem not in WRITING_HEADS:
        raise UsageError(
            f"--labels is for models that write, and this one is made for {model.task}", hint="leave out --labels"
        )
    return _asked(model, verbaliser(config, model, pairs=config.pairs or len(config.text_columns) > 1))


def fitting(config: Config, model: ModelCard, data: Iterable[Example]) -> ModelCard:
    """The same, with the prompt for pairs where the data turn out to be pairs and no prompt was named.

    Raises:
        UsageError: for a prompt about single texts and data of pairs, or the reverse.
    """
    asked = model.verbaliser
    kinds = {not isinstance(example.text, str) for example in data} if asked is not None else set()
    if asked is None or kinds <= {asked.pairs}:
        return model
    if config.prompt is None and len(kinds) == 1:
        return _asked(model, verbaliser(config, model, pairs=kinds.pop()))
    what, places = ("pairs of texts", "{text} and {text_pair}") if True in kinds else ("single texts", "{text} alone")
    raise UsageError(f"the data are {what}, and the prompt is not about such", hint=f"use {places} in --prompt")


def verbaliser(config: Config, model: ModelCard, *, pairs: bool) -> Verbaliser:
    """How the model is asked, by the request.

    Raises:
        UsageError: for labels or a prompt that make no classifier.
    """
    head = model.problem if model.verbaliser is None else model.verbaliser.head
    try:
        return Verbaliser.of(
            config.labels, head=head, prompt=config.prompt, pairs=pairs, score=config.label_score or LabelScore.TOTAL
        )
    except ValueError as error:
        raise UsageError(
            _first_line(error),
            hint="for example --labels positive,negative or --labels positive=good,negative=bad, with --prompt "
            "'Review: {text}\\nSentiment:'",
        ) from None


def _asked(model: ModelCard, how: Verbaliser) -> ModelCard:
    from probes.model.verbalised import as_classifier

    return as_classifier(model, how)


def _first_line(error: ValueError) -> str:
    """What a check of the fields says, without where pydantic found it."""
    problems = getattr(error, "errors", None)
    message = str(problems()[0]["msg"]) if callable(problems) else str(error)
    return message.removeprefix("Value error, ")
