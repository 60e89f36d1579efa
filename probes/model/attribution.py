"""captum's methods, each behind one function. The only module that imports captum.

Gradient methods explain word embeddings, (rows, tokens, width); the others explain which words are there, (rows, words)
of ones, because that is what a reader is told about. Scores are float32.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import captum.attr
import numpy as np
import torch
from captum._utils.models.linear_model import SkLearnLinearRegression
from captum.attr._core.lime import get_exp_kernel_similarity_function

Logits = Callable[..., torch.Tensor]
"""What is explained first, then more tensors with the same number of rows (or None): (rows, labels)."""
More = tuple[torch.Tensor | None, ...]

PERMUTATIONS = 25
KERNEL_WIDTH = 0.25
"""Of LIME on texts, in cosine distance, as its authors' own package has it."""


def surrogate_samples(words: int) -> int:
    """Texts that LIME and KernelSHAP fit their linear model to."""
    return 2 * words + 64


def path_gradients(
    logits: Logits, vectors: torch.Tensor, baselines: torch.Tensor, at: torch.Tensor, targets: torch.Tensor, more: More
) -> torch.Tensor:
    """(rows, tokens): what integrated gradients integrate, each row at its own place `at` (0 to 1) of its path."""
    (scores,) = captum.attr.IntegratedGradients(logits)._attribute(
        (vectors,),
        (baselines,),
        target=targets,
        additional_forward_args=more,
        n_steps=1,
        step_sizes_and_alphas=([1.0], [at.view(-1, 1, 1)]),
    )
    return _summed(scores)


def saliency(logits: Logits, vectors: torch.Tensor, targets: torch.Tensor, more: More) -> torch.Tensor:
    """(rows, tokens): the Euclidean norm of the gradient."""
    found = captum.attr.Saliency(logits).attribute(_leaf(vectors), target=targets, additional_forward_args=more)
    norms: torch.Tensor = found.detach().norm(dim=-1)
    return norms


def input_x_gradient(logits: Logits, vectors: torch.Tensor, targets: torch.Tensor, more: More) -> torch.Tensor:
    """(rows, tokens)."""
    found = captum.attr.InputXGradient(logits).attribute(_leaf(vectors), target=targets, additional_forward_args=more)
    return _summed(found)


def deep_lift(
    network: torch.nn.Module,
    logits: Logits,
    vectors: torch.Tensor,
    baselines: torch.Tensor,
    targets: torch.Tensor,
    more: More,
) -> torch.Tensor:
    """(rows, tokens). captum hooks the parts of `network`, which is what `logits` calls."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Setting forward, backward hooks")
        found = captum.attr.DeepLift(_Module(network, logits)).attribute(
            _leaf(vectors), baselines, target=targets, additional_forward_args=more
        )
    return _summed(found)


def feature_ablation(
    logits: Logits, present: torch.Tensor, targets: torch.Tensor, more: More, *, at_once: int
) -> torch.Tensor:
    """(rows, words): how much the target falls without the word."""
    return _plain(
        captum.attr.FeatureAblation(logits).attribute(
            present, target=targets, additional_forward_args=more, perturbations_per_eval=at_once
        )
    )


def occlusion(
    logits: Logits, present: torch.Tensor, targets: torch.Tensor, more: More, *, at_once: int
) -> torch.Tensor:
    """(rows, words), by a window of one word."""
    return _plain(
        captum.attr.Occlusion(logits).attribute(
            present, (1,), target=targets, additional_forward_args=more, perturbations_per_eval=at_once
        )
    )


def shapley_sampling(
    logits: Logits, present: torch.Tensor, target: int, more: More, *, at_once: int, seed: int
) -> torch.Tensor:
    """(1, words) of one row: how much the target rises with the word, on average over random orders of the words."""
    with _seeded(seed):
        return _plain(
            captum.attr.ShapleyValueSampling(logits).attribute(
                present,
                target=target,
                additional_forward_args=more,
                n_samples=PERMUTATIONS,
                perturbations_per_eval=at_once,
            )
        )


def kernel_shap(
    logits: Logits, present: torch.Tensor, target: int, more: More, *, at_once: int, seed: int
) -> torch.Tensor:
    """(1, words) of one row with at least two words."""
    return _surrogate(captum.attr.KernelShap(logits), present, target, more, at_once=at_once, seed=seed)


def lime(logits: Logits, present: torch.Tensor, target: int, more: More, *, at_once: int, seed: int) -> torch.Tensor:
    """(1, words) of one row: the weights of a linear model of the target, fitted with no penalty."""
    near = get_exp_kernel_similarity_function("cosine", kernel_width=KERNEL_WIDTH)
    method = captum.attr.Lime(logits, similarity_func=near)
    return _surrogate(method, present, target, more, at_once=at_once, seed=seed)


def _surrogate(method: Any, present: torch.Tensor, target: int, more: More, *, at_once: int, seed: int) -> torch.Tensor:
    method.interpretable_model = _LinearRegression()
    with _seeded(seed):
        return _plain(
            method.attribute(
                present,
                target=target,
                additional_forward_args=more,
                n_samples=surrogate_samples(present.shape[1]),
                perturbations_per_eval=at_once,
            )
        )


class _LinearRegression(SkLearnLinearRegression):  # type: ignore[misc]  # captum is not typed
    """In double precision: KernelSHAP gives two of its samples a weight of a million, too much for float32."""

    def fit(self, train_data: Iterable[Sequence[torch.Tensor]], **settings: Any) -> Any:
        return super().fit([tuple(column.double() for column in batch) for batch in train_data], **settings)


class _Module(torch.nn.Module):
    """A function and the network it calls, as a module."""

    def __init__(self, network: torch.nn.Module, function: Logits) -> None:
        super().__init__()
        self.network = network
        self.function = function

    def forward(self, *args: Any) -> torch.Tensor:
        return self.function(*args)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """captum draws from the global generators of torch and numpy; both are as before afterwards."""
    state = np.random.get_state()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        np.random.seed(seed % 2**32)
        try:
            yield
        finally:
            np.random.set_state(state)


def _leaf(vectors: torch.Tensor) -> torch.Tensor:
    return vectors.detach().requires_grad_()


def _summed(scores: torch.Tensor) -> torch.Tensor:
    return scores.detach().float().sum(dim=-1)


def _plain(scores: torch.Tensor) -> torch.Tensor:
    return scores.detach().float()
