"""What a question to a generator costs: reading grows with the text, and what is written comes word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from probes.core.answers import WRITING_HEADS
from probes.core.examples import Text
from probes.core.generations import Decoding
from probes.core.model import Capability, ModelCard

WRITTEN = 2.2
"""Words read in the time in which a token is written: timed on a processor with some twenty rows side by side, where it
takes as long as reading two to three tokens."""
TEMPLATE = 20
"""Words that the template of a chat model puts around a prompt, instructions to it included."""
TRIED = 10
"""Tokens that a model with an encoder writes for each text when it is timed, `probes.model.engine.TRIED`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Costs in usual questions, one of which the machine is timed on: what the model is asked about an item.

    Attributes:
        usual: words of a usual question, written tokens counted as words read; 0: all questions cost the same.
        written: words read in the time in which a token is written.
        template: words around a prompt that is replied to.
    """

    usual: float = 0.0
    written: float = WRITTEN
    template: int = 0

    @classmethod
    def of(cls, card: ModelCard, texts: Sequence[Text], *, written: float = WRITTEN) -> Prices:
        """The prices of a model whose own items are like these texts.

        Args:
            written: as timed on this machine.
        """
        if card.problem not in WRITING_HEADS or not texts:
            return EVEN
        usual = sum(map(_words, texts)) / len(texts)
        if card.question is Capability.GENERATE:
            usual += TRIED * written
        return cls(usual=max(1.0, usual), written=written, template=TEMPLATE if card.chat else 0)

    def read(self, *texts: Text, reply: bool = False) -> float:
        """Of one pass over these texts, one behind the other."""
        return (sum(map(_words, texts)) + reply * self.template) / self.usual if self.usual else 1.0

    def write(self, prompt: str, decoding: Decoding) -> float:
        """Of all continuations of a prompt, each written to its longest; each reads the prompt."""
        samples = decoding.samples if decoding.temperature > 0 else 1
        tokens = decoding.max_tokens * self.written / self.usual if self.usual else decoding.max_tokens / TRIED
        return samples * (self.read(prompt, reply=decoding.reply) + tokens)


EVEN = Prices()
"""For models that do not write: probes ask them about texts much like the items."""


def _words(text: Text) -> int:
    return len(text.split()) if isinstance(text, str) else sum(map(_words, text))
