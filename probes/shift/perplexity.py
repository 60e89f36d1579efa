"""The probe that compares how well a language model expects other kinds of texts with the in-domain ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from probes.core.answers import LANGUAGE_HEADS, Floats
from probes.core.examples import Example
from probes.core.measuring import measured
from probes.core.model import Capability, Scorer
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Better, Curve, Estimate, Measurement, Outcomes, Point, Record, Skip, Unit
from probes.core.scored_texts import ScoredTexts
from probes.core.stats.derived import FEW, mapped
from probes.core.stats.unpaired import difference
from probes.shift.domains import HOME, Domain, Domains, no_others, too_few

Found = Measurement | Skip
Sizes = Callable[[ScoredTexts], Floats]
RATIOS: Mapping[str, tuple[str, Sizes]] = {
    "perplexity_ratio": ("token", lambda items: items.tokens),
    "word_perplexity_ratio": ("word", lambda items: items.words),
}
"""Name of a number -> by what, and how many of them each text has."""


@dataclass(frozen=True)
class Perplexity:
    """How much less does the language model expect texts of other kinds?

    Measures:
        Perplexity by token and by word for the in-domain texts and for each other kind, and how many times the
        in-domain perplexity that of the other kind is.

    Why it matters:
        A language model tuned on one kind of text may have lost others, or never known them. It needs no label to be
        seen. These numbers are evidence relevant to the conditions of use that performance is declared for.

    Method:
        Every text of every kind is scored as in performance.likelihood. The kinds are independent samples: the ratio of
        two perplexities is two to the power of the difference of their bits for each token or word, whose interval
        comes from those of the two sides (MOVER of cluster bootstraps, BCa, 2000 resamples, with the document as
        cluster).

    Limits:
        A kind of text may be harder to expect for any model (short, full of names, in another language), so a ratio
        above 1 is no fault by itself: compare it with that of another model, such as the one this was tuned from. The
        ratio by token also holds that unusual words are cut into more pieces, each of them easy; that by word does not.
        A kind with fewer than 10 independent texts is not compared. Texts in both data sets make them alike.

    References:
        Gururangan et al. 2020, Don't Stop Pretraining, ACL. Magnusson et al. 2024, Paloma: A Benchmark for Evaluating
        Language Model Fit, NeurIPS. Zou and Donner 2008, Statistics in Medicine 27:1693 (MOVER).
    """

    resamples: int = 2000
    minimum: int = FEW
    """Independent texts that the in-domain data, and every other kind, must have."""

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="shift.perplexity",
            version=1,
            risk="shift",
            title="Other kinds of texts expected",
            doc=ProbeDoc.parse(type(self).__doc__),
            needs=frozenset({Capability.SCORE}),
            domains=True,
            problems=LANGUAGE_HEADS,
        )

    def run(self, model: Scorer, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Levels of every kind, ratios, a chart, then cases of each kind and outcomes."""
        everything = ScoredTexts.ask(model, data)
        scored = {domain.name: _part(everything, domain) for domain in Domains.of(data)}
        home, *others = (Domain(name, items.examples) for name, items in scored.items())
        domains = Domains(home, tuple(others))
        for name, items in scored.items():
            yield items.accounting(part={"domain": name})
        nothing = no_others(domains)
        if nothing is not None:
            yield nothing
            return
        comparable, skips = domains.comparable(minimum=self.minimum)
        yield from skips
        small = too_few(home, minimum=self.minimum)
        levels = {} if small else {d.name: self._level(scored[d.name], d, ctx) for d in (home, *comparable)}
        yield from levels.values()
        for domain in comparable:
            yield from self._ratios(scored[HOME], scored[domain.name], domain, ctx)
        yield from _chart(levels)
        yield from self._cases(scored, comparable, ctx)
        kept = everything.outcomes()
        yield replace(kept, variant=[f"domain={example.domain or HOME}" for example in everything.examples])

    def _level(self, items: ScoredTexts, domain: Domain, ctx: Context) -> Found:
        return measured(
            "perplexity",
            f"perplexity by token {domain.where}",
            lambda: items.perplexity(items.tokens, rng=ctx.generator("level", domain.name), resamples=self.resamples),
            better=Better.LOWER,
            unit=Unit.SCORE,
            part=domain.slice,
            family=f"{self.info.id}.levels",
        )

    def _ratios(self, home: ScoredTexts, other: ScoredTexts, domain: Domain, ctx: Context) -> Iterator[Found]:
        for name, (of, sizes) in RATIOS.items():
            yield measured(
                name,
                f"perplexity by {of} {domain.where}, as a multiple of the in-domain one",
                partial(self._ratio, name, sizes, other, home, ctx),
                better=Better.LOWER,
                unit=Unit.SCORE,
                part=domain.slice,
                family=f"{self.info.id}.{name}",
            )

    def _ratio(self, name: str, sizes: Sizes, other: ScoredTexts, home: ScoredTexts, ctx: Context) -> Estimate:
        rng = partial(ctx.generator, name, other.examples[0].domain)
        above, below = (
            items.bits_per(sizes(items), rng=rng(side), resamples=self.resamples)
            for items, side in ((other, "other"), (home, HOME))
        )
        found = difference(above, below)
        return mapped(found, lambda bits: 2.0**bits, method=f"{found.method} of the logarithm")

    def _cases(self, scored: dict[str, ScoredTexts], comparable: Sequence[Domain], ctx: Context) -> Iterator[Record]:
        found = [case for domain in comparable for case in scored[domain.name].cases(ctx, part=domain.slice)]
        yield from sorted(found, key=lambda case: case.chosen == "worst")


def _part(items: ScoredTexts, domain: Domain) -> ScoredTexts:
    """The texts of a domain that have a score."""
    ids = {example.id for example in domain.examples}
    part = items.where(np.array([example.id in ids for example in items.examples], dtype=bool))
    return replace(part, unscored=len(domain) - len(part))


def _chart(levels: dict[str, Found]) -> Iterator[Curve]:
    points = [
        Point(x=place, y=level.estimate, label=name)
        for place, (name, level) in enumerate(levels.items())
        if isinstance(level, Measurement)
    ]
    if len(points) > 1:
        yield Curve(
            name="perplexity_by_domain",
            title="Perplexity by kind of text",
            x_title="kind of text",
            y_title="perplexity by token",
            unit=Unit.SCORE,
            points=tuple(points),
            connected=False,
        )
