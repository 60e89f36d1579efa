"""How many tokens a tokenizer makes of a text, and how many of them it has no entry for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from probes.core.answers import Ints
from probes.core.examples import Text
from probes.model.tokens import Encoder


def token_counts(encoder: Encoder, texts: Sequence[Text]) -> tuple[Ints, Ints]:
    """(n,) tokens of each text, special ones not counted and nothing cut off, and (n,) unknown ones among them.

    The two texts of a pair are counted together. A tokenizer without a token for the unknown has none.
    """
    parts = [(text,) if isinstance(text, str) else text for text in texts]
    ids = _ids(encoder, list(chain.from_iterable(parts)))
    unknown = encoder.tokenizer.unk_token_id
    totals = np.array([len(row) for row in ids], dtype=np.int64)
    strange = np.array([row.count(unknown) for row in ids], dtype=np.int64)
    owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return _summed(totals, owner, n=len(parts)), _summed(strange, owner, n=len(parts))


def _ids(encoder: Encoder, parts: list[str]) -> list[list[int]]:
    tokenizer = encoder.tokenizer
    if not tokenizer.is_fast:
        return [tokenizer.convert_tokens_to_ids(tokenizer.tokenize(part)) for part in parts]
    # The encoder cuts at its length limit; what it cuts off is kept beside the text.
    encodings = tokenizer.backend_tokenizer.encode_batch(parts, add_special_tokens=False)
    return [list(chain(each.ids, *(rest.ids for rest in each.overflowing))) for each in encodings]


def _summed(counts: Ints, owner: Ints, *, n: int) -> Ints:
    total = np.zeros(n, dtype=np.int64)
    np.add.at(total, owner, counts)
    return total
