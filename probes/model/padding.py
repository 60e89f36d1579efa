"""How a network is tried once it is loaded: what fills its short rows, and whether that moves its answers."""

from __future__ import annotations

from typing import Any

import numpy as np

from probes.core.answers import ProblemType
from probes.core.errors import ModelError
from probes.core.likelihoods import MASKING
from probes.core.model import Capability, ModelCard
from probes.model.apart import apart, farthest
from probes.model.batching import Batch
from probes.model.forward import Forward, Question
from probes.model.generation import HEAD, Habits, Write
from probes.model.passages import Passages
from probes.model.prompts import Prompts
from probes.model.scoring import scoring
from probes.model.sequences import Sequences
from probes.model.spans import BEST
from probes.model.tokens import Encoder
from probes.model.transduction import ScoreTarget, read_pairs

TWO_TOKENS = Write(longest=2, temperature=0, top_p=1, seed=0, habits=Habits(), tolerance=0)
"""What is asked to see how a network treats padding before a prompt."""
TRIAL = ("The quick brown fox jumps over the lazy dog, twice.", "A fox.")
"""A long text and a short one, to see how a network treats tokens and padding."""


def trial_of(card: ModelCard, encoder: Encoder, network: Any) -> tuple[Sequences, Question]:
    """TRIAL as the model reads it, and what it is asked about its items."""
    if card.problem is ProblemType.SEQ2SEQ_LM:
        pairs = read_pairs(encoder, [(text, TRIAL[1]) for text in TRIAL], network=network)
        return pairs.sequences, ScoreTarget.of(network, encoder, Habits.of(network, encoder.tokenizer))
    if card.question is Capability.SCORE:
        read = Passages.of(encoder, [(text, (0, len(text))) for text in TRIAL], starts=card.scoring not in MASKING)
        return read.sequences, scoring(card.scoring, network, encoder.tokenizer, shares=False)
    if card.question is Capability.ANSWER:
        return encoder.encode_questions([(TRIAL[1], text) for text in TRIAL]).sequences, card.question
    tagger = card.question is Capability.TAG
    return encoder.encode_tagged(TRIAL) if tagger else encoder.encode(TRIAL), card.question


def padding(network: Any, encoder: Encoder) -> int:
    """The id that fills short rows.

    Decoder classifiers (GPT-2, Llama) are often saved without one and then refuse batches; they answer at the last
    token that is not padding. So one is set, in memory only: a token that no text ends with.
    """
    config = network.config.get_text_config()
    if getattr(config, "pad_token_id", None) is not None:  # RWKV knows no such setting
        return int(config.pad_token_id)
    tokenizer = encoder.tokenizer
    candidates = (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id, 0, 1)
    last = encoder.encode(["a"]).ids[-1]
    pad = next(int(token) for token in candidates if token is not None and token != last)
    config.pad_token_id = pad
    return pad


def padding_is_neutral(forward: Forward, rows: Sequences, question: Question, *, tolerance: float) -> bool:
    """Whether a short text gets the same answer beside a long one as alone (XLNet, for one, reads its padding)."""
    if rows.lengths[0] == rows.lengths[1]:
        return True
    together, alone = forward([Batch(rows), Batch(rows.take(np.array([1])))], question)
    forward.seconds = 0.0
    scale = max(1.0, float(np.abs(alone).max()))
    if question is Capability.ANSWER:  # behind the scores are places, which near ties may swap
        together, alone = together[:, : 1 + BEST], alone[:, : 1 + BEST]
    beside = together[1, : alone.shape[1]]  # of words or tokens, the answer about a longer text is wider
    return farthest(beside, alone[0]) <= 100 * tolerance * scale or not bool(np.isfinite(alone).all())


def left_padding_is_neutral(card: ModelCard, forward: Forward, encoder: Encoder, *, tolerance: float) -> bool:
    """Whether a short prompt is continued beside a long one as alone (RWKV, for one, reads its padding)."""
    if card.problem is not ProblemType.CAUSAL_LM or Capability.GENERATE not in card.capabilities:
        return True
    prompts = Prompts.of(encoder, TRIAL, room=card.max_length - 2, chat=False).sequences
    if prompts.lengths[0] == prompts.lengths[1]:
        return True
    batches = [Batch(prompts), Batch(prompts.take(np.array([1])))]
    try:
        together, alone = (answer[-1] for answer in forward(batches, TWO_TOKENS))
    except ModelError:  # what cannot write can still be scored; whoever asks it to write is told
        return False
    forward.seconds = 0.0
    moved = apart(together, alone)
    first, second = moved[-2:] <= 10 * tolerance
    # Behind other tokens come other ones; whether these were a tie, the first log-probabilities say.
    return bool(first and (second or moved[HEAD] > 0))
