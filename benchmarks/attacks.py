"""Adversarial attacks beside TextAttack: speed, and whether both find the same texts, in one run.

    OMP_NUM_THREADS=1 NLTK_DATA=FOLDER python -m benchmarks.attacks --peer-python /path/to/textattack/bin/python

Both attack the same sentences of the demonstration model's held-out data with the same recipe, the same stopwords and
the same random numbers, drawn in the same order (item i from seed i). Compared are

- TextAttack as it installs: it pads every text to 512 tokens. On few sentences: its cost a query is always the same;
- TextAttack with padding to the longest text of a call: what an expert would make of it;
- this engine, exact;
- this engine searching in bfloat16, every success confirmed in float32.

"Host only" has the model's answers recorded and given back: what the search itself costs.

Both run in turn, round after round: a machine that is shared with other work is not always as fast, and ratios are
taken within a round. CPU time of one thread is what to believe there. On an accelerator, where the CPU
waits, rates are those of wall time, and on CUDA the share of what the card can do in bfloat16 stands with them. What is
missing (`benchmarks.attacks_needs`) is said before anything begins. Writes results/attacks.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch

from audits.demo.model import DemoPaths, build_demo
from benchmarks.attacks_as_textattack import COMPOSED, Given
from benchmarks.attacks_beside import (
    RESULTS,
    Row,
    agreement,
    attacks,
    ends,
    sentences,
    successes,
    textattack,
    told,
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
from probes.robustness.adversarial.parts import Attempt, Judged, Outcome
from probes.robustness.adversarial.probe import Adversarial
from probes.robustness.adversarial.recipe import Resource
from probes.robustness.adversarial.sources import wordnet
from probes.robustness.adversarial.victims import ClassifierVictim
from probes.robustness.search import Request

COLUMNS = (
    "way", "sentences", "queries", "success", "queries/s (CPU)", "queries/s (wall)", "x as it installs",
    "x dynamic padding", "same outcome", "same text", "same text where broken",
)  # fmt: skip
FEWEST = 3
PEERS = ("installed", "dynamic", "replayed")
CLOCKS = {"cpu": "CPU time", "wall": "wall time"}


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    demo = ready(options)
    model = load(str(demo.model), device=options.device, dtype="float32")
    rows = sentences(options.data, demo.data, model, tokens=options.tokens)
    work = [("deepwordbug", rows[: options.texts], options.few), ("pwws", rows[: options.pwws], options.few_pwws)]
    job, device = {"model": str(demo.model), "work": work}, model.forward.device
    comparisons = [Comparison(name, its, model) for name, its, _ in work]
    peer: dict[str, Any] = {}
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", flush=True)
        peer = textattack(options.peer_python, job, threads=options.threads, device=str(device))
        for each in comparisons:
            each.round(peer)
    compared = [
        ours(names, some, model)
        for names, some in (("deepwordbug", rows[: options.texts]), ("pwws", rows[: options.pwws]))
    ]
    tokens = np.mean(model.token_counts([text for text, _ in rows[: options.texts]])[0])
    clock = "cpu" if device.type == "cpu" else "wall"
    host = encoding_rate(model, [text for each in comparisons for text in each.recorder.texts])
    text = report(comparisons, compared, peer["versions"], options, tokens=float(tokens), host=host, clock=clock)
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
    parser.add_argument("--rounds", type=int, default=5, help="of both; medians are given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "attacks.md")
    options = parser.parse_args()
    if min(options.texts, options.pwws) < FEWEST:
        parser.error(f"--texts and --pwws are {FEWEST} at least: of fewer nothing is published")
    return options


@dataclass
class Way:
    """One way of attacking all rows: what it found, and the seconds of each round."""

    ends: list[tuple[Outcome, Any]] = field(default_factory=list)
    queries: int = 0
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def rates(self, clock: str) -> list[float]:
        """(rounds,) queries a second."""
        return [self.queries / seconds for seconds in getattr(self, clock)]

    def times(self, other: Way, clock: str) -> float:
        """How many times as fast as another one: the median of the rounds, in each of which both ran."""
        pairs = zip(self.rates(clock), other.rates(clock), strict=True)
        return statistics.median(own / its for own, its in pairs)

    def timed(self, run: Callable[[], list[Attempt]], *, repeat: int = 1) -> None:
        """A round; of several runs their median counts."""
        wall, cpu = [], []
        for _ in range(repeat):
            begun, used = time.perf_counter(), time.process_time()
            attempts = run()
            wall.append(time.perf_counter() - begun)
            cpu.append(time.process_time() - used)
        self.ends, self.queries = ends(attempts), sum(attempt.queries for attempt in attempts)
        self.wall.append(statistics.median(wall))
        self.cpu.append(statistics.median(cpu))

    def told(self, found: Mapping[str, Any]) -> None:
        """A round of the peer's."""
        self.ends, self.queries = told(found), found["queries"]
        self.wall.append(found["wall"])
        self.cpu.append(found["cpu"])


