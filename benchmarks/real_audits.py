"""Fine-tune models of four kinds on public data and audit each in full: tagger, topics, pairs, language model.

    python -m benchmarks.real_audits --data ../shared/data --out /tmp/real

Needs a folder with `wnut_17`, `trec`, `boolq`, `rotten_tomatoes` and `crows_pairs` (columns as on the Hub), and the
extra `demo` for the encoder. Models and runs are kept under `--out`. Writes benchmarks/results/real-audits.md: for each
model what it was trained on, its quality beside the trivial answer, the verdict, what ran and what did not, and the
first findings in the report's own words.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.real_models import train_base, train_pairs, train_tagger, tune
from benchmarks.small_models import TRAIN_ON, audit, train
from probes.core.examples import Example
from probes.core.manifest import PlannedSkip
from probes.core.records import Measurement
from probes.core.rng import derive
from probes.core.run_folder import RunFolder
from probes.text.masking import mask
from reports.decision import decision
from reports.load import Loaded, load
from reports.not_run import NotRun, not_run
from reports.numbers import count, plural, printed
from reports.ranking import ranked
from reports.wording import BADGES, REASONS

QUESTIONS = ("abbreviation", "entity", "description", "human", "location", "number")
YES = ("no", "yes")
FINDINGS = 4
SHOWN: Mapping[str, tuple[str, ...]] = {
    "performance.quality": (
        "accuracy", "majority_baseline", "accuracy_over_majority", "balanced_accuracy", "macro_f1",
    ),
    "performance.tagging": (
        "f1", "precision", "recall", "macro_f1", "word_accuracy", "commonest_label", "word_accuracy_over_commonest",
    ),
    "performance.likelihood": ("perplexity", "word_perplexity", "bits_over_frequency"),
}  # fmt: skip
"""What is said of the quality of each kind of model, with what a trivial answer reaches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A model and how it is audited; `trained` says on what."""

    name: str
    trained: str
    model: Path
    flags: tuple[str, ...]


def tagger(data: Path, out: Path) -> Case:
    """Entities in tweets, audited on other places of the web; YouTube comments as another kind of text."""
    rows = _rows(data / "wnut_17/train.parquet")
    labels = json.loads((data / "wnut_17/labels.json").read_text(encoding="utf-8"))
    model = train_tagger(
        [row["tokens"] for row in rows], [row["ner_tags"] for row in rows], labels=labels, out=out / "wnut-tagger"
    )
    test, other = data / "wnut_17/test.parquet", data / "wnut_17/validation.parquet"
    flags = ("--data", str(test), "--shift", f"youtube={other}")
    return Case(name="WNUT-17 tagger", trained=f"MiniLM, {plural(len(rows), 'tweet')}", model=model, flags=flags)


def topics(data: Path, out: Path) -> Case:
    """Six kinds of questions; yes-or-no questions, which have no right answer here, as another kind of text."""
    rows = _rows(data / "trec/train.parquet")
    golds = [Example.of(row["text"], gold=QUESTIONS[row["coarse_label"]]) for row in rows]
    model = train(golds, QUESTIONS, out / "trec-questions")
    asked = _texts(
        [row["question"] for row in _rows(data / "boolq/validation.parquet")], out / "yes-no-questions.parquet"
    )
    test = out / "trec-test.parquet"  # the other kind of text has no labels, so their column must have its usual name
    asked_for = _rows(data / "trec/test.parquet")
    labels = [QUESTIONS[row["coarse_label"]] for row in asked_for]
    pq.write_table(pa.table({"text": [row["text"] for row in asked_for], "label": labels}), test)
    return Case(
        name="TREC questions",
        trained=f"MiniLM, {plural(min(TRAIN_ON, len(rows)), 'question')}, six labels",
        model=model,
        flags=("--data", str(test), "--shift", f"yes-no={asked}"),
    )


def pairs(data: Path, out: Path) -> Case:
    """Yes-or-no questions with a passage; the published part is divided by passage, so none is on both sides."""
    rows = _rows(data / "boolq/validation.parquet")
    held_out = [row for row in rows if _held_out(row["passage"])]
    seen = [row for row in rows if not _held_out(row["passage"])]
    model = train_pairs(
        [(row["question"], row["passage"]) for row in seen],
        [int(row["answer"]) for row in seen],
        labels=YES,
        out=out / "boolq-pairs",
    )
    test = out / "boolq-test.parquet"
    columns = {name: [row[name] for row in held_out] for name in ("question", "passage")}
    pq.write_table(pa.table({**columns, "label": [YES[int(row["answer"])] for row in held_out]}), test)
    flags = ("--data", str(test), "--cluster-column", "passage")
    return Case(
        name="BoolQ pairs", trained=f"MiniLM, {plural(len(seen), 'question')} with passages", model=model, flags=flags
    )


def language(data: Path, out: Path) -> Case:
    """Reads encyclopedia, then film reviews; what it was tuned on is given, to ask whether it gives it away."""
    films = {
        part: [row["text"] for row in _rows(data / f"rotten_tomatoes/{part}.parquet")] for part in ("train", "test")
    }
    passages = list(dict.fromkeys(row["passage"] for row in _rows(data / "boolq/validation.parquet")))
    read, unread = ([p for p in passages if _held_out(p) is held] for held in (False, True))
    tuned_on, not_tuned_on = films["train"][:3000], films["train"][3000:]
    base = train_base(read, out=out / "gpt2-base")
    model = tune(base, tuned_on, out=out / "gpt2-films")
    training, holdout = _texts(tuned_on, out / "tuned-on.parquet"), _texts(not_tuned_on, out / "not-tuned-on.parquet")
    wiki = _texts(unread, out / "encyclopedia.parquet")
    flags = ("--data", str(_texts(films["test"], out / "films.parquet")), "--shift", f"encyclopedia={wiki}")
    known = ("--training-texts", str(training), "--holdout-texts", str(holdout))
    return Case(
        name="Language model against its base",
        trained=f"GPT-2 of three layers, tuned on {plural(len(tuned_on), 'film review')} after "
        f"{plural(len(read), 'passage')} of an encyclopedia",
        model=model,
        flags=(*flags, *known, "--benchmarks", str(data / "crows_pairs"), "--against-base"),
    )


CASES: Mapping[str, Callable[[Path, Path], Case]] = {
    "tagger": tagger,
    "topics": topics,
    "pairs": pairs,
    "language": language,
}


def _rows(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def _texts(texts: Sequence[str], path: Path) -> Path:
    pq.write_table(pa.table({"text": list(texts)}), path)
    return path


def _held_out(passage: str) -> bool:
    return derive(0, "split", passage) % 2 == 0


def section(case: Case, run: RunFolder, *, code: int, seconds: float) -> Iterator[str]:
    """What became of one audit."""
    loaded = load(run)
    found = ranked(loaded.findings, titles=loaded.titles)
    missing = not_run(loaded, found)
    page = decision(loaded, found, missing)
    yield from (f"## {case.name}", "")
    yield f"{case.trained}; audited on {plural(loaded.manifest.data.n, 'item')} in {seconds:.0f} s; exit code {code}."
    yield from ("", f"> {page.sentence}", "")
    yield from _table(("number", "value (95 % interval)", "n"), _quality(loaded))
    yield f"Checks: {_counted(f.status for f in loaded.findings)}. {page.total}"
    yield from ("", f"Records: {_records(loaded)}.", "")
    yield from (f"Ran: {_probes(step.probe for step in loaded.manifest.steps)}.", "")
    yield from _table(("did not run, because", "probes"), _reasons(loaded.manifest.skips))
    yield from _table(("not measured within those that ran", "numbers"), _within(missing))
    yield "What the first page of the report says first:"
    yield ""
    yield from (
        f"- **{head.badge.word}, {head.level.lower()}** {head.title}. {head.sentence}"
        for head in (*page.headlines, *page.closest)[:FINDINGS]
    )
    yield ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if rows:
        yield f"| {' | '.join(head)} |"
        yield "|---" * len(head) + "|"
        yield from (f"| {' | '.join(cells)} |" for cells in rows)
        yield ""


def _quality(loaded: Loaded) -> list[tuple[str, ...]]:
    whole = {
        (step.probe, record.name): record
        for step, record in loaded.records()
        if isinstance(record, Measurement) and not record.slice
    }
    shown = [whole[probe, name] for probe, names in SHOWN.items() for name in names if (probe, name) in whole]
    return [(m.title, printed(m.estimate, m.unit).line, count(m.estimate.n)) for m in shown]


def _counted(statuses: Any) -> str:
    return ", ".join(f"{count(n)} {BADGES[status].word.lower()}" for status, n in Counter(statuses).most_common())


def _records(loaded: Loaded) -> str:
    kinds = Counter(record.kind for _, record in loaded.records())
    broken = sum(step.end.status == "failed" for step in loaded.steps.values())
    return ", ".join([f"{count(n)} {kind}" for kind, n in kinds.most_common()] + [f"{count(broken)} broken steps"])


def _probes(names: Any) -> str:
    """The probes by package: "robustness (2): keyboard_typos, upper_case"."""
    packages: dict[str, list[str]] = {}
    for name in names:
        package, _, rest = name.partition(".")
        packages.setdefault(package, []).append(rest)
    return "; ".join(f"{package} ({len(rest)}): {', '.join(rest)}" for package, rest in packages.items())


def _reasons(skips: Sequence[PlannedSkip]) -> list[tuple[str, ...]]:
    alike: dict[str, list[str]] = {}
    for skip in skips:
        alike.setdefault(f"{REASONS[skip.skip.reason]}: {skip.skip.detail}", []).append(skip.probe)
    return [(reason, _probes(names)) for reason, names in alike.items()]


def _within(missing: Sequence[NotRun]) -> list[tuple[str, ...]]:
    alike = Counter((item.reason, item.probe) for item in missing if item.kind == "number")
    return [(f"{reason}, {probe}", count(n)) for (reason, probe), n in alike.items()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--time-budget", default="3m")
    parser.add_argument("--only", choices=list(CASES), action="append", help="only this model; the page is not written")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Audits of models of four kinds on public data",
        "",
        f"Each fine-tuned here in minutes and audited with `--suite full --time-budget {args.time_budget}` by the "
        "default policy: `python -m benchmarks.real_audits`. The models are small and hardly trained; what is shown is "
        "the audit, not what such models can reach.",
        "",
    ]
    for name in args.only or CASES:
        case = CASES[name](args.data, args.out)
        flags = (*case.flags, "--suite", "full", "--time-budget", args.time_budget)
        run, code, seconds = audit(case.model, args.out / f"runs-{name}", *flags)
        lines += section(case, run, code=code, seconds=seconds)
    text = mask("\n".join(lines).rstrip()) + "\n"
    print(text)
    if not args.only:
        (Path(__file__).parent / "results/real-audits.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
