"""Which split to use when there are several."""

from __future__ import annotations

from collections.abc import Sequence

from probes.core.errors import DataError
from probes.data.table import shown

_PREFERRED = (("test",), ("validation", "valid", "val", "dev"))


def choose_split(available: Sequence[str], *, wanted: str | None, where: str) -> str:
    """The split asked for; otherwise test, otherwise validation, otherwise the only one.

    Raises:
        DataError: listing the splits, when the wanted one is not there or the choice is open.
    """
    if wanted is not None:
        if wanted in available:
            return wanted
        raise DataError(f"{where} has no split {wanted!r}", hint=f"its splits: {shown(available)}")
    for names in _PREFERRED:
        found = [name for name in available if name.lower() in names]
        if len(found) == 1:
            return found[0]
        if found:
            break
    if len(available) == 1:
        return available[0]
    raise DataError(
        f"{where} has several splits: {shown(available)}", hint=f"choose one, for example --data {where}:{available[0]}"
    )


def split_notes(split: str | None, available: Sequence[str], *, labelled: bool) -> tuple[str, ...]:
    """What a reader must know about the split that was used."""
    notes = []
    others = f" Other splits: {shown([name for name in available if name != split])}." if len(available) > 1 else ""
    if split is not None and split.lower().startswith("train"):
        note = f"The split is called {split!r}: if the model was trained on these rows, every result is too favourable."
        notes.append(note + others)
    if others and not labelled:
        notes.append(f"No row of split {split!r} is labelled, as in many public test sets.{others}")
    return tuple(notes)
