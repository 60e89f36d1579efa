"""Adversarial attacks beside TextAttack: speed, and whether both find the same texts, in one run.

    OMP_NUM_THREADS=1 NLTK_DATA=FOLDER python -m benchmarks.attacks --peer-python /path/to/textattack/bin/python

Both attack the same sentences of the demonstration model's held-out data with the same recipe, the same stopwords and
the same random numbers, drawn in the same order (item i from seed i). Compared are

- TextAttack as it installs: it pads every text to 512 tokens. On few sentences: its cost a query is always the same;
- TextAttack with padding to the longest text of a call: what an expert would make of it;
- this engine, exact;
- this engine searching in bfloat16, every success confirmed in float32.

"Host only" has the model's answers recorded and given back: what the search itself costs.

CPU time of one thread is what to believe on a machine that is shared with other work. Writes results/attacks.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch

from audits.demo.model import build_demo
from benchmarks.engine import machine
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Measurement
from probes.model.cache import AnswerCache
from probes.model.engine import TransformersModel
from probes.model.load import load
from probes.robustness import search
from probes.robustness.adversarial.attacked import Attacked
from probes.robustness.adversarial.character_recipes import deepwordbug_letters
from probes.robustness.adversarial.constraints.words import Levenshtein
from probes.robustness.adversarial.goals import Untargeted
from probes.robustness.adversarial.greedy import Greedy
from probes.robustness.adversarial.parts import (
    VICTIM,
    Attack,
    Attempt,
    Constraint,
    Judged,
    Method,
    Outcome,
    Situation,
    Transformation,
)
from probes.robustness.adversarial.probe import Adversarial
from probes.robustness.adversarial.pure import Rule, Untouched, WordSwap
from probes.robustness.adversarial.rankings import Unk, WeightedSaliency
from probes.robustness.adversarial.recipe import Resource
from probes.robustness.adversarial.sources import wordnet
from probes.robustness.adversarial.victims import ClassifierVictim
from probes.robustness.search import Oracle, Request

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).resolve().parents[1]
MOVIE = ROOT.parent / "shared" / "data" / "vader_sentiment" / "movie.parquet"
OUTCOMES = {
    "SuccessfulAttackResult": Outcome.BROKEN,
    "FailedAttackResult": Outcome.HELD,
    "SkippedAttackResult": Outcome.WRONG_BEFORE,
}
UNLIMITED = 1_000_000
SPREAD = 5
"""Tokens by which a sentence may be shorter or longer than those asked for."""
COLUMNS = (
    "way", "sentences", "queries", "success", "queries/s (CPU)", "queries/s (wall)", "x as it installs",
    "x dynamic padding", "same outcome", "same text", "same text where broken",
)  # fmt: skip
Row = tuple[str, int]


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    demo = build_demo(progress=print)
    model = load(str(demo.model), device=options.device, dtype="float32")
    rows = sentences(options.data, demo.data, model, tokens=options.tokens)
    work = [("deepwordbug", rows[: options.texts], options.few), ("pwws", rows[: options.pwws], options.few_pwws)]
    peer = textattack(options, work, model=demo.model)
    results = [measured(name, its, peer, model, options) for name, its, _ in work]
    compared = [
        ours(names, some, model)
        for names, some in (("deepwordbug", rows[: options.texts]), ("pwws", rows[: options.pwws]))
    ]
    tokens = np.mean(model.token_counts([text for text, _ in rows[: options.texts]])[0])
    text = report(results, compared, peer, options, tokens=float(tokens), host=encoding_rate(model, results))
    options.out.write_text(text, encoding="utf-8")
    print(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", required=True, type=Path, help="an interpreter that has TextAttack")
    parser.add_argument("--data", type=Path, default=MOVIE)
    parser.add_argument("--texts", type=int, default=100, help="attacked by DeepWordBug")
    parser.add_argument("--pwws", type=int, default=25, help="of these, attacked by PWWS")
    parser.add_argument("--tokens", type=int, default=33, help="length of a sentence, five more or less")
    parser.add_argument("--few", type=int, default=4, help="attacked by TextAttack as it installs")
    parser.add_argument("--few-pwws", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3, help="of this engine; medians are given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=RESULTS / "attacks.md")
    return parser.parse_args()


def sentences(data: Path, held_out: Path, model: TransformersModel, *, tokens: int) -> list[Row]:
    """Film sentences about so long that the model has not been trained on, with the positions of their labels."""
    kept = {json.loads(line)["text"] for line in held_out.read_text(encoding="utf-8").splitlines()}
    rows = [row for row in pq.read_table(data, columns=["text", "label"]).to_pylist() if row["text"] in kept]
    lengths = model.token_counts([row["text"] for row in rows])[0]
    about = [row for row, length in zip(rows, lengths, strict=True) if abs(length - tokens) <= SPREAD]
    return [(row["text"], model.card.labels.index(row["label"])) for row in about]


def textattack(options: argparse.Namespace, work: Sequence[Any], *, model: Path) -> dict[str, Any]:
    """What TextAttack came to, from its own process."""
    with tempfile.TemporaryDirectory() as scratch:
        job, out = Path(scratch) / "job.json", Path(scratch) / "out.json"
        settings = {"threads": options.threads, "model": str(model), "work": work, "out": str(out)}
        folders = {"child": str(ROOT / "probes" / "robustness" / "textattack"), "folder": f"{scratch}/textattack"}
        job.write_text(json.dumps(settings | folders))
        subprocess.run(
            [str(options.peer_python), str(Path(__file__).with_name("attacks_peer.py")), str(job)],
            check=True,
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": str(options.threads), "PYTHONHASHSEED": "0"},
        )
        found: dict[str, Any] = json.loads(out.read_text())
        return found


@dataclass(frozen=True)
class Paired:
    """TextAttack's sources of random numbers, as they are after `np.random.seed(i)` and `random.seed(i)`."""

    numbers: np.random.RandomState
    letters: random.Random

    @classmethod
    def of(cls, seed: int) -> Paired:
        return cls(np.random.RandomState(seed), random.Random(seed))

    def integer(self, low: int, high: int) -> int:
        return int(self.numbers.randint(low, high))

    def choice(self, options: Sequence[str]) -> str:
        return self.letters.choice(options)


