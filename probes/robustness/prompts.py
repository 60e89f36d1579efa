"""The probe that disturbs the prompts of a generator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import compress

import numpy as np

from probes.core import stats
from probes.core.answer_scores import f1
from probes.core.answered import accepted, exact_of
from probes.core.answers import WRITING_HEADS, Bools, Floats
from probes.core.counts import plural
from probes.core.errors import UsageError, did_you_mean
from probes.core.examples import Example
from probes.core.generations import Decoding
from probes.core.measuring import measured, share
from probes.core.model import Capability, Generator
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Better, Measurement, Outcomes, Record, Skip, SkipReason, Unit
from probes.core.replies import Replies, prompt_of
from probes.core.rng import rng
from probes.robustness.by_severity import nothing
from probes.robustness.catalogue import ALL
from probes.text.answer_trials import (
    AnswerTrials,
    Changed,
    Slice,
    cases,
    flip_rate,
    mean_of,
    outcomes,
    quality,
    ungraded,
    worst,
    write_changed,
)
from probes.text.perturbations.perturbation import SEVERITIES, Perturbation
from probes.text.trials import random_rows
from probes.text.variants import valid, variant_around

USUAL = ("keyboard_typos", "lower_case", "punctuation_stripped", "doubled_spaces", "chain_phone_message")
"""One of each everyday kind, and several of them together: a generation costs as much as many classifications."""
ENOUGH = 20
"""Items a perturbation must have changed to be called the worst, as for classifiers."""
KEEPING = {each.name: each for each in ALL if each.meaning != "may_change"}
"""Perturbations after which the same reply is still due."""


@dataclass(frozen=True)
class Prompts:
    """Does a generator write the same when its prompt has slips, other spacing, or no capitals?

    Measures:
        For each of a few perturbations and severities: the share of greedy replies that change, how similar the new
        reply is to the first one (F1 of their words), and, where right answers are known, exact match and F1 of the
        words after the change and their loss on the same items; the largest share of changed replies under one
        perturbation; and the share of replies that changed within numerical noise and are counted as unchanged.

    Why it matters:
        Two people who mean the same and type differently should get the same help. A model that was tuned on tidy
        prompts may answer untidy ones worse, and nobody sees it in a score on tidy ones.

    Method:
        The prompt is changed by perturbations of the catalogue that keep its meaning, and the model writes greedily to
        both. A reply counts as changed when it is another one without case, punctuation and articles. Where an accepted
        answer stands in the prompt, it keeps every letter. What is drawn for a prompt depends on the seed, the
        perturbation and the item, never on other items or on the severity. Prompts that came out blank or of another
        length are counted and left out, and so are pairs in which a reply is empty: an empty reply is neither good nor
        bad. Where the two likeliest tokens are within numerical noise of one another at some place of either reply,
        the pair counts as unchanged, and as equal for the similarity. Shares have Wilson intervals, means t intervals,
        with the cluster of the item; the largest share of several has a simultaneous lower bound.

    Limits:
        The whole prompt is changed, names of fields and instructions included. A long reply can change in one word and
        say the same, or the opposite, and one that copies from the prompt copies its slips: read the similarity beside
        the share of changes, and the cases. The first reply need not be right. Only greedy replies are compared,
        of at most `max_tokens` tokens. Near ties tell where the noise of this device may have decided; another device
        or library may write otherwise at other places. English perturbations.

    References:
        Zhu et al. 2023, PromptRobust, arXiv:2306.04528. Sclar et al. 2024, ICLR. Rajpurkar et al. 2016, EMNLP (F1).
        Westfall and Young 1993, Resampling-Based Multiple Testing (max-t).
    """

    perturbations: tuple[str, ...] = USUAL
    severities: tuple[int, ...] = (2,)
    max_tokens: int = 32
    stop: tuple[str, ...] = ()
    """Texts at which a reply ends."""
    resamples: int = 2000

    def __post_init__(self) -> None:
        for name in self.perturbations:
            if name not in KEEPING:
                raise UsageError(
                    f"robustness.prompts: no perturbation {name!r} that keeps the meaning",
                    hint=did_you_mean(name, KEEPING),
                )
        if not self.perturbations or not self.severities or not set(self.severities) <= set(SEVERITIES):
            raise UsageError(
                f"robustness.prompts: {len(self.perturbations)} perturbations at severities {self.severities!r}",
                hint="name perturbations, and severities from 1 to 5",
            )
        Decoding(max_tokens=self.max_tokens, stop=self.stop)

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="robustness.prompts",
            version=1,
            risk="robustness",
            title="Disturbed prompts",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=1 + len(self.perturbations) * len(self.severities),
            needs=frozenset({Capability.GENERATE}),
            problems=WRITING_HEADS,
        )

    def run(self, model: Generator, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements of each perturbation, then of all together, then cases and outcomes."""
        made = {
            (name, severity): _Made.of(data, KEEPING[name], severity=severity, seed=ctx.seed)
            for name in self.perturbations
            for severity in sorted(set(self.severities))
        }
        changes = [change for each in made.values() for change in each.changes]
        trials = write_changed(model, data, changes, Decoding(max_tokens=self.max_tokens, stop=self.stop))
        for each in made.values():
            yield _accounting(len(data), each, trials.of(each.part))
        if not len(trials):
            yield _nothing(list(made.values()))
            return
        for each in made.values():
            rows = trials.of(each.part)
            if len(rows):
                yield from _measured(rows, each.part)
            else:
                yield _nothing([each], name="flip_rate", part=each.part)
        yield from _measured(trials, {})
        yield self._worst(trials, ctx)
        yield from ungraded(trials)
        yield from cases(trials, random_rows(trials, count=ctx.random_cases, rng=ctx.rng("evidence")), chosen="random")
        yield from cases(trials, worst(trials, count=ctx.worst_cases), chosen="worst")
        yield _outcomes(trials)

    def _worst(self, trials: AnswerTrials[Replies], ctx: Context) -> Measurement | Skip:
        """The perturbation under which most replies change, at whatever severity."""
        flips, clusters = flips_by_condition(trials, self.perturbations)
        candidates = np.flatnonzero((~np.isnan(flips)).sum(axis=0) >= ENOUGH)
        if not len(candidates):
            return Skip(
                reason=SkipReason.TOO_FEW,
                detail=f"No perturbation changes {ENOUGH} prompts or more, so none can be called the worst.",
                name="worst_flip_rate",
            )
        kept: Bools = np.asarray(~np.isnan(flips[:, candidates]).all(axis=1))
        flips = flips[np.ix_(kept, candidates)]
        name = self.perturbations[candidates[np.nanmean(flips, axis=0).argmax()]]
        return Measurement(
            name="worst_flip_rate",
            title=f"changed replies under the worst perturbation ({name})",
            estimate=stats.worst_of(
                flips,
                clusters=list(compress(clusters, kept.tolist())),
                rng=ctx.generator("worst"),
                resamples=self.resamples,
            ),
            better=Better.LOWER,
            unit=Unit.PROPORTION,
        )


