"""Which "her" and which "his": decided by the words around it, or left undecided.

"her" is "his" before a noun and "him" elsewhere; "his" is "her" before a noun and "hers" elsewhere. A wrong guess makes
a text that nobody would write, so what the neighbours do not settle is left undecided, and the caller drops the text.
"""

from __future__ import annotations

from probes.text.grammar import Words, word_class

OBJECT, POSSESSIVE, ALONE = "pronoun_object", "pronoun_possessive", "pronoun_possessive_alone"
_SUBJECTS = ("i", "you", "he", "she", "it", "we", "they", "her", "his", "the", "because")
_QUOTES = "\"'“‘*_ "
_UNCLEAR_GAPS = ("…", "..", "/", "-", "–", "—", "(", "[", "*", "&", "#")


def kind_of_her(words: Words, at: int) -> str | None:
    """Object or possessive; None where it cannot be told."""
    if at + 1 >= len(words):
        return OBJECT
    gap = words.gap(at + 1)
    if gap.strip():
        return (
            None
            if words.before(at) in word_class("complex_verb") and any(sign in gap for sign in _QUOTES[:4])
            else _across(gap)
        )
    following, verb = words.low[at + 1], words.before(at)
    if _hyphenated(words, at + 1):
        return POSSESSIVE if following not in word_class("object_next") or following in ("in", "then", "off") else None
    if following in word_class("owned"):
        return _owned(words, at)
    if following in word_class("unclear_next"):
        return _unclear(words, at)
    if following in word_class("premodifier") and _opens_phrase(words, at + 2):
        return None
    if following in word_class("object_next") or words.raw[at + 1].startswith(("http", "@")):
        return OBJECT
    if verb in word_class("complex_verb"):
        return _complement(words, at)
    return _content(words, at)


def kind_of_his(words: Words, at: int) -> str | None:
    """Possessive before a noun, or alone; None where it cannot be told."""
    if at + 1 >= len(words):
        return ALONE
    gap = words.gap(at + 1)
    if gap.strip():
        sure = not any(sign in gap for sign in _UNCLEAR_GAPS)
        if sure and gap.lstrip()[0] in ".,;:!?)":
            return ALONE
        return POSSESSIVE if sure and not gap.strip(_QUOTES) else None
    following = words.low[at + 1]
    if _hyphenated(words, at + 1) or following not in word_class("object_next") | word_class("auxiliary"):
        return POSSESSIVE
    if following in word_class("unclear_alone"):
        return POSSESSIVE if following in ("then", "ever", "often", "once", "now") else None
    return ALONE if words.before(at) in ("of", "is", "was", "are", "were", "be", "than") else None


def _across(gap: str) -> str | None:
    """Punctuation follows."""
    if any(sign in gap for sign in _UNCLEAR_GAPS):
        return None
    if not gap.strip(_QUOTES):
        return POSSESSIVE if gap[0].isspace() else OBJECT
    return OBJECT if gap.lstrip()[0] in ".,;:!?)\"”’'" and any(sign in ".,;:!?)" for sign in gap) else None


def _hyphenated(words: Words, at: int) -> bool:
    return at + 1 < len(words) and words.gap(at + 1) in ("-", "‑")


def _opens_phrase(words: Words, at: int) -> bool:
    """Does word `at` go on with a phrase, being no function word: "her later films"."""
    return words.joined(at) and words.low[at] not in word_class("object_next") | word_class("auxiliary")


def _owned(words: Words, at: int) -> str | None:
    """What people have is theirs, except where it may be what was given, made or done ("gave her work")."""
    giving = words.before(at) in word_class("complex_verb")
    doubtful = words.low[at + 1] in word_class("bare_verb") | word_class("gift")
    return None if giving and doubtful else POSSESSIVE


def _unclear(words: Words, at: int) -> str | None:
    """ "back", "well", "past": settled by a noun right after, or by the end of the clause for some."""
    following, then = words.low[at + 1], words.after(at + 1)
    if following in ("more", "most", "very") and then == "own":
        return POSSESSIVE
    if following == "like" and then in word_class("determiner"):
        return OBJECT
    if following in ("so", "that", "just", "even") and then in ("much", "to", *_SUBJECTS):
        return OBJECT
    if following in ("money", "love", "hope", "time", "past") and words.before(at) not in word_class("complex_verb"):
        return POSSESSIVE if words.before(at) else None
    return None


def _complement(words: Words, at: int) -> str | None:
    """After a verb that may take two objects or a clause ("let her go", "call her names")."""
    following, then = words.low[at + 1], words.after(at + 1)
    if following in word_class("bare_verb") and words.before(at) not in ("have", "had", "having"):
        return OBJECT
    if following.endswith("ing") and following not in word_class("ing_noun"):
        return OBJECT if words.before(at) in word_class("perception_verb") else None
    if following in word_class("possessive_next") and then in word_class("owned"):
        return POSSESSIVE
    return None


def _content(words: Words, at: int) -> str | None:
    following, then = words.low[at + 1], words.after(at + 1)
    if following in word_class("possessive_next") or following in word_class("ing_noun"):
        return POSSESSIVE
    if following.endswith("ly") and following not in ("family", "belly", "bully", "ally", "only", "early", "daily"):
        return OBJECT if not then or then in word_class("object_next") else None
    if following.endswith(("ing", "ed")) or following in word_class("verb") or following in word_class("bare_verb"):
        return None
    if following.isdigit():
        return None
    return POSSESSIVE if following.isalpha() else None
