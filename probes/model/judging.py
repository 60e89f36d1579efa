"""What a classifier that is to judge texts says of itself: `describe_judge`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from probes.core.answers import ProblemType
from probes.core.errors import UsageError, did_you_mean
from probes.core.judges import Sought
from probes.core.model import ModelCard
from probes.core.positive import Meaning, PositiveClass, recognise
from probes.model.card import describe
from probes.model.source import locate

DECIDING = frozenset({ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL})
_NEGATIVE = re.compile(r"neg|negative|unfavou?rable|bad", re.IGNORECASE)
_HEADER = re.compile(r"---\s*\n(.*?)\n---", re.DOTALL)
_DATASETS = re.compile(r"^datasets:[ \t]*(\S.*)?\n((?:[ \t]*- .*\n?)*)", re.MULTILINE)


def describe_judge(source: str, *, labels: Sequence[str] = (), revision: str | None = None) -> tuple[ModelCard, Sought]:
    """The card of a judge, whose positive class is what it looks for, and what that is. Loads no weights.

    Args:
        source: a folder written by `save_pretrained`, or a Hub id.
        labels: what it is asked about; by default the labels whose names say a harm, or negative sentiment.
        revision: branch, tag or commit of a Hub model.

    Raises:
        UsageError: for no classifier, a label it does not have, or label names that do not tell what it looks for.
        ModelError: as `describe`.
    """
    card = describe(source, revision=revision)
    if card.problem not in DECIDING:
        raise UsageError(
            f"the scorer {source} sorts no texts into labels (it is for {card.task}, {card.problem.replace('_', ' ')})",
            hint="--scorer takes a text classifier, such as one of toxicity",
        )
    found, sought = _declared(card, labels) if labels else _recognised(card, source)
    return card.model_copy(update={"positive": found}), sought


def _declared(card: ModelCard, labels: Sequence[str]) -> tuple[PositiveClass, Sought]:
    for label in labels:
        if label not in card.labels:
            raise UsageError(f"the scorer {card.name} has no label {label!r}", hint=did_you_mean(label, card.labels))
    if card.problem is ProblemType.SINGLE_LABEL and set(labels) == set(card.labels):
        raise UsageError(f"every label of the scorer {card.name} is named", hint="name only those that count")
    negative = all(_NEGATIVE.fullmatch(label) for label in labels)
    kept = tuple(label for label in card.labels if label in labels)
    meaning = Meaning.UNFAVOURABLE if negative else Meaning.HARM
    positive = PositiveClass(labels=kept, meaning=meaning, origin="declared")
    return positive, Sought.NEGATIVE if negative else Sought.HARM


def _recognised(card: ModelCard, source: str) -> tuple[PositiveClass, Sought]:
    found = recognise(card.labels, card.problem)
    if found.harm:
        return found, Sought.HARM
    negative = tuple(label for label in card.labels if _NEGATIVE.fullmatch(label))
    if negative:
        return PositiveClass(labels=negative, meaning=Meaning.UNFAVOURABLE, origin="label names"), Sought.NEGATIVE
    raise UsageError(
        f"which label of the scorer {card.name} is the harm: {', '.join(card.labels)}?",
        hint=f"name it: --scorer {source}={card.labels[-1]}",
    )


def trained_on(source: str, *, revision: str | None = None) -> tuple[str, ...]:
    """The data sets that a model's own README.md names in its header."""
    return datasets_of(locate(source, revision=revision).folder / "README.md")


def datasets_of(readme: Path) -> tuple[str, ...]:
    """The list `datasets:` in the YAML header of a README.md, in either of the ways YAML writes lists."""
    if not readme.is_file():
        return ()
    header = _HEADER.match(readme.read_text(encoding="utf-8", errors="replace"))
    found = _DATASETS.search(f"{header.group(1)}\n") if header else None
    if found is None:
        return ()
    inline, items = (found.group(1) or "").strip("[] "), re.findall(r"- +(.+)", found.group(2))
    return tuple(name.strip(" \"'") for name in (*inline.split(","), *items) if name.strip(" \"'"))
