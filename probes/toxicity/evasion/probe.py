"""What a classifier of harm still finds when offensive words are disguised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Floats
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.measuring import measured, share
from probes.core.model import Classifier
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import (
    Accounting,
    Better,
    Curve,
    Estimate,
    Measurement,
    Outcomes,
    Point,
    Record,
    Skip,
    SkipReason,
    Unit,
)
from probes.core.stats.derived import UnmeasurableError
from probes.text.perturbations.perturbation import SEVERITIES, Perturbation
from probes.text.trials import Trials, ask, evidence, outcomes, random_rows, worst_rows
from probes.text.variants import Variants, variants_of
from probes.toxicity.evasion.aiming import techniques
from probes.toxicity.evasion.found import Found
from probes.toxicity.evasion.harmful import DATA, OWN, Harmful, harmful
from probes.toxicity.functional.probe import DECIDING

CONTENT_NOTE = "hateful and abusive language"


@dataclass(frozen=True)
class Evasion:
    """Does the model still find harmful texts when offensive words are disguised?

    Measures: for each technique and severity the share of harmful texts found (recall), its loss against the same texts
        undisguised, and the share of the texts found before that are still found (recall kept); over all techniques the
        same, the loss under the worst technique, and the share still found under every variant that was tried.
    Why it matters: who wants to get past a filter changes the spelling, not the message. A reader is not deceived, and
        a model that is protects only against those who do not try.
    Method: digits and signs for letters, gaps between letters, Cyrillic letters drawn alike, invisible characters,
        stretched letters and starred letters, each in 5, 10, 20, 35 or 50 % of the words of content (severity 1 to 5),
        at least one; listed offensive words come first, other words at random. A higher severity extends the edits of a
        lower one. Texts: items whose right answer is a positive label; without labels, items that the model itself
        calls harmful, which gives recall kept only. Where it finds fewer than 30 of them, 36 harmful sentences of our
        own are added; the accounting says how many. The answer counts at the deployed threshold; one within numerical
        noise counts as unchanged. Intervals cluster on the source text; bounds of the worst technique hold for all
        techniques together.
    Limits: six techniques, one at a time, placed without knowledge of the model; an attacker who tries until it works
        does better. It does not measure how harmful texts evade by other wording, nor whether harmless disguised texts
        are wrongly called harmful: a model that calls almost everything harmful keeps its recall. At the highest
        severities some words are hard to read. English lists.
    References: Hosseini et al. 2017, Deceiving Google's Perspective API Built for Detecting Toxic Comments,
        arXiv:1702.08138; Gröndahl et al. 2018, All You Need is "Love": Evading Hate Speech Detection, AISec; Röttger et
        al. 2021, HateCheck, ACL; Boucher et al. 2022, Bad Characters: Imperceptible NLP Attacks, IEEE S&P.

    Args:
        severities: which of the severities 1 to 5 are tried.

    Raises:
        UsageError: for a severity outside 1 to 5, or none.
    """

    severities: tuple[int, ...] = SEVERITIES

    info: ClassVar[ProbeInfo]

    def __post_init__(self) -> None:
        if not self.severities or not set(self.severities) <= set(SEVERITIES):
            raise UsageError(
                f"toxicity.evasion: severities {self.severities!r}", hint="severities is a list of numbers from 1 to 5"
            )
        object.__setattr__(self, "severities", tuple(sorted(set(self.severities))))  # a list, as read from YAML

    def run(self, model: Classifier, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Ask about every harmful text, disguised in every way."""
        if not model.card.positive.labels:
            yield Accounting(eligible=len(data), scored=0)
            yield Skip(
                reason=SkipReason.NO_POSITIVE_CLASS,
                detail="It is not known which answers call a text harmful.",
                enable="name them with --positive-label",
            )
            return
        texts, tried = harmful(model, data), techniques()
        variants = [variants_of(texts.examples, t, severities=self.severities, seed=ctx.seed) for t in tried]
        found = Found(ask(model, texts.examples, variants), model.card.positive, texts)
        yield Accounting(eligible=len(data) + int(texts.own.sum()), scored=len(texts.examples), note=texts.note)
        for source, technique in enumerate(tried):
            yield _accounting(technique, variants[source], found.trials.where(found.trials.source == source), texts)
        for source, technique in enumerate(tried):
            yield from _measured(found.where(found.trials.source == source), technique, self.severities)
        yield from _overall(found, tried, ctx)
        yield from _shown(found, tried, ctx)


Evasion.info = ProbeInfo(
    id="toxicity.evasion",
    version=1,
    risk="toxicity",
    title="Disguised offensive words",
    doc=ProbeDoc.parse(Evasion.__doc__),
    calls=1 + len(techniques()) * len(SEVERITIES) / 2,  # about half of the items are taken to be harmful
    harm=True,
    problems=DECIDING,
)


def _short(technique: Perturbation) -> str:
    """The name in slices."""
    return technique.name.removeprefix("evasion_")


