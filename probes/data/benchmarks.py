"""Benchmarks of stereotypes in a folder, in the columns their authors or the Hub give them: `load_benchmarks`.

Files are known by their columns, whatever they are called and in whatever folder they lie.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from probes.core.errors import DataError, UsageError
from probes.core.prompts import Prompt
from probes.core.question_cases import QuestionCase
from probes.core.stereotype_cases import Association, SentencePair
from probes.data import bbq, prompt_benchmarks
from probes.data.decoding import unreadable
from probes.data.sources import is_data_file, read_file
from probes.data.table import Table, shown, writable

PUBLISHED: Mapping[str, int] = {
    "crows_pairs": 1508, "stereoset": 4229, "wino_bias": 1584, "winogender": 60, "bbq": bbq.PUBLISHED,
    **prompt_benchmarks.PUBLISHED,
}  # fmt: skip
"""Cases of the published benchmarks: pairs, both tasks of the development set, pairs, occupations, questions, prompts.
"""
WOMEN = frozenset({"she", "her", "hers", "herself"})
MEN = frozenset({"he", "him", "his", "himself"})

Row = Mapping[str, object]
Case = TypeVar("Case", SentencePair, Association, QuestionCase)


@dataclass(frozen=True, slots=True)
class Benchmarks:
    """What was found, each in the order of its files.

    Attributes:
        notes: name of the benchmark -> sentences a reader must know.
    """

    crows_pairs: tuple[SentencePair, ...] = ()
    wino_bias: tuple[SentencePair, ...] = ()
    winogender: tuple[SentencePair, ...] = ()
    stereoset: tuple[Association, ...] = ()
    bbq: tuple[QuestionCase, ...] = ()
    real_toxicity_prompts: tuple[Prompt, ...] = ()
    bold: tuple[Prompt, ...] = ()
    honest: tuple[Prompt, ...] = ()
    hurtlex: frozenset[str] = frozenset()
    notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        pairs = (self.crows_pairs, self.wino_bias, self.winogender, self.stereoset, self.bbq)
        return any((*pairs, *self.prompts.values()))

    @property
    def prompts(self) -> Mapping[str, tuple[Prompt, ...]]:
        """Name of the benchmark -> beginnings of texts."""
        return {"real_toxicity_prompts": self.real_toxicity_prompts, "bold": self.bold, "honest": self.honest}


def load_benchmarks(folder: Path) -> Benchmarks:
    """Read every benchmark that is in a folder or in the folders below it.

    Raises:
        UsageError: for a folder that does not exist or holds none of the benchmarks.
        DataError: for a file that has the columns of a benchmark but not its values.
    """
    if not folder.is_dir():
        raise UsageError(f"no such folder: {str(folder)!r}", hint="--benchmarks takes a folder with benchmark files")
    rows: dict[str, list[Row]] = defaultdict(list)
    for path in _files(folder):
        table = read_file(path)
        name = next((name for name, columns in SCHEMAS.items() if set(columns) <= set(table.names)), None)
        if name is not None:
            rows[name] += _rows(table, SCHEMAS[name], where=writable(str(path.relative_to(folder))))
    found = Benchmarks(
        crows_pairs=_numbered(_crows_pair(row) for row in rows["crows_pairs"]),
        wino_bias=_numbered(_wino_bias(rows["wino_bias"])),
        winogender=_numbered(_winogender(rows["winogender"], rows["occupations"])),
        stereoset=_numbered(_association(row) for row in rows["stereoset"]),
        bbq=_numbered(bbq.cases(rows["bbq"], rows["bbq_targets"])),
        real_toxicity_prompts=tuple(prompt_benchmarks.real_toxicity_prompts(rows["real_toxicity_prompts"])),
        bold=tuple(prompt_benchmarks.bold(rows["bold"])),
        honest=tuple(prompt_benchmarks.honest(rows["honest"])),
        hurtlex=prompt_benchmarks.hurtlex(rows["hurtlex"]),
    )
    if not found:
        raise UsageError(
            f"none of the files in {folder} has the columns of a benchmark",
            hint=f"put files of {', '.join(PUBLISHED)} there, as published or as on the Hub",
        )
    return replace(found, notes=_notes(found))


SCHEMAS: Mapping[str, tuple[str, ...]] = {
    "crows_pairs": ("sent_more", "sent_less", "stereo_antistereo", "bias_type"),
    "stereoset": ("target", "bias_type", "context", "sentences"),
    "wino_bias": ("id", "sentence", "first_span", "second_span", "config"),
    "winogender": ("sentid", "sentence"),
    "occupations": ("occupation", "bls_pct_female"),
    **bbq.SCHEMAS,
    **prompt_benchmarks.SCHEMAS,
}


def _files(folder: Path, *, depth: int = 3) -> Iterator[Path]:
    """Data files in a folder and those below it; links are followed, so the depth is limited."""
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise unreadable(folder, error) from None
    for path in entries:
        if path.is_dir() and depth > 1:
            yield from _files(path, depth=depth - 1)
        elif path.is_file() and is_data_file(path):
            yield path


def _rows(table: Table, columns: Sequence[str], *, where: str) -> list[Row]:
    more = [name for name in ("anon_writer", *bbq.OPTIONAL) if name in table.names]
    values = {name: table.values(name) for name in (*columns, *more)}
    classes = {name: table.classes[name] for name in values if name in table.classes}
    return [
        {"": f"{where}, row {at}"}
        | {name: _named(column[at - 1], classes.get(name)) for name, column in values.items()}
        for at in range(1, table.rows + 1)
    ]


def _named(value: object, classes: Sequence[str] | None) -> object:
    return classes[value] if classes and isinstance(value, int) and 0 <= value < len(classes) else value


def _cell(row: Row, name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value.strip():
        raise _wrong(row, f"{name} is {shown([value])} and no text")
    return writable(value)


def _wrong(row: Row, what: str) -> DataError:
    return DataError(f"{row['']}: {what}", hint="pass the files as published, or as on the Hub")


def _numbered(cases: Iterator[Case]) -> tuple[Case, ...]:
    """The cases in their order; those that repeat another one are numbered."""
    seen: Counter[str] = Counter()
    found = []
    for case in cases:
        found.append(replace(case, copy=seen[case.id]))
        seen[case.id] += 1
    return tuple(found)


def _crows_pair(row: Row) -> SentencePair:
    direction = _cell(row, "stereo_antistereo")
    if direction not in ("stereo", "antistereo"):
        raise _wrong(row, f"stereo_antistereo is {shown([direction])}")
    more = _cell(row, "sent_more")
    writer = row.get("anon_writer")
    return SentencePair(
        more=more,
        less=_cell(row, "sent_less"),
        parts=(("category", _cell(row, "bias_type")), ("direction", direction)),
        cluster=str(writer) if writer else more,
    )


GOLD = ("anti-stereotype", "stereotype", "unrelated")
"""The labels of StereoSet in the order of the Hub's numbers."""


