"""A limit on the time that a piece of foreign Python may take."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

AGAIN = 0.5
"""Seconds until it is stopped again, should what runs have swallowed the first attempt."""


class TookTooLongError(Exception):
    """What ran was stopped."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Stop what runs after so many seconds of processor time, which neither a busy machine nor a sleeping one uses up.

    Only the main thread can be stopped, and only where the system has such a clock (Windows has none): elsewhere
    nothing is limited.

    Raises:
        TookTooLongError: in what runs.
    """
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: Any) -> None:
        raise TookTooLongError(f"it takes more than {seconds:g} seconds")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
