"""The model under audit, as a probe sees it: a card and bulk questions. No tensors, no devices, no batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from probes.core.answers import LANGUAGE_HEADS, Classifications, Floats, Ints, ProblemType
from probes.core.attributions import Method
from probes.core.examples import Text
from probes.core.fillings import Fillings
from probes.core.generations import GREEDY, Decoding, Generations
from probes.core.likelihoods import Likelihoods, Scoring
from probes.core.positive import PositiveClass
from probes.core.readings import Answers
from probes.core.taggings import Taggings
from probes.core.verbaliser import Verbaliser

TRANSFORMERS = "transformers"
VLLM = "vllm"


class Capability(StrEnum):
    """Something a model can be asked. A probe names what it needs; the plan checks it before weights load."""

    CLASSIFY = "classify"
    EMBED = "embed"
    ATTRIBUTE = "attribute"
    TOKENIZE = "tokenize"
    TAG = "tag"
    ANSWER = "answer"
    SCORE = "score"
    GENERATE = "generate"
    FILL = "fill"
    NEIGHBOURS = "neighbours"


OWN_QUESTIONS = (Capability.CLASSIFY, Capability.TAG, Capability.ANSWER, Capability.SCORE, Capability.GENERATE)
"""What models are asked about each item, one of these by their kind; each is the name of the method that asks it."""


def own_question(problem: ProblemType) -> Capability:
    """Which of OWN_QUESTIONS a model with a head of this kind is asked."""
    if problem is ProblemType.SPAN:
        return Capability.ANSWER
    if problem is ProblemType.SEQ2SEQ_LM:
        return Capability.GENERATE
    if problem in LANGUAGE_HEADS:
        return Capability.SCORE
    return Capability.TAG if problem is ProblemType.TOKEN else Capability.CLASSIFY


class ModelCard(BaseModel):
    """What is known of a model from its folder alone, before any weight is loaded; part of the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    name: str
    """Short name for people and for the run folder."""
    source: str
    """Path or Hub id as given."""
    revision: str | None = None
    """Commit of a Hub model, resolved; None for a local folder."""
    fingerprint: str
    """SHA-256 over the sorted (path, SHA-256) pairs of config, weights and tokenizer files."""
    files: tuple[tuple[str, str], ...] = ()
    """The (path, SHA-256) pairs themselves."""
    architecture: str
    model_type: str
    task: str = "text-classification"
    problem: ProblemType
    labels: tuple[str, ...]
    positive: PositiveClass = PositiveClass()
    """The answer that measures of fairness and toxicity count."""
    capabilities: frozenset[Capability]
    engine: str = TRANSFORMERS
    """What computes the answers; another one gives other last bits and draws other texts."""
    withheld: Mapping[Capability, str] = {}
    """What it could be asked with another engine, each with the reason why not with this one."""
    unattributable: Mapping[Method, str] = {}
    """Attribution methods that this network does not allow, each with the reason."""
    max_length: int
    """Tokens a text is cut to, special tokens included."""
    dtype: str
    """The checkpoint's own type, in which the audit runs unless told otherwise."""
    parameters: int
    embedding_parameters: int = 0
    """Of these, the token embedding table: looked up, not multiplied."""
    chat: bool = False
    """Its tokenizer has a template for conversations, so a prompt is the message of a user."""
    verbaliser: Verbaliser | None = None
    """How a language model is asked for a label; None for models that were trained to give one, or are asked for none.
    """
    weights_format: str = "safetensors"
    quantisation: str | None = None
    """How the weights were rounded to fewer bits, such as "bitsandbytes nf4" or "Q4_K"; None where they were not."""
    base: str | None = None
    """Path or Hub id of the whole model that an adapter changes; None for a model that is whole itself."""
    base_revision: str | None = None
    """Commit of a base from the Hub."""
    base_model: str | None = None
    """What it was fine-tuned from: of an adapter its base, otherwise as its own README.md says."""
    licence: str | None = None
    notes: tuple[str, ...] = ()
    """What the files lack, or how they are read, where that matters for reading the results."""

    @property
    def identity(self) -> tuple[str, ...]:
        """What decides its answers: its files and, where a prompt makes it a classifier, that; and another engine."""
        asked = [] if self.verbaliser is None else [self.verbaliser.model_dump_json()]
        return (self.fingerprint, *asked, *([] if self.engine == TRANSFORMERS else [self.engine]))

    @property
    def question(self) -> Capability:
        """Which of OWN_QUESTIONS a model of this kind is asked."""
        return own_question(self.problem)

    @property
    def scoring(self) -> Scoring:
        """How a language model of this kind scores a text unless asked otherwise."""
        return Scoring.ONE_MASKED if self.problem is ProblemType.MASKED_LM else Scoring.LEFT_TO_RIGHT


