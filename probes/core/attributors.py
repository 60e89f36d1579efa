"""Models that say what pushed an answer, as a probe sees them: words, and what other words in their place would do."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from probes.core.answers import Bools, Floats
from probes.core.attributions import Attribution, Baseline, Jitter, Method, SpanTarget
from probes.core.examples import Text
from probes.core.likelihoods import Likelihoods
from probes.core.model import Classifier, Generator, Model
from probes.core.words import Span


class Attributor(Classifier, Protocol):
    """A classifier that says which words of a text pushed its answer where."""

    def attribute(
        self,
        texts: Sequence[Text],
        targets: Sequence[str],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
        jitter: Jitter | None = None,
    ) -> list[Attribution]:
        """Explain n logits, one of each text, in n attributions in the same order; repeats cost nothing extra.

        Args:
            targets: (n,) names of labels; of a regression, its only label.
            baseline: None for the usual one of this model, which each attribution names.
            jitter: gradient methods only.

        Raises:
            ModelError: for a method in `card.unattributable`.
        """
        ...

    def randomised(self, share: float, *, seed: int) -> AbstractContextManager[Attributor]:
        """The same model with random weights in its head and the uppermost `share` (0 to 1) of its layers.

        At 1 the embeddings are random too. The weights are the model's own again when the context ends; until then the
        model itself must not be asked.
        """
        ...


class SpanAttributor(Model, Protocol):
    """A tagger or a reader that says which words of a text pushed it to what it said of a part of it."""

    def attribute_spans(
        self,
        texts: Sequence[Text],
        targets: Sequence[SpanTarget],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
    ) -> list[Attribution]:
        """Explain n sums of logits, one of each text, in n attributions in the same order.

        Of a tagger those of the labels of the words of a span; of a reader those of the start and the end of an answer,
        in the window with most text around it.

        Raises:
            ModelError: for a method in `card.unattributable`.
            ValueError: for a span that the model does not read.
        """
        ...


class GeneratorAttributor(Generator, Protocol):
    """A generator that says which words of a prompt pushed it to write what it wrote."""

    def attribute_written(
        self,
        prompts: Sequence[str],
        written: Sequence[str],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
        reply: bool = True,
    ) -> list[Attribution]:
        """Explain the log-probabilities of n texts, each given its prompt, in n attributions in the same order.

        Args:
            written: (n,) texts that are not blank: what the model wrote, or anything else it might have.
            baseline: None for the usual one of this model, which each attribution names.
            reply: as in `Decoding`.

        Raises:
            ModelError: for a method in `card.unattributable`.
        """
        ...

    def score_written(self, prompts: Sequence[str], written: Sequence[str], *, reply: bool = True) -> Likelihoods:
        """The log-probabilities of the tokens of n texts that are not blank, each given its prompt."""
        ...


class Substituter(Classifier, Protocol):
    """A classifier that estimates from gradients what other words would do to an answer, without being asked them.

    What is estimated is by how much the lead of a label over the others shrinks (of several labels at once, and of a
    regression, the logit itself), each change by itself.
    """

    def gains(
        self, texts: Sequence[Text], targets: Sequence[str], swaps: Sequence[Sequence[tuple[Span, str]]]
    ) -> list[Floats]:
        """Of each of n texts (m,) estimates for m places with another text put there."""
        ...

    def flips(
        self,
        texts: Sequence[Text],
        targets: Sequence[str],
        places: Sequence[Sequence[Span]],
        *,
        count: int,
        sign: float,
    ) -> list[list[list[tuple[str, float]]]]:
        """Of each place of each of n texts the `count` words with the highest estimates times `sign` (1 or -1)."""
        ...

    def slants(self, words: Sequence[str], *, label: str, texts: Sequence[str]) -> tuple[Floats, Bools]:
        """(n,) how much each word speaks for a label wherever it stands, and (n,) whether it is one token, a word.

        That is the product of its embedding and the mean gradient of the label's lead over all words of the `texts`.
        """
        ...

    def shared_flips(
        self, texts: Sequence[Text], targets: Sequence[str], places: Sequence[Span], *, count: int, sign: float
    ) -> list[tuple[str, float]]:
        """The `count` words with the highest mean estimates times `sign`, each put at one place of every text."""
        ...
