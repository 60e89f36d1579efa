"""A text under attack: its words, where they stand, and what changes of them give."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from typing import NamedTuple

from probes.core.examples import Text
from probes.core.words import marks


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A word; and one as a group, so that a text is cut into words and what is between them.

    Letters and digits with what binds them (' - * @ _) inside, as TextAttack's `words_from_text` cuts them; but accents
    and vowel signs of their own stay with their letters, and a backtick, which is a letter there because a list of
    lookalikes holds it, is none.
    """
    word = rf"[^\W_]++(?:[_'\-*@{marks()}]++[^\W_]++)*+[{marks()}]*+"
    return re.compile(word), re.compile(f"({word})")


class Edit(NamedTuple):
    """Another text at the place of one word; an empty one takes the word away, with the blank before it."""

    place: int
    text: str


Change = tuple[Edit, ...]
"""Edits of different words that are made together, in the order of their places."""


@dataclass(frozen=True)
class Attacked:
    """A text whose words may be changed, and what the words were before any was.

    Attributes:
        text: the part that is attacked.
        words: (words,) as they are now.
        starts: (words,) where each of them begins in the text.
        origins: (words,) which word of the first text each stands for, ascending; one word may have become several.
        first: the words of the first text.
        edited: which of these are no longer what they were, or gone.
        steps: (what was there, what was put in its place), one after the other.
        pair: of a pair, the text that is left alone, and whether it comes first; else None.
    """

    text: str
    words: tuple[str, ...]
    starts: tuple[int, ...]
    origins: tuple[int, ...]
    first: tuple[str, ...]
    edited: frozenset[int] = frozenset()
    steps: tuple[tuple[str, str], ...] = ()
    pair: tuple[str, bool] | None = None

    @classmethod
    def of(cls, text: Text, *, part: int = 1) -> Attacked:
        """An unchanged text; of a pair, part 0 or 1 is attacked (of a premise and a hypothesis, the latter)."""
        attacked, pair = (text, None) if isinstance(text, str) else (text[part], (text[1 - part], part == 1))
        words, starts = _cut(attacked)
        return cls(text=attacked, words=words, starts=starts, origins=tuple(range(len(words))), first=words, pair=pair)

    def __len__(self) -> int:
        return len(self.words)

    @cached_property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """(words,) where each word stands in the text: [start, end)."""
        return tuple(map(self.span, range(len(self))))

    def span(self, place: int) -> tuple[int, int]:
        """Of one of them."""
        start = self.starts[place]
        return start, start + len(self.words[place])

    def places_of(self, origin: int) -> range:
        """Where a word of the first text stands now: several places where it was broken up, none where it is gone."""
        return range(bisect_left(self.origins, origin), bisect_right(self.origins, origin))

    @property
    def whole(self) -> Text:
        """What the model reads."""
        return self.joined(self.text)

    def joined(self, text: str) -> Text:
        """What the model reads when the attacked part is `text`."""
        if self.pair is None:
            return text
        other, before = self.pair
        return (other, text) if before else (text, other)

    def changed(self, change: Change) -> str:
        """The attacked part after a change."""
        if len(change) == 1 and change[0].text:  # by far the usual case
            place, other = change[0]
            start = self.starts[place]
            return f"{self.text[:start]}{other}{self.text[start + len(self.words[place]) :]}"
        pieces, at = [], 0
        for edit, start, end in self._cuts(change):
            pieces += [self.text[at:start], edit.text]
            at = end
        return "".join(pieces) + self.text[at:]

    def _cuts(self, change: Change) -> Iterator[tuple[Edit, int, int]]:
        """Each edit and what it replaces; a blank between two words that are taken away goes with the first."""
        done = 0
        for edit in change:
            start, end = self._replaced(edit)
            yield edit, max(start, done), end
            done = end

    def _replaced(self, edit: Edit) -> tuple[int, int]:
        """Where an edit puts its text: in place of its word, and of a word that is taken away also one blank beside."""
        start, end = self.span(edit.place)
        if edit.text:
            return start, end
        if start and self.text[start - 1] == " ":
            return start - 1, end
        return start, end + 1 if self.text[end : end + 1] == " " else end

    def after(self, change: Change, *, text: str | None = None) -> Attacked:
        """The text after a change: words of what was put in stand for the word that was there.

        Args:
            text: `changed(change)`, where it is already known.
        """
        words: tuple[str, ...] = ()
        starts: tuple[int, ...] = ()
        origins: tuple[int, ...] = ()
        steps = self.steps
        shift = done = 0
        for edit, first, last in self._cuts(change):
            its_words, its_starts = _cut(edit.text)
            words += self.words[done : edit.place] + its_words
            starts += _moved(self.starts[done : edit.place], shift) + _moved(its_starts, first + shift)
            origins += self.origins[done : edit.place] + (self.origins[edit.place],) * len(its_words)
            steps += ((self.text[first:last], edit.text),)
            shift += len(edit.text) - (last - first)
            done = edit.place + 1
        return Attacked(
            text=self.changed(change) if text is None else text,
            words=words + self.words[done:],
            starts=starts + _moved(self.starts[done:], shift),
            origins=origins + self.origins[done:],
            first=self.first,
            steps=steps,
            edited=self.edited | {self.origins[edit.place] for edit in change},
            pair=self.pair,
        )

    @property
    def count_edited(self) -> int:
        """Words of the first text that are no longer what they were; where one still stands, those put in beside it."""
        put_in = dict.fromkeys(self.edited, 1)
        for origin in self.edited:
            now = [self.words[place] for place in self.places_of(origin)]
            if len(now) > 1 and self.first[origin] in now:
                put_in[origin] = len(now) - 1
        return sum(put_in.values())

    @property
    def share_edited(self) -> float:
        """`count_edited` of as many words as the first text has, 1 at most; 0 for a text without words."""
        return min(1.0, self.count_edited / len(self.first)) if self.first else 0.0

    def untouched(self, places: Sequence[int] | None = None) -> list[int]:
        """The places whose words are still those of the first text."""
        wanted = range(len(self)) if places is None else places
        if not self.edited:
            return list(wanted)
        return [place for place in wanted if self.origins[place] not in self.edited]


class Candidate(NamedTuple):
    """A text that a change would give, with what is known of it.

    Attributes:
        base: the text that is changed.
        change: what is done to it.
        text: the attacked part after it.
        notes: numbers that constraints found out about it ("similarity"), each the higher the closer to the first text.
    """

    base: Attacked
    change: Change
    text: str
    notes: dict[str, float]

    @classmethod
    def of(cls, base: Attacked, change: Change) -> Candidate:
        """The candidate of a change."""
        return cls(base, change, base.changed(change), {})

    @property
    def whole(self) -> Text:
        """What the model reads."""
        return self.base.joined(self.text)

    def settled(self) -> Attacked:
        """The text, to be changed further."""
        return self.base.after(self.change, text=self.text)


def _cut(text: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The words of a text, and where they begin."""
    word, words = _patterns()
    if word.fullmatch(text):  # as most of what is put in
        return (text,), (0,)
    pieces = words.split(text)  # what is no word, a word, what is no word, and so on, and at last no word
    return tuple(pieces[1::2]), tuple(accumulate(map(len, pieces)))[:-1:2]


def _moved(starts: tuple[int, ...], by: int) -> tuple[int, ...]:
    return tuple([start + by for start in starts]) if by else starts
