from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from probes.model.cache import AnswerCache, default_cache_path

pytestmark = pytest.mark.engine

ROWS = [(bytes([number]) * 16, number, bytes([number] * 8)) for number in range(1, 4)]
KEYS = [key for key, _, _ in ROWS]


def stored(cache):
    return sorted(cache.get(KEYS))


@pytest.mark.parametrize("name", [None, "deep/er/answers.sqlite"])
def test_put_and_get(tmp_path, name):
    cache = AnswerCache.open(tmp_path / name if name else None)
    assert stored(cache) == []
    cache.put(ROWS[:2])
    assert stored(cache) == ROWS[:2]
    assert cache.warning == ""
    cache.close()
    if name:
        assert stored(AnswerCache.open(tmp_path / name)) == ROWS[:2]


def test_first_answer_stays(tmp_path):
    cache = AnswerCache.open(None)
    cache.put(ROWS[:1])
    cache.put([(KEYS[0], 99, b"x" * 8)])
    assert stored(cache) == ROWS[:1]


def test_many_keys_at_once():
    cache = AnswerCache.open(None)
    rows = [(number.to_bytes(16, "big"), 1, b"12345678") for number in range(5000)]
    cache.put(rows)
    assert sorted(cache.get([key for key, _, _ in rows])) == rows


def test_no_text_in_the_file(tmp_path, tiny):
    from probes.model.load import load

    path = tmp_path / "answers.sqlite"
    load(str(tiny("bert")), cache=AnswerCache.open(path)).classify(["a most secret sentence", "another one"])
    content = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"secret" not in content
    assert sqlite3.connect(path).execute("SELECT count(*) FROM answers").fetchone() == (2,)


def test_damaged_file(tmp_path):
    path = tmp_path / "answers.sqlite"
    path.write_bytes(b"this is not a database, and never was one" * 100)
    before = path.read_bytes()
    cache = AnswerCache.open(path)
    assert "kept in memory" in cache.warning
    cache.put(ROWS)
    assert stored(cache) == ROWS
    assert path.read_bytes() == before


def test_file_damaged_while_in_use(tmp_path):
    path = tmp_path / "answers.sqlite"
    cache = AnswerCache.open(path)
    cache.put([(number.to_bytes(16, "big"), 1, b"12345678") for number in range(5000)])
    cache.close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xaa" * (len(content) - 4096))
    cache = AnswerCache.open(path)
    assert stored(cache) == []
    cache.put(ROWS)
    assert stored(cache) == ROWS
    assert cache.warning


def test_folder_in_place_of_the_file(tmp_path):
    assert AnswerCache.open(tmp_path).warning


def test_unwritable_place():
    assert AnswerCache.open(Path("/proc/no/answers.sqlite")).warning


def test_read_only_file(tmp_path, monkeypatch):
    path = tmp_path / "answers.sqlite"
    first = AnswerCache.open(path)
    first.put(ROWS[:1])
    first.close()
    path.chmod(stat.S_IRUSR)
    cache = AnswerCache.open(path)
    cache._connection.execute("PRAGMA query_only = ON")  # what a read-only file is to anyone but root
    cache.put(ROWS[1:])
    assert set(stored(cache)) >= set(ROWS[1:])
    assert "cannot be used" in cache.warning


def test_locked_file(tmp_path, monkeypatch):
    monkeypatch.setattr("probes.model.cache.PATIENCE", 0.05)
    path = tmp_path / "answers.sqlite"
    AnswerCache.open(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    cache = AnswerCache.open(path)
    other.execute("BEGIN EXCLUSIVE")
    cache.put(ROWS)
    assert stored(cache) == ROWS
    assert "locked" in cache.warning


def test_two_processes_may_share_it(tmp_path):
    one, two = (AnswerCache.open(tmp_path / "answers.sqlite") for _ in range(2))
    one.put(ROWS[:1])
    two.put(ROWS[1:])
    assert stored(one) == stored(two) == ROWS


def test_location(monkeypatch, tmp_path):
    monkeypatch.delenv("RESPONSIBLE_AUDIT_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "responsible-audit" in default_cache_path().parts
    monkeypatch.setenv("RESPONSIBLE_AUDIT_CACHE", str(tmp_path))
    assert default_cache_path() == tmp_path / "answers-1.sqlite"