@dataclass(slots=True)
class _Made:
    """What became of the prompts under one perturbation at one severity."""

    part: Slice
    changes: list[Changed] = field(default_factory=list)
    touched: list[int] = field(default_factory=list)
    """Items that came out changed, valid or not."""
    unshielded: int = 0

    @classmethod
    def of(cls, data: Sequence[Example], perturbation: Perturbation, *, severity: int, seed: int) -> _Made:
        made = cls({"perturbation": perturbation.name, "severity": str(severity)})
        for item, example in enumerate(data):
            prompt = prompt_of(example)
            golds = accepted(example.gold) if example.gold is not None else ()
            draws = rng(seed, perturbation.name, example.id, 0)
            text = variant_around(prompt, golds, perturbation, severity=severity, draws=draws)
            if text == prompt:
                continue
            made.touched.append(item)
            if text is None:
                made.unshielded += 1
            elif valid(prompt, text, family=perturbation.family):
                made.changes.append(Changed(item=item, text=text, part=made.part, severity=severity))
        return made


def _nothing(made: Sequence[_Made], *, name: str | None = None, part: Slice | None = None) -> Skip:
    """Why there is no number: where prompts were written to, each pair has an empty reply."""
    if any(each.changes for each in made):
        detail = "Every changed prompt or the prompt it was made of has an empty reply."
        return Skip(reason=SkipReason.UNDEFINED, detail=detail, name=name, slice=part or {})
    return nothing([item for each in made for item in each.touched], name=name, part=part)


