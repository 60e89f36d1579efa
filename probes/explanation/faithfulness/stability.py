"""What becomes of an explanation when the text is edited and means the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from probes.core.answers import Bools, Classifications, changed
from probes.core.attributions import Attribution
from probes.core.attributors import Attributor
from probes.core.examples import Text
from probes.core.records import Accounting
from probes.explanation.explained import Explained
from probes.explanation.faithfulness.agreement import common, rank_correlation
from probes.explanation.faithfulness.scored import Scored, Why, left_out
from probes.text.perturbations import casing, lexical, punctuation, whitespace
from probes.text.perturbations.perturbation import Perturbation
from probes.text.variants import variants_of

SEVERITY = 3
"""Of 1 to 5: a fifth to a half of the places where the edit can be made."""

_CATALOGUE = (
    *casing.PERTURBATIONS,
    *lexical.PERTURBATIONS,
    *punctuation.PERTURBATIONS,
    *whitespace.PERTURBATIONS,
)
_NAMES = ("contractions", "doubled_spaces", "expansions", "line_breaks", "lower_case", "punctuation_added")
EDITS: Mapping[str, Perturbation] = {edit.name: edit for edit in _CATALOGUE if edit.name in _NAMES}
"""Edits after which a reader gives the same answer, and which leave most words where they are."""


@dataclass(frozen=True, kw_only=True)
class Edited:
    """What one edit did to the explanations of n items.

    Attributes:
        edit: its name in the catalogue, for the reader.
        values: (m,) rank correlations of the scores of the words in common, for each item that the edit changed.
        clusters: (m,).
        accounting: of the n items.
    """

    edit: str
    values: list[Scored]
    clusters: list[str]
    accounting: Accounting


def ask(model: Attributor, items: Explained, edits: Sequence[str], *, seed: int, step: float) -> list[Edited]:
    """Edit the texts, and explain the edited ones towards the answer first given.

    Args:
        seed: of the audit: the edited texts are those of the robustness probes.
        step: how far the answer of a regression must move to count as changed.
    """
    made = {edit: variants_of(items.examples, EDITS[edit], severities=(SEVERITY,), seed=seed) for edit in edits}
    texts = [text for variants in made.values() for text in variants.texts]
    rows = [int(row) for variants in made.values() for row in variants.item]
    values = _compared(model, items.take(np.array(rows, dtype=np.int64)), texts, step=step) if texts else []
    done, found = 0, []
    for edit, variants in made.items():
        own = values[done : done + len(variants.texts)]
        done += len(variants.texts)
        clusters = [items.clusters[row] for row in variants.item]
        name = EDITS[edit].title.lower()
        account = _accounting(len(items), len(variants.changed[SEVERITY]), own, name)
        found.append(Edited(edit=name, values=own, clusters=clusters, accounting=account))
    return found


def _compared(model: Attributor, items: Explained, texts: Sequence[Text], *, step: float) -> list[Scored]:
    """(m,) items and their edited texts."""
    answers = model.classify(texts)
    finite = np.asarray(np.isfinite(answers.logits).all(axis=1))
    same = finite & ~_changed(items.answers, answers, finite, step=step)
    rows = np.flatnonzero(same).tolist()
    found = model.attribute([texts[row] for row in rows], [items.targets[row] for row in rows], method=items.method)
    values: list[Scored] = [Why.ANSWER_CHANGED if known else Why.NOT_FINITE for known in finite]
    for row, after in zip(rows, found, strict=True):
        before = items.attributions[row]
        unseen = _same_reading(before, after)
        values[row] = Why.SAME_READING if unseen else rank_correlation(*common(before, after))
    return values


def _same_reading(before: Attribution, after: Attribution) -> bool:
    """Did the tokenizer undo the edit, so that the two explanations are one and the same, to the last bit."""
    return before.output == after.output and np.array_equal(before.scores, after.scores)


def _changed(before: Classifications, after: Classifications, finite: Bools, *, step: float) -> Bools:
    moved = np.zeros(len(finite), dtype=bool)
    moved[finite] = changed(before[finite], after[finite], step=step)
    return moved


def _accounting(eligible: int, perturbed: int, values: Sequence[Scored], edit: str) -> Accounting:
    numbers = sum(not isinstance(value, Why) for value in values)
    return Accounting(
        eligible=eligible,
        perturbed=perturbed,
        kept=len(values),
        scored=numbers,
        unscored=len(values) - numbers,
        note=left_out(values) if numbers < len(values) else "",
        slice={"edit": edit},
    )
