"""The files of a model folder, read without loading weights: which there are, what is in them, their fingerprint."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from probes.core.errors import ModelError, UsageError

SAFETENSORS = "model.safetensors"
PICKLE = "pytorch_model.bin"
VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "merges.txt", "*.model", "*.tiktoken", "bpe.codes")
"""Any of these makes a tokenizer; without one transformers 5 builds a five-token vocabulary and says nothing."""
WITHOUT_VOCABULARY = frozenset({"ByT5Tokenizer", "CanineTokenizer", "PerceiverTokenizer"})
"""Tokenizers of bytes and characters, which need no file for them."""
TOKENIZER_SETTINGS = (
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "chat_template.jinja"
)  # fmt: skip
_FLOATS = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """The weight files of a checkpoint.

    Attributes:
        format: "safetensors", "pickle" or "gguf".
        files: what transformers will read, the index of a sharded checkpoint included.
        parameters: number of weights, counted from the headers.
        dtype: the floating-point type most weights have; None when none is floating.
    """

    format: str
    files: tuple[Path, ...]
    parameters: int
    dtype: str | None


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file of the model folder.

    Raises:
        ModelError: when it is not JSON, or not an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ModelError(f"{path} cannot be read: {error}", hint="copy the file again from where it came") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} holds no JSON object", hint="copy the file again from where it came")
    return content


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a model folder.

    Raises:
        UsageError: the folder is not a model folder.
        ModelError: config.json is broken or incomplete.
    """
    if (folder / "config.json").is_file():
        config = read_json(folder / "config.json")
        if "model_type" not in config:  # transformers 4 would guess it from the name of the folder
            raise ModelError(
                f"the config.json of {folder} has no model_type", hint="copy the file again, or add the line"
            )
        return config
    raise UsageError(f"{folder} is not a model folder: it has no config.json", hint="give what save_pretrained wrote")


def read_weights(folder: Path, *, allow_pickle: bool) -> Weights:
    """Find and check the weight files; safetensors win over pickles.

    Raises:
        ModelError: no weights, broken ones, or pickles without permission.
    """
    if files := _files(folder, SAFETENSORS):
        return _safetensors(files)
    pickles = [path.name for path in sorted(folder.glob(f"{PICKLE}*"))]
    if not pickles:
        raise ModelError(
            f"{folder} holds no weights",
            hint=f"there must be a {SAFETENSORS} beside config.json (--allow-pickle also looks for {PICKLE})",
        )
    if not allow_pickle:
        raise ModelError(
            f"{folder} holds pickled weights only ({pickles[0]}), and a pickle can run code when opened",
            hint="save the model again as safetensors, or pass --allow-pickle if you trust where it comes from",
        )
    return _pickle(_files(folder, PICKLE))


def shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shape of each tensor in a safetensors file or a pickle, by name.

    Raises:
        ModelError: for a damaged file, or a pickle that holds more than tensors.
    """
    if path.suffix == ".safetensors":
        return {name: tuple(entry["shape"]) for name, entry in _header(path).items()}
    return {name: tuple(tensor.shape) for name, tensor in _unpickled(path).items()}


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds a vocabulary, or a tokenizer that needs none."""
    settings = folder / TOKENIZER_SETTINGS[0]
    needless = settings.is_file() and read_json(settings).get("tokenizer_class") in WITHOUT_VOCABULARY
    return needless or bool(_matching(folder, VOCABULARIES))


def tokenizer_files(folder: Path) -> tuple[Path, ...]:
    """Everything the tokenizer is made of.

    Raises:
        ModelError: no vocabulary among it.
    """
    if not has_tokenizer(folder):
        raise ModelError(
            f"{folder} holds no tokenizer",
            hint="save the tokenizer of its training into the same folder: tokenizer.save_pretrained(folder)",
        )
    return (*_matching(folder, VOCABULARIES), *_matching(folder, TOKENIZER_SETTINGS))


