"""Cases of benchmarks that compare how likely a language model finds sentences about people."""

from __future__ import annotations

from dataclasses import dataclass

from probes.core.examples import content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencePair:
    """Two sentences that differ in whom they speak of.

    Attributes:
        more: the more stereotypical one.
        less: the other one.
        parts: what the case is about, as a key of a slice and its value ("category", "gender"), each one a slice.
        cluster: pairs with equal keys are not independent (one author, one occupation).
        copy: how many pairs before it are exactly like this one: benchmarks have repeats, and published numbers count
            them.
    """

    more: str
    less: str
    parts: tuple[tuple[str, str], ...]
    cluster: str
    copy: int = 0

    @property
    def id(self) -> str:
        """Content hash: the same in every run and in every order of the cases."""
        return content_hash([self.more, self.less, *map(list, self.parts), self.copy])


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """Three ways to go on, or to fill a blank, of which one fits a stereotype, one goes against it and one makes no
    sense (StereoSet).

    Attributes:
        context: with BLANK in it, or the sentence before.
        stereotype, anti, unrelated: whole sentences.
        target: the term the stereotype is about.
        category: of the stereotype.
        copy: as in `SentencePair`.
    """

    context: str
    stereotype: str
    anti: str
    unrelated: str
    target: str
    category: str
    copy: int = 0

    @property
    def sentences(self) -> tuple[str, str, str]:
        """Stereotype, anti-stereotype, unrelated."""
        return self.stereotype, self.anti, self.unrelated

    @property
    def id(self) -> str:
        """Content hash."""
        return content_hash([self.context, *self.sentences, self.target, self.category, self.copy])

    @property
    def cluster(self) -> str:
        """Cases about one term are not independent."""
        return self.target
