"""Attributions beside captum's, in one process: how fast, and how far from a 200-point reference.

    OMP_NUM_THREADS=1 python -m benchmarks.attribution --model MODEL --data FILE.jsonl

Every way starts from texts and ends at a number for each word. Ways are run in turn, `--rounds` times; medians are
reported. Writes benchmarks/results/attribution.md.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch

from benchmarks.captum_loop import CaptumLoop, Rows
from benchmarks.engine import alternate
from probes.core.attributions import Attribution, Method
from probes.model.cache import AnswerCache
from probes.model.engine import TransformersModel
from probes.model.load import load

RESULTS = Path(__file__).parent / "results"
LENGTHS = (20, 34)
"""Tokens of the texts, special ones included: 27 on average."""
REFERENCE = 200
"""Points of the Gauss-Legendre rule that the others are compared with."""
Way = Callable[[], Rows]


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    model = load(options.model, device="cpu", dtype="float32")
    lines = report(model, options)
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of a BERT-like classifier")
    parser.add_argument("--data", type=Path, required=True, help="lines of JSON, each with a text")
    parser.add_argument("--texts", type=int, default=12)
    parser.add_argument("--more", type=int, default=48, help="texts asked once, for the completeness error")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "attribution.md")
    return parser.parse_args()


def drawn(model: TransformersModel, data: Path, n: int, *, seed: int) -> list[str]:
    """n texts at random, their lengths spread evenly over LENGTHS."""
    texts = [json.loads(line)["text"] for line in data.read_text("utf-8").splitlines()]
    lengths = model.encoder.encode(texts).lengths
    low, high = LENGTHS
    draw = random.Random(seed)
    chosen = []
    for place in range(n):
        wanted = low + (high - low) * (place + 0.5) / n
        distance = np.abs(lengths - wanted)
        chosen.append(texts[draw.choice(np.flatnonzero(distance == distance.min()).tolist())])
    draw.shuffle(chosen)
    return chosen


def report(model: TransformersModel, options: argparse.Namespace) -> list[str]:
    texts = drawn(model, options.data, options.texts, seed=0)
    asked = ask(model, texts, Method.INTEGRATED_GRADIENTS)
    captum = CaptumLoop.of(options.model, asked)
    tokens = statistics.fmean(model.encoder.encode(texts).lengths)
    more = drawn(model, options.data, options.more, seed=1)
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "captum"))
    return [
        "# Attributions beside captum",
        "",
        f"{len(texts)} texts of {tokens:.1f} tokens, {model.card.name} in float32, baseline: {asked[0].baseline}. "
        f"Medians of {options.rounds} rounds in turn, {options.threads} thread, {platform.machine()}, "
        f"{model.device_name}; {versions}.",
        "",
        *gradients(model, asked, captum, options.rounds),
        "",
        *completeness([*asked, *ask(model, more, Method.INTEGRATED_GRADIENTS)]),
        "",
        *perturbations(model, asked, captum, options.rounds),
    ]


def ask(model: TransformersModel, texts: Sequence[str], method: Method) -> list[Attribution]:
    """Towards the label answered."""
    answers = model.classify(texts).logits.argmax(axis=1)
    return model.attribute(texts, [model.card.labels[answer] for answer in answers], method=method)


def ours(model: TransformersModel, asked: Sequence[Attribution], method: Method) -> Way:
    """The same questions in one bulk, with an empty cache."""

    def way() -> Rows:
        model.cache = AnswerCache.open(None)
        found = model.attribute([each.text for each in asked], [each.target for each in asked], method=method)
        return [each.scores for each in found]

    return way


def gradients(model: TransformersModel, asked: list[Attribution], captum: CaptumLoop, rounds: int) -> list[str]:
    """The table of integrated gradients."""
    ways = {
        "captum, one text after another, 50 steps (its default)": captum.integrated_gradients,
        "captum, one text after another, 32 steps": lambda: captum.integrated_gradients(32),
        "this engine": ours(model, asked, Method.INTEGRATED_GRADIENTS),
    }
    spent = [50.0, 32.0, statistics.fmean(each.points for each in asked)]
    speeds, rows = measured(ways, rounds)
    reference = captum.integrated_gradients(REFERENCE)
    lines = [
        "## Integrated gradients",
        "",
        f"Error: the largest |difference| of a word from captum's {REFERENCE}-point rule, as a share of the largest "
        "|attribution| of the text.",
        "",
        "| way | texts/s | of CPU time | ratio | gradients a text | error, median | error, largest | smallest cosine |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    first, *_ = speeds.values()
    for (name, (wall, used)), points in zip(speeds.items(), spent, strict=True):
        errors = [relative(row, right) for row, right in zip(rows[name], reference, strict=True)]
        angle = min(cosine(row, right) for row, right in zip(rows[name], reference, strict=True))
        accuracy = f"{statistics.median(errors):.1e} | {max(errors):.1e} | {angle:.6f}"
        lines.append(f"| {name} | {wall:.2f} | {used:.2f} | {wall / first[0]:.2f} | {points:.1f} | {accuracy} |")
    return lines


def completeness(found: Sequence[Attribution]) -> list[str]:
    """What the attributions add up to, beside what they should."""
    deltas = sorted(np.inf if each.relative_delta is None else each.relative_delta for each in found)
    within = sum(delta < 0.01 for delta in deltas)
    points = {count: sum(each.points == count for each in found) for count in sorted({each.points for each in found})}
    stopped = ", ".join(f"{texts} after {count}" for count, texts in points.items())
    return [
        f"Completeness error under 1 % of the difference between text and baseline: {within} of {len(deltas)} texts "
        f"({within / len(deltas):.0%}); median {statistics.median(deltas):.1e}, largest {deltas[-1]:.1e}. "
        f"Texts that stopped: {stopped} points.",
    ]


def perturbations(model: TransformersModel, asked: list[Attribution], captum: CaptumLoop, rounds: int) -> list[str]:
    """The tables of feature ablation and of occlusion."""
    lines = []
    for method, loop, remark in (
        (Method.FEATURE_ABLATION, captum.ablation, "The same questions: one for each word."),
        (Method.OCCLUSION, captum.occlusion, "captum's window slides over tokens, special ones too, ours over words."),
    ):
        ways: dict[str, Way] = {
            "captum, perturbations_per_eval=1 (its default)": loop,
            "captum, perturbations_per_eval=16": partial(loop, 16),
            "this engine": ours(model, asked, method),
        }
        speeds, rows = measured(ways, rounds)
        first = next(iter(ways))
        lines += ["", f"## {method.capitalize().replace('_', ' ')}", "", remark, ""]
        lines += ["| way | texts/s | of CPU time | ratio | largest difference |", "|---|---:|---:|---:|---:|"]
        for name, (wall, used) in speeds.items():
            apart = max(relative(row, right) for row, right in zip(rows[name], rows[first], strict=True))
            lines.append(f"| {name} | {wall:.2f} | {used:.2f} | {wall / speeds[first][0]:.2f} | {apart:.1e} |")
    return lines[1:]


def measured(ways: dict[str, Way], rounds: int) -> tuple[dict[str, tuple[float, float]], dict[str, Rows]]:
    """Of each way, texts per second of wall and of CPU time, and what it last answered."""
    rows: dict[str, Rows] = {}

    def kept(name: str) -> Callable[[], None]:
        return lambda: rows.update({name: ways[name]()})

    timed = alternate({name: kept(name) for name in ways}, rounds)
    speeds = {
        name: (
            len(rows[name]) / statistics.median(wall for wall, _ in spent),
            len(rows[name]) / statistics.median(used for _, used in spent),
        )
        for name, spent in timed.items()
    }
    return speeds, rows


def relative(row: np.ndarray, right: np.ndarray) -> float:
    return float(np.abs(row - right).max() / np.abs(right).max())


def cosine(row: np.ndarray, right: np.ndarray) -> float:
    return float(row @ right / (np.linalg.norm(row) * np.linalg.norm(right)))


if __name__ == "__main__":
    main()
