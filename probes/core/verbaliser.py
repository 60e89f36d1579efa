"""A language model as a classifier: the prompt a text is put into, and the words that stand for the labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from pydantic import BaseModel, ConfigDict, model_validator
from scipy.special import logsumexp

from probes.core.answers import Floats, Ints, ProblemType
from probes.core.examples import Text

FIRST, SECOND = ("text", "premise"), ("text_pair", "hypothesis")
"""Names of the places for a text, or the two of a pair."""
OPTIONS = "labels"
"""Name of the place for the words of all labels."""
DEFAULT_PROMPT = "{text}\n\nWhich of these is it: {labels}?\nAnswer:"
DEFAULT_PAIR_PROMPT = "{text}\n{text_pair}\n\nWhich of these is it: {labels}?\nAnswer:"
CONTENT_FREE = ("N/A", "[MASK]", "")
"""Texts without content, of which what the prompt alone suggests is told (Zhao et al. 2021)."""

_PLACE = re.compile(r"\{(\w+)\}")


class LabelScore(StrEnum):
    """What the logit of a label is made of."""

    TOTAL = "total"
    """The log-probability of its words, given the prompt: softmax gives the probabilities of the labels, if one of them
    is what is written."""
    MEAN = "mean"
    """The same by token: words of many tokens are not put at a disadvantage, but these are no probabilities."""
    CALIBRATED = "calibrated"
    """The total, without what the prompt alone makes of it (contextual calibration; Zhao et al. 2021)."""


_SAID = {
    LabelScore.TOTAL: "log-probability",
    LabelScore.MEAN: "log-probability by token",
    LabelScore.CALIBRATED: "log-probability, beyond what the prompt alone gives,",
}


class Verbaliser(BaseModel):
    """How a language model is asked for a label; part of the card of the model and of the key of every answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    head: ProblemType
    """Of the network that is asked."""
    labels: tuple[str, ...]
    words: tuple[str, ...]
    """What is written for each label."""
    prompt: str
    score: LabelScore = LabelScore.TOTAL

    @classmethod
    def of(
        cls,
        given: Sequence[str],
        *,
        head: ProblemType,
        prompt: str | None = None,
        pairs: bool = False,
        score: LabelScore = LabelScore.TOTAL,
    ) -> Verbaliser:
        """From labels, or `label=words` where what is written is not the label itself.

        Args:
            prompt: by default one that lists the words.
            pairs: the default is to be about pairs.

        Raises:
            ValueError: for fewer than two labels, two of one name or of the same words, or a prompt without a place for
                the text or with one of an unknown name.
        """
        parts = [each.partition("=") for each in given]
        labels = tuple(label.strip() for label, _, _ in parts)
        words = tuple((words if equals else label).strip() for label, equals, words in parts)
        usual = DEFAULT_PAIR_PROMPT if pairs else DEFAULT_PROMPT
        return cls(head=head, labels=labels, words=words, prompt=usual if prompt is None else prompt, score=score)

    @model_validator(mode="after")
    def _complete(self) -> Verbaliser:
        if len(self.labels) < 2 or len(self.labels) != len(self.words):
            raise ValueError("a classifier needs two labels or more")
        if not all((*self.labels, *self.words)):
            raise ValueError("a label is empty")
        for what, names in (("labels", self.labels), ("words", self.words)):
            if len(set(names)) < len(names):
                raise ValueError(f"two {what} are the same: {', '.join(names)}")
        places = set(_PLACE.findall(self.prompt))
        if unknown := sorted(places - {*FIRST, *SECOND, OPTIONS}):
            raise ValueError(f"the prompt has a place called {{{unknown[0]}}}")
        if not places & {*FIRST}:
            raise ValueError("the prompt has no place for the text: {text}")
        return self

    @property
    def pairs(self) -> bool:
        """Does the prompt have a place for a second text."""
        return any(name in SECOND for name in _PLACE.findall(self.prompt))

    @property
    def told(self) -> str:
        """How it is asked, in one line."""
        pairs = zip(self.labels, self.words, strict=True)
        words = ", ".join(label if label == word else f"{label} = {word}" for label, word in pairs)
        return f"{_SAID[self.score]} of {words} after {self.prompt!r}"

    def filled(self, text: Text) -> str:
        """The prompt about a text. Only its places are filled: what stands in the texts is never read as one.

        A single text leaves the place of a second one blank; of a pair without such a place both go into the first.
        """
        first, second = (text, "") if isinstance(text, str) else text
        if not self.pairs and second:
            first = f"{first}\n{second}"
        values = {**dict.fromkeys(FIRST, first), **dict.fromkeys(SECOND, second), OPTIONS: ", ".join(self.words)}
        return _PLACE.sub(lambda place: values[place[1]], self.prompt)

    def content_free(self) -> list[str]:
        """The prompt about CONTENT_FREE."""
        return [self.filled((each, each) if self.pairs else each) for each in CONTENT_FREE]

    def logits(self, totals: Floats, tokens: Ints, *, neutral: Floats | None = None) -> Floats:
        """(n, labels) from (n, labels) log-probabilities of the words and (n, labels) counts of their tokens.

        Args:
            neutral: (CONTENT_FREE, labels) log-probabilities, for CALIBRATED.
        """
        if self.score is LabelScore.MEAN:
            return np.asarray(totals / tokens, dtype=np.float64)
        if neutral is None:
            return totals
        # The mean of the probabilities of the labels, not of their logarithms, is divided by.
        shares = neutral - logsumexp(neutral, axis=1, keepdims=True)
        return np.asarray(totals - logsumexp(shares, axis=0) + np.log(len(neutral)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Joint:
    """A prompt and what may follow it, as one text.

    Attributes:
        text: both.
        span: characters [start, end) of what follows, a blank before it included.
    """

    text: str
    span: tuple[int, int]

    @classmethod
    def of(cls, prompt: str, words: str, *, blank: bool) -> Joint:
        """With a blank between the two, unless the prompt ends a line, or `blank` is False (the reply to a message).

        The blank belongs to the words, as in a tokenizer's vocabulary; so one at the end of the prompt goes over to
        them.
        """
        given = prompt.rstrip(" ") if blank else prompt
        between = " " if blank and given and not given[-1].isspace() else ""
        whole = f"{given}{between}{words}"
        return cls(whole, (len(given), len(whole)))
