"""Randomness derived from what it is for, never from a global state.

A generator for (seed, probe, example id, k) gives the same numbers whatever else runs, in whatever order: adding rows
or probes, resuming or changing the batch size changes no other result.
"""

from __future__ import annotations

import hashlib
import random

import numpy as np


def derive(seed: int, *keys: str | int) -> int:
    """A 128-bit integer determined by the seed and the keys."""
    text = "\x1f".join([str(seed), *(str(key) for key in keys)])
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=16).digest(), "big")


def rng(seed: int, *keys: str | int) -> random.Random:
    """A scalar generator, for editing texts."""
    return random.Random(derive(seed, *keys))


def generator(seed: int, *keys: str | int) -> np.random.Generator:
    """An array generator, for resampling."""
    return np.random.default_rng(derive(seed, *keys))
