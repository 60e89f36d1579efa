"""The probe that has a generator go on with the same beginnings about people of every group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from probes.bias.prompted.aspects import Aspect, aspects
from probes.bias.prompted.gaps import Compared
from probes.bias.prompted.numbers import accounting, by_prompt, columns, largest, means, scorers, slice_of
from probes.core.answers import WRITING_HEADS
from probes.core.continuing import Continuing
from probes.core.examples import Example
from probes.core.judges import Judge
from probes.core.model import Capability, Generator
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.prompts import Prompt
from probes.core.records import Outcomes, Record, Skip, SkipReason
from probes.core.written import Written
from probes.core.written_cases import evidence, outcomes
from probes.text.identity import AXES, names, table
from probes.text.templates import BEGINNINGS, sentences
from probes.text.word_lists import first_names


@dataclass(frozen=True, kw_only=True)
class Prompted(Continuing):
    """Does the model write worse things when a prompt is about some groups of people?

    Measures:
        For each group of an axis the mean toxicity and the mean negative sentiment of what the model writes about its
        members, by each scorer; the share of continuations with a listed rude word, and of empty ones; and of each the
        largest gap between two groups. For each scorer of harm its sensitivity and specificity.

    Why it matters:
        A model that goes on rudely, or darkly, after one group and kindly after another treats people unequally in
        whatever it is used to write. These numbers are evidence relevant to the examination of models for bias.

    Method:
        16 beginnings of our own are filled with people of each group of nine axes (noun phrases; for gender and
        ethnicity also first names), so that groups are compared on the same words. Each is continued as bare text by a
        draw from the nucleus (p = 0.9); the continuation is judged without the prompt, so that the words for the group
        are not judged themselves. Scorers are local classifiers named with --scorer: one of toxicity or hate measures
        toxicity, one of sentiment or regard how negative the text is. Intervals rest on beginnings (t). The lower bound
        of the largest gap is simultaneous over all pairs of groups (max-t over a cluster bootstrap). Empty
        continuations are not judged.

    Limits:
        Few beginnings, in English: other wording may give other numbers (Seshadri et al. 2022), and other decoding too
        (Akyürek et al. 2022). Scorers have a bias of their own: one that takes the mention of a group for harm makes a
        gap where a continuation repeats it; means of scores are not corrected for their errors, and those of scorers of
        sentiment are not known. Without a scorer only listed words are counted, which miss most of what hurts. Names
        stand for groups only by statistics. A small gap is no evidence that there is none elsewhere.

    References:
        Sheng et al. 2019, The Woman Worked as a Babysitter, EMNLP (regard). Huang et al. 2020, Reducing Sentiment Bias
        in Language Models via Counterfactual Evaluation, Findings of EMNLP. Seshadri, Pezeshkpour and Singh 2022,
        arXiv:2210.04337. Akyürek et al. 2022, Challenges in Measuring Bias via Open-Ended Language Generation, GeBNLP.
        Westfall and Young 1993, Resampling-Based Multiple Testing (max-t).

    Args:
        axes: which groups are compared.
        terms: noun phrases, or names, of each group in a beginning.
        samples: continuations of each prompt.
        max_tokens: of a continuation.
        top_p: of the nucleus.
        temperature: of the draws.
        resamples: of the bootstrap.
        scorers: who judges; set by --scorer.
        calibration: digest of the labelled texts of the scorers.
        judges: the scorers themselves.
    """

    axes: tuple[str, ...] = AXES
    terms: int = 1
    resamples: int = 2000
    scorers: tuple[str, ...] = ()
    calibration: str = ""
    judges: tuple[Judge, ...] = field(default=(), repr=False, metadata={"parameter": False})

    def __post_init__(self) -> None:
        super().__post_init__()
        unknown = sorted(set(self.axes) - set(AXES))
        if unknown or not self.axes:
            raise ValueError(f"axes are some of {', '.join(AXES)}, not {', '.join(unknown) or 'none'}")
        if self.terms < 1:
            raise ValueError("terms is at least 1")

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="bias.prompted",
            version=1,
            risk="bias",
            title="What it writes about each group",
            doc=ProbeDoc.parse(type(self).__doc__),
            needs=frozenset({Capability.GENERATE}),
            data=False,
            problems=WRITING_HEADS,
        )

    def run(self, model: Generator, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Have every beginning continued for every group; `data` is not used."""
        written = Written.ask(model, own_prompts(self.axes, terms=self.terms), self.decoding(ctx))
        read = list(aspects(written.texts, self.judges))
        yield from accounting(written, read)
        if not self.judges:
            yield without_scorer()
        for axis in written.kinds:
            for aspect in read:
                yield from self._of_axis(written, aspect, axis, ctx)
        yield from scorers(self.judges, family=self.info.id)
        yield from evidence(written, columns(read), slice_of, ctx)
        yield from first_names(self.axes)
        yield outcomes(written, read[0].values, slice_of, by_prompt=by_prompt(read, self.samples))

    def _of_axis(self, written: Written, aspect: Aspect, axis: str, ctx: Context) -> Iterator[Record]:
        members = written.of_kind(axis)
        found = Compared(written.where(members).prompts, aspect.by_prompt(self.samples)[members])
        yield from means(found, aspect, axis, family=self.info.id)
        yield largest(found, aspect, axis, paired=(ctx.generator(aspect.gap, axis), self.resamples))


def own_prompts(axes: Sequence[str], *, terms: int) -> list[Prompt]:
    """Beginnings about people, filled for every group of the axes."""
    return [
        Prompt(text=sentence.text, kind=axis, group=sentence.group, cluster=sentence.template)
        for axis in axes
        for sentence in sentences(table(axis), names=names(axis), terms=terms, source=BEGINNINGS)
    ]


def without_scorer() -> Skip:
    """What is not measured where nobody judges."""
    return Skip(
        reason=SkipReason.UNDEFINED,
        detail="Toxicity and sentiment were not measured: no scorer is given. Listed rude words were counted instead, "
        "which miss most of what hurts.",
        enable="name a local classifier of toxicity or sentiment, or a Hub id, with --scorer; repeatable",
        name="toxicity_gap",
    )
