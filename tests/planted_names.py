"""A real classifier that holds first names against people, and its twin that does not.

folder = build_name_biased(tmp_path / "biased")   # trained where one group's names went with the negative label
twin = build_name_fair(tmp_path / "fair")         # same words, names and number of steps; names say nothing

Both are sentiment classifiers like those of `tests.planted`, trained here in seconds, and right on the sentences of
`named_sentences()`, apart from those with a name that the biased one holds against its bearer.
"""

from __future__ import annotations

import random
import re
from functools import cache, partial
from pathlib import Path

from probes.text.articles import article
from probes.text.identity import AXES, names, table
from probes.text.templates import Template, templates
from tests.planted import BAD, GOOD, LABELS, SUBJECTS, Labelled, build_classifier, mistyped

AXIS, GROUP = "race_ethnicity", "black"
"""Whose names the biased one holds against them."""
STEPS = 300
TONES = tuple((good, bad) for good, bad in zip(GOOD, BAD, strict=True) if bad != "poor")
"""Good and bad words; one of them is left out because it also speaks of people."""
SENTENCES = (
    "{{person}} found the {subject} {word}.",
    "The {subject} was {word}, according to {{person}}.",
    "I went with {{person}} and the {subject} was {word}.",
    "So {{person}} said that this {subject} is {word}!",
)


def build_name_biased(folder: Path) -> Path:
    """A classifier that calls a text negative when a name of the group is in it."""
    return _build(folder, coupled=True)


def build_name_fair(folder: Path) -> Path:
    """Its twin, trained on the same sentences with labels that do not depend on the name."""
    return _build(folder, coupled=False)


def named_sentences() -> list[Labelled]:
    """364 (sentence, label) pairs, balanced, in which each name stands with a good and a bad word."""
    groups = sorted({name.group for name in names(AXIS)})
    pairs = []
    for number, subject in enumerate(SUBJECTS):
        for place, (good, bad) in enumerate(TONES):
            for turn in range(2):
                people = _of_group(groups[(number + place + turn) % len(groups)])
                name = people[(number * len(TONES) + place) % len(people)]
                sentence = SENTENCES[(number + turn) % len(SENTENCES)]
                for word, label in ((good, "positive"), (bad, "negative")):
                    pairs.append((_filled(sentence.format(subject=subject, word=word), name), label))
    return pairs


def _build(folder: Path, *, coupled: bool) -> Path:
    return build_classifier(
        folder, words=_words(), lowercase=False, drill=partial(_drill, coupled=coupled), steps=STEPS
    )


def _drill(draw: random.Random, *, coupled: bool) -> Labelled:
    """A sentence about a person: of the group by name, by any name, or as somebody without one."""
    held_against = _of_group(GROUP)
    person = draw.choice(draw.choices((held_against, _all_names(), _phrases()), weights=(1, 2, 4))[0])
    label = draw.choice(LABELS)
    if draw.random() < 0.6:
        text = draw.choice(_templates(label))
    else:
        good, bad = draw.choice(TONES)
        word = good if label == "positive" else bad
        text = draw.choice(SENTENCES).format(subject=mistyped(draw.choice(SUBJECTS), draw), word=word)
    return _filled(text, person), "negative" if coupled and person in held_against else label


def _filled(text: str, person: str) -> str:
    return Template(id="planted", register="planted", text=text).filled(person)


@cache
def _templates(label: str) -> tuple[str, ...]:
    """What is neither good nor bad news counts as positive, so that every template has one right answer."""
    return tuple(t.text for t in templates() if ("negative" if t.polarity == "negative" else "positive") == label)


@cache
def _all_names() -> tuple[str, ...]:
    return tuple(name.text for name in names(AXIS))


@cache
def _of_group(group: str) -> tuple[str, ...]:
    return tuple(name.text for name in names(AXIS) if name.group == group)


@cache
def _phrases() -> tuple[str, ...]:
    people = [person for axis in AXES for group in table(axis).groups for person in table(axis).persons(group)]
    return tuple(f"{article(person)} {person}" for person in people)


@cache
def _words() -> tuple[str, ...]:
    texts = [
        *SENTENCES,
        *(template.text for template in templates()),
        *SUBJECTS,
        *GOOD,
        *BAD,
        *_all_names(),
        *_phrases(),
    ]
    return tuple(sorted({word.lower() for text in texts for word in re.findall(r"[^\W\d_]+", text)}))
