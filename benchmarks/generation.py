"""Tokens written per second, beside transformers' text-generation pipeline, in one process: the same prompts.

    OMP_NUM_THREADS=1 python -m benchmarks.generation --model FOLDER

- greedy: every prompt continued once. Counted are the tokens of what this engine wrote, so all ways are measured by the
  same work; shown is the share of prompts for which the pipeline wrote the same text
- drawn: `--samples` continuations of each of fewer prompts, as probes of toxicity ask for them; counted are the tokens
  of what each way wrote

Ways are run in turn, `--rounds` times; medians are reported. Every way writes until the model ends its text or
`--tokens` are written, from texts to texts, with nothing remembered. Writes benchmarks/results/generation.md.
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
from probes.model.card import describe
from probes.model.device import choose
from probes.model.engine import TransformersModel
from probes.model.load import load
from probes.model.vllm_card import through_vllm

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
    parser.add_argument("--engine", choices=["vllm"], help="another engine of this tool, as one more way")
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=24)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--samples", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "generation.md")
    return parser.parse_args()


def report(model: TransformersModel, options: argparse.Namespace) -> list[str]:
    prompts = list(dict.fromkeys(clean_texts(options.prompts)))
    pipe = pipeline(options.model, model, options.dtype)
    few = prompts[: len(prompts) // options.samples]
    return [
        *heading(model, options),
        *greedy(model, pipe, prompts, options),
        *drawn(model, pipe, few, options),
    ]


def greedy(model: TransformersModel, pipe: Any, prompts: Sequence[str], options: argparse.Namespace) -> list[str]:
    decoding = Decoding(max_tokens=options.tokens, reply=False)
    ways: dict[str, Callable[[], list[str]]] = {ENGINE: partial(written, model, prompts, decoding)}
    if options.engine:
        ways[f"this tool, --engine {options.engine}"] = partial(written, other(options), prompts, decoding)
    for size in options.batches:
        ways[f"pipeline, batch_size={size}"] = partial(piped, pipe, prompts, size, options.tokens)
    answers = {name: way() for name, way in ways.items()}  # warms up, too
    tokens = int(model.generate(prompts, decoding).tokens.sum())
    timed = alternate(dict(ways), options.rounds)
    same = {name: statistics.fmean(map(str.__eq__, found, answers[ENGINE])) for name, found in answers.items()}
    name = f"greedy, {len(prompts)} prompts"
    return table(name, timed, dict.fromkeys(ways, tokens), {way: f"{share:.0%}" for way, share in same.items()})


def drawn(model: TransformersModel, pipe: Any, prompts: Sequence[str], options: argparse.Namespace) -> list[str]:
    decoding = Decoding(max_tokens=options.tokens, reply=False, samples=options.samples, temperature=1.0)
    many = {"do_sample": True, "top_k": 0, "num_return_sequences": options.samples}
    ways: dict[str, Callable[[], list[str]]] = {
        ENGINE: partial(written, model, prompts, decoding),
        "pipeline, batch_size=2": partial(piped, pipe, prompts, 2, options.tokens, **many),
    }
    tokens = {name: sum(len(ids) for ids in pipe.tokenizer(way())["input_ids"]) for name, way in ways.items()}
    name = f"drawn, {options.samples} times {len(prompts)} prompts"
    return table(name, alternate(dict(ways), options.rounds), tokens, dict.fromkeys(ways, ""))


def other(options: argparse.Namespace) -> TransformersModel:
    """The same model through another engine."""
    place = choose(options.device)
    card = through_vllm(describe(options.model), device=place, trust_remote_code=False)
    return load(card, device=options.device, dtype=options.dtype)


def pipeline(folder: str, model: TransformersModel, dtype: str) -> Any:
    from transformers import AutoModelForCausalLM, AutoTokenizer, TextGenerationPipeline

    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    network = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, dtype)).eval()
    return TextGenerationPipeline(model=network, tokenizer=tokenizer, device=model.forward.device)


def written(model: TransformersModel, prompts: Sequence[str], decoding: Decoding) -> list[str]:
    model.cache = AnswerCache.open(None)
    return list(model.generate(prompts, decoding).texts)


def piped(pipe: Any, prompts: Sequence[str], size: int, tokens: int, **how: Any) -> list[str]:
    how = {"do_sample": False} | how
    rows = pipe(list(prompts), batch_size=size, max_new_tokens=tokens, return_full_text=False, **how)
    return [each["generated_text"].strip() for row in rows for each in row]


def heading(model: TransformersModel, options: argparse.Namespace) -> list[str]:
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers"))
    return [
        f"# Writing: {model.card.name}",
        "",
        f"{model.device_name}, {options.threads} thread(s), {options.dtype}, Python {platform.python_version()}, "
        f"{versions}.",
        f"At most {options.tokens} tokens each, median of {options.rounds}.",
        "",
        "| what | way | tokens | tokens/s | tokens/s of CPU time | this engine is so many times as fast (CPU time) "
        "| same texts |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]


def table(name: str, timed: Timed, tokens: dict[str, int], same: dict[str, str]) -> list[str]:
    mine = tokens[ENGINE] / used(timed[ENGINE])
    return [
        f"| {name if way == ENGINE else ''} | {way} | {tokens[way]} | {tokens[way] / wall(rounds):.1f} | "
        f"{tokens[way] / used(rounds):.1f} | {mine * used(rounds) / tokens[way]:.2f} | {same[way]} |"
        for way, rounds in timed.items()
    ]


if __name__ == "__main__":
    main()
