"""Texts scored per second, beside a plain loop and beside lm-evaluation-harness, in one process: the same texts.

    OMP_NUM_THREADS=1 python -m benchmarks.likelihood --model FOLDER --harness --benchmarks ../shared/data

What is scored, as the sum of the log-probabilities of its tokens:

- multiple choice: one of four short continuations of a context, as the likelihoods of labels or answers are asked
- with `--benchmarks DIR` what the probes ask of the files there: BBQ (three answers to a question about a context),
  StereoSet (three sentences behind another one; three fillings of a blank, of which all tokens count), CrowS-Pairs
  (whole sentences in pairs that differ in a few words)

The ways:

- this engine: from texts to scores with an empty cache; texts that begin alike are read together
- plain loop: one text after the other through the network, as example code does it
- lm-evaluation-harness (`--harness`; `pip install lm_eval`): `HFLM.loglikelihood`, batch size 16

Ways are run in turn, `--rounds` times; medians are reported, with the largest difference of a score from the
loop's with its sums in float64.
Writes benchmarks/results/likelihood.md.
"""

from __future__ import annotations

import argparse
import platform
import random
from collections.abc import Callable, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from benchmarks.engine import Timed, alternate, used, wall
from benchmarks.workload import clean_texts
from probes.bias.bbq.chosen import asked
from probes.bias.bbq.probe import FORM
from probes.bias.stereotypes.associations import BLANK
from probes.core.answers import Floats
from probes.core.examples import Text
from probes.data.benchmarks import load_benchmarks
from probes.model.cache import AnswerCache
from probes.model.engine import TransformersModel
from probes.model.load import load

RESULTS = Path(__file__).parent / "results"
ENGINE, LOOP, HARNESS = "this engine", "plain loop", "lm-evaluation-harness, batch_size=16"
ENDINGS = ("yes, it is.", "no, it is not.", "nobody can say.", "only sometimes.")


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
    parser.add_argument("--contexts", type=int, default=16, help="of each kind; of pairs of sentences twice as many")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--harness", action="store_true", help="lm-evaluation-harness too, which must be installed")
    parser.add_argument("--benchmarks", type=Path, help="folder with files of BBQ, StereoSet and CrowS-Pairs")
    parser.add_argument("--out", type=Path, default=RESULTS / "likelihood.md")
    return parser.parse_args()


def report(model: TransformersModel, options: argparse.Namespace) -> list[str]:
    network, tokenizer = plain(options.model, options.device)
    asked = {"multiple choice": choices(options.contexts)}
    if options.benchmarks:
        asked |= published(options.benchmarks, options.contexts)
    rows = []
    for name, texts in asked.items():
        pairs = begun(model, tokenizer, texts)
        ways = ways_of(model, network, tokenizer, texts, pairs, options)
        exact = loop_scores(network, tokenizer, pairs, wide=torch.float64)
        scores = {way: run() for way, run in ways.items()}  # warms up, too
        rows += table(
            f"{name} ({len(texts)} texts; {size(tokenizer, texts)})",
            alternate(dict(ways), options.rounds),
            {way: float(np.abs(found - exact).max()) for way, found in scores.items()},
            texts=len(texts),
        )
    return [*heading(model, options), *rows]


def choices(contexts: int) -> list[Text]:
    return [(f"{text} Is that so?", end) for text in dict.fromkeys(clean_texts(contexts)) for end in ENDINGS]


def published(folder: Path, contexts: int) -> dict[str, list[Text]]:
    """Some cases of each benchmark, as the probes ask about them."""
    found, draw = load_benchmarks(folder), random.Random(0)
    filled = [case for case in found.stereoset if BLANK in case.context]
    behind = [case for case in found.stereoset if BLANK not in case.context]
    some = draw.sample(found.crows_pairs, 2 * contexts)
    return {
        "BBQ": [(asked(case, FORM), answer) for case in draw.sample(found.bbq, contexts) for answer in case.answers],
        "StereoSet, behind a sentence": [
            (case.context, text) for case in draw.sample(behind, contexts) for text in case.sentences
        ],
        "StereoSet, blank filled": [text for case in draw.sample(filled, contexts) for text in case.sentences],
        "CrowS-Pairs": [text for pair in some for text in (pair.more, pair.less)],
    }


