"""What a model is put together from: a folder of its own, an adapter and its base, or a GGUF file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from probes.core.errors import ModelError, UsageError
from probes.model import adapter as adapters
from probes.model import gguf, quantised
from probes.model.adapter import Adapter
from probes.model.checkpoint import (
    Weights,
    digests,
    has_tokenizer,
    read_config,
    read_json,
    read_weights,
    tokenizer_files,
)
from probes.model.choices import ENDING, SCORE
from probes.model.failures import loading
from probes.model.source import Source, locate

SETTINGS = ("config.json", "generation_config.json")
"""How a network is built, and which tokens end or begin what it writes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The files of one model, found and read as far as that needs no weights.

    Attributes:
        place: what was named.
        body: the folder that the network is made of; of an adapter that of its base.
        tokenizer: the folder of the tokenizer.
        raw: the content of config.json, with what an adapter changes of it.
        config: the same as transformers reads it.
        weights: of the body.
        settings: what loaders of transformers are to be given besides the folder.
        adapter: what changes the body, if anything does.
        base: where the body was found, if it is an adapter's base.
        quantisation: how the weights are rounded, for people.
        chat: a template for conversations is in the file of the weights.
        notes: what the files lack, or how they are read, for readers of the results.
    """

    place: Source
    body: Path
    tokenizer: Path
    raw: Mapping[str, Any]
    config: Any
    weights: Weights
    settings: Mapping[str, Any] = field(default_factory=dict)
    adapter: Adapter | None = None
    base: Source | None = None
    quantisation: str | None = None
    chat: bool = False
    notes: tuple[str, ...] = ()

    @property
    def gguf(self) -> str | None:
        """Name of the file that is all of the model."""
        return self.settings.get("gguf_file")

    @property
    def parameters(self) -> int:
        """Weights of the network: counted where the files hold them whole, otherwise as its configuration says."""
        if self.adapter is None and not self.packed:
            return self.weights.parameters
        return quantised.parameters(self.config, self.raw["architectures"][0]) or self.weights.parameters

    def size(self, itemsize: int) -> int:
        """Bytes that the weights take with `itemsize` bytes each, or packed as they are."""
        stored = sum(path.stat().st_size for path in self.weights.files)
        return stored if self.packed else itemsize * self.parameters

    @property
    def format(self) -> str:
        """Of the weights; "pickle" if any of them are."""
        return "pickle" if self.adapter and self.adapter.format == "pickle" else self.weights.format

    @property
    def packed(self) -> bool:
        """Whether the weights stay rounded in memory; those of a GGUF file do not."""
        return self.quantisation is not None and self.gguf is None

    def digests(self, *, code: bool) -> tuple[tuple[str, str], ...]:
        """(path, SHA-256) of all that an answer depends on; of Python files, where they are run."""
        run = tuple(sorted(self.body.glob("*.py"))) if code else ()
        if self.gguf:
            return digests(self.weights.files, root=self.body)
        own = tokenizer_files(self.tokenizer)
        settings = [path for name in SETTINGS if (path := self.body / name).is_file()]
        if self.adapter is None:
            return digests((*settings, *self.weights.files, *own, *run), root=self.body)
        folder = self.adapter.folder
        changes = [self.adapter.file, *(folder / name for name in (adapters.CONFIG, "config.json"))]
        beside = own if self.tokenizer == folder else ()
        below = (*settings, *self.weights.files, *(own if not beside else ()), *run)
        theirs = [(f"base/{path}", digest) for path, digest in digests(below, root=self.body)]
        return tuple(sorted((*digests([file for file in (*changes, *beside) if file.is_file()], root=folder), *theirs)))


def assemble(
    source: str,
    *,
    revision: str | None = None,
    base: str | None = None,
    base_revision: str | None = None,
    allow_pickle: bool = False,
    trust_remote_code: bool = False,
) -> Parts:
    """Find and read the files of a model.

    Args:
        source: folder, GGUF file or Hub id.
        revision: branch, tag or commit of a Hub model.
        base: what an adapter is put on, instead of what it names.
        base_revision: of a base from the Hub.
        allow_pickle: accept pickled weights.
        trust_remote_code: let Python code that comes with the model read its configuration.

    Raises:
        UsageError: no such model, or a base for a model that is whole.
        ModelError: the files are broken, refused or incomplete.
    """
    options = {"allow_pickle": allow_pickle, "trust_remote_code": trust_remote_code}
    place = locate(source, revision=revision, **options)
    if place.file is None and adapters.is_adapter(place.folder):
        return _adapted(place, base=base, base_revision=base_revision, **options)
    if base is not None:
        raise UsageError(f"{source} is a whole model, not an adapter", hint="leave out --base")
    file = place.file or gguf.gguf_file(place.folder)
    return _from_gguf(place, file) if file else _whole(place, **options)


def _whole(place: Source, *, allow_pickle: bool, trust_remote_code: bool) -> Parts:
    raw = quantised.settled(read_config(place.folder))
    chooses = str((raw.get("architectures") or [""])[0]).endswith(ENDING)
    settings = _named({"0": SCORE}) if chooses else {}
    return Parts(
        place=place,
        body=place.folder,
        tokenizer=place.folder,
        raw=raw,
        config=_config(place.folder, trust_remote_code=trust_remote_code, **settings),
        settings=settings,
        weights=read_weights(place.folder, allow_pickle=allow_pickle),
        quantisation=quantised.described(raw),
        notes=quantised.notes(raw),
    )


def _from_gguf(place: Source, file: Path) -> Parts:
    header, config = _header(file, file.stat().st_size, file.stat().st_mtime_ns)
    settings = {"gguf_file": file.name}
    raw = {"model_type": config.model_type, "architectures": [gguf.head(config.model_type, config.architectures)]}
    weights, rounding = header.weights, header.rounding
    how = f"rounded ({rounding}) and computed in {weights.dtype}" if rounding else f"stored in {weights.dtype}"
    note = f"The model is a GGUF file, read by transformers: its weights are {how}. Other programs may round otherwise."
    return Parts(
        place=place,
        body=file.parent,
        tokenizer=file.parent,
        raw=raw,
        config=config,
        weights=weights,
        settings=settings,
        quantisation=rounding,
        chat=header.chat,
        notes=(note,),
    )


@lru_cache(maxsize=4)
def _header(file: Path, _size: int, _time: int) -> tuple[gguf.Header, Any]:
    """What a GGUF file says of itself; kept, because its readers take seconds for a large vocabulary."""
    return gguf.read_gguf(file), _config(file.parent, trust_remote_code=False, gguf_file=file.name)


def _adapted(
    place: Source, *, base: str | None, base_revision: str | None, allow_pickle: bool, trust_remote_code: bool
) -> Parts:
    options = {"allow_pickle": allow_pickle, "trust_remote_code": trust_remote_code}
    adapter = adapters.read_adapter(place.folder, allow_pickle=allow_pickle)
    below = adapters.locate_base(adapter, asked=base, revision=base_revision, **options)
    if below.file is not None or not (below.folder / "config.json").is_file():
        raise ModelError(
            f"the base of {place.given} is no folder that save_pretrained wrote: {below.given}",
            hint="name the whole model it was trained on with --base",
        )
    whole = quantised.settled(read_config(below.folder))
    architecture = adapters.head(
        adapter,
        model_type=str(whole["model_type"]),
        architecture=str((whole.get("architectures") or [""])[0]),
    )
    settings, names = _labels(adapter, whole, architecture)
    raw = {**whole, "architectures": [architecture]}
    rounding = quantised.described(whole)
    how = "computed beside its rounded weights" if rounding else "put together in memory"
    return Parts(
        place=place,
        body=below.folder,
        tokenizer=place.folder if has_tokenizer(place.folder) else below.folder,
        raw=raw,
        config=_config(below.folder, trust_remote_code=trust_remote_code, **settings),
        weights=read_weights(below.folder, allow_pickle=allow_pickle),
        settings=settings,
        adapter=adapter,
        base=below,
        quantisation=rounding,
        notes=(f"The model is an adapter ({adapter.kind}) on {below.given}, {how}.", *names, *quantised.notes(whole)),
    )


def _labels(adapter: Adapter, base: Mapping[str, Any], architecture: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    """How the labels are called, which an adapter does not store, and a note where that is a guess."""
    if adapter.task not in adapters.LABELLED:
        return {}, ()
    saved = adapter.folder / "config.json"
    beside = read_json(saved) if saved.is_file() else {}
    count = adapter.outputs
    for config, note in ((beside, None), (base, "of its base")):
        names = config.get("id2label")
        same_head = config is beside or (base.get("architectures") or [""])[0] == architecture
        if isinstance(names, dict) and same_head and count in (None, len(names)):
            settings = _named({str(key): str(name) for key, name in names.items()})
            if config.get("problem_type"):
                settings["problem_type"] = config["problem_type"]
            return settings, () if note is None else (_UNNAMED.format(f"those {note} are used"),)
    if count is None:
        return {}, ()
    made_up = {str(index): f"LABEL_{index}" for index in range(count)}
    return _named(made_up), (_UNNAMED.format(f"they are numbered ({', '.join(made_up.values())[:80]})"),)


_UNNAMED = (
    "An adapter stores no names of labels: {}. "
    "A config.json with the right id2label is read when it lies in the folder of the adapter."
)


def _named(names: dict[str, str]) -> dict[str, Any]:
    id2label = {int(key): name for key, name in names.items()}
    return {"id2label": id2label, "label2id": {name: index for index, name in id2label.items()}}


def _config(folder: Path, *, trust_remote_code: bool, **settings: Any) -> Any:
    from transformers import AutoConfig

    with loading(str(folder)):
        return AutoConfig.from_pretrained(
            folder, trust_remote_code=trust_remote_code, local_files_only=True, **settings
        )
