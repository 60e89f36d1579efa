"""From what the user typed to one table: a file, a folder with files, a saved folder, or a Hub data set."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from probes.core.errors import DataError, UsageError, did_you_mean
from probes.data.conll import read_conll
from probes.data.decoding import unreadable
from probes.data.delimited import read_delimited
from probes.data.hub import is_saved, open_hub, open_saved
from probes.data.json_rows import read_json
from probes.data.parquet import read_parquet
from probes.data.splits import choose_split
from probes.data.table import Opened, Table, joined, shown

_CONLL = ("conll", "iob", "iob2", "bio")
_FORMATS = ("csv", "tsv", "jsonl", "ndjson", "json", "parquet", *_CONLL)
_PACKED = tuple(f"{kind}.gz" for kind in _FORMATS if kind != "parquet")
READABLE = ", ".join(f".{kind}" for kind in _FORMATS) + " (text formats also as .gz)"
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.\-]*/[A-Za-z0-9][\w.\-]*(/[\w.\-+ ]+)?")
_SPLIT_SUFFIX = re.compile(r"(?P<source>.{2,}):(?P<split>[A-Za-z0-9_][\w.\-]*)", re.DOTALL)
_SHARD = re.compile(r"[-_.]\d{4,}(-of-\d{4,})?$")
_FOLDER_SPLITS = {"train", "test", "validation", "valid", "val", "dev"}
# Files that describe data and hold none.
_ASIDE = {
    "dataset_info.json",
    "dataset_infos.json",
    "state.json",
    "dataset_dict.json",
    "config.json",
    "labels.json",
    "id2label.json",
}


def open_source(source: str, *, split: str | None = None, revision: str | None = None) -> Opened:
    """Open what `--data` names: a path or a Hub id, either with ":split" after it.

    Raises:
        UsageError: for a path that does not exist or a split given twice.
        DataError: for data that cannot be read.
    """
    place, split = _without_split(source, split)
    path = _path(place)
    if _exists(path):
        if revision is not None:
            raise UsageError(f"{place} is local and has no revision {revision!r}", hint="leave the revision out")
        return _open_folder(path, split) if path.is_dir() else _open_file(path, split)
    if _HUB_ID.fullmatch(place) and _format(place) is None:
        return open_hub(place, split=split, revision=revision)
    raise UsageError(f"no such file or folder: {place!r}", hint=_nearby(path))


def _without_split(source: str, split: str | None) -> tuple[str, str | None]:
    if not source.strip():
        raise UsageError("no data named", hint=f"--data takes a Hub id, a folder or a file: {READABLE}")
    found = _SPLIT_SUFFIX.fullmatch(source)
    if found is None or _exists(_path(source)):
        return source, split
    if split not in (None, found["split"]):
        raise UsageError(f"two splits named: {found['split']!r} and {split!r}", hint="name the split once")
    return found["source"], found["split"]


def _path(place: str) -> Path:
    try:
        return Path(place).expanduser()
    except RuntimeError:  # "~name" of a user this machine does not have
        return Path(place)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than the file system allows, or a folder we may not enter
        return False


def _nearby(path: Path) -> str:
    here = [entry.name for entry in path.parent.iterdir()] if _exists(path.parent) and path.parent.is_dir() else []
    hint = did_you_mean(path.name, here) if here else ""
    if hint.startswith("did you mean"):
        return hint
    return "check the path; a Hub data set is called owner/name or owner/name/configuration"


def _format(name: str) -> str | None:
    lowered = name.lower()
    return next((kind for kind in (*_PACKED, *_FORMATS) if lowered.endswith(f".{kind}")), None)


def is_data_file(path: Path) -> bool:
    """Does a file look like one with rows, and not like one that describes others."""
    return bool(_format(path.name)) and path.name not in _ASIDE


def _open_file(path: Path, split: str | None) -> Opened:
    if split is not None:
        raise DataError(f"{path} is one file and has no splits", hint=f"leave out {split!r}")
    return Opened(name=path.name, table=read_file(path))


def read_file(path: Path) -> Table:
    """The rows of one file.

    Raises:
        DataError: for a file that cannot be read.
    """
    kind = (_format(path.name) or "").removesuffix(".gz")
    if not path.is_file() or not kind:
        raise DataError(f"{path} is no data file we can read", hint=f"pass one of {READABLE}")
    if kind in ("csv", "tsv"):
        return read_delimited(path, tabs=kind == "tsv")
    if kind in _CONLL:
        return read_conll(path)
    return read_parquet(path) if kind == "parquet" else read_json(path, lines=kind != "json")


def _open_folder(folder: Path, split: str | None) -> Opened:
    if is_saved(folder):
        return open_saved(folder, split=split)
    try:
        files = _files_by_split(folder)
    except OSError as error:
        raise unreadable(folder, error) from None
    if not files:
        raise DataError(f"no data files in {folder}", hint=_inside(folder))
    chosen = choose_split(sorted(files), wanted=split, where=str(folder))
    found = sorted(files[chosen])
    if len(found) > 1 and not all(_is_shard(path) or path.parent.name == chosen for path in found):
        raise DataError(
            f"several files for split {chosen!r} in {folder}: {shown([path.name for path in found])}",
            hint="pass one of the files instead",
        )
    table = joined([read_file(path) for path in found], where=f"{folder}, split {chosen!r}")
    return Opened(name=folder.name, table=table, split=chosen, splits=tuple(sorted(files)))


def _files_by_split(folder: Path) -> dict[str, list[Path]]:
    """Split -> files: `test.csv`, `test-00000-of-00002.parquet`, `test/part.jsonl`, here or in `data/`."""
    found: dict[str, list[Path]] = defaultdict(list)
    for path in _entries(folder):
        if path.is_file() and is_data_file(path):
            found[_split_of(path)].append(path)
        elif path.is_dir() and path.name == "data":
            for split, paths in _files_by_split(path).items():
                found[split].extend(paths)
        elif path.is_dir() and path.name.lower() in _FOLDER_SPLITS:
            found[path.name].extend(inner for inner in _entries(path) if inner.is_file() and _format(inner.name))
    return {split: paths for split, paths in found.items() if paths}


def _entries(folder: Path) -> Sequence[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith((".", "_"))]


def _split_of(path: Path) -> str:
    return _SHARD.sub("", _stem(path))


def _stem(path: Path) -> str:
    return path.name[: -len(_format(path.name) or "") - 1]


def _is_shard(path: Path) -> bool:
    return _SHARD.search(_stem(path)) is not None


def _inside(folder: Path) -> str:
    folders = sorted(path.name for path in _entries(folder) if path.is_dir())
    return f"pass one of its folders: {shown(folders)}" if folders else f"it must hold files such as {READABLE}"
