"""Texts a model was trained on, and texts like them that it was not, as the user names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from probes.core.examples import Accepted, Example, content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownText:
    """A text, and what the model was given before it.

    Attributes:
        given: the prompt, the source, or the first part of a pair; empty for plain texts.
        text: what was to be written.
        cluster: texts with equal keys are not independent.
    """

    given: str = ""
    text: str
    cluster: str

    @classmethod
    def of(cls, example: Example) -> KnownText:
        """An item of a data set: a text, a pair, or a prompt with the first of its right answers."""
        if isinstance(example.text, tuple):
            return cls(given=example.text[0], text=example.text[1], cluster=example.cluster)
        if isinstance(example.gold, Accepted) and example.gold:
            return cls(given=example.text, text=example.gold[0], cluster=example.cluster)
        return cls(text=example.text, cluster=example.cluster)

    @property
    def id(self) -> str:
        """Content hash."""
        return content_hash([self.given, self.text])

    @property
    def form(self) -> str:
        """The same of its words, whatever their case: texts that differ in nothing else are copies."""
        return content_hash([" ".join(part.casefold().split()) for part in (self.given, self.text)])


@dataclass(frozen=True, slots=True)
class KnownTexts:
    """Two samples of texts, each once and in the order of their ids: the order of the rows changes nothing.

    Attributes:
        training: the model is said to have seen them.
        holdout: it has not, and they are of the same kind.
        repeated: rows that are copies of another one of the same sample.
        shared: held-out rows that stand among the training texts; they are not in `holdout`.
    """

    training: tuple[KnownText, ...] = ()
    holdout: tuple[KnownText, ...] = ()
    repeated: int = 0
    shared: int = 0

    @classmethod
    def of(cls, training: Sequence[Example], holdout: Sequence[Example] = ()) -> KnownTexts:
        """Remove copies, and count them."""
        seen, apart = (_by_form(map(KnownText.of, side)) for side in (training, holdout))
        kept = [text for form, text in apart.items() if form not in seen]
        return cls(
            training=tuple(seen.values()),
            holdout=tuple(kept),
            repeated=len(training) + len(holdout) - len(seen) - len(apart),
            shared=len(apart) - len(kept),
        )

    @property
    def told(self) -> str:
        """What became of copies, in a sentence; empty where there were none."""
        parts = [
            f"{self.repeated:,} repeated texts count once" if self.repeated else "",
            f"{self.shared:,} held-out texts are left out because they stand among the training texts"
            if self.shared
            else "",
        ]
        return "; ".join(part for part in parts if part)


def _by_form(texts: Iterable[KnownText]) -> dict[str, KnownText]:
    """One text of each form, in the order of their ids."""
    found: dict[str, KnownText] = {}
    for text in sorted(texts, key=lambda text: text.id):
        found.setdefault(text.form, text)
    return found
