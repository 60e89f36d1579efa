"""What an attribution is: how much each word of a text pushed a model's answer towards one label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from probes.core.answers import Floats
from probes.core.examples import Text
from probes.core.words import Span


class Method(StrEnum):
    """How attributions are made. All explain the target's logit (of a regression, its value), or the log-probability of
    what was written."""

    INTEGRATED_GRADIENTS = "integrated_gradients"
    """Sundararajan, Taly and Yan 2017, ICML."""
    SALIENCY = "saliency"
    """Simonyan, Vedaldi and Zisserman 2014: the norm of the gradient, so never negative."""
    INPUT_X_GRADIENT = "input_x_gradient"
    """Shrikumar, Greenside and Kundaje 2016, arXiv:1605.01713."""
    DEEP_LIFT = "deep_lift"
    """Shrikumar, Greenside and Kundaje 2017, ICML. Its rules do not cover the products inside attention."""
    GRADIENT_SHAP = "gradient_shap"
    """Lundberg and Lee 2017, NeurIPS."""
    FEATURE_ABLATION = "feature_ablation"
    """One word at a time replaced by the baseline."""
    OCCLUSION = "occlusion"
    """A sliding window of words replaced by the baseline (Zeiler and Fergus 2014, ECCV)."""
    SHAPLEY_SAMPLING = "shapley_sampling"
    """Castro, Gomez and Tejada 2009, Computers & Operations Research 36:1726."""
    KERNEL_SHAP = "kernel_shap"
    """Lundberg and Lee 2017, NeurIPS."""
    LIME = "lime"
    """Ribeiro, Singh and Guestrin 2016, KDD."""


GRADIENT = frozenset(
    {
        Method.INTEGRATED_GRADIENTS,
        Method.SALIENCY,
        Method.INPUT_X_GRADIENT,
        Method.DEEP_LIFT,
        Method.GRADIENT_SHAP,
    }
)
"""Methods that need gradients; the others only ask the network about changed inputs."""
COMPLETE = frozenset({Method.INTEGRATED_GRADIENTS, Method.DEEP_LIFT})
"""Methods whose attributions add up to f(text) - f(baseline) as far as they are exact, so that what is missing is their
error.

Of no other does the sum say how good it is: GradientSHAP adds up on average over its draws, not in each; Shapley
sampling and KernelSHAP add up by construction, however few their draws; the rest are not meant to.
"""


class Baseline(StrEnum):
    """What "no word here" is: what replaces every token that is not a special one."""

    PAD = "pad"
    MASK = "mask"
    ZERO = "zero"
    """The embedding 0; only where embeddings can be replaced."""
    MEAN = "mean"
    """The mean of the embedding table; only where embeddings can be replaced."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Jitter:
    """Noise on the word embeddings before a gradient method sees them.

    Attributes:
        radius: the noise is uniform in a cube of this half width, in units of the standard deviation of the embedding
            table.
        seed: which draw.
    """

    radius: float
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanTarget:
    """What a tagger or a reader said of a part of a text.

    Attributes:
        name: for people.
        start, end: of a tagger the words [start, end), as `probes.core.taggings.tagged_words` counts them; of a reader
            the characters of the context, which are none where the answer is that there is none.
        labels: of a tagger the label of each of these words.
    """

    name: str
    start: int
    end: int
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Of one text, towards one target.

    Attributes:
        text: what was explained.
        target: the label whose logit was explained; of a generator what was written, of a span its name.
        words: (w,) where the words are that the model read; words cut off at its length limit are not among them.
        scores: (w,) of each word, in logits (of a generator in nats): the sum over its tokens. Positive: towards the
            target.
        special: of the tokens that belong to no word ([CLS], separators, blanks).
        output: the target's logit, or log-probability, for the text.
        baseline: what the text was compared with; None for methods that compare with nothing.
        baseline_output: the same for the baseline; None likewise.
        unread: words of the text beyond the length limit.
        points: gradients, or forward passes, it took.
        complete: whether what the sum is off by is an error of the method, as it is for those in COMPLETE.
    """

    text: Text
    target: str
    words: tuple[Span, ...]
    scores: Floats
    special: float
    output: float
    baseline: Baseline | None
    baseline_output: float | None
    unread: int = 0
    points: int = 0
    complete: bool = True

    @property
    def delta(self) -> float | None:
        """Completeness error: what the attributions add up to, minus f(text) - f(baseline).

        None without a baseline, and of a method whose sum says nothing about its error.
        """
        if self.baseline_output is None or not self.complete:
            return None
        return math.fsum([*self.scores.tolist(), self.special]) - (self.output - self.baseline_output)

    @property
    def relative_delta(self) -> float | None:
        """|delta| as a share of |f(text) - f(baseline)|, or of the largest |score| where that is larger.

        The second is for words that cancel: where their sum is smaller than the score of one of them, an error that no
        score shows would be many times the sum, and say nothing about the explanation. None where delta is None, and
        where text and baseline are answered alike.
        """
        if self.delta is None or self.baseline_output is None or self.output == self.baseline_output:
            return None
        scale = max(abs(self.output - self.baseline_output), float(np.abs(self.scores).max(initial=0.0)))
        return abs(self.delta) / scale


def forward_passes(method: Method, *, words: int) -> float:
    """What an attribution of a text of so many words costs, in classifications of that text; for estimates of cost."""
    gradient = 2.2  # a forward and a backward pass to the inputs only: 2.1 to 2.4 where it was timed
    return {
        Method.INTEGRATED_GRADIENTS: 26 * gradient,
        Method.SALIENCY: gradient,
        Method.INPUT_X_GRADIENT: gradient,
        Method.DEEP_LIFT: 2 * gradient,
        Method.GRADIENT_SHAP: 16 * gradient,
        Method.FEATURE_ABLATION: words + 1.0,
        Method.OCCLUSION: words + 1.0,
        Method.SHAPLEY_SAMPLING: 25.0 * words,
        Method.KERNEL_SHAP: 2.0 * words + 64,
        Method.LIME: 2.0 * words + 64,
    }[method]
