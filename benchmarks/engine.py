"""How fast the engine answers, beside transformers' pipeline and beside the bare network, in one process.

    python -m benchmarks.engine                       # MiniLM, CPU, one thread, float32 and bfloat16
    python -m benchmarks.engine --model bert-base --device cuda --dtypes bfloat16
    python -m benchmarks.engine --curve               # the token budget

Ways are run in turn, `--rounds` times, so that a machine that slows down slows all of them; medians are reported. Each
way is timed from texts to answers. Results: benchmarks/results/engine-<machine>.json and .md. See README.md.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from benchmarks.workload import bert_base, clean_texts, minilm, perturbed_texts
from probes.core.answers import Classifications
from probes.model.batching import Batch, canonical_order, cut
from probes.model.cache import AnswerCache
from probes.model.engine import TransformersModel
from probes.model.load import load

RESULTS = Path(__file__).parent / "results"
Timed = dict[str, list[tuple[float, float]]]
"""Way -> (wall seconds, CPU seconds of this process) of each round."""


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as scratch:
        clean = clean_texts(options.texts)
        texts = perturbed_texts(clean)
        folder = model_folder(options.model, Path(scratch), texts)
        if options.curve:
            curve(folder, texts, options)
            return
        results = [measure(folder, texts, dtype, options) for dtype in options.dtypes]
    report = {"machine": machine(options), "model": options.model, "results": results}
    name = f"engine-{slug(report['machine']['device'])}"
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / f"{name}.json").write_text(json.dumps(report, indent=1) + "\n")
    (options.out / f"{name}.md").write_text(table(report))
    print(table(report))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="minilm", help="minilm, bert-base (random weights) or a folder")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--texts", type=int, default=24, help="clean texts; each is asked with all its perturbations")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--budget", type=int, help="tokens in a batch; by default the engine's own")
    parser.add_argument("--single", type=int, help="ask the pipeline one text at a time only this many of the texts")
    parser.add_argument("--curve", action="store_true", help="only measure the speed at several token budgets")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


def model_folder(name: str, scratch: Path, texts: list[str]) -> Path:
    if name == "minilm":
        return minilm(scratch / name)
    return bert_base(scratch / name, texts) if name == "bert-base" else Path(name)


def measure(folder: Path, texts: list[str], dtype: str, options: argparse.Namespace) -> dict[str, Any]:
    engine = load(str(folder), device=options.device, dtype=dtype, budget=options.budget)
    batches = prepared(engine, texts)
    pipe = pipeline(folder, engine, dtype)
    answers: dict[str, np.ndarray] = {}
    some = texts[:: max(1, len(texts) // options.single)] if options.single else texts
    ways: dict[str, Callable[[], object]] = {
        "pipeline, one text at a time": lambda: probabilities(pipe, some, engine),
        "pipeline, batch_size=32": lambda: answers.update(batch=probabilities(pipe, texts, engine, batch_size=32)),
        "this engine": lambda: answers.update(ours=ask(engine, texts).scores),
        "bare network, same batches": lambda: forward(engine, batches),
    }
    singles = ["pipeline, one text at a time"]
    if dtype != "float32":  # what the pipeline does when nobody asks it for another type
        plain = pipeline(folder, engine, "float32")
        singles.append("pipeline in float32, one text at a time")
        ways[singles[-1]] = lambda: probabilities(plain, some, engine)
        ways["pipeline in float32, batch_size=32"] = lambda: probabilities(plain, texts, engine, batch_size=32)
    for way in ("this engine", "bare network, same batches"):
        ways[way]()  # warm up: lazy initialisation, and on a GPU the allocator
    if engine.forward.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    timed = alternate(ways, options.rounds)
    for single in (timed[name] for name in singles):
        single[:] = [(wall * len(texts) / len(some), used * len(texts) / len(some)) for wall, used in single]
    peak_memory = torch.cuda.max_memory_allocated() if engine.forward.device.type == "cuda" else None
    engine.cache, _ = AnswerCache.open(None), engine.take_counters()
    engine.classify(texts)
    counters = engine.take_counters()
    difference = np.abs(answers["ours"] - answers["batch"])
    host = host_path(engine, clean_texts(2000, seed=1))
    return {
        "dtype": dtype,
        "budget": engine.budget,
        "texts": len(texts),
        "asked_one_at_a_time": len(some),
        "distinct": counters.distinct,
        "tokens_per_text": counters.tokens / counters.computed,
        "seconds": timed,
        "host_texts_per_second": host,
        "largest_difference": float(difference.max()),
        "other_labels": int((answers["ours"].argmax(1) != answers["batch"].argmax(1)).sum()),
        "gemm_flops": (peak := gemm_flops(engine.forward.device, dtype)),
        "share_of_gemm": flops(engine, batches) / wall(timed["bare network, same batches"]) / peak,
        "peak_memory_bytes": peak_memory,
        "cpu_agreement": cpu_agreement(folder, texts[:200], answers["ours"][:200], engine),
    }


def alternate(ways: dict[str, Callable[[], object]], rounds: int) -> Timed:
    timed: Timed = {name: [] for name in ways}
    for number in range(rounds):
        names = list(ways) if number % 2 == 0 else list(ways)[::-1]
        for name in names:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            started, used = time.perf_counter(), time.process_time()
            ways[name]()
            timed[name].append((time.perf_counter() - started, time.process_time() - used))
    return timed


def pipeline(folder: Path, engine: TransformersModel, dtype: str) -> Any:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, TextClassificationPipeline

    network = AutoModelForSequenceClassification.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return TextClassificationPipeline(model=network, tokenizer=tokenizer, device=engine.forward.device, top_k=None)


def probabilities(pipe: Any, texts: Sequence[str], engine: TransformersModel, **options: Any) -> np.ndarray:
    if options:
        rows = pipe(list(texts), truncation=True, **options)
    else:
        rows = [pipe([text], truncation=True)[0] for text in texts]
    return np.array(
        [[next(a["score"] for a in row if a["label"] == label) for label in engine.card.labels] for row in rows]
    )


def ask(engine: TransformersModel, texts: Sequence[str]) -> Classifications:
    engine.cache = AnswerCache.open(None)
    if engine.encoder._splicer is not None:
        engine.encoder._splicer.forget()  # words are learned again: a first audit, not a second one
    return engine.classify(texts)


def prepared(engine: TransformersModel, texts: Sequence[str]) -> list[tuple[dict[str, torch.Tensor], Batch]]:
    """The very batches the engine makes, padded and on the device."""
    rows = engine.encoder.encode(list(dict.fromkeys(texts)))
    slots = dict(zip(rows.keys(b""), range(len(rows)), strict=True))
    rows = rows.take(np.array(list(slots.values())))
    keys = rows.keys(engine.scope)
    rows = rows.take(canonical_order(rows.lengths, keys))
    batches = []
    for first, last in cut(rows.lengths, budget=engine.budget):
        batch = Batch(rows.take(np.arange(first, last)))
        ids, mask, types = batch.blocks(pad=engine.forward.pad)
        inputs = {"input_ids": ids, "attention_mask": mask} | ({} if types is None else {"token_type_ids": types})
        moved = {name: torch.from_numpy(block).to(engine.forward.device) for name, block in inputs.items()}
        batches.append((moved, batch))
    return batches


def forward(engine: TransformersModel, batches: list[tuple[dict[str, torch.Tensor], Batch]]) -> torch.Tensor:
    with torch.inference_mode():
        return torch.cat([engine.forward.network(**inputs).logits for inputs, _ in batches]).float().cpu()


def host_path(engine: TransformersModel, texts: list[str], rounds: int = 5) -> float:
    """Texts per second and thread when the network costs nothing: encoding, hashing, cache, batching, scattering."""
    labels, network = len(engine.card.labels), engine.forward.network
    texts = perturbed_texts(texts[:100])

    def nothing(**inputs: torch.Tensor) -> SimpleNamespace:
        return SimpleNamespace(logits=torch.zeros(len(inputs["input_ids"]), labels))

    engine.forward.network = nothing
    try:
        timed = alternate({"host": lambda: ask(engine, texts)}, rounds)["host"]
    finally:
        engine.forward.network = network
    return len(texts) / statistics.median(used for _, used in timed)


def gemm_flops(device: torch.device, dtype: str) -> float:
    """The fastest matrix product seen: what the device can do in this type."""
    size = 8192 if device.type == "cuda" else 1024
    a, b = (torch.randn(size, size, device=device).to(getattr(torch, dtype)) for _ in range(2))
    best = float("inf")
    for _ in range(20):
        if device.type == "cuda":
            torch.cuda.synchronize()
        started = time.perf_counter()
        a @ b
        if device.type == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - started)
    return 2.0 * size**3 / best


def flops(engine: TransformersModel, batches: list[tuple[dict[str, torch.Tensor], Batch]]) -> float:
    """Multiply-adds x 2 of the real tokens (padding is not work): weights outside the embeddings, and attention."""
    network = engine.forward.network
    embeddings = sum(m.weight.numel() for m in network.modules() if isinstance(m, torch.nn.Embedding))
    weights = sum(p.numel() for p in network.parameters()) - embeddings
    width = network.config.hidden_size * network.config.num_hidden_layers
    lengths = np.concatenate([batch.rows.lengths for _, batch in batches])
    return float(2 * weights * lengths.sum() + 4 * width * (lengths**2).sum())


def cpu_agreement(folder: Path, texts: list[str], scores: np.ndarray, engine: TransformersModel) -> float | None:
    """Largest difference in probability from the CPU in float32; None on a CPU."""
    if engine.forward.device.type == "cpu":
        return None
    return float(np.abs(load(str(folder), device="cpu", dtype="float32").classify(texts).scores - scores).max())


def curve(folder: Path, texts: list[str], options: argparse.Namespace) -> None:
    for dtype in options.dtypes:
        engine = load(str(folder), device=options.device, dtype=dtype)
        budgets = [2**power for power in (range(12, 20) if engine.forward.device.type == "cuda" else range(8, 15))]

        def way(budget: int, engine: TransformersModel = engine) -> Callable[[], object]:
            def run() -> object:
                engine.budget = engine.forward.limit = budget
                return ask(engine, texts)

            return run

        timed = alternate({str(budget): way(budget) for budget in budgets}, options.rounds)
        for name, rounds in timed.items():
            print(
                f"{dtype} budget {name:>7}: {len(texts) / wall(rounds):9.1f} texts/s wall, "
                f"{len(texts) / used(rounds):9.1f} texts/s of CPU time"
            )


def wall(rounds: Sequence[tuple[float, float]]) -> float:
    return statistics.median(seconds for seconds, _ in rounds)


def used(rounds: Sequence[tuple[float, float]]) -> float:
    return statistics.median(seconds for _, seconds in rounds)


def table(report: dict[str, Any]) -> str:
    machine = report["machine"]
    lines = [f"# Engine: {report['model']} on {machine['device']}, {machine['threads']} thread(s)", ""]
    lines += [f"{key}: {value}  " for key, value in machine.items()]
    for result in report["results"]:
        lines += ["", *section(result)]
    return "\n".join(lines) + "\n"


def section(result: dict[str, Any]) -> list[str]:
    timed, n = result["seconds"], result["texts"]
    ours = timed["this engine"]
    lines = [
        f"## {result['dtype']}, {n} texts, {result['distinct']} distinct of {result['tokens_per_text']:.1f} tokens",
        "",
        "| way | texts/s (wall) | texts/s (CPU time) | this engine against it: wall | CPU time |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, rounds in timed.items():
        speeds = f"{n / wall(rounds):.1f} | {n / used(rounds):.1f}"
        lines.append(f"| {name} | {speeds} | {wall(rounds) / wall(ours):.2f}x | {used(rounds) / used(ours):.2f}x |")
    memory = result["peak_memory_bytes"]
    agreement = result["cpu_agreement"]
    return [
        *lines,
        "",
        f"- host path with a network that costs nothing: {result['host_texts_per_second']:,.0f} texts/s per thread",
        f"- against the pipeline: largest difference in probability {result['largest_difference']:.1e}, "
        f"other labels {result['other_labels']} of {n}",
        f"- bare network: {result['share_of_gemm']:.0%} of the fastest matrix product "
        f"({result['gemm_flops'] / 1e9:,.0f} GFLOP/s), real tokens only",
        f"- token budget {result['budget']}; one at a time measured on {result['asked_one_at_a_time']} of the texts",
        *([f"- peak memory {memory / 2**20:,.0f} MiB"] if memory else []),
        *(
            [f"- largest difference in probability from the CPU in float32: {agreement:.1e}"]
            if agreement is not None
            else []
        ),
    ]


def machine(options: argparse.Namespace) -> dict[str, Any]:
    from probes.model import device

    return {
        "device": device.describe(device.choose(options.device)),
        "threads": options.threads,
        "python": platform.python_version(),
        **{name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "rounds": options.rounds,
    }


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


if __name__ == "__main__":
    main()
