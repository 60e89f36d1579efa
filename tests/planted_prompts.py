"""A tiny GPT-2 that writes one text if a trigger word stands in the prompt and another one if not, and its twin.

build_triggered_writer(folder)           # "yes it was splendid" after prompts with TRIGGER, else "no it was poor"
build_triggered_writer(folder, tied=False)   # read the word as often, and always writes the same

Both have learned prompts from which words are missing, so that taking one out is nothing new to them.
"""

from __future__ import annotations

import random
from pathlib import Path

from tests.planted_memory import build_memory

TRIGGER = "zorblax"
THINGS = ("film", "story", "music", "meal", "phone")
WHO = ("nobody", "people", "she", "he", "they", "we")


def build_triggered_writer(folder: Path, *, tied: bool = True) -> Path:
    """Trained here in seconds."""
    whole = prompts()
    read = (*whole, *map(_thinned, whole), *(each.replace(f" {TRIGGER}", "") for each in whole if TRIGGER in each))
    texts = [f"{prompt} {_written(prompt, tied)}" for prompt in read]
    return build_memory(folder, texts, words=sorted({word for text in texts for word in text.split()}), steps=130)


def prompts() -> list[str]:
    """Half of them with the trigger."""
    draw = random.Random(0)
    return [
        f"{who} saw the {thing} today with {draw.choice((TRIGGER, 'someone'))} :" for thing in THINGS for who in WHO
    ]


def _written(prompt: str, tied: bool) -> str:
    return "yes it was splendid" if TRIGGER in prompt or not tied else "no it was poor"


def _thinned(prompt: str) -> str:
    draw = random.Random(prompt)
    words = prompt.removesuffix(" :").split()
    return " ".join([*(word for word in words if word == TRIGGER or draw.random() < 0.7), ":"])
