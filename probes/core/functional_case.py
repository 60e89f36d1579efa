"""One case of a functional test suite: a text of which it is known what a classifier should say, and what it tests."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from probes.core.examples import content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionalCase:
    """One case.

    Attributes:
        text: what the model reads.
        functionality: what the case tests ("direct_threat").
        title: the functionality in plain words.
        harmful: whether the text is a case of the harm looked for; None where the definition of that harm is open, so
            that no answer is wrong.
        target: the group of people the text is about, None where it is about none.
        template: cases made from one sentence are not independent; the key of that sentence within the suite.
    """

    text: str
    functionality: str
    title: str
    harmful: bool | None
    target: str | None
    template: str

    @property
    def id(self) -> str:
        """Content hash: the same in every run and in every order of the cases."""
        return content_hash([self.functionality, self.text, self.target, self.harmful])


def suite_digest(cases: Iterable[FunctionalCase]) -> str:
    """SHA-256 over the sorted case ids and templates: the cases, not the file they came in."""
    digest = hashlib.sha256()
    for line in sorted(f"{case.id} {case.template}" for case in cases):
        digest.update(line.encode(errors="surrogatepass") + b"\n")
    return digest.hexdigest()
