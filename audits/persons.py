"""Is somebody the same person: who granted an exception and who asked for it, who approves and who prepared.

A name proves nothing; that two spellings of one name pass for two people is what can be ruled out.
"""

from __future__ import annotations

import re
import unicodedata

from probes.text.masking import twins

_MAIL = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")


def person(name: str) -> str:
    """A name as it is compared; "" where there is none.

    Case, spaces, punctuation, unseen characters, forms of the same letter and the order of the parts make no other
    person: "Meyer, Rosa" is "rosa MEYER". An address by mail beside the name is left out.
    """
    without = _MAIL.sub(" ", _plain(name))
    return " ".join(sorted(_words(without))) or " ".join(sorted(mails(name)))


def mails(name: str) -> frozenset[str]:
    """The addresses by mail in what was given as a name, as they are compared."""
    return frozenset(found.strip(".").removeprefix("mailto:") for found in _MAIL.findall(_plain(name)))


def same_person(one: str, other: str) -> bool:
    """Do two names or addresses stand for one person; nobody is the same as nobody.

    Letters of other scripts that are drawn like Latin ones make no other person.
    """
    return _same(one, other) or _same(_in_latin(one), _in_latin(other))


def _same(one: str, other: str) -> bool:
    return bool(mails(one) & mails(other)) or person(one) == person(other) != ""


def _in_latin(name: str) -> str:
    """With Latin letters for look-alikes; a capital may be one where its small letter is none, so both are tried."""
    look_alikes = str.maketrans(twins())
    return _plain(name.translate(look_alikes)).translate(look_alikes)


def _plain(name: str) -> str:
    """One form of each letter, without case and without what cannot be seen."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(c for c in folded if unicodedata.category(c) not in ("Cf", "Cc") or c.isspace())


def _words(name: str) -> list[str]:
    """The parts of a name. An apostrophe belongs to its part; other punctuation divides parts."""
    joined = re.sub(r"['’‘ʼ`´]", "", name)
    return "".join(" " if unicodedata.category(c)[0] in "PSZ" else c for c in joined).split()
