"""The probe that compares what a language model expects to be said of each group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from itertools import compress
from typing import Literal

import numpy as np

from probes.bias.likelihood.surroundings import Surroundings
from probes.core import stats
from probes.core.answers import LANGUAGE_HEADS, Floats
from probes.core.counts import plural
from probes.core.examples import Example
from probes.core.measuring import measured
from probes.core.model import Capability, Scorer
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import (
    Accounting,
    Better,
    Estimate,
    Evidence,
    Measurement,
    Outcomes,
    Record,
    Shown,
    Skip,
    SkipReason,
    Unit,
)
from probes.core.stats.derived import FEW, UnmeasurableError
from probes.text.identity import AXES, names, table
from probes.text.templates import sentences, templates
from probes.text.word_lists import first_names, template_words


@dataclass(frozen=True)
class GroupLikelihood:
    """Does the language model expect good things of some groups and bad things of others?

    Measures:
        For each group of an axis how much better the model expects positive than negative sentences about its members,
        against the mean of the groups (valence), in bits of the words around the person; the largest difference in
        valence between two groups; and the largest difference between two groups in how well the words
        around them are expected at all.

    Why it matters:
        A model that finds praise likelier of one group and blame likelier of another will write so. These numbers are
        evidence relevant to the examination of models for bias.

    Method:
        80 sentences of our own, in several registers, tell something positive, negative or neutral about a person; each
        is filled with noun phrases (for gender and ethnicity also first names) for every group, so that groups are
        compared on the same words. Only these words are scored, never those for the group: causal models are asked what
        follows the person, masked ones for all words around (pseudo-log-likelihood). Valence is the mean over positive
        less that over negative sentences of the difference from the mean of the groups; two groups are compared in the
        sentences that both have. Intervals rest on sentences (t; the positive and negative ones are taken as one
        sample, which makes them rather too wide). The largest difference is the largest of several: its lower bound is
        simultaneous (max-t over a cluster bootstrap).

    Limits:
        English, and few sentences: other wording may give other numbers (Seshadri et al. 2022). Which sentences are
        positive is our judgement. The words for groups differ in how common and how long they are; valence takes out
        what that does to all sentences alike, the difference in expectation does not. What a model finds likely need
        not show in what it does. A small difference is no evidence that there is none elsewhere. Unlike HolisticBias,
        whose idea this is, no share of significant differences is given: it grows with the number of sentences.

    References:
        Smith et al. 2022, HolisticBias, EMNLP (likelihood bias). Salazar et al. 2020, ACL (pseudo-log-likelihood).
        Sheng et al. 2019, EMNLP (regard). Seshadri, Pezeshkpour and Singh 2022, arXiv:2210.04337. Westfall and Young
        1993, Resampling-Based Multiple Testing (max-t).
    """

    axes: tuple[str, ...] = AXES
    terms: int = 1
    """Noun phrases, or names, of each group in a sentence."""
    resamples: int = 2000

    def __post_init__(self) -> None:
        unknown = sorted(set(self.axes) - set(AXES))
        if unknown or not self.axes:
            raise ValueError(f"axes are some of {', '.join(AXES)}, not {', '.join(unknown) or 'none'}")
        if self.terms < 1:
            raise ValueError("terms is at least 1")

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="bias.likelihood",
            version=2,
            risk="bias",
            title="What is expected of each group",
            doc=ProbeDoc.parse(type(self).__doc__),
            needs=frozenset({Capability.SCORE}),
            data=False,
            problems=LANGUAGE_HEADS,
        )

    def run(self, model: Scorer, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Axis by axis: accounting and measurements; then cases, lists and one row of outcomes for each sentence."""
        made = {axis: sentences(table(axis), names=names(axis), terms=self.terms) for axis in self.axes}
        asked = Surroundings.ask(model, made)
        for found in asked:
            yield _accounting(found)
            yield from self._measured(found, ctx)
        yield from _cases(asked, ctx)
        yield from template_words(map(table, self.axes), terms=self.terms)
        yield from first_names(self.axes)
        yield _outcomes(asked)

    def _measured(self, found: Surroundings, ctx: Context) -> Iterator[Measurement | Skip]:
        for column, group in enumerate(found.groups):
            yield measured(
                "valence",
                f"bits by which positive rather than negative words are expected, against all groups: {_said(group)}",
                partial(_mean, found.valence(column), found.templates),
                better=Better.CONTEXT,
                unit=Unit.SCORE,
                part={"axis": found.axis, "group": group},
                family=f"{self.info.id}.{found.axis}",
            )
        _, differences = found.pairs()
        for name, title, matrix in (
            (
                "valence_gap",
                "largest difference in valence between two groups, bits",
                found.weighted(differences),
            ),
            ("expectation_gap", "largest difference between two groups in the bits of the words around", differences),
        ):
            rows = np.flatnonzero(~np.isnan(matrix).all(axis=1)).tolist()
            yield measured(
                name,
                title,
                partial(
                    self._largest, matrix[rows], [found.templates[row] for row in rows], ctx.generator(name, found.axis)
                ),
                better=Better.LOWER,
                unit=Unit.SCORE,
                part={"axis": found.axis},
            )

    def _largest(self, matrix: Floats, clusters: Sequence[str], rng: np.random.Generator) -> Estimate:
        enough = (~np.isnan(matrix)).sum(axis=0) >= FEW
        if not enough.any():
            raise UnmeasurableError(SkipReason.TOO_FEW, f"No two groups have {FEW} sentences in common.")
        return stats.worst_of(matrix[:, enough], clusters=clusters, rng=rng, resamples=self.resamples)


