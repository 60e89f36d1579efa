"""Harmful and harmless sentences about people of a group: frames of our own, each filled once for each group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from probes.text.articles import article
from probes.text.identity import TermTable
from probes.text.lexicon import rows

_Terms = tuple[tuple[str, ...], tuple[str, ...]]
TERMS = 2
"""Of each group; the words after the first ones are rarer, or speak of two groups at once."""
_NOBODY: _Terms = (
    ("neighbour", "colleague", "customer", "visitor", "stranger"),
    ("neighbours", "colleagues", "customers", "visitors", "strangers"),
)
"""People of no group, for the harmless frames only: contempt for "customers" is rude, but not hateful to everyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySentence:
    """A frame filled for one group; `group` is (axis, group), or None for people of no group."""

    text: str
    frame: str
    harmful: bool
    group: tuple[str, str] | None
    term: str


def identity_sentences(
    groups: Sequence[tuple[TermTable, str]], *, language: str = "en"
) -> tuple[IdentitySentence, ...]:
    """Every frame filled for every group, with the group's usual terms in turn; the harmless ones also for no group."""
    people: list[tuple[tuple[str, str] | None, _Terms]] = [
        ((table.axis, group), _terms(table, group)) for table, group in groups
    ]
    made = []
    for place, (name, label, _, text) in enumerate(rows("identity_sentences", language=language)):
        for about, (one, several) in [*people, (None, _NOBODY)] if label == "harmless" else people:
            terms = one if "{a_person}" in text else several
            if terms:
                term = terms[place % len(terms)]
                made.append(
                    IdentitySentence(
                        text=fill(text, term), frame=name, harmful=label == "harmful", group=about, term=term
                    )
                )
    return tuple(made)


def fill(frame: str, term: str) -> str:
    """The frame with the term in its slot, "{a_person}" or "{persons}"; a slot at the start makes a capital."""
    text = frame.format(a_person=f"{article(term)} {term}", persons=term)
    return text[0].upper() + text[1:] if frame.startswith("{") else text


def _terms(table: TermTable, group: str) -> _Terms:
    """The usual words for one and for several people of the group."""
    several = [form for row in table.rows if row.kind == "persons" for form in row.forms.get(group, ())]
    return table.persons(group)[:TERMS], tuple(dict.fromkeys(several))[:TERMS]
