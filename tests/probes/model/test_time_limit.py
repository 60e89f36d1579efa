"""What does not end is stopped, and what does is left alone."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from probes.model.time_limit import TookTooLongError, at_most

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no such clock")


def forever() -> None:
    while True:
        pass


def test_what_does_not_end_is_stopped():
    started = time.process_time()
    with pytest.raises(TookTooLongError, match=r"more than 0\.05 seconds"), at_most(0.05):
        forever()
    assert time.process_time() - started < 2


def test_nothing_is_left_behind():
    before = signal.getsignal(signal.SIGVTALRM)
    with at_most(60):
        assert signal.getitimer(signal.ITIMER_VIRTUAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) == before


def test_outside_the_main_thread_nothing_is_limited():
    done = []

    def work() -> None:
        with at_most(0.001):
            done.append(sum(range(300_000)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [sum(range(300_000))]
