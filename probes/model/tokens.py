"""Texts to token ids, exactly as the model's own tokenizer does it; the Rust tokenizer is called directly."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from probes.core.answers import Ints
from probes.core.errors import DataError, ModelError
from probes.core.examples import Text
from probes.core.taggings import tagged_words
from probes.core.words import Span, between_blanks, spans
from probes.model.alignment import Offsets, aligned
from probes.model.pooling import SPECIAL, owners
from probes.model.sequences import Ids, Sequences, flat, packed
from probes.model.splice import splicer
from probes.model.windows import Windows, windows


class Encoder:
    """Text to tokens exactly as the model's own tokenizer does it, special tokens added, cut to `max_length`.

    Of a pair the longer text is cut first.

    Args:
        tokenizer: as loaded by transformers; it belongs to the encoder from now on.
        max_length: tokens, special tokens included.
        token_types: whether the model reads token type ids.
    """

    def __init__(self, tokenizer: Any, *, max_length: int, token_types: bool) -> None:
        self.tokenizer = tokenizer
        self.max_length = max_length
        self.token_types = token_types
        self._rust = tokenizer.backend_tokenizer if tokenizer.is_fast else None
        if self._rust is not None:
            side = tokenizer.truncation_side
            self._rust.enable_truncation(max_length, strategy="longest_first", direction=side)
            self._rust.no_padding()
        self._splicer = splicer(self._rust, max_length=max_length) if self._rust is not None else None

    def encode(self, texts: Sequence[Text]) -> Sequences:
        """Tokenize n texts or pairs.

        Raises:
            DataError: a text that the tokenizer cannot read, or of which no token is left.
        """
        return _readable(self._encode, texts)

    def encode_whole(self, texts: Sequence[str]) -> list[tuple[list[int], Offsets]]:
        """The ids of each text and the characters each is made of; no special token is added and nothing is cut off.

        Raises:
            DataError: a text that the tokenizer cannot read.
            ModelError: a tokenizer without offsets, whose tokens cannot be found again in a text.
        """
        with _telling_unreadable():
            return self._whole_rust(texts) if self._rust is not None else [self._whole_python(text) for text in texts]

    def _whole_rust(self, texts: Sequence[str]) -> list[tuple[list[int], Offsets]]:
        with self._uncut() as rust:
            encodings = rust.encode_batch(list(texts), add_special_tokens=False)
        return [(each.ids, each.offsets) for each in encodings]

    def _whole_python(self, text: str) -> tuple[list[int], Offsets]:
        ids = self._bare_python(text)
        return ids, self._aligned(text, ids, [0] * len(ids))[0]

    def encode_bare(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text; no special token is added and nothing is cut off.

        Raises:
            DataError: a text that the tokenizer cannot read.
        """
        with _telling_unreadable():
            if self._rust is None:
                return [self._bare_python(text) for text in texts]
            with self._uncut() as rust:
                return [each.ids for each in rust.encode_batch_fast(list(texts), add_special_tokens=False)]

    def _bare_python(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.convert_tokens_to_ids(self.tokenizer.tokenize(text))
        return ids

    def encode_targets(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text as a decoder writes it, which some tokenizers cut otherwise; no special token is added
        and nothing is cut off.

        Raises:
            DataError: a text that the tokenizer cannot read.
        """
        with _telling_unreadable():
            return self._targets(texts, add_special_tokens=False) if texts else []

    @cached_property
    def target_opening(self) -> list[int]:
        """What stands before the tokens of every text that a decoder writes."""
        (whole,), (own,) = self._targets(["a"]), self.encode_targets(["a"])
        at = next(place for place in range(len(whole)) if whole[place : place + len(own)] == own)
        return whole[:at]

    def _targets(self, texts: Sequence[str], **how: bool) -> list[list[int]]:
        with nullcontext() if self._rust is None else self._uncut():  # the call sets what is cut off, too
            ids: list[list[int]] = self.tokenizer(text_target=list(texts), **how)["input_ids"]
        return ids

    def decode(self, rows: Sequence[list[int]]) -> list[str]:
        """The texts that rows of ids spell, without special tokens; ids beyond the vocabulary, which networks have room
        for and sometimes write, spell nothing."""
        spelt = [[token for token in row if token <= self._last] for row in rows]
        texts: list[str] = self.tokenizer.batch_decode(spelt, skip_special_tokens=True) if rows else []
        return texts

    @cached_property
    def _last(self) -> int:
        return int(max(self.tokenizer.get_vocab().values()))

    def holding(self, texts: Sequence[str]) -> Ints:
        """The ids of all tokens that, written alone, hold one of the texts."""
        found = [number for number, spelt in enumerate(self._spelt) if any(text in spelt for text in texts)]
        return np.array(found, dtype=np.int64)

    @cached_property
    def _spelt(self) -> list[str]:
        spelt: list[str] = self.tokenizer.batch_decode([[number] for number in range(len(self.tokenizer))])
        return spelt

    @contextmanager
    def _uncut(self) -> Iterator[Any]:
        """The tokenizer while it cuts nothing off."""
        assert self._rust is not None
        limits = self._rust.truncation
        self._rust.no_truncation()
        try:
            yield self._rust
        finally:
            self._rust.enable_truncation(**limits)

    @cached_property
    def frame(self) -> tuple[list[int], list[int]]:
        """What it puts before and behind the tokens of every text."""
        whole = self.encode(["a"]).ids.tolist()
        (own,) = self.encode_bare(["a"])
        at = next(place for place in range(len(whole)) if whole[place : place + len(own)] == own)
        return whole[:at], whole[at + len(own) :]

    @property
    def opening(self) -> list[int]:
        """The token for the beginning (or else the end) of a text, for models whose tokenizer puts none before it."""
        begin, end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        return [int(token) for token in (begin, end) if token is not None][:1]

    def encode_words(self, texts: Sequence[Text]) -> Sequences:
        """The same sequences as `encode`, with the word each token belongs to (see `probes.model.pooling`).

        Raises:
            DataError: as for `encode`.
            ModelError: a tokenizer without offsets, whose tokens cannot be found again in a text.
        """
        return _readable(self._words_rust if self._rust is not None else self._words_python, texts)

    def encode_places(self, texts: Sequence[Text], places: Sequence[Sequence[Span]]) -> Sequences:
        """The same sequences as `encode`; `words` numbers, of each text, the given place that a token belongs to.

        Raises:
            DataError, ModelError: as for `encode_words`.
        """
        given = iter(places)
        among = lambda _: next(given)  # noqa: E731  # texts are read one by one, in order
        if self._rust is not None:
            return _readable(lambda some: self._words_rust(some, among=among), texts)
        return _readable(lambda some: self._words_python(some, among=among), texts)

    def encode_tagged(self, texts: Sequence[Text]) -> Sequences:
        """Sequences of texts as words with one blank between them, where `words` numbers the first token of each word.

        These are the tokens that the usual training gives the labels to: a blank that is a token of its own, as in
        SentencePiece, is the first of the word behind it. All other tokens count as special. A word cut off, or of
        which the tokenizer leaves nothing, has no number.

        Raises:
            DataError: as for `encode`, and for a pair.
        """
        if any(not isinstance(text, str) for text in texts):
            raise DataError("a tagger reads one text, not a pair", hint="name one text column with --text-column")
        plain = [" ".join(tagged_words(text)) for text in texts]
        rows = _readable(self._tagged_rust if self._rust is not None else self._tagged_python, plain)
        assert rows.words is not None
        return replace(rows, words=_first_tokens(rows.words, rows.starts))

    def encode_questions(self, pairs: Sequence[Text]) -> Windows:
        """Windows of pairs of question and context, which overlap and hold the whole of each context.

        Raises:
            DataError: as for `encode`, and for a single text.
            ModelError: a tokenizer without offsets, whose tokens cannot be found again in a text.
        """
        if self._rust is None:
            raise ModelError(
                f"{type(self.tokenizer).__name__} does not say where its tokens are in a text",
                hint="save the model with a fast tokenizer, which does",
            )
        special = (self.tokenizer.cls_token_id, self.tokenizer.bos_token_id)
        with _telling_unreadable():
            return windows(
                self._windowing,
                pairs,
                max_length=self.max_length,
                token_types=self.token_types,
                null=next((token for token in special if token is not None), None),
                context_first=self.tokenizer.padding_side == "left",
            )

    @cached_property
    def _windowing(self) -> Any:
        """A copy, because what it cuts and how is set in the tokenizer itself."""
        return copy.deepcopy(self._rust)

    def _tagged_rust(self, texts: Sequence[Text]) -> Sequences:
        return self._words_rust(texts, among=between_blanks)

    def _tagged_python(self, texts: Sequence[Text]) -> Sequences:
        """Word by word: a tokenizer without offsets says nothing else of where a token comes from."""
        rows = [self._tag_one(tagged_words(text)) for text in texts]
        types = [encoding["token_type_ids"] for encoding, _ in rows] if self.token_types else None
        packing = packed([encoding["input_ids"] for encoding, _ in rows], types)
        return replace(packing, words=flat([words for _, words in rows], len(packing.ids)))

    def _tag_one(self, words: list[str]) -> tuple[Any, list[int]]:
        # By place and not by id: a text may hold the name of a special token.
        encoding = self._call(words, is_split_into_words=True, return_special_tokens_mask=True)
        counts = [len(self.tokenizer.tokenize(word, is_split_into_words=True)) for word in words]
        owning = [number for number, count in enumerate(counts) for _ in range(count)]
        added = encoding["special_tokens_mask"]
        kept = len(added) - sum(added)
        left = self.tokenizer.truncation_side == "left"
        own = iter(owning[len(owning) - kept :] if left else owning[:kept])
        return encoding, [SPECIAL if flag else next(own) for flag in added]

    def _words_rust(self, texts: Sequence[Text], among: Callable[[Text], Sequence[Span]] = spans) -> Sequences:
        assert self._rust is not None
        encodings = self._rust.encode_batch(texts)
        rows = packed(
            [each.ids for each in encodings], [each.type_ids for each in encodings] if self.token_types else None
        )
        words = [
            owners(text, each.offsets, each.sequence_ids, each.special_tokens_mask, among=among)
            for text, each in zip(texts, encodings, strict=True)
        ]
        return replace(rows, words=flat(words, len(rows.ids)))

    def _words_python(self, texts: Sequence[Text], among: Callable[[Text], Sequence[Span]] = spans) -> Sequences:
        rows = self._encode_python(texts)
        ids = [rows.ids[a:b].tolist() for a, b in pairwise(rows.starts.tolist())]
        words = [self._found(text, row, among) for text, row in zip(texts, ids, strict=True)]
        return replace(rows, words=flat(words, len(rows.ids)))

    def _found(self, text: Text, ids: list[int], among: Callable[[Text], Sequence[Span]]) -> list[int]:
        special = self._special(ids)
        offsets, parts = self._aligned(text, ids, special)
        return owners(text, offsets, parts, special, among=among)

    def _aligned(self, text: Text, ids: list[int], special: list[int]) -> tuple[Offsets, list[int | None]]:
        try:
            return aligned(text, self.tokenizer.convert_ids_to_tokens(ids), special, unknown=self.tokenizer.unk_token)
        except LookupError as error:
            raise ModelError(
                f"{type(self.tokenizer).__name__} does not say where its tokens are in a text ({error} is not found)",
                hint="save the model with a fast tokenizer, which does",
            ) from error

    def _special(self, ids: list[int]) -> list[int]:
        """1 for tokens that the tokenizer added; unknown words are none of them."""
        mask = self.tokenizer.get_special_tokens_mask(ids, already_has_special_tokens=True)
        unknown = self.tokenizer.unk_token_id
        return [int(flag and token != unknown) for flag, token in zip(mask, ids, strict=True)]

    def _encode(self, texts: Sequence[Text]) -> Sequences:
        if self._rust is None:
            return self._encode_python(texts)
        singles = [text for text in texts if isinstance(text, str)]
        if self._splicer is None or len(singles) < len(texts):
            return self._encode_rust(texts)
        rows = self._splicer.encode(singles)
        return replace(rows, types=np.zeros_like(rows.ids)) if self.token_types else rows

    def _encode_rust(self, texts: Sequence[Text]) -> Sequences:
        assert self._rust is not None
        encodings = self._rust.encode_batch_fast(texts)
        ids = [encoding.ids for encoding in encodings]
        types = [encoding.type_ids for encoding in encodings] if self.token_types else None
        return packed(ids, types)

    def _encode_python(self, texts: Sequence[Text]) -> Sequences:
        encodings = [self._encode_one(*((text,) if isinstance(text, str) else text)) for text in texts]
        ids = [encoding["input_ids"] for encoding in encodings]
        types = [encoding["token_type_ids"] for encoding in encodings] if self.token_types else None
        return packed(ids, types)

    def _encode_one(self, text: str, pair: str | None = None) -> Any:
        return self._call(text, pair)

    def _call(self, *texts: str | list[str] | None, **how: Any) -> Any:
        return self.tokenizer(
            *texts,
            truncation="longest_first",
            max_length=self.max_length,
            return_token_type_ids=self.token_types,
            **how,
        )


def _first_tokens(words: Ids, starts: Ints) -> Ids:
    """(tokens,) words without all tokens of a word but the first."""
    first = np.full_like(words, SPECIAL)
    for begin, end in pairwise(starts.tolist()):
        numbers, places = np.unique(words[begin:end], return_index=True)
        first[begin + places[numbers >= 0]] = numbers[numbers >= 0]
    return first


def _readable(encode: Callable[[Sequence[Text]], Sequences], texts: Sequence[Text]) -> Sequences:
    with _telling_unreadable():
        rows = encode(texts)
    if len(texts) and not rows.lengths.all():
        raise empty_text()
    return rows


@contextmanager
def _telling_unreadable() -> Iterator[None]:
    try:
        yield
    except (TypeError, UnicodeEncodeError) as error:
        raise DataError(
            "a text cannot be tokenized: it holds half of a surrogate pair",
            hint="repair the encoding of the data: text.encode('utf-16', 'surrogatepass').decode('utf-16')",
        ) from error


def empty_text() -> DataError:
    """The error of a text of which the tokenizer leaves nothing."""
    return DataError("the model cannot read an empty text: no token is left of it", hint="remove empty texts")
