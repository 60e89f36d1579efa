"""Adversarial attacks beside TextAttack: speed, and whether both find the same texts, in one run.

    OMP_NUM_THREADS=1 NLTK_DATA=FOLDER python -m benchmarks.attacks --peer-python /path/to/textattack/bin/python

Both attack the same sentences of the demonstration model's held-out data with the same recipe, the same stopwords and
the same random numbers, drawn in the same order (item i from seed i). Compared are

- TextAttack as it installs: it pads every text to 512 tokens. On few sentences: its cost a query is always the same;
- TextAttack with padding to the longest text of a call: what an expert would make of it;
- this engine, exact;
- this engine searching in bfloat16, every success confirmed in float32.

"Host only" has the model's answers recorded and given back: what the search itself costs.

CPU time of one thread is what to believe on a machine that is shared with other work. On an accelerator, where the CPU
waits, rates are those of wall time, and on CUDA the share of what the card can do in bfloat16 stands with them. What is
missing (`benchmarks.attacks_needs`) is said before anything begins. Writes results/attacks.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from audits.demo.model import DemoPaths, build_demo
from benchmarks.attacks_as_textattack import COMPOSED, Given
from benchmarks.attacks_beside import (
    OUTCOMES,
    RESULTS,
    Row,
    agreement,
    attacks,
    ends,
    sentences,
    successes,
    textattack,
)
from benchmarks.attacks_needs import lacking, needing
from benchmarks.engine import flops, gemm_flops, machine, prepared
from probes.core.errors import AuditError
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Measurement
from probes.model.cache import AnswerCache
from probes.model.engine import TransformersModel
from probes.model.load import load
from probes.robustness.adversarial.goals import Untargeted
from probes.robustness.adversarial.parts import Attempt, Judged
from probes.robustness.adversarial.probe import Adversarial
from probes.robustness.adversarial.recipe import Resource
from probes.robustness.adversarial.sources import wordnet
from probes.robustness.adversarial.victims import ClassifierVictim
from probes.robustness.search import Request

COLUMNS = (
    "way", "sentences", "queries", "success", "queries/s (CPU)", "queries/s (wall)", "x as it installs",
    "x dynamic padding", "same outcome", "same text", "same text where broken",
)  # fmt: skip
CLOCKS = {"cpu": "CPU time", "wall": "wall time"}


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    demo = ready(options)
    model = load(str(demo.model), device=options.device, dtype="float32")
    rows = sentences(options.data, demo.data, model, tokens=options.tokens)
    work = [("deepwordbug", rows[: options.texts], options.few), ("pwws", rows[: options.pwws], options.few_pwws)]
    job, device = {"model": str(demo.model), "work": work}, model.forward.device
    peer = textattack(options.peer_python, job, threads=options.threads, device=str(device))
    results = [measured(name, its, peer, model, options) for name, its, _ in work]
    compared = [
        ours(names, some, model)
        for names, some in (("deepwordbug", rows[: options.texts]), ("pwws", rows[: options.pwws]))
    ]
    tokens = np.mean(model.token_counts([text for text, _ in rows[: options.texts]])[0])
    clock = "cpu" if device.type == "cpu" else "wall"
    host = encoding_rate(model, results)
    text = report(results, compared, peer, options, tokens=float(tokens), host=host, clock=clock)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text, encoding="utf-8")
    print(text)


def ready(options: argparse.Namespace) -> DemoPaths:
    """The demonstration model, when nothing is missing."""
    if found := lacking(options):
        raise SystemExit(f"missing here: {'; '.join(found)}")
    try:
        return build_demo(progress=print)
    except AuditError as error:
        raise SystemExit(f"missing here: the demonstration model: {error.message}; {error.hint}") from error


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    needing(parser)
    parser.add_argument("--texts", type=int, default=100, help="attacked by DeepWordBug")
    parser.add_argument("--pwws", type=int, default=25, help="of these, attacked by PWWS")
    parser.add_argument("--tokens", type=int, default=33, help="length of a sentence, five more or less")
    parser.add_argument("--few", type=int, default=4, help="attacked by TextAttack as it installs")
    parser.add_argument("--few-pwws", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="of this engine; medians are given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "attacks.md")
    return parser.parse_args()


@dataclass
class Way:
    """One way of attacking all rows: what it found, and the seconds of each round."""

    attempts: list[Attempt] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @property
    def queries(self) -> int:
        return sum(attempt.queries for attempt in self.attempts)

    def rate(self, seconds: Sequence[float]) -> float:
        return self.queries / statistics.median(seconds)


def timed(way: Way, run: Callable[[], list[Attempt]]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    way.attempts = run()
    way.wall.append(time.perf_counter() - wall)
    way.cpu.append(time.process_time() - cpu)


def measured(
    name: str, rows: Sequence[Row], peer: dict[str, Any], model: TransformersModel, options: argparse.Namespace
) -> dict[str, Any]:
    """All ways of one recipe."""
    recipe = COMPOSED[name].attack(Given(stopwords=peer["stopwords"], wordnet=wordnet.find()))
    goals = [Untargeted(label) for _, label in rows]
    exact, screened, host = Way(), Way(), Way()
    screen = model.screened()
    recorder, screening = Recorder(ClassifierVictim(model, goals)), Recorder(ClassifierVictim(model, goals, screen))
    for _ in range(options.rounds):
        fresh(model)
        timed(exact, lambda: attacks(rows, recipe, recorder))  # what it keeps costs a microsecond a text
        if screen is not None:
            fresh(model)
            fresh(screen)
            timed(screened, lambda: attacks(rows, recipe, screening))
    for _ in range(3 * options.rounds):
        timed(host, lambda: attacks(rows, recipe, recorder.replay))
    return {
        "name": name,
        "rows": rows,
        "peer": peer[name],
        "exact": exact,
        "screened": screened,
        "host": host,
        "texts": list(recorder.scores),
        "share": share(screen, list(screening.scores), screened.wall) if screen is not None else "",
        "agreement": {
            way: agreement(ends(found.attempts), peer[name]["dynamic"]["found"], model)
            for way, found in (("exact", exact), ("screened", screened))
            if found.attempts
        },
    }


def fresh(model: TransformersModel) -> None:
    """Nothing remembered: a first audit, not a second one."""
    model.cache = AnswerCache.open(None)
    if model.encoder._splicer is not None:
        model.encoder._splicer.forget()


@dataclass
class Recorder:
    """A victim whose answers are kept, to be given back for nothing."""

    victim: ClassifierVictim
    scores: dict[Any, tuple[float, bool]] = field(default_factory=dict)

    def __call__(self, requests: Sequence[Request]) -> list[Judged]:
        found = self.victim(requests)
        for request, judged in zip(requests, found, strict=True):
            self.scores.update(zip(request.questions, zip(*map(np.ndarray.tolist, judged), strict=True), strict=True))
        return found

    def replay(self, requests: Sequence[Request]) -> list[Judged]:
        kept = self.scores
        found = []
        for request in requests:
            pairs = [kept[text] for text in request.questions]
            found.append(Judged(np.array([score for score, _ in pairs]), np.array([reached for _, reached in pairs])))
        return found


def share(screen: TransformersModel, texts: Sequence[Any], wall: Sequence[float]) -> str:
    """How much of what a CUDA card can do a whole search makes of it; nothing is said of other devices."""
    if screen.forward.device.type != "cuda":
        return ""
    peak = gemm_flops(screen.forward.device, screen.dtype)
    reached = flops(screen, prepared(screen, texts)) / statistics.median(wall)
    return (
        f"The search in {screen.dtype}, by wall time from beginning to end: {reached / peak:.1%} of the fastest matrix "
        f"product in that type ({peak / 1e9:,.0f} GFLOP/s); real tokens only, each text once, through all layers."
    )


def encoding_rate(model: TransformersModel, results: Sequence[dict[str, Any]]) -> float:
    """Texts per second of wall time that become token ids, words not remembered from before."""
    texts = [text for result in results for text in result["texts"]]
    seconds = []
    for _ in range(5):
        fresh(model)
        begin = time.perf_counter()
        model.encoder.encode(texts)
        seconds.append(time.perf_counter() - begin)
    return len(texts) / statistics.median(seconds)


def ours(published: str, rows: Sequence[Row], model: TransformersModel) -> dict[str, tuple[int, int, float]]:
    """Recipe -> items broken, items attacked and queries an item: `fast` beside a published one, by the probe."""
    given = {Resource.WORDNET: wordnet.find()} if published == "pwws" else {}
    probe = Adversarial(recipes=("fast", published), given=given)
    examples = [Example.of(text, gold=model.card.labels[label]) for text, label in rows]
    records = [
        each for each in probe.run(model, examples, Context(probe=probe.info.id)) if isinstance(each, Measurement)
    ]
    found = {(each.name, each.slice.get("recipe")): each.estimate for each in records}
    rates = {name: found["attack_success_rate", name] for name in probe.recipes}
    return {
        name: (round(rate.value * rate.n), rate.n, found["mean_queries", name].value) for name, rate in rates.items()
    }


def report(
    results: Sequence[dict[str, Any]],
    compared: Sequence[dict[str, tuple[int, int, float]]],
    peer: dict[str, Any],
    options: argparse.Namespace,
    *,
    tokens: float,
    host: float,
    clock: str,
) -> str:
    facts = machine(options)
    versions = ", ".join(f"{name} {value}" for name, value in peer["versions"].items())
    lines = [
        f"# Attacks: the demonstration model on {facts['device']}, {options.threads} thread(s)",
        "",
        f"Held-out film sentences of {tokens:.1f} tokens on average. The peer: {versions}. This engine: "
        f"torch {facts['torch']}, transformers {facts['transformers']}; medians of {options.rounds} rounds, nothing "
        f"remembered between them. The peer ran once, its network on the same device. Compared by {CLOCKS[clock]}.",
        "",
    ]
    for result in results:
        lines += section(result, clock=clock)
    lines += ["## The recipe `fast`", "", "| recipe | broken | queries an item |", "|---|---:|---:|"]
    for each in compared:
        lines += [f"| {name} | {broken}/{n} | {queries:.1f} |" for name, (broken, n, queries) in each.items()]
    lines += ["", f"Texts to token ids: {host:,.0f} texts/s (wall time, {options.threads} thread(s))."]
    return "\n".join(lines) + "\n"


def section(result: dict[str, Any], *, clock: str) -> Iterator[str]:
    peer, rows = result["peer"], result["rows"]
    installed, dynamic = (peer[way]["queries"] / peer[way][clock] for way in ("installed", "dynamic"))
    yield f"## {result['name']}, {len(rows)} sentences"
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" + "|---:" * (len(COLUMNS) - 1) + "|"
    for label, way in (
        ("TextAttack as it installs (512 tokens)", "installed"),
        ("TextAttack, padding dynamic", "dynamic"),
    ):
        its = peer[way]
        rate = its["queries"] / its[clock]
        success = successes([OUTCOMES[kind] for kind, _ in its["found"]])
        yield (
            f"| {label} | {len(its['found'])} | {its['queries']:,} | {success} | "
            f"{its['queries'] / its['cpu']:.1f} | {its['queries'] / its['wall']:.1f} | "
            f"{rate / installed:.2f} | {rate / dynamic:.2f} | | | |"
        )
    for label, key in (("this engine, exact", "exact"), ("this engine, bfloat16 confirmed in float32", "screened")):
        way = result[key]
        if way.attempts:
            rate, same = way.rate(getattr(way, clock)), result["agreement"][key]
            success = successes([attempt.outcome for attempt in way.attempts])
            yield (
                f"| {label} | {len(rows)} | {way.queries:,} | {success} | "
                f"{way.rate(way.cpu):.1f} | {way.rate(way.wall):.1f} | {rate / installed:.1f} | {rate / dynamic:.2f} | "
                f"{same['outcome']:.1%} | {same['alike']:.1%} | {same['adversarial']:.1%} |"
            )
    replayed, host = peer["replayed"], result["host"]
    theirs, ours = replayed["queries"] / replayed["cpu"], host.rate(host.cpu)
    yield ""
    if result["share"]:
        yield from (result["share"], "")
    yield (
        f"Host only (answers recorded): TextAttack {theirs:,.0f} queries/s, this engine {ours:,.0f} queries/s, "
        f"{ours / theirs:.1f} times as many."
    )
    yield ""


if __name__ == "__main__":
    main()
