"""Held-out texts with a candidate put in or taken out: as a reader sees them, and all of them in columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from probes.core.answers import Classifications, changed
from probes.core.attributions import Attribution
from probes.core.attributors import Attributor
from probes.core.examples import Text
from probes.core.probe import Context
from probes.core.records import Evidence, Outcomes, Shown
from probes.core.words import without
from probes.explanation.explained import gold_of, shown
from probes.explanation.shortcuts.findings import Finding
from probes.explanation.shortcuts.interventions import Effects, inserted, place

Kind = Literal["put in", "taken out"]
KINDS: tuple[Kind, ...] = ("put in", "taken out")
Chosen = Literal["random", "worst"]


class Case(NamedTuple):
    """A word put into, or taken out of, the held-out item in this row."""

    finding: Finding
    kind: Kind
    row: int

    @property
    def effects(self) -> Effects:
        return self.finding.insertion if self.kind == "put in" else self.finding.deletion

    @property
    def key(self) -> tuple[str, str, str, str]:
        """A name that does not depend on the order of anything."""
        candidate, example = self.finding.candidate, self.finding.held.items.examples[self.row]
        return candidate.word, candidate.label, self.kind, example.id

    @property
    def variant(self) -> str:
        """What was done to the text, the same in every run that tests this word."""
        return f"'{self.finding.candidate.word}' {self.kind} (towards {self.finding.candidate.label})"

    @property
    def before(self) -> Text:
        return self.finding.held.text(self.row)

    @property
    def after(self) -> Text:
        held, name = self.finding.held, self.finding.candidate.word
        if self.kind == "put in":
            return inserted(self.before, self.finding.candidate.spelling, place(held, self.row))
        words = zip(held.items.attributions[self.row].words, held.names[self.row], strict=True)
        return without(self.before, {span for span, found in words if found == name})


def cases(model: Attributor, findings: Sequence[Finding], ctx: Context) -> Iterator[Evidence]:
    """Random cases, then for each candidate in turn the insertion and the deletion that moved the answer most."""
    every = sorted((case for finding in findings for case in _all(finding)), key=lambda case: case.key)
    drawn = sorted(every, key=lambda case: ctx.rng("evidence", *case.key).random())[: ctx.random_cases]
    keys = {case.key for case in drawn}
    worst = [case for finding in findings for case in _most(finding) if case.key not in keys][: ctx.worst_cases]
    shown_cases: list[tuple[Case, Chosen]] = [(case, "random") for case in drawn]
    yield from _explained(model, [*shown_cases, *((case, "worst") for case in worst)])


def outcomes(findings: Sequence[Finding]) -> Outcomes:
    """One row for each held-out text and each word that was put into it or taken out of it."""
    rows, blocks = [], []
    for finding in findings:
        for kind in KINDS:
            effects = Case(finding, kind, 0).effects
            rows += [Case(finding, kind, int(row)) for row in effects.rows]
            blocks.append((finding.held.items.answers[effects.rows], effects.answers))
    examples = [case.finding.held.items.examples[case.row] for case in rows]
    return Outcomes(
        example_id=[example.id for example in examples],
        cluster=[example.cluster for example in examples],
        variant=[case.variant for case in rows],
        after=[name for _, after in blocks for name in after.names()],
        before=[name for before, _ in blocks for name in before.names()],
        gold=[gold_of(example) for example in examples],
        correct=[None] * len(rows),
        changed=[moved for before, after in blocks for moved in changed(before, after).tolist()],
        score=[score for _, after in blocks for score in after.confidence.tolist()],
    )


def _all(finding: Finding) -> Iterator[Case]:
    yield from (Case(finding, kind, int(row)) for kind in KINDS for row in Case(finding, kind, 0).effects.rows)


def _most(finding: Finding) -> Iterator[Case]:
    for kind in KINDS:
        effects = Case(finding, kind, 0).effects
        if len(effects.rows) and effects.moved.max() > 0:
            yield Case(finding, kind, int(effects.rows[np.argmax(effects.moved)]))


def _explained(model: Attributor, picked: Sequence[tuple[Case, Chosen]]) -> Iterator[Evidence]:
    """Ask about all of them in one bulk each; both texts are explained towards the candidate's label."""
    if not picked:
        return
    texts = [text for case, _ in picked for text in (case.before, case.after)]
    targets = [case.finding.candidate.label for case, _ in picked for _ in range(2)]
    answers = model.classify(texts)
    method = picked[0][0].finding.held.items.method
    attributions = model.attribute(texts, targets, method=method)
    for at, (case, chosen) in enumerate(picked):
        yield _case(case, chosen, answers[np.array([2 * at, 2 * at + 1])], attributions[2 * at : 2 * at + 2])


def _case(case: Case, chosen: Chosen, answers: Classifications, attributions: Sequence[Attribution]) -> Evidence:
    candidate, example = case.finding.candidate, case.finding.held.items.examples[case.row]
    before, after = (float(score) for score in answers.scores[:, case.finding.held.column(candidate.label)])
    return Evidence(
        example_id=example.id,
        chosen=chosen,
        shown=(_shown(attributions[0], answers, 0), _shown(attributions[1], answers, 1)),
        gold=gold_of(example),
        note=f"'{candidate.spelling}' {case.kind}; probability of {candidate.label} from {before:.3f} to {after:.3f}; "
        f"words are weighed towards {candidate.label}",
        slice={"word": candidate.word, "label": candidate.label},
    )


def _shown(attribution: Attribution, answers: Classifications, row: int) -> Shown:
    return shown(attribution, answer=answers.names()[row], confidence=float(answers.confidence[row]))
