"""How finely a number type can tell two probabilities apart."""

from __future__ import annotations

TOLERANCE = {"float32": 1e-5, "float16": 4e-3, "bfloat16": 2e-2}
"""How far a probability may move with the composition of the batch alone.

Largest moves seen between batches of one row and full ones, on a CPU, in ten small architectures with random weights
far rougher than trained ones: 9e-7, 2.7e-3 and 1.2e-2; in MiniLM: 5e-7, 4e-4 and 3e-3.
"""

LOG_TOLERANCE = {"float32": 1e-4, "float16": 4e-2, "bfloat16": 2e-1}
"""Likewise of a log-probability, which small probabilities move more: ten times that."""