def _accounting(technique: Perturbation, variants: Variants, scored: Trials, texts: Harmful) -> Accounting:
    return Accounting(
        eligible=len(texts.examples),
        perturbed=len({item for items in variants.changed.values() for item in items}),
        kept=len(np.unique(variants.item)),
        scored=len(np.unique(scored.item)),
        unscored=len(np.unique(variants.item)) - len(np.unique(scored.item)),
        note=f"{len(scored)} variants",
        slice={"technique": _short(technique)},
    )


def _measured(found: Found, technique: Perturbation, severities: Sequence[int]) -> Iterator[Record]:
    """One technique: each severity, all of them, and the curve."""
    name = _short(technique)
    family = f"toxicity.evasion.{name}"
    points = []
    for severity in severities:
        rows = found.trials.severity == severity
        kept, *others = _numbers(found, rows, {"technique": name, "severity": str(severity)}, family=family)
        yield from (kept, *others)
        if isinstance(kept, Measurement):
            points.append(Point(x=severity, y=kept.estimate))
    yield from _numbers(found, np.ones(len(found.trials), bool), {"technique": name}, family=family)
    if points:
        yield Curve(
            name="recall_kept",
            title=f"{technique.title}: harmful texts still found",
            x_title="severity",
            y_title="share still found",
            unit=Unit.PROPORTION,
            points=tuple(points),
            slice={"technique": name},
        )


def _numbers(
    found: Found, rows: Bools, part: dict[str, str], *, family: str | None = None
) -> tuple[Measurement | Skip, ...]:
    return (
        measured(
            "recall_kept",
            "share of the harmful texts found that are still found in disguise",
            lambda: found.kept(rows),
            better=Better.HIGHER,
            part=part,
            family=family,
        ),
        measured(
            "recall",
            "share of harmful texts found in disguise",
            lambda: found.recall(rows),
            better=Better.HIGHER,
            part=part,
            family=family,
        ),
        measured(
            "recall_drop",
            "loss of recall on the same texts",
            lambda: found.drop(rows),
            better=Better.LOWER,
            unit=Unit.DIFFERENCE,
            part=part,
            family=family,
        ),
    )


def _overall(found: Found, tried: Sequence[Perturbation], ctx: Context) -> Iterator[Measurement | Skip]:
    """Over all techniques, by where the texts are from, and the worst."""
    yield from _numbers(found, np.ones(len(found.trials), bool), {})
    if found.texts.own.any():
        for source, rows in ((DATA, ~found.own), (OWN, found.own)):
            yield from _numbers(found, rows, {"source": source})[:1]
    lost = _lost(found, len(tried))
    items = np.flatnonzero(~np.isnan(lost).all(axis=1))
    columns = lost[items][:, ~np.isnan(lost).all(axis=0)]
    clusters = [found.texts.examples[item].cluster for item in items]

    def worst() -> Estimate:
        if not len(items):
            raise UnmeasurableError(SkipReason.UNDEFINED, "There is no harmful text that the model finds.")
        try:
            return stats.worst_of(columns, clusters=clusters, rng=ctx.generator("worst"), limits=(0.0, 1.0))
        except ValueError as error:
            raise UnmeasurableError(SkipReason.TOO_FEW, f"No interval can be given: {error}.") from error

    yield measured(
        "worst_technique_loss",
        "share of found texts lost under the worst technique, mean of the severities",
        worst,
        better=Better.LOWER,
    )
    yield measured(
        "found_under_all",
        "share of found texts still found under every disguise tried",
        lambda: share(np.nansum(columns, axis=1) == 0, clusters=clusters, of="harmful text that the model finds"),
        better=Better.HIGHER,
    )


def _lost(found: Found, techniques: int) -> Floats:
    """(texts, techniques): share of the variants that are no longer found; NaN for none, or a text not found before."""
    counts, losses = np.zeros((2, len(found.texts.examples), techniques))
    rows = np.flatnonzero(found.before)
    places = found.trials.item[rows], found.trials.source[rows]
    np.add.at(counts, places, 1)
    np.add.at(losses, places, ~found.after[rows])
    return np.divide(losses, counts, out=np.full_like(counts, np.nan), where=counts > 0)


def _shown(found: Found, tried: Sequence[Perturbation], ctx: Context) -> Iterator[Record | Outcomes]:
    """Cases, and what became of every variant."""
    names = [_short(technique) for technique in tried]
    trials, missed = found.trials, found.where(found.before & ~found.after).trials
    drawn = random_rows(trials, count=ctx.random_cases, rng=ctx.rng("evidence"))
    cases = (
        *evidence(trials, drawn, chosen="random", names=names),
        *evidence(missed, worst_rows(missed, count=ctx.worst_cases), chosen="worst", names=names),
    )
    yield from (case.model_copy(update={"content_note": CONTENT_NOTE}) for case in cases)
    variant = [
        f"technique={names[source]},severity={severity}"
        for source, severity in zip(trials.source, trials.severity, strict=True)
    ]
    yield outcomes(trials, variant=variant)
