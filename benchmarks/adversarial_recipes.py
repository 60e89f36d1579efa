"""Every recipe of attack on the demonstration model's held-out film snippets, each with all it can make use of here.

    NLTK_DATA=../shared/data/nltk_data OMP_NUM_THREADS=1 python -m benchmarks.adversarial_recipes --out /tmp/recipes

Two audits: three recipes on as many snippets as a full audit attacks, of whose successes 100 go onto a sheet for
people; and all recipes on fewer. WordNet and the tagger are read from NLTK_DATA; word vectors and a masked model, which
need a download, are stand-ins made from the demonstration model (`benchmarks/attacks_stand_ins.py`) unless others are
named.
Recipes of TextAttack are run where AUDIT_TEXTATTACK_PYTHON names an interpreter that has it.
Writes benchmarks/results/adversarial-recipes.md and adversarial-spot-check.csv.
"""

from __future__ import annotations

import argparse
import csv
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from pathlib import Path

from audits.adversarial_export import export_adversarial
from audits.demo.model import build_demo
from audits.textattack import PYTHON
from benchmarks.attacks_stand_ins import make
from benchmarks.small_models import audit, newest, numbers
from probes.core.records import Accounting, Measurement, Skip
from probes.core.run_folder import RunFolder
from probes.robustness.adversarial.recipe import Composed, Resource
from probes.robustness.adversarial.recipes import RECIPES
from probes.robustness.textattack.bridge import WANTS
from reports.numbers import count, fixed, printed

RESULTS = Path(__file__).parent / "results"
PROBE = "robustness.adversarial"
CHECKED = ("deepwordbug", "pwws", "fast")
"""Recipes whose successes people are asked about."""
ON_SHEET = 100
ENOUGH = 30
"""Snippets below which a page says that they are few."""
PEER = "textattack:"
FROM_PEER = tuple(PEER + name for name, wants in WANTS.items() if wants.startswith("nltk's stopwords"))
"""Recipes of TextAttack whose data are nltk's."""
RESOURCES: Mapping[Resource, str] = {
    Resource.WORDNET: "WordNet",
    Resource.NEIGHBOURS: "word vectors",
    Resource.WORD_VECTORS: "word vectors",
    Resource.WORD_MODEL: "masked model",
    Resource.GRADIENTS: "gradients",
    Resource.ENTAILMENT_MODEL: "entailment",
}
HEAD = (
    "recipe", "makes use of", "attacked", "success", "accuracy left", "queries", "cut short", "words changed",
    "similarity", "success without doubtful changes",
)  # fmt: skip
Found = Mapping[tuple[str, str], Measurement]


def rows(run: RunFolder, names: Sequence[str], used: Mapping[str, str]) -> Iterator[str]:
    """A row for each recipe that was run."""
    found = {(m.name, m.slice["recipe"]): m for m in numbers(run).values() if set(m.slice) == {"recipe"}}
    for name in names:
        if ("attack_success_rate", name) in found:
            yield f"| {' | '.join((name, used.get(name, '-'), *_cells(found, name)))} |"


def _cells(found: Found, name: str) -> tuple[str, ...]:
    return (
        count(found["attack_success_rate", name].estimate.n),
        _interval(found, "attack_success_rate", name),
        _interval(found, "accuracy_under_attack", name),
        _value(found, "mean_queries", name, 1),
        _share(found, "cut_short", name),
        _share(found, "words_changed", name),
        _value(found, "similarity", name, 2),
        _interval(found, "undoubted_success_rate", name),
    )


def _interval(found: Found, number: str, name: str) -> str:
    m = found.get((number, name))
    return "-" if m is None else printed(m.estimate, m.unit).line


def _value(found: Found, number: str, name: str, places: int) -> str:
    m = found.get((number, name))
    return "-" if m is None else fixed(m.estimate.value, places)


def _share(found: Found, number: str, name: str) -> str:
    m = found.get((number, name))
    return "-" if m is None else f"{m.estimate.value:.0%}"


