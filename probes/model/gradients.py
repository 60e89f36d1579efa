"""Methods that need gradients, on the word embeddings of a batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from probes.core.answers import Floats, Ints
from probes.core.attributions import Method
from probes.core.rng import derive
from probes.model import attribution as captums
from probes.model.asked import Asked, How, header
from probes.model.integration import integrated
from probes.model.pooling import SPECIAL
from probes.model.substitution import Embedding

GRADIENT_SAMPLES = 16
"""Random places at which GradientSHAP asks for gradients."""


@dataclass(frozen=True)
class Gradients:
    """Attributions of (n, tokens) embeddings of `width` numbers each."""

    how: How
    asked: Asked

    def answer(self) -> torch.Tensor:
        """(n, 3 + tokens): `asked.header`, then scores."""
        scores, points = self._scores()
        before = None if self.how.baseline is None else self._before
        return torch.cat([header(self._output, before, points), scores.to(self._output)], dim=1)

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
        return torch.where(self._open, self.how.nothing(self.embedding), self.vectors)

    @property
    def _open(self) -> torch.Tensor:
        return (self.asked.words != SPECIAL)[..., None]

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
            parts = [self._outputs_of(self.asked.take(rows), vectors[rows]) for rows in self.asked.pieces()]
        return torch.cat(parts)

    def _outputs_of(self, some: Asked, vectors: torch.Tensor) -> torch.Tensor:
        return some.of_targets(self.how.given(vectors, *some.inputs, some.goals))

    @cached_property
    def _output(self) -> torch.Tensor:
        return self._outputs(self.vectors)

    @cached_property
    def _before(self) -> torch.Tensor:
        return self._outputs(self.baselines)

    def _scores(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(n, tokens), and the (n,) gradients it took."""
        if self.how.method is Method.INTEGRATED_GRADIENTS:
            scores, points = integrated(self._path_gradients, self._differences)
            return torch.from_numpy(scores).to(self.vectors), torch.from_numpy(points)
        if self.how.method is Method.GRADIENT_SHAP:
            return self._gradient_shap(), torch.full((len(self.asked),), GRADIENT_SAMPLES)
        of_some, points_each = {
            Method.SALIENCY: (self._saliency, 1),
            Method.INPUT_X_GRADIENT: (self._input_x_gradient, 1),
            Method.DEEP_LIFT: (self._deep_lift, 2),
        }[self.how.method]
        return torch.cat([of_some(rows) for rows in self.asked.pieces()]), torch.full((len(self.asked),), points_each)

    @property
    def _differences(self) -> Floats:
        """(n,): f(text) - f(baseline); NaN in narrow types, which round both by more than integrals are wrong."""
        if torch.finfo(self.embedding.network.get_input_embeddings().weight.dtype).bits < 32:
            return np.full(len(self.asked), np.nan)
        return np.asarray((self._output.double() - self._before.double()).cpu().numpy())

    def _path_gradients(self, rows: Ints, nodes: Floats) -> Floats:
        """(rows, nodes, tokens): what is integrated, at these (nodes,) places of the paths of these rows.

        Each row may have its own: (rows, nodes).
        """
        places = np.broadcast_to(nodes, (len(rows), nodes.shape[-1]))
        row = torch.from_numpy(np.repeat(rows, places.shape[1])).to(self.vectors.device)
        at = torch.from_numpy(places.flatten()).to(self.vectors)
        room = self.asked.room
        parts = [self._at(*each) for each in zip(torch.split(row, room), torch.split(at, room), strict=True)]
        values = torch.cat(parts).double().cpu().numpy()
        return np.asarray(values.reshape(*places.shape, -1))

    def _at(self, rows: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        some = self.asked.take(rows)
        return captums.path_gradients(
            self.how.given, self.vectors[rows], self.baselines[rows], places, some.targets, some.more
        )

    def _saliency(self, rows: torch.Tensor) -> torch.Tensor:
        some = self.asked.take(rows)
        return captums.saliency(self.how.given, self.vectors[rows], some.targets, some.more)

    def _input_x_gradient(self, rows: torch.Tensor) -> torch.Tensor:
        some = self.asked.take(rows)
        return captums.input_x_gradient(self.how.given, self.vectors[rows], some.targets, some.more)

    def _deep_lift(self, rows: torch.Tensor) -> torch.Tensor:
        some = self.asked.take(rows)
        vectors, baselines = self.vectors[rows], self.baselines[rows]
        network = self.embedding.network
        return captums.deep_lift(network, self.how.given, vectors, baselines, some.targets, some.more)

    def _gradient_shap(self) -> torch.Tensor:
        """(n, tokens): the mean over random places of the path, drawn on the host for each text from its own seed.

        That is captum's GradientShap with one baseline and no noise, but for the places: those it draws depend on how
        many texts, and how many samples of each, go through the network together.
        """
        places = np.stack([np.random.default_rng(seed).random(GRADIENT_SAMPLES) for seed in self.asked.seeds])
        scores = self._path_gradients(np.arange(len(self.asked)), places).mean(axis=1)
        return torch.from_numpy(scores).to(self.vectors)
