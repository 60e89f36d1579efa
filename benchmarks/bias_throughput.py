"""What the bias and toxicity probes cost beside the model: texts per second of whole probes against the bare engine.

    python -m benchmarks.bias_throughput --model MODEL --data FILE [--group-column COLUMN] [--hatecheck FILE]

For each probe, at least five times in turn: the probe from its first question to its last record, and the engine alone
on the same distinct texts in one bulk, each with an empty cache. Writes benchmarks/results/bias-throughput.md; with
--only, the lines of these probes in it.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from audits.config import Config
from audits.planning.plan import Step, make_plan
from audits.planning.subject import Subject, prepare
from probes.core.answers import Classifications, Floats
from probes.core.examples import Text
from probes.core.probe import Context
from probes.model.cache import AnswerCache
from probes.model.engine import TransformersModel
from probes.model.load import load

ROUNDS = 5
RESULTS = Path(__file__).parent / "results" / "bias-throughput.md"


class Listening:
    """A model that notes what it is asked."""

    def __init__(self, model: TransformersModel) -> None:
        self.model, self.card = model, model.card
        self.classified: dict[Text, None] = {}
        self.embedded: dict[Text, None] = {}

    def classify(self, texts: Sequence[Text]) -> Classifications:
        self.classified.update(dict.fromkeys(texts))
        return self.model.classify(texts)

    def embed(self, texts: Sequence[Text]) -> Floats:
        self.embedded.update(dict.fromkeys(texts))
        return self.model.embed(texts)


def planned(subject: Subject) -> list[Step]:
    plan = make_plan(
        subject.config, registry=subject.registry, model=subject.model, data=subject.data, card=subject.card
    )
    return list(plan.steps)


def measure(model: TransformersModel, step: Step, seed: int) -> tuple[float, float, int]:
    """Seconds of the probe, seconds of the engine alone, and distinct texts."""
    model.cache = AnswerCache.open(None)
    listening = Listening(model)
    begin = time.perf_counter()
    for _ in step.probe.run(listening, step.data, Context(probe=step.probe.info.id, seed=seed)):
        pass
    whole = time.perf_counter() - begin
    model.cache = AnswerCache.open(None)
    begin = time.perf_counter()
    model.classify(list(listening.classified))
    if listening.embedded:
        model.embed(list(listening.embedded))
    return whole, time.perf_counter() - begin, len(listening.classified) + len(listening.embedded)


def line(name: str, probe: str, texts: int, *, whole: float, alone: float) -> str:
    """A row of the table."""
    return f"| {name} | {probe} | {texts:,} | {texts / whole:,.0f} | {texts / alone:,.0f} | {alone / whole:.0%} |"


def earlier() -> dict[str, str]:
    """Probe -> its row as it stands in the results."""
    rows = [row for row in RESULTS.read_text(encoding="utf-8").splitlines() if row.startswith("| ")][1:]
    return {row.split(" | ")[1]: row for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", action="append", required=True, help="repeatable: a model and its data in turn")
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--group-column", action="append", default=[], help="for the data that have it")
    parser.add_argument("--hatecheck", help="the HateCheck file, for models that look for harm")
    parser.add_argument("--only", action="append", help="repeatable: measure these probes only")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--limit", type=int, default=1000)
    args = parser.parse_args()
    rows = earlier() if args.only else {}
    measured: set[str] = set()
    for source, data in zip(args.model, args.data, strict=True):
        config = Config(
            model=source,
            data=data,
            limit=args.limit,
            only=tuple(args.only or ("bias.*", "toxicity.*")),
            group_columns=tuple(column for column in args.group_column if column in Path(data).read_text("latin-1")),
            hatecheck=args.hatecheck,
        )
        subject = prepare(config)
        model = load(subject.model, device=subject.device, cache=AnswerCache.open(None))
        model.classify([example.text for example in subject.data[:256]])
        for step in planned(subject):
            probe = step.probe.info.id
            if probe in measured:
                continue  # on an earlier model
            runs = [measure(model, step, config.seed) for _ in range(args.rounds)]
            whole, alone = (statistics.median(run[place] for run in runs) for place in (0, 1))
            rows[probe] = line(subject.model.name, probe, runs[0][2], whole=whole, alone=alone)
            measured.add(probe)
    lines = [
        "# Throughput of the bias and toxicity probes",
        "",
        f"Medians of at least {ROUNDS}; {platform.machine()}, {subject.device_name}.",
        "",
        "| model | probe | distinct texts | probe, texts/s | engine alone, texts/s | ratio |",
        "|---|---|---|---|---|---|",
    ]
    RESULTS.write_text("\n".join([*lines, *rows.values()]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
