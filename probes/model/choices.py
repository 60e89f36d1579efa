"""Multiple-choice heads, asked about one choice at a time.

Such a head gives each pair of context and choice one number, and training compares the numbers of one question: no
choice is read beside another. So a pair is asked like any other text, and the number is its score.
"""

from __future__ import annotations

from typing import Any

ENDING = "ForMultipleChoice"
"""How the architectures end."""
SCORE = "score"
"""What stands for a label."""


def one_at_a_time(network: Any) -> Any:
    """The network, reading (rows, tokens) as rows questions of one choice each: its logits are (rows, 1)."""
    network.register_forward_pre_hook(_as_single_choices, with_kwargs=True)
    return network


def _as_single_choices(_network: Any, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    return given, {
        name: value.unsqueeze(1) if getattr(value, "ndim", 0) > 1 else value for name, value in named.items()
    }
