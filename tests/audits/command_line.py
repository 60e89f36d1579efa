"""`audit` as a user calls it, in this process: a process of its own spends seconds on importing torch.

What only a process shows (a fresh interpreter, the entry point, a kill) is tested in one.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from audits.cli import main

ROOT = Path(__file__).resolve().parents[2]

Done = subprocess.CompletedProcess[str]


def audit(*args: object, cwd: Path, code: int | None = None, **env: str) -> Done:
    """What it prints and its exit code; `code`: the one it must have."""
    called, out, errors = [*map(str, args)], io.StringIO(), io.StringIO()
    with _surroundings(cwd, env), redirect_stdout(out), redirect_stderr(errors):
        try:
            main(called)
            ended = 0
        except SystemExit as end:
            ended = int(end.code or 0)
    return _checked(subprocess.CompletedProcess(called, ended, out.getvalue(), errors.getvalue()), code)


def audit_process(*args: object, cwd: Path, code: int | None = None, **env: str) -> Done:
    """The same in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "audits", *map(str, args)], cwd=cwd, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **_variables(cwd), **env},
    )  # fmt: skip
    return _checked(done, code)


def _checked(done: Done, code: int | None) -> Done:
    assert "Traceback" not in done.stderr, done.stderr
    if code is not None:
        assert done.returncode == code, done.stdout + done.stderr
    return done


def _variables(cwd: Path) -> dict[str, str]:
    return {"RESPONSIBLE_AUDIT_CACHE": str(cwd / "cache"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


@contextmanager
def _surroundings(cwd: Path, env: dict[str, str]) -> Iterator[None]:
    handlers = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(cwd)
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)  # read when it is imported
        for name, value in (_variables(cwd) | env).items():
            patch.setenv(name, value)
        try:
            yield
        finally:
            for each, handler in handlers.items():
                signal.signal(each, handler)