def _mean(values: Floats, clusters: Sequence[str]) -> Estimate:
    measured = ~np.isnan(values)
    count = int(measured.sum())
    if count < FEW:
        raise UnmeasurableError(SkipReason.TOO_FEW, f"Only {plural(count, 'sentence')} with a score; {FEW} are needed.")
    return stats.mean(values[measured], clusters=list(compress(clusters, measured)))


def _said(group: str) -> str:
    return group.replace("_", " ")


def _accounting(found: Surroundings) -> Accounting:
    return Accounting(
        eligible=len(found.sentences),
        scored=len(found.sentences) - found.unscored,
        unscored=found.unscored,
        note=f"sentences: {len(found.templates)} templates for {len(found.groups)} groups",
        slice={"axis": found.axis},
    )


Case = tuple[Surroundings, int, int]
"""The rows of two sentences of one template, the one whose words are expected less first."""


def _cases(asked: Sequence[Surroundings], ctx: Context) -> Iterator[Evidence]:
    """Two groups in one sentence: some drawn at random, then those whose words are expected most differently."""
    every = [case for found in asked for case in _pairs(found)]
    drawn = sorted(every, key=lambda case: ctx.rng("evidence", *_name(case)).random())
    ranked = sorted(drawn[ctx.random_cases :], key=lambda case: (-_apart(case), _name(case)))
    yield from (_case(case, chosen="random") for case in drawn[: ctx.random_cases])
    yield from (_case(case, chosen="worst") for case in ranked[: ctx.worst_cases])


def _pairs(found: Surroundings) -> Iterator[Case]:
    """For each template the two sentences that are furthest apart."""
    rows: dict[str, list[int]] = {}
    for row, sentence in enumerate(found.sentences):
        if not np.isnan(found.bits[row]):
            rows.setdefault(sentence.template, []).append(row)
    for members in rows.values():
        ordered = sorted(members, key=lambda row: (found.bits[row], row))
        if found.sentences[ordered[0]].group != found.sentences[ordered[-1]].group:
            yield found, ordered[0], ordered[-1]


def _apart(case: Case) -> float:
    found, low, high = case
    return float(found.bits[high] - found.bits[low])


def _name(case: Case) -> tuple[str, str]:
    found, low, _ = case
    return found.axis, found.sentences[low].template


def _case(case: Case, *, chosen: Literal["random", "worst"]) -> Evidence:
    found, low, high = case
    one, other = found.sentences[low], found.sentences[high]
    polarity = _polarities()[one.template]
    return Evidence(
        example_id=one.template,
        chosen=chosen,
        shown=tuple(
            Shown(texts=(found.sentences[row].text,), answer=f"{-found.bits[row]:.1f} bits") for row in (low, high)
        ),
        note=f"{one.term} → {other.term}; the same {polarity} words are likelier by {_apart(case):.1f} bits",
        slice={"axis": found.axis, "pair": f"{one.group} vs {other.group}"},
    )


@cache
def _polarities() -> Mapping[str, str]:
    return {template.id: template.polarity for template in templates()}


def _outcomes(asked: Sequence[Surroundings]) -> Outcomes:
    """One row for each scored sentence; its score is the log-probability of the words around the person, in bits. The
    valence of a template for a group stands in the first row of the two."""
    rows: list[tuple[Surroundings, int, int]] = []
    for found in asked:
        seen: dict[tuple[str, str], int] = {}
        for row, sentence in enumerate(found.sentences):
            k = seen[sentence.template, sentence.group] = seen.get((sentence.template, sentence.group), -1) + 1
            if not np.isnan(found.bits[row]):
                rows.append((found, row, k))
    said = [(found.axis, found.sentences[row], k) for found, row, k in rows]
    valence = _valence(asked)
    n = len(rows)
    return Outcomes(
        example_id=[sentence.template for _, sentence, _ in said],
        cluster=[sentence.template for _, sentence, _ in said],
        variant=[f"axis={axis},group={sentence.group},term={k}" for axis, sentence, k in said],
        after=[f"{-found.bits[row]:.1f} bits" for found, row, _ in rows],
        before=[None] * n,
        gold=[None] * n,
        correct=[None] * n,
        changed=[None] * n,
        score=[float(found.bits[row]) for found, row, _ in rows],
        values={
            "valence": [valence.pop((axis, sentence.template, sentence.group), None) for axis, sentence, _ in said]
        },
    )


def _valence(asked: Sequence[Surroundings]) -> dict[tuple[str, str, str], float]:
    """By axis, template and group, where there is one."""
    return {
        (found.axis, template, group): value
        for found in asked
        for column, group in enumerate(found.groups)
        for template, value in zip(found.templates, found.valence(column).tolist(), strict=True)
        if not np.isnan(value)
    }
