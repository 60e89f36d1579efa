"""The audit card: what people declared about the model and the audit. Nothing in it is measured or inferred."""

from __future__ import annotations

from collections.abc import Iterator

from probes.core.audit_card import AuditCard
from reports.load import Loaded
from reports.views import Declared, Fact

NOT_DECLARED = "not declared"

_MODEL: tuple[tuple[str, str], ...] = (
    ("intended_purpose", "Intended purpose"),
    ("users", "Users"),
    ("languages", "Languages"),
    ("affected_groups", "People affected"),
    ("foreseeable_misuse", "Foreseeable misuse"),
    ("deployment", "Where and how it is used"),
    ("training_data", "Training data"),
    ("data_representativeness", "Why the audit's data are like those in use"),
    ("unmeasured_risks", "Risks outside these tests, and who covers them"),
)
_AUDIT: tuple[tuple[str, str], ...] = (
    ("role", "Role of the organisation"),
    ("auditor", "Auditor"),
    ("auditor_role", "Function, and distance from the makers"),
    ("conflicts_of_interest", "Conflicts of interest"),
    ("access", "Access to the model and its data"),
    ("process_integrity", "Who saw results before the thresholds were fixed"),
    ("review", "Review and objection"),
    ("confidentiality", "Confidentiality"),
    ("retention", "How long the evidence is kept"),
    ("report_expires", "Not to be relied upon after"),
)


def declared(loaded: Loaded) -> Declared:
    """What was declared, and every gap."""
    card = loaded.manifest.card
    model, audit = tuple(_facts(card, _MODEL)), tuple(_facts(card, _AUDIT))
    said = sum(fact.value != NOT_DECLARED for fact in (*model, *audit))
    return Declared(summary=_summary(card, said, len(model) + len(audit)), model=model, audit=audit)


def _facts(card: AuditCard, fields: tuple[tuple[str, str], ...]) -> Iterator[Fact]:
    for name, title in fields:
        value = getattr(card, name)
        told = "; ".join(value) if isinstance(value, tuple) else value
        yield Fact(title, told.strip() or NOT_DECLARED)


def _summary(card: AuditCard, said: int, fields: int) -> str:
    by = f" by {card.declared_by.strip()}" if card.declared_by.strip() else ""
    on = f" on {card.declared_on.strip()}" if card.declared_on.strip() else ""
    who = f", declared{by}{on}" if by or on else ""
    how = "" if said else " The section `card` of audit.yaml is the place for them."
    return f"{said} of {fields} statements{who}. None of them was checked by the tool.{how}"
