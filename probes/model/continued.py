"""Prompts with what was written for them, as a network reads both: which tokens count, and which word each is of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from probes.core.answers import Ints
from probes.core.errors import ModelError
from probes.core.verbaliser import Joint
from probes.model.aims import Aim, Continuation, Translation
from probes.model.passages import SCORED, Passages, Read, read
from probes.model.pooling import SPECIAL, owners
from probes.model.prompts import rendered
from probes.model.sequences import Ids, Sequences, flat
from probes.model.tokens import Encoder
from probes.model.transduction import ScoreTarget, read_pairs

Pair = tuple[str, str]
"""A prompt and what was written for it."""


@dataclass(frozen=True, kw_only=True)
class Continued:
    """n prompts, each with what was written for it.

    Attributes:
        passages: the tokens of both, of which those that were written are scored.
        words: (tokens,) the word of the prompt of each token, see `probes.model.pooling`; all others are special.
        explained: (n,) tokens of each text, from its first, among which those of the prompt are.
        cut: (n,) whether the end of the prompt is not read.
    """

    passages: Passages
    words: Ids
    explained: Ints
    cut: Sequence[bool]

    @classmethod
    def of(cls, encoder: Encoder, pairs: Sequence[Pair], *, chat: bool) -> Continued:
        """What a model that continues texts reads: both as one text, joined as `Joint` says.

        What is too long loses the beginning of its prompt.

        Args:
            chat: each prompt is the message of a user, in the template of the tokenizer.

        Raises:
            DataError: a text the tokenizer cannot read.
            ModelError: a template that fails, or that changes the message.
        """
        places = list(_placed(encoder.tokenizer, [prompt for prompt, _ in pairs])) if chat else []
        told = [text for text, _ in places] if chat else [prompt for prompt, _ in pairs]
        joints = [Joint.of(text, written, blank=not chat) for text, (_, written) in zip(told, pairs, strict=True)]
        rows = read(encoder, [(joint.text, joint.span) for joint in joints], starts=True, framed=not chat)
        starts = [at for _, at in places] if chat else [0] * len(pairs)
        words = [_words(prompt, at, row) for (prompt, _), at, row in zip(pairs, starts, rows, strict=True)]
        passages = Passages.put_together(rows, types=encoder.token_types)
        return cls(
            passages=passages,
            words=flat(words, len(passages.sequences.ids)),
            explained=passages.sequences.lengths,
            cut=[False] * len(pairs),
        )

    @classmethod
    def transformed(cls, encoder: Encoder, pairs: Sequence[Pair], *, network: Any) -> Continued:
        """What a model with an encoder reads: the prompt as the encoder's, what was written as the decoder's.

        Raises:
            DataError: a text the tokenizer cannot read, or a prompt of which it leaves nothing.
            ModelError: a tokenizer without offsets, whose tokens cannot be found again in a text.
        """
        passages = read_pairs(encoder, pairs, network=network)
        sources = encoder.encode_words([prompt for prompt, _ in pairs])
        assert sources.words is not None
        words = np.full(len(passages.sequences.ids), SPECIAL, dtype=np.int32)
        words[passages.sequences.words != SCORED] = sources.words
        cut = (sources.lengths >= encoder.max_length).tolist()
        return cls(passages=passages, words=words, explained=sources.lengths, cut=cut)

    @property
    def sequences(self) -> Sequences:
        """The tokens with the words they belong to; those that were written are the goals."""
        tokens = self.passages.sequences
        assert tokens.words is not None
        return replace(
            tokens,
            words=self.words,
            targets=np.zeros(len(tokens), dtype=np.int32),
            goals=(tokens.words == SCORED).astype(np.int32),
        )

    def words_of(self, row: int) -> Ids:
        """(tokens,): the words of the tokens among which those of one prompt are."""
        start = int(self.passages.sequences.starts[row])
        return self.words[start : start + int(self.explained[row])]


def aim_of(network: Any, target: ScoreTarget | None) -> Aim:
    """What is explained of a text that was written.

    Args:
        target: how what a decoder with an encoder writes is scored.
    """
    if target is not None:
        return Translation(target.vocabulary, target.opening)
    return Continuation(int(network.config.get_text_config().vocab_size))


def _placed(tokenizer: Any, prompts: Sequence[str]) -> Iterator[tuple[str, int]]:
    """Each prompt in the template, and where it begins there."""
    one, other = (rendered(tokenizer, text) for text in "ab")
    head = next(place for place, (a, b) in enumerate(zip(one, other, strict=True)) if a != b)
    for prompt in prompts:
        whole, bare = rendered(tokenizer, prompt), prompt.strip()
        at = whole.find(bare, head)
        if at < 0:
            raise ModelError(
                "the chat template of the tokenizer changes what a user writes, so its words are not found again",
                hint="repair chat_template in tokenizer_config.json, or leave out the probes that explain texts",
            )
        yield whole, at - prompt.index(bare)


def _words(prompt: str, at: int, row: Read) -> list[int]:
    """The word of the prompt, which begins at a character of the text, that each token belongs to."""
    shifted = [(start - at, end - at) for start, end in row.offsets]
    outside = [
        flag == SCORED or end <= 0 or start >= len(prompt) or start == end
        for flag, (start, end) in zip(row.flags, shifted, strict=True)
    ]
    clipped = [(max(start, 0), min(end, len(prompt))) for start, end in shifted]
    inside = [(0, 0) if out else place for out, place in zip(outside, clipped, strict=True)]
    return owners(prompt, inside, [None if out else 0 for out in outside], [0] * len(outside))
