"""One audit from request to verdict: describe, load data, plan, freeze, execute, judge, render."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from audits.comparison.baseline import require_another_run
from audits.conclusion import Conclusion, Form, conclude, require_comparable
from audits.config import Config
from audits.evidence.recording import record_frozen
from audits.evidence.unchanged import require_unchanged, unseal
from audits.executor import execute, unfinished
from audits.gate.waivers import load_waivers
from audits.planning.freeze import earlier_attempt, freeze
from audits.planning.plan import Plan, make_plan, sizes_of
from audits.planning.subject import Subject, load_model, prepare, seconds_per_call
from audits.policy.fit import require_fit
from audits.policy.policy import Policy, load_policy
from audits.reporter import Reporter
from probes.core.errors import IntegrityError
from probes.core.manifest import Manifest
from probes.core.run_folder import RunFolder


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
    require_fit(policy, subject.registry.probes)
    if config.baseline:
        require_comparable(config.baseline, data=subject.card.fingerprint)
    run, plan, model = _planned(subject, policy=policy, command=command, reporter=reporter)
    reporter.planned(
        plan, model=subject.model, data=subject.card, others=tuple(subject.domains.cards.values()), run=run
    )
    if config.baseline:
        require_another_run(run, RunFolder(config.baseline))
    if any(unfinished(run, step) for step in plan.steps):
        model = model or load_model(subject, reporter=reporter)
        model.on_progress = reporter.progress
        unseal(run)
        execute(plan, model=model, run=run, seed=config.seed, watcher=reporter, store_text=config.store_text)
    else:
        reporter.notice("Every step of this run is finished: nothing is computed again.")
    return conclude(run, policy if gate else None, waivers=config.waivers, baseline=config.baseline, form=form)


def _planned(
    subject: Subject, *, policy: Policy, command: Sequence[str], reporter: Reporter
) -> tuple[RunFolder, Plan, Any]:
    """The run folder with its manifest frozen, the plan, and the model if a time budget needed it already."""
    earlier = earlier_attempt(subject, policy=policy)
    if earlier is not None:
        require_unchanged(earlier)
        record_frozen(earlier)
        manifest = earlier.manifest()
        plan = _plan(subject, sizes=sizes_of(manifest))
        _same_steps(plan, manifest, earlier)
        return earlier, plan, None
    model = load_model(subject, reporter=reporter) if subject.config.time_budget else None
    plan = _plan(subject, seconds_per_call=seconds_per_call(model, subject) if model else None)
    run = freeze(subject, plan, policy=policy, command=command)
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
