"""The best spans of a window: from the logits of starts and ends to a short list for each row."""

from __future__ import annotations

import torch

BEST = 20
"""Spans that are kept of each window, and of each context: `n_best_size` of the reference."""
LONGEST = 30
"""Tokens in an answer at most: `max_answer_length` of the reference."""
NUMBERS = 1 + 3 * BEST
"""In a row: the score of "no answer", then scores, first tokens and last tokens of the best spans, best first."""
NEVER = -1e30
"""The score of a place that cannot be an answer; finite, so that it is told from broken weights."""


def best_spans(start: torch.Tensor, end: torch.Tensor, *, inside: torch.Tensor, null: torch.Tensor) -> torch.Tensor:
    """(rows, NUMBERS) of (rows, tokens) logits.

    Every pair of tokens is tried, not only the best starts with the best ends as in the reference: where its short list
    holds the best span, the two agree.

    Args:
        inside: (rows, tokens) is the token one of the context.
        null: (rows, 1) the token whose logits say "no answer".
    """
    start, end = start.float(), end.float()
    nothing = start.gather(1, null) + end.gather(1, null)
    start, end = torch.where(inside, start, NEVER), torch.where(inside, end, NEVER)
    reach = min(LONGEST, start.shape[1])
    ends = torch.nn.functional.pad(end, (0, reach - 1), value=NEVER).unfold(1, reach, 1)
    scores = (start[:, :, None] + ends).flatten(1)
    top = scores.topk(min(BEST, scores.shape[1]))
    short = BEST - top.values.shape[1]
    first = top.indices // reach
    places = (first, first + top.indices % reach)
    values = torch.nn.functional.pad(top.values, (0, short), value=NEVER)
    tokens = [torch.nn.functional.pad(place, (0, short)).float() for place in places]
    return torch.cat([nothing, values, *tokens], dim=1)
