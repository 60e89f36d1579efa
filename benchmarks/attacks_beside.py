"""What every comparison with TextAttack needs: its process, its random numbers, and both results side by side."""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from benchmarks.attacks_needs import alone
from probes.model.engine import TransformersModel
from probes.robustness import search
from probes.robustness.adversarial.attacked import Attacked
from probes.robustness.adversarial.parts import (
    VICTIM,
    Attack,
    Attempt,
    Constraint,
    Method,
    Outcome,
    Situation,
    Transformation,
)
from probes.robustness.adversarial.pure import Rule
from probes.robustness.search import Oracle

RESULTS = Path(__file__).parent / "results"
ROOT = Path(__file__).resolve().parents[1]
OUTCOMES = {
    "SuccessfulAttackResult": Outcome.BROKEN,
    "FailedAttackResult": Outcome.HELD,
    "MaximizedAttackResult": Outcome.HELD,
    "SkippedAttackResult": Outcome.WRONG_BEFORE,
}
UNLIMITED = 1_000_000
SPREAD = 5
"""Tokens by which a sentence may be shorter or longer than those asked for."""
Row = tuple[str, int]


def sentences(data: Path, held_out: Path, model: TransformersModel, *, tokens: int) -> list[Row]:
    """Film sentences about so long that the model has not been trained on, with the positions of their labels."""
    kept = {json.loads(line)["text"] for line in held_out.read_text(encoding="utf-8").splitlines()}
    rows = [row for row in pq.read_table(data, columns=["text", "label"]).to_pylist() if row["text"] in kept]
    lengths = model.token_counts([row["text"] for row in rows])[0]
    about = [row for row, length in zip(rows, lengths, strict=True) if abs(length - tokens) <= SPREAD]
    return [(row["text"], model.card.labels.index(row["label"])) for row in about]


def textattack(python: Path, job: Mapping[str, Any], *, threads: int, device: str = "cpu") -> dict[str, Any]:
    """What TextAttack came to, from its own process, with its network on the device."""
    with tempfile.TemporaryDirectory() as scratch:
        path, out = Path(scratch) / "job.json", Path(scratch) / "out.json"
        folders = {"child": str(ROOT / "probes" / "robustness" / "textattack"), "folder": f"{scratch}/textattack"}
        path.write_text(json.dumps({**job, **folders, "threads": threads, "device": device, "out": str(out)}))
        subprocess.run(
            [str(python), str(Path(__file__).with_name("attacks_peer.py")), str(path)],
            check=True,
            env=alone() | {"OMP_NUM_THREADS": str(threads)},
        )
        found: dict[str, Any] = json.loads(out.read_text())
        return found


@dataclass(frozen=True)
class Paired:
    """TextAttack's sources of random numbers, as they are after `np.random.seed(i)` and `random.seed(i)`."""

    bits: np.random.MT19937
    letters: random.Random

    @classmethod
    def of(cls, seed: int) -> Paired:
        """From their beginning, also where the same were drawn from before."""
        bits, numbers = _numbers(seed)
        numbers.seed(seed)
        return cls(bits, random.Random(seed))

    def integer(self, low: int, high: int) -> int:
        """What `np.random.randint` draws, as it draws it: 32 bits, as many of them as are needed, until they fit."""
        most = high - low - 1
        needed = (1 << most.bit_length()) - 1
        drawn = 0
        while most and (drawn := self.bits.random_raw() & needed) > most:
            pass
        return low + drawn

    def choice(self, options: Sequence[str]) -> str:
        return self.letters.choice(options)


@cache
def _numbers(seed: int) -> tuple[np.random.MT19937, np.random.RandomState]:
    """Kept: a new one asks the system for entropy first, 0.15 ms, which TextAttack, with one for all, need not."""
    bits = np.random.MT19937()
    return bits, np.random.RandomState(bits)


@dataclass(frozen=True)
class Listed(Rule):
    """TextAttack's stopwords: words exactly as they are listed, so that "The" is none."""

    words: frozenset[str]

    def places(self, text: Attacked, places: Sequence[int], situation: Situation) -> list[int]:
        return [place for place in places if text.words[place] not in self.words]


def composed(method: Method, transformation: Transformation, rules: tuple[Constraint, ...]) -> Attack:
    """An attack that may ask as much as it likes."""
    return Attack(method=method, transformation=transformation, constraints=rules, budget=UNLIMITED)


def attacks(
    rows: Sequence[Row], recipe: Attack, victim: Oracle, others: Mapping[str, Oracle] | None = None
) -> list[Attempt]:
    """The attempt on each row, with the random numbers that TextAttack has for it."""
    situations = [Situation(item, Attacked.of(text), Paired.of(item)) for item, (text, _) in enumerate(rows)]
    searches = [recipe.method.search(recipe, each) for each in situations]
    return search.run(searches, {VICTIM: victim, **(others or {})})


def agreement(
    ours: Sequence[tuple[Outcome, Any]], peer: Sequence[tuple[Outcome, Any]], model: TransformersModel
) -> dict[str, float]:
    """Shares of items with the same outcome, and of those that both attacked with the same text.

    Texts that the tokenizer maps to the same ids are the same to the model, which only rounding could tell apart.
    """
    pairs = [(outcome, end, own, text) for (outcome, own), (end, text) in zip(ours, peer, strict=True)]
    both = [pair for pair in pairs if Outcome.WRONG_BEFORE not in pair[:2]]
    rows = model.encoder.encode([text for *_, own, text in both for text in (own, text)]).keys(b"")
    alike = [rows[2 * at] == rows[2 * at + 1] for at in range(len(both))]
    broken = [same for same, (_, end, *_) in zip(alike, both, strict=True) if end is Outcome.BROKEN]
    return {
        "outcome": float(np.mean([own is end for own, end, *_ in pairs])),
        "text": float(np.mean([own == text for *_, own, text in both])),
        "alike": float(np.mean(alike)),
        "adversarial": float(np.mean(broken)) if broken else float("nan"),
    }


def ends(attempts: Sequence[Attempt]) -> list[tuple[Outcome, Any]]:
    """What each came to, and the text at the end."""
    return [(attempt.outcome, attempt.changed) for attempt in attempts]


def told(found: Mapping[str, Any]) -> list[tuple[Outcome, Any]]:
    """The same of what the peer's process came to."""
    return [(OUTCOMES[kind], text) for kind, text in found["found"]]


def successes(outcomes: Sequence[Outcome]) -> str:
    """Broken of attacked."""
    broken = sum(outcome is Outcome.BROKEN for outcome in outcomes)
    return f"{broken}/{broken + sum(outcome is Outcome.HELD for outcome in outcomes)}"
