"""Shared doubles: a rule-based classifier that counts what it is asked, and small labelled data."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from probes.core.answers import Classifications, Floats, Ints, ProblemType
from probes.core.examples import Example, Text
from probes.core.fillings import Fillings
from probes.core.generations import GREEDY, Decoding, Generations
from probes.core.likelihoods import Likelihoods, Scoring, passage
from probes.core.model import Capability, ModelCard
from probes.core.readings import Answers
from probes.core.rng import generator
from probes.core.taggings import Taggings, tagged_words

# As OMP_NUM_THREADS in the Makefile: with a few short texts, threads only wait for one another.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
# How long an example takes says more about the machine than about the code; pytest's own time limit still holds.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


def pytest_configure() -> None:
    """Importing torch and collecting make millions of objects that all stay: looking for garbage among them is idle."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def nothing_waits_for_the_disk() -> Iterator[None]:
    """Processes are killed here, but never the power: what was written can be read back before it is on the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda _: None)
        yield


Building = Callable[[Path], Path]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Building], Path]:
    """`trained(build)`: what `build(folder)` saves, made once for all processes of a run; nobody may change it."""
    root = tmp_path_factory.getbasetemp()
    shared = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "trained"

    def get(build: Building) -> Path:
        folder = shared / build.__name__
        if not folder.exists():
            made = build(tmp_path_factory.mktemp("trained") / build.__name__)
            shared.mkdir(exist_ok=True)
            with suppress(OSError):  # another process was faster
                made.rename(folder)
        return folder

    return get


_WORDS = re.compile(r"[^\W_]+")

Rule = Callable[[Text], Sequence[float]]


def model_card(
    *, labels: tuple[str, ...] = ("negative", "positive"), problem: ProblemType = ProblemType.SINGLE_LABEL
) -> ModelCard:
    return ModelCard(
        name="fake",
        source="fake",
        fingerprint="f" * 64,
        architecture="FakeForSequenceClassification",
        model_type="fake",
        problem=problem,
        labels=labels,
        capabilities=frozenset({Capability.CLASSIFY, Capability.EMBED}),
        max_length=512,
        dtype="float32",
        parameters=1,
    )


@dataclass
class FakeModel:
    """A classifier whose logits are `rule(text)`; `asked` keeps every text in order.

    Its embedding of a text is the sum of a fixed random vector for each word.
    """

    rule: Rule
    card: ModelCard = field(default_factory=model_card)
    asked: list[Text] = field(default_factory=list)
    calls: int = 0

    def classify(self, texts: Sequence[Text]) -> Classifications:
        self.calls += 1
        self.asked.extend(texts)
        logits = np.array([self.rule(text) for text in texts], dtype=np.float64)
        return Classifications(
            logits=logits.reshape(len(texts), len(self.card.labels)), labels=self.card.labels, problem=self.card.problem
        )

    def token_counts(self, texts: Sequence[Text]) -> tuple[Ints, Ints]:
        words = [len(" ".join((text,) if isinstance(text, str) else text).split()) for text in texts]
        return np.array(words, dtype=np.int64), np.zeros(len(texts), dtype=np.int64)

    def embed(self, texts: Sequence[Text]) -> Floats:
        self.calls += 1
        self.asked.extend(texts)
        return np.array([_bag(" ".join(text) if isinstance(text, tuple) else text) for text in texts]).reshape(-1, 16)


Tagger = Callable[[Sequence[str]], Sequence[str | None]]


@dataclass
class FakeTagger:
    """A tagger that answers `rule(words)`: a label for each word, None for words it does not read."""

    rule: Tagger
    card: ModelCard = field(default_factory=lambda: tagger_card())
    asked: list[Text] = field(default_factory=list)
    calls: int = 0

    def tag(self, texts: Sequence[Text]) -> Taggings:
        self.calls += 1
        self.asked.extend(texts)
        words = [tagged_words(text) for text in texts]
        tags = [tag for each in words for tag in self.rule(each)]
        logits = np.zeros((len(tags), len(self.card.labels)))
        for row, tag in enumerate(tags):
            logits[row] = np.nan if tag is None else [4.0 * (label == tag) for label in self.card.labels]
        starts = np.cumsum([0, *map(len, words)]).astype(np.int64)
        return Taggings(logits=logits, starts=starts, labels=self.card.labels)


TAGS = ("O", "B-person", "I-person", "B-place", "I-place")


def tagger_card(labels: tuple[str, ...] = TAGS) -> ModelCard:
    card = model_card(labels=labels, problem=ProblemType.TOKEN)
    return card.model_copy(update={"capabilities": frozenset({Capability.TAG})})


Finder = Callable[[str, str], str | None]


@dataclass
class FakeReader:
    """A reader that answers `rule(question, context)`: a part of the context, or None for "no answer"."""

    rule: Finder
    card: ModelCard = field(default_factory=lambda: reader_card())
    asked: list[Text] = field(default_factory=list)
    calls: int = 0

    def answer(self, texts: Sequence[Text]) -> Answers:
        self.calls += 1
        self.asked.extend(texts)
        return Answers.of([_found(context, self.rule(question, context)) for question, context in texts], tolerance=0)


def _found(context: str, answer: str | None) -> tuple[str, int, int, float, float, float, float]:
    text = context.split()[0] if answer is None else answer
    start = context.index(text)
    return text, start, start + len(text), 4.0, 1.0, 4.1, 6.0 if answer is None else 0.0


def reader_card() -> ModelCard:
    card = model_card(labels=(), problem=ProblemType.SPAN)
    return card.model_copy(update={"capabilities": frozenset({Capability.ANSWER})})


WordRule = Callable[[str, Scoring], float]


@dataclass
class FakeScorer:
    """A language model that gives each word, as a token, the log-probability `rule(word, how)`, whatever surrounds it.

    It reads `longest` words of a text.
    """

    rule: WordRule
    card: ModelCard = field(default_factory=lambda: language_card())
    longest: int = 512
    asked: list[Text] = field(default_factory=list)
    calls: int = 0

    def score(
        self,
        texts: Sequence[Text],
        *,
        rule: Scoring | None = None,
        counted: Sequence[tuple[int, int]] | None = None,
    ) -> Likelihoods:
        self.calls += 1
        self.asked.extend(texts)
        rule = rule or self.card.scoring
        spans = [passage(text)[1] for text in texts] if counted is None else counted
        words = [
            [each for each in re.finditer(r"\S+", passage(text)[0]) if each.end() > a and each.start() < b]
            for text, (a, b) in zip(texts, spans, strict=True)
        ]
        read = [each[: self.longest] for each in words]
        return Likelihoods(
            logs=np.array([self.rule(word[0], rule) for each in read for word in each], dtype=np.float64),
            ids=np.array([_token(word[0]) for each in read for word in each], dtype=np.int64),
            starts=np.cumsum([0, *map(len, read)]).astype(np.int64),
            spans=np.array([(each[0].start(), each[-1].end()) if each else (0, 0) for each in read]).reshape(-1, 2),
            unscored=np.array([len(all_) - len(each) for all_, each in zip(words, read, strict=True)], dtype=np.int64),
        )

    def token_counts(self, texts: Sequence[Text]) -> tuple[Ints, Ints]:
        return np.array([len(passage(text)[0].split()) for text in texts]), np.zeros(len(texts), dtype=np.int64)


def language_card(problem: ProblemType = ProblemType.CAUSAL_LM) -> ModelCard:
    card = model_card(labels=(), problem=problem)
    return card.model_copy(update={"capabilities": frozenset({Capability.SCORE, Capability.TOKENIZE})})


WritingRule = Callable[[str, int], str]


@dataclass
class FakeGenerator:
    """A generator that writes `rule(prompt, sample)`, cut to `max_tokens` words; each word is a token."""

    rule: WritingRule
    card: ModelCard = field(default_factory=lambda: generator_card())
    asked: list[str] = field(default_factory=list)
    decodings: list[Decoding] = field(default_factory=list)
    calls: int = 0

    def generate(self, prompts: Sequence[str], decoding: Decoding = GREEDY) -> Generations:
        self.calls += 1
        self.asked.extend(prompts)
        self.decodings.append(decoding)
        written = [self.rule(prompt, k).split() for prompt in prompts for k in range(decoding.samples)]
        tokens = np.array([min(len(words) + 1, decoding.max_tokens) for words in written], dtype=np.int64)
        return Generations(
            texts=[" ".join(words[: decoding.max_tokens]) for words in written],
            tokens=tokens,
            finished=np.array([len(words) < decoding.max_tokens for words in written], dtype=bool),
            logs=-1.0 * tokens,
            cut=np.zeros(len(prompts), dtype=np.int64),
            near=np.zeros(len(written), dtype=bool),
            samples=decoding.samples,
        )


def generator_card(problem: ProblemType = ProblemType.CAUSAL_LM, *, chat: bool = False) -> ModelCard:
    card = model_card(labels=(), problem=problem)
    capabilities = frozenset({Capability.GENERATE, Capability.SCORE, Capability.TOKENIZE})
    return card.model_copy(update={"capabilities": capabilities, "chat": chat})


FillingRule = Callable[[str], Mapping[str, float]]


@dataclass
class FakeFiller:
    """A masked language model whose blanks are filled with `rule(text)`: its whole vocabulary with probabilities."""

    rule: FillingRule
    card: ModelCard = field(default_factory=lambda: filler_card())
    asked: list[str] = field(default_factory=list)
    calls: int = 0

    def fill(self, texts: Sequence[str], *, count: int, words: Sequence[str] = ()) -> Fillings:
        self.calls += 1
        self.asked.extend(texts)
        chances = [self.rule(text) for text in texts]
        best = [sorted(each, key=lambda word: (-each[word], word))[:count] for each in chances]
        logs = [[np.log(each[word]) for word in own] for each, own in zip(chances, best, strict=True)]
        return Fillings(
            texts=[word for own in best for word in own],
            logs=np.array(logs, dtype=np.float64).reshape(len(texts), -1),
            words=np.log([[each.get(word, np.nan) for word in words] for each in chances]).reshape(len(texts), -1),
        )


def filler_card() -> ModelCard:
    card = language_card(ProblemType.MASKED_LM)
    return card.model_copy(update={"capabilities": card.capabilities | {Capability.FILL}})


def word_rule(word: str, how: Scoring) -> float:
    """Good words are expected, bad ones are not; all others by their length."""
    plain = word.strip(",.").lower()
    base = -1.0 if plain in GOOD else -6.0 if plain in BAD else -2.0 - 0.1 * len(plain)
    return base / 2 if how is Scoring.NONE_MASKED else base


def _bag(text: str) -> Floats:
    words = _WORDS.findall(text.lower())
    return np.sum([_word(word) for word in words], axis=0) if words else np.ones(16)


@cache
def _token(word: str) -> int:
    return int(generator(0, word).integers(2**31))


@cache
def _word(word: str) -> Floats:
    return generator(0, word).normal(size=16)


GOOD = ("good", "great", "lovely", "superb", "fine")
BAD = ("bad", "awful", "dull", "poor", "weak")
_GOOD, _BAD = frozenset(GOOD), frozenset(BAD)


def sentiment_rule(text: Text) -> tuple[float, float]:
    """Counts of negative and positive words, whatever their case; a tiny lean decides ties."""
    words = _WORDS.findall(str(text).lower())
    bad, good = (sum(map(listed.__contains__, words)) for listed in (_BAD, _GOOD))
    return (2.0 * bad + 0.1, 2.0 * good)


@pytest.fixture
def fake_model() -> FakeModel:
    return FakeModel(rule=sentiment_rule)


@pytest.fixture
def sentiment_examples() -> list[Example]:
    """120 labelled sentences, balanced, with a two-valued group."""
    return list(_sentiment_examples())


@cache
def _sentiment_examples() -> tuple[Example, ...]:
    subjects = ("film", "meal", "hotel", "phone", "book", "song", "room", "jacket", "lesson", "train", "game", "tea")
    return tuple(
        Example.of(
            f"The {subject} was {word}, and we don't regret the {number} hours we spent there.",
            gold="positive" if word in GOOD else "negative",
            groups={"place": "indoors" if number == "two" else "outdoors"},
        )
        for subject in subjects
        for word in (*GOOD, *BAD)
        for number in ("two",)
    )
