"""Noise for draws that is the same on every device and depends on nothing but the row, the step and the token.

SplitMix64 (Steele, Lea and Flood 2014) as a function of a counter: integer arithmetic alone, so every device gives the
same bits, a dozen operations for each token of the vocabulary where the logits are, and nothing to move there.
"""

from __future__ import annotations

import torch

GAMMA = 0x9E3779B97F4A7C15


def gumbel(streams: torch.Tensor, *, step: int, width: int) -> torch.Tensor:
    """(rows, width) float32 of standard Gumbel noise, for one step of (rows,) streams."""
    starts = mixed(streams + _signed(GAMMA * (step + 1)))
    counters = torch.arange(1, width + 1, device=streams.device) * _signed(GAMMA)
    bits = mixed(starts[:, None] + counters)
    # The winners are where the uniform number is small: there float32 tells numbers apart best.
    uniform = (((bits >> 11) & (2**53 - 1)) | 1).to(torch.float32) * 2.0**-53
    return -torch.log(-torch.log1p(-uniform))


def mixed(states: torch.Tensor) -> torch.Tensor:
    """The outputs of SplitMix64 in these states (int64 taken as unsigned)."""
    states = (states ^ _shifted(states, 30)) * _signed(0xBF58476D1CE4E5B9)
    states = (states ^ _shifted(states, 27)) * _signed(0x94D049BB133111EB)
    return states ^ _shifted(states, 31)


def _shifted(states: torch.Tensor, by: int) -> torch.Tensor:
    """To the right, zeros moving in."""
    return (states >> by) & ((1 << (64 - by)) - 1)


def _signed(number: int) -> int:
    """The int64 of the same 64 bits."""
    return (number + 2**63) % 2**64 - 2**63