@dataclass(frozen=True)
class Listed(Rule):
    """TextAttack's stopwords: words exactly as they are listed, so that "The" is none."""

    words: frozenset[str]

    def places(self, text: Attacked, places: Sequence[int], situation: Situation) -> list[int]:
        return [place for place in places if text.words[place] not in self.words]


@dataclass(frozen=True)
class Synonyms(WordSwap):
    """Words of WordNet that share a sense, where they are one word to TextAttack."""

    source: wordnet.WordNet

    def swaps(self, word: str, situation: Situation) -> Iterator[str]:
        return (other for other in self.source.synonyms(word) if Attacked.of(other).words == (other,))


def attack(name: str, stopwords: Sequence[str]) -> Attack:
    """A recipe as TextAttack 0.3.11 puts it together."""
    rules: tuple[Constraint, ...] = (Untouched(), Listed(frozenset(stopwords)))
    if name == "deepwordbug":
        rules = (*rules, Levenshtein(30))
        return _composed(Greedy(Unk()), deepwordbug_letters(), rules)
    source = wordnet.find()
    if source is None:
        raise SystemExit("WordNet is not there: set NLTK_DATA")
    return _composed(Greedy(WeightedSaliency()), Synonyms(source), rules)


def _composed(method: Method, transformation: Transformation, rules: tuple[Constraint, ...]) -> Attack:
    return Attack(method=method, transformation=transformation, constraints=rules, budget=UNLIMITED)


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


def attacks(rows: Sequence[Row], recipe: Attack, victim: Oracle) -> list[Attempt]:
    situations = [Situation(item, Attacked.of(text), Paired.of(item)) for item, (text, _) in enumerate(rows)]
    return search.run([recipe.method.search(recipe, each) for each in situations], {VICTIM: victim})


def timed(way: Way, run: Callable[[], list[Attempt]]) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    way.attempts = run()
    way.wall.append(time.perf_counter() - wall)
    way.cpu.append(time.process_time() - cpu)


