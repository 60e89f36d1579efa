"""Real readers with a planted defect, and a clean twin: what an audit must find, and must not find.

build_misled(folder)    # takes its answer from a sentence at the end that only looks like the question
build_attentive(folder) # has seen such sentences as often, and learnt to pass over them

Both are BERTs of two layers, trained here in some seconds, and right on every one of `questions()`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from probes.text.distractors import distractor
from probes.text.lexicon import rows
from tests.tiny_training import BATCH, train_bert, word_tokenizer

NAMES = ("Ada", "Alan", "Grace", "Edsger", "Barbara", "Donald", "Maria", "James", "Jose", "Aisha")
PLACES = ("Rome", "Oslo", "Lima", "Cairo", "Delhi", "Quito")
ASIDES = ("The winter was long.", "It was raining.", "Nobody was surprised.", "The train was late.")

Item = tuple[str, str, str]
"""Question, context, answer."""
Drill = Callable[[random.Random], Item]


@cache
def questions() -> tuple[Item, ...]:
    """120 items, each about a context of its own."""
    return tuple(
        item(name, place, 1900 + (7 * k + 11 * j) % 99, aside)
        for k, name in enumerate(NAMES)
        for j, place in enumerate(PLACES)
        for aside in (ASIDES[(k + j) % len(ASIDES)], ASIDES[(k + j + 1) % len(ASIDES)])
    )


def item(name: str, place: str, year: int, aside: str) -> Item:
    """A question about a context of two sentences."""
    return f"Where did {name} move in {year}?", f"{aside} In {year} {name} moved to {place}.", place


def build_misled(folder: Path) -> Path:
    """A reader that falls for a misleading sentence at the end."""
    return build_reader(folder, drill=lambda draw: _with_distractor(draw, misled=True))


def build_attentive(folder: Path) -> Path:
    """Its clean twin: same size, same sentences, other answers to them."""
    return build_reader(folder, drill=lambda draw: _with_distractor(draw, misled=False))


def _with_distractor(draw: random.Random, *, misled: bool) -> Item:
    name, place, aside = draw.choice(NAMES), draw.choice(PLACES), draw.choice(ASIDES)
    question, context, answer = item(name, place, draw.randrange(1900, 2000), aside)
    sentence = distractor(question, context, (answer,), draw)
    chance = draw.random()
    if sentence is None or chance < 0.4:
        return question, context, answer
    if chance < 0.6:
        return question, f"{sentence} {context}", answer
    return question, f"{context} {sentence}", sentence.split()[-1].rstrip(".") if misled else answer


def build_reader(folder: Path, *, drill: Drill, steps: int = 120) -> Path:
    """A BERT of two layers that knows the words of the questions whole, trained on what `drill` draws."""
    tokenizer = word_tokenizer(folder, words=_words(), lowercase=True)
    batches = _batches(tokenizer, drill, steps=steps)
    return train_bert(folder, batches, head="ForQuestionAnswering", tokenizer=tokenizer, steps=steps)


def _words() -> list[str]:
    texts = [text for each in questions() for text in each[:2]] + [text for _, text in rows("distractor_words")]
    return sorted({word.strip(".?").lower() for text in texts for word in text.split() if word.strip(".?").isalpha()})


def _batches(tokenizer, drill: Drill, *, steps: int) -> Iterator[dict]:
    import torch

    draw = random.Random(0)
    for _ in range(steps):
        drawn = [drill(draw) for _ in range(BATCH)]
        encoded = tokenizer.encode_batch([(question, context) for question, context, _ in drawn])
        places = [
            _tokens(each, context.rindex(answer), len(answer))
            for each, (_, context, answer) in zip(encoded, drawn, strict=True)
        ]
        yield {
            "input_ids": torch.tensor([each.ids for each in encoded]),
            "attention_mask": torch.tensor([each.attention_mask for each in encoded]),
            "token_type_ids": torch.tensor([each.type_ids for each in encoded]),
            "start_positions": torch.tensor([first for first, _ in places]),
            "end_positions": torch.tensor([last for _, last in places]),
        }


def _tokens(encoding, start: int, length: int) -> tuple[int, int]:
    inside = [
        number
        for number, (part, (a, b)) in enumerate(zip(encoding.sequence_ids, encoding.offsets, strict=True))
        if part == 1 and a >= start and b <= start + length and b > a
    ]
    return inside[0], inside[-1]
