"""Probes that do nothing, for tests of what is done with probes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from probes.core.probe import ProbeDoc, ProbeInfo
from probes.registry import Registry

DOC = ProbeDoc(question="Q?", measures="m", why="w", method="m", limits="l", references="r")


def info(name: str, **changes: Any) -> ProbeInfo:
    return ProbeInfo(id=name, version=1, risk=name.split(".")[0], title=name, doc=DOC, **changes)


@dataclass(frozen=True)
class Stub:
    info: ProbeInfo = field(default=info("a.one"), metadata={"parameter": False})
    rate: float = 0.1
    levels: tuple[int, ...] = (1, 2)

    def __post_init__(self) -> None:
        if self.rate > 1:
            raise ValueError("rate is a share")

    def run(self, model: Any, data: Any, ctx: Any) -> Iterator[Any]:
        yield from ()


def registry(*infos: ProbeInfo) -> Registry:
    found = Registry()
    for one in infos:
        found.add(Stub(info=one), origin="test")
    return found