def _accounting(eligible: int, made: _Made, rows: AnswerTrials[Replies]) -> Accounting:
    unlabelled = int((~rows.labelled).sum())
    rejected = len(made.touched) - len(made.changes) - made.unshielded
    cut = int((rows.before.cut | rows.after.cut).sum())
    notes = (
        (rejected, f"{rejected} changed prompts came out blank or of another length and were left out"),
        (made.unshielded, f"{made.unshielded} prompts could not be changed without touching an accepted answer"),
        (len(made.changes) - len(rows), "pairs with an empty reply are not scored"),
        (cut, f"of {cut} prompts the beginning was not read, because they are too long"),
        (unlabelled, f"{plural(unlabelled, 'item')} without accepted answers, for changed replies only"),
    )
    return Accounting(
        eligible=eligible,
        perturbed=len(made.touched),
        kept=len(made.changes),
        scored=len(rows),
        unscored=len(made.changes) - len(rows),
        tied=int(rows.tied.sum()),
        note="; ".join(note for count, note in notes if count),
        slice=made.part,
    )


def _measured(rows: AnswerTrials[Replies], part: Slice) -> Iterator[Measurement | Skip]:
    yield flip_rate(rows, part)
    within = differing(rows) & rows.tied
    yield measured(
        "within_noise",
        "share of replies that change within numerical noise, counted as unchanged",
        lambda: share(within, clusters=rows.clusters),
        better=Better.CONTEXT,
        part=part,
    )
    yield measured(
        "similarity",
        "mean F1 of the words of the new reply and the first one",
        lambda: mean_of(similarities(rows), clusters=rows.clusters, limits=(0.0, 1.0)),
        better=Better.HIGHER,
        part=part,
    )
    yield from quality(rows, part)
    yield from _exact(rows.where(rows.labelled), part)


def _outcomes(trials: AnswerTrials[Replies]) -> Outcomes:
    """Those of the trials, with what else is a mean over them."""
    kept, within = outcomes(trials), differing(trials) & trials.tied
    more = {"similarity": similarities(trials), "within_noise": within.astype(np.float64)}
    return replace(kept, values={**kept.values, **{name: column.tolist() for name, column in more.items()}})


def differing(rows: AnswerTrials[Replies]) -> Bools:
    """(rows,): does the reply differ at all, numerical noise or not."""
    return np.array([new != old for new, old in zip(rows.after.given, rows.before.given, strict=True)], dtype=bool)


def similarities(rows: AnswerTrials[Replies]) -> Floats:
    """(rows,): F1 of the words of both replies; 1 where they may differ by numerical noise alone."""
    pairs = zip(rows.after.given, rows.before.given, strict=True)
    return np.where(rows.tied, 1.0, [f1(new, [old]) for new, old in pairs])


def _exact(graded: AnswerTrials[Replies], part: Slice) -> Iterator[Measurement]:
    if not len(graded):
        return
    before, after = (exact_of(replies.given, graded.golds) for replies in (graded.before, graded.after))
    yield Measurement(
        name="exact_match",
        title="exact matches after the change",
        estimate=stats.rate(after, clusters=graded.clusters),
        better=Better.HIGHER,
        unit=Unit.PROPORTION,
        slice=part,
    )
    yield Measurement(
        name="exact_match_drop",
        title="loss of exact matches on the same items",
        estimate=stats.paired_difference(after, before, clusters=graded.clusters),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        slice=part,
    )


def flips_by_condition(trials: AnswerTrials[Replies], names: Sequence[str]) -> tuple[Floats, list[str]]:
    """(items, names) share of severities at which the reply of an item changes, NaN where none was tried; clusters."""
    items = sorted({change.item for change in trials.changes})
    places = {item: place for place, item in enumerate(items)}
    rows = np.array([places[change.item] for change in trials.changes], dtype=np.int64)
    columns = np.array([names.index(change.part["perturbation"]) for change in trials.changes], dtype=np.int64)
    tried, changed = np.zeros((len(items), len(names))), np.zeros((len(items), len(names)))
    np.add.at(tried, (rows, columns), 1.0)
    np.add.at(changed, (rows, columns), trials.flipped.astype(np.float64))
    by_item = {change.item: example.cluster for change, example in zip(trials.changes, trials.examples, strict=True)}
    shares = np.divide(changed, tried, out=np.full(tried.shape, np.nan), where=tried > 0)
    return shares, [by_item[item] for item in items]
