"""Tokens written per second, beside transformers' text-generation pipeline, in one process: the same prompts, greedy.

    OMP_NUM_THREADS=1 python -m benchmarks.generation --model FOLDER

Ways are run in turn, `--rounds` times; medians are reported, with the share of prompts for which the pipeline wrote the
same text. Every way writes until the model ends its text or `--tokens` are written, from texts to texts, with nothing
remembered. Counted are the tokens of what this engine wrote, so all ways are measured by the same work. Writes
benchmarks/results/generation.md.
"""

from __future__ import annotations

import argparse
import platform
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from benchmarks.engine import Timed, alternate, used, wall
from benchmarks.workload import clean_texts
from probes.core.generations import Decoding
from probes.model.cache import AnswerCache
from probes.model.engine import TransformersModel
from probes.model.load import load

RESULTS = Path(__file__).parent / "results"
ENGINE = "this engine"


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    model = load(options.model, device=options.device, dtype=options.dtype)
    lines = report(model, options)
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of a causal language model")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--prompts", type=int, default=48)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "generation.md")
    return parser.parse_args()


def report(model: TransformersModel, options: argparse.Namespace) -> list[str]:
    prompts = list(dict.fromkeys(clean_texts(options.prompts)))
    decoding = Decoding(max_tokens=options.tokens, reply=False)
    pipe = pipeline(options.model, model, options.dtype)
    ways: dict[str, Callable[[], list[str]]] = {ENGINE: partial(written, model, prompts, decoding)}
    for size in options.batches:
        ways[f"pipeline, batch_size={size}"] = partial(piped, pipe, prompts, size, options.tokens)
    answers = {name: way() for name, way in ways.items()}  # warms up, too
    tokens = int(model.generate(prompts, decoding).tokens.sum())
    timed = alternate(dict(ways), options.rounds)
    same = {name: statistics.fmean(map(str.__eq__, found, answers[ENGINE])) for name, found in answers.items()}
    return [*heading(model, options, prompts=len(prompts), tokens=tokens), *table(timed, same, tokens=tokens)]


def pipeline(folder: str, model: TransformersModel, dtype: str) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer, TextGenerationPipeline

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
    return TextGenerationPipeline(model=network, tokenizer=tokenizer, device=model.forward.device)


def written(model: TransformersModel, prompts: Sequence[str], decoding: Decoding) -> list[str]:
    model.cache = AnswerCache.open(None)
    return list(model.generate(prompts, decoding).texts)


def piped(pipe: Any, prompts: Sequence[str], size: int, tokens: int) -> list[str]:
    rows = pipe(list(prompts), batch_size=size, max_new_tokens=tokens, do_sample=False, return_full_text=False)
    return [row[0]["generated_text"].strip() for row in rows]


def heading(model: TransformersModel, options: argparse.Namespace, *, prompts: int, tokens: int) -> list[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers"))
    return [
        f"# Writing: {model.card.name}",
        "",
        f"{model.device_name}, {options.threads} thread(s), {options.dtype}, Python {platform.python_version()}, "
        f"{versions}.",
        f"{prompts} prompts, {tokens} tokens written (at most {options.tokens} each), greedy, "
        f"median of {options.rounds}.",
        "",
    ]


def table(timed: Timed, same: dict[str, float], *, tokens: int) -> list[str]:
    mine = used(timed[ENGINE])
    return [
        "| way | tokens/s | tokens/s of CPU time | this engine is so many times as fast (CPU time) | same texts |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {tokens / wall(rounds):.1f} | {tokens / used(rounds):.1f} | {used(rounds) / mine:.2f} | "
            f"{same[name]:.0%} |"
            for name, rounds in timed.items()
        ),
    ]


if __name__ == "__main__":
    main()
