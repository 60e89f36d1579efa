"""Answers already computed, kept in one SQLite file: keys are hashes, values are numbers. No text is ever stored.

The file may be deleted at any time. A file that cannot be used (damaged, locked, read-only, full disk) costs time and
never an audit: the cache goes on in memory and says so in `warning`.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

LOCATION = "RESPONSIBLE_AUDIT_CACHE"
"""Environment variable that moves the folder."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (key BLOB PRIMARY KEY, ask INTEGER NOT NULL, logits BLOB NOT NULL) WITHOUT ROWID
"""
PATIENCE = 5.0
"""Seconds to wait for a lock that another process holds."""
_AT_ONCE = 500
"""Keys in one query: well under the 999 variables of old SQLite builds."""


def cache_folder() -> Path:
    """Where everything is kept that can be made again: the user's cache folder, unless LOCATION names another."""
    if location := os.environ.get(LOCATION):
        return Path(location).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("responsible-audit")


def default_cache_path() -> Path:
    """The file of the answers, in the cache folder."""
    return cache_folder() / "answers-1.sqlite"


class AnswerCache:
    """A table key -> (ask, numbers), where `ask` says which call of the model computed the row.

    Attributes:
        path: the file, or None for a cache in memory.
        warning: why the file is not in use, in one sentence; empty while all is well.
    """

    def __init__(self, connection: sqlite3.Connection, *, path: Path | None, warning: str = "") -> None:
        self._connection = connection
        self.path = path
        self.warning = warning

    @classmethod
    def open(cls, path: Path | None) -> AnswerCache:
        """The cache in `path`, made when missing; in memory for None or when the file cannot be used."""
        if path is None:
            return cls(_connect(":memory:"), path=None)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            return cls(_connect(str(path)), path=path)
        except (sqlite3.Error, OSError) as error:
            return cls(_connect(":memory:"), path=None, warning=_warning(path, error))

    def get(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, int, bytes]]:
        """Rows (key, ask, float32 values as bytes) of the keys that are there, in no particular order."""
        try:
            yield from self._select(keys)
        except sqlite3.Error as error:
            self._leave_file(error)

    def put(self, rows: Iterable[tuple[bytes, int, bytes]]) -> None:
        """Store rows in one transaction, durable against the end of the process. Rows already there stay."""
        rows = list(rows)
        try:
            self._insert(rows)
        except sqlite3.Error as error:
            self._leave_file(error)
            self._insert(rows)

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def _select(self, keys: Sequence[bytes]) -> Iterator[tuple[bytes, int, bytes]]:
        for start in range(0, len(keys), _AT_ONCE):
            some = keys[start : start + _AT_ONCE]
            marks = ",".join("?" * len(some))
            query = f"SELECT key, ask, logits FROM answers WHERE key IN ({marks})"
            yield from self._connection.execute(query, some)

    def _insert(self, rows: list[tuple[bytes, int, bytes]]) -> None:
        with self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO answers VALUES (?, ?, ?)", rows)

    def _leave_file(self, error: sqlite3.Error) -> None:
        if self.path is None:
            raise error
        with contextlib.suppress(sqlite3.Error):
            self._connection.close()
        self.warning = _warning(self.path, error)
        self.path = None
        self._connection = _connect(":memory:")


def _connect(name: str) -> sqlite3.Connection:
    # Who asks may do so from a thread of its own; never two at a time.
    connection = sqlite3.connect(name, timeout=PATIENCE, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(_SCHEMA)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _warning(path: Path, error: Exception) -> str:
    return f"the answer cache {path} cannot be used ({error}); answers are kept in memory for this run only"