def digests(files: Iterable[Path], *, root: Path) -> tuple[tuple[str, str], ...]:
    """Sorted (path below root, SHA-256) pairs."""
    return tuple(sorted((path.relative_to(root).as_posix(), _sha256(path)) for path in set(files)))


def fingerprint(pairs: Iterable[tuple[str, str]]) -> str:
    """SHA-256 over the sorted (path, SHA-256) pairs, in the form `sha256sum` prints them."""
    lines = "".join(f"{digest}  {path}\n" for path, digest in sorted(pairs))
    return hashlib.sha256(lines.encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _matching(folder: Path, patterns: Iterable[str]) -> tuple[Path, ...]:
    return tuple(path for pattern in patterns for path in sorted(folder.glob(pattern)) if path.is_file())


def _files(folder: Path, name: str) -> tuple[Path, ...]:
    """The single file, or index and shards; empty when there is neither."""
    if (folder / name).is_file():
        return (folder / name,)
    index = folder / f"{name}.index.json"
    if not index.is_file():
        return ()
    shards = tuple(folder / shard for shard in sorted(set(read_json(index).get("weight_map", {}).values())))
    missing = [shard.name for shard in shards if not shard.is_file()]
    if missing or not shards:
        raise ModelError(
            f"{folder} lacks weight files that {index.name} names: {', '.join(missing) or 'all'}",
            hint="copy the folder again, with all its files",
        )
    return (index, *shards)


def _safetensors(files: tuple[Path, ...]) -> Weights:
    tensors = [
        (_FLOATS.get(entry["dtype"]), math.prod(entry["shape"]))
        for path in files
        if path.suffix == ".safetensors"
        for entry in _header(path).values()
    ]
    return _weights("safetensors", files, tensors)


def _header(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """The tensors a safetensors file declares, by name, after checking that it is as long as it says."""
    size = path.stat().st_size
    with path.open("rb") as file:
        prefix = file.read(8)
        length = struct.unpack("<Q", prefix)[0] if len(prefix) == 8 else size
        try:
            entries = json.loads(file.read(length)) if length <= size - 8 else None
        except ValueError:
            entries = None
    if not isinstance(entries, dict):
        raise ModelError(f"{path} is not a safetensors file, or damaged", hint="copy the file again")
    entries.pop("__metadata__", None)
    end = max((entry["data_offsets"][1] for entry in entries.values()), default=0)
    if 8 + length + end != size:
        raise ModelError(
            f"{path} is cut short or damaged: {size:,} bytes, {8 + length + end:,} expected", hint="copy the file again"
        )
    return entries


def _pickle(files: tuple[Path, ...]) -> Weights:
    tensors = [
        (str(tensor.dtype).removeprefix("torch.") if tensor.is_floating_point() else None, tensor.numel())
        for path in files
        if path.suffix != ".json"
        for tensor in _unpickled(path).values()
    ]
    return _weights("pickle", files, tensors)


def _unpickled(path: Path) -> dict[str, Any]:
    """The tensors in a pickle, by name, without their numbers."""
    import torch

    try:
        # weights_only refuses everything that is not a tensor, "meta" leaves the numbers on disk.
        state = dict(torch.load(path, map_location="meta", weights_only=True))
    except Exception as error:  # a hostile or damaged pickle may fail in any way
        raise ModelError(
            f"{path} holds more than weights, or is damaged: {str(error).splitlines()[0]}",
            hint="do not use this file; get the model as safetensors",
        ) from error
    return {name: tensor for name, tensor in state.items() if isinstance(tensor, torch.Tensor)}


def _weights(kind: str, files: tuple[Path, ...], tensors: list[tuple[str | None, int]]) -> Weights:
    share: Counter[str] = Counter()
    for dtype, count in tensors:
        if dtype is not None:
            share[dtype] += count
    parameters = share.total() or sum(count for _, count in tensors)
    common = share.most_common(1)
    return Weights(format=kind, files=files, parameters=parameters, dtype=common[0][0] if common else None)
