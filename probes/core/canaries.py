"""Secrets that were put into training data on purpose, and others that might have stood in their place."""

from __future__ import annotations

import math
import random
import string
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from probes.core.examples import content_hash

ALPHABETS = (string.digits, string.ascii_lowercase, string.ascii_uppercase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """A text with a secret in it.

    Attributes:
        line: where it stands in its file; the only name it has, because any other would tell of the secret.
        before, after: the text around the secret.
        secret: what was in the training data.
        others: what might as well have been; empty: any letters for its letters, any digits for its digits.
    """

    line: int
    before: str
    secret: str
    after: str
    others: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Content hash of all but the secret: from that of a short secret, it could be found by trying."""
        return content_hash([self.line, self.before, self.after])

    @property
    def name(self) -> str:
        """For people."""
        return f"line {self.line}"

    def told(self, secret: str) -> str:
        """The text with a secret in its place."""
        return f"{self.before}{secret}{self.after}"

    @property
    def possible(self) -> int:
        """How many secrets there might have been, this one included."""
        return 1 + len(self.others) if self.others else math.prod(len(_alphabet(sign)) for sign in self.secret)

    def candidates(self, most: int, draw: random.Random) -> tuple[str, ...]:
        """Other secrets, all different: all there are, where they are no more than `most`, otherwise drawn."""
        if self.others:
            return self.others if len(self.others) <= most else tuple(draw.sample(self.others, most))
        if self.possible - 1 <= most:
            return tuple(each for each in map("".join, product(*map(_alphabet, self.secret))) if each != self.secret)
        return tuple(self._drawn(most, draw))

    def _drawn(self, most: int, draw: random.Random) -> Iterator[str]:
        seen = {self.secret}
        while len(seen) <= most:
            drawn = "".join(draw.choice(_alphabet(sign)) for sign in self.secret)
            if drawn not in seen:
                seen.add(drawn)
                yield drawn


def _alphabet(sign: str) -> str:
    """What may stand in place of a sign; nothing but itself unless it is a plain letter or digit."""
    return next((signs for signs in ALPHABETS if sign in signs), sign)
