"""What a word of an identity list means where it stands: the group, or something else.

Many of these words have other meanings (black coffee, a blind spot, Christian as a first name). Each kind of term has
its own rule for the words around it; a place that the rules cannot settle gives a reason instead of a use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from probes.text import pronouns
from probes.text.grammar import Words, word_class
from probes.text.identity import TermRow

AMBIGUOUS_PRONOUN = "ambiguous pronoun"
UNCLEAR_USE = "unclear use of a word"
PROPER = "part of a proper name"
_ROLES = frozenset({"kinship", "occupation", "address"})
_SURNAMES = frozenset({"occupation", "clergy"})
_CLOSED = ("preposition", "conjunction", "personal", "auxiliary", "adverb", "verb", "determiner")


@dataclass(frozen=True, slots=True)
class Use:
    """One meaning of a form.

    Attributes:
        row, group: the concept, and who is meant.
        position: which of the interchangeable forms it is.
    """

    row: TermRow
    group: str
    position: int

    @property
    def form(self) -> str:
        """The form as the list writes it."""
        return self.row.forms[self.group][self.position]


def use_of(words: Words, at: int, last: int, uses: tuple[Use, ...]) -> Use | str | None:
    """Which of the possible uses it is; a reason to leave the text alone; or None for an ordinary word."""
    low = words.low[at]
    if at == last and low in word_class("capital_only") and not words.raw[at][0].isupper():
        return None
    kinds = {use.row.kind: use for use in reversed(uses)}
    if any(kind.startswith("pronoun") for kind in kinds):
        return _pronoun(words, at, kinds)
    if "title" in kinds:
        return kinds["title"] if words.raw[at][0].isupper() and _title_before_name(words, last) else None
    if "address" in kinds:
        return PROPER if words.capital(at) and words.capital(last + 1) and words.joined(last + 1) else kinds["address"]
    if _proper(words, at, last, uses[0]):
        role = not _ROLES.isdisjoint(kinds) and words.joined(last + 1) and words.capital(last + 1)
        return PROPER if role or uses[0].form[0].isupper() else None
    return _common(words, at, last, kinds)


def _pronoun(words: Words, at: int, kinds: Mapping[str, Use]) -> Use | str:
    if words.low[at] == "her":
        kind = pronouns.kind_of_her(words, at)
    elif words.low[at] == "his":
        kind = pronouns.kind_of_his(words, at)
    else:
        kind = next(iter(kinds))
    return kinds.get(kind or "", AMBIGUOUS_PRONOUN)


def _title_before_name(words: Words, last: int) -> bool:
    return last + 1 < len(words) and words.gap(last + 1) in (" ", ".", ". ") and words.raw[last + 1][0].isupper()


def _proper(words: Words, at: int, last: int, use: Use) -> bool:
    """Part of a title or name: written with a capital beside another word with a capital."""
    if not words.raw[at][0].isupper() or words.headline or words.raw[at].isupper():
        return False
    after = words.joined(last + 1) and words.capital(last + 1)
    own_capital = use.form[0].isupper()
    if own_capital:
        return (after and words.low[last + 1] != "i") or (
            words.joined(at) and words.capital(at - 1) and not words.opens(at)
        )
    before = (
        words.joined(at)
        and at > 0
        and words.raw[at - 1][0].isupper()
        and words.low[at - 1] not in ("i", "the", "a", "my")
    )
    return (not words.opens(at) and (after or before)) or (words.opens(at) and after)


def _common(words: Words, at: int, last: int, kinds: Mapping[str, Use]) -> Use | str | None:
    if words.before(at) in word_class("impaired_how"):
        return UNCLEAR_USE
    if words.low[at] == "poor" and words.before(at) in word_class("pity"):
        return None
    if "descriptor" in kinds and "adjective" not in kinds:
        return kinds["descriptor"] if _describes_person(words, at, last) else None
    if "collective" in kinds:
        return None if _noun_follows(words, last) or words.gap(last + 1) == "-" else kinds["collective"]
    if "adjective" in kinds:
        return _adjective(words, at, last, kinds)
    if words.before(at) in word_class("interjection") or (words.opens(at) and words.gap(last + 1).startswith(",")):
        return None if at == last else next(iter(kinds.values()))
    use = next(iter(kinds.values()))
    if use.row.kind == "person" and at == last and (_verbal(words, at) or _addressed(words, at)):
        return None
    return None if use.row.kind in _SURNAMES and _bare_capital(words, at) else use


def _addressed(words: Words, at: int) -> bool:
    """ "Man this is good"."""
    return words.opens(at) and words.after(at) in word_class("determiner") | word_class("personal")


def _bare_capital(words: Words, at: int) -> bool:
    """ "Bishop and King star in it": a surname."""
    return words.capital(at) and words.before(at) not in word_class("determiner")


def _verbal(words: Words, at: int) -> bool:
    """ "to man the desk"."""
    return words.before(at) in ("to", "will", "can", "must") and words.after(at) in word_class("determiner")


def _adjective(words: Words, at: int, last: int, kinds: Mapping[str, Use]) -> Use | str | None:
    """An adjective before a noun or after a verb of being; a noun otherwise, where the list has one."""
    before = words.before(at)
    if _noun_follows(words, last) or (words.gap(last + 1) == "-" and last + 1 < len(words)):
        return kinds["adjective"]
    if words.after(last) in ("and", "or") and words.joined(last + 2) and not _closed(words.low[last + 2]):
        return kinds["adjective"]
    if "person" in kinds and _determined(words, at):
        return kinds["person"]
    own_capital = kinds["adjective"].row.forms[kinds["adjective"].group][0][0].isupper()
    if before in word_class("copula") or (
        words.gap(at).strip() in ("'", "’") and words.low[at - 1] in ("m", "re", "s")
    ):
        return kinds["adjective"]
    if not own_capital and before not in word_class("determiner"):
        return kinds["adjective"]
    if "person" in kinds and words.low[at] == "christian":
        return None
    return UNCLEAR_USE


def _determined(words: Words, at: int) -> bool:
    """Does a determiner stand before the word, with at most two words between."""
    for place in (at, at - 1, at - 2):
        if words.before(place) in word_class("determiner"):
            return True
        if not words.before(place) or words.before(place) in word_class("copula"):
            return False
    return False


def _noun_follows(words: Words, last: int) -> bool:
    following = words.after(last)
    if not following or following.endswith("ly") or _closed(following):
        return False
    then = words.after(last + 1)
    return not following.endswith("ed") or (then != "" and not _closed(then))


def _closed(word: str) -> bool:
    return any(word in word_class(name) for name in _CLOSED)


def _describes_person(words: Words, at: int, last: int) -> bool:
    following = words.after(last)
    if following in word_class("person_noun"):
        return True
    if following and _noun_follows(words, last) and words.after(last + 1) in word_class("person_noun"):
        return not following.endswith("s")
    return _said_of_person(words, at) and (not following or following in word_class("conjunction"))


def _said_of_person(words: Words, at: int) -> bool:
    """ "she is blind", "I'm old", "who are poor": a personal pronoun and a form of "be" stand before."""
    if words.before(at) in ("is", "are", "was", "were", "am", "be") and at >= 2:
        return words.before(at - 1) in ("i", "he", "she", "we", "they", "you", "who")
    short = at >= 2 and words.low[at - 1] in ("m", "re", "s") and words.gap(at - 1) in ("'", "’")
    return short and words.joined(at) and words.low[at - 2] in ("i", "he", "she", "we", "they", "you", "who")
