"""Failures of transformers while it loads a model, turned into errors with a remedy; and its chatter turned off."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from probes.core.errors import AuditError, ModelError

_REMEDIES = (
    (
        ("custom code", "trust_remote_code", "custom_code"),
        "it comes with Python code of its own, which is not run",
        "pass --trust-remote-code if you have read that code and trust it",
    ),
    (
        ("ignore_mismatched_sizes", "size mismatch"),
        "its weights do not fit its config.json (another number of labels, or another architecture)",
        "make num_labels and id2label in config.json agree with the saved head",
    ),
    (
        ("does not recognize this architecture", "Unrecognized model", "model_type"),
        "this version of transformers does not know its model_type",
        "install the version named by transformers_version in its config.json",
    ),
    (
        ("No GPU", "GPU is required"),
        "its weights are rounded in a way that only a GPU reads",
        "use --device cuda on a machine with one, or audit the model it was made from",
    ),
    (("deserializing header", "incomplete metadata"), "its weights are damaged", "copy the weight files again"),
    (
        ("out of memory", "can't allocate memory"),
        "it does not fit into memory",
        "use a larger device, or --dtype bfloat16",
    ),
    (("sentencepiece",), "its tokenizer needs the sentencepiece package", "pip install sentencepiece"),
    (("tiktoken",), "its tokenizer needs the tiktoken package", "pip install tiktoken"),
    (("protobuf",), "its tokenizer needs the protobuf package", "pip install protobuf"),
)


@contextmanager
def loading(what: str) -> Iterator[None]:
    """Run a loader of transformers quietly.

    Raises:
        ModelError: whatever it raised, with a remedy where the cause is a known one.
    """
    try:
        with unsaid():
            yield
    except AuditError:
        raise
    except Exception as error:  # transformers raises every kind there is, from bare Exception to those of its plug-ins
        raise _explained(what, error) from error


@contextmanager
def unsaid() -> Iterator[None]:
    """Without what transformers logs and warns of and the bars that it draws: none of it is for who asked."""
    from transformers.utils import logging

    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with unlogged(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # between transformers and torch
            yield
    finally:
        if bars:
            logging.enable_progress_bar()


@contextmanager
def unlogged() -> Iterator[None]:
    """Without what transformers logs but errors."""
    from transformers.utils import logging

    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(level)


def _explained(what: str, error: Exception) -> ModelError:
    text = str(error)
    for signs, reason, remedy in _REMEDIES:
        if any(sign in text for sign in signs):
            return ModelError(f"{what} does not load: {reason}", hint=remedy)
    first = next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")
    return ModelError(
        f"{what} does not load: {type(error).__name__}: {first[:200]}",
        hint="check that from_pretrained loads it here; an unknown class may need another version of transformers",
    )
