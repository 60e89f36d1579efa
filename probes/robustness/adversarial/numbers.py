"""The numbers and curves of the attacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import compress

import numpy as np

from probes.core import stats
from probes.core.answers import Bools, Floats
from probes.core.counts import plural
from probes.core.measuring import measured, share
from probes.core.records import (
    Accounting,
    Better,
    Curve,
    Estimate,
    Measurement,
    Point,
    Skip,
    SkipReason,
    Unit,
)
from probes.core.stats.derived import FEW
from probes.robustness.adversarial.attacks import FEW_WORDS, Attacks
from probes.robustness.adversarial.parts import Outcome
from probes.text.answer_trials import mean_of

LADDER = (5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
"""Queries an item at which the curve over the budget has points."""
SHARES = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0)
"""Shares of changed words at which the other curve has points."""

KEPT = "share of attacked answers that stay though hardly a word is left"


def accounting(attacks: Attacks) -> Accounting:
    """What became of the items."""
    scored = int(attacks.attacked.sum())
    return Accounting(
        eligible=len(attacks),
        perturbed=scored,
        kept=scored,
        scored=scored,
        unscored=int(attacks.came_to(Outcome.UNSCORED).sum()),
        note=_note(attacks),
        slice=attacks.part,
    )


def _note(attacks: Attacks) -> str:
    wrong, held = attacks.came_to(Outcome.WRONG_BEFORE), attacks.came_to(Outcome.HELD)
    unlabelled = sum(example.gold is None for example in attacks.examples) if attacks.subject.graded else 0
    short, beyond = int(attacks.out_of_budget.sum()), int(attacks.came_to(Outcome.OUT_OF_REACH).sum())
    spent = ("answer", "held only until") if attacks.breaks else ("text", "could have been cut further when")
    before = (
        "answered wrongly before any change"
        if attacks.subject.graded
        else "where the goal was reached before any change"
    )
    left = Counter(
        attacks.attempts[row].lacked or "nothing to change" for row in np.flatnonzero(held & ~attacks.attacked).tolist()
    )
    notes = (
        (int(wrong.sum()), "item", f"{before} and not attacked"),
        (beyond, "item", "whose score cannot move so far, and not attacked"),
        *((count, "text", f"with {why}") for why, count in sorted(left.items())),
        (short, spent[0], f"{spent[1]} the queries allowed were used up"),
        (unlabelled, "item", "without a right answer: the model's own answer was attacked"),
    )
    return "; ".join(f"{plural(count, word)} {note}" for count, word, note in notes if count)


def of_recipe(attacks: Attacks, *, budget: int) -> Iterator[Measurement | Skip]:
    """What one recipe came to."""
    part, attacked, broken = attacks.part, attacks.attacked, attacks.broken
    yield _success(attacks, attacked, part)
    if attacks.breaks:
        yield measured(
            "few_words_success_rate",
            f"{_goal(attacks)}, one word or up to {FEW_WORDS:.0%} of them changed",
            lambda: share(attacks.lightly_broken, among=attacked, clusters=attacks.clusters),
            better=Better.LOWER,
            part=part,
        )
    if attacks.doubts:
        yield measured(
            "undoubted_success_rate",
            f"{_goal(attacks)}, doubtful changes not counted",
            lambda: share(broken & ~attacks.doubtful, among=attacked, clusters=attacks.clusters),
            better=Better.LOWER,
            part=part,
        )
    yield from accuracies(
        attacks.right_before, attacks.right_after, known=attacks.known, clusters=attacks.clusters, part=part
    )
    yield _mean(
        attacks, "mean_queries", "texts asked about for an attacked item", attacks.queries, attacked, (0.0, budget)
    )
    yield _mean(
        attacks, "words_changed", "share of words changed where the goal was reached", attacks.words_changed,
        broken, (0.0, 1.0), Unit.PROPORTION,
    )  # fmt: skip
    noted = broken & ~np.isnan(attacks.similarity)
    if noted.any():
        title = "similarity to the first texts of those that reached the goal"
        yield _mean(attacks, "similarity", title, attacks.similarity, noted, (-1.0, 1.0))
    yield measured(
        "cut_short",
        "share of attacks that ended because the queries were used up",
        lambda: share(attacks.out_of_budget, among=attacked, clusters=attacks.clusters),
        better=Better.CONTEXT,
        part=part,
    )


def accuracies(
    before: Bools, after: Bools, *, known: Bools, clusters: Sequence[str], part: dict[str, str], worst: bool = False
) -> Iterator[Measurement]:
    """Accuracy under attack and its loss, over (n,) items of which the right answer is known; nothing without any."""
    if not known.any():
        return
    keys = list(compress(clusters, known))
    kind = "all attacks taken together" if worst else "attack"
    yield Measurement(
        name="worst_accuracy" if worst else "accuracy_under_attack",
        title=f"accuracy under {kind}",
        estimate=stats.rate(after[known], clusters=keys),
        better=Better.HIGHER,
        unit=Unit.PROPORTION,
        slice=part,
    )
    yield Measurement(
        name="worst_accuracy_drop" if worst else "accuracy_drop",
        title=f"loss of accuracy under {kind}, same items",
        estimate=stats.paired_difference(after[known], before[known], clusters=keys),
        better=Better.LOWER,
        unit=Unit.DIFFERENCE,
        slice=part,
    )


def of_parts(attacks: Attacks, parts: Sequence[tuple[str, str, Bools]], *, family: str) -> Iterator[Measurement | Skip]:
    """The success rate in (key, value, members) parts of the items, of which each must have a few attacked ones."""
    for key, value, members in parts:
        wanted = members & attacks.attacked
        part = {key: value, **attacks.part}
        independent = len(set(attacks.clusters_of(wanted)))
        if independent >= FEW:
            yield _success(attacks, wanted, part, where=f" where {_said(key, value)}", family=f"{family}.{key}")
        else:
            yield Skip(
                reason=SkipReason.TOO_FEW,
                detail=f"{value}: {plural(independent, 'independent attacked item')}, fewer than {FEW}.",
                enable="add items of this kind",
                name="attack_success_rate",
                slice=part,
            )


def _said(key: str, value: str) -> str:
    name, _, rest = value.partition("=")
    return f"{name} is {rest}" if key == "group" else f"the {key} is {value}"


def of_all(every: Sequence[Attacks]) -> Iterator[Measurement | Skip]:
    """What the recipes came to together: is there one that breaks the answer."""
    first = every[0]
    attacked = np.any([each.attacked for each in every], axis=0)
    broken = np.any([each.broken for each in every], axis=0)
    yield measured(
        "any_success_rate",
        f"{_goal(first)} by some recipe",
        lambda: share(broken, among=attacked, clusters=first.clusters, of="attacked item"),
        better=Better.LOWER,
    )
    yield from accuracies(
        first.right_before,
        first.right_before & ~broken,
        known=first.known,
        clusters=first.clusters,
        part={},
        worst=True,
    )


def curves(attacks: Attacks, *, budget: int) -> Iterator[Curve]:
    """Success over the queries allowed, and over the share of words that may be changed; nothing without attacks."""
    if not attacks.attacked.any():
        return
    yield Curve(
        name="success_by_queries",
        title="Success by queries allowed",
        x_title="queries an item",
        y_title=_goal(attacks),
        unit=Unit.PROPORTION,
        points=tuple(
            Point(x=count, y=_within(attacks, attacks.queries <= count))
            for count in (*(step for step in LADDER if step < budget), budget)
        ),
        logarithmic=True,
        slice=attacks.part,
    )
    yield Curve(
        name="success_by_words",
        title="Success by share of words that may be changed",
        x_title="share of words changed",
        y_title=_goal(attacks),
        unit=Unit.PROPORTION,
        points=tuple(
            Point(x=most, y=_within(attacks, attacks.words_changed <= most), label=f"{most:.0%}") for most in SHARES
        ),
        slice=attacks.part,
    )


def _within(attacks: Attacks, allowed: Bools) -> Estimate:
    return share(attacks.broken & allowed, among=attacks.attacked, clusters=attacks.clusters)


def _goal(attacks: Attacks) -> str:
    return f"share of attacked answers {attacks.subject.reaching}" if attacks.breaks else KEPT


def _success(
    attacks: Attacks, members: Bools, part: dict[str, str], *, where: str = "", family: str | None = None
) -> Measurement | Skip:
    return measured(
        "attack_success_rate",
        f"{_goal(attacks)}{where}",
        lambda: share(attacks.broken, among=members, clusters=attacks.clusters, of="attacked item"),
        better=Better.LOWER,
        part=part,
        family=family,
    )


def _mean(
    attacks: Attacks,
    name: str,
    title: str,
    values: Floats,
    members: Bools,
    limits: tuple[float, float],
    unit: Unit = Unit.SCORE,
) -> Measurement | Skip:
    return measured(
        name,
        title,
        lambda: mean_of(values[members], clusters=attacks.clusters_of(members), limits=limits),
        better=Better.CONTEXT,
        unit=unit,
        part=attacks.part,
    )


def ungraded(name: str, why: str) -> Skip:
    """Why there is no accuracy: what stands in `why`, or that right answers are not known."""
    if why:
        return Skip(reason=SkipReason.UNDEFINED, detail=why, name=name)
    return Skip(
        reason=SkipReason.NO_GOLD,
        detail="The data have no right answers, so what is attacked are the model's own.",
        enable="give data with a label column",
        name=name,
    )
