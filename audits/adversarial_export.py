"""Successful attacks of a run as files: a sheet on which people judge the texts, and texts to train on.

Everything is read from the run folder; where it was told to keep no texts there is nothing to write.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from audits.stored_text import StoreText
from probes.core.errors import UsageError
from probes.core.records import Evidence
from probes.core.run_folder import RunFolder, write_atomic
from probes.robustness.adversarial.recipe import breaks
from probes.robustness.adversarial.recipes import RECIPES
from probes.text.masking import mask
from reports.load import load
from reports.numbers import plural
from reports.redacted import redacted

PROBE = "robustness.adversarial"
REACHED = "the goal is reached"
COLUMNS = (
    "id", "recipe", "original", "changed", "marked", "right_answer", "answer_before", "answer_after", "note",
    "same_meaning (yes/no)", "label_you_would_give", "reads_naturally (1-5)", "checked_by",
)  # fmt: skip
"""Of the sheet; the last four are for people to fill in."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins with one of these is run as a formula by spreadsheet programs."""
_PIECES = re.compile(r"\s+|\S+")


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        paths: by what they are.
        cases: attacks on the sheet; `rows`: texts to train on.
        notes: what a reader must know of it.
    """

    paths: Mapping[str, Path]
    cases: int
    rows: int
    notes: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """For machines."""
        paths = {name: str(path) for name, path in self.paths.items()}
        return {"files": paths, "cases": self.cases, "rows": self.rows, "notes": list(self.notes)}


def beside(run: Path, what: str) -> Path:
    """Where the files of a run go unless a folder is named: beside it, since a file put into it breaks its seal."""
    folder = run.resolve()
    return folder.with_name(f"{folder.name}-{what}")


def export_adversarial(run: RunFolder, *, out: Path, unmask: bool = False) -> Exported:
    """Write the sheet and the training file of a run into a folder.

    Raises:
        UsageError: for a run without attacks, without successful ones, or that kept no texts; for a folder within one.
        IntegrityError: for a damaged run folder.
    """
    _require_outside(out, run)
    reached = _cases(run, unmask=unmask)
    found = [case for case in reached if _breaks(case)]
    if not found:
        raise UsageError(
            f"no attack in {run.path} broke an answer",
            hint="reductions keep it: there is nothing to check or to train on",
        )
    shown: Callable[[str], str] = str if unmask else mask
    sheet, texts = out / "spot-check.csv", out / "augmentation.jsonl"
    rows = _rows(found, shown)
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(sheet, _sheet(found, shown))
    write_atomic(texts, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode())
    return Exported(
        paths={"Sheet": sheet, "Texts": texts},
        cases=len(found),
        rows=len(rows),
        notes=tuple(_notes(found, rows, reduced=len(reached) - len(found), unmask=unmask)),
    )


def _require_outside(out: Path, run: RunFolder) -> None:
    """Every file of a run stands in its bundle: one more, and it can no longer be verified, judged or gone on with."""
    folder = out.resolve()
    for place in (folder, *folder.parents):
        if place == run.path.resolve() or RunFolder(place).bundle_path.is_file():
            raise UsageError(
                f"{out} lies in the run folder {place}, whose files are sealed",
                hint="name a folder outside it with --out",
            )


def _breaks(case: Evidence) -> bool:
    """Is the answer another one: a text that was only cut down to a word means nothing, and has no right answer."""
    recipe = RECIPES.get(case.slice.get("recipe", ""))
    return recipe is None or breaks(recipe)


def _cases(run: RunFolder, *, unmask: bool) -> list[Evidence]:
    """Each successful attack once, in the order of the items; masked as in the report."""
    loaded = load(run)
    manifest, steps = loaded.manifest, (loaded if unmask else redacted(loaded)).steps
    results = [steps[step.step_id] for step in manifest.steps if step.probe == PROBE and step.step_id in steps]
    if not results:
        raise UsageError(f"{run.path} holds no finished attacks", hint=f"audit with --only {PROBE}")
    cases = [record for result in results for record in result.records if isinstance(record, Evidence)]
    if cases and StoreText(manifest.config.get("store_text", "full")) is not StoreText.FULL:
        raise UsageError(
            f"{run.path} kept no texts, so there are none to write", hint="audit again with --store-text full"
        )
    reached = {(case.example_id, case.slice.get("recipe", "")): case for case in cases if _reached(case)}
    if not reached:
        raise UsageError(f"no attack in {run.path} reached its goal", hint="there is nothing to check or to train on")
    return [reached[key] for key in sorted(reached)]


def _reached(case: Evidence) -> bool:
    return len(case.shown) == 2 and REACHED in case.note


def _sheet(cases: Sequence[Evidence], shown: Callable[[str], str]) -> bytes:
    """CSV with a byte order mark, which spreadsheet programs need to read it as UTF-8."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for case in cases:
        before, after = (shown(" ⏎ ".join(side.texts)) for side in case.shown)
        answers = (case.gold or "", case.shown[0].answer, case.shown[1].answer)
        texts = (before, after, marked(before, after))
        cells = (case.example_id, case.slice.get("recipe", ""), *texts, *answers, shown(case.note))
        writer.writerow([_cell(cell) for cell in cells] + [""] * (len(COLUMNS) - len(cells)))
    return ("\ufeff" + file.getvalue()).encode()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def marked(before: str, after: str) -> str:
    """The changed text with [old -> new] where words differ."""
    one, other = _PIECES.findall(before), _PIECES.findall(after)
    pieces = []
    for kind, a, b, c, d in SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        old, new = "".join(one[a:b]), "".join(other[c:d])
        pieces.append(new if kind == "equal" else f"[{old} -> {new}]")
    return "".join(pieces)


def _rows(cases: Sequence[Evidence], shown: Callable[[str], str]) -> list[dict[str, Any]]:
    """Changed texts with the right answer of the text they were made of; each pair once."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for case in cases:
        if case.gold is None:
            continue
        texts = [shown(text) for text in case.shown[1].texts]
        names = ("text",) if len(texts) == 1 else ("text", "text_pair")
        source = {"source_id": case.example_id, "recipe": case.slice.get("recipe", "")}
        row = dict(zip(names, texts, strict=True)) | {"label": case.gold} | source
        found.setdefault((*texts, case.gold), row)
    return list(found.values())


def _notes(cases: Sequence[Evidence], rows: Sequence[Any], *, reduced: int, unmask: bool) -> list[str]:
    unlabelled = sum(case.gold is None for case in cases)
    notes = ["The labels to train on hold only where a change left the meaning as it was: check the sheet first."]
    if unlabelled:
        notes.append(f"{unlabelled} of {len(cases)} attacked texts have no right answer: none to train on.")
    if twice := len(cases) - unlabelled - len(rows):
        notes.append(f"{plural(twice, 'text')} that several recipes came to: once among those to train on.")
    if reduced:
        notes.append(f"{plural(reduced, 'text')} cut down to a word left out: no answer is broken there.")
    if not unmask:
        notes.append(
            "Offensive words and personal data are masked as in the report. To train on, write them with --unmask: "
            "a model learns nothing from asterisks that nobody types."
        )
    return notes
