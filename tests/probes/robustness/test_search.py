from __future__ import annotations

import signal
import threading

import pytest

from probes.robustness import search
from probes.robustness.search import Request


def counting(item, rounds, oracle="double"):
    """Asks about `rounds` numbers, one after another; finds their answers."""
    found = []
    for number in range(rounds):
        answer = yield Request(oracle, item, [item * 100 + number])
        found.append(answer)
    return found


class Double:
    """Doubles numbers; keeps which items came together."""

    def __init__(self):
        self.together: list[list[int]] = []

    def __call__(self, requests):
        self.together.append([request.item for request in requests])
        return [2 * request.questions[0] for request in requests]


@pytest.mark.parametrize("pools", [1, 2, 3, 9])
def test_every_search_gets_its_own_answers_in_its_own_place(pools: int) -> None:
    rounds = [3, 0, 1, 5, 2]
    found = search.run([counting(item, n) for item, n in enumerate(rounds)], {"double": Double()}, pools=pools)
    assert found == [[2 * (item * 100 + number) for number in range(n)] for item, n in enumerate(rounds)]


def test_questions_of_all_searches_are_asked_as_one() -> None:
    oracle = Double()
    search.run([counting(item, 4) for item in range(6)], {"double": oracle}, pools=1)
    assert oracle.together == [[0, 1, 2, 3, 4, 5]] * 4


def test_with_two_pools_every_other_search_is_asked_about_in_turn() -> None:
    oracle = Double()
    search.run([counting(item, 2) for item in range(5)], {"double": oracle})
    assert oracle.together == [[0, 2, 4], [1, 3], [0, 2, 4], [1, 3]]


def test_the_device_works_while_the_next_pool_is_thought_about() -> None:
    asking, thought = threading.Event(), threading.Event()

    def slow(requests):
        if requests[0].item == 0:
            asking.set()
            assert thought.wait(timeout=20), "nothing was thought about while the oracle was at work"
        return [None for _ in requests]

    def quick(item):
        yield Request("slow", item, [item])
        if item == 1:
            assert asking.wait(timeout=20)
            thought.set()
        return item

    def first():
        yield Request("slow", 2, [2])
        yield Request("slow", 0, [0])
        return 0

    assert search.run([first(), quick(1)], {"slow": slow}) == [0, 1]


@pytest.mark.parametrize(("at_once", "elsewhere"), [(0.0, [True, True, True]), (float("inf"), [True, False, False])])
def test_what_is_answered_at_once_time_after_time_is_thought_about_without_a_thread(
    monkeypatch, at_once: float, elsewhere: list[bool]
) -> None:
    monkeypatch.setattr(search, "AT_ONCE", at_once)
    threads = []

    def noting(item):
        for number in range(3):
            yield Request("double", item, [number])
            threads.append((item, threading.current_thread() is not threading.main_thread()))
        return item

    assert search.run([noting(0), noting(1)], {"double": Double()}) == [0, 1]
    for item in range(2):
        assert [thread for own, thread in threads if own == item] == elsewhere


def test_each_oracle_is_asked_once_a_round() -> None:
    one, other = Double(), Double()
    searches = [counting(item, 1, oracle=("one", "other")[item % 2]) for item in range(4)]
    search.run(searches, {"one": one, "other": other}, pools=1)
    assert one.together == [[0, 2]]
    assert other.together == [[1, 3]]


@pytest.mark.parametrize("pools", [1, 2])
def test_what_an_oracle_raises_ends_the_run(pools: int) -> None:
    def broken(requests):
        raise ZeroDivisionError("no answer")

    with pytest.raises(ZeroDivisionError, match="no answer"):
        search.run([counting(item, 2, oracle="broken") for item in range(3)], {"broken": broken}, pools=pools)


@pytest.fixture
def interruptible():
    """As a terminal's Ctrl-C, whatever the tests were started by."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("pools", [1, 2])
@pytest.mark.usefixtures("interruptible")
def test_an_interruption_ends_what_is_being_asked_and_nothing_more_is(pools: int) -> None:
    batches = []

    def long(requests):
        for batch in range(3):
            batches.append((requests[0].item, batch))
            signal.raise_signal(signal.SIGINT)
        return [None for _ in requests]

    with pytest.raises(KeyboardInterrupt):
        search.run([counting(item, 2, oracle="long") for item in range(3)], {"long": long}, pools=pools)
    assert batches == [(0, 0)]


@pytest.mark.parametrize("pools", [1, 2])
def test_what_a_search_raises_ends_the_run(pools: int) -> None:
    def broken():
        yield Request("double", 0, [1])
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        search.run([counting(1, 2), broken()], {"double": Double()}, pools=pools)


def test_an_oracle_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyError, match="nobody"):
        search.run([counting(0, 1, oracle="nobody")], {"double": Double()})


def test_too_few_answers_are_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        search.run([counting(item, 1) for item in range(2)], {"double": lambda requests: [1]}, pools=1)


def test_no_search_at_all() -> None:
    assert search.run([], {}) == []


def test_progress_tells_how_many_have_ended() -> None:
    told: list[tuple[int, int]] = []
    search.run(
        [counting(item, item) for item in range(4)],
        {"double": Double()},
        pools=1,
        progress=lambda done, all_: told.append((done, all_)),
    )
    assert told == [(2, 4), (3, 4), (4, 4)]
