"""Heat strips: a text whose words are shaded by how far each pushed the answer, and the same as a ranked table.

The table is the text alternative of the strip; the strip itself tells direction and strength by its lines too, so that
neither needs colour.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from probes.core.records import Shown, WordWeight
from reports.limits import Limits
from reports.marks import Segment, capped, visible
from reports.numbers import fixed, plural
from reports.tables import columns, number, row, text
from reports.views import Row, Table

STEPS = (0.05, 0.25, 0.5, 0.75)
"""From which share of the largest weight of a case a word is shaded one step darker."""
RANKED = 8
"""Rows of the table."""
_WORD = 40
"""Characters of a word in the table: some texts are one long word."""

Strip = tuple[Segment, ...]


def largest(shown: Sequence[Shown]) -> float:
    """The largest weight of a case, on either of its sides: what the shades of both are relative to."""
    return max((abs(word.weight) for side in shown for word in side.words), default=0.0)


def strips(shown: Shown, *, most: float, limits: Limits) -> tuple[Strip, ...]:
    """Each text of one side with its words shaded; `most` is the weight of the darkest shade."""
    fitting = _fitting(shown)
    return tuple(
        capped(_stretches(each, [word for word in fitting if word.part == part], most), cap=limits.text)
        for part, each in enumerate(shown.texts)
    )


def weights_table(shown: Shown, *, heading: str) -> Table:
    """The words of one side by weight, the heaviest first."""
    words = _fitting(shown)
    ranked = sorted(words, key=lambda word: (-abs(word.weight), word.part, word.start))
    top = max((abs(word.weight) for word in words), default=0.0)
    total = math.fsum(abs(word.weight) / top for word in words) if top else 0.0
    rows = [_row(rank, word, shown, top=top, total=total) for rank, word in enumerate(ranked[:RANKED], start=1)]
    return Table(
        caption=f"{heading}: words by weight",
        columns=columns("Rank", "Word", "Weight", "Direction", "Share of all", numbers=("Weight", "Share of all")),
        rows=tuple(rows),
        note=_note(left=len(ranked) - len(rows), misfits=len(shown.words) - len(words)),
    )


def _fitting(shown: Shown) -> list[WordWeight]:
    """The words in reading order, without those that lie outside of the text or in one another: a run folder may have
    been edited."""
    kept: list[WordWeight] = []
    for word in sorted(shown.words, key=lambda word: (word.part, word.start, word.end)):
        inside = word.part < len(shown.texts) and word.start < word.end <= len(shown.texts[word.part])
        apart = not kept or kept[-1].part != word.part or kept[-1].end <= word.start
        if inside and apart:
            kept.append(word)
    return kept


def _stretches(whole: str, words: Sequence[WordWeight], most: float) -> Iterator[Segment]:
    at = 0
    for word in words:
        tone = _tone(word.weight, most)
        if tone:
            yield Segment("same", whole[at : word.start])
            yield Segment("word", whole[word.start : word.end], tone)
            at = word.end
    yield Segment("same", whole[at:])


def _tone(weight: float, most: float) -> str:
    """The direction, and 1 to 4 for the strength; "" for a word of next to no weight."""
    step = sum(abs(weight) / most >= share for share in STEPS) if most else 0
    return f"{'to' if weight > 0 else 'off'}{step}" if step else ""


def _row(rank: int, word: WordWeight, shown: Shown, *, top: float, total: float) -> Row:
    whole = shown.texts[word.part]
    where = f"text {word.part + 1}" if len(shown.texts) > 1 else ""
    direction = "towards" if word.weight > 0 else "against" if word.weight < 0 else "neither"
    return row(
        text(str(rank)),
        text(visible(whole[word.start : word.end], cap=_WORD), where),
        number(fixed(word.weight, _places(top), sign=True)),
        text(direction),
        number(f"{100 * abs(word.weight) / top / total:.1f}%" if total else "–"),
    )


def _places(top: float) -> int:
    """Decimals that show three digits of the largest weight."""
    return max(0, min(6, 2 - math.floor(math.log10(top)))) if top else 0


def _note(*, left: int, misfits: int) -> str:
    told = (
        f"And {plural(left, 'more word')}, of no more weight." if left else "",
        f"{plural(misfits, 'weight')} left out: no such place in the text." if misfits else "",
    )
    return " ".join(part for part in told if part)
