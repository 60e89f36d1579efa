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
    bits.bitwise_right_shift_(11).bitwise_and_(2**53 - 1).bitwise_or_(1)
    # The winners are where the uniform number is small: there float32 tells numbers apart best.
    return bits.to(torch.float32).mul_(-(2.0**-53)).log1p_().neg_().log_().neg_()


def mixed(states: torch.Tensor) -> torch.Tensor:
    """The outputs of SplitMix64 in these states (int64 taken as unsigned), in their place.

    A new matrix for every operation takes three times as long.
    """
    room = torch.empty_like(states)
    _folded(states, 30, room).mul_(_signed(0xBF58476D1CE4E5B9))
    _folded(states, 27, room).mul_(_signed(0x94D049BB133111EB))
    return _folded(states, 31, room)


def _folded(states: torch.Tensor, by: int, room: torch.Tensor) -> torch.Tensor:
    """Each combined with itself shifted to the right, zeros moving in."""
    torch.bitwise_right_shift(states, by, out=room)
    return states.bitwise_xor_(room.bitwise_and_((1 << (64 - by)) - 1))


def _signed(number: int) -> int:
    """The int64 of the same 64 bits."""
    return (number + 2**63) % 2**64 - 2**63
