"""The items that probes draw from: the audit's own, and those of other domains for probes that compare domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from audits.planning.domains import Domains
from probes.core.examples import Example
from probes.core.probe import Probe
from probes.core.sampling import stratified


@dataclass(frozen=True, slots=True)
class Pools:
    """What there is; samples are drawn once."""

    data: Sequence[Example]
    domains: Domains
    seed: int
    _drawn: dict[tuple[bool, int], tuple[Example, ...]] = field(default_factory=dict, init=False)

    def available(self, probe: Probe) -> int:
        """The most items a probe can use, of each domain if it compares domains."""
        if not probe.info.data:
            return 0
        return self.domains.largest if probe.info.domains else len(self.data)

    def sample(self, probe: Probe, *, limit: int) -> tuple[Example, ...]:
        """The items of a probe, at most `limit`, of each domain if it compares domains."""
        if not probe.info.data:
            return ()
        return self._sample(probe.info.domains, limit) if probe.info.domains else self.own(limit=limit)

    def own(self, *, limit: int) -> tuple[Example, ...]:
        """Items of the audit's own data."""
        return self._sample(False, limit)

    def _sample(self, domains: bool, limit: int) -> tuple[Example, ...]:
        key = (domains, limit)
        if key not in self._drawn:
            drawn = (
                self.domains.sample(limit, seed=self.seed)
                if domains
                else stratified(self.data, limit=limit, seed=self.seed)
            )
            self._drawn[key] = tuple(drawn)
        return self._drawn[key]
