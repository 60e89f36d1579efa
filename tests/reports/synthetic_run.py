"""Run folders made of invented results, one builder for each situation a report must be able to tell."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from statsmodels.stats.proportion import proportion_confint

from probes.core.answers import ProblemType
from probes.core.attestation import ATTEMPTS, Attempt, Attempts, Outcome, canonical
from probes.core.audit_card import AuditCard
from probes.core.comparison import Comparison, Difference, StepComparison
from probes.core.examples import DataCard
from probes.core.findings import BaselineUse, Burden, Finding, Level, Status, Verdict, WaiverState, WaiverUse
from probes.core.manifest import Environment, Manifest, Methodology, PlannedSkip, PlannedStep
from probes.core.model import Capability, ModelCard
from probes.core.records import (
    ALPHAS,
    SCHEMA_VERSION,
    Accounting,
    Better,
    Curve,
    Estimate,
    Evidence,
    Measurement,
    Point,
    Record,
    Shown,
    Skip,
    SkipReason,
    StepEnd,
    Tail,
    Unit,
    WordList,
    WordWeight,
    measurement_key,
    to_line,
)
from probes.core.run_folder import RunFolder, Telemetry
from probes.core.words import spans, word
from reports.numbers import in_words

PERTURBATIONS = (
    "Keyboard typos", "Dropped letters", "Swapped letters", "Doubled letters", "Look-alike letters", "Upper case",
    "Lower case", "Random case", "Title case", "Missing punctuation", "Repeated punctuation", "Extra spaces",
    "Missing spaces", "Line breaks", "Zero-width characters", "Accents removed", "Accents added", "Full-width letters",
    "Contractions", "Expanded contractions", "British spelling", "American spelling", "Synonyms", "Chat abbreviations",
    "Politeness added", "Filler words", "Word order", "Dropped words", "Unrelated sentence added", "Web address added",
)  # fmt: skip

POLICY = """\
# Thresholds for the release of the ticket classifier
apiVersion: audit-policy/v1
id: ticket-classifier-release
version: "3"
owner: support-platform@example.org
approved_by: model-risk@example.org
approved_on: 2026-11-02
checks:
  - {check: performance.quality.macro_f1, min: 0.85, level: block, burden: prove_good}
  - {check: robustness.*.flip_rate, max: 0.10, level: warn, burden: prove_bad, approver: j.doe@example.org,
     approved_on: 2026-11-05}