def not_run(run: RunFolder) -> Iterator[str]:
    """Why some recipes gave no rate of success."""
    results = [run.step(step.step_id) for step in run.manifest().steps]
    skips = [r for result in results if result for r in result.records if isinstance(r, Skip)]
    for skip in skips:
        if skip.name == "attack_success_rate" and skip.slice.keys() == {"recipe"}:
            yield f"- {skip.slice['recipe']}: {skip.detail} {skip.enable}".rstrip()


def items(run: RunFolder) -> int:
    """How many snippets were attacked, or would have been, had they been answered rightly."""
    results = [run.step(step.step_id) for step in run.manifest().steps]
    found = [r for result in results if result for r in result.records if isinstance(r, Accounting)]
    return max(record.eligible for record in found)


def uses(names: Sequence[str]) -> dict[str, str]:
    """What each recipe draws on here; in brackets what only looks for changed meaning, or limits a search."""
    found = {}
    for name in names:
        recipe = RECIPES.get(name)
        if recipe is None:
            continue
        taken = recipe.takes if isinstance(recipe, Composed) else ()
        needed = [RESOURCES[each] for each in recipe.needs]
        more = [f"({RESOURCES[each]})" for each in taken if each is not Resource.ENTAILMENT_MODEL]
        found[name] = ", ".join([*needed, *more]) or "-"
    return found


