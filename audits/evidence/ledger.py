"""The ledger of attempts: `attempts.jsonl` in the folder that holds the run folders.

Who tries often enough passes in the end, by chance or by choosing. Therefore every run is written down when it is
frozen, whenever its judgement changes, and before a judged run is measured further; lines are only added, and each
carries the SHA-256 of the line before.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time as clock
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import SerializerFunctionWrapHandler, ValidationError, model_serializer

from probes.core.attestation import canonical
from probes.core.errors import IntegrityError, OutputError
from probes.core.records import Frozen
from probes.core.run_folder import RunFolder

LEDGER = "attempts.jsonl"
START = "0" * 64
"""Stands for the line before the first one."""

PATIENCE = 10.0
"""Seconds to wait for another process where the file system has no locks."""


Event = Literal["frozen", "judged", "reopened"]
"""Reopened: a judged run is measured further, so its results may become others until it is judged again."""


class Line(Frozen):
    """One line of the ledger.

    Attributes:
        time: of the event, UTC, ISO 8601.
        created: when the run was frozen; with `run_id` it tells a run that was deleted and made again from the first.
        model, data: fingerprints.
        exit_code: None where nothing was judged.
        results: digest of what was judged; empty in other lines, and in those of versions that did not keep it.
        previous: SHA-256 of the line before, without its line end.
    """

    event: Event
    time: str
    run_id: str
    created: str
    model: str
    data: str
    policy_id: str
    policy_digest: str
    exit_code: int | None = None
    results: str = ""
    previous: str = START

    @model_serializer(mode="wrap")
    def _without_no_results(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """A line without results is spelt as before there were any, so that older ledgers hold."""
        fields: dict[str, Any] = serialize(self)
        return fields if self.results else {name: value for name, value in fields.items() if name != "results"}

    @property
    def run(self) -> tuple[str, str]:
        """What identifies the run."""
        return self.run_id, self.created


def ledger_of(run: RunFolder) -> Path:
    """The ledger beside a run folder."""
    return run.path.resolve().parent / LEDGER


def has_ledger(run: RunFolder) -> bool:
    """Is there anything in the place of the ledger, be it empty or unreadable."""
    return os.path.lexists(ledger_of(run))


def read_ledger(path: Path) -> tuple[Line, ...]:
    """All lines of a ledger; none where there is no ledger.

    Raises:
        IntegrityError: naming the first line that does not follow from the one before; or it is no file to be read.
    """
    _require_no_link(path)
    try:
        return _read(path.read_bytes(), path)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise IntegrityError(
            f"the ledger of attempts {path} cannot be read: {error.strerror or error}",
            hint="put the ledger back as it was; to begin another one, move this away and keep it",
        ) from error


@dataclass(frozen=True, slots=True)
class Refrozen:
    """A line that says of a run that it was frozen with something else than it holds now, and with what."""

    number: int
    told: str


_FROZEN = {"policy_digest": "policy", "model": "model", "data": "data"}
"""What a run is frozen with, by the names of a line, in words."""


def refrozen(lines: Iterable[Line], line: Line) -> Refrozen | None:
    """The first line by which a run was frozen with another policy, model or data; `line` is how it is now."""
    for number, before in enumerate(lines, start=1):
        if (before.run, before.event) == (line.run, "frozen"):
            was, now = before.model_dump(), line.model_dump()
            changed = [
                f"the {word} {was[name][:12]}, not {now[name][:12]}"
                for name, word in _FROZEN.items()
                if was[name] != now[name]
            ]
            if changed:
                return Refrozen(number, " and ".join(changed))
    return None


def append(path: Path, line: Line) -> tuple[Line, ...]:
    """Add a line unless it says nothing new, and return the whole ledger as it is then.

    Raises:
        IntegrityError: naming the line at which the ledger was changed, or that says that the run was frozen otherwise.
        OutputError: when it cannot be written.
    """
    _require_no_link(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path) as file:
            content = path.read_bytes()
            lines = _read(content, path)
            _require_frozen_once(lines, line, path)
            if any(_says_the_same(before, line) for before in _last(lines, line)):
                return lines
            line = line.model_copy(update={"previous": _hash(content)})
            os.write(file, canonical(line) + b"\n")
            os.fsync(file)
            return (*lines, line)
    except OSError as error:
        raise OutputError(
            f"cannot write the ledger of attempts {path}: {error.strerror or error}",
            hint="free some space or choose another folder with --out",
        ) from error


def _require_no_link(path: Path) -> None:
    if path.is_symlink():
        raise IntegrityError(
            f"the ledger of attempts {path} is a link, so its content could be elsewhere",
            hint="put the ledger itself there",
        )


def _require_frozen_once(lines: Sequence[Line], line: Line, path: Path) -> None:
    found = refrozen(lines, line) if line.event == "frozen" else None
    if found is not None:
        raise IntegrityError(
            f"line {found.number} of the ledger {path} says that {line.run_id} was frozen with {found.told}",
            hint="the manifest was changed after the run began: delete the run folder and run the audit again",
        )


def _last(lines: Sequence[Line], line: Line) -> list[Line]:
    """The last line about the freezing of the same run, or about what came of it."""
    frozen = line.event == "frozen"
    return [before for before in lines if before.run == line.run and (before.event == "frozen") == frozen][-1:]


def _says_the_same(before: Line, line: Line) -> bool:
    told, now = ((each.event, each.policy_digest, each.exit_code) for each in (before, line))
    return told == now and before.results in ("", line.results)


def _read(content: bytes, path: Path) -> tuple[Line, ...]:
    lines, previous = [], START
    *texts, rest = content.split(b"\n")
    for number, text in enumerate([*texts, rest] if rest else texts, start=1):
        try:
            line = Line.model_validate_json(text)
            follows = number <= len(texts) and line.previous == previous and canonical(line) == text
        except ValidationError:
            follows = False
        if not follows:
            raise IntegrityError(
                f"the ledger of attempts {path} was changed or is damaged at line {number}",
                hint="find out who wrote to it; to begin another one, move it away and keep it",
            )
        lines.append(line)
        previous = hashlib.sha256(text).hexdigest()
    return tuple(lines)


def _hash(content: bytes) -> str:
    """SHA-256 of the last line."""
    return hashlib.sha256(content.rstrip(b"\n").rpartition(b"\n")[2]).hexdigest() if content else START


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The ledger, open for adding, while no other process adds to it."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
        except (ImportError, OSError):
            with _lock_file(path.with_name(path.name + ".lock")):
                yield file
        else:
            yield file
    finally:
        os.close(file)


@contextlib.contextmanager
def _lock_file(path: Path) -> Iterator[None]:
    """Where the file system has no locks (Windows, some network drives): whoever creates the file has the lock."""
    until = clock.monotonic() + PATIENCE
    while True:
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            break
        except FileExistsError:
            if clock.monotonic() > until:
                raise OutputError(
                    f"another process holds {path}", hint="wait for it; if there is none, delete this file"
                ) from None
            clock.sleep(0.02)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
