"""The probe that rewrites the user's own texts in other registers, for users who have no second data set."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from probes.core.answers import ProblemType
from probes.core.counts import plural
from probes.core.errors import UsageError, did_you_mean
from probes.core.examples import Example
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import (
    Accounting,
    Curve,
    Evidence,
    Measurement,
    Outcomes,
    Point,
    Record,
    Skip,
    SkipReason,
)
from probes.core.stats.clusters import FEW
from probes.shift.synthetic.catalogue import REGISTERS
from probes.shift.synthetic.numbers import Graded, enough, lost_name, measured, worst
from probes.text.perturbations.perturbation import SEVERITIES, Perturbation
from probes.text.trials import Trials, ask, evidence, outcomes, random_rows, worst_rows
from probes.text.variants import Variants, variants_of

VERSION = 1
"""Raised when the measuring changes; the probe's version is this plus the registers' own changes."""


@dataclass(frozen=True)
class Synthetic:
    """How does the model do when the same texts come in another register or through another channel?

    Measures:
        For each of eleven registers and channels, and for each severity from 1 to 5: the accuracy on the user's own
        texts rewritten in it, how much of it is lost against the same texts as they were given, and the share of
        answers that change. For each register the same over all severities, and the loss in the register that costs
        most. For scores (regression) the mean absolute error takes the place of accuracy.

    Why it matters:
        A model is tuned on one kind of text and then meets others. Who has no labelled data of those other kinds can
        still see what rewriting does: the right answer to a rewritten text is known, because the writer's meaning is
        the same. A large loss is evidence relevant to the question where the model may be used.

    Method:
        The registers are a post on social media, a chat, a transcript without punctuation and capitals, a quoted and
        forwarded mail, a list or table, a formal letter, telegraphic notes, a long document, a truncated text,
        sentences in another language in between, and dates, numbers and amounts as other regions write them. All are
        rules with word lists of our own, described one by one below; no language model is involved. What is drawn for a
        text depends on the seed, the register and the item only. Of a pair only the first text is put into a frame, cut
        or interleaved. Rewritten texts that came out unchanged, blank, or far too short or long are counted and left
        out. A register, and a severity of it, is judged from 30 independent items on. Losses are paired, with Tango's
        interval, clustered on the item. The loss in the worst register is the mean over its severities; its lower bound
        is simultaneous over all registers (max-t over a cluster bootstrap), so that choosing the worst after looking
        does not inflate it.

    Limits:
        A register made by rule is a sketch of the real one: choice of words and length of sentences, what people write
        about and who writes stay as they are, so the loss on real texts of that kind may be larger or smaller. The
        rules, lists and severities are ours and for English. Gold labels are kept by design and not by annotation. A
        truncated text may lose the very words that decide, so its loss is partly the cost of cutting, and it is left
        out when the worst register is named; a dropped subject or a lost question mark can change a sentence for tasks
        about commands or questions. A long document may exceed what the model reads.

    References:
        Blitzer, Dredze and Pereira 2007, Biographies, Bollywood, Boom-boxes and Blenders, ACL (domain adaptation).
        Ribeiro et al. 2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, ACL. Dhole et al. 2023,
        NL-Augmenter, Northern European Journal of Language Technology 9. Tango 1998, Statistics in Medicine 17:891.
        Westfall and Young 1993, Resampling-Based Multiple Testing. Biber and Conrad 2009, Register, Genre, and Style,
        Cambridge.
    """

    registers: tuple[str, ...] = tuple(REGISTERS)
    """Which registers are tried, by name."""
    severities: tuple[int, ...] = SEVERITIES
    """Which of the severities 1 to 5 are tried."""

    def __post_init__(self) -> None:
        for name in self.registers:
            if name not in REGISTERS:
                raise UsageError(f"shift.synthetic: no register {name!r}", hint=did_you_mean(name, REGISTERS))
        if not self.registers or not self.severities or not set(self.severities) <= set(SEVERITIES):
            raise UsageError(
                f"shift.synthetic: registers {self.registers!r}, severities {self.severities!r}",
                hint="name at least one register, and severities from 1 to 5",
            )
        # From YAML both come as lists.
        object.__setattr__(self, "registers", tuple(name for name in REGISTERS if name in self.registers))
        object.__setattr__(self, "severities", tuple(sorted(set(self.severities))))

    @cached_property
    def info(self) -> ProbeInfo:
        """Identity, documentation and cost; the version follows those of the registers."""
        doc = ProbeDoc.parse(type(self).__doc__)
        return ProbeInfo(
            id="shift.synthetic",
            version=VERSION + sum(register.version - 1 for register in self._chosen),
            risk="shift",
            title="Other registers and channels",
            doc=dataclasses.replace(doc, parts={register.title: register.doc.method for register in self._chosen}),
            calls=1 + len(self.registers) * len(self.severities),
        )

    @cached_property
    def _chosen(self) -> tuple[Perturbation, ...]:
        return tuple(REGISTERS[name] for name in self.registers)

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Measure each register, then the worst one."""
        items = sorted(data, key=lambda example: example.id)
        batches = [variants_of(items, each, severities=self.severities, seed=ctx.seed) for each in self._chosen]
        trials = ask(model, items, batches)
        for source, (register, variants) in enumerate(zip(self._chosen, batches, strict=True)):
            yield _accounting(len(items), register, variants, trials.where(trials.source == source))
        unusable = _unusable(trials)
        if unusable is not None:
            yield unusable
            return
        ungraded = list(_ungraded(trials))
        yield from ungraded
        counted = []
        for source, register in enumerate(self._chosen):
            rows = trials.where(trials.source == source)
            yield from self._register(register, rows, graded=not ungraded)
            if register.meaning != "may_change" and enough(Graded.of(rows).trials):
                counted.append((source, register.title))
        if not ungraded:
            yield worst(trials, counted, ctx.generator("worst"))
        yield from self._cases(trials, ctx)
        yield outcomes(trials, variant=self._variants(trials))

    def _register(self, register: Perturbation, rows: Trials, *, graded: bool) -> Iterator[Record]:
        part = {"register": register.name}
        if not enough(rows):
            yield _too_few(register, rows, part)
            return
        yield from measured(rows, part, graded=graded)
        found: list[Measurement | Skip] = []
        for severity in self.severities:
            strong = rows.where(rows.severity == severity)
            part = {"register": register.name, "severity": str(severity)}
            found += measured(strong, part, graded=graded) if enough(strong) else [_too_few(register, strong, part)]
        yield from found
        drawn = lost_name(rows.before.problem) if graded else "flip_rate"
        yield from _curve(register, [each for each in found if isinstance(each, Measurement) and each.name == drawn])

    def _cases(self, trials: Trials, ctx: Context) -> Iterator[Evidence]:
        """One random case of every register (more where there are few registers), then the worst of all."""
        rng, names = ctx.rng("evidence"), list(self.registers)
        each = -(-ctx.random_cases // len(names))
        for source in range(len(names)):
            rows = np.flatnonzero(trials.source == source)
            picked = random_rows(trials.where(rows), count=each, rng=rng)
            yield from self._shown(evidence(trials, rows[picked].tolist(), chosen="random", names=names), names)
        bad = worst_rows(trials, count=ctx.worst_cases)
        yield from self._shown(evidence(trials, bad, chosen="worst", names=names), names)

    def _shown(self, found: Iterator[Evidence], names: Sequence[str]) -> Iterator[Evidence]:
        for case in found:
            part = {"register": case.slice.get("perturbation", names[0]), "severity": case.slice["severity"]}
            yield case.model_copy(update={"slice": part})

    def _variants(self, trials: Trials) -> list[str]:
        return [
            f"register={self.registers[source]},severity={severity}"
            for source, severity in zip(trials.source, trials.severity, strict=True)
        ]


def _accounting(eligible: int, register: Perturbation, variants: Variants, rows: Trials) -> Accounting:
    """Items, each counted once whatever the severities that changed it."""
    changed = {item for items in variants.changed.values() for item in items}
    kept, scored = set(variants.item.tolist()), set(rows.item.tolist())
    left_out = sum(map(len, variants.changed.values())) - len(variants.texts)
    notes = [f"{len(variants.texts)} rewritten texts asked"]
    if left_out:
        notes.append(f"{left_out} came out blank or of another length and were left out")
    return Accounting(
        eligible=eligible,
        perturbed=len(changed),
        kept=len(kept),
        scored=len(scored),
        unscored=len(kept) - len(scored),
        tied=len(set(rows.item[rows.tied].tolist())),
        note="; ".join(notes),
        slice={"register": register.name},
    )


def _unusable(trials: Trials) -> Skip | None:
    """Why nothing at all can be measured."""
    if not len(trials):
        return Skip(reason=SkipReason.NOTHING_PERTURBED, detail="No register changes anything in these texts.")
    if trials.before.problem is ProblemType.REGRESSION and trials.step == 0:
        return Skip(
            reason=SkipReason.UNDEFINED,
            detail="All texts get the same score, so there is no scale on which to say that an answer changed.",
        )
    return None


def _ungraded(trials: Trials) -> Iterator[Skip]:
    """Why quality cannot be measured, although changed answers can."""
    single = trials.before.problem is ProblemType.SINGLE_LABEL
    classes = {gold for gold in trials.golds if gold is not None}
    if classes and not (single and len(classes) == 1):
        return
    scores = trials.before.problem is ProblemType.REGRESSION
    for name in ("error", "error_added") if scores else ("accuracy", "accuracy_lost"):
        if classes:
            yield Skip(
                reason=SkipReason.UNDEFINED,
                detail=f"Every right answer is {next(iter(classes))}: a model that gives it to every rewritten text "
                "would seem to lose nothing.",
                enable="give labelled items of at least two classes",
                name=name,
            )
        else:
            yield Skip(
                reason=SkipReason.NO_GOLD,
                detail="The data have no right answers, so only changes of the answer are measured.",
                enable="give data with a label column",
                name=name,
            )


def _too_few(register: Perturbation, rows: Trials, part: dict[str, str]) -> Skip:
    independent = len(set(rows.clusters))
    if not independent:
        detail = f"There is nothing in these texts that the register changes ({register.title})."
        return Skip(reason=SkipReason.NOTHING_PERTURBED, detail=detail, slice=part)
    return Skip(
        reason=SkipReason.TOO_FEW,
        detail=f"{register.title}: only {plural(independent, 'changed independent item')} of the {FEW} needed.",
        enable="give more items",
        slice=part,
    )


def _curve(register: Perturbation, by_severity: Sequence[Measurement]) -> Iterator[Curve]:
    if by_severity:
        title = by_severity[0].title
        yield Curve(
            name="by_severity",
            title=f"{register.title}: {title}",
            x_title="severity",
            y_title=title,
            unit=by_severity[0].unit,
            points=tuple(Point(x=int(each.slice["severity"]), y=each.estimate) for each in by_severity),
            slice={"register": register.name},
        )
