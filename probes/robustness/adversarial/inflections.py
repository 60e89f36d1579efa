"""Other inflections of a word (Tan et al. 2020): base forms and irregular forms from WordNet, regular ones by rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from probes.robustness.adversarial.parts import Situation
from probes.robustness.adversarial.pure import WordSwap
from probes.robustness.adversarial.sources.wordnet import WordNet, find

_KINDS = ("n", "v", "a")
_HISSING = re.compile(r"(?:s|x|z|ch|sh)$")
_CONSONANT_Y = re.compile(r"[^aeiou]y$")
_SILENT_E = re.compile(r"[^eoy]e$")
_DOUBLED = re.compile(r"[^aeiouqu]?[^aeiou]?[^aeiou]?[aeiou][bdgklmnprt]")
"""One syllable that ends in one vowel and one consonant: stop, stopped."""
_SHORT = re.compile(r"[^aeiou]*[aeiou]+[^aeiou]*e?|[^aeiou]*[aeiou]+[^aeiou]+y")
"""One syllable, or two that end in y: only these take -er and -est."""


@dataclass(frozen=True)
class Inflected(WordSwap):
    """The other forms of a noun, a verb or an adjective, in all of the parts of speech that the word can be."""

    def swaps(self, word: str, situation: Situation) -> Iterator[str]:
        """In small letters, or with a capital where the word has one; words with other signs than letters have none."""
        if word.isalpha() and word.isascii() and (word.islower() or word.istitle()):
            forms = sorted(forms_of(word.lower()))
            yield from (form.capitalize() if word.istitle() else form for form in forms)


@cache
def forms_of(word: str) -> frozenset[str]:
    """All forms of the words that a word in small letters may be a form of, but itself; none for a word unknown."""
    found: set[str] = set()
    for kind in _KINDS:
        base = _wordnet().base(word, kind)
        if base and base.isalpha():
            own = _wordnet().irregular(base, kind)
            found |= _mixed(base, own, kind) if own else {base, *_regular(base, kind)}
    return frozenset(found - {word})


def _mixed(base: str, own: frozenset[str], kind: str) -> set[str]:
    """Irregular forms, and those regular ones in whose place there is no irregular one."""
    if kind == "v":
        progressive = {form for form in own if form.endswith("ing")}
        past = own - progressive
        kept = {_with_s(base), *([] if progressive else [_with(base, "ing")]), *([] if past else [_with(base, "ed")])}
        return {base, *own, *kept}
    return {base, *own}


def _regular(base: str, kind: str) -> set[str]:
    if kind == "n":
        return {_with_s(base)}
    if kind == "v":
        return {_with_s(base), _with(base, "ed"), _with(base, "ing")}
    return {_with(base, "er"), _with(base, "est")} if _SHORT.fullmatch(base) else set()


def _with_s(base: str) -> str:
    if _CONSONANT_Y.search(base):
        return base[:-1] + "ies"
    return base + ("es" if _HISSING.search(base) else "s")


def _with(base: str, ending: str) -> str:
    """With an ending that begins with a vowel."""
    if _CONSONANT_Y.search(base) and not ending.startswith("i"):
        return base[:-1] + "i" + ending
    if base.endswith("ie") and ending.startswith("i"):
        return base[:-2] + "y" + ending
    if _SILENT_E.search(base) or (base.endswith("e") and not ending.startswith("i")):
        return base[:-1] + ending
    return base + (base[-1] if _DOUBLED.fullmatch(base) else "") + ending


def _wordnet() -> WordNet:
    """The recipe needs it, so it is there."""
    found = find()
    if found is None:
        raise LookupError("there is no WordNet")
    return found
