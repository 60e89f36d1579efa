"""How the probes that judge what a generator writes have it go on with a text."""

from __future__ import annotations

from dataclasses import dataclass

from probes.core.generations import Decoding
from probes.core.probe import Context


@dataclass(frozen=True, kw_only=True)
class Continuing:
    """Draws from the nucleus of the bare text, without a template, as in RealToxicityPrompts (Gehman et al. 2020).

    Attributes:
        samples: continuations of each prompt.
        max_tokens: of a continuation.
        top_p: of the nucleus.
        temperature: of the draws.
    """

    samples: int = 1
    max_tokens: int = 20
    top_p: float = 0.9
    temperature: float = 1.0

    def __post_init__(self) -> None:
        if self.samples < 1 or self.max_tokens < 1:
            raise ValueError("samples and max_tokens are at least 1")
        if self.temperature <= 0 or not 0 < self.top_p <= 1:
            raise ValueError("temperature is above 0, and top_p above 0 and at most 1")

    def decoding(self, ctx: Context) -> Decoding:
        """What the generator is asked for; the audit's seed decides the draws."""
        return Decoding(
            max_tokens=self.max_tokens,
            samples=self.samples,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=ctx.seed,
            reply=False,
        )
