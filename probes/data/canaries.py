"""Canaries as the user writes them down: `load_canaries`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from probes.core.canaries import Canary
from probes.core.errors import DataError, UsageError
from probes.data.decoding import read_text

_MARKED = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_DIGITS = re.compile(r"[0-9](?:[0-9 .,/:-]*[0-9])?")
ROUNDS = 200_000
"""Of the digest, so that a short secret is dear to find by trying."""
LEAST = 64
"""Secrets there must have been to choose from: with fewer, little can be said of one."""


@dataclass(frozen=True, slots=True)
class Canaries:
    """The canaries of a file, in its order, and a digest of all of them."""

    cases: tuple[Canary, ...]
    digest: str


def load_canaries(path: Path) -> Canaries:
    """Read a text file with a canary in each line that is neither empty nor begins with `#`.

    The secret stands in double braces: "My code is {{7391}}". Others that might have stood there may follow it, with
    bars between: "She lives in {{Ghent|Lyon|...}}"; without them, letters and digits are drawn for its letters and
    digits. In a line without braces the longest run of digits is the secret.

    Raises:
        UsageError: for a file that does not exist.
        DataError: for a file that cannot be read or holds no canary, or for a line in which the secret cannot be told
            or leaves too little to guess. No message quotes a line.
    """
    if not path.is_file():
        raise UsageError(f"no such file: {str(path)!r}", hint="--canaries takes a text file with a canary in each line")
    wanted = [(number, line.strip()) for number, line in enumerate(read_text(path).splitlines(), start=1)]
    cases = tuple(_canary(number, line, where=path.name) for number, line in wanted if line and line[0] != "#")
    if not cases:
        raise DataError(f"{path} holds no canary", hint="write one in each line, the secret in {{double braces}}")
    return Canaries(cases=cases, digest=_digest(cases))


def _canary(number: int, line: str, *, where: str) -> Canary:
    marked = list(_MARKED.finditer(line))
    if len(marked) > 1:
        raise DataError(f"{where}, line {number}: more than one secret", hint="mark one in each line")
    place = marked[0] if marked else max(_DIGITS.finditer(line), key=lambda run: len(run[0]), default=None)
    if place is None:
        raise DataError(f"{where}, line {number}: no secret is marked", hint="put it into {{double braces}}")
    secret, *others = [part.strip() for part in (place[1] if marked else place[0]).split("|")]
    canary = Canary(
        line=number,
        before=line[: place.start()],
        secret=secret,
        after=line[place.end() :],
        others=tuple(dict.fromkeys(other for other in others if other and other != secret)),
    )
    _refuse_what_says_nothing(canary, where=where)
    return canary


def _refuse_what_says_nothing(canary: Canary, *, where: str) -> None:
    place = f"{where}, line {canary.line}"
    if not canary.secret:
        raise DataError(f"{place}: the secret is empty", hint="write it into the double braces")
    if not canary.others and canary.secret.replace(" ", "").isalpha():
        # Any model expects a word more than random letters, whether it has seen it there or not.
        raise DataError(
            f"{place}: a secret of letters alone cannot be compared with random letters",
            hint="name others that might have stood there: {{secret|other|another}}",
        )
    if canary.possible < LEAST:
        raise DataError(
            f"{place}: only {canary.possible} secrets were possible; it takes {LEAST}",
            hint="use a longer secret, or name more others",
        )


def _digest(cases: Sequence[Canary]) -> str:
    """16 hex digits that change with any canary."""
    parts = [
        f"{case.line}\x1f{case.before}\x1f{case.secret}\x1f{case.after}\x1f{'|'.join(case.others)}" for case in cases
    ]
    secret = "\x1e".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.pbkdf2_hmac("sha256", secret, b"canaries", ROUNDS).hex()[:16]
