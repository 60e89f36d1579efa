"""captum as its tutorials use it: one text after another, on its own copy of the network, pooled to words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from probes.core.attributions import Attribution, Baseline

Rows = list[np.ndarray]
"""For each text a number for each of its words."""
Question = dict[str, Any]
"""Arguments of captum's `attribute`."""


@dataclass(frozen=True)
class CaptumLoop:
    """The questions, texts, targets and baseline, are those of the attributions `asked`."""

    network: Any
    tokenizer: Any
    asked: Sequence[Attribution]

    @classmethod
    def of(cls, folder: str, asked: Sequence[Attribution]) -> CaptumLoop:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        network = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
        return cls(network, AutoTokenizer.from_pretrained(folder), asked)

    def integrated_gradients(self, points: int = 50) -> Rows:
        from captum.attr import LayerIntegratedGradients

        method = LayerIntegratedGradients(self._logits, self.network.get_input_embeddings())
        return self._each(lambda question, _: method.attribute(**question, n_steps=points).sum(-1))

    def occlusion(self, at_once: int = 1) -> Rows:
        """A window of one token: captum's slides over tensors and knows no words."""
        from captum.attr import Occlusion

        method = Occlusion(self._logits)
        options: Question = {"sliding_window_shapes": (1,), "perturbations_per_eval": at_once}
        return self._each(lambda question, _: method.attribute(**question, **options))

    def ablation(self, at_once: int = 1) -> Rows:
        """All tokens of a word at once; each of them gets the word's whole effect, so it is shared among them."""
        from captum.attr import FeatureAblation

        method = FeatureAblation(self._logits)

        def tokens(question: Question, words: torch.Tensor) -> torch.Tensor:
            mask = torch.where(words < 0, words.max() + 1, words)
            scores = method.attribute(**question, feature_mask=mask, perturbations_per_eval=at_once)
            return scores / torch.bincount(mask[0])[mask]

        return self._each(tokens)

    def _each(self, tokens: Callable[[Question, torch.Tensor], torch.Tensor]) -> Rows:
        rows = []
        for each in self.asked:
            question, words = self._question(each)
            scores = tokens(question, words)[0].detach().double().numpy()
            rows.append(np.bincount(words[0].numpy() + 1, weights=scores, minlength=len(each.words) + 1)[1:])
        return rows

    def _question(self, asked: Attribution) -> tuple[Question, torch.Tensor]:
        """The arguments of captum, and (1, tokens) the word each token belongs to, -1 for none."""
        encoded = self.tokenizer(asked.text, return_offsets_mapping=True, truncation=True)
        word_of = [
            next((at for at, span in enumerate(asked.words) if span.start <= start < end <= span.end), -1)
            for start, end in encoded["offset_mapping"]
        ]
        ids, words = torch.tensor([encoded["input_ids"]]), torch.tensor([word_of])
        masked = asked.baseline is Baseline.MASK
        blank = self.tokenizer.mask_token_id if masked else self.tokenizer.pad_token_id
        labels = list(self.network.config.id2label.values())
        return {
            "inputs": ids,
            "baselines": torch.where(words < 0, ids, blank),
            "target": labels.index(asked.target),
        }, words

    def _logits(self, ids: torch.Tensor) -> torch.Tensor:
        # Named because the baseline's padding is to be read like a word.
        logits: torch.Tensor = self.network(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        return logits
