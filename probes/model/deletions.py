"""Methods that ask about the text without some of its words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from probes.core.attributions import Method
from probes.model import attribution as captums
from probes.model.asked import Asked, How, header

SURROGATES: dict[Method, Callable[..., torch.Tensor]] = {
    Method.SHAPLEY_SAMPLING: captums.shapley_sampling,
    Method.KERNEL_SHAP: captums.kernel_shap,
    Method.LIME: captums.lime,
}
"""Methods that draw which words to leave out, for one text at a time."""


def passes(method: Method, words: int) -> int:
    """Forward passes for a text of so many words."""
    if method is Method.SHAPLEY_SAMPLING:
        return captums.PERMUTATIONS * words + 1
    return captums.surrogate_samples(words) if method in SURROGATES and words > 1 else words + 1


@dataclass(frozen=True)
class Deletions:
    """Attributions of words by what the network answers without them."""

    how: How
    asked: Asked
    network: Any

    def answer(self) -> torch.Tensor:
        """(n, 3 + tokens): `asked.header`, then the score of each word in equal parts on its tokens."""
        counts = (self.asked.words.max(dim=1).values + 1).clamp(min=0).tolist()
        whole = torch.ones(len(self.asked), max(*counts, 1), device=self.asked.ids.device)
        scores = self._drawn(whole, counts) if self.how.method in SURROGATES else self._one_by_one(whole, self.asked)
        points = torch.tensor([passes(self.how.method, count) for count in counts])
        output, before = self._outputs(whole), self._outputs(torch.zeros_like(whole))
        return torch.cat([header(output, before, points), self._spread(scores)], dim=1)

    def _one_by_one(self, whole: torch.Tensor, asked: Asked) -> torch.Tensor:
        """(n, words)."""
        if len(asked) > asked.room:
            return torch.cat([self._one_by_one(whole[rows], asked.take(rows)) for rows in asked.pieces()])
        run = captums.occlusion if self.how.method is Method.OCCLUSION else captums.feature_ablation
        at_once = max(1, asked.room // len(asked))
        return run(self._logits, whole, asked.targets, (*asked.more, asked.words), at_once=at_once)

    def _drawn(self, whole: torch.Tensor, counts: list[int]) -> torch.Tensor:
        """(n, words)."""
        scores = torch.zeros_like(whole)
        for row, (count, length) in enumerate(zip(counts, self.asked.lengths, strict=True)):
            one = self.asked.one(row, length=length)
            # One word, or none: nothing to draw.
            found = self._of_one(one, count) if count > 1 else self._one_by_one(whole[row : row + 1, :1], one)
            scores[row, : found.shape[1]] = found[0].to(scores)
        return scores

    def _of_one(self, one: Asked, words: int) -> torch.Tensor:
        """(1, words). captum works on the host here, so that what it draws does not depend on the device."""
        more = (*one.more, one.words)
        run = SURROGATES[self.how.method]
        (seed,) = one.seeds
        return run(self._logits, torch.ones(1, words), int(one.targets), more, at_once=one.room, seed=seed)

    def _outputs(self, present: torch.Tensor) -> torch.Tensor:
        """(n,): the logits of the targets with these words."""
        return torch.cat([self._output(self.asked.take(rows), present[rows]) for rows in self.asked.pieces()])

    def _output(self, some: Asked, present: torch.Tensor) -> torch.Tensor:
        return some.of_targets(self._logits(present, *some.more, some.words))

    def _logits(
        self,
        present: torch.Tensor,
        ids: torch.Tensor,
        mask: torch.Tensor,
        types: torch.Tensor | None,
        goals: torch.Tensor | None,
        words: torch.Tensor,
    ) -> torch.Tensor:
        """(rows, numbers): the answers without the words where (rows, words) `present` is 0."""
        there = present.to(ids.device) > 0.5
        kept = there.gather(1, words.clamp(min=0)) | (words < 0)
        embedding = self.how.embedding
        with torch.no_grad():
            if embedding is None:
                left = torch.where(kept, ids, self.how.stand_in)
                answer = self.how.looked_up(self.network, left, mask, types, goals)
            else:
                vectors = torch.where(kept[..., None], embedding.vectors(ids), self.how.nothing(embedding))
                answer = self.how.given(vectors, ids, mask, types, goals)
        return answer.to(present.device)

    def _spread(self, scores: torch.Tensor) -> torch.Tensor:
        """(n, tokens) from (n, words)."""
        words = self.asked.words
        inside, number = words >= 0, words.clamp(min=0)
        tokens = torch.zeros_like(scores).scatter_add_(1, number, inside.to(scores))
        share = scores / tokens.clamp(min=1)
        return torch.where(inside, share.gather(1, number), 0.0)
