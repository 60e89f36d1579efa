"""Which texts of one collection stand in another one, word for word or nearly."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from probes.core.examples import Text

SHINGLE = 5
"""Characters that are compared at once."""
PERMUTATIONS = 128
SLACK = 0.2
"""The index looks for pairs that are less alike by this much, because it misses many that are barely alike enough."""

_NEITHER_LETTER_NOR_DIGIT = re.compile(r"[\W_]+")


class Twin(NamedTuple):
    """The most alike text: its row, and how alike (Jaccard similarity of shingles, 1 for the same text)."""

    row: int
    alike: float


def normalised(text: Text) -> str:
    """The text in lower case without punctuation and with single spaces; a text of other signs only stays as it is."""
    parts = (text,) if isinstance(text, str) else text
    plain = (_NEITHER_LETTER_NOR_DIGIT.sub(" ", part.casefold()).strip() or part.strip() for part in parts)
    return "\n".join(plain)


def shingles(plain: str) -> frozenset[str]:
    """All runs of SHINGLE characters; of a shorter text the text itself."""
    return frozenset(plain[at : at + SHINGLE] for at in range(max(1, len(plain) - SHINGLE + 1)))


def jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    """Shared shingles among all of the two; 1 for two empty texts."""
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared) if first or second else 1.0


def twins(texts: Sequence[Text], known: Sequence[Text], *, threshold: float) -> list[Twin | None]:
    """(n,): for each text the most alike of the m known ones, if the two are alike by `threshold` or more.

    Candidates come from MinHash signatures of shingles (Broder 1997) in a locality-sensitive index; each candidate's
    similarity is then computed exactly. A pair just above the threshold is missed with a small probability, so counts
    of near duplicates are lower bounds.
    """
    plain, known_plain = [normalised(text) for text in texts], [normalised(text) for text in known]
    exact: dict[str, int] = {}
    for row, each in enumerate(known_plain):
        exact.setdefault(each, row)
    cut, known_cut = [shingles(each) for each in plain], [shingles(each) for each in known_plain]
    near = _candidates(cut, known_cut, threshold=threshold)
    return [
        Twin(exact[each], 1.0) if each in exact else _nearest(cut[row], known_cut, candidates, threshold=threshold)
        for row, (each, candidates) in enumerate(zip(plain, near, strict=True))
    ]


def shared_texts(collections: Sequence[Sequence[Text]]) -> list[dict[int, int]]:
    """For each of k collections, how many of its texts stand, once normalised, in each other one, if any do."""
    plain = [[normalised(text) for text in texts] for texts in collections]
    held = [frozenset(texts) for texts in plain]
    return [
        {
            row: count
            for row, others in enumerate(held)
            if row != own and (count := sum(text in others for text in texts))
        }
        for own, texts in enumerate(plain)
    ]


def _nearest(
    own: frozenset[str], known: Sequence[frozenset[str]], candidates: Sequence[int], *, threshold: float
) -> Twin | None:
    found = max((Twin(row, jaccard(own, known[row])) for row in candidates), key=lambda t: t.alike, default=None)
    return found if found is not None and found.alike >= threshold else None


def _candidates(
    texts: Sequence[frozenset[str]], known: Sequence[frozenset[str]], *, threshold: float
) -> Iterator[list[int]]:
    """For each text the rows of known ones that may be alike, ascending."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=threshold - SLACK, num_perm=PERMUTATIONS)
    signatures = MinHash.generator((_bytes(each) for each in known), num_perm=PERMUTATIONS, seed=1)
    for row, signature in enumerate(signatures):
        index.insert(row, signature, check_duplication=False)
    for signature in MinHash.generator((_bytes(each) for each in texts), num_perm=PERMUTATIONS, seed=1):
        yield sorted(index.query(signature))


def _bytes(cut: frozenset[str]) -> list[bytes]:
    return [each.encode("utf-8", "surrogatepass") for each in cut]
