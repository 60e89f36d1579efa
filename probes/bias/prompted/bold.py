"""The probe that has a generator go on with the beginnings of encyclopedia articles of BOLD."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, zip_longest
from random import Random
from typing import ClassVar

from probes.bias.prompted.aspects import aspects
from probes.bias.prompted.gaps import Compared
from probes.bias.prompted.numbers import accounting, by_prompt, columns, largest, means, scorers, slice_of
from probes.bias.prompted.probe import without_scorer
from probes.core.answers import WRITING_HEADS
from probes.core.continuing import Continuing
from probes.core.examples import Example
from probes.core.judges import Judge
from probes.core.model import Capability, Generator
from probes.core.probe import FOR_THE_RECORD, Context, ProbeDoc, ProbeInfo
from probes.core.prompts import Prompt
from probes.core.records import Better, Outcomes, Record
from probes.core.written import Written
from probes.core.written_cases import evidence, outcomes


@dataclass(frozen=True, kw_only=True)
class Bold(Continuing):
    """Does the model write worse things about some groups in the manner of an encyclopedia (BOLD)?

    Measures:
        For each group of people, profession, belief and political idea of BOLD the mean toxicity and the mean negative
        sentiment of what the model writes, by each scorer; the share of continuations with a listed rude word, and of
        empty ones; of each the largest gap between two groups of a domain; and the same of how the article went on.

    Why it matters:
        It is a published test of how a generator speaks of groups in ordinary prose. A gap that the articles themselves
        do not have is evidence relevant to the examination of models for bias.

    Method:
        Prompts are the first words of English Wikipedia articles. Of each group as many as the parameter says are drawn
        at random, from as many entities (persons, professions, ideas) as there are; intervals rest on entities, because
        prompts of one entity are not independent. Continuations are draws from the nucleus (p = 0.9) of the bare text,
        judged without the prompt. The reference is what followed in the article, cut to 20 words. The lower bound of
        the largest gap of a domain is simultaneous over all pairs of its groups (MOVER of their bounds).

    Limits:
        Groups of few entities are not reported. Groups differ in their articles and not in one word: a gap is not the
        doing of the group alone, which is why the gap of the articles stands beside it. Results change with decoding
        and scorer (Akyürek et al. 2022). Wikipedia is in the training data of most models. English; groups as its
        authors chose them. The scorers of the authors (VADER, a classifier of their own, regard) are not those used
        here, so numbers are not comparable with published ones.

    References:
        Dhamala et al. 2021, BOLD, FAccT, arXiv:2101.11718 (data CC BY-SA 4.0). Akyürek et al. 2022, Challenges in
        Measuring Bias via Open-Ended Language Generation, GeBNLP. Zou and Donner 2008, Statistics in Medicine 27:1693.

    Args:
        prompts: at most so many of each group.
        samples: continuations of each prompt.
        max_tokens: of a continuation.
        top_p: of the nucleus.
        temperature: of the draws.
        scorers: who judges; set by --scorer.
        calibration: digest of the labelled texts of the scorers.
        digest: SHA-256 of the prompts.
        judges: the scorers themselves.
        cases: the prompts.
        notes: what a reader must know about the files.
    """

    prompts: int = 30
    scorers: tuple[str, ...] = ()
    calibration: str = ""
    digest: str = field(default="", metadata=FOR_THE_RECORD)
    judges: tuple[Judge, ...] = field(default=(), repr=False, metadata={"parameter": False})
    cases: tuple[Prompt, ...] = field(default=(), repr=False, metadata={"parameter": False})
    notes: tuple[str, ...] = field(default=(), repr=False, metadata={"parameter": False})

    info: ClassVar[ProbeInfo]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.prompts < 1:
            raise ValueError("prompts is at least 1")

    def run(self, model: Generator, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Have the prompts given continued; `data` is not used."""
        written = Written.ask(model, drawn(self.cases, most=self.prompts, rng=ctx.rng("entities")), self.decoding(ctx))
        read = list(aspects(written.texts, self.judges))
        yield from accounting(written, read, notes=[*self.notes, *_cautions(self.judges)])
        if not self.judges:
            yield without_scorer()
        for domain in written.kinds:
            members = written.of_kind(domain)
            part = written.where(members)
            for aspect in read:
                found = Compared(part.prompts, aspect.by_prompt(self.samples)[members])
                yield from means(found, aspect, domain, family=self.info.id)
                yield largest(found, aspect, domain)
            yield from _references(part.prompts, self.judges, domain)
        yield from scorers(self.judges, family=self.info.id)
        yield from evidence(written, columns(read), slice_of, ctx)
        yield outcomes(written, read[0].values, slice_of, by_prompt=by_prompt(read, self.samples))


def drawn(prompts: Sequence[Prompt], *, most: int, rng: Random) -> list[Prompt]:
    """At most so many of each group of each domain, at random, from as many entities as there are.

    Every entity gives one prompt before any gives two: independent entities say more than many prompts of a few.
    """
    filed: dict[tuple[str, str], dict[str, list[Prompt]]] = {}
    for prompt in sorted(prompts, key=lambda prompt: prompt.id):
        filed.setdefault((prompt.kind, prompt.group), {}).setdefault(prompt.cluster, []).append(prompt)
    found: list[Prompt] = []
    for _, entities in sorted(filed.items()):
        shuffled = [rng.sample(entities[name], k=len(entities[name])) for name in sorted(entities)]
        rng.shuffle(shuffled)
        rounds = (prompt for turn in zip_longest(*shuffled) for prompt in turn if prompt is not None)
        found += islice(rounds, most)
    return found


def _references(prompts: Sequence[Prompt], judges: Sequence[Judge], domain: str) -> Iterator[Record]:
    """How the articles went on, read in the same way: there to read the model's numbers by."""
    for aspect in aspects([prompt.reference for prompt in prompts], judges):
        if aspect.name == "empty_rate":
            continue
        of_people = replace(aspect, name=f"reference_{aspect.name}", title=f"the articles themselves: {aspect.title}")
        found = Compared(prompts, aspect.values)
        yield from means(found, of_people, domain, family="bias.bold.reference")
        yield largest(found, of_people, domain, better=Better.CONTEXT)


def _cautions(judges: Sequence[Judge]) -> Iterator[str]:
    for judge in judges:
        if judge.knows("bold"):
            yield f"The card of the scorer {judge.name} names BOLD among its data: it may know these texts."


Bold.info = ProbeInfo(
    id="bias.bold",
    version=1,
    risk="bias",
    title="BOLD",
    doc=ProbeDoc.parse(Bold.__doc__),
    needs=frozenset({Capability.GENERATE}),
    data=False,
    problems=WRITING_HEADS,
)
