"""What a tagger or a reader found in texts, one part of each, and what pushed it there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from probes.core.answered import exact_of, gold_told, may_abstain, told
from probes.core.answers import ProblemType
from probes.core.attributions import Attribution, Method, SpanTarget
from probes.core.attributors import SpanAttributor
from probes.core.entities import Entity, Tagset
from probes.core.examples import Accepted, Example
from probes.core.model import Reader, Tagger
from probes.core.probe import Context
from probes.core.tagged import gold_tags
from probes.core.tagged import told as entities_told
from probes.core.taggings import tagged_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A part of a text that the model found.

    Attributes:
        confidence: of an answer its probability, of an entity the lowest of those of its labels.
        gold: what would have been right, for people: of a tagger the entities that touch this one; None where that is
            not known.
        right: whether it is; None likewise.
    """

    example: Example
    target: SpanTarget
    confidence: float
    gold: str | None
    right: bool | None


@dataclass(frozen=True, kw_only=True)
class Found:
    """n parts of texts that the model found, each from another text, sorted by item id.

    Attributes:
        method: by which all of them were explained.
        attributions: (n,) of the logits of the part.
        nothing: texts in which the model found nothing.
    """

    findings: tuple[Finding, ...]
    method: Method
    attributions: tuple[Attribution, ...]
    nothing: int

    @classmethod
    def ask(cls, model: Any, data: Sequence[Example], *, method: Method, ctx: Context) -> Found:
        """Ask for entities or answers, then why, each in one bulk."""
        examples = sorted(data, key=lambda example: example.id)
        reader = model.card.problem is ProblemType.SPAN
        findings = tuple(_answers(model, examples) if reader else _entities(model, examples, ctx))
        return cls(
            findings=findings,
            method=method,
            attributions=tuple(_explained(model, findings, method)),
            nothing=len(examples) - len(findings),
        )

    def __len__(self) -> int:
        return len(self.findings)

    def by(self, model: SpanAttributor, method: Method) -> list[Attribution]:
        """(n,): what another method says."""
        return _explained(model, self.findings, method)

    @cached_property
    def clusters(self) -> list[str]:
        """(n,)."""
        return [finding.example.cluster for finding in self.findings]


def _explained(model: SpanAttributor, findings: Sequence[Finding], method: Method) -> list[Attribution]:
    texts, targets = [each.example.text for each in findings], [each.target for each in findings]
    return model.attribute_spans(texts, targets, method=method) if findings else []


def _entities(model: Tagger, examples: Sequence[Example], ctx: Context) -> Iterator[Finding]:
    """An entity of each text that has some, any one."""
    answers = model.tag([example.text for example in examples])
    labelled = [gold_tags(example) for example in examples if example.gold is not None]
    tagset = Tagset.of(model.card.labels, labelled)
    for row, example in enumerate(examples):
        tags = answers.tags(row)
        usable = [each for each in tagset.entities(tags) if None not in tags[each.start : each.end]]
        if not usable:
            continue
        entity = ctx.rng("entity", example.id).choice(usable)
        confidence = answers.confidence[answers.words_of(row)][entity.start : entity.end]
        labels = tuple(str(tag) for tag in tags[entity.start : entity.end])
        yield _entity(example, entity, labels, confidence=float(confidence.min()), tagset=tagset)


def _entity(example: Example, entity: Entity, labels: tuple[str, ...], *, confidence: float, tagset: Tagset) -> Finding:
    words = tagged_words(example.text)[entity.start : entity.end]
    golds = None if example.gold is None else tagset.entities(gold_tags(example))
    return Finding(
        example=example,
        target=SpanTarget(name=f"{entity.kind}: {' '.join(words)}", start=entity.start, end=entity.end, labels=labels),
        confidence=confidence,
        gold=None if golds is None else entities_told(example.text, [each for each in golds if each.overlaps(entity)]),
        right=None if golds is None else entity in golds,
    )


def _answers(model: Reader, examples: Sequence[Example]) -> Iterator[Finding]:
    """The answer about each context, which may be that there is none."""
    answers = model.answer([example.text for example in examples]).abstaining(may_abstain(examples))
    for row, (example, text) in enumerate(zip(examples, answers.given, strict=True)):
        start, end = (0, 0) if answers.abstained[row] else (int(answers.starts[row]), int(answers.ends[row]))
        gold = example.gold if isinstance(example.gold, Accepted) else None
        yield Finding(
            example=example,
            target=SpanTarget(name=told(text), start=start, end=end),
            confidence=float(answers.confidence[row]),
            gold=gold_told(gold),
            right=None if gold is None else bool(exact_of([text], [gold])[0]),
        )


def characters(finding: Finding) -> tuple[int, int]:
    """Where the part is in the text that was explained, or in its context: characters [start, end)."""
    target = finding.target
    if not target.labels:
        return target.start, target.end
    words = tagged_words(finding.example.text)
    starts = np.array([0, *accumulate(len(word) + 1 for word in words)])  # one blank between words
    return int(starts[target.start]), int(starts[target.end] - 1)
