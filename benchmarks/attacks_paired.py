"""Do our parts, put together as TextAttack puts its recipes together, find the texts that TextAttack finds?

    OMP_NUM_THREADS=1 NLTK_DATA=FOLDER python -m benchmarks.attacks_paired --peer-python /path/to/textattack/bin/python

Both attack the same sentences of the demonstration model's held-out data in float32, with the same random numbers drawn
in the same order (item i from seed i). What a recipe would download is the same stand-in for both
(`benchmarks.attacks_stand_ins`). Writes results/attacks-paired.json and .md; what stands there of recipes that are not
named with --recipes stays. For speed see `benchmarks.attacks`.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from audits.demo.model import build_demo
from benchmarks.attacks_as_textattack import COMPOSED, STEEP, UNCUT, Given, Slopes, WordModel
from benchmarks.attacks_beside import (
    OUTCOMES,
    RESULTS,
    Row,
    agreement,
    attacks,
    sentences,
    successes,
    textattack,
)
from benchmarks.attacks_needs import MOVIE
from benchmarks.attacks_stand_ins import StandIns, make
from probes.model.engine import TransformersModel
from probes.model.load import load
from probes.robustness.adversarial.parts import Outcome
from probes.robustness.adversarial.sources import wordnet
from probes.robustness.adversarial.sources.vectors import load_vectors
from probes.robustness.search import Oracle

CONTRACTED = re.compile(r"\w(?:n't|'(?:s|re|ve|ll|d|m))\b|\b(?:it is|is not|do not|does not|did not|I am)\b")
NOT_PAIRED = {
    "hotflip": "takes gradients of its own LSTM only, and refuses networks of transformers",
    "morpheus": "attacks translations by their BLEU, and wants a tagger from the Hub",
    "alzantot, faster-alzantot, iga": "draw for one member at a time, and another word where the first gains nothing; "
    "our genetic search changes a whole generation together, as it says. Their language models are downloads",
    "pso, leap": "move particles, which no search of ours does; the former wants HowNet, a download",
    "bad-characters": "evolves a population of changes; ours takes words by their importance, as our recipe says",
    "seq2sick": "attacks translations",
    "checklist's names, places and numbers, clare's merging": "want taggers from the Hub, and packages for numbers",
    "the recipes for Chinese, French and Spanish": "our lists are English",
}
"""Recipe of TextAttack -> why it is not among the pairs."""
SHOWN = 6
"""Differences that are shown of a recipe."""


@dataclass(frozen=True)
class Pair:
    """What both found.

    Attributes:
        theirs, ours: (n,) the outcome, as each calls it, the text at the end, and the queries.
        tokens: of the sentences, on average.
    """

    name: str
    theirs: Sequence[tuple[str, str, int]]
    ours: Sequence[tuple[str, str, int]]
    tokens: float
    model: TransformersModel

    @cached_property
    def shares(self) -> dict[str, float]:
        ours = [(Outcome(outcome), text) for outcome, text, _ in self.ours]
        theirs = [(OUTCOMES[kind], text) for kind, text, _ in self.theirs]
        return agreement(ours, theirs, self.model)

    @property
    def line(self) -> str:
        recipe, same = COMPOSED[self.name], self.shares
        asked = [(theirs, ours) for (*_, theirs), (*_, ours) in zip(self.theirs, self.ours, strict=True)]
        cells = (
            self.name,
            f"{len(self.ours)}",
            f"{self.tokens:.1f}",
            successes([OUTCOMES[kind] for kind, *_ in self.theirs]),
            successes([Outcome(outcome) for outcome, *_ in self.ours]),
            f"{same['outcome']:.1%}",
            f"{same['text']:.1%}",
            f"{same['alike']:.1%}",
            f"{sum(theirs for theirs, _ in asked):,}",
            f"{sum(ours for _, ours in asked):,}",
            f"{sum(theirs == ours for theirs, ours in asked)}/{len(asked)}",
            recipe.patched,
            recipe.aside,
        )
        return f"| {' | '.join(cells)} |"

    @property
    def differences(self) -> Iterator[str]:
        """The items whose outcome or text is another, not those of the same token ids."""
        for item, (theirs, ours) in enumerate(zip(self.theirs, self.ours, strict=True)):
            rows = self.model.encoder.encode([theirs[1], ours[1]]).keys(b"")
            if OUTCOMES[theirs[0]] is not Outcome(ours[0]) or rows[0] != rows[1]:
                there = f"{OUTCOMES[theirs[0]].value} ({theirs[2]}), {theirs[1]!r}"
                yield f"- {self.name} {item}: TextAttack {there}; here {ours[0]} ({ours[2]}), {ours[1]!r}"


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    demo = build_demo(progress=print)
    model = load(str(demo.model), device="cpu", dtype="float32")
    rows = sentences(options.data, demo.data, model, tokens=options.tokens)
    work = {name: chosen(name, rows, options.texts) for name in options.recipes}
    kept = options.out.with_suffix(".json")
    known: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {"recipes": {}}
    with tempfile.TemporaryDirectory() as scratch:
        stand_ins = make(demo.model, Path(scratch))
        job = {"model": str(demo.model), "pairs": list(work.items()), "words": options.words}
        files = {"vectors": str(stand_ins.vectors), "word_model": str(stand_ins.word_model)}
        peer = textattack(options.peer_python, job | files, threads=options.threads)
        known["versions"] = peer["versions"]
        oracles, vectors = others(model, stand_ins), load_vectors(stand_ins.vectors)
        for name, own in work.items():
            given = Given(peer[name]["stopwords"], vectors, wordnet.find(), peer["lists"], options.words)
            attempts = attacks(own, COMPOSED[name].attack(given), COMPOSED[name].victim(model, own), oracles)
            known["recipes"][name] = {
                "tokens": float(model.token_counts([text for text, _ in own])[0].mean()),
                "theirs": [[*end, count] for end, count in zip(peer[name]["found"], peer[name]["each"], strict=True)],
                "ours": [[attempt.outcome.value, attempt.changed, attempt.queries] for attempt in attempts],
            }
            kept.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
            pairs = [Pair(name=each, model=model, **own) for each, own in known["recipes"].items()]
            options.out.write_text(report(pairs, known["versions"]), encoding="utf-8")
            print(name, "done", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer-python", required=True, type=Path, help="an interpreter that has TextAttack")
    parser.add_argument("--data", type=Path, default=MOVIE)
    # The first two are those of `benchmarks.attacks`.
    parser.add_argument("--recipes", nargs="+", choices=COMPOSED, default=[*COMPOSED][2:])
    parser.add_argument("--texts", type=int, default=20, help="attacked by each recipe")
    parser.add_argument("--tokens", type=int, default=18, help="length of a sentence, five more or less")
    parser.add_argument("--words", type=int, default=5, help="of the masked model in each place, for CLARE")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS / "attacks-paired.md")
    return parser.parse_args()


def chosen(name: str, rows: Sequence[Row], count: int) -> list[Row]:
    """The first ones that both cut into the same words; for CheckList with something to contract or to write out."""
    fit = [row for row in rows if not set(row[0]) & set(UNCUT)]
    if name == "checklist":
        fit = [row for row in fit if CONTRACTED.search(row[0])]
    return list(fit[:count])


def others(model: TransformersModel, stand_ins: StandIns) -> dict[str, Oracle]:
    """Whom recipes ask besides the victim."""
    word_model = WordModel(load(str(stand_ins.word_model), device="cpu", dtype="float32"))
    return {STEEP: Slopes(model), **word_model.oracles}


COLUMNS = (
    "recipe", "sentences", "tokens", "success of TextAttack", "success here", "same outcome", "same text",
    "same token ids", "queries of TextAttack", "queries here", "items with as many", "in its recipe",
    "otherwise than in ours",
)  # fmt: skip


def report(pairs: Sequence[Pair], versions: Mapping[str, str]) -> str:
    pairs = sorted(pairs, key=lambda pair: list(COMPOSED).index(pair.name))
    peer = ", ".join(f"{name} {number}" for name, number in versions.items())
    lines = [
        "# Attacks beside TextAttack's, text by text",
        "",
        "Held-out film sentences, the demonstration model in float32. The peer: "
        f"{peer}. Here: torch {version('torch')}, transformers {version('transformers')}. Both draw the same "
        "random numbers. Where recipes want word vectors or a masked model from the Hub, both have the same stand-in, "
        "made from the table of embeddings of the demonstration model: these numbers say whether two programs do the "
        "same, and nothing of how good the attacks are. DeepWordBug and PWWS: [attacks.md](attacks.md).",
        "",
        f"| {' | '.join(COLUMNS)} |",
        "|---" + "|---:" * (len(COLUMNS) - 3) + "|---|---|",
        *(pair.line for pair in pairs),
        "",
        "Same text and same token ids: of the items that both attacked. A text in other capitals is the same to this "
        "model. Queries: TextAttack counts a text that is asked about twice in a round twice.",
        "",
    ]
    differences = [line for pair in pairs for line in list(pair.differences)[:SHOWN]]
    lines += ["## Where they differ", "", *(differences or ["Nowhere."]), ""]
    lines += ["## Not paired", "", "| recipe of TextAttack | why |", "|---|---|"]
    lines += [f"| {name} | {why} |" for name, why in NOT_PAIRED.items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
