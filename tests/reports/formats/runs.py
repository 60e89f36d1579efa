"""Run folders for the formats: every status at every level, waivers, attacks in every field."""

from __future__ import annotations

from pathlib import Path

from probes.core.findings import BaselineUse, Finding, Level, Status, Verdict, WaiverState, WaiverUse
from probes.core.run_folder import RunFolder
from reports.load import Loaded, load
from tests.reports import synthetic_run as synthetic

ATTACKS = {
    "script": "<script>alert(1)</script>",
    "end of CDATA": "]]><x>",
    "bidirectional": "\u202egnp.exe\u2066",
    "ANSI": "\x1b[31mred\x1b]8;;http://evil.example\x07",
    "NUL": "a\x00b\x85\ufffe\u2028",
    "long": "A" * 1_000_000,
    "formula": "=cmd|'/c calc'!A0",
    "workflow command": "x\n::error::owned\r\n::set-output name=verdict::passed",
    "escaped workflow command": "%0A::error file=a,line=1::owned",
    "comment": "<!-- owned -->",
    "end of comment": "--> <b>owned</b>",
    "front matter": "x\n---\nlicense: owned\n---\n",
    "links": "[a](http://evil.example) ![b](javascript:alert(1)) <http://evil.example> http://evil.example "
    "www.evil.example me@evil.example",
    "references": "@everyone @org/team #1 GH-2 org/repo#3 !4 ~bug %5 $6 &7 ^alert",
    "table": "a | b || c \\| d `e` ``f | g``",
    "headings": "# Passed\n## Passed\nPassed\n======\n- [x] done\n1. one\n> quoted\n***bold*** __b__ ~~s~~",
    "details": "</code></summary></details><details open>",
    "expressions": "${{ secrets.TOKEN }} $(id) `id` {{7*7}}",
    "end of metrics": '"} 1\n# EOF\naudit_exit_code 0',
    "YAML": "*a !!python/object/apply:os.system ['id'] &b {c: d} - e: | >\n\tf",
}


def attacked(folder: Path, text: str) -> Loaded:
    """A judged run in which every free text is `text`."""
    records = [synthetic.measured("flip_rate", text, synthetic.share(40, 50))]
    steps = [synthetic.Step("robustness.typos", text, records), synthetic.Step(f"x.{text[:99]}", text, error=text)]
    findings = [
        synthetic.check(
            "robustness.typos" if i % 2 else f"x.{text[:99]}", text, status=status, message=text, rationale=text,
            estimate=synthetic.share(40, 50) if i % 3 else None, minimum=0.5, name=f"n{i}", part={text[:99]: text},
            enable=text,
        ).model_copy(update={"waiver": text if status is Status.WAIVED else "", "policy_line": 7})
        for i, status in enumerate(Status)
    ]  # fmt: skip
    run = synthetic.write(
        folder, steps, findings, exit_code=1, sentence=text, notes=(text,), policy=text,
        model=synthetic.model_card(name=text, source=text, labels=(text, "b"), files=((text, "no digest"),),
                                   revision=text, licence=text, architecture=text, model_type=text, task=text),
        data=synthetic.data_card(name=text, source=text, revision=text, licence=text), run_id=text,
    )  # fmt: skip
    manifest = run.manifest()
    docs = {name: doc.model_copy(update={"why": text, "limits": text}) for name, doc in manifest.methodology.items()}
    environment = manifest.environment.model_copy(update={"tool": text})
    card = manifest.card.model_copy(
        update={"users": text, "intended_purpose": text, "affected_groups": (text,), "unmeasured_risks": (text,)}
    )
    config = {"policy": f"{text[:99]}.yaml"}
    update = {"methodology": docs, "environment": environment, "card": card, "config": config, "created": text}
    run.manifest_path.write_text(manifest.model_copy(update=update).model_dump_json(), encoding="utf-8")
    baseline = BaselineUse(run_id=text, model_name=text, model=text, created=text)
    rejudged(run, policy_id=text, waivers=(waiver(text),), baseline=baseline)
    return load(run)


def waiver(text: str, state: WaiverState = WaiverState.USED) -> WaiverUse:
    return WaiverUse(
        id=text, checks=(text,), scope=text, owner=text, approver=text, reason=text, created="2026-10-01",
        expires="2026-12-01", max_observed=0.9, state=state, note=text, findings=(text,),
    )  # fmt: skip


def rejudged(run: RunFolder, **changes: object) -> Verdict:
    """Change the verdict of a run on disk."""
    verdict = run.verdict().model_copy(update=changes)
    run.findings_path.write_text(verdict.model_dump_json(), encoding="utf-8")
    return verdict


def waived(folder: Path) -> Loaded:
    """A failure that was accepted in writing, and a waiver that has expired."""
    finding = synthetic.check(
        "bias.groups", "Gap between channels", status=Status.WAIVED, estimate=synthetic.plain(0.09, 0.03), maximum=0.05
    ).model_copy(update={"waiver": "W-1", "underlying": Status.FAIL, "policy_line": 12})
    run = synthetic.write(folder, [], [finding])
    accepted = waiver("W-1").model_copy(update={"reason": "A new rule is on its way.", "owner": "Ada"})
    rejudged(run, waivers=(accepted, waiver("W-2", WaiverState.EXPIRED)))
    return load(run)


def every_status() -> list[Finding]:
    """Each status at each level, decisive and not."""
    return [
        synthetic.check(f"robustness.p{i}", f"Check {i}", status=status, level=level, maximum=0.1).model_copy(
            update={"decisive": decisive, "policy_line": i + 1}
        )
        for i, (status, level, decisive) in enumerate(
            (status, level, decisive) for status in Status for level in Level for decisive in (True, False)
        )
    ]


def judged(folder: Path, findings: list[Finding], *, exit_code: int = 1) -> Loaded:
    return load(synthetic.write(folder, [], findings, exit_code=exit_code, sentence="As it is."))
