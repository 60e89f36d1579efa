"""What a model says of texts, and what would be right, as readers see it, for any kind of head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from probes.core import answered, tagged
from probes.core.answers import SEQUENCE_HEADS, ProblemType
from probes.core.entities import Tagset
from probes.core.examples import Example, Text
from probes.core.labelled import gold_text
from probes.core.model import Classifier, Model, Reader, Tagger

NOT_ASKED = "(not asked)"
"""In place of the answer of a model that gives none to a text as a whole."""


def answers_told(model: Model, texts: Sequence[Text]) -> list[str]:
    """(n,) answers to n texts, asked in one call; language models and generators are not asked."""
    problem = model.card.problem
    if not texts:
        return []
    if problem in SEQUENCE_HEADS:
        return list(cast(Classifier, model).classify(texts).names())
    if problem is ProblemType.TOKEN:
        return _entities(cast(Tagger, model), texts)
    if problem is ProblemType.SPAN:
        return [answered.told(answer) for answer in cast(Reader, model).answer(texts).given]
    return [NOT_ASKED] * len(texts)


def gold_told(example: Example, model: Model) -> str | None:
    """The right answer to an item; None where it is not known."""
    if example.gold is None:
        return None
    if model.card.problem is ProblemType.TOKEN:
        tags = tagged.gold_tags(example)
        return tagged.told(example.text, Tagset.of(model.card.labels, [tags]).entities(tags))
    return answered.gold_told(example.gold) if model.card.problem is ProblemType.SPAN else gold_text(example.gold)


def _entities(model: Tagger, texts: Sequence[Text]) -> list[str]:
    answers = model.tag(texts)
    found = tagged.entities_of(answers, answers.top, Tagset.of(model.card.labels, []))
    return [tagged.told(text, entities) for text, entities in zip(texts, found, strict=True)]
