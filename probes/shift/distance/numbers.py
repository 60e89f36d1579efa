"""What is published of each domain."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from probes.core.answers import Floats
from probes.core.measuring import measured
from probes.core.records import Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import UnmeasurableError
from probes.shift.distance.comparison import Comparison, Statistic, adjusted, mean_ratio, ratio_gap
from probes.shift.distance.gaussians import frechet
from probes.shift.distance.items import Facing, Items, given
from probes.shift.distance.kernel import discrepancy
from probes.shift.distance.shares import chi_square, largest_gap, total_variation, word_distance
from probes.shift.domains import Domain

ID = "shift.distance"
ANY = (-np.inf, np.inf)
SHARE = (0.0, 1.0)
POSITIVE = (0.0, np.inf)


@dataclass(frozen=True, kw_only=True)
class Test:
    """A statistic that is judged against random divisions.

    Attributes:
        name: of the measurement; its p-value is `<name>_p_value`, its excess over chance `<name>_beyond_chance`.
        title, what: of the measurement, and of the difference in the title of the p-value.
        of: the statistic; tested: that of the p-value, where it is another one.
        biased: it is above 0 even where there is no difference, so that its excess over chance is published as well.
    """

    name: str
    title: str
    what: str
    of: Callable[[Facing], Statistic]
    tested: Callable[[Facing], Statistic] | None = None
    limits: tuple[float, float] = SHARE
    unit: Unit = Unit.SCORE
    biased: bool = True


def _words(facing: Facing) -> Statistic:
    for domain, side in ((facing.home, ~facing.pair.other), (facing.other, facing.pair.other)):
        _some(facing.wording.lengths[side], domain)
    return word_distance(facing.wording.counts, facing.pair)


def _some(of: Floats, domain: Domain) -> None:
    if not of.any():
        raise UnmeasurableError(SkipReason.UNDEFINED, f"The texts of {domain.name} hold no word.")


def _labels(facing: Facing) -> Statistic:
    return _differing(facing, *facing.labels)


def _labels_tested(facing: Facing) -> Statistic:
    return _differing(facing, *facing.labels, tested=True)


def _answers(facing: Facing, *, tested: bool = False) -> Statistic:
    said = given(facing.answers)
    answers: list[Hashable] = list(said.logits[:, 0] if facing.regression else said.names())
    return _differing(facing, answers, facing.pair, tested=tested)


def _differing(facing: Facing, values: list[Hashable], pair: Comparison, *, tested: bool = False) -> Statistic:
    if facing.regression:
        return largest_gap(np.array(values, dtype=np.float64), pair)
    return (chi_square if tested else total_variation)(values, pair)


TESTS = (
    Test(
        name="classifier_auc",
        title="how often a simple classifier on the model's inner representations tells a text of this kind from an "
        "in-domain one (50 % is guessing)",
        what="what a classifier can tell",
        of=lambda facing: facing.classifier.auc(),
        unit=Unit.PROPORTION,
        biased=False,
    ),
    Test(
        name="kernel_distance",
        title="distance of the model's inner representations from those of in-domain texts (MMD squared, 0 for no "
        "difference)",
        what="inner representations (MMD)",
        of=lambda facing: discrepancy(facing.vectors, facing.pair),
        limits=ANY,
        biased=False,
    ),
    Test(
        name="word_distance",
        title="distance between the words used and those of in-domain texts (Jensen-Shannon, 0 for the same, 1 for "
        "none in common)",
        what="words used",
        of=_words,
    ),
    Test(
        name="length_distance",
        title="how differently long the texts are from in-domain ones (largest gap between the shares of texts up to "
        "any number of words)",
        what="length of the texts",
        of=lambda facing: largest_gap(facing.wording.lengths, facing.pair),
        unit=Unit.PROPORTION,
    ),
    Test(
        name="label_distance",
        title="how differently the right answers are distributed from those of in-domain texts (0 for alike, 1 for "
        "nothing in common)",
        what="right answers",
        of=_labels,
        tested=_labels_tested,
        unit=Unit.PROPORTION,
    ),
    Test(
        name="answer_distance",
        title="how differently the model's answers are distributed from those on in-domain texts (0 for alike, 1 for "
        "nothing in common)",
        what="the model's answers",
        of=_answers,
        tested=partial(_answers, tested=True),
        unit=Unit.PROPORTION,
    ),
)  # fmt: skip


def tested(facings: Sequence[Facing]) -> Iterator[Measurement | Skip]:
    """Each test in each domain; its p-values corrected for the number of domains."""
    for test in TESTS:
        p_values: list[tuple[Domain, Estimate]] = []
        for facing in facings:
            try:
                statistic = test.of(facing)
            except UnmeasurableError as error:
                detail = f"{test.title}: {error.detail}"
                yield Skip(reason=error.reason, detail=detail, name=test.name, slice=facing.other.slice)
                continue
            yield from _found(test, statistic, facing.other)
            judged = test.tested(facing) if test.tested else statistic
            p_values.append((facing.other, judged.p_value()))
        corrected = adjusted([p for _, p in p_values])
        for (domain, _), p in zip(p_values, corrected, strict=True):
            title = f"chance of as large a difference if the texts were of one kind: {test.what}"
            yield _measured(f"{test.name}_p_value", title, partial(_known, p), unit=Unit.PROPORTION, domain=domain)


def _found(test: Test, statistic: Statistic, domain: Domain) -> Iterator[Measurement | Skip]:
    found = partial(statistic.estimate, limits=test.limits)
    yield _measured(test.name, test.title, found, unit=test.unit, domain=domain)
    if test.biased:
        unit = Unit.DIFFERENCE if test.unit is Unit.PROPORTION else test.unit
        title = f"{test.title}, less what random divisions of the same texts give"
        excess = partial(statistic.beyond_chance, limits=test.limits)
        yield _measured(f"{test.name}_beyond_chance", title, excess, unit=unit, domain=domain)


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """A sum over a domain's items divided by another.

    Attributes:
        amount, of: (n,) numbers of all items; they raise where there are none.
        gap: the title of its difference from the in-domain ratio, `<name>_gap`.
    """

    name: str
    title: str
    gap: str
    amount: Callable[[Items], Floats]
    of: Callable[[Items], Floats]
    unit: Unit = Unit.PROPORTION
    limits: tuple[float, float] = SHARE


RATIOS = (
    Ratio(
        name="unseen_words",
        title="share of the words that occur in no other in-domain text",
        gap="share of the words that occur in no other in-domain text, more than in-domain",
        amount=lambda items: items.unseen,
        of=lambda items: items.wording.lengths,
    ),
    Ratio(
        name="words_per_text",
        title="words per text",
        gap="words per text, more than in-domain",
        amount=lambda items: items.wording.lengths,
        of=lambda items: np.ones(len(items.vectors)),
        unit=Unit.SCORE,
        limits=POSITIVE,
    ),
    Ratio(
        name="tokens_per_word",
        title="pieces that the model cuts a word into, on average",
        gap="pieces that the model cuts a word into, more than in-domain",
        amount=lambda items: items.token_counts[0],
        of=lambda items: items.wording.lengths,
        unit=Unit.SCORE,
        limits=POSITIVE,
    ),
    Ratio(
        name="unknown_tokens",
        title="share of the pieces of text that the model has no entry for and cannot read",
        gap="share of the pieces of text that the model cannot read, more than in-domain",
        amount=lambda items: items.token_counts[1],
        of=lambda items: items.token_counts[0],
    ),
    Ratio(
        name="confidence",
        title="mean confidence of the model in its answers",
        gap="mean confidence of the model in its answers, more than in-domain",
        amount=lambda items: items.confidence,
        of=lambda items: np.ones(len(items.vectors)),
    ),
)


def ratios(items: Items, facings: Sequence[Facing]) -> Iterator[Measurement | Skip]:
    """Each ratio in every domain, and how far it is from the in-domain one."""
    for each in RATIOS:
        try:
            amount, of = each.amount(items), each.of(items)
        except UnmeasurableError as error:
            yield Skip(reason=error.reason, detail=f"{each.title}: {error.detail}", name=each.name)
            continue
        yield from (_ratio(each, amount, of, items=items, domain=domain) for domain in items.domains)
        yield from (_gap(each, amount, of, items=items, facing=facing) for facing in facings)


def _ratio(each: Ratio, amount: Floats, of: Floats, *, items: Items, domain: Domain) -> Measurement | Skip:
    rows = items.rows(domain)

    def estimate() -> Estimate:
        _some(of[rows], domain)
        return mean_ratio(amount[rows], of[rows], clusters=domain.clusters, limits=each.limits)

    return _measured(each.name, each.title, estimate, unit=each.unit, domain=domain)


def _gap(each: Ratio, amount: Floats, of: Floats, *, items: Items, facing: Facing) -> Measurement | Skip:
    rows = np.concatenate([items.rows(facing.home), items.rows(facing.other)])

    def estimate() -> Estimate:
        for domain in (facing.home, facing.other):
            _some(of[items.rows(domain)], domain)
        high = each.limits[1]
        return ratio_gap(amount[rows], of[rows], facing.pair).estimate(limits=(-high, high))

    unit = Unit.DIFFERENCE if each.unit is Unit.PROPORTION else each.unit
    return _measured(f"{each.name}_gap", each.gap, estimate, unit=unit, domain=facing.other)


def distances(items: Items, facings: Sequence[Facing], *, rng: np.random.Generator) -> Iterator[Measurement | Skip]:
    """Distances that are not tested: the proxy A-distance, and Frechet's beside that within the in-domain texts."""
    home = items.domains[0]
    halves = Comparison.halves(home.clusters, rng=rng)
    yield _measured(
        "frechet_distance",
        "squared Frechet distance between two random halves of the in-domain texts, to read the others by",
        lambda: frechet(items.vectors[items.rows(home)], halves).estimate(limits=POSITIVE),
        unit=Unit.SCORE,
        domain=home,
    )
    for facing in facings:
        yield _measured(
            "frechet_distance",
            "squared Frechet distance of the model's inner representations from those of in-domain texts",
            partial(_frechet, facing),
            unit=Unit.SCORE,
            domain=facing.other,
        )
        yield _measured(
            "a_distance",
            "proxy A-distance from the in-domain texts (0 where a classifier can only guess, 2 where it never errs)",
            partial(_a_distance, facing),
            unit=Unit.SCORE,
            domain=facing.other,
        )


def _frechet(facing: Facing) -> Estimate:
    return frechet(facing.vectors, facing.pair).estimate(limits=POSITIVE)


def _a_distance(facing: Facing) -> Estimate:
    return facing.classifier.a_distance().estimate(limits=(-2.0, 2.0))


def _known(estimate: Estimate) -> Estimate:
    return estimate


def _measured(
    name: str, title: str, estimate: Callable[[], Estimate], *, unit: Unit, domain: Domain
) -> Measurement | Skip:
    return measured(name, title, estimate, better=Better.CONTEXT, unit=unit, part=domain.slice, family=f"{ID}.{name}")
