"""Many searches at once: what all of them want to know is asked in one bulk, round after round.

A search is a generator. It yields a `Request`, is given the answer, and returns what it found. A scheduler takes the
requests of all live searches, hands those to the same oracle over together, and gives each search its answer. So an
attack reads as if it were alone, and the model still sees full batches.

What a search finds depends on its own questions and answers alone, never on the searches beside it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

Found = TypeVar("Found")

POOLS = 2
"""Groups of searches that are asked about in turn: while the model answers one, the other is thought about."""

AT_ONCE = 1e-3
"""Seconds. Answers that come sooner, such as known ones, are thought about there and then: to hand them to another
thread would take longer than the asking that goes on beside it."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one search wants to know next.

    Attributes:
        oracle: who is asked, a name that the scheduler was given.
        item: about which search it is: its position.
        questions: as this oracle understands them; never empty.
    """

    oracle: str
    item: int
    questions: Sequence[Any]


Steps = Generator[Request, Any, Found]
"""A search, or a part of one: yields requests, is sent their answers, returns what it found."""

Oracle = Callable[[Sequence[Request]], Sequence[Any]]
"""Answers n requests with n answers in the same order."""

Ask = Callable[[dict[str, list[Request]]], dict[str, Sequence[Any]]]


def run(
    searches: Sequence[Steps[Found]],
    oracles: Mapping[str, Oracle],
    *,
    pools: int = POOLS,
    progress: Callable[[int, int], None] | None = None,
) -> list[Found]:
    """What n searches found, in the same order.

    Args:
        searches: not begun yet.
        oracles: whom they may ask, by name.
        pools: groups that are asked about in turn; with one, nothing runs beside the asking.
        progress: is told after each round how many of how many have ended.

    Raises:
        KeyError: a search asks an oracle that is not there.
    """
    groups = [_Pool(searches, range(start, len(searches), pools)) for start in range(min(pools, len(searches)))]
    ended = [len(group.found) for group in groups]
    took = [float("inf")] * len(groups)
    with ThreadPoolExecutor(max_workers=1) as thinking:
        waiting: dict[int, Future[None] | None] = {number: None for number, each in enumerate(groups) if each.pending}
        while waiting:
            number = next(iter(waiting))
            group, thoughts = groups[number], waiting.pop(number)
            if thoughts is not None:
                thoughts.result()
                ended[number] = len(group.found)
                if progress is not None:
                    progress(sum(ended), len(searches))
            if group.pending:  # the main thread asks: it is the one that an interruption can stop between two batches
                begun, before = time.perf_counter(), took[number]
                answers = _asked(group.pending, oracles)
                took[number] = time.perf_counter() - begun
                think = _now if max(before, took[number]) < AT_ONCE else thinking.submit
                waiting[number] = think(group.advance, answers)
    found = {item: result for group in groups for item, result in group.found.items()}
    return [found[item] for item in range(len(searches))]


class _Pool:
    """Some of the searches, and what each of them waits for."""

    def __init__(self, searches: Sequence[Steps[Any]], items: Sequence[int]) -> None:
        self.searches = searches
        self.pending: dict[int, Request] = {}
        self.found: dict[int, Any] = {}
        self.advance(dict.fromkeys(items))

    def advance(self, answers: Mapping[int, Any]) -> None:
        """Give searches their answers (None to begin with), and note what they ask next, or have found."""
        for item, answer in answers.items():
            self.pending.pop(item, None)
            try:
                self.pending[item] = self.searches[item].send(answer)
            except StopIteration as end:
                self.found[item] = end.value


def _now(call: Callable[[Mapping[int, Any]], None], answers: Mapping[int, Any]) -> Future[None]:
    """What a thread would do, done."""
    call(answers)
    done: Future[None] = Future()
    done.set_result(None)
    return done


def _asked(pending: Mapping[int, Request], oracles: Mapping[str, Oracle]) -> dict[int, Any]:
    """The answer to each request, every oracle asked once."""
    by_oracle: dict[str, list[int]] = defaultdict(list)
    for item, request in pending.items():
        by_oracle[request.oracle].append(item)
    answers: dict[int, Any] = {}
    for name, items in by_oracle.items():
        answers.update(zip(items, oracles[name]([pending[item] for item in items]), strict=True))
    return answers
