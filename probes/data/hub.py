"""Data sets kept by the `datasets` library: folders written by `save_to_disk`, and the Hugging Face Hub.

Only here is `datasets` imported, and only when it is needed. A saved folder is memory-mapped, so nothing is copied
anywhere. A Hub data set stays in the library's own download cache, as every other tool leaves it there.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from probes.core.errors import DataError
from probes.data.splits import choose_split
from probes.data.table import Opened, Table, column_names, writable

SECONDS_TO_REACH_HUB = 15.0


def is_saved(folder: Path) -> bool:
    """Was this folder written by `save_to_disk`?"""
    return (folder / "state.json").is_file() or (folder / "dataset_dict.json").is_file()


def open_saved(folder: Path, *, split: str | None) -> Opened:
    """A folder written by `Dataset.save_to_disk` or `DatasetDict.save_to_disk`.

    Raises:
        DataError: when it is damaged or has no such split.
    """
    import datasets

    try:
        loaded = datasets.load_from_disk(str(folder))
    except Exception as error:  # a damaged folder may fail anywhere inside the library
        raise DataError(
            f"{folder} is not a whole save_to_disk folder: {_reason(error)}",
            hint="save it again, or pass the data as CSV, JSON lines or Parquet",
        ) from None
    return _opened(loaded, name=folder.name, where=str(folder), split=split)


def open_hub(source: str, *, split: str | None, revision: str | None) -> Opened:
    """A data set on the Hub, named "owner/name" or "owner/name/configuration". Loading scripts are never run.

    Raises:
        DataError: when the Hub cannot be reached, or has no such data set, configuration, revision or split.
    """
    import datasets

    repository, configuration = _parts(source)
    commit, licence = _commit(repository, revision)
    options = {} if int(datasets.__version__.split(".")[0]) >= 4 else {"trust_remote_code": False}
    try:
        loaded = datasets.load_dataset(repository, configuration, revision=commit, **options)
    except Exception as error:  # the network and a stranger's repository may fail in any way
        raise _hub_error(source, error) from None
    opened = _opened(loaded, name=source, where=source, split=split)
    return replace(opened, revision=commit, licence=licence)


def _parts(source: str) -> tuple[str, str | None]:
    owner, name, *configuration = source.split("/")
    return f"{owner}/{name}", configuration[0] if configuration else None


def _commit(repository: str, revision: str | None) -> tuple[str | None, str | None]:
    """The commit behind a branch or tag, and the licence. Asked first: `datasets` alone retries for half a minute."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import OfflineModeIsEnabled

    try:
        info = HfApi().dataset_info(repository, revision=revision, timeout=SECONDS_TO_REACH_HUB)
    except OfflineModeIsEnabled:
        return revision, None  # it may be in the download cache
    except Exception as error:  # every HTTP library has its own errors
        raise _hub_error(repository, error) from None
    licence = info.card_data.get("license") if info.card_data else None
    return info.sha, str(licence) if licence else None


def _hub_error(source: str, error: Exception) -> DataError:
    kind = type(error).__name__
    if isinstance(error, ConnectionError) or "Connect" in kind or "Timeout" in kind:
        return DataError(
            f"{source} is no local file or folder, and the Hub cannot be reached",
            hint="correct the path, or go online once so that the data set is in the download cache",
        )
    return DataError(
        f"{source} is no local file or folder, and the Hub does not give it: {_reason(error)}",
        hint="check owner, name and revision; a configuration is named owner/name/configuration",
    )


def _opened(loaded: Any, *, name: str, where: str, split: str | None) -> Opened:
    if isinstance(loaded, Mapping):
        splits = tuple(str(key) for key in loaded)
        if not splits:
            raise DataError(f"{where} has no splits", hint="save it again with at least one split")
        chosen = choose_split(splits, wanted=split, where=where)
        return Opened(name=name, table=_table(loaded[chosen], where), split=chosen, splits=splits)
    if split is not None:
        raise DataError(f"{where} has no splits", hint=f"leave out {split!r}: the folder is one data set")
    return Opened(name=name, table=_table(loaded, where))


def _table(dataset: Any, where: str) -> Table:
    names = column_names(dataset.column_names, where=where)
    stored = dict(zip(names, dataset.column_names, strict=True))

    def values(name: str) -> list[object]:
        column = stored[name]
        try:
            # The Arrow format leaves images and audio undecoded and honours a selection of rows.
            found: list[object] = dataset.select_columns([column]).with_format("arrow")[:][column].to_pylist()
        except Exception as error:  # as above; also text that is not UTF-8
            raise DataError(
                f"column {name!r} of {where} cannot be read: {_reason(error)}", hint="save the data again"
            ) from None
        return found

    classes = {name: _class_names(dataset.features[stored[name]]) for name in names}
    return Table(
        names=names,
        rows=len(dataset),
        values=values,
        classes={name: labels for name, labels in classes.items() if labels},
    )


def _class_names(feature: Any) -> tuple[str, ...]:
    if isinstance(feature, list) and feature:
        return _class_names(feature[0])
    inner = getattr(feature, "feature", None)
    names = getattr(feature if inner is None else inner, "names", None)
    return tuple(str(name) for name in names) if isinstance(names, list) else ()


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error
    return writable(str(cause).strip().split(os.linesep)[0])[:200] or type(cause).__name__