def _association(row: Row) -> Association:
    sentences = row["sentences"]
    if isinstance(sentences, Sequence) and not isinstance(sentences, str):  # one object for each sentence
        texts, golds = [each["sentence"] for each in sentences], [each["gold_label"] for each in sentences]
    elif isinstance(sentences, Mapping):
        texts, golds = list(sentences["sentence"]), list(sentences["gold_label"])
    else:
        raise _wrong(row, "sentences holds no sentences")
    names = [GOLD[gold] if gold in range(len(GOLD)) else str(gold) for gold in golds]
    if sorted(names) != sorted(GOLD) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise _wrong(row, f"gold_label is {shown(golds)}")
    by_name = dict(zip(names, map(writable, texts), strict=True))
    return Association(
        context=_cell(row, "context"),
        stereotype=by_name["stereotype"],
        anti=by_name["anti-stereotype"],
        unrelated=by_name["unrelated"],
        target=_cell(row, "target"),
        category=_cell(row, "bias_type"),
    )


def _wino_bias(rows: Sequence[Row]) -> Iterator[SentencePair]:
    """Sentences of one file with equal ids and types differ in the gender of the pronoun alone."""
    filed: dict[tuple[str, object, str], dict[str, Row]] = defaultdict(dict)
    for row in rows:
        kind, _, side = _cell(row, "config").partition("_")
        filed[str(row[""]).partition(",")[0], row["id"], kind][side] = row
    for (_, _, kind), sides in filed.items():
        if sides.keys() != {"pro", "anti"}:
            row = next(iter(sides.values()))
            raise _wrong(row, f"the sentence with id {row['id']} has no counterpart")
        pro, anti = sides["pro"], sides["anti"]
        occupation = " ".join(_cell(pro, "first_span").lower().split()).removeprefix("the ").removeprefix("a ")
        gender = _gender(_cell(pro, "second_span"), pro)
        yield SentencePair(
            more=_cell(pro, "sentence"),
            less=_cell(anti, "sentence"),
            parts=(("type", kind.removeprefix("type")), ("stereotype", gender)),
            cluster=occupation,
        )


def _gender(pronoun: str, row: Row) -> str:
    word = pronoun.lower().strip(" .,;")
    if word in WOMEN | MEN:
        return "female" if word in WOMEN else "male"
    raise _wrong(row, f"second_span is {shown([pronoun])} and no pronoun")


def _winogender(rows: Sequence[Row], occupations: Sequence[Row]) -> Iterator[SentencePair]:
    """Sentences whose pronoun stands for the occupation; the stereotype is the gender of most who work in it."""
    shares = {_cell(row, "occupation").lower(): _number(row, "bls_pct_female") for row in occupations}
    filed: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for row in rows:
        occupation, participant, answer, gender, *_ = [*_cell(row, "sentid").split("."), "", "", "", ""]
        if answer == "0":
            filed[occupation, participant][gender] = _cell(row, "sentence")
    for (occupation, _), sentences in filed.items():
        share = shares.get(occupation.lower())
        if share is None or share == 50 or not {"male", "female"} <= sentences.keys():
            continue
        usual, other = ("female", "male") if share > 50 else ("male", "female")
        yield SentencePair(
            more=sentences[usual], less=sentences[other], parts=(("stereotype", usual),), cluster=occupation
        )


def _number(row: Row, name: str) -> float:
    try:
        return float(str(row[name]))
    except ValueError:
        raise _wrong(row, f"{name} is {shown([row[name]])} and no number") from None


def _notes(found: Benchmarks) -> Mapping[str, tuple[str, ...]]:
    counts = {
        **{name: len(prompts) for name, prompts in found.prompts.items()},
        "crows_pairs": len(found.crows_pairs),
        "stereoset": len(found.stereoset),
        "wino_bias": len(found.wino_bias),
        "winogender": len({pair.cluster for pair in found.winogender}),
        "bbq": len(found.bbq),
    }
    return {
        name: (
            f"The published benchmark has {PUBLISHED[name]:,} cases, these files {count:,}; "
            "numbers from them are not comparable with published ones.",
        )
        for name, count in counts.items()
        if count and count != PUBLISHED[name]
    }
