"""A policy that extends another: the checks of the other one first, then its own.

What an extension says about exceptions can only be stricter: patterns that allow none add up, and of two dates or spans
the earlier or shorter one counts. Who owns and approved a file is said of that file alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from audits.policy.file import PAGE, PolicyFile
from audits.policy.presets import PRESETS, preset_path
from probes.core.errors import PolicyError, did_you_mean
from probes.core.yaml_file import parse_located, read_text


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody wrote a check.

    Attributes:
        name: of the file.
        line: counted from 1.
    """

    name: str
    line: int

    def __str__(self) -> str:
        return f"{self.name}, line {self.line}"


@dataclass(frozen=True, slots=True)
class Source:
    """A policy with everything that it extends.

    Attributes:
        file: its whole content; it extends nothing any more.
        places: of its checks.
        expires: the place of the date of expiry that counts; None without any.
        extended: did it extend another one.
    """

    file: PolicyFile
    places: tuple[Place, ...]
    expires: Place | None = None
    extended: bool = False


def read_source(text: str, *, name: str, folder: Path | None, above: tuple[str, ...] = ()) -> Source:
    """Read a policy and what it extends.

    Args:
        name: stands for the file in messages.
        folder: of the file, from which relative paths lead; None where there is none.
        above: the policies that led here, each as `_identity` gives it.

    Raises:
        PolicyError: naming file and line.
    """
    located = parse_located(text, PolicyFile, name=name, error=PolicyError, page=PAGE)
    own = located.content
    places = tuple(Place(name, located.line("checks", row)) for row in range(len(own.checks)))
    expires = Place(name, located.line("expires")) if own.expires else None
    if own.extends is None:
        return Source(own, places, expires)
    base = _base(own.extends, at=Place(name, located.line("extends")), folder=folder, above=above)
    file = _extended(own, base.file)
    source = Source(file, base.places + places, expires if file.expires == own.expires else base.expires, True)
    _require_in_time(source, name)
    return source


def _require_in_time(source: Source, name: str) -> None:
    file = source.file
    if file.expires and file.approved_on and file.expires < file.approved_on:
        raise PolicyError(
            f"{source.expires}: this expires on {file.expires}, before {name} was approved on {file.approved_on}",
            hint="have what is extended reviewed, and give it a later date",
        )


def _base(extends: str, *, at: Place, folder: Path | None, above: tuple[str, ...]) -> Source:
    path = _path(extends, at=at, folder=folder)
    identity = str(path.resolve())
    if identity in above:
        raise PolicyError(f"{at}: {extends} extends this policy in turn", hint="let one of the two stand on its own")
    name = f"the built-in policy {extends}" if extends in PRESETS else str(path)
    return read_source(_text(path, at=at), name=name, folder=path.parent, above=(*above, identity))


def _text(path: Path, *, at: Place) -> str:
    try:
        return read_text(path, error=PolicyError)
    except PolicyError as error:
        raise PolicyError(f"{at}: {error.message}", hint="correct the path, which leads from this file") from None


def _path(extends: str, *, at: Place, folder: Path | None) -> Path:
    if extends in PRESETS:
        return preset_path(extends)
    path = Path(extends)
    if path.suffix not in (".yaml", ".yml"):
        raise PolicyError(
            f"{at}: no preset is called {extends!r}, and the path of a policy ends in .yaml",
            hint=did_you_mean(extends, PRESETS),
        )
    if path.is_absolute():
        raise PolicyError(f"{at}: {extends} is an absolute path", hint="give it relative to this file")
    if folder is None:
        raise PolicyError(f"{at}: {extends} cannot be found without a file", hint="extend a built-in preset instead")
    return folder / path


def _extended(own: PolicyFile, base: PolicyFile) -> PolicyFile:
    return own.model_copy(
        update={
            "extends": None,
            "expires": _earlier(own.expires, base.expires),
            "non_waivable": tuple(dict.fromkeys((*base.non_waivable, *own.non_waivable))),
            "max_waiver_days": min(own.max_waiver_days, base.max_waiver_days),
            "checks": base.checks + own.checks,
        }
    )


def _earlier(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)
