"""The whole report as one view."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from probes.core.findings import Status
from probes.core.manifest import Manifest
from probes.core.model import ModelCard
from reports import appendix
from reports.attempts import attempt_number, attempts_sentence, attempts_table
from reports.baseline import change
from reports.changed import fine_tuning
from reports.chapter_views import RiskChapters
from reports.chapters import FINGERPRINT, chapter_anchors, chapters
from reports.decision import decision, verdict_badge
from reports.declared import declared
from reports.evidence_map.section import evidence_map
from reports.evidence_map.views import EvidenceMap
from reports.explanations import explanations
from reports.group_overview import group_overview
from reports.limits import Limits, limited
from reports.load import Loaded
from reports.not_run import not_run, not_run_tables
from reports.numbers import count, plural
from reports.policy import policy
from reports.quality import quality
from reports.ranking import Ranked, ranked
from reports.register import entry
from reports.results import results
from reports.review import review, review_status
from reports.views import (
    Badge,
    Decision,
    Declared,
    Entry,
    Fact,
    Identity,
    Policy,
    Review,
    RiskResults,
    Section,
    Table,
)
from reports.wording import BADGES, FORMAT, GLOSSARY, MEANINGS, READING, VERIFYING, VOID_WHEN
from reports.words import word_tables

_MARGIN = 40
"""Characters of a name in the margin of a printed page."""
_HEAD = 60
"""Likewise of the policy in the head of the report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The whole report."""

    title: str
    identity: Identity
    decision: Decision
    declared: Declared
    results: tuple[RiskResults, ...]
    results_note: str
    register: tuple[Entry, ...]
    register_note: str
    chapters: tuple[RiskChapters, ...]
    chapters_note: str
    groups: Section
    explanations: Section
    not_run: tuple[Table, ...]
    quality: Section
    change: Section
    fine_tuning: Section | None
    policy: Policy
    words: tuple[Table, ...]
    words_summary: str
    words_note: str
    limitations: tuple[Table, ...]
    void_when: tuple[str, ...]
    expiry: str
    evidence_map: EvidenceMap
    reproduce: tuple[Fact, ...]
    telemetry: Table | None
    versions: Table
    integrity: tuple[Fact, ...]
    attempts: Table | None
    attempts_sentence: str
    files: tuple[Table, ...]
    verifying: tuple[Fact, ...]
    review: Review
    reading: tuple[Fact, ...]
    glossary: tuple[Fact, ...]
    statuses: tuple[tuple[Badge, str], ...]
    format: tuple[Fact, ...]


def page(loaded: Loaded, *, limits: Limits) -> Page:
    """Everything the templates print."""
    findings = ranked(loaded.findings, titles=loaded.titles)
    missing = not_run(loaded, findings)
    by_risk, chapters_note = chapters(loaded, findings, limits=limits)
    words, words_note = word_tables(loaded, limits=limits)
    register, register_note = _register(loaded, findings, limits)
    return Page(
        title=f"Audit report: {loaded.manifest.model.name}",
        identity=identity(loaded),
        decision=decision(loaded, findings, missing),
        declared=declared(loaded),
        results=results(loaded, findings, limits=limits),
        results_note="" if findings else "No check has been judged, so there is nothing to compare with a threshold.",
        register=register,
        register_note=register_note,
        chapters=by_risk,
        chapters_note=chapters_note,
        groups=group_overview(loaded, findings, limits=limits),
        explanations=explanations(loaded, limits=limits),
        not_run=not_run_tables(missing, limits=limits),
        quality=quality(loaded, limits=limits),
        change=change(loaded, limits=limits),
        fine_tuning=fine_tuning(loaded, limits=limits),
        policy=policy(loaded, findings, limits=limits),
        words=words,
        words_summary=f"{plural(len(words), 'list')} of words and names",
        words_note=words_note,
        limitations=appendix.limitations(loaded, missing, limits=limits),
        void_when=VOID_WHEN,
        expiry=appendix.expiry(loaded),
        evidence_map=evidence_map(loaded, limits=limits),
        reproduce=appendix.reproduce(loaded),
        telemetry=appendix.telemetry(loaded),
        versions=appendix.versions(loaded, limits=limits),
        integrity=appendix.integrity(loaded),
        attempts=attempts_table(loaded, limits=limits),
        attempts_sentence=attempts_sentence(loaded),
        files=appendix.files(loaded, limits=limits),
        verifying=VERIFYING,
        review=review(loaded),
        reading=READING,
        glossary=GLOSSARY,
        statuses=tuple((BADGES[status], MEANINGS[status]) for status in Status),
        format=FORMAT,
    )


def identity(loaded: Loaded) -> Identity:
    """Which run this is, of which model, under which policy, and whether anybody signed it."""
    manifest, model = loaded.manifest, loaded.manifest.model
    review, label = review_status(loaded), manifest.card.confidentiality.strip()
    return Identity(
        model=model.name,
        fingerprint=model.fingerprint[:FINGERPRINT],
        run_id=manifest.run_id,
        created=manifest.created,
        verdict=verdict_badge(loaded),
        review=review,
        confidentiality=label,
        in_print=_in_print(loaded, review, label),
        facts=(
            Fact("Model", f"{model.architecture}, {plural(model.parameters, 'parameter')}, {_numbers(model)}"),
            Fact("Source", model.source + (f" at revision {model.revision[:FINGERPRINT]}" if model.revision else "")),
            *((Fact("Adapter on", model.base),) if model.base else ()),
            Fact("Fingerprint", model.fingerprint[:FINGERPRINT], code=True),
            *((Fact("Labels", _labels(model.labels)),) if model.labels else ()),
            *((Fact("Asked by", model.verbaliser.told, code=True),) if model.verbaliser else ()),
            Fact("Data", _data(manifest)),
            *_others(manifest),
            Fact("Policy", _policy_name(loaded)),
            Fact("Run", manifest.run_id, code=True),
            Fact("Attempt", attempt_number(loaded)),
            Fact("Frozen", f"{manifest.created}, before the first step"),
        ),
    )


def _numbers(model: ModelCard) -> str:
    """In which type it computes and, where that is another, how its weights are stored."""
    return f"{model.dtype} from {model.quantisation}" if model.quantisation else model.dtype


def _in_print(loaded: Loaded, review: Badge, label: str) -> str:
    """What the margin of each printed page says; a long part is cut, because the margin has one line."""
    parts = (
        label[:_MARGIN],
        f"Model {loaded.manifest.model.fingerprint[:FINGERPRINT]}",
        f"run {loaded.manifest.run_id[:_MARGIN]}",
        verdict_badge(loaded).word,
        review.word,
    )
    return " - ".join(part for part in parts if part)


def _data(manifest: Manifest) -> str:
    """What was given, and how much of it the tests used."""
    data = manifest.data
    given = f"{data.name}, {plural(data.n, 'item')}, {count(data.labelled)} with a right answer"
    most = max((step.items for step in manifest.steps if not step.domains), default=data.n)
    return given if most >= data.n else f"{given}; no test used more than {count(most)}"


def _others(manifest: Manifest) -> list[Fact]:
    """The data of other kinds, if there are any."""
    if not manifest.domains:
        return []
    kinds = (f"{name}, {plural(card.n, 'item')}" for name, card in manifest.domains.items())
    return [Fact("Data of other kinds", "; ".join(kinds))]


def _labels(labels: Sequence[str]) -> str:
    shown = ", ".join(label[:24] for label in labels[:4])
    return shown if len(labels) <= 4 else f"{shown} and {count(len(labels) - 4)} more"


def _policy_name(loaded: Loaded) -> str:
    digest = (loaded.verdict or loaded.manifest).policy_digest[:FINGERPRINT]
    return f"{_cut(loaded.verdict.policy_id)} ({digest})" if loaded.verdict else f"not applied ({digest})"


def _cut(name: str) -> str:
    """A name in the head of the report: a long one would push the verdict off the first page."""
    return name if len(name) <= _HEAD else f"{name[:_HEAD]}…"


def _register(loaded: Loaded, findings: Sequence[Ranked], limits: Limits) -> tuple[tuple[Entry, ...], str]:
    shown, note = limited([item for item in findings if item.number], limits.register, "findings")
    anchors = chapter_anchors(loaded)
    visible = {step.probe: anchors[step.step_id] for step in reversed(loaded.manifest.steps[: limits.chapters])}
    aside = sum(1 for item in findings if item.finding.status is Status.NOT_RUN)
    if aside:
        note = f"{note} {plural(aside, 'check')} could not be made; they are listed under Not run.".strip()
    entries = tuple(entry(item, loaded, chapter=visible.get(item.finding.probe, "")) for item in shown)
    return entries, note
