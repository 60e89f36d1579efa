"""Why a number of two runs has no paired difference, and how exactly it must follow from what was kept."""

from __future__ import annotations

PLACES = 1e-9
"""How close a number that is computed again must come to the published one."""

NOT_KEPT = "this number is not kept item by item"
NO_PART = "the items of this part are not kept apart"
NOT_THE_SAME = "the items that were kept do not give this number"
OTHER_TOKENS = "the two models cut these texts into different tokens: compare by word or byte"
OTHER_LENGTH = "the two models did not read the same of these texts"
