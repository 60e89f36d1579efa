"""Methods that need gradients, on the word embeddings of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from probes.core.answers import Floats, Ints
from probes.core.attributions import Baseline, Method
from probes.core.rng import derive
from probes.model import attribution as captums
from probes.model.asked import Asked, How, header
from probes.model.integration import integrated
from probes.model.pooling import SPECIAL
from probes.model.substitution import Embedding


@dataclass(frozen=True)
class Gradients:
    """Attributions of (n, tokens) embeddings of `width` numbers each."""

    how: How
    asked: Asked

    def answer(self) -> torch.Tensor:
        """(n, 3 + tokens): `asked.header`, then scores."""
        scores, points = self._scores()
        before = None if self.how.baseline is None else self._outputs(self.baselines)
        output = self._outputs(self.vectors)
        return torch.cat([header(output, before, points), scores.to(output)], dim=1)

    @property
    def embedding(self) -> Embedding:
        """Where the network looks words up."""
        assert self.how.embedding is not None
        return self.how.embedding

    @cached_property
    def vectors(self) -> torch.Tensor:
        """(n, tokens, width): what is explained."""
        vectors = self.embedding.vectors(self.asked.ids)
        return vectors if self.how.jitter is None else torch.where(self._open, vectors + self._noise(vectors), vectors)

    @cached_property
    def baselines(self) -> torch.Tensor:
        """(n, tokens, width): the same without words. Special tokens and padding stay as they are."""
        return torch.where(self._open, self._nothing(), self.vectors)

    @property
    def _open(self) -> torch.Tensor:
        return (self.asked.words != SPECIAL)[..., None]

    def _nothing(self) -> torch.Tensor:
        """(..., width): the embedding of "no word here"."""
        if self.how.baseline is Baseline.MEAN:
            return self.embedding.mean
        if self.how.baseline is Baseline.ZERO:
            return torch.zeros_like(self.vectors[:1, :1])
        return self.embedding.vectors(torch.full_like(self.asked.ids[:1, :1], self.how.stand_in))

    def _noise(self, vectors: torch.Tensor) -> torch.Tensor:
        """(n, tokens, width), uniform; of each text drawn on the host from its own seed."""
        assert self.how.jitter is not None
        noise = torch.zeros(vectors.shape)
        lengths = self.asked.lengths
        for row, (length, seed) in enumerate(zip(lengths, self.asked.seeds, strict=True)):
            drawn = torch.Generator().manual_seed(derive(self.how.jitter.seed, seed) >> 65)
            noise[row, :length].uniform_(-1, 1, generator=drawn)
        return self.how.jitter.radius * self.embedding.spread * noise.to(vectors.device)

    def _outputs(self, vectors: torch.Tensor) -> torch.Tensor:
        """(n,): the logits of the targets for such embeddings."""
        with torch.no_grad():
            parts = [self._output(self.asked.take(rows), vectors[rows]) for rows in self.asked.pieces()]
        return torch.cat(parts)

    def _output(self, some: Asked, vectors: torch.Tensor) -> torch.Tensor:
        return some.of_targets(self.embedding.logits(vectors, *some.inputs))

    def _scores(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, tokens), and the (n,) gradients it took."""
        if self.how.method is Method.INTEGRATED_GRADIENTS:
            scores, points = integrated(self._path_gradients, rows=len(self.asked))
            return torch.from_numpy(scores).to(self.vectors), torch.from_numpy(points)
        if self.how.method is Method.GRADIENT_SHAP:
            return self._gradient_shap(), torch.full((len(self.asked),), captums.GRADIENT_SAMPLES)
        of_some, points_each = {
            Method.SALIENCY: (self._saliency, 1),
            Method.INPUT_X_GRADIENT: (self._input_x_gradient, 1),
            Method.DEEP_LIFT: (self._deep_lift, 2),
        }[self.how.method]
        return torch.cat([of_some(rows) for rows in self.asked.pieces()]), torch.full((len(self.asked),), points_each)

    def _path_gradients(self, rows: Ints, nodes: Floats) -> Floats:
        """(rows, nodes, tokens): what is integrated, at these nodes of the paths of these rows."""
        row = torch.from_numpy(np.repeat(rows, len(nodes))).to(self.vectors.device)
        at = torch.from_numpy(np.tile(nodes, len(rows))).to(self.vectors)
        room = self.asked.room
        parts = [self._at(*each) for each in zip(torch.split(row, room), torch.split(at, room), strict=True)]
        values = torch.cat(parts).double().cpu().numpy()
        return np.asarray(values.reshape(len(rows), len(nodes), -1))

    def _at(self, rows: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        some = self.asked.take(rows)
        return captums.path_gradients(
            self.embedding.logits, self.vectors[rows], self.baselines[rows], places, some.targets, some.inputs
        )

    def _saliency(self, rows: torch.Tensor) -> torch.Tensor:
        some = self.asked.take(rows)
        return captums.saliency(self.embedding.logits, self.vectors[rows], some.targets, some.inputs)

    def _input_x_gradient(self, rows: torch.Tensor) -> torch.Tensor:
        some = self.asked.take(rows)
        return captums.input_x_gradient(self.embedding.logits, self.vectors[rows], some.targets, some.inputs)

    def _deep_lift(self, rows: torch.Tensor) -> torch.Tensor:
        some = self.asked.take(rows)
        vectors, baselines = self.vectors[rows], self.baselines[rows]
        network = self.embedding.network
        return captums.deep_lift(network, self.embedding.logits, vectors, baselines, some.targets, some.inputs)

    def _gradient_shap(self) -> torch.Tensor:
        """(n, tokens). One text after the other, because captum draws for all texts of a batch together."""
        rows = [self._gradient_shap_of(row, length)[0] for row, length in enumerate(self.asked.lengths)]
        padded = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        return torch.nn.functional.pad(padded, (0, self.asked.ids.shape[1] - padded.shape[1]))

    def _gradient_shap_of(self, row: int, length: int) -> torch.Tensor:
        one, here = self.asked.one(row, length=length), (slice(row, row + 1), slice(0, length))
        vectors, baselines = self.vectors[here], self.baselines[here]
        (seed,) = one.seeds
        return captums.gradient_shap(
            self.embedding.logits, vectors, baselines, int(one.targets), one.inputs, at_once=one.room, seed=seed
        )