def measured(
    name: str, rows: Sequence[Row], peer: dict[str, Any], model: TransformersModel, options: argparse.Namespace
) -> dict[str, Any]:
    """All ways of one recipe."""
    recipe, goals = attack(name, peer["stopwords"]), [Untargeted(label) for _, label in rows]
    exact, screened, host = Way(), Way(), Way()
    screen = model.screened()
    recorder = Recorder(ClassifierVictim(model, goals))
    for _ in range(options.rounds):
        fresh(model)
        timed(exact, lambda: attacks(rows, recipe, recorder))  # what it keeps costs a microsecond a text
        if screen is not None:
            fresh(model)
            fresh(screen)
            timed(screened, lambda: attacks(rows, recipe, ClassifierVictim(model, goals, screen)))
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
        "agreement": {
            way: agreement(found.attempts, peer[name]["dynamic"]["found"], model)
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


def agreement(attempts: Sequence[Attempt], peer: Sequence[Sequence[str]], model: TransformersModel) -> dict[str, float]:
    """Shares of items with the same outcome, and of those that both attacked with the same text.

    Texts that the tokenizer maps to the same ids are the same to the model, which only rounding could tell apart.
    """
    outcomes = [OUTCOMES[kind] is attempt.outcome for attempt, (kind, _) in zip(attempts, peer, strict=True)]
    both = [
        (attempt.changed, text)
        for attempt, (kind, text) in zip(attempts, peer, strict=True)
        if OUTCOMES[kind] is not Outcome.WRONG_BEFORE and attempt.outcome is not Outcome.WRONG_BEFORE
    ]
    rows = model.encoder.encode([text for pair in both for text in pair]).keys(b"")
    alike = [rows[2 * at] == rows[2 * at + 1] for at in range(len(both))]
    ends = [OUTCOMES[kind] for kind, _ in peer]
    attacked = [
        end for end, attempt in zip(ends, attempts, strict=True) if Outcome.WRONG_BEFORE not in (end, attempt.outcome)
    ]
    broken = [same for same, end in zip(alike, attacked, strict=True) if end is Outcome.BROKEN]
    return {
        "outcome": float(np.mean(outcomes)),
        "text": float(np.mean([own == text for own, text in both])),
        "alike": float(np.mean(alike)),
        "adversarial": float(np.mean(broken)) if broken else float("nan"),
    }


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
) -> str:
    facts = machine(options)
    versions = ", ".join(f"{name} {value}" for name, value in peer["versions"].items())
    lines = [
        f"# Attacks: the demonstration model on {facts['device']}, {options.threads} thread(s)",
        "",
        f"Held-out film sentences of {tokens:.1f} tokens on average. The peer: {versions}. This engine: "
        f"torch {facts['torch']}, transformers {facts['transformers']}; medians of {options.rounds} rounds, nothing "
        "remembered between them. The peer ran once. Seconds are CPU seconds of the process; wall time beside them.",
        "",
    ]
    for result in results:
        lines += section(result)
    lines += ["## The recipe `fast`", "", "| recipe | broken | queries an item |", "|---|---:|---:|"]
    for each in compared:
        lines += [f"| {name} | {broken}/{n} | {queries:.1f} |" for name, (broken, n, queries) in each.items()]
    lines += ["", f"Texts to token ids: {host:,.0f} texts/s (wall time, {options.threads} thread(s))."]
    return "\n".join(lines) + "\n"


def section(result: dict[str, Any]) -> Iterator[str]:
    peer, rows = result["peer"], result["rows"]
    installed, dynamic = (peer[way]["queries"] / peer[way]["cpu"] for way in ("installed", "dynamic"))
    yield f"## {result['name']}, {len(rows)} sentences"
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" + "|---:" * (len(COLUMNS) - 1) + "|"
    for label, way in (
        ("TextAttack as it installs (512 tokens)", "installed"),
        ("TextAttack, padding dynamic", "dynamic"),
    ):
        its = peer[way]
        rate = its["queries"] / its["cpu"]
        success = successes([OUTCOMES[kind] for kind, _ in its["found"]])
        yield (
            f"| {label} | {len(its['found'])} | {its['queries']:,} | {success} | {rate:.1f} | "
            f"{its['queries'] / its['wall']:.1f} | {rate / installed:.2f} | {rate / dynamic:.2f} | | | |"
        )
    for label, key in (("this engine, exact", "exact"), ("this engine, bfloat16 confirmed in float32", "screened")):
        way = result[key]
        if way.attempts:
            rate, same = way.rate(way.cpu), result["agreement"][key]
            success = successes([attempt.outcome for attempt in way.attempts])
            yield (
                f"| {label} | {len(rows)} | {way.queries:,} | {success} | {rate:.1f} | {way.rate(way.wall):.1f} | "
                f"{rate / installed:.1f} | {rate / dynamic:.2f} | {same['outcome']:.1%} | {same['alike']:.1%} | "
                f"{same['adversarial']:.1%} |"
            )
    replayed, host = peer["replayed"], result["host"]
    theirs, ours = replayed["queries"] / replayed["cpu"], host.rate(host.cpu)
    yield ""
    yield (
        f"Host only (answers recorded): TextAttack {theirs:,.0f} queries/s, this engine {ours:,.0f} queries/s, "
        f"{ours / theirs:.1f} times as many."
    )
    yield ""


def successes(outcomes: Sequence[Outcome]) -> str:
    broken = sum(outcome is Outcome.BROKEN for outcome in outcomes)
    return f"{broken}/{broken + sum(outcome is Outcome.HELD for outcome in outcomes)}"


if __name__ == "__main__":
    main()