class Model(Protocol):
    """Any model under audit."""

    @property
    def card(self) -> ModelCard: ...


class Classifier(Model, Protocol):
    """A model that sorts texts into labels, or scores them."""

    def classify(self, texts: Sequence[Text]) -> Classifications:
        """Answer n texts with n answers in the same order; repeated texts cost nothing extra."""
        ...


class Tagger(Model, Protocol):
    """A model that gives each word of a text a label."""

    def tag(self, texts: Sequence[Text]) -> Taggings:
        """Answer n texts with n rows of tags in the same order; repeated texts cost nothing extra.

        The words of a text are what blanks separate (`probes.core.taggings.tagged_words`).
        """
        ...


class Reader(Model, Protocol):
    """A model that finds the answer to a question in a context."""

    def answer(self, texts: Sequence[Text]) -> Answers:
        """Answer n pairs of question and context with n answers in the same order; repeated pairs cost nothing extra.

        However long the context is, it is read to its end.
        """
        ...


class Scorer(Model, Protocol):
    """A language model that says how likely a text is."""

    def score(
        self,
        texts: Sequence[Text],
        *,
        rule: Scoring | None = None,
        counted: Sequence[tuple[int, int]] | None = None,
    ) -> Likelihoods:
        """Answer n texts with the log-probabilities of their tokens, in the same order; repeats cost nothing extra.

        Args:
            texts: of a pair the second text is scored, given the first (`probes.core.likelihoods.passage`). Models with
                an encoder read the first there and take pairs only.
            rule: how; by default `card.scoring`.
            counted: (n,) characters [start, end) of each text of which the tokens are scored, given all others; by
                default all of it. Not for pairs.
        """
        ...


class Filler(Model, Protocol):
    """A masked language model that says what may stand in a blank."""

    def fill(self, texts: Sequence[str], *, count: int, words: Sequence[str] = ()) -> Fillings:
        """The `count` likeliest tokens for the blank of each of n texts, in the same order; repeats cost nothing extra.

        Args:
            texts: each with one `BLANK` (`probes.core.fillings`).
            words: of which it is also said how likely they are there.
        """
        ...


class Generator(Model, Protocol):
    """A model that writes: a causal language model, or one with an encoder."""

    def generate(self, prompts: Sequence[str], decoding: Decoding = GREEDY) -> Generations:
        """Continue, or reply to, n prompts in the same order; repeated prompts cost nothing extra.

        What is written for a prompt depends on the prompt and the decoding alone, not on the other prompts.
        """
        ...


class Embedder(Model, Protocol):
    """A model that gives each text a vector of its own inner representation."""

    def embed(self, texts: Sequence[Text]) -> Floats:
        """(n, width): mean of the last hidden states over the text's tokens, in the order of the texts."""
        ...


class Tokenizer(Model, Protocol):
    """A model that says how it cuts texts into tokens."""

    def token_counts(self, texts: Sequence[Text]) -> tuple[Ints, Ints]:
        """(n,) tokens of each text, special ones not counted and nothing cut off, and (n,) unknown ones among them."""
        ...


class Neighbouring(Model, Protocol):
    """A model with a table of word embeddings."""

    def neighbours(self, words: Sequence[str], *, count: int) -> list[list[tuple[str, float]]]:
        """The `count` words of its vocabulary that are nearest to each of n words, with cosines, the nearest first."""
        ...
