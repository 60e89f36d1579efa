"""The model that another one was fine-tuned from, to be audited by the same plan and compared with."""

from __future__ import annotations

from audits.config import Config
from probes.core.errors import UsageError
from probes.core.model import ModelCard

OWN = "own"
"""Value of `against_base` for the base that the model itself names."""


def base_request(config: Config, model: ModelCard) -> Config:
    """The same request for the base of a model: as named by the user, of an adapter what it is put on, or else as the
    model's README.md says.

    Raises:
        UsageError: nothing says what it was fine-tuned from, or the request names another baseline.
    """
    if config.baseline is not None:
        raise UsageError(
            "--baseline and --against-base name two runs to compare with",
            hint="leave one of them out; `audit compare` puts any number of runs side by side",
        )
    named = None if config.against_base == OWN else config.against_base
    source = named or model.base or model.base_model
    if source is None:
        raise UsageError(
            f"nothing says what {model.name} was fine-tuned from: it is no adapter, and its README.md names none",
            hint="name the model: --against-base PATH or a Hub id",
        )
    own = model.base_revision if source == model.base else None
    return config.model_copy(update={"model": source, "revision": own, "base": None, "against_base": None})


def why_unlike(base: ModelCard, tuned: ModelCard) -> str:
    """Why the answers of a base say nothing about those of what was made of it; "" where they do."""
    if base.fingerprint == tuned.fingerprint:
        return f"{base.name} is the very same model."
    if base.problem is not tuned.problem:
        own, other = (card.problem.replace("_", " ") for card in (tuned, base))
        return f"The head of {base.name} is another one: its task is {other}, and that of {tuned.name} is {own}."
    if set(base.labels) != set(tuned.labels):
        return f"{base.name} has other labels than {tuned.name}."
    return ""
