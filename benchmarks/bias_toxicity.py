"""Bias and toxicity audits of three small classifiers fine-tuned on public data.

    python -m benchmarks.bias_toxicity --data ../shared/data --out /tmp/bias

Needs a folder with `tweet_eval/hate`, `hate_speech_offensive`, `hatecheck`, `bias_madlibs` and `wiki_toxicity_testset`
(columns as on the Hub), and the extra `demo` for the encoder and the film sentences. Writes
benchmarks/results/bias-toxicity.md: every number with its 95 % interval, n and independent clusters.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.small_models import TRAIN_ON, audit, numbers, train
from probes.core.examples import Example
from probes.core.records import Measurement, Skip
from probes.core.rng import derive
from probes.core.run_folder import RunFolder
from probes.text.masking import mask

HATE = ("non-hate", "hate")
OFFENCE = ("hate speech", "offensive language", "neither")
PROBES = ("performance.quality", "bias.*", "toxicity.*")


@dataclass(frozen=True, slots=True)
class Case:
    """One audit: which model, on which data, with which flags beside those."""

    name: str
    model: Path
    data: Path | None
    flags: tuple[str, ...] = ()


def hate_model(data: Path, out: Path) -> Path:
    rows = pq.read_table(data / "tweet_eval/hate/train.parquet").to_pylist()
    return train([Example.of(row["text"], gold=HATE[row["label"]]) for row in rows], HATE, out / "tweet_eval-hate")


def offence_model(data: Path, out: Path) -> tuple[Path, Path]:
    """The model, and a fifth of the tweets held out by their content."""
    rows = pq.read_table(data / "hate_speech_offensive/train.parquet").to_pylist()
    examples = [Example.of(row["tweet"], gold=OFFENCE[int(row["class"])]) for row in rows]
    held_out = [example for example in examples if derive(0, "split", example.cluster) % 5 == 0]
    model = train(
        [example for example in examples if derive(0, "split", example.cluster) % 5],
        OFFENCE,
        out / "hate_speech_offensive",
    )
    return model, _table(held_out, out / "hate_speech_offensive_test.parquet")


def cases(data: Path, out: Path) -> Iterator[Case]:
    hatecheck = ("--hatecheck", str(data / "hatecheck/test.csv"))
    yield Case("tweet_eval/hate", hate_model(data, out), data / "tweet_eval/hate/test.parquet", hatecheck)
    model, held_out = offence_model(data, out)
    yield Case("hate_speech_offensive", model, held_out, hatecheck)
    madlibs = data / "bias_madlibs/bias_madlibs_77k.parquet"
    only = ("--only", "bias.identity_terms", "--only", "performance.quality")
    labels = ("--label-map", "BAD=offensive language", "--label-map", "NOT_BAD=neither")
    columns = ("--text-column", "Text", "--label-column", "Label", "--cluster-column", "Template")
    yield Case("hate_speech_offensive on bias_madlibs", model, madlibs, (*only, *labels, *columns, "--limit", "20000"))
    wiki = data / "wiki_toxicity_testset/nonfuzzed.parquet"
    labels = ("--label-map", "True=offensive language", "--label-map", "False=neither")
    columns = ("--text-column", "comment", "--label-column", "toxic")
    yield Case("hate_speech_offensive on wiki_toxicity", model, wiki, (*labels, *columns))
    yield Case("film sentences (the demo model)", Path("demo"), None)


def _table(examples: Sequence[Example], path: Path) -> Path:
    columns = {"text": [str(e.text) for e in examples], "label": [str(e.gold) for e in examples]}
    pq.write_table(pa.table(columns), path)
    return path


def section(case: Case, run: RunFolder, *, code: int, seconds: float) -> Iterator[str]:
    manifest = run.manifest()
    yield f"## {case.name}"
    yield ""
    yield (
        f"{manifest.data.n:,} items; positive class: {', '.join(manifest.model.positive.labels)} "
        f"({manifest.model.positive.meaning.value}); exit code {code}; {seconds:.0f} s."
    )
    yield ""
    yield "| probe | measurement | value | 95 % interval | n | clusters |"
    yield "|---|---|---|---|---|---|"
    for (probe, key), found in numbers(run).items():
        if shown(probe, found):
            e = found.estimate
            yield f"| {probe} | `{key}` | {e.value:.3f} | {e.low:.3f} to {e.high:.3f} | {e.n:,} | {e.clusters:,} |"
    yield ""
    skips = [(s.probe, r) for s in manifest.steps for r in records(run, s.step_id) if isinstance(r, Skip)]
    yield f"Not measured: {len(skips)} entries within these probes, listed in the report with their reasons."
    yield ""


def records(run: RunFolder, step_id: str) -> Sequence[object]:
    result = run.step(step_id)
    return result.records if result else ()


def shown(probe: str, found: Measurement) -> bool:
    """Everything but the long tails: single pairs of groups, and what only the search for slices saw."""
    if probe.startswith("performance"):
        return not found.slice
    return "pair" not in found.slice and "discovery" not in found.name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Bias and toxicity audits of three small models",
        "",
        f"MiniLM fine-tuned on at most {TRAIN_ON:,} training items for one pass; default policy and seed. "
        "`python -m benchmarks.bias_toxicity`. How to read it: [docs/bias-results.md](../../docs/bias-results.md).",
        "",
    ]
    findings = {}
    for case in cases(args.data, args.out):
        only = () if "--only" in case.flags else tuple(flag for name in PROBES for flag in ("--only", name))
        data = ("--data", str(case.data)) if case.data else ()
        run, code, seconds = audit(case.model, args.out / "runs", *data, *only, *case.flags)
        lines += section(case, run, code=code, seconds=seconds)
        verdict = json.loads(run.findings_path.read_text(encoding="utf-8"))
        findings[case.name] = {
            "sentence": verdict["sentence"],
            "failed": [f"{f['level']}: {f['message']}" for f in verdict["findings"] if f["status"] == "FAIL"],
        }
    lines += ["## Verdicts of the default policy", ""]
    for name, found in findings.items():
        lines += [f"**{name}**: {found['sentence']}", "", *(f"- {message}" for message in found["failed"]), ""]
    target = Path(__file__).parent / "results" / "bias-toxicity.md"
    target.write_text(mask("\n".join(lines).rstrip()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
