"""Pairs scored per second, beside a plain loop and beside lm-evaluation-harness, in one process: the same pairs.

    OMP_NUM_THREADS=1 python -m benchmarks.likelihood --model FOLDER

A pair is a context and one of several continuations of it, as in multiple-choice benchmarks; its score is the sum of
the log-probabilities of the continuation's tokens. The ways:

- this engine: from texts to scores with an empty cache
- plain loop: one pair after the other through the network, as example code does it
- lm-evaluation-harness (`--harness`; `pip install lm_eval`): `HFLM.loglikelihood`, batch size 16

Ways are run in turn, `--rounds` times; medians are reported, with the largest difference of a score from the loop's.
Writes benchmarks/results/likelihood.md.
"""

from __future__ import annotations

import argparse
import platform
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from benchmarks.engine import Timed, alternate, used, wall
from benchmarks.workload import clean_texts
from probes.core.answers import Floats
from probes.model.cache import AnswerCache
from probes.model.engine import TransformersModel
from probes.model.load import load

RESULTS = Path(__file__).parent / "results"
ENGINE, LOOP = "this engine", "plain loop"
ENDINGS = ("yes, it is.", "no, it is not.", "nobody can say.", "only sometimes.")
Pair = tuple[str, str]


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    model = load(options.model, device=options.device, dtype="float32")
    lines = report(model, options)
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(lines))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="folder of a causal language model")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--contexts", type=int, default=24, help="each with four continuations")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--harness", action="store_true", help="lm-evaluation-harness too, which must be installed")
    parser.add_argument("--out", type=Path, default=RESULTS / "likelihood.md")
    return parser.parse_args()


def report(model: TransformersModel, options: argparse.Namespace) -> list[str]:
    pairs = [(f"{text} Is that so?", end) for text in dict.fromkeys(clean_texts(options.contexts)) for end in ENDINGS]
    network, tokenizer = plain(options.model, options.device)
    # The engine scores behind the token for the beginning of a text; the others are given it where they put none.
    begin = "" if model.encoder.frame[0] else tokenizer.decode(model.encoder.opening)
    begun = [(begin + context, ending) for context, ending in pairs]
    ways: dict[str, Callable[[], Floats]] = {
        ENGINE: partial(engine_scores, model, pairs),
        LOOP: partial(loop_scores, network, tokenizer, begun),
    }
    if options.harness:
        ways["lm-evaluation-harness, batch_size=16"] = harness(network, tokenizer, begun, options.device)
    scores = {name: way() for name, way in ways.items()}  # warms up, too
    timed = alternate(dict(ways), options.rounds)
    apart = {name: float(np.abs(found - scores[LOOP]).max()) for name, found in scores.items()}
    return [*heading(model, options, pairs=len(pairs)), *table(timed, apart, pairs=len(pairs))]


def plain(folder: str, device: str) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval().to(device)
    return network, AutoTokenizer.from_pretrained(folder)


def engine_scores(model: TransformersModel, pairs: Sequence[Pair]) -> Floats:
    model.cache = AnswerCache.open(None)
    return model.score(pairs).totals


def loop_scores(network: Any, tokenizer: Any, pairs: Sequence[Pair]) -> Floats:
    return np.array([loop_score(network, tokenizer, *pair) for pair in pairs])


def loop_score(network: Any, tokenizer: Any, context: str, ending: str) -> float:
    """The log-probability of the tokens behind the context, all of the text read in one go."""
    given = len(tokenizer(context)["input_ids"])
    ids = tokenizer(f"{context} {ending}", return_tensors="pt")["input_ids"].to(network.device)
    with torch.inference_mode():
        logs = network(ids).logits[0, :-1].log_softmax(dim=-1)
    each = logs.gather(1, ids[0, 1:, None])[:, 0]
    return float(each[given - 1 :].sum())


def harness(network: Any, tokenizer: Any, pairs: Sequence[Pair], device: str) -> Callable[[], Floats]:
    from lm_eval.models.huggingface import HFLM

    judge = HFLM(pretrained=network, tokenizer=tokenizer, device=device, batch_size=16)
    requests = [SimpleNamespace(args=(context, f" {ending}")) for context, ending in pairs]
    return lambda: np.array([score for score, _ in judge.loglikelihood(requests, disable_tqdm=True)])


def heading(model: TransformersModel, options: argparse.Namespace, *, pairs: int) -> list[str]:
    names = ("torch", "transformers", *(["lm_eval"] if options.harness else []))
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return [
        f"# Scoring pairs: {model.card.name}",
        "",
        f"{model.device_name}, {options.threads} thread(s), float32, Python {platform.python_version()}, {versions}.",
        f"{pairs} pairs, {len(ENDINGS)} continuations of each context, median of {options.rounds}.",
        "",
    ]


def table(timed: Timed, apart: dict[str, float], *, pairs: int) -> list[str]:
    mine = used(timed[ENGINE])
    return [
        "| way | pairs/s | pairs/s of CPU time | this engine is so many times as fast (CPU) | largest difference |",
        "|---|---:|---:|---:|---:|",
        *(
            f"| {name} | {pairs / wall(rounds):.1f} | {pairs / used(rounds):.1f} | {used(rounds) / mine:.2f} | "
            f"{apart[name]:.1e} |"
            for name, rounds in timed.items()
        ),
    ]


if __name__ == "__main__":
    main()
