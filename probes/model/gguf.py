"""GGUF files, the format of llama.cpp: configuration, tokenizer and rounded weights in one file."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from probes.core.errors import ModelError, UsageError
from probes.model.checkpoint import Weights
from probes.model.source import SINGLE_FILE

UNROUNDED = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}
"""Types of GGUF tensors that are plain numbers, as torch calls them."""
_PACKAGES = ("gguf", "accelerate")


def gguf_file(folder: Path) -> Path | None:
    """The one GGUF file of a folder without config.json; None where there is none.

    Raises:
        UsageError: there are several, which are mostly the same model rounded in several ways.
    """
    files = sorted(folder.glob(f"*{SINGLE_FILE}")) if not (folder / "config.json").is_file() else []
    if len(files) > 1:
        shown = ", ".join(path.name for path in files[:5])
        raise UsageError(f"{folder} holds {len(files)} GGUF files: {shown}", hint="name one of them with --model")
    return files[0] if files else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a GGUF file says of itself.

    Attributes:
        weights: its tensors.
        rounding: how most of them are rounded, such as "Q4_K"; None if they are plain numbers.
        chat: it has a template for conversations.
        licence: of the weights, as whoever wrote the file declared it.
    """

    weights: Weights
    rounding: str | None
    chat: bool
    licence: str | None = None


def read_gguf(path: Path) -> Header:
    """The header of a GGUF file.

    Raises:
        ModelError: it is damaged, or a package is missing.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise ModelError(
            f"{path} is a GGUF file, and reading it needs the {missing[0]} package",
            hint="pip install 'responsible-audit[gguf]'",
        )
    reader = _reader(path)
    share: Counter[str] = Counter()
    for tensor in reader.tensors:
        share[tensor.tensor_type.name] += int(tensor.n_elements)
    if not share:
        raise ModelError(f"{path} holds no weights", hint="copy the file again")
    common = share.most_common(1)[0][0]
    # Rounded numbers times their scales are exact in float32 only.
    weights = Weights(format="gguf", files=(path,), parameters=share.total(), dtype=UNROUNDED.get(common, "float32"))
    return Header(
        weights=weights,
        rounding=None if common in UNROUNDED else common,
        chat="tokenizer.chat_template" in reader.fields,
        licence=_licence(reader),
    )


def _licence(reader: Any) -> str | None:
    field = reader.fields.get("general.license")
    declared = field.contents() if field is not None else None
    return declared if isinstance(declared, str) else None


def head(model_type: str, architectures: list[str] | None) -> str:
    """The class that transformers loads the file as; the format itself names no head.

    Raises:
        ModelError: it is no language model.
    """
    from transformers.models.auto import modeling_auto

    if architectures:
        return str(architectures[0])
    causal, pairs = (
        modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
        modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    )
    found = causal.get(model_type) or pairs.get(model_type)
    if found is None:
        raise ModelError(
            f"a GGUF file of a {model_type} model holds no language model",
            hint="give the model as save_pretrained wrote it",
        )
    return str(found if isinstance(found, str) else found[0])


def without_invented(tokenizer: Any, *, rows: int) -> Any:
    """A tokenizer read from a GGUF file, without tokens that are not in the file.

    transformers 5 gives every byte-level one an "<|endoftext|>", which Llama 3 for one has not: its id would lie
    behind the end of the embedding table, of `rows` tokens.
    """
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    content = json.loads(tokenizer.backend_tokenizer.to_str())
    kept = [token for token in content["added_tokens"] if token["id"] < rows]
    if len(kept) == len(content["added_tokens"]):
        return tokenizer
    backend = Tokenizer.from_str(json.dumps(content | {"added_tokens": kept}))
    known = backend.get_vocab()
    roles = {role: token for role, token in tokenizer.special_tokens_map.items() if token in known}
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        chat_template=tokenizer.chat_template,
        model_max_length=tokenizer.model_max_length,
        model_input_names=["input_ids", "attention_mask"],
        **roles,
    )


@contextmanager
def quietly() -> Iterator[None]:
    """Without the progress bars that transformers draws for GGUF files, and some for saving, whatever is set."""
    with redirect_stderr(io.StringIO()):
        yield


def _reader(path: Path) -> Any:
    from gguf import GGUFReader

    try:
        return GGUFReader(path)
    except Exception as error:  # the reader indexes into whatever the file says
        raise ModelError(
            f"{path} is not a GGUF file, or damaged: {type(error).__name__}", hint="copy the file again"
        ) from error
