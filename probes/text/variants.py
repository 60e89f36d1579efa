"""The perturbed texts of a data set: made, checked, and the same for every probe that asks for them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Ints
from probes.core.examples import Example, Text
from probes.core.rng import rng
from probes.text.perturbations.perturbation import Family, Perturbation
from probes.text.shielding import shielded

SHORTER, LONGER, SLACK = 0.3, 2.5, 20
"""A variant with fewer than 0.3 or more than 2.5 times the letters (plus 20, for short texts) is not the same text."""
ADDS_SENTENCES = frozenset({Family.CONTEXT, Family.CHAIN})
"""Families whose purpose is a longer text: no upper limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variants:
    """What one perturbation made of a data set: a row for each item and severity that came out changed and valid.

    Attributes:
        texts: (rows,) what to ask the model.
        item: (rows,) position of the source in the data.
        severity: (rows,).
        changed: severity -> positions of the items that were changed, valid or not.
    """

    texts: list[Text]
    item: Ints
    severity: Ints
    changed: Mapping[int, Sequence[int]]


def variant_of(example: Example, perturbation: Perturbation, *, severity: int, seed: int) -> Text:
    """The example's text, or both texts of a pair, perturbed; of a pair only the first where sentences are added.

    A sentence added to a hypothesis or a question becomes part of the claim, and the right answer changes with it.

    The generator depends on the seed, the perturbation, the item and the part, and not on the severity: higher
    severities extend the edits of lower ones.
    """
    reach = 1 if perturbation.family is Family.CONTEXT else len(example.texts)
    edited = tuple(
        perturbation.apply(part, severity, rng(seed, perturbation.name, example.id, index))
        for index, part in enumerate(example.texts[:reach])
    )
    parts = edited + example.texts[reach:]
    return parts[0] if len(parts) == 1 else (parts[0], parts[1])


def variant_around(
    text: str, parts: Iterable[str], perturbation: Perturbation, *, severity: int, draws: random.Random
) -> str | None:
    """The text perturbed, but every place at which one of the parts stands; None where that cannot be done."""
    shield = shielded(text, parts)
    if shield is None:
        return None
    edited = perturbation.apply(shield.text, severity, draws)
    return text if edited == shield.text else shield.restored(edited)


def valid(before: Text, after: Text, *, family: Family) -> bool:
    """Is `after` still a text of about the same length: no part blank that was not, and letters within the limits."""
    pairs = zip(_parts(before), _parts(after), strict=True)
    return all(_valid(_letters(old), _letters(new), family=family) for old, new in pairs)


def same_words(before: Text, after: Text) -> bool:
    """Are there as many words between blanks as before, so that what is said of each still has its place."""
    pairs = zip(_parts(before), _parts(after), strict=True)
    return all(len(old.split()) == len(new.split()) for old, new in pairs)


def variants_of(
    data: Sequence[Example], perturbation: Perturbation, *, severities: Iterable[int], seed: int, words: bool = False
) -> Variants:
    """All changed and valid variants of the data, item by item and by rising severity.

    With `words`, a variant is valid only if it has as many words as its text.
    """
    severities = sorted(severities)
    texts: list[Text] = []
    rows: list[tuple[int, int]] = []
    changed: dict[int, list[int]] = {severity: [] for severity in severities}
    for item, example in enumerate(data):
        for severity in severities:
            text = variant_of(example, perturbation, severity=severity, seed=seed)
            if text == example.text:
                continue
            changed[severity].append(item)
            if words and not same_words(example.text, text):
                continue
            if valid(example.text, text, family=perturbation.family):
                texts.append(text)
                rows.append((item, severity))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 2)
    return Variants(texts=texts, item=columns[:, 0], severity=columns[:, 1], changed=changed)


def _parts(text: Text) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


def _letters(text: str) -> int:
    return len("".join(text.split()))


def _valid(old: int, new: int, *, family: Family) -> bool:
    if old == 0:
        return True
    return 0 < new >= SHORTER * old and (family in ADDS_SENTENCES or new <= LONGER * old + SLACK)
