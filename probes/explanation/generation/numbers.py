"""What taking words out of prompts shows, as records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import compress

import numpy as np

from probes.core import stats
from probes.core.answers import Floats
from probes.core.attributions import Attribution
from probes.core.measuring import measured, share
from probes.core.records import Accounting, Better, Estimate, Measurement, Skip, SkipReason, Unit
from probes.core.stats.derived import FEW, UnmeasurableError
from probes.core.words import word
from probes.explanation.faithfulness.numbers import drops_of
from probes.explanation.faithfulness.removal import unrankable
from probes.explanation.generation.outputs import Outputs
from probes.explanation.generation.removed import OneWord

JUDGED = drops_of("log-probability of the text per token (in nats)", unit=Unit.SCORE, limits=(-np.inf, np.inf))
"""Per token, because a sum would be about the long texts."""
LEAST = 5
"""Prompts in which a word must stand to be listed."""
MOST = 10
"""Words that are listed."""


def one_word_numbers(outputs: Outputs, one: OneWord) -> Iterator[Accounting | Measurement | Skip]:
    """How often another text comes out when a single word is taken out of the prompt."""
    clusters = [outputs.clusters[row] for row in one.rows]
    yield Accounting(
        eligible=len(outputs),
        scored=len(one.rows),
        unscored=len(outputs) - len(one.rows),
        tied=int(one.tied.sum()),
        note=""
        if len(one.rows) == len(outputs)
        else "prompts with fewer than two words, or whose words all weigh the same, are out",
        slice={"kind": "one word taken out"},
    )
    for name, title, changed in (
        ("changed_without_top_word", "share of texts that change without the word that weighs most", one.top),
        ("changed_without_other_word", "share of texts that change without another word, drawn at random", one.other),
    ):
        yield measured(
            name,
            title,
            partial(share, changed, clusters=clusters, of="prompt of two words"),
            better=Better.CONTEXT,
        )
    yield measured(
        "changed_over_random",
        "texts that change without the word that weighs most, more than without another word",
        partial(_excess, one, clusters),
        better=Better.HIGHER,
        unit=Unit.DIFFERENCE,
    )


def _excess(one: OneWord, clusters: list[str]) -> Estimate:
    if len(set(clusters)) < FEW:
        raise UnmeasurableError(
            SkipReason.TOO_FEW, f"It rests on {len(set(clusters))} independent prompts; {FEW} are needed."
        )
    return stats.paired_difference(one.other, one.top, clusters=clusters)


def leading_numbers(outputs: Outputs) -> Iterator[Measurement]:
    """The words that weigh most most often, among the prompts that hold them."""
    ranked = np.array([unrankable(each) is None for each in outputs.attributions], dtype=bool)
    weights = [_weights(each) for each in outputs.attributions]
    held = [set(names) for names, _ in weights]
    leading = [names[int(scores.argmax())] if names else "" for names, scores in weights]
    within = Counter(name for names in compress(held, ranked) for name in names)
    often = Counter(compress(leading, ranked))
    listed = sorted((-often[name] / within[name], name) for name in often if within[name] >= LEAST)
    for _, name in listed[:MOST]:
        members = ranked & np.array([name in names for names in held], dtype=bool)
        first = np.array([lead == name for lead in leading], dtype=bool)
        yield Measurement(
            name="leading_share",
            title=f"share of the prompts with “{name}” in which it weighs most",
            estimate=share(first, among=members, clusters=outputs.clusters),
            better=Better.CONTEXT,
            unit=Unit.PROPORTION,
            slice={"word": name},
            family="explanation.generation.words",
        )


def _weights(explained: Attribution) -> tuple[list[str], Floats]:
    """The words of letters or digits in small letters, and what each weighs: every prompt has its signs."""
    names = [word(explained.text, span).lower() for span in explained.words]
    written = np.array([any(map(str.isalnum, name)) for name in names], dtype=bool)
    return list(compress(names, written)), explained.scores[written]
