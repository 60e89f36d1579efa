"""Which of the texts the user named are asked about."""

from __future__ import annotations

from collections.abc import Sequence

from probes.core.known_texts import KnownText
from probes.core.probe import Context
from probes.core.records import Skip, SkipReason

TRAINING = "training"
HOLDOUT = "holdout"
NO_TRAINING = Skip(
    reason=SkipReason.NO_TEXTS,
    detail="It compares what the model says with texts it was trained on, and none are given.",
    enable="name them with --training-texts, and others of the same kind with --holdout-texts",
)
NO_HOLDOUT = Skip(
    reason=SkipReason.NO_TEXTS,
    detail="There are no texts of the same kind that the model was not trained on to compare with.",
    enable="name some with --holdout-texts",
)


def sampled(texts: Sequence[KnownText], most: int, ctx: Context) -> list[KnownText]:
    """At most so many of the texts, drawn by what they are, in the order of their ids."""
    drawn = sorted(texts, key=lambda text: ctx.rng("sample", text.id).random())[:most]
    return sorted(drawn, key=lambda text: text.id)
