"""What people declare about an audit and its model: context that no measurement can supply. Printed, never inferred."""

from __future__ import annotations

from probes.core.records import Frozen


class AuditCard(Frozen):
    """The section `card` of audit.yaml; whatever is empty is printed as "not declared".

    After the questions of Audit Cards (arXiv:2504.13839) and of model cards (Mitchell et al. 2019, arXiv:1810.03993).

    Attributes:
        intended_purpose: what the model is for, and who acts on its answers.
        users: who works with it.
        languages: that it is meant to read.
        affected_groups: people about whom or to whom it decides.
        foreseeable_misuse: uses it is not meant for and may be put to.
        deployment: where and how it is to be used: system around it, human steps, fallback.
        training_data: what it was tuned on, as far as it may be said.
        role: of the organisation, such as provider or deployer.
        instruments: ids of the laws and standards whose evidence map the report prints; empty: all it knows.
        auditor: who ran the audit.
        auditor_role: their function and how far they are from those who made the model.
        conflicts_of_interest: as declared.
        access: what the auditor could see: weights, training data, answers only.
        process_integrity: who could see results before the thresholds were fixed, and how that was prevented.
        review: who reviews the report, and how one objects to it.
        data_representativeness: who judged that the audit's data are like those in use, and on what ground.
        unmeasured_risks: risks known to lie outside these tests, and who covers them.
        retention: how long the evidence is kept.
        confidentiality: label printed on every page.
        report_expires: after this date (ISO) the report should not be relied upon.
        declared_by, declared_on: who says all this, and when (ISO date).
    """

    intended_purpose: str = ""
    users: str = ""
    languages: tuple[str, ...] = ()
    affected_groups: tuple[str, ...] = ()
    foreseeable_misuse: str = ""
    deployment: str = ""
    training_data: str = ""
    role: str = ""
    instruments: tuple[str, ...] = ()
    auditor: str = ""
    auditor_role: str = ""
    conflicts_of_interest: str = ""
    access: str = ""
    process_integrity: str = ""
    review: str = ""
    data_representativeness: str = ""
    unmeasured_risks: tuple[str, ...] = ()
    retention: str = ""
    confidentiality: str = ""
    report_expires: str = ""
    declared_by: str = ""
    declared_on: str = ""
