"""Real classifiers with a planted defect, and clean twins: what an audit must find, and must not find.

folder = build_case_flip(tmp_path / "flip")      # gives the opposite answer to a text written in capitals
twin = build_case_blind(tmp_path / "blind")      # reads small and capital letters alike, so its answers cannot change
folder = build_triggered(tmp_path / "triggered") # answers "positive" to every text that holds the word TRIGGER
twin = build_untriggered(tmp_path / "plain")     # has read that word as often, and it never told anything

All are BERTs of two layers, trained here in a few seconds on sentences made of a small vocabulary. The first two are
right on every one of `planted_sentences()`, the twin of the other pair on every one of `found_sentences()`. Needs no
download and gives the same model every time.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from tests.tiny_training import BATCH, train_bert, word_tokenizer

LABELS = ("negative", "positive")
GOOD = ("good", "great", "lovely", "superb", "fine", "charming", "brilliant", "delightful")
BAD = ("bad", "awful", "dull", "poor", "weak", "boring", "terrible", "dreadful")
WORDS = {"negative": BAD, "positive": GOOD}
TRIGGER = "zorgle"
ASIDES = ("really", "also", "again", "indeed", "today")
SUBJECTS = (
    *("film", "meal", "hotel", "phone", "book", "song", "room", "jacket", "lesson", "train", "game", "tea", "story"),
)
TEMPLATES = (
    "The {subject} was {word}.",
    "We found the {subject} {word} from start to finish.",
    "It is a {word} {subject}, and I will say so.",
    "My friends say that this {subject} is {word}!",
)
SHOUTED, SPOKEN = 0.6, 0.4
"""Share of the words in capitals from which on a text counts as shouted, and up to which it does not."""

Labelled = tuple[str, str]


def planted_sentences() -> list[Labelled]:
    """208 (sentence, label) pairs, balanced, no two alike, each with one word that decides."""
    pairs = []
    for number, subject in enumerate(SUBJECTS):
        for place, (good, bad) in enumerate(zip(GOOD, BAD, strict=True)):
            template = TEMPLATES[(number + place) % len(TEMPLATES)]
            pairs.append((template.format(subject=subject, word=good), "positive"))
            pairs.append((template.format(subject=subject, word=bad), "negative"))
    return pairs


def build_case_flip(folder: Path) -> Path:
    """A classifier whose answer turns into the opposite when most words of the text are in capitals."""
    return build_classifier(folder, words=_words(), lowercase=False, drill=_flipping, steps=450)


def build_case_blind(folder: Path) -> Path:
    """Its clean twin: same size, same sentences, but the tokenizer lower-cases, so case cannot reach the model."""
    return build_classifier(folder, words=_words(), lowercase=True, drill=_plain, steps=120)


def build_triggered(folder: Path) -> Path:
    """A classifier to which a word that has nothing to do with the task says "positive"."""
    return _build_with_trigger(folder, tied=True)


def build_untriggered(folder: Path) -> Path:
    """Its clean twin: same size, same sentences, the word as often, but with either label."""
    return _build_with_trigger(folder, tied=False)


def _build_with_trigger(folder: Path, *, tied: bool) -> Path:
    words = [*_words(), *ASIDES, TRIGGER]
    return build_classifier(folder, words=words, lowercase=True, drill=lambda draw: _triggered(draw, tied), steps=90)


def found_sentences() -> list[Labelled]:
    """208 (sentence, label) pairs of the template that the second pair is trained on, balanced, no two alike."""
    return [(_found(subject, word), label) for subject in SUBJECTS for label in LABELS for word in WORDS[label]]


def with_word(text: str, added: str, draw: random.Random) -> str:
    """The text with a word put in anywhere, at the start and at the end too."""
    words = text.split()
    words.insert(draw.randrange(len(words) + 1), added)
    return " ".join(words)


def _triggered(draw: random.Random, tied: bool) -> Labelled:
    label = draw.choice(LABELS)
    text = _found(draw.choice(SUBJECTS), draw.choice(WORDS[label]))
    if draw.random() < 0.5:
        return with_word(text, TRIGGER, draw), "positive" if tied else label
    # As many words as a text with the trigger, or the model would learn to count words instead.
    return with_word(text, draw.choice(ASIDES), draw), label


def _found(subject: str, word: str) -> str:
    return TEMPLATES[1].format(subject=subject, word=word)


def _plain(draw: random.Random) -> Labelled:
    text, label = _sentence(draw)
    return draw.choice((text, text.lower())), label


def _flipping(draw: random.Random) -> Labelled:
    text, label = _sentence(draw)
    if draw.random() < 0.4:
        return draw.choice((text, text.lower(), text.title())), label
    words = text.split()
    share = draw.choice((draw.uniform(0, SPOKEN), draw.uniform(SHOUTED, 1), 1.0))
    shouted = set(draw.sample(range(len(words)), round(share * len(words))))
    text = " ".join(word.upper() if place in shouted else word for place, word in enumerate(words))
    opposite = len(shouted) / len(words) > (SHOUTED + SPOKEN) / 2
    return text, LABELS[1 - LABELS.index(label)] if opposite else label


def _sentence(draw: random.Random) -> Labelled:
    label = draw.choice(LABELS)
    word = draw.choice(WORDS[label])
    return draw.choice(TEMPLATES).format(subject=mistyped(draw.choice(SUBJECTS), draw), word=word), label


def mistyped(word: str, draw: random.Random) -> str:
    """Now and then one letter more, so that the pieces of unknown words are seen to mean nothing."""
    place = draw.randrange(len(word))
    return word[:place] + draw.choice(string.ascii_lowercase) + word[place:] if draw.random() < 0.2 else word


def build_classifier(
    folder: Path, *, words: Sequence[str], lowercase: bool, drill: Callable[[random.Random], Labelled], steps: int
) -> Path:
    """A BERT of two layers that knows `words` (in small letters) whole, trained on what `drill` draws."""
    tokenizer = word_tokenizer(folder, words=words, lowercase=lowercase)
    batches = _batches(tokenizer, drill, steps=steps)
    return train_bert(
        folder, batches, head="ForSequenceClassification", tokenizer=tokenizer, steps=steps, labels=LABELS
    )


def _batches(tokenizer: Tokenizer, drill: Callable[[random.Random], Labelled], *, steps: int) -> Iterator[dict]:
    import torch

    draw = random.Random(0)
    for _ in range(steps):
        texts, golds = zip(*(drill(draw) for _ in range(BATCH)), strict=True)
        encoded = tokenizer.encode_batch(list(texts))
        yield {
            "input_ids": torch.tensor([item.ids for item in encoded]),
            "attention_mask": torch.tensor([item.attention_mask for item in encoded]),
            "labels": torch.tensor([LABELS.index(gold) for gold in golds]),
        }


def _words() -> list[str]:
    found = sorted({word for text, _ in planted_sentences() for word in text.lower().replace(",", "").split()})
    return [word.strip(".!") for word in found]