"""

RUN_ID = "ticket-classifier-20261120-1a2b3c"
CREATED = "2026-11-20T11:40:03Z"

CARD = AuditCard(
    intended_purpose="Sorts customers' messages into five queues; a person answers each of them.",
    users="Agents of the support team",
    languages=("en",),
    affected_groups=("customers who write in a second language", "customers who dictate"),
    training_data="Messages of 2024 and 2025, labelled by the support team",
    role="provider and deployer",
    auditor="M. Example, model risk",
    auditor_role="Second line; reports to the head of risk, not to the makers",
    access="weights and audit data; no training data",
    process_integrity="The makers saw no result before the policy was frozen.",
    unmeasured_risks=("Prompted misuse by customers: security team", "Messages in Spanish: product owner"),
    confidentiality="Internal: model risk",
    report_expires="2027-05-01",
    declared_by="M. Example",
    declared_on="2026-11-19",
)


def waiver(name: str, state: WaiverState, note: str, *findings: str, **changes: object) -> WaiverUse:
    fields: dict[str, object] = {
        "id": name,
        "checks": findings or ("robustness.typos.flip_rate",),
        "scope": "ticket-classifier*",
        "owner": "support-platform@example.org",
        "approver": "model-risk@example.org",
        "reason": "Phone notes are typed in haste; a second reader catches them until the new form is out.",
        "created": "2026-10-20",
        "expires": "2027-01-15",
        "max_observed": 0.12,
        "state": state,
        "note": note,
        "findings": findings if state is WaiverState.USED else (),
    }
    return WaiverUse(**(fields | changes))


@cache
def share(hits: float, n: int, *, clusters: int | None = None) -> Estimate:
    """A Wilson estimate of hits / n, widened where items come in clusters."""
    rests = clusters or n
    value = hits / n
    low, high = proportion_confint(value * rests, rests, alpha=0.05, method="wilson")
    tails = []
    for alpha in ALPHAS:
        a, b = proportion_confint(value * rests, rests, alpha=2 * alpha, method="wilson")
        tails.append(Tail(alpha=alpha, low=min(float(a), value), high=max(float(b), value)))
    return Estimate(
        value=value,
        low=min(float(low), value),
        high=max(float(high), value),
        n=n,
        clusters=rests,
        method="wilson",
        tails=tuple(tails),
    )


def plain(value: float, half: float, n: int = 872) -> Estimate:
    return Estimate(
        value=value, low=value - half, high=value + half, n=n, clusters=n, method="cluster bootstrap (BCa, 2000)"
    )


def measured(name: str, title: str, estimate: Estimate, *, unit=Unit.PROPORTION, better=Better.LOWER, **part: str):
    return Measurement(name=name, title=title, estimate=estimate, unit=unit, better=better, slice=part)


def methodology(title: str) -> Methodology:
    return Methodology(
        question=f"Does the answer stay the same under “{title.lower()}”?",
        measures="The share of items whose answer changes when only the form of the text is changed.",
        why="People who write differently should not get other answers to the same message.",
        method="Each text is changed at five severities; answers before and after are compared item by item.",
        limits="Other changes, stronger ones and combinations are not covered. Stable answers can be stably wrong.",
        references="Ribeiro et al., Beyond Accuracy, ACL 2020, https://aclanthology.org/2020.acl-main.442",
    )


def perturbed_records(index: int, *, n: int = 872, gold: bool = True) -> list[Record]:
    """What one perturbation probe publishes; its strength follows from `index`."""
    top = (0.006, 0.021, 0.048, 0.075, 0.14, 0.31)[index % 6]
    rates = [top * k / 5 for k in range(1, 6)]
    flips = [share(round(rate * n), n) for rate in rates]
    records: list[Record] = [
        measured("flip_rate", "share of answers that changed", share(round(sum(rates) * n), 5 * n, clusters=n))
    ]
    records += [
        measured("flip_rate", "share of answers that changed", e, severity=str(k)) for k, e in enumerate(flips, 1)
    ]
    if gold:
        for k, rate in enumerate(rates, start=1):
            right = share(round((0.91 - 0.7 * rate) * n), n)
            drop = plain(0.7 * rate, 0.012)
            records += [
                measured("accuracy", "accuracy on changed texts", right, better=Better.HIGHER, severity=str(k)),
                measured("accuracy_drop", "loss of accuracy", drop, unit=Unit.DIFFERENCE, severity=str(k)),
            ]
    records.append(
        Curve(
            name="flip_rate",
            title="Share of answers that changed",
            x_title="severity",
            y_title="answers changed",
            unit=Unit.PROPORTION,
            points=tuple(Point(x=k, y=e, label=str(k)) for k, e in enumerate(flips, 1)),
        )
    )
    records.append(Accounting(eligible=n, perturbed=n - 20, kept=n - 31, scored=n - 31, tied=index % 3))
    records += evidence(PERTURBATIONS[index % len(PERTURBATIONS)])
    return records


def evidence(title: str) -> list[Evidence]:
    before = "The refund still has not arrived, and nobody answers my messages about order 4471."
    changes = {
        "Zero-width characters": before.replace("fund", "f\u200bund").replace("rived", "r\u200bived"),
        "Look-alike letters": "The rеfund still hаs not arrived, and nobody answers my messages about order 4471.",
        "Upper case": before.upper(),
    }
    after = changes.get(title, "The refubd still has not arrived, and nobody ansers my mesages about order 4471.")

    def one(chosen: str, answer: str, severity: str, i: int) -> Evidence:
        return Evidence(
            example_id=hashlib.sha256(f"{title}{chosen}{i}".encode()).hexdigest()[:16],
            chosen=chosen,
            shown=(
                Shown(texts=(before,), answer="billing", confidence=0.93),
                Shown(texts=(after,), answer=answer, confidence=0.71),
            ),
            gold="billing",
            note="answer changed" if answer != "billing" else "",
            slice={"severity": severity},
        )

    return [one("random", "billing", str(1 + i), i) for i in range(3)] + [
        one("worst", "delivery", str(5 - i), i) for i in range(2)
    ]


LABELS = ("billing", "delivery", "returns", "technical", "other")


def quality_records(n: int = 872) -> list[Record]:
    records: list[Record] = [
        measured("accuracy", "share of right answers", share(round(0.912 * n), n), better=Better.HIGHER),
        measured("balanced_accuracy", "mean recall over the classes", plain(0.897, 0.021), better=Better.HIGHER),
        measured("macro_f1", "mean F1 over the classes", plain(0.893, 0.019), better=Better.HIGHER),
        measured("mcc", "Matthews correlation", plain(0.871, 0.027), unit=Unit.SCORE, better=Better.HIGHER),
        measured("majority_baseline", "always the commonest class", share(round(0.36 * n), n), better=Better.CONTEXT),
        measured(
            "accuracy_over_majority", "accuracy above that", plain(0.552, 0.034), unit=Unit.DIFFERENCE,
            better=Better.HIGHER,
        ),
    ]  # fmt: skip
    for i, label in enumerate(LABELS):
        for name in ("precision", "recall", "f1"):
            estimate = plain(0.94 - 0.03 * i, 0.03 + 0.006 * i, n=n // (i + 2))
            records.append(measured(name, f"{name}, label {label}", estimate, better=Better.HIGHER, label=label))
        for j, answer in enumerate(LABELS):
            hits = 150 - 20 * i if i == j else 3 * ((i + 2 * j) % 4)
            records.append(
                measured(
                    "confusion",
                    "share of all items",
                    share(hits, n),
                    better=Better.CONTEXT,
                    gold=label,
                    predicted=answer,
                )
            )
    for group, k in {"channel=e-mail": 0.93, "channel=chat": 0.88, "channel=phone note": 0.83}.items():
        estimate = share(round(k * 240), 240)
        records.append(measured("accuracy", "share of right answers", estimate, better=Better.HIGHER, group=group))
    records.append(Accounting(eligible=n, scored=n - 2, unscored=2))
    records.append(
        Evidence(
            example_id="0123456789abcdef",
            chosen="random",
            shown=(Shown(texts=("Where is my parcel?",), answer="delivery", confidence=0.98),),
            gold="delivery",
        )
    )
    return records


def calibration_records(n: int = 872) -> list[Record]:
    bins = [(0.15, 30, 4), (0.35, 42, 13), (0.55, 90, 44), (0.75, 180, 121), (0.95, 530, 492)]
    coverage = [(0.2, 0.012), (0.4, 0.019), (0.6, 0.031), (0.8, 0.058), (1.0, 0.088)]
    return [
        measured("ece", "calibration error", plain(0.034, 0.013), unit=Unit.SCORE),
        Curve(
            name="reliability", title="Reliability", x_title="confidence", y_title="share of right answers",
            unit=Unit.PROPORTION, reference="diagonal",
            points=tuple(Point(x=x, y=share(hits, m)) for x, m, hits in bins),
        ),
        Curve(
            name="risk_coverage", title="Risk by coverage", x_title="share of items answered",
            y_title="errors among them", unit=Unit.PROPORTION,
            points=tuple(Point(x=x, y=share(round(r * x * n), round(x * n))) for x, r in coverage),
        ),
        Accounting(eligible=n, scored=n),
        Skip(reason=SkipReason.TOO_FEW, detail="Only 7 items have this label.", name="ece", slice={"label": "other"}),
    ]  # fmt: skip


def worst_case_records(n: int = 872) -> list[Record]:
    families = {"characters": 0.44, "casing": 0.12, "lexical": 0.19}
    worst = [
        measured("worst_flip_rate", "changed under the worst of them", share(round(r * n), n), family=f)
        for f, r in families.items()
    ]
    return [
        measured("any_flip_rate", "changed under at least one", share(round(0.47 * n), n)),
        measured("worst_accuracy", "right under all of them", share(round(0.51 * n), n), better=Better.HIGHER),
        *worst,
        Accounting(eligible=n, perturbed=n, kept=n, scored=n),
    ]


@dataclass
class Step:
    """A step to be written: its plan, its records, and how it ended (`ended` False: no file at all)."""

    probe: str
    title: str
    records: list[Record] = field(default_factory=list)
    error: str = ""
    ended: bool = True
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def step_id(self) -> str:
        return hashlib.sha256(self.probe.encode()).hexdigest()[:12]


def check(
    probe: str,
    title: str,
    *,
    status: Status,
    estimate: Estimate | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    level: Level = Level.BLOCK,
    unit: Unit = Unit.PROPORTION,
    name: str = "flip_rate",
    part: Mapping[str, str] | None = None,
    needed_n: int | None = None,
    message: str = "",
    rationale: str = "Agreed with the support team: more rework than this is not economic.",
    enable: str = "",
) -> Finding:
    return Finding(
        check=f"{probe}.{measurement_key(name, part or {})}",
        probe=probe,
        risk=probe.split(".")[0],
        title=title,
        status=status,
        level=level,
        message=message or f"{title}: {status.value.lower().replace('_', ' ')}.",
        measurement=name,
        slice=part or {},
        estimate=estimate,
        better=Better.LOWER if maximum is not None else Better.HIGHER,
        unit=unit,
        minimum=minimum,
        maximum=maximum,
        burden=Burden.PROVE_BAD if maximum is not None else Burden.PROVE_GOOD,
        alpha=0.05,
        bound=None if estimate is None else estimate.high if maximum is not None else estimate.low,
        needed_n=needed_n,
        rationale=rationale,
        source="policy review, 2026-10-02" if rationale else "",
        enable=enable,
    )


def model_card(name: str = "ticket-classifier", **changes: object) -> ModelCard:
    fields: dict[str, object] = {
        "name": name,
        "source": "models/ticket-classifier",
        "fingerprint": hashlib.sha256(b"model").hexdigest(),
        "files": tuple((f, hashlib.sha256(f.encode()).hexdigest()) for f in ("config.json", "model.safetensors")),
        "architecture": "DistilBertForSequenceClassification",
        "model_type": "distilbert",
        "problem": ProblemType.SINGLE_LABEL,
        "labels": LABELS,
        "capabilities": frozenset({Capability.CLASSIFY}),
        "max_length": 512,
        "dtype": "float32",
        "parameters": 66_957_317,
    }
    return ModelCard(**(fields | changes))


def data_card(**changes: object) -> DataCard:
    fields: dict[str, object] = {
        "name": "support tickets, test split",
        "source": "data/tickets.csv",
        "fingerprint": hashlib.sha256(b"data").hexdigest(),
        "n": 872,
        "labelled": 872,
        "groups": ("channel",),
        "rows_read": 880,
        "rows_dropped": {"empty text": 8},
        "notes": ("3 texts occur twice with different right answers.",),
    }
    return DataCard(**(fields | changes))


def write(
    folder: Path,
    steps: Sequence[Step],
    findings: Sequence[Finding] | None,
    *,
    exit_code: int = 0,
    sentence: str = "Every blocking check passed.",
    skips: Sequence[PlannedSkip] = (),
    model: ModelCard | None = None,
    data: DataCard | None = None,
    notes: tuple[str, ...] = (),
    policy: str = POLICY,
    policy_digest: str | None = None,
    run_id: str = RUN_ID,
    documented: bool = True,
    card: AuditCard | None = None,
    waivers: Sequence[WaiverUse] = (),
    comparison: Comparison | None = None,
    attempts: Sequence[Attempt] | None = None,
) -> RunFolder:
    """Write a run folder as an audit would; `findings` None means it has not been judged."""
    run = RunFolder(folder)
    digest = hashlib.sha256(policy.encode()).hexdigest()
    planned = tuple(
        PlannedStep(
            step_id=s.step_id, probe=s.probe, version=1, risk=s.probe.split(".")[0], title=s.title,
            parameters=s.parameters, items=872, calls=4360, sample=hashlib.sha256(b"sample").hexdigest(),
        )
        for s in steps
    )  # fmt: skip
    manifest = Manifest(
        schema_version=SCHEMA_VERSION,
        run_id=run_id,
        created=CREATED,
        command=("audit", "run", "--model", "models/ticket classifier", "--data", "data/tickets.csv", "--only", "x.*"),
        config={"suite": "full"},
        policy=policy,
        policy_digest=digest,
        seed=0,
        model=model or model_card(),
        data=data or data_card(),
        environment=Environment(
            tool="responsible-audit 0.1.0", python="3.11.9", platform="Linux 6.1 x86_64", device="cpu",
            device_name="cpu", dtype="float32", threads=4,
            packages={"numpy": "2.1.0", "torch": "2.6.0", "transformers": "4.57.6"},
        ),
        steps=planned,
        skips=tuple(skips),
        methodology={s.probe: methodology(s.title) for s in steps} if documented else {},
        suite="full",
        notes=notes,
        card=card or AuditCard(),
    )  # fmt: skip
    (folder / "steps").mkdir(parents=True)
    (folder / "telemetry").mkdir()
    run.manifest_path.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
    for step in steps:
        _write_step(run, step)
    if findings is not None:
        verdict = _verdict(run_id, findings, exit_code, sentence, policy_digest or digest)
        if waivers:
            update = {"waivers": tuple(waivers), "waivers_digest": hashlib.sha256(b"w").hexdigest()}
            verdict = verdict.model_copy(update=update | {"as_of": "2026-11-20"})
        run.findings_path.write_text(verdict.model_dump_json(), encoding="utf-8")
    if comparison is not None:
        run.comparison_path.write_text(comparison.model_dump_json(), encoding="utf-8")
    if attempts is not None:
        ledger = Attempts(
            schema_version=SCHEMA_VERSION, run_id=run_id, created=CREATED, model=manifest.model.fingerprint,
            policy_digest=digest, attempts=tuple(attempts),
        )  # fmt: skip
        run.file(ATTEMPTS).write_bytes(canonical(ledger))
    return run


def _write_step(run: RunFolder, step: Step) -> None:
    if not step.ended:
        return
    end = StepEnd(
        status="failed" if step.error else "done",
        records=len(step.records),
        items=0,
        error=step.error,
        traceback=f'Traceback (most recent call last):\n  File "probe.py", line 3\n{step.error}' if step.error else "",
    )
    path = run.failed_path(step.step_id) if step.error else run.step_path(step.step_id)
    path.write_text("".join(to_line(line) + "\n" for line in [*step.records, end]), encoding="utf-8")
    cost = Telemetry(
        seconds=4.21, asked=4360, distinct=4100, cached=872, computed=3228, tokens=96_840, forward_seconds=3.87
    )
    run.telemetry_path(step.step_id).write_text(cost.model_dump_json(), encoding="utf-8")


def _verdict(run_id: str, findings: Sequence[Finding], exit_code: int, sentence: str, digest: str) -> Verdict:
    counts = {status.value: sum(f.status is status for f in findings) for status in Status}
    return Verdict(
        schema_version=SCHEMA_VERSION,
        run_id=run_id,
        policy_id="ticket-classifier-release 3",
        policy_digest=digest,
        exit_code=exit_code,
        sentence=sentence,
        counts=counts,
        findings=tuple(findings),
    )


def slug(title: str) -> str:
    return title.lower().replace(" ", "_").replace("-", "_")


def perturbation_steps(count: int = len(PERTURBATIONS)) -> list[Step]:
    return [
        Step(f"robustness.{slug(t)}", t, perturbed_records(i), parameters={"severities": [1, 2, 3, 4, 5]})
        for i, t in enumerate(PERTURBATIONS[:count])
    ]


def robustness_checks(steps: Sequence[Step]) -> list[Finding]:
    found = []
    for step in steps:
        rate = next(r.estimate for r in step.records if isinstance(r, Measurement) and not r.slice)
        worst = next(r.estimate for r in step.records if isinstance(r, Measurement) and r.slice == {"severity": "5"})
        for title, estimate, part in (
            ("share of answers that changed", rate, {}),
            ("share of answers that changed (severity 5)", worst, {"severity": "5"}),
        ):
            status = Status.PASS if estimate.high < 0.1 else Status.FAIL if estimate.low > 0.1 else Status.INCONCLUSIVE
            found.append(
                check(
                    step.probe, title, status=status, estimate=estimate, maximum=0.1, level=Level.WARN, part=part,
                    needed_n=2150 if status is Status.INCONCLUSIVE else None,
message=f"{title}: {in_words(estimate, Unit.PROPORTION, minimum=None, maximum=0.1)}. Beyond or not.",
                )
            )  # fmt: skip
    return found


def attempts_of(digest: str) -> list[Attempt]:
    """One earlier run under this policy, one under another, and the run itself."""
    data = hashlib.sha256(b"data").hexdigest()
    policy = "ticket-classifier-release"
    return [
        Attempt(run_id="ticket-classifier-20261110-99aa00", created="2026-11-10T08:00:00Z", data=data,
                policy_id=f"{policy} 2", policy_digest="0" * 64,
                outcomes=(Outcome(time="2026-11-10T08:31:00Z", exit_code=0),)),
        Attempt(run_id="ticket-classifier-20261118-77bb11", created="2026-11-18T09:00:00Z", data=data,
                policy_id=f"{policy} 3", policy_digest=digest),
        Attempt(run_id=RUN_ID, created=CREATED, data=data, policy_id=f"{policy} 3", policy_digest=digest,
                outcomes=(Outcome(time="2026-11-20T12:05:44Z", exit_code=1),)),
    ]  # fmt: skip


def moved(name: str, title: str, value: float, half: float, better: Better = Better.LOWER, **part: str) -> Measurement:
    """A difference to the baseline."""
    estimate = plain(value, half)
    return measured(f"{name}_vs_baseline", title, estimate, unit=Unit.DIFFERENCE, better=better, **part)


def compared(steps: Sequence[Step]) -> Comparison:
    """A baseline with something worse, something better, something unclear, and a test that cannot be compared."""
    first, second, *others = steps
    return Comparison(
        schema_version=SCHEMA_VERSION,
        run_id=RUN_ID,
        baseline=BaselineUse(
            run_id="ticket-classifier-20260901-5d5d5d", model_name="ticket-classifier", model="b" * 64,
            created="2026-09-01T07:00:00Z", bundle_digest="c" * 64,
        ),
        differences=(Difference(what="Model", before="b" * 12, after="9" * 12),),
        steps=(
            StepComparison(step_id=first.step_id, probe=first.probe, title=first.title, paired=872, measurements=(
                moved("accuracy", "share of right answers", -0.031, 0.012, Better.HIGHER),
                moved("accuracy", "share of right answers", 0.002, 0.03, Better.HIGHER, group="channel=chat"),
            )),
            StepComparison(step_id=second.step_id, probe=second.probe, title=second.title,
                           refused="The probe has another version."),
            *(
                StepComparison(step_id=step.step_id, probe=step.probe, title=step.title, paired=872, measurements=(
                    moved("changed", "share of answers that changed", -0.02, 0.011),
                ))
                for step in others[:1]
            ),
        ),
    )  # fmt: skip


def group_records(attribute: str) -> list[Record]:
    """What a comparison of groups publishes."""
    rates = {"first language": (318, 400), "second language": (61, 94), "dictated": (17, 26)}
    found: list[Record] = [
        measured("favourable_rate", "share of favourable answers", share(hits, n), better=Better.CONTEXT,
                 attribute=attribute, group=group)
        for group, (hits, n) in rates.items()
    ]  # fmt: skip
    return [
        measured("unknown_share", f"share of items without a value of {attribute}", share(352, 872),
                 better=Better.LOWER, attribute=attribute),
        *found,
        measured("gap", "largest difference of favourable answers", plain(0.148, 0.09), unit=Unit.DIFFERENCE,
                 attribute=attribute),
        Skip(reason=SkipReason.TOO_FEW, detail="Only 4 items.", enable="add items of this group",
             slice={"attribute": attribute, "group": "sign language"}),
        Accounting(eligible=872, scored=520, unscored=352),
    ]  # fmt: skip


def overlap_records() -> list[Record]:
    """What the comparison of two data sets publishes."""
    title = "share of the texts that also stand among the in-domain texts"
    return [measured("exact_share", title, share(12, 400), domain="reviews"), Accounting(eligible=400, scored=400)]


WORDS = WordList(
    title="First names",
    groups={"black, female": ("Latoya", "Latasha"), "white, female": ("Kathleen", "Jill")},
    source="statistics of births",
    licence="Apache-2.0",
    language="en",
)


def rich(folder: Path, *, perturbations: int = len(PERTURBATIONS)) -> RunFolder:
    """A full audit with everything in it: passes, failures, open checks, an error, skips, a waiver."""
    perturbed = perturbation_steps(perturbations)
    steps = [
        Step("performance.quality", "Quality of the answers", quality_records()),
        Step("performance.calibration", "Calibration", calibration_records(), parameters={"bins": 15}),
        *perturbed,
        Step("robustness.worst_case", "Worst case over all changes", [*worst_case_records(), WORDS]),
        Step("robustness.paraphrase", "Paraphrases", error="ValueError: the paraphrase table is empty"),
        Step("bias.groups", "Comparison of groups", group_records("language")),
        Step("shift.overlap", "Texts in both data sets", overlap_records()),
    ]
    findings = [
        check("performance.quality", "Mean F1 over the classes", status=Status.PASS, estimate=plain(0.893, 0.019),
              minimum=0.85, name="macro_f1"),
        check("performance.quality", "share of right answers (group channel=phone note)",
              status=Status.INCONCLUSIVE, estimate=share(199, 240),
              minimum=0.85, name="accuracy", part={"group": "channel=phone note"}, needed_n=1310,
              message="Accuracy on phone notes cannot be judged: the interval reaches over the threshold."),
        check("performance.quality", "Accuracy above the commonest class", status=Status.PASS, unit=Unit.DIFFERENCE,
              estimate=plain(0.552, 0.034), minimum=0.3, name="accuracy_over_majority"),
        check("performance.calibration", "Calibration error", status=Status.FAIL, estimate=plain(0.034, 0.006),
              maximum=0.025, unit=Unit.SCORE, name="ece", rationale="",
              message="Confidence is further from the share of right answers than the policy accepts."),
        *robustness_checks(perturbed),
        check("robustness.worst_case", "Any change flips the answer", status=Status.FAIL, estimate=share(410, 872),
              maximum=0.4, name="any_flip_rate",
              message="For nearly half of the items some harmless change of the text changes the answer."),
        check("robustness.paraphrase", "Paraphrases", status=Status.ERROR, message="The test broke; nothing is known."),
        check("bias.groups", "largest difference of favourable answers", status=Status.WAIVED, level=Level.WARN,
              unit=Unit.DIFFERENCE, estimate=plain(0.148, 0.09), maximum=0.05, name="gap",
              part={"attribute": "language"}, message="The gap was accepted by the product owner.").model_copy(
            update={"waiver": "W-2026-014", "underlying": Status.FAIL, "policy_line": 9}
        ),
        check("toxicity.scorer", "Toxicity of the answers", status=Status.NOT_APPLICABLE, level=Level.INFO,
              message="The model produces labels, not text."),
    ]  # fmt: skip
    skips = [
        PlannedSkip(probe="bias.names", risk="bias", title="Names of people", skip=Skip(
            reason=SkipReason.NO_GROUPS, detail="The data have no column with names.", enable="--groups COLUMN")),
        PlannedSkip(probe="shift.topics", risk="shift", title="Other topics", skip=Skip(
            reason=SkipReason.NOT_SELECTED, detail="Not part of this suite.", enable="--suite full")),
        PlannedSkip(probe="explanation.tokens", risk="explanation", title="Token attributions", skip=Skip(
            reason=SkipReason.NO_CAPABILITY, detail="The model gives no gradients.")),
    ]  # fmt: skip
    return write(
        folder,
        steps,
        findings,
        exit_code=1,
        sentence="The release is blocked: 2 blocking checks failed, 1 is inconclusive and 1 test broke.",
        skips=skips,
        notes=("Sample sizes were cut by the time budget of 10 minutes.",),
        card=CARD,
        waivers=(
            waiver("W-2026-014", WaiverState.USED, "accepted until 2027-01-15", "bias.groups.gap[attribute=language]"),
            waiver("W-2026-009", WaiverState.EXPIRED, "it expired on 2026-11-01", expires="2026-11-01"),
        ),
        comparison=compared(steps),
        attempts=attempts_of(hashlib.sha256(POLICY.encode()).hexdigest()),
    )


def with_one_map(run: RunFolder) -> RunFolder:
    """The run, whose card now names one known instrument, so that the report shows the evidence map of no other."""
    manifest = run.manifest()
    card = manifest.card.model_copy(update={"instruments": (*manifest.card.instruments, "nyc-ll144")})
    run.manifest_path.write_text(manifest.model_copy(update={"card": card}).model_dump_json(indent=1), encoding="utf-8")
    return RunFolder(run.path)


def passing(folder: Path) -> RunFolder:
    """Two probes, every check passed."""
    finding = check("performance.quality", "mean F1 over the classes", status=Status.PASS, estimate=plain(0.893, 0.019),
                    minimum=0.85, name="macro_f1")  # fmt: skip
    steps = [Step("performance.quality", "Quality of the answers", quality_records()), *perturbation_steps(1)]
    return write(folder, steps, [finding, *robustness_checks(steps[1:])])


def no_gold(folder: Path) -> RunFolder:
    """Data without right answers: only changes of the answer are measured."""
    skip = Skip(
        reason=SkipReason.NO_GOLD, detail="The data have no right answers.", name="accuracy", enable="add labels"
    )
    steps = [Step("robustness.upper_case", "Upper case", [*perturbed_records(3, gold=False), skip])]
    gone = PlannedSkip(
        probe="performance.quality", risk="performance", title="Quality of the answers",
        skip=Skip(reason=SkipReason.NO_GOLD, detail="The data have no right answers.", enable="--data FILE"),
    )  # fmt: skip
    missing = check(
        "performance.quality", "Quality of the answers", status=Status.NOT_RUN, enable="--data FILE",
        message="The data have no right answers.", minimum=0.0,
    )  # fmt: skip
    data = data_card(name="built-in sentences", source="built-in", labelled=0, groups=(), rows_dropped={}, notes=())
    return write(
        folder,
        steps,
        [missing, *robustness_checks(steps)],
        exit_code=4,
        skips=[gone],
        data=data,
        sentence="Incomplete.",
    )


def everything_skipped(folder: Path) -> RunFolder:
    """Nothing ran at all."""
    skips = [
        PlannedSkip(
            probe=f"robustness.{reason.value}",
            risk="robustness",
            title=reason.value,
            skip=Skip(reason=reason, detail="No."),
        )
        for reason in SkipReason
    ]
    return write(folder, [], [], exit_code=4, skips=skips, sentence="The audit is incomplete, so it gives no verdict.")


def unjudged(folder: Path) -> RunFolder:
    """Measured only; one step crashed with no traceback text, one never ended."""
    steps = [
        Step("performance.calibration", "Calibration", calibration_records()),
        Step("robustness.lower_case", "Lower case", error="OSError: gone"),
        Step("robustness.upper_case", "Upper case", ended=False),
        Step("performance.quality", "Quality of the answers", []),
    ]
    return write(folder, steps, None, documented=False)


def regression(folder: Path) -> RunFolder:
    """A scoring head: no labels to be right about."""
    records: list[Record] = [
        measured("mae", "mean absolute error", plain(0.41, 0.05), unit=Unit.SCORE),
        measured("spearman", "rank correlation", plain(0.83, 0.03), unit=Unit.SCORE, better=Better.HIGHER),
        measured("bias", "mean error", plain(-0.06, 0.04), unit=Unit.SCORE, better=Better.CONTEXT),
        Evidence(
            example_id="a" * 16,
            chosen="worst",
            shown=(Shown(texts=("Fine.",), answer="0.120"),),
            gold="0.9",
            note="off",
        ),
        Accounting(eligible=100, scored=100),
    ]
    finding = check("performance.quality", "rank correlation", status=Status.PASS, unit=Unit.SCORE,
                    estimate=plain(0.83, 0.03), minimum=0.0, name="spearman")  # fmt: skip
    model = model_card(problem=ProblemType.REGRESSION, labels=("score",))
    return write(folder, [Step("performance.quality", "Quality of the scores", records)], [finding], model=model)


def pairs(folder: Path) -> RunFolder:
    """Multi-label answers on pairs of texts."""
    evidence = Evidence(
        example_id="b" * 16,
        chosen="worst",
        shown=(
            Shown(texts=("A man sleeps.", "Someone rests."), answer="entails + likely", confidence=0.8),
            Shown(texts=("A man sleeps.", "S0meone rests."), answer="(none)", confidence=0.6),
        ),
        gold="entails + likely",
    )
    model = model_card(problem=ProblemType.MULTI_LABEL, labels=("entails", "likely"))
    steps = [Step("robustness.leet", "Digits for letters", [*perturbed_records(4), evidence])]
    return write(folder, steps, robustness_checks(steps), model=model, exit_code=0)


def weighed(text: str | tuple[str, str], answer: str, /, confidence: float | None = 0.9, **weights: float) -> Shown:
    """An explained text; words that are not named weigh nothing."""
    return Shown(
        texts=(text,) if isinstance(text, str) else text,
        answer=answer,
        confidence=confidence,
        words=tuple(
            WordWeight(part=s.part, start=s.start, end=s.end, weight=weights.get(word(text, s).lower(), 0.0))
            for s in spans(text)
        ),
    )


def case_of(kind: str, *shown: Shown, chosen: str = "worst", **changes: object) -> Evidence:
    return Evidence(
        example_id=hashlib.sha256(kind.encode()).hexdigest()[:16], chosen=chosen, shown=shown, slice={"kind": kind},
        **changes,
    )  # fmt: skip


def explained_records() -> list[Record]:
    """What the probe of explained examples publishes."""
    refund = "The refund has not arrived, and nobody answers my messages about order 4471."
    slip = refund.replace("refund", "refubd")
    weights = {"refund": 2.41, "order": 0.62, "messages": 0.2, "arrived": -0.9, "nobody": -0.3, "4471": 0.02}
    pair = ("My father wrote twice.", "Nobody told him why.")
    swapped = ("My mother wrote twice.", "Nobody told her why.")
    return [
        measured("complete_share", "share of texts whose weights add up to within 1%", share(8, 8, clusters=6)),
        measured("top_share", "weight of the top words", plain(0.83, 0.07, n=8), better=Better.CONTEXT),
        Accounting(eligible=872, scored=6, note="8 texts explained by integrated gradients"),
        case_of("drawn at random", weighed("Where is my parcel?", "delivery", parcel=3.2, my=-0.4),
                chosen="random", gold="delivery", note="drawn by the seed of the audit"),
        case_of("near the boundary", weighed(refund, "billing", **weights), gold="billing",
                note="among the closest decisions: “delivery” is 1.2 percentage points behind"),
        case_of("a typing slip changes the answer", weighed(refund, "billing", **weights),
                weighed(slip, "delivery", refubd=-0.4, arrived=1.3, order=-0.5, nobody=0.35), gold="billing",
                note="neighbouring keys struck in some words (severity 2): the answer changes"),
        case_of("another group is named", weighed(pair, "returns", father=-0.8, nobody=0.5),
                weighed(swapped, "returns", mother=0.9, nobody=0.5), content_note="possibly hateful language"),
        Skip(reason=SkipReason.UNDEFINED, detail="All 872 labelled answers are right.", name="example",
             slice={"kind": "confident and wrong"}),
    ]  # fmt: skip


def ranking_curves(rankings: Mapping[str, float]) -> list[Curve]:
    """How fast the score falls when words are taken out, one curve for each order of taking them."""
    return [
        Curve(
            name="comprehensiveness", title="Loss of score as words are taken out", x_title="share of words taken out",
            y_title="loss of score", unit=Unit.SCORE, slice={"ranking": name},
            points=tuple(Point(x=x, y=plain(top * x, 0.05, n=90)) for x in (0.01, 0.05, 0.1, 0.2, 0.5)),
        )
        for name, top in rankings.items()
    ]  # fmt: skip


def explained(folder: Path) -> RunFolder:
    """Explained examples, and a chart of three lines."""
    faithful = measured("aopc", "loss of score over random", plain(0.21, 0.04), unit=Unit.SCORE, better=Better.HIGHER)
    steps = [
        Step("explanation.examples", "Explained examples", explained_records(), parameters={"each": 2}),
        Step("explanation.faithfulness", "Faithfulness of the explanations", [
            faithful, *ranking_curves({"attribution": 1.1, "random": 0.3, "second_method": 0.95}),
            Accounting(eligible=90, scored=90),
        ]),
    ]  # fmt: skip
    finding = check("explanation.faithfulness", "loss of score over random", status=Status.FAIL, unit=Unit.SCORE,
                    estimate=plain(0.21, 0.04), minimum=0.3, name="aopc", level=Level.WARN)  # fmt: skip
    return write(folder, steps, [finding])


HOSTILE = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"
    "\u202egnp.exe\u202c\u200b\x1b[31m\x00]]>&amp;</style>"
)


def hostile(folder: Path) -> RunFolder:
    """Every free text of a run is an attack."""
    bad, big = HOSTILE, "A" * 1_000_000
    records: list[Record] = [
        measured("accuracy", bad, share(40, 50), better=Better.HIGHER, group=bad),
        measured("confusion", bad, share(4, 50), better=Better.CONTEXT, gold=bad, predicted=big),
        Curve(name="c", title=bad, x_title=bad, y_title=bad, unit=Unit.SCORE,
              points=(Point(x=1, y=share(3, 9), label=bad),)),
        Evidence(example_id=bad, chosen="random", shown=(Shown(texts=(bad, big), answer=bad),), gold=bad, note=bad),
        Evidence(
            example_id=bad, chosen="worst",
            shown=(Shown(texts=(big,), answer=bad), Shown(texts=(big + bad,), answer=big)), slice={bad: bad},
        ),
        case_of(bad, weighed((bad, big), bad, script=1.0, alert=-1.0, onerror=0.3), chosen="random"),
        case_of(bad, weighed(bad * 400, bad, **{"1": 3.0, "style": -1.0}), weighed(bad, bad, img=-1.0)),
        *(curve.model_copy(update={"title": bad, "y_title": bad}) for curve in ranking_curves({bad: 1.0, "b": 0.5})),
        Accounting(eligible=3, scored=3, note=bad, slice={bad: bad}),
        Skip(reason=SkipReason.UNDEFINED, detail=bad, enable=bad, name=bad, slice={bad: bad}),
        WordList(title=bad, groups={bad: (bad, big)}, source=big, licence=bad, language=bad),
    ]  # fmt: skip
    records += [
        measured("rate", bad, share(30, 50), attribute=bad, group=bad),
        Skip(reason=SkipReason.TOO_FEW, detail=bad, slice={"attribute": bad, "group": big}),
    ]
    steps = [
        Step(f"robustness.{bad}", bad, records, parameters={bad: bad}),
        Step("robustness.b", big, error=bad),
    ]
    findings = [
        check(f"robustness.{bad}", bad, status=status, estimate=share(40, 50), minimum=0.5, message=bad, rationale=bad,
              enable=bad, name=f"n{i}", part={bad: bad})
        for i, status in enumerate(Status)
    ]  # fmt: skip
    return write(
        folder,
        steps,
        findings,
        exit_code=1,
        sentence=bad,
        model=model_card(name=bad, source=bad, labels=(bad, big), files=((bad, bad),), revision=bad),
        data=data_card(name=bad, notes=(bad, big), rows_dropped={bad: 3}),
        notes=(bad,),
        policy=f"{bad}\n{big}",
        run_id=bad,
        card=AuditCard(**{
            name: (bad, big) if name in ("languages", "affected_groups", "unmeasured_risks", "instruments") else bad
            for name in AuditCard.model_fields
        }),
        waivers=[
            waiver(f"{bad}{i}", state, bad, bad, scope=bad, owner=bad, approver=bad, reason=big, expires=bad)
            for i, state in enumerate(WaiverState)
        ],
        comparison=Comparison(
            schema_version=SCHEMA_VERSION, run_id=bad,
            baseline=BaselineUse(run_id=bad, model_name=bad, model=bad, created=bad, bundle_digest=bad),
            differences=(Difference(what=bad, before=bad, after=big),),
            steps=(
                StepComparison(step_id="a", probe=bad, title=bad, measurements=(moved("x", bad, 0.1, 0.01, a=bad),)),
                StepComparison(step_id="b", probe=bad, title=big, refused=bad),
            ),
        ),
        attempts=[
            Attempt(run_id=bad, created=bad, data=bad, policy_id=big, policy_digest=bad,
                    outcomes=(Outcome(time=bad, exit_code=1),)),
        ],
    )  # fmt: skip


def stress(folder: Path, *, checks: int = 10_000) -> RunFolder:
    """Far more findings than anyone reads."""
    steps = perturbation_steps()
    rates = [share(300 + i, 872) for i in range(90)]
    findings = [
        check(steps[i % len(steps)].probe, f"share of answers that changed (part {i})", status=Status.FAIL,
              estimate=rates[i % 90], maximum=0.1, part={"part": str(i)},
              message=f"Part {i}: " + "the answer changed more often than the policy accepts. " * 3)
        for i in range(checks)
    ]  # fmt: skip
    return write(folder, steps, findings, exit_code=1, sentence="Blocked: 10,000 checks failed.")


def crowded(folder: Path) -> RunFolder:
    """A first page as full as it can get: long names, long sentences, every kind of task, many reasons."""
    words = "an unusually long wording that goes on and on "
    steps = [
        Step(
            f"robustness.p{i}",
            f"{words[:38]} {i}",
            perturbed_records(5),
            error="" if i < 8 else f"OSError: {words * 3}",
        )
        for i in range(9)
    ]
    statuses = [Status.FAIL, Status.INCONCLUSIVE, Status.WAIVED, *[Status.FAIL] * 6]
    findings = [
        check(step.probe, words * 4, status=status, estimate=share(199, 240), maximum=0.1, needed_n=123_456,
              message=words * 9)
        for step, status in zip(steps, statuses, strict=True)
    ]  # fmt: skip
    skips = [
        PlannedSkip(probe=f"bias.{r.value}{i}", risk="bias", title=words, skip=Skip(reason=r, detail=words * 5))
        for r in SkipReason
        for i in range(6)
    ]
    return write(
        folder,
        steps,
        findings,
        exit_code=1,
        sentence="Blocked: " + words * 20,
        skips=skips,
        notes=(words * 9, words * 9, words),
        model=model_card(
            name="organisation/" + "long-model-name-" * 4, labels=tuple(f"{words[:30]}{i}" for i in range(9))
        ),
        data=data_card(name=words * 2),
        card=AuditCard(confidentiality=words * 3, unmeasured_risks=(words * 3, words * 3)),
        waivers=[waiver(f"W-{words[:20]}{i}", state, words) for i, state in enumerate(WaiverState)],
        attempts=attempts_of(hashlib.sha256(POLICY.encode()).hexdigest()),
    )


SITUATIONS = {
    "crowded": crowded,
    "rich": rich,
    "passing": passing,
    "no gold": no_gold,
    "everything skipped": everything_skipped,
    "unjudged": unjudged,
    "regression": regression,
    "pairs": pairs,
    "explained": explained,
    "hostile": hostile,
}
