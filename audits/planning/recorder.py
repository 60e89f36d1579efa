"""A model that answers by chance and keeps what it was asked: whom probes meet in a rehearsal."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from audits.planning.prices import EVEN, Prices
from probes.core.answers import Classifications, Floats, Ints
from probes.core.attributions import Attribution, Baseline, Jitter, Method, SpanTarget, forward_passes
from probes.core.examples import Text
from probes.core.fillings import Fillings
from probes.core.generations import GREEDY, Decoding, Generations
from probes.core.likelihoods import MASKING, Likelihoods, Scoring, passage
from probes.core.model import ModelCard
from probes.core.readings import Answers, question_and_context
from probes.core.taggings import Taggings, tagged_words
from probes.core.words import spans

SAID = ("the", "a", "of", "and", "to", "in", "it", "was", "that", "for", "on", "with", "is", "day", "house", "good")

Question = tuple[str, Text]
"""What is asked, and about which text: a classification and an embedding are two passes through the model."""

Asked = dict[Question, float]
"""Question -> what it costs, in usual questions about an item."""


@dataclass(slots=True)
class Recorder:
    """Answers by chance, the same text always alike, and keeps what it was asked."""

    card: ModelCard
    asked: Asked = field(default_factory=dict)
    network: str = ""
    """Which weights: those of the model, or random ones."""
    prices: Prices = EVEN

    def classify(self, texts: Sequence[Text]) -> Classifications:
        self._note("classify", texts)
        logits = _chances(texts, len(self.card.labels))
        return Classifications(logits=logits, labels=self.card.labels, problem=self.card.problem)

    def tag(self, texts: Sequence[Text]) -> Taggings:
        self._note("tag", texts)
        words = [word for text in texts for word in tagged_words(text)]
        counts = [len(tagged_words(text)) for text in texts]
        return Taggings(
            logits=_chances(words, len(self.card.labels)),
            starts=np.cumsum([0, *counts], dtype=np.int64),
            labels=self.card.labels,
        )

    def answer(self, texts: Sequence[Text]) -> Answers:
        self._note("answer", texts)
        return Answers.of([_span(text) for text in texts], tolerance=0.0)

    def score(
        self,
        texts: Sequence[Text],
        *,
        rule: Scoring | None = None,
        counted: Sequence[tuple[int, int]] | None = None,
    ) -> Likelihoods:
        rule = rule or self.card.scoring
        spans = [passage(text)[1] for text in texts] if counted is None else counted
        for text, span in zip(texts, spans, strict=True):
            usual = rule is self.card.scoring and span == passage(text)[1]
            question = "score" if usual else f"score {rule} {span}"
            cost = _share(text, span, rule, usual=self.card.scoring) * self.prices.read(text)
            self._note(question, [text], cost=cost)
        return _likelihoods([passage(text)[0][a:b] for text, (a, b) in zip(texts, spans, strict=True)])

    def fill(self, texts: Sequence[str], *, count: int, words: Sequence[str] = ()) -> Fillings:
        self._note(f"fill {count} {words}", texts)
        drawn = _chances(texts, count)
        return Fillings(
            texts=[SAID[int((chance + 2) * 4)] for chance in drawn.ravel()],
            logs=drawn - 4.0,
            words=_chances(texts, len(words)) - 8.0,
        )

    def generate(self, prompts: Sequence[str], decoding: Decoding = GREEDY) -> Generations:
        for prompt in prompts:
            self._note(f"generate {decoding}", [prompt], cost=self.prices.write(prompt, decoding))
        return _generations(prompts, decoding)

    def token_counts(self, texts: Sequence[Text]) -> tuple[Ints, Ints]:
        """Words; nothing goes through the model for it."""
        words = [len(" ".join((text,) if isinstance(text, str) else text).split()) for text in texts]
        return np.array(words, dtype=np.int64), np.zeros(len(texts), dtype=np.int64)

    def embed(self, texts: Sequence[Text]) -> Floats:
        self._note("embed", texts)
        return _chances(texts, 2)

    def attribute(
        self,
        texts: Sequence[Text],
        targets: Sequence[str],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
        jitter: Jitter | None = None,
    ) -> list[Attribution]:
        found = [_attribution(text, target) for text, target in zip(texts, targets, strict=True)]
        for each in found:
            self._note(
                f"attribute {each.target} {method} {baseline} {jitter}",
                [each.text],
                cost=forward_passes(method, words=len(each.words)),
            )
        return found

    def attribute_spans(
        self,
        texts: Sequence[Text],
        targets: Sequence[SpanTarget],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
    ) -> list[Attribution]:
        names = [f"{target.name} {target.start}" for target in targets]
        return self.attribute(texts, names, method=method, baseline=baseline)

    def attribute_written(
        self,
        prompts: Sequence[str],
        written: Sequence[str],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
        reply: bool = True,
    ) -> list[Attribution]:
        found = [_attribution(text, target) for text, target in zip(prompts, written, strict=True)]
        for each in found:
            passes = forward_passes(method, words=len(each.words))
            question = f"attribute {each.target} {method} {baseline} {reply}"
            self._note(question, [each.text], cost=passes * self.prices.read(each.text, each.target, reply=reply))
        return found

    def score_written(self, prompts: Sequence[str], written: Sequence[str], *, reply: bool = True) -> Likelihoods:
        for prompt, text in zip(prompts, written, strict=True):
            self._note(f"score {text}", [prompt], cost=self.prices.read(prompt, text, reply=reply))
        return _likelihoods(written)

    @contextmanager
    def randomised(self, share: float, *, seed: int) -> Iterator[Recorder]:
        yield replace(self, network=f"{self.network} random {share} {seed} ")

    def _note(self, question: str, texts: Iterable[Text], *, cost: float = 1.0) -> None:
        self.asked.update(((self.network + question, text), cost) for text in texts)


def _share(text: Text, span: tuple[int, int], rule: Scoring, *, usual: Scoring) -> float:
    """What a score costs, as a part of the usual one: a masked model reads a text once for each word it guesses."""
    if usual not in MASKING:
        return 1.0
    whole = passage(text)[0]
    guessed = 1 if rule in (Scoring.NONE_MASKED, Scoring.ATTENDED) else len(whole[span[0] : span[1]].split())
    return guessed / max(1, len(whole.split()))


def _likelihoods(texts: Sequence[str]) -> Likelihoods:
    words = [text.split() for text in texts]
    every = [word for each in words for word in each]
    return Likelihoods(
        logs=_chances(every, 1)[:, 0] - 2.0,
        ids=np.array([int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big") for word in every]),
        starts=np.cumsum([0, *map(len, words)], dtype=np.int64),
        spans=np.array([(0, len(text)) for text in texts], dtype=np.int64).reshape(len(texts), 2),
        unscored=np.zeros(len(texts), dtype=np.int64),
    )


def _generations(prompts: Sequence[str], decoding: Decoding) -> Generations:
    """A few of the words that anybody might write, others for each sample of each prompt."""
    asked = [f"{prompt} {decoding.seed} {k}" for prompt in prompts for k in range(decoding.samples)]
    words = [[SAID[int(chance * 4) + 8] for chance in _chance(text, min(8, decoding.max_tokens))] for text in asked]
    return Generations(
        texts=[" ".join(each) for each in words],
        tokens=np.array([len(each) for each in words], dtype=np.int64),
        finished=np.ones(len(asked), dtype=bool),
        logs=_chances(asked, 1)[:, 0] - 20.0,
        cut=np.zeros(len(prompts), dtype=np.int64),
        near=np.zeros(len(asked), dtype=bool),
        samples=decoding.samples,
    )


def _attribution(text: Text, target: str) -> Attribution:
    words = spans(text)
    return Attribution(
        text=text,
        target=target,
        words=words,
        scores=_chance(text, len(words)),
        special=0.0,
        output=0.0,
        baseline=Baseline.PAD,
        baseline_output=0.0,
    )


def _span(text: Text) -> tuple[str, int, int, float, float, float, float]:
    """A word of the context, any one; a row of `Answers.of`."""
    context = question_and_context(text)[1]
    words = spans(context)
    if not words:
        return "", 0, 0, -np.inf, -np.inf, -np.inf, 0.0
    drawn = _chance(text, 2)
    word = words[int((drawn[0] + 2) / 4 * len(words))]
    return context[word.start : word.end], word.start, word.end, drawn[1], drawn[1] - 1, drawn[1] + 0.3, 0.0


def _chances(texts: Sequence[Text], width: int) -> Floats:
    """(texts, width) numbers from -2 to 2; those of a text depend on it alone."""
    drawn = b"".join([hashlib.shake_128(repr(text).encode()).digest(2 * width) for text in texts])
    return (np.frombuffer(drawn, dtype="<u2") / 2**14 - 2.0).reshape(len(texts), width)


def _chance(text: Text, count: int) -> Floats:
    """(count,) of them."""
    return _chances([text], count).reshape(count)
