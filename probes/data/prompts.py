"""Prompts with what should be written for them: columns, and conversations whose last turn is the reply."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from probes.core.errors import DataError
from probes.core.examples import Accepted, Example, Gold
from probes.data.cells import Golds, cell_members, is_missing
from probes.data.squad import texts_and_places
from probes.data.table import shown, writable
from probes.data.tagged import Unusable

CONVERSATIONS = ("messages", "conversations", "conversation")
INSTRUCTIONS = ("instruction", "instructions")
INPUTS = ("input", "inputs", "context")
"""What may stand beside an instruction and belongs behind it."""
PROMPTS = (
    "prompt", "prompts", "question", "query", "source", "article", "dialogue", "document", "input", "inputs", "text",
    "content", "sentence",
)  # fmt: skip
"""In the order in which they are taken, where several are there."""
REFERENCES = (
    "answers", "answer", "output", "outputs", "response", "responses", "completion", "completions", "reference",
    "references", "summary", "highlights",
)  # fmt: skip
NAMED_REFERENCES = ("target", "targets", "label", "labels")
"""References of a model with an encoder, which has no other use for labels; of a causal one they may be classes."""

NO_CONVERSATION = "not a conversation"
JOINT = "\n\n"
"""Stands between the parts of a prompt."""

_ASSISTANT = ("assistant", "gpt", "model", "bot")
_SPEAKERS = {"system": "", "user": "User: ", "human": "User: ", **dict.fromkeys(_ASSISTANT, "Assistant: ")}

Turn = tuple[str, str]


def joined(columns: Sequence[Sequence[object]]) -> list[object]:
    """One prompt a row of several columns, without blank ones; a first one that is no text is left as it is."""
    return [_joined(parts) for parts in zip(*columns, strict=True)]


def with_material(examples: Sequence[Example], columns: Sequence[Sequence[object]]) -> tuple[Example, ...]:
    """The same prompts, of which it is known where what stands behind the first column begins."""
    begins = {_joined(parts): len(parts[0]) + len(JOINT) for parts in zip(*columns, strict=True) if _said(parts)}
    return tuple(replace(example, material=begins.get(example.text, 0)) for example in examples)


def _said(parts: Sequence[object]) -> TypeGuard[Sequence[str]]:
    """Is there a first part, and something behind it."""
    return all(isinstance(part, str) for part in parts) and _joined(parts) != parts[0]


def _joined(parts: Sequence[object]) -> object:
    first, *rest = parts
    if not isinstance(first, str) or not first.strip():
        return first
    return JOINT.join([first, *(each for each in rest if isinstance(each, str) and each.strip())])


def conversations(raw: Sequence[object]) -> tuple[list[object], Golds]:
    """The turns before the last reply as one prompt, and that reply as the reference; None where a user speaks last.

    Of one message of a user the prompt is that message, with a system message before it; of more, each turn begins with
    who speaks.
    """
    read = [_turns(cell) for cell in raw]
    prompts: list[object] = []
    golds: list[Gold] = []
    for turns in read:
        replied = bool(turns) and turns[-1][0] in _ASSISTANT
        before = turns[:-1] if replied else turns
        prompts.append(_prompt(before) if before else Unusable(NO_CONVERSATION))
        golds.append(_kept([turns[-1][1]]) if replied else None)
    return prompts, Golds(values=golds)


def _prompt(turns: Sequence[Turn]) -> str:
    if sum(speaker != "system" for speaker, _ in turns) < 2:
        return JOINT.join(text for _, text in turns)
    return JOINT.join(f"{_SPEAKERS[speaker]}{text}" for speaker, text in turns)


def _turns(cell: object) -> list[Turn]:
    """Who says what; empty for a cell that is no conversation."""
    turns = [_turn(each) for each in cell] if isinstance(cell, list) else []
    return [] if None in turns else [turn for turn in turns if turn is not None and turn[1].strip()]


def _turn(message: object) -> Turn | None:
    if not isinstance(message, Mapping):
        return None
    speaker = message.get("role", message.get("from"))
    text = _content(message.get("content", message.get("value")))
    return (speaker, text) if isinstance(speaker, str) and speaker in _SPEAKERS and text is not None else None


def _content(content: object) -> str | None:
    """A plain text, or the parts of one that are marked as texts."""
    if isinstance(content, list):
        parts = [each.get("text") if isinstance(each, Mapping) else None for each in content]
        return "\n".join(str(part) for part in parts) if all(isinstance(part, str) for part in parts) else None
    return content if isinstance(content, str) else None


def read_references(raw: Sequence[object], *, column: str, names: Sequence[str] = (), where: str) -> Golds:
    """The texts each row accepts; None where it names none.

    Args:
        names: what the numbers of the column stand for, where the data say so.

    Raises:
        DataError: for cells that hold no texts.
    """
    return Golds(values=[_references(cell, column=column, names=names, where=where) for cell in raw])


def _references(cell: object, *, column: str, names: Sequence[str], where: str) -> Gold:
    if isinstance(cell, Mapping) or (isinstance(cell, list) and any(isinstance(each, Mapping) for each in cell)):
        return _kept([text for text, _ in texts_and_places(cell, column=column, where=where) or ()])
    texts = [_text(each, names) for each in cell_members(cell) or () if not is_missing(each)]
    if not all(isinstance(text, str) for text in texts):
        raise DataError(
            f"{where}: column {column!r} holds {shown([cell])}, and no text that should be written",
            hint="name the column of right answers with --label-column: texts, or lists of texts",
        )
    return _kept([str(text) for text in texts])


def _text(value: object, names: Sequence[str]) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int) and 0 <= value < len(names):
        return names[value]
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else repr(value)
    return str(value) if isinstance(value, str | int) else None


def _kept(texts: Sequence[str]) -> Gold:
    """Without blank ones; None where that leaves nothing, which is no reference and not an empty one."""
    kept = dict.fromkeys(writable(text).strip() for text in texts if text.strip())
    return Accepted(kept) if kept else None