def begun(model: TransformersModel, tokenizer: Any, texts: Sequence[Text]) -> list[tuple[str, str]]:
    """What is given and what is scored; the engine puts the token for the beginning of a text where there is none."""
    begin = "" if model.encoder.frame[0] else tokenizer.decode(model.encoder.opening)
    return [(begin, text) if isinstance(text, str) else (begin + text[0], f" {text[1]}") for text in texts]


def ways_of(
    model: TransformersModel,
    network: Any,
    tokenizer: Any,
    texts: Sequence[Text],
    pairs: Sequence[tuple[str, str]],
    options: argparse.Namespace,
) -> dict[str, Callable[[], Floats]]:
    ways: dict[str, Callable[[], Floats]] = {
        ENGINE: partial(engine_scores, model, texts),
        LOOP: partial(loop_scores, network, tokenizer, pairs),
    }
    if options.harness:
        ways[HARNESS] = harness(network, tokenizer, pairs, options.device)
    return ways


def plain(folder: str, device: str) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval().to(device)
    return network, AutoTokenizer.from_pretrained(folder)


def engine_scores(model: TransformersModel, texts: Sequence[Text]) -> Floats:
    model.cache = AnswerCache.open(None)
    return model.score(texts).totals


def loop_scores(
    network: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]], *, wide: torch.dtype = torch.float32
) -> Floats:
    return np.array([loop_score(network, tokenizer, *pair, wide=wide) for pair in pairs])


def loop_score(network: Any, tokenizer: Any, context: str, ending: str, *, wide: torch.dtype = torch.float32) -> float:
    """The log-probability of the tokens behind the context, all of the text read in one go.

    Args:
        wide: of the numbers behind the network.
    """
    given = len(tokenizer(context)["input_ids"])
    ids = tokenizer(f"{context}{ending}", return_tensors="pt")["input_ids"].to(network.device)
    with torch.inference_mode():
        logs = network(ids).logits[0, :-1].to(wide).log_softmax(dim=-1)
    each = logs.gather(1, ids[0, 1:, None])[:, 0]
    return float(each[given - 1 :].sum())


def harness(network: Any, tokenizer: Any, pairs: Sequence[tuple[str, str]], device: str) -> Callable[[], Floats]:
    from lm_eval.models.huggingface import HFLM

    judge = HFLM(pretrained=network, tokenizer=tokenizer, device=device, batch_size=16)
    requests = [SimpleNamespace(args=pair) for pair in pairs]
    return lambda: np.array([score for score, _ in judge.loglikelihood(requests, disable_tqdm=True)])


def size(tokenizer: Any, texts: Sequence[Text]) -> str:
    """Tokens of a context and of what is scored, on average."""
    parts = [("", text) if isinstance(text, str) else text for text in texts]
    given, scored = (fmean(len(tokenizer(part)["input_ids"]) for part in side) for side in zip(*parts, strict=True))
    return f"{given:.0f} tokens given, {scored:.0f} scored"


def heading(model: TransformersModel, options: argparse.Namespace) -> list[str]:
    names = ("torch", "transformers", *(["lm_eval"] if options.harness else []))
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return [
        f"# Scoring texts: {model.card.name}",
        "",
        f"{model.device_name}, {options.threads} thread(s), float32, Python {platform.python_version()}, {versions}.",
        f"Median of {options.rounds}. Difference: the largest one of a score from the plain loop's, summed in float64.",
        "",
        "| what | way | texts/s | texts/s of CPU time | this engine is so many times as fast (CPU) | difference |",
        "|---|---|---:|---:|---:|---:|",
    ]


def table(name: str, timed: Timed, apart: dict[str, float], *, texts: int) -> list[str]:
    mine = used(timed[ENGINE])
    return [
        f"| {name if way == ENGINE else ''} | {way} | {texts / wall(rounds):.1f} | {texts / used(rounds):.1f} | "
        f"{used(rounds) / mine:.2f} | {apart[way]:.1e} |"
        for way, rounds in timed.items()
    ]


if __name__ == "__main__":
    main()
