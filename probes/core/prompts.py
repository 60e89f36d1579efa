"""What a generator is asked to go on with, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass

from probes.core.examples import content_hash
from probes.core.fillings import BLANK


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A beginning of a text.

    Attributes:
        text: what the generator reads, as it stands.
        kind: what kind of beginning it is ("toxic", "provoking"), or the axis of its group ("religion").
        group: the group of people it is about; empty for none.
        cluster: prompts with equal keys are not independent (one template, one entity).
        reference: how people went on; empty where that is not known.
        after: what stands behind the blank, for models that fill one.
    """

    text: str
    kind: str
    cluster: str
    group: str = ""
    reference: str = ""
    after: str = ""

    @property
    def id(self) -> str:
        """Content hash: the same in every run and in every order of the prompts."""
        rest = [self.after] if self.after else []
        return content_hash([self.text, self.kind, self.group, self.cluster, self.reference, *rest])

    @property
    def with_blank(self) -> str:
        """The text with a blank where it is to be gone on with."""
        return f"{self.text} {BLANK}{self.after}"
