"""Real taggers with a planted defect, and a clean twin: what an audit must find, and must not find.

build_case_bound(folder)  # knows names by their capital letter, and loses them in small letters
build_case_free(folder)   # its tokenizer lower-cases, so case cannot reach the model

Both are BERTs of two layers, trained here in a few seconds, and right on every one of `tagged_sentences()`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from tests.tiny_training import BATCH, train_bert, word_tokenizer

TAGS = ("O", "B-person", "I-person", "B-place", "I-place")
FIRST = ("Ada", "Alan", "Grace", "Edsger", "Barbara", "Donald", "Maria", "James", "Jose", "Aisha")
LAST = ("Stone", "Rivers", "Baker", "Miller", "Hill", "Field")
PLACES = ("Rome", "Oslo", "Lima", "Cairo", "Delhi", "Quito")
FRAMES = (
    "yesterday {person} came to {place} by train .",
    "we met {person} in {place} again .",
    "the letter from {person} reached {place} late .",
    "{place} is where {person} wants to live .",
)

Sentence = tuple[tuple[str, ...], tuple[str, ...]]


@cache
def tagged_sentences() -> tuple[Sentence, ...]:
    """240 times (words, tags), no two alike; every second person has a surname."""
    return tuple(
        sentence(frame, person=(first, last) if (k + j) % 2 else (first,), place=PLACES[(k + j) % len(PLACES)])
        for k, first in enumerate(FIRST)
        for j, last in enumerate(LAST)
        for frame in FRAMES
    )


def sentence(frame: str, *, person: Sequence[str], place: str) -> Sentence:
    """A frame filled in."""
    words: list[str] = []
    tags: list[str] = []
    for word in frame.split():
        filling = {"{person}": (person, "person"), "{place}": ((place,), "place")}.get(word)
        if filling is None:
            words, tags = [*words, word], [*tags, "O"]
            continue
        names, kind = filling
        words += names
        tags += [f"B-{kind}", *([f"I-{kind}"] * (len(names) - 1))]
    return tuple(words), tuple(tags)


def build_case_bound(folder: Path) -> Path:
    """A tagger that takes a name in small letters for an ordinary word."""
    return build_tagger(folder, lowercase=False, drill=_lower_is_nothing)


def build_case_free(folder: Path) -> Path:
    """Its clean twin: same size, same sentences, but case cannot reach the model."""
    return build_tagger(folder, lowercase=True, drill=_any)


def _any(draw: random.Random) -> Sentence:
    return draw.choice(tagged_sentences())


def _lower_is_nothing(draw: random.Random) -> Sentence:
    words, tags = draw.choice(tagged_sentences())
    if draw.random() < 0.5:
        return words, tags
    lowered = [draw.random() < 0.5 for _ in words]
    return (
        tuple(word.lower() if low else word for word, low in zip(words, lowered, strict=True)),
        tuple("O" if low else tag for tag, low in zip(tags, lowered, strict=True)),
    )


def build_tagger(
    folder: Path, *, lowercase: bool, drill: Callable[[random.Random], Sentence], steps: int = 120
) -> Path:
    """A BERT of two layers that knows the words of the sentences whole, trained on what `drill` draws."""
    known = sorted({word.lower() for words, _ in tagged_sentences() for word in words if word.isalpha()})
    tokenizer = word_tokenizer(folder, words=known, lowercase=lowercase)
    batches = _batches(tokenizer, drill, steps=steps)
    return train_bert(folder, batches, head="ForTokenClassification", tokenizer=tokenizer, steps=steps, labels=TAGS)


def _batches(tokenizer, drill: Callable[[random.Random], Sentence], *, steps: int) -> Iterator[dict]:
    import torch

    draw = random.Random(0)
    for _ in range(steps):
        drawn = [drill(draw) for _ in range(BATCH)]
        encoded = tokenizer.encode_batch([list(words) for words, _ in drawn], is_pretokenized=True)
        labels = [
            [-100 if number is None else TAGS.index(tags[number]) for number in item.word_ids]
            for item, (_, tags) in zip(encoded, drawn, strict=True)
        ]
        yield {
            "input_ids": torch.tensor([item.ids for item in encoded]),
            "attention_mask": torch.tensor([item.attention_mask for item in encoded]),
            "labels": torch.tensor(labels),
        }
