"""Fine-tune MiniLM on two public data sets and audit the result: a run on real data from end to end.

    python benchmarks/public_data.py --data ../shared/data --out /tmp/public

Needs a folder with `sst2_sentences/{train,test}.parquet` and `tweet_eval/offensive/{train,test}.parquet` (columns as on
the Hub) and the extra `demo` for the encoder. Writes benchmarks/results/public-data.md.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq

from audits.demo_sources import encoder_folder
from probes.core.examples import Example
from probes.core.records import Measurement
from probes.core.run_folder import RunFolder
from probes.core.sampling import stratified
from probes.model.finetune import Recipe, finetune

SETS = {
    "sst2_sentences": ("negative", "positive"),
    "tweet_eval/offensive": ("non-offensive", "offensive"),
}
TRAIN_ON = 4000
SHOWN = (
    ("performance.quality", "accuracy"),
    ("performance.quality", "macro_f1"),
    ("performance.quality", "majority_baseline"),
    ("performance.calibration", "ece_debiased"),
    ("robustness.keyboard_typos", "flip_rate[severity=2]"),
    ("robustness.keyboard_typos", "accuracy_drop[severity=2]"),
    ("robustness.upper_case", "flip_rate[severity=5]"),
    ("robustness.worst_case", "any_flip_rate"),
)


def train(folder: Path, labels: tuple[str, ...], out: Path) -> None:
    rows = pq.read_table(folder / "train.parquet").to_pylist()
    examples = [Example.of(row["text"], gold=labels[row["label"]]) for row in rows]
    chosen = stratified(examples, limit=TRAIN_ON, seed=0)
    finetune(
        encoder_folder(),
        [str(example.text) for example in chosen],
        [str(example.gold) for example in chosen],
        labels=labels,
        out=out,
        recipe=Recipe(),
        checkpoint=out.with_suffix(".safetensors"),
    )


def audit(model: Path, data: Path, out: Path, budget: str) -> tuple[RunFolder, int, float]:
    begin = time.perf_counter()
    done = subprocess.run(
        [
            sys.executable, "-m", "audits", "run", "--model", str(model), "--data", str(data), "--suite", "full",
            "--time-budget", budget, "--out", str(out),
        ],
        check=False,
    )  # fmt: skip
    return RunFolder(next(out.iterdir())), done.returncode, time.perf_counter() - begin


def numbers(run: RunFolder) -> dict[tuple[str, str], Measurement]:
    found = {}
    for step in run.manifest().steps:
        result = run.step(step.step_id)
        for record in result.records if result else ():
            if isinstance(record, Measurement):
                found[step.probe, record.key] = record
    return found


def cell(measurement: Measurement | None) -> str:
    if measurement is None:
        return "not run"
    estimate = measurement.estimate
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f}), {estimate.n}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--time-budget", default="3m")
    args = parser.parse_args()
    lines = [
        "# Audits of two small models on public test data",
        "",
        f"MiniLM fine-tuned on {TRAIN_ON:,} training items for one pass, audited with `--suite full --time-budget "
        f"{args.time_budget}`. Value (95 % interval), n.",
        "",
        "| data | "
        + " | ".join(f"{probe.split('.')[1]}: {name}" for probe, name in SHOWN)
        + " | exit code | seconds |",
        "|---|" + "---|" * (len(SHOWN) + 2),
    ]
    for name, labels in SETS.items():
        model = args.out / name.replace("/", "-")
        if not (model / "config.json").exists():
            train(args.data / name, labels, model)
        run, code, seconds = audit(
            model, args.data / name / "test.parquet", args.out / f"runs-{model.name}", args.time_budget
        )
        found = numbers(run)
        cells = []
        for key in SHOWN:
            estimate = found[key].estimate if key in found else None
            cells.append(
                f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f}), {estimate.n}"
                if estimate
                else "not run"
            )
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {code} | {seconds:.0f} |")
    target = Path(__file__).parent / "results" / "public-data.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
