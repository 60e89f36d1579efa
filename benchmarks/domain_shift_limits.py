"""Why accuracy estimated without labels misses: sampling, doubtful labels, or answers that fail at equal confidence?

    python -m benchmarks.domain_shift_limits --data ../shared/data --out /tmp/shift

Same models and data as benchmarks/domain_shift.py. Three readers that are not audited read every text too: the model
of the other case; one of the same make trained on restaurant and product sentences; and VADER (Hutto and Gilbert 2014,
ICWSM), a list of words with rules, run from the source archive of the demo's sentences. Restaurant and product
sentences are there a second time as people rewrote them. Writes benchmarks/results/domain-shift-limits.md.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from audits.demo.model import build_demo, demo_folder
from audits.demo.sources import corpus_archive
from benchmarks.domain_shift import LABELS, WITHIN, others, sst2_model
from benchmarks.small_models import train
from probes.core.answers import Bools, Classifications, Floats
from probes.core.examples import Example
from probes.core.model import Classifier
from probes.core.records import Estimate
from probes.core.rng import generator
from probes.core.sampling import stratified
from probes.core.stats import rate
from probes.data.load import load_data
from probes.model.load import load
from probes.shift.domains import HOME, Domain, Domains
from probes.shift.estimate.answered import Answered, ask
from probes.shift.estimate.comparison import CALIBRATED, DIFFERENCE, REWEIGHTED, THRESHOLD, Comparison
from probes.shift.performance.label_shares import Strata, rest

ESTIMATES = (THRESHOLD, CALIBRATED, DIFFERENCE, REWEIGHTED)
FEW_ITEMS = 400
"""As many as the other benchmark looks at."""
SURE = 0.9
"""Confidence from which on a judge counts as sure."""
BINS = 5
"""Of confidence, each with a fifth of the in-domain items."""
RESAMPLES = 500
KINDS = ("yelp", "amazon")
"""Whose labels are the stars of the review that a sentence is from."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One audited model, the texts of every kind with its answers, and what the readers say of the same texts.

    Attributes:
        asked: in-domain texts first.
        films: answers of the other model that has learned from film reviews, by kind of text.
        reviews: answers of the one that has learned from other reviews.
        lexicon: (n,) VADER's compound score of each text, by kind.
    """

    title: str
    asked: Sequence[Answered]
    films: Mapping[str, Classifications]
    reviews: Mapping[str, Classifications]
    lexicon: Mapping[str, Floats]

    @classmethod
    def of(
        cls, title: str, models: Sequence[Classifier], lexicon: ModuleType, paths: Mapping[str, Path], *, limit: int
    ) -> Case:
        """Ask the audited model, the other one trained on films, the one trained on other reviews, and VADER."""
        model, *judges = models
        domains = [_domain(name, path, model, limit) for name, path in paths.items()]
        asked = ask(model, Domains(domains[0], tuple(domains[1:])))
        films, reviews = ({each.name: judge.classify(each.texts) for each in asked} for judge in judges)
        reader = lexicon.SentimentIntensityAnalyzer()
        scores = {each.name: [reader.polarity_scores(text)["compound"] for text in each.texts] for each in asked}
        return cls(
            title=title,
            asked=asked,
            films=films,
            reviews=reviews,
            lexicon={name: np.array(found) for name, found in scores.items()},
        )

    @cached_property
    def home(self) -> Answered:
        return self.asked[0]

    def confirmed(self, each: Answered) -> Bools:
        """(n,): does the model of other reviews give the answer that the label gives, and is sure of it."""
        judge = self.reviews[each.name]
        return np.asarray((judge.top == each.gold) & (judge.confidence >= SURE))

    def polar(self, each: Answered) -> Bools:
        """(n,): has the text a word or sign that VADER knows."""
        return np.asarray(self.lexicon[each.name] != 0)

    def lexicon_answer(self, each: Answered) -> Bools:
        """(n,): True for positive."""
        return np.asarray(self.lexicon[each.name] > 0)


def _domain(name: str, path: Path, model: Classifier, limit: int) -> Domain:
    examples = stratified(load_data(str(path), card=model.card).examples, limit=limit, seed=0)
    return Domain(name, tuple(sorted((example.within(name) for example in examples), key=_id)))


def _id(example: Example) -> str:
    return example.id


def _reviews_model(data: Path, out: Path) -> Path:
    """Trained on restaurant and product sentences that are in no test part."""
    tested = {row["text"] for row in _rows(data, "test")}
    rows = [row for row in _rows(data, "validation") if row["text"] not in tested]
    return train([Example.of(row["text"], gold=LABELS[row["label"]]) for row in rows], LABELS, out / "reviews")


def _rows(data: Path, part: str) -> list[dict[str, Any]]:
    return [row for kind in KINDS for row in pq.read_table(data / f"{kind}_sentences/{part}.parquet").to_pylist()]


def _rewritten(data: Path, out: Path) -> Iterator[tuple[str, Path]]:
    """The test sentences of KINDS as people rewrote them to say the opposite: labels meant for the sentence itself."""
    for kind in KINDS:
        lines = (data / f"{kind}_sentences/human_flips.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        table = {"text": [row["rewrite"] for row in rows], "label": [LABELS[row["rewrite_label"]] for row in rows]}
        path = out / f"{kind}-rewritten.parquet"
        pq.write_table(pa.table(table), path)
        yield f"{kind}, rewritten", path


def _vader(out: Path) -> ModuleType:
    with tarfile.open(corpus_archive(demo_folder() / "sources", progress=print)) as archive:
        archive.extractall(out, filter="data")
    module = out / "vaderSentiment-3.3.2/vaderSentiment/vaderSentiment.py"
    spec = importlib.util.spec_from_file_location("vader", module)
    if spec is None or spec.loader is None:
        raise ImportError(f"no module in {module}")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def sampling(case: Case) -> Iterator[str]:
    """(a) Are the errors sampling noise?"""
    yield from ("### Estimated minus true accuracy, with 400 items and with all", "")
    yield _head("kind of text", "items", "accuracy", *ESTIMATES)
    for each in case.asked[1:]:
        for home, other in ((_first(case.home), _first(each)), (case.home, each)):
            yield _row(each.name, f"{len(other)}", _cell(_right(other)), *_errors(home, other))
    yield ""


def labels(case: Case) -> Iterator[str]:
    """(b) How often do readers agree with the labels, and with the audited model?"""
    yield from ("### How often a reader gives the answer of the label, and that of the audited model", "")
    judges = ("films", "reviews", "VADER")
    names = [f"{judge}, {whose}" for judge in judges for whose in ("label", "model")]
    yield _head("kind of text", "model, label", *names, "all against the label", "all but the model")
    for each in case.asked:
        polar, lexicon = case.lexicon[each.name] != 0, (case.lexicon[each.name] > 0).astype(np.int64)
        gold, told = each.gold, each.answers.top
        everything = np.ones(len(each), dtype=bool)
        judged = ((case.films[each.name].top, everything), (case.reviews[each.name].top, everything), (lexicon, polar))
        cells = [_share((answer == whose)[rows]) for answer, rows in judged for whose in (gold, told)]
        against = np.all([(answer != gold) & rows for answer, rows in judged], axis=0)
        agree = np.all([(answer == gold) & rows for answer, rows in judged], axis=0)
        yield _row(
            each.name, _share(told == gold), *cells, _share(against & (told != gold)), _share(agree & (told != gold))
        )
    yield from (
        "",
        "VADER: of the texts with a word that it knows. All against the label: the audited model and the three readers "
        "agree with one another, and the label says otherwise. All but the model: it alone disagrees with the label.",
        "",
    )


def confirmed(case: Case) -> Iterator[str]:
    """(c) Is the estimate right where a reader confirms the label?"""
    yield from (f"### Only texts whose label the reviews model gives as well, with a confidence of {SURE} or more", "")
    yield _head("kind of text", "share of the texts", "accuracy", "accuracy lost", *ESTIMATES)
    home = case.home[case.confirmed(case.home)]
    yield _row(HOME, _share(case.confirmed(case.home)), _cell(_right(home)), *[""] * (1 + len(ESTIMATES)))
    for each in case.asked[1:]:
        kept = case.confirmed(each)
        other = each[kept]
        lost = f"{home.quality.mean() - other.quality.mean():.3f}"
        yield _row(each.name, _share(kept), _cell(_right(other)), lost, *_errors(home, other))
    yield ""


def calibration(case: Case) -> Iterator[str]:
    """(d) Are answers of equal confidence equally right?"""
    yield from ("### Share of right answers, by confidence", "")
    edges = np.quantile(case.home.answers.confidence, np.arange(1, BINS) / BINS)
    bounds = [f"{edge:.2f}" for edge in edges]
    names = [f"below {bounds[0]}", *map(" to ".join, pairwise(bounds)), f"{bounds[-1]} or more"]
    yield _head("kind of text", *names, "lost at equal confidence", "lost in all")
    home = _strata(case.home, edges)
    for each in case.asked:
        found = _strata(each, edges)
        cells = [_cell(rate(found.values[column] == 1)) if column.any() else "none" for column in found.gold.T]
        lost = f"{case.home.quality.mean() - each.quality.mean():.3f}"
        yield _row(each.name, *cells, *(("", "") if each is case.home else (_cell(rest(home, found)), lost)))
    yield ""


def _strata(each: Answered, edges: Floats) -> Strata:
    """The items by confidence: what is lost within the bins is lost at equal confidence (Kitagawa 1955)."""
    bins = np.searchsorted(edges, each.answers.confidence, side="right")[:, None] == np.arange(len(edges) + 1)
    return Strata(each.quality, bins, each.domain.clusters, (0.0, 1.0))


def _first(each: Answered) -> Answered:
    """The items of a sample of FEW_ITEMS."""
    kept = {example.id for example in stratified(each.domain.examples, limit=FEW_ITEMS, seed=0)}
    return each[np.array([example.id in kept for example in each.domain.examples], dtype=bool)]


def _errors(home: Answered, other: Answered) -> Iterator[str]:
    compared = Comparison(home, other, rng=generator(0, "limits", other.name), resamples=RESAMPLES, penalty=0.01)
    for name in ESTIMATES:
        if name not in compared.estimators:
            yield "not measured"
            continue
        found = compared.estimation_error(name)
        yield f"**{_cell(found)}**" if abs(found.value) <= WITHIN else _cell(found)


def _right(each: Answered) -> Estimate:
    return rate(each.quality == 1, clusters=each.domain.clusters)


def _share(holds: Bools) -> str:
    return f"{holds.mean():.3f}"


def _cell(found: Estimate) -> str:
    return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f})"


def _head(*names: str) -> str:
    return f"{_row(*names)}\n|{'---|' * len(names)}"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=2000, help="items of each kind of text")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    demo = build_demo()
    folders = (demo.model, sst2_model(args.data, args.out), _reviews_model(args.data, args.out))
    films, sentences, reviews = (load(str(folder), device="cpu", dtype="float32") for folder in folders)
    cases = (
        ("The demo model, films at home", (films, sentences, reviews), {HOME: demo.data, **demo.domains}),
        (
            "The SST-2 model, film sentences at home",
            (sentences, films, reviews),
            {
                HOME: args.data / "sst2_sentences/test.parquet",
                **others(args.data, args.out),
                **dict(_rewritten(args.data, args.out)),
            },
        ),
    )
    lines = [
        "# Why accuracy estimated without labels misses",
        "",
        f"At most {args.limit:,} items of each kind of text; value (95 % interval); errors of at most {WITHIN:.0%} in "
        "bold. `python -m benchmarks.domain_shift_limits`. What follows from it: "
        "[docs/domain-shift.md](../../docs/domain-shift.md).",
        "",
        'Readers: "films" is the other model that has learned from film reviews; "reviews" a model of the same make '
        'trained on restaurant and product sentences (yelp and amazon, without the test parts); "VADER" a list of '
        'words with rules. "Rewritten" sentences were changed by people to say the opposite, so that the label is '
        "meant for the sentence.",
        "",
    ]
    lexicon = _vader(args.out)
    for title, models, paths in cases:
        case = Case.of(title, models, lexicon, paths, limit=args.limit)
        lines += [f"## {title}", ""]
        for part in (sampling, labels, confirmed, calibration):
            lines += part(case)
    text = "\n".join(lines)
    (Path(__file__).parent / "results/domain-shift-limits.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
