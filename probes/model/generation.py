"""What a network writes, as a question answered batch by batch like any other.

The loop is the `generate` of transformers: keys and values, position ids and encoders are its matter. Which token comes
next is decided here, by one `LogitsProcessor` whose highest score is the choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from transformers import GenerationConfig, LogitsProcessor, LogitsProcessorList, TopPLogitsWarper

from probes.core.answers import Ints
from probes.core.errors import ModelError
from probes.core.generations import Decoding
from probes.model.batching import Batch
from probes.model.draws import gumbel
from probes.model.failures import unlogged
from probes.model.families import Families
from probes.model.forward import Forward
from probes.model.sequences import Sequences
from probes.model.unfinished import Unfinished

STRETCH = 8
"""Tokens after which it is seen which texts have ended."""
HEAD = 3
"""Numbers of an answer before its tokens: how many there are, whether the model ended it, and its first near tie."""


@dataclass(frozen=True, kw_only=True)
class Habits:
    """What a checkpoint brings along that belongs to the network and not to a way of decoding.

    Everything else of its generation_config.json (temperature, penalties, beams, lengths, forced ends) is the taste of
    whoever saved it, and is left out: all models are asked in the same way.

    Attributes:
        ends: the tokens that end a text.
        begin: the one that a decoder with an encoder begins with; None for others.
        forced: the one it was trained to write first: the language of mBART, the start of BART.
        never: those it never writes, because it was not trained to avoid them: the padding of Marian.
    """

    ends: tuple[int, ...] = ()
    begin: int | None = None
    forced: int | None = None
    never: tuple[int, ...] = ()

    @classmethod
    def of(cls, network: Any, tokenizer: Any) -> Habits:
        """Those of a loaded network; what ends a text is for the network and for the tokenizer to say.

        Raises:
            ModelError: the network has no way to write.
        """
        if not network.can_generate():
            raise ModelError(
                f"transformers has no way to let a {type(network).__name__} write",
                hint="its texts can be scored; leave out the probes that have it write",
            )
        said = network.generation_config
        begin = said.decoder_start_token_id if said.decoder_start_token_id is not None else said.bos_token_id
        own = set(tokenizer.all_special_ids)
        return cls(
            ends=tuple(sorted({*_ids(said.eos_token_id), *_ids(tokenizer.eos_token_id)})),
            begin=_first(begin) if network.config.is_encoder_decoder else None,
            forced=_first(said.forced_bos_token_id),
            never=tuple(word[0] for word in said.bad_words_ids or () if len(word) == 1 and word[0] in own),
        )


@dataclass(frozen=True, kw_only=True)
class Write:
    """What comes after n sequences; part of the key of every answer.

    Attributes:
        longest: tokens after which it is stopped.
        temperature, top_p, seed: as in `Decoding`.
        habits: with the tokens that spell a text to stop at among its ends.
        tolerance: the two likeliest tokens are a near tie below this difference.
        keeps: keys and values can be gone on from, see `probes.model.unfinished`: texts that have ended cost nothing
            more, and a prompt is read once for all its samples.
    """

    longest: int
    temperature: float
    top_p: float
    seed: int
    habits: Habits
    tolerance: float
    keeps: bool = field(default=False, repr=False)

    @classmethod
    def of(
        cls, decoding: Decoding, habits: Habits, *, longest: int, stops: Ints, tolerance: float, keeps: bool = False
    ) -> Write:
        """The question to one network; of a greedy one the seed is no part.

        Args:
            longest: tokens that the network has room for, if these are fewer than asked for.
            stops: tokens that hold a text to stop at.
            keeps: as of the question.
        """
        drawn = decoding.temperature > 0
        return cls(
            longest=min(decoding.max_tokens, longest),
            temperature=decoding.temperature,
            top_p=decoding.top_p if drawn else 1.0,
            seed=decoding.seed if drawn else 0,
            habits=replace(habits, ends=tuple(sorted({*habits.ends, *stops.tolist()}))),
            tolerance=tolerance,
            keeps=keeps,
        )

    @property
    def width(self) -> int:
        """Numbers in an answer: HEAD, the tokens, and their log-probabilities."""
        return HEAD + 2 * self.longest

    def at_once(self, limit: int, longest: int) -> int:
        """Rows of `longest` tokens that go through the network together; keys and values grow with what is written."""
        return max(1, limit // (longest + self.longest))

    def families(self, sequences: Sequences, *, largest: int) -> Families:
        """Samples of one prompt; each counts with what it writes."""
        alone = Families.alone(sequences)
        found = Families.of(sequences, largest=largest, least=sequences.lengths) if self.keeps else alone
        return replace(found, costs=found.costs + self.longest * np.diff(found.starts))

    def __call__(self, forward: Forward, batch: Batch) -> torch.Tensor:
        """(rows, width) answers."""
        rows = batch.rows
        step = self.at_once(forward.limit, int(rows.lengths.max()))
        pieces = [np.arange(first, min(first + step, len(rows))) for first in range(0, len(rows), step)]
        return torch.cat([self._written(forward, Batch(rows.take(piece))) for piece in pieces])

    def _written(self, forward: Forward, batch: Batch) -> torch.Tensor:
        network = forward.network
        choose = Choose(self, self._streams(forward, batch), rows=len(batch.rows))
        # Where no token is masked, `generate` leaves the mask out, and the network warns that there is none.
        with torch.inference_mode(), _without_habits(network), unlogged():
            texts: Unfinished | None = Unfinished.of(forward, batch.rows, keeps=self.keeps)
            while texts is not None:
                texts = self._stretch(network, texts, choose, pad=forward.pad)
        return self._answers(choose)

    def _stretch(self, network: Any, texts: Unfinished, choose: Choose, *, pad: int) -> Unfinished | None:
        """Write some more tokens of each text; None when all have ended."""
        room = self.longest - len(choose.ids)
        choose.rows = texts.rows
        found = network.generate(
            **texts.inputs(),
            generation_config=self._settings(pad, min(room, STRETCH) if self.keeps else room),
            logits_processor=LogitsProcessorList([choose]),
        )
        if len(choose.ids) >= self.longest or not self.keeps:
            return None
        ended = self._ends(torch.stack(choose.ids, dim=1)[texts.rows]).any(dim=1)
        return None if bool(ended.all()) else texts.grown(found.sequences, found.past_key_values, ended)

    def _streams(self, forward: Forward, batch: Batch) -> torch.Tensor | None:
        """(rows,) of each row its own stream of draws: by the seed, the tokens and the number of the sample."""
        if self.temperature == 0:
            return None
        keys = b"".join(key[:8] for key in batch.rows.keys(f"draws {self.seed}".encode()[:64]))
        return forward.moved(np.frombuffer(keys, dtype="<i8").astype(np.int64))

    def _settings(self, pad: int, most: int) -> GenerationConfig:
        ends, never = list(self.habits.ends), [[token] for token in self.habits.never]
        return GenerationConfig(
            max_new_tokens=most,
            do_sample=False,
            use_cache=True,
            return_dict_in_generate=True,
            pad_token_id=pad,
            eos_token_id=ends or None,
            decoder_start_token_id=self.habits.begin,
            forced_bos_token_id=self.habits.forced,
            bad_words_ids=never or None,
        )

    def _ends(self, ids: torch.Tensor) -> torch.Tensor:
        """(rows, tokens): does the token end a text."""
        return torch.isin(ids, torch.tensor(self.habits.ends, dtype=ids.dtype, device=ids.device))

    def _answers(self, choose: Choose) -> torch.Tensor:
        """(rows, width), each row cut behind the first token that ends it."""
        ids, logs = torch.stack(choose.ids, dim=1), torch.stack(choose.logs, dim=1)
        near = torch.stack(choose.near, dim=1)
        places = torch.arange(ids.shape[1], device=ids.device)
        ending = self._ends(ids)
        ended = ending.any(dim=1)
        count = torch.where(ended, ending.int().argmax(dim=1) + 1, ids.shape[1])
        inside = places < count[:, None]
        tie = torch.where(near, places, self.longest).amin(dim=1)
        head = torch.stack([count, ended, tie], dim=1).float()
        room = (0, self.longest - ids.shape[1])
        columns = [
            torch.nn.functional.pad(torch.where(inside, part, 0.0), room) for part in (ids.float(), logs.float())
        ]
        return torch.cat([head, *columns], dim=1)


class Choose(LogitsProcessor):  # type: ignore[misc]  # transformers does not type it
    """Gives the token that comes next the highest score, and remembers it.

    A draw is the highest of the log-probabilities, each with Gumbel noise of its own added (Gumbel 1954; Maddison et
    al. 2014): an exact draw that depends on the row alone, where `torch.multinomial` depends on all of the batch.

    Attributes:
        rows: which of the batch are being written.
        ids, logs, near: step by step, (rows of the batch,) each: the token, its log-probability, and whether noise
            decided it; anything for those that are not being written any more.
    """

    def __init__(self, how: Write, streams: torch.Tensor | None, *, rows: int) -> None:
        self._how = how
        self._streams = streams
        self._size = rows
        self.rows = torch.arange(rows)
        self._nucleus = TopPLogitsWarper(how.top_p) if how.top_p < 1 else None
        self.ids: list[torch.Tensor] = []
        self.logs: list[torch.Tensor] = []
        self.near: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """(rows, vocabulary) scores whose highest is the choice, from those of the network."""
        scores = scores.float()
        wanted = scores if self._streams is None else self._drawn(input_ids, scores, self._streams[self.rows])
        chosen = wanted.argmax(dim=-1)
        first, second = scores.topk(2, dim=-1).values.unbind(dim=1)
        near = (first - second < self._how.tolerance) & (self._streams is None)
        self.ids.append(self._of_all(chosen))
        self.logs.append(self._of_all(scores.gather(1, chosen[:, None])[:, 0] - scores.logsumexp(dim=-1)))
        self.near.append(self._of_all(near))
        return wanted

    def _of_all(self, numbers: torch.Tensor) -> torch.Tensor:
        """(rows of the batch,), 0 for those that are not being written."""
        if len(numbers) == self._size:
            return numbers
        return numbers.new_zeros(self._size).index_put((self.rows,), numbers)

    def _drawn(self, input_ids: torch.Tensor, scores: torch.Tensor, streams: torch.Tensor) -> torch.Tensor:
        scores = scores / self._how.temperature
        if self._nucleus is not None:
            scores = self._nucleus(input_ids, scores)
        return scores + gumbel(streams, step=len(self.ids), width=scores.shape[1])


def decoder_positions(config: Any) -> int:
    """Tokens that the decoder of an encoder-decoder has places for, the one it begins with left out."""
    names = ("max_decoder_position_embeddings", "max_position_embeddings")
    found = (getattr(config, name, None) for name in names)
    places = next((number for number in found if isinstance(number, int) and number > 0), 10**9)
    return places - 1


@contextmanager
def _without_habits(network: Any) -> Iterator[None]:
    """The network while `generate` cannot fill in anything of the checkpoint's own settings."""
    own = network.generation_config
    network.generation_config = GenerationConfig()
    try:
        yield
    finally:
        network.generation_config = own


def _ids(token: int | list[int] | None) -> list[int]:
    if token is None:
        return []
    return [int(each) for each in token] if isinstance(token, list | tuple) else [int(token)]


def _first(token: int | list[int] | None) -> int | None:
    return next(iter(_ids(token)), None)
