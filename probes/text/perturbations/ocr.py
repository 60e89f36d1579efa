"""Misread print: letters taken for others of the same shape."""

from __future__ import annotations

import random
import re
from functools import cache

from probes.text.lexicon import alternatives
from probes.text.perturbations.characters import editable
from probes.text.perturbations.perturbation import WORD, Family, Perturbation, edit_share, share_of


def ocr_confusions(text: str, severity: int, rng: random.Random) -> str:
    """Does the answer survive text that was scanned and misread?

    Measures: how often and how far the answer moves when shapes that optical character recognition confuses (rn and m,
        l and 1, cl and d) replace one another.

    Why it matters: claims, letters and archives reach a model as scans, and recognition errors differ from typing
        errors: they follow shapes, touch first letters and put digits into words.

    Method: in 5, 10, 20, 35 or 50 % of the words of four letters or more (severity 1 to 5), one confusable letter or
        pair is replaced by what it is misread as. Numbers stay, since misreading them changes what is said.

    Limits: a fixed table of printed Latin shapes, all equally likely; lost lines, split words and layout errors are not
        imitated.

    References: Nguyen, Jatowt, Coustaty and Doucet 2021, Survey of Post-OCR Processing Approaches, ACM Computing
        Surveys 54(6); van Strien et al. 2020, Assessing the Impact of OCR Quality on Downstream NLP Tasks, ICAART.
    """
    return edit_share(text, rng, pattern=WORD, edit=_misread, share=share_of(severity))


def _misread(word: str, rng: random.Random) -> str:
    shapes = list(_shapes().finditer(word)) if editable(word) else []
    if not shapes:
        return word
    shape = rng.choice(shapes)
    return word[: shape.start()] + rng.choice(alternatives("ocr")[shape.group()]) + word[shape.end() :]


@cache
def _shapes() -> re.Pattern[str]:
    """Any confusable piece, the longer ones first."""
    pieces = sorted(alternatives("ocr"), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, pieces)))


PERTURBATIONS: tuple[Perturbation, ...] = (
    Perturbation(
        name="ocr_confusions",
        title="Scanning errors",
        family=Family.CHARACTERS,
        apply=ocr_confusions,
        meaning="kept",
    ),
)
