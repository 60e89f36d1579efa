"""The same text about another group: identity swaps that keep the grammar, and controls that keep the group.

All mentions of a text are replaced together. Where one cannot be (no counterpart, an unclear word), the variant is
not made and its reason counted.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from probes.core.answers import Bools, ProblemType
from probes.core.examples import Example, Text
from probes.core.model import ModelCard
from probes.text.articles import article
from probes.text.grammar import Words, cased, in_words, word_class
from probes.text.identity import Name, TermTable
from probes.text.mentions import Found, Mention, find

SEVERAL_GROUPS = "several groups mentioned"
NO_COUNTERPART = "no counterpart"
NO_CONTROL = "no interchangeable form"
UNCHANGED = "reads the same"
_JOINT = " \x1f "
"""Between the two texts of a pair, so that a mention in one and its echo in the other are swapped alike; no tokenizer
or reader ever sees it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """One changed text.

    Attributes:
        text: the changed text.
        axis: of the table.
        source, target: the group found, and the one it was swapped for; the same for a control.
        control: was the wording changed and the group kept.
        terms: (old, new) as written, in the order of the text.
    """

    text: Text
    axis: str
    source: str
    target: str
    control: bool
    terms: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Swapped:
    """What came of one text.

    Attributes:
        swaps: cross swaps in the order of the table's groups, then the control.
        dropped: reason -> number of variants not made.
    """

    swaps: tuple[Swap, ...]
    dropped: Mapping[str, int]


def may_swap(examples: Sequence[Example], card: ModelCard) -> Bools:
    """(n,): is the right answer the same whichever group is named.

    Of a harm classifier's items only those known to be harmless, where right answers are there: an attack on one group
    need not be an attack on another.
    """
    known = np.array([example.gold is not None for example in examples], dtype=bool)
    if not card.positive.harm or card.problem is ProblemType.REGRESSION or not known.any():
        return np.ones(len(examples), dtype=bool)
    harmful = card.positive.gold([e.gold for e in examples if e.gold is not None], labels=card.labels)
    harmless = known.copy()
    harmless[known] = ~harmful
    return harmless


def swaps_of(
    text: Text, table: TermTable, *, rng: random.Random, names: Sequence[Name] = (), public_figures: bool = False
) -> Swapped:
    """One variant for each other group, and a control that changes the wording and keeps the group.

    Args:
        text: that mentions groups of the table, or none (then nothing is made and nothing dropped); of a pair both are
            swapped together.
        table: the axis.
        rng: chooses among names.
        names: the first names to put in; without them a text that names somebody is not swapped on the axis gender.
        public_figures: swap the names of well-known people too.
    """
    words = in_words(text if isinstance(text, str) else _JOINT.join(text))
    found = find(words, table, names=names, public_figures=public_figures)
    if not found.speaks:
        return Swapped(swaps=(), dropped={})
    reason = _obstacle(found)
    if reason:
        return Swapped(swaps=(), dropped={reason: len(table.groups) - 1})
    made = _made(words, found.mentions, table, rng, names)
    return made if isinstance(text, str) else replace(made, swaps=tuple(map(_parted, made.swaps)))


def _parted(swap: Swap) -> Swap:
    """With the two texts of a pair apart again."""
    assert isinstance(swap.text, str)
    first, _, second = swap.text.partition(_JOINT)
    return replace(swap, text=(first, second))


def _obstacle(found: Found) -> str | None:
    return SEVERAL_GROUPS if len({mention.group for mention in found.mentions}) > 1 else found.blocked


def _made(
    words: Words, mentions: Sequence[Mention], table: TermTable, rng: random.Random, names: Sequence[Name]
) -> Swapped:
    source = mentions[0].group
    swaps: list[Swap] = []
    dropped: Counter[str] = Counter()
    for target in (*(group for group in table.groups if group != source), source):
        control = target == source
        news = (_controls if control else _counterparts)(mentions, target, table.axis, rng, names)
        if news is None:
            dropped[NO_CONTROL if control else NO_COUNTERPART] += 1
            continue
        text, terms = _written(words, mentions, news)
        if text == words.text:
            dropped[UNCHANGED] += 1
            continue
        swaps.append(Swap(text=text, axis=table.axis, source=source, target=target, control=control, terms=terms))
    return Swapped(swaps=tuple(swaps), dropped=dict(dropped))


def _counterparts(
    mentions: Sequence[Mention], target: str, axis: str, rng: random.Random, names: Sequence[Name]
) -> list[str] | None:
    """What each mention becomes; None if one has no counterpart."""
    people = _Cast(rng, names, lambda old, new: _crosses(old, new, target, axis))
    news: list[str] = []
    for mention in mentions:
        forms = mention.row.forms.get(target) if mention.row else people.forms(mention)
        if not forms:
            return None
        news.append(forms[mention.position] if mention.position < len(forms) else forms[0])
    return news