class Comparison:
    """All ways of one recipe, round by round: a machine that others use is not as fast in the last as in the first."""

    def __init__(self, name: str, rows: Sequence[Row], model: TransformersModel) -> None:
        goals = [Untargeted(label) for _, label in rows]
        self.name, self.rows, self.model, self.screen = name, rows, model, model.screened()
        self.recorder = Recorder(ClassifierVictim(model, goals))
        self.screening = Recorder(ClassifierVictim(model, goals, self.screen))
        self.installed, self.dynamic, self.replayed = Way(), Way(), Way()
        self.exact, self.screened, self.host = Way(), Way(), Way()

    def round(self, peer: Mapping[str, Any]) -> None:
        """The peer's, as it has just come from its process, and this engine's."""
        for way, found in zip((self.installed, self.dynamic, self.replayed), PEERS, strict=True):
            way.told(peer[self.name][found])
        recipe = COMPOSED[self.name].attack(Given(stopwords=peer["stopwords"], wordnet=wordnet.find()))
        fresh(self.model)
        self.exact.timed(lambda: attacks(self.rows, recipe, self.recorder))  # keeping costs a microsecond a text
        if self.screen is not None:
            fresh(self.model)
            fresh(self.screen)
            self.screened.timed(lambda: attacks(self.rows, recipe, self.screening))
        self.host.timed(lambda: attacks(self.rows, recipe, self.recorder.replay), repeat=3)

    def agreement(self, way: Way) -> dict[str, float]:
        """With the peer."""
        return agreement(way.ends, self.dynamic.ends, self.model)

    def share(self) -> str:
        """How much of what a CUDA card can do a whole search makes of it; nothing is said of other devices."""
        if self.screen is None or self.screen.forward.device.type != "cuda":
            return ""
        peak = gemm_flops(self.screen.forward.device, self.screen.dtype)
        texts = list(self.screening.texts)
        reached = flops(self.screen, prepared(self.screen, texts)) / statistics.median(self.screened.wall)
        return (
            f"The search in {self.screen.dtype}, by wall time from beginning to end: {reached / peak:.1%} of the "
            f"fastest matrix product in that type ({peak / 1e9:,.0f} GFLOP/s); real tokens only, each text once, "
            "through all layers."
        )


def fresh(model: TransformersModel) -> None:
    """Nothing remembered: a first audit, not a second one."""
    model.cache = AnswerCache.open(None)
    if model.encoder._splicer is not None:
        model.encoder._splicer.forget()


@dataclass
class Recorder:
    """A victim whose answers are kept, to be given back for nothing."""

    victim: ClassifierVictim
    answers: dict[tuple[Any, ...], Judged] = field(default_factory=dict)

    def __call__(self, requests: Sequence[Request]) -> list[Judged]:
        found = self.victim(requests)
        self.answers.update(zip((tuple(request.questions) for request in requests), found, strict=True))
        return found

    def replay(self, requests: Sequence[Request]) -> list[Judged]:
        return [self.answers[tuple(request.questions)] for request in requests]

    @property
    def texts(self) -> list[Any]:
        """All that was asked about, each once."""
        return list(dict.fromkeys(chain.from_iterable(self.answers)))


def encoding_rate(model: TransformersModel, texts: Sequence[Any]) -> float:
    """Texts per second of wall time that become token ids, words not remembered from before."""
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
    comparisons: Sequence[Comparison],
    compared: Sequence[dict[str, tuple[int, int, float]]],
    peer: Mapping[str, str],
    options: argparse.Namespace,
    *,
    tokens: float,
    host: float,
    clock: str,
) -> str:
    facts = machine(options)
    versions = ", ".join(f"{name} {value}" for name, value in peer.items())
    lines = [
        f"# Attacks: the demonstration model on {facts['device']}, {options.threads} thread(s)",
        "",
        f"Held-out film sentences of {tokens:.1f} tokens on average. The peer: {versions}, its network on the same "
        f"device. This engine: torch {facts['torch']}, transformers {facts['transformers']}, nothing remembered "
        f"between rounds. {options.rounds} round(s): the peer in all its ways, then this engine in all of its own. "
        "Rates are medians of the rounds; ratios are taken within a round, and are medians too. "
        f"Compared by {CLOCKS[clock]}.",
        "",
    ]
    for each in comparisons:
        lines += section(each, clock=clock)
    lines += ["## The recipe `fast`", "", "| recipe | broken | queries an item |", "|---|---:|---:|"]
    for found in compared:
        lines += [f"| {name} | {broken}/{n} | {queries:.1f} |" for name, (broken, n, queries) in found.items()]
    lines += ["", f"Texts to token ids: {host:,.0f} texts/s (wall time, {options.threads} thread(s))."]
    return "\n".join(lines) + "\n"


def section(its: Comparison, *, clock: str) -> Iterator[str]:
    yield f"## {its.name}, {len(its.rows)} sentences"
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" + "|---:" * (len(COLUMNS) - 1) + "|"
    for label, way, own in (
        ("TextAttack as it installs (512 tokens)", its.installed, False),
        ("TextAttack, padding dynamic", its.dynamic, False),
        ("this engine, exact", its.exact, True),
        ("this engine, bfloat16 confirmed in float32", its.screened, True),
    ):
        if way.ends:
            same = its.agreement(way) if own else {}
            shares = (f"{same[key]:.1%}" if same else "" for key in ("outcome", "alike", "adversarial"))
            yield (
                f"| {label} | {len(way.ends)} | {way.queries:,} | {successes([outcome for outcome, _ in way.ends])} | "
                f"{statistics.median(way.rates('cpu')):.1f} | {statistics.median(way.rates('wall')):.1f} | "
                f"{way.times(its.installed, clock):.1f} | {way.times(its.dynamic, clock):.2f} | {' | '.join(shares)} |"
            )
    yield ""
    if share := its.share():
        yield from (share, "")
    theirs, own = (statistics.median(way.rates("cpu")) for way in (its.replayed, its.host))
    every = ", ".join(f"{rate:,.0f}" for rate in its.host.rates("cpu"))
    yield (
        f"Host only (answers recorded): TextAttack {theirs:,.0f} queries/s, this engine {own:,.0f} queries/s "
        f"({every}), {its.host.times(its.replayed, 'cpu'):.1f} times as many."
    )
    yield ""


if __name__ == "__main__":
    main()
