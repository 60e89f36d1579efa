"""Word and character lists of the perturbations: tab-separated files whose first lines say where they come from."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def rows(name: str) -> tuple[tuple[str, ...], ...]:
    """The rows of `lexicons/<name>.tsv`, each split into its columns; lines that start with "#" describe the file.

    Raises:
        FileNotFoundError: when there is no such lexicon.
    """
    path = files("probes.robustness.perturbations") / "lexicons" / f"{name}.tsv"
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(tuple(line.split("\t")) for line in lines if line and not line.startswith("#"))


@cache
def alternatives(name: str) -> dict[str, tuple[str, ...]]:
    """{first column: the columns after it}."""
    return {first: tuple(others) for first, *others in rows(name)}