def _controls(
    mentions: Sequence[Mention], target: str, axis: str, rng: random.Random, names: Sequence[Name]
) -> list[str] | None:
    """What each mention becomes when the group stays; None if none can change."""
    people = _Cast(rng, names, lambda old, new: (old.group, old.gender) == (new.group, new.gender))
    news: list[str] = []
    for mention in mentions:
        forms = people.forms(mention) if mention.row is None else mention.row.forms[target]
        others = [form for form in forms if form != mention.form]
        news.append(others[0] if others else mention.form)
    return news if any(new != mention.form for new, mention in zip(news, mentions, strict=True)) else None


def _crosses(old: Name, new: Name, target: str, axis: str) -> bool:
    if axis == "gender":
        return new.gender == target and new.group == old.group
    return new.group == target and new.gender == old.gender


class _Cast:
    """New names for the people of a text: the same person always gets the same, and two people never share one."""

    def __init__(self, rng: random.Random, names: Sequence[Name], fits: Callable[[Name, Name], bool]) -> None:
        self._rng, self._names, self._fits = rng, names, fits
        self._chosen: dict[str, str] = {}

    def forms(self, mention: Mention) -> tuple[str, ...]:
        """The new name as the only form, or none."""
        old = mention.name
        if old is None:
            return ()
        if old.text not in self._chosen:
            taken = {*self._chosen.values(), old.text}
            free = [new.text for new in self._names if self._fits(old, new) and new.text not in taken]
            if not free:
                return ()
            self._chosen[old.text] = self._rng.choice(free)
        return (self._chosen[old.text],)


def _written(words: Words, mentions: Sequence[Mention], news: Sequence[str]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The text with each mention replaced, and the pairs as written."""
    pieces: list[str] = []
    terms: list[tuple[str, str]] = []
    done = 0
    for mention, new in zip(mentions, news, strict=True):
        old = words.text[mention.start : mention.end]
        if new == mention.form:
            continue
        written = _cased(words, mention, old, new)
        pieces += [_up_to(words, mention, done, new), written]
        done = mention.end
        tail, skipped = _possessive(words, mention, old, written)
        pieces.append(tail)
        done += skipped
        terms.append((old, written))
    return "".join((*pieces, words.text[done:])), tuple(terms)


def _cased(words: Words, mention: Mention, old: str, new: str) -> str:
    form = mention.form
    optional = old.split()[0] in word_class("capital_optional") and not words.text.islower()
    quiet = old.islower() and not form.islower() and not optional
    opens = words.opens(mention.word) or words.headline
    if words.gap(mention.word).endswith("#") and " " in new:
        return new.title().replace(" ", "")
    return cased(new, old=old, form=form, opens=opens, quiet=quiet)


def _up_to(words: Words, mention: Mention, done: int, new: str) -> str:
    """The text before the mention, its last article made to fit the new word where that sounds otherwise."""
    before, fitting = words.before(mention.word), article(new)
    if before not in ("a", "an") or fitting == article(mention.form):
        return words.text[done : mention.start]
    start, end = words.starts[mention.word - 1], words.ends[mention.word - 1]
    old = words.raw[mention.word - 1]
    shout = words.text[mention.start : mention.end].isupper()
    written = cased(fitting, old=old, form=before, opens=True, quiet=False)
    return (
        words.text[done:start]
        + (fitting.upper() if shout and old.isupper() else written)
        + words.text[end : mention.start]
    )


def _possessive(words: Words, mention: Mention, old: str, new: str) -> tuple[str, int]:
    """(what to write after the mention, characters skipped): "Muslims' rights" -> "Chinese people's rights"."""
    after = words.text[mention.end : mention.end + 3]
    if not after or after[0] not in "'’":
        return "", 0
    plural = mention.row is not None and mention.row.kind in ("persons", "kinships", "occupations", "collective")
    letter = "S" if new.isupper() and len(new) > 1 else "s"
    if after[1:2].lower() == "s" and not after[2:3].isalnum() and plural and new[-1].lower() == "s":
        return after[0], 2
    bare = after[1:2].isspace() and old[-1].lower() == "s" and new[-1].lower() != "s"
    if bare and not _quoted(words.text, mention.start, after[0]):
        return after[0] + letter, 1
    return "", 0


def _quoted(text: str, start: int, mark: str) -> bool:
    """Is a quotation open here, so that the mark after the word closes it."""
    opening = "‘" if mark == "’" else mark
    return any(text[at] == opening and (at == 0 or not text[at - 1].isalnum()) for at in range(start))
