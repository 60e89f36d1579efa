"""First-order estimates of what other words would do to an answer (HotFlip, Ebrahimi et al. 2018).

One forward and one backward pass give, for each token, the gradient of how far the right answer is ahead. Its product
with the difference of two embeddings estimates what is lost when one stands in the place of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from probes.core.answers import Bools, Floats, Ints, ProblemType
from probes.core.examples import Text
from probes.core.words import Span, spans, word
from probes.model.asking import Asking
from probes.model.batching import Batch
from probes.model.forward import Forward
from probes.model.neighbours import WholeWords, within_text
from probes.model.sequences import Sequences
from probes.model.substitution import Embedding
from probes.model.tokens import Encoder

GRADIENT_MEMORY = 2
"""A token costs this many times the memory of a classified one when a gradient is wanted."""
Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Slopes:
    """The gradient of the lead of one label over the others, at the embedding of each token.

    Of several labels at once, and of a regression, that of the logit itself.
    """

    embedding: Embedding
    problem: ProblemType

    def __str__(self) -> str:
        return "slopes\n1"

    def at_once(self, limit: int, longest: int) -> int:
        """Rows of `longest` tokens that go through the network together within a limit of tokens."""
        return max(1, limit // GRADIENT_MEMORY // longest)

    def __call__(self, forward: Forward, batch: Batch) -> torch.Tensor:
        """(rows, longest x width) float32; behind the last token of a row they mean nothing."""
        assert batch.rows.targets is not None
        inputs, targets = forward.inputs(batch), forward.moved(batch.rows.targets.astype(np.int64))
        room = self.at_once(forward.limit, inputs[0].shape[1])
        with torch.inference_mode(False), torch.enable_grad():
            parts = [
                self._slopes(*(None if each is None else each[start : start + room] for each in (*inputs, targets)))
                for start in range(0, len(targets), room)
            ]
        return torch.cat(parts)

    def _slopes(self, ids: Any, mask: Any, types: Any, targets: Any) -> torch.Tensor:
        vectors = self.embedding.vectors(ids).clone().requires_grad_()
        logits = self.embedding.output(vectors, ids, mask, types).logits.float()
        (found,) = torch.autograd.grad(self._lead(logits, targets[:, None]).sum(), vectors)
        return found.float().flatten(1)

    def _lead(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        own = logits.gather(1, targets)[:, 0]
        if self.problem is not ProblemType.SINGLE_LABEL:
            return own
        others: torch.Tensor = logits.scatter(1, targets, float("-inf")).logsumexp(dim=1)
        return own - others


@dataclass(frozen=True)
class Placed:
    """Slopes at the places of one text.

    Attributes:
        slopes: (places, width) sums over the tokens of each; 0 for a place that was not read.
        own: (places,) of each place the products of its tokens' slopes and embeddings, summed.
    """

    slopes: Matrix
    own: Floats


@dataclass(frozen=True)
class Flips:
    """What asks a network for slopes, and makes estimates of them.

    Attributes:
        asking: the engine.
        encoder: its tokenizer.
        question: what it is asked.
        words: those that may stand in place of others.
    """

    asking: Asking
    encoder: Encoder
    question: Slopes
    words: WholeWords

    def placed(self, texts: Sequence[Text], targets: Sequence[int], places: Sequence[Sequence[Span]]) -> list[Placed]:
        """The slopes at the places of n texts."""
        sequences = self.encoder.encode_places(texts, places)
        read = replace(sequences, words=None, targets=np.array(targets, dtype=np.int32))
        width = self.words.table.shape[1]
        rows = self.asking.rows(
            read, self.question, widths=sequences.lengths * width, costs=GRADIENT_MEMORY * sequences.lengths
        )
        self.asking.counters.asked += len(texts)
        return [self._of_one(sequences, row, rows[row], len(places[row]), width) for row in range(len(texts))]

    def _of_one(self, sequences: Sequences, row: int, numbers: NDArray[np.float32], places: int, width: int) -> Placed:
        tokens = slice(int(sequences.starts[row]), int(sequences.starts[row + 1]))
        owner, ids = sequences.words_of(row), sequences.ids[tokens]
        slopes = numbers[: len(ids) * width].reshape(len(ids), width).astype(np.float64)
        inside = owner >= 0
        sums, own = np.zeros((places, width)), np.zeros(places)
        np.add.at(sums, owner[inside], slopes[inside])
        np.add.at(own, owner[inside], (slopes[inside] * self.vectors(ids[inside])).sum(axis=1))
        return Placed(sums, own)

    def vectors(self, ids: Ints | NDArray[np.int32]) -> Matrix:
        """(n, width): the embeddings of n tokens."""
        return self.question.embedding.scale * self.words.table[ids].astype(np.float64)

    def gains(self, placed: Placed, swaps: Sequence[tuple[int, str]]) -> Floats:
        """(n,): by how much the lead is expected to shrink with another text at a place, each swap by itself."""
        pieces = within_text(self.encoder, [text for _, text in swaps])
        means = np.array(
            [self.vectors(np.array(each, dtype=np.int64)).mean(axis=0) if each else self._none for each in pieces]
        )
        rows = np.array([place for place, _ in swaps], dtype=np.int64)
        return np.asarray(placed.own[rows] - (placed.slopes[rows] * means.reshape(len(rows), -1)).sum(axis=1))

    def slant(self, texts: Sequence[Text], targets: Sequence[int]) -> Floats:
        """(vocabulary,): the product of each embedding and the mean direction of the slopes over the words of n texts.

        Of each text the direction alone counts, and all of its words alike: what one text is about averages out.
        """
        places = [[span for span in spans(text) if word(text, span)[:1].isalpha()] for text in texts]
        found = [each.slopes.mean(axis=0) for each in self.placed(texts, targets, places) if len(each.slopes)]
        lengths = [float(np.linalg.norm(each)) for each in found]
        units = [each / length for each, length in zip(found, lengths, strict=True) if length > 0]
        direction = np.mean(units, axis=0) if units else self._none
        return np.asarray(self.question.embedding.scale * (self.words.table.astype(np.float64) @ direction))

    def slants(self, words: Sequence[str], slant: Floats) -> tuple[Floats, Bools]:
        """(n,) the mean over the tokens of each word, and (n,) is it one token."""
        pieces = within_text(self.encoder, words)
        counts = np.array([len(each) for each in pieces], dtype=np.int64)
        ids = np.fromiter((token for each in pieces for token in each), dtype=np.int64, count=int(counts.sum()))
        totals = np.zeros(len(words))
        np.add.at(totals, np.repeat(np.arange(len(words)), counts), slant[ids])
        return totals / np.maximum(counts, 1), counts == 1

    @property
    def _none(self) -> Matrix:
        return np.zeros(self.words.table.shape[1])

    def best(self, placed: Placed, *, count: int, sign: float) -> list[list[tuple[str, float]]]:
        """For each place, the `count` whole words with the highest expected gains times `sign`."""
        gains = placed.own[:, None] - placed.slopes @ self.vectors(self.words.ids).T
        return [self._ranked(sign * row, count) for row in gains]

    def _ranked(self, gains: Floats, count: int) -> list[tuple[str, float]]:
        rows = np.argsort(-gains, kind="stable")[:count]
        return [(self.words.words[row], float(gains[row])) for row in rows.tolist()]


def mean_of(placed: Sequence[Placed]) -> Placed:
    """The means over n texts."""
    return Placed(
        np.mean([each.slopes for each in placed], axis=0), np.asarray(np.mean([each.own for each in placed], axis=0))
    )