def sheet(run: RunFolder, out: Path) -> str:
    """The first successes of each recipe by their ids, as many of each as there are, 100 in all; how many of which."""
    path = export_adversarial(run, out=out).paths["Sheet"]
    head, *cases = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    by_recipe = [[case for case in cases if case[1] == name] for name in CHECKED]
    in_turn = [case for turn in zip_longest(*by_recipe) for case in turn if case is not None]
    kept = sorted(in_turn[:ON_SHEET], key=lambda case: (CHECKED.index(case[1]), case[0]))
    with (RESULTS / "adversarial-spot-check.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *kept])
    parts = ", ".join(f"{sum(case[1] == name for case in kept)} of {name}" for name in CHECKED)
    return f"{len(kept)} of the {len(cases)} successes, the first of each recipe by their ids ({parts})"


def report(args: argparse.Namespace) -> Iterator[str]:
    """The page."""
    three = attacked(CHECKED, limit=args.limit, out=args.out / "three", read=args.read)
    on_sheet = sheet(three, args.out / "sheet")
    stand_ins = make(build_demo().model, _folder(args.out / "stand-ins"))
    vectors, word_model = args.word_vectors or stand_ins.vectors, args.word_model or stand_ins.word_model
    flags = ["--word-vectors", str(vectors), "--word-model", str(word_model)]
    flags += ["--entailment-model", args.entailment_model] if args.entailment_model else []
    names = [*RECIPES, *(FROM_PEER if os.environ.get(PYTHON) else ())]
    every = attacked(names, *flags, limit=args.few, out=args.out / "all", read=args.read)
    yield from _first(three, on_sheet)
    yield from _second(every, names, args=args)


def attacked(names: Sequence[str], *flags: str, limit: int, out: Path, read: bool) -> RunFolder:
    """An audit of the demonstration model by these recipes, or the last one that was made."""
    if read:
        return newest(out)
    recipes = [flag for name in names for flag in ("--recipe", name)]
    common = ("--no-gate", "--only", PROBE, "--limit", str(limit), "--dtype", "float32")
    run, _, _ = audit(Path("demo"), out, *common, *recipes, *flags)
    return run


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _first(run: RunFolder, on_sheet: str) -> Iterator[str]:
    yield "# Attacks on the demonstration model"
    yield ""
    yield "    NLTK_DATA=... python -m benchmarks.adversarial_recipes --out FOLDER"
    yield ""
    yield f"## Three recipes, {items(run)} film snippets"
    yield ""
    yield (
        "float32, budget 500, seed 0; snippets of the held-out split. What was answered wrongly before any change "
        "is not attacked. 95 % intervals over the attacked ones (over all for the accuracy). WordNet is 3.0."
    )
    yield ""
    yield from _table(rows(run, CHECKED, uses(CHECKED)))
    yield (
        "`fast` learns once what single letters do to this model: 96 texts' worth of computing for each label, "
        "which is not in its queries. Similarity is the cosine of all-MiniLM-L6-v2 between the changed text and the "
        'first; "doubtful" are changes that put in a word\'s opposite.'
    )
    yield ""
    yield (
        f"[The spot-check sheet](adversarial-spot-check.csv) holds {on_sheet}. Nobody has filled it in. Read it "
        'before believing the success rates: many changes of `pwws` are synonyms of another sense ("accent" became '
        '"emphasize"), which keep a high similarity and not the meaning.'
    )
    yield ""


def _second(run: RunFolder, names: Sequence[str], *, args: argparse.Namespace) -> Iterator[str]:
    yield f"## Every recipe, {items(run)} of the snippets"
    yield ""
    yield (
        "One audit. In brackets what a recipe does not need but makes use of: here WordNet, for the guard against "
        "opposites. `textfooler`, `bae`, `bert-attack`, `clare` and `hotflip` keep to changes at a cosine of 0.8 or "
        "more by all-MiniLM-L6-v2. `input-reduction` succeeds where the answer stays though hardly a word is left."
    )
    yield ""
    if items(run) < ENOUGH:
        yield "So few snippets show that a recipe runs, and not how often it succeeds."
        yield ""
    yield from _given(args)
    yield from _table(rows(run, names, uses(names)))
    yield from ("Not run, or without a number:", "", *not_run(run), *_from_peer(), "")


def _from_peer() -> Iterator[str]:
    """Of TextAttack's recipes those that were not run, by what they want."""
    if not os.environ.get(PYTHON):
        yield f"- {', '.join(FROM_PEER)}: no interpreter with TextAttack was named."
    for wants in sorted(set(WANTS.values())):
        names = [PEER + name for name, own in WANTS.items() if own == wants and PEER + name not in FROM_PEER]
        if names:
            yield f"- {', '.join(names)}: {wants}, not on the machine."


def _given(args: argparse.Namespace) -> Iterator[str]:
    if not args.word_vectors:
        yield (
            "The word vectors are stand-ins: the demonstration model's own table of embeddings in 32 of its "
            "directions, in place of counter-fitted ones. The rows of `textfooler` and `faster-alzantot` say that "
            "these recipes run, not how they do with vectors that know synonyms from opposites."
        )
        yield ""
    if not args.word_model:
        yield (
            "The masked model is a stand-in too: the same table and one layer of random weights. What it fills in "
            "is any word near others, not one that fits; the rows of `bae`, `bert-attack` and `clare`, and the "
            "limit on fluency of `faster-alzantot`, say nothing of what these recipes do with a trained one."
        )
        yield ""
    if args.entailment_model:
        yield (
            "The model of entailment is the small one for NLI of [adv-glue.md](adv-glue.md): read there how often "
            "it errs before believing what it doubts. A last column of 0% says that it doubts every success, which "
            "shows that the check runs, and more of this model than of the recipes."
        )
        yield ""


def _table(lines: Iterator[str]) -> Iterator[str]:
    yield f"| {' | '.join(HEAD)} |"
    yield "|---|---|" + "---:|---|---|" + "---:|" * 4 + "---|"
    yield from lines
    yield ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=130, help="snippets for the three recipes; a full audit takes 100")
    parser.add_argument("--few", type=int, default=40, help="snippets for all recipes")
    parser.add_argument("--word-vectors", type=Path)
    parser.add_argument("--word-model", type=Path)
    parser.add_argument("--entailment-model")
    parser.add_argument("--read", action="store_true", help="write the page again from the last runs under --out")
    args = parser.parse_args()
    lines = list(report(args))
    (RESULTS / "adversarial-recipes.md").write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
