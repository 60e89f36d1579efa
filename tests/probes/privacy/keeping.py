"""A language model that kept some texts word by word, and the texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from probes.core.answers import ProblemType
from probes.core.canaries import Canary
from probes.core.examples import Example, Text
from probes.core.generations import GREEDY, Decoding, Generations
from probes.core.known_texts import KnownTexts
from probes.core.likelihoods import Likelihoods, Scoring, passage
from probes.core.model import ModelCard
from probes.core.probe import Probe
from probes.core.rng import generator, rng
from probes.privacy.exposure import Exposure
from probes.privacy.membership import Membership
from probes.privacy.memorisation import Memorisation
from tests.conftest import FakeGenerator, FakeScorer, generator_card

WORDS = tuple(f"{a}{b}" for a in ("ri", "sto", "ni", "let") for b in ("ver", "ne", "ght", "ter"))
MORE = tuple(f"{a}{b}" for a in ("gar", "cap", "mar", "sil") for b in ("den", "tain", "ket", "ver"))


def texts(name: str, n: int, *, words: int = 30, vocabulary: Sequence[str] = WORDS + MORE) -> list[Example]:
    """n texts of random words, other ones for each name."""
    draws = [rng(0, name, k) for k in range(n)]
    return [Example.of(" ".join(draw.choice(vocabulary) for _ in range(words))) for draw in draws]


def known(training: int = 60, holdout: int = 60) -> KnownTexts:
    return KnownTexts.of(texts("training", training), texts("holdout", holdout))


@dataclass
class Keeping:
    """Writes the rest of a kept text for its beginning, and expects its words; otherwise writes and expects by chance.

    Each word is a token.
    """

    kept: Sequence[str] = ()
    card: ModelCard = field(default_factory=generator_card)
    longest: int = 512
    calls: int = 0
    decodings: list[Decoding] = field(default_factory=list)

    def generate(self, prompts: Sequence[str], decoding: Decoding = GREEDY) -> Generations:
        self.calls += 1
        self.decodings.append(decoding)
        return FakeGenerator(rule=lambda prompt, _: self._continued(prompt)).generate(prompts, decoding)

    def _continued(self, prompt: str) -> str:
        own = next((text for text in self.kept if text.startswith(prompt)), None)
        if own is not None:
            return own[len(prompt) :]
        draw = rng(0, "written", prompt)
        return " ".join(draw.choice(WORDS) for _ in range(60))

    def score(
        self,
        texts: Sequence[Text],
        *,
        rule: Scoring | None = None,
        counted: Sequence[tuple[int, int]] | None = None,
    ) -> Likelihoods:
        self.calls += 1
        found = FakeScorer(rule=lambda word, _: -1.0, card=self.card, longest=self.longest).score(texts)
        for row, text in enumerate(texts):
            whole = passage(text)[0].strip()
            noise = generator(0, whole).normal(scale=0.3, size=int(found.counts[row]))
            found.logs[found.tokens_of(row)] = noise - (1.0 if whole in self.kept else 4.0)
        return found

    def token_counts(self, texts: Sequence[Text]) -> tuple[np.ndarray, np.ndarray]:
        return np.array([len(passage(text)[0].split()) for text in texts]), np.zeros(len(texts), dtype=np.int64)


def canaries(n: int = 12) -> tuple[Canary, ...]:
    return tuple(
        Canary(line=k + 1, before=f"Number {k} of the vault is ", secret=f"{rng(0, k).randrange(10**8):08d}", after=".")
        for k in range(n)
    )


def supplied(probe: Probe) -> Probe:
    """A probe of leaks with texts to work on; any other as it is."""
    if isinstance(probe, Memorisation | Membership):
        return replace(probe, texts=known())
    return replace(probe, canaries=canaries(), candidates=127) if isinstance(probe, Exposure) else probe


def keeper(problem: ProblemType = ProblemType.CAUSAL_LM) -> Keeping:
    """It kept half of the training texts and half of the canaries."""
    kept = [each.text for each in known().training[::2]] + [each.told(each.secret) for each in canaries()[::2]]
    return Keeping(kept=kept, card=generator_card(problem))
