"""One audit from request to verdict: describe, load data, plan, freeze, execute, judge, render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from audits.comparison.baseline import require_another_run
from audits.conclusion import Conclusion, Form, conclude, require_comparable
from audits.config import Config
from audits.evidence.recording import record_frozen
from audits.evidence.unchanged import require_unchanged, unseal
from audits.executor import execute, unfinished
from audits.gate.waivers import load_waivers
from audits.planning.base import base_request, why_unlike
from audits.planning.freeze import earlier_attempt, freeze
from audits.planning.plan import Plan, make_plan, sizes_of
from audits.planning.subject import Subject, described, load_model, measured_pace, prepare, require_engine
from audits.policy.fit import require_fit
from audits.policy.policy import Policy, load_policy
from audits.reporter import Reporter
from probes.core.errors import IntegrityError, ModelError, UsageError
from probes.core.manifest import Manifest
from probes.core.run_folder import RunFolder

_SIZES_OF_BASE = "The time budget was applied to the run of the base; the samples of this run are the same."


def run_audit(
    config: Config, *, command: Sequence[str], reporter: Reporter, gate: bool = True, form: Form | None = None
) -> Conclusion:
    """Carry out the request; a run that was interrupted is resumed by the same request.

    The form of the report is no part of the request: it changes no number.

    Raises:
        AuditError: for whatever the user can act on. Finished steps are kept in every case.
    """
    policy = load_policy(config.policy)
    policy.require_current(datetime.now(UTC).date())
    if config.waivers:
        load_waivers(config.waivers, as_of=datetime.now(UTC).date())  # a faulty file is told before hours of work
    subject = prepare(config, reporter=reporter)
    require_engine(config)
    require_fit(policy, subject.registry.probes)
    execution = _Execution(policy=policy, command=command, reporter=reporter)
    base = _run_base(subject, execution, gate=gate, form=form) if config.against_base else config.baseline
    baseline, reason = (None, base) if isinstance(base, str) else (base, "")
    if reason:
        reporter.notice(f"Not compared with the model it was fine-tuned from. {reason}")
    if baseline:
        require_comparable(baseline, data=subject.card.fingerprint)
    run = execution.carry_out(subject, baseline=baseline, not_compared=reason)
    return conclude(run, policy if gate else None, waivers=config.waivers, baseline=baseline, form=form)


def _run_base(subject: Subject, execution: _Execution, *, gate: bool, form: Form | None) -> Path | str:
    """The run folder of the model that this one was fine-tuned from, or why its answers say nothing about these."""
    config = base_request(subject.config, subject.model)
    try:
        base = _base(config, subject, execution.reporter)
        if isinstance(base, str):
            return base
        reason = why_unlike(base.model, subject.model)
        if reason:
            return reason
        execution.reporter.notice(f"First {base.model.name}, from which {subject.model.name} was fine-tuned.")
        run = execution.carry_out(base)
    except ModelError as error:  # such as a base that was trained without a head
        return f"{config.model} cannot be audited: {error.message}."
    conclude(run, execution.policy if gate else None, form=form)
    return run.path


def _base(config: Config, tuned: Subject, reporter: Reporter) -> Subject | str:
    """What is audited of the base; data that the tuned model can be asked about are not at fault where its head is."""
    try:
        return prepare(config, reporter=reporter)
    except UsageError:
        reason = why_unlike(described(config), tuned.model)
        if not reason:
            raise
        return reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Execution:
    """By what policy runs are judged, and what they have in common besides."""

    policy: Policy
    command: Sequence[str]
    reporter: Reporter

    def carry_out(self, subject: Subject, *, baseline: Path | None = None, not_compared: str = "") -> RunFolder:
        """Plan, freeze and execute; what is finished is not computed again.

        Args:
            baseline: run folder to compare with.
            not_compared: see `Manifest`.
        """
        reporter = self.reporter
        run, plan, model = self._planned(subject, baseline=baseline, not_compared=not_compared)
        others = tuple(subject.domains.cards.values())
        reporter.planned(plan, model=subject.model, data=subject.card, others=others, run=run)
        if baseline:
            require_another_run(run, RunFolder(baseline))
        if any(unfinished(run, step) for step in plan.steps):
            model = model or load_model(subject, reporter=reporter)
            model.on_progress = reporter.progress
            unseal(run)
            how = subject.config
            execute(plan, model=model, run=run, seed=how.seed, watcher=reporter, store_text=how.store_text)
        elif plan.steps:
            reporter.notice("Every step of this run is finished: nothing is computed again.")
        else:
            reporter.notice("No probe that was asked for can run on this model and these data: the report says why.")
        return run

    def _planned(self, subject: Subject, *, baseline: Path | None, not_compared: str) -> tuple[RunFolder, Plan, Any]:
        """The run folder with its manifest frozen, the plan, and the model if a time budget needed it already."""
        earlier = earlier_attempt(subject, policy=self.policy)
        if earlier is not None:
            require_unchanged(earlier)
            record_frozen(earlier)
            manifest = earlier.manifest()
            plan = _plan(subject, sizes=sizes_of(manifest))
            _same_steps(plan, manifest, earlier)
            return earlier, plan, None
        sizes = sizes_of(RunFolder(baseline).manifest()) if baseline and subject.config.against_base else None
        model = load_model(subject, reporter=self.reporter) if subject.config.time_budget and not sizes else None
        how = asdict(measured_pace(model, subject)) if model else {}
        plan = _plan(subject, sizes=sizes, **how)
        if sizes and subject.config.time_budget:
            plan = replace(plan, notes=(*plan.notes, _SIZES_OF_BASE))
        run = freeze(subject, plan, policy=self.policy, command=self.command, not_compared=not_compared)
        record_frozen(run)
        return run, plan, model


def _plan(subject: Subject, **how: Any) -> Plan:
    return make_plan(
        subject.config,
        registry=subject.registry,
        model=subject.model,
        data=subject.data,
        card=subject.card,
        domains=subject.domains,
        **how,
    )


def _same_steps(plan: Plan, manifest: Manifest, run: RunFolder) -> None:
    planned = [step.planned.step_id for step in plan.steps]
    if planned != [step.step_id for step in manifest.steps]:
        raise IntegrityError(
            f"the manifest in {run.path} does not describe what this command would run",
            hint="delete the folder, or choose another one with --out",
        )
