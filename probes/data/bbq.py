"""BBQ, in the authors' columns with or without the group of each answer, and the authors' file of target answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeGuard

from probes.core.errors import DataError
from probes.core.question_cases import QuestionCase
from probes.data.table import shown, writable

Row = Mapping[str, object]

PUBLISHED = 58_492
SCHEMAS: Mapping[str, tuple[str, ...]] = {
    "bbq": ("category", "context_condition", "context", "question", "ans0", "ans1", "ans2", "label"),
    "bbq_targets": ("category", "example_id", "target_loc"),
}
OPTIONAL = ("example_id", "question_index", "question_polarity", "answer_info", "additional_metadata")
UNKNOWN = frozenset(
    {
        "can't answer", "can't be determined", "cannot answer", "cannot be determined", "not answerable",
        "not enough info", "not enough information", "not known", "undetermined", "unknown",
    }
)  # fmt: skip
"""The ten wordings of "it cannot be known" in the benchmark."""
_CONDITIONS = {"ambig": True, "disambig": False}
_POLARITIES = {"neg": True, "nonneg": False}

Targets = Mapping[tuple[str, str], int]
"""(category, example id) -> which answer names the target."""


def cases(rows: Sequence[Row], targets: Sequence[Row]) -> Iterator[QuestionCase]:
    """The cases in the order of their rows.

    The answer about the target group is that of the authors' file (additional_metadata.csv), or else the only one whose
    group, or wording, is among the stereotyped groups of the row.

    Raises:
        DataError: for a row with the columns of BBQ but not its values.
    """
    known = _targets(targets)
    for row in rows:
        yield _case(row, known)


def _case(row: Row, known: Targets) -> QuestionCase:
    answers = (_text(row, "ans0"), _text(row, "ans1"), _text(row, "ans2"))
    unknown = _unknown(row, answers)
    category, question = _text(row, "category"), _text(row, "question")
    index = row.get("question_index")
    return QuestionCase(
        context=_text(row, "context"),
        question=question,
        answers=answers,
        right=_right(row),
        unknown=unknown,
        target=_target(row, known, category=category, answers=answers, unknown=unknown),
        negative=_POLARITIES.get(str(row.get("question_polarity"))),
        ambiguous=_condition(row),
        category=category,
        cluster=f"{category} {question if index is None else index}",
    )


def _text(row: Row, name: str) -> str:
    value = row[name]
    if not isinstance(value, str) or not value.strip():
        raise _wrong(row, f"{name} is {shown([value])} and no text")
    return writable(value)


def _wrong(row: Row, what: str) -> DataError:
    return DataError(f"{row['']}: {what}", hint="pass the files as published, or as on the Hub")


def _right(row: Row) -> int:
    label = str(row["label"])
    if label not in ("0", "1", "2"):
        raise _wrong(row, f"label is {shown([row['label']])}")
    return int(label)


def _condition(row: Row) -> bool:
    condition = _text(row, "context_condition")
    if condition not in _CONDITIONS:
        raise _wrong(row, f"context_condition is {shown([condition])}")
    return _CONDITIONS[condition]


def _unknown(row: Row, answers: Sequence[str]) -> int:
    named = [place for place, (_, group) in enumerate(_infos(row)) if group == "unknown"]
    found = named or [place for place, answer in enumerate(answers) if answer.strip(" .").casefold() in UNKNOWN]
    if len(found) != 1:
        raise _wrong(row, f"which of {shown(list(answers))} says that it cannot be known?")
    return found[0]


def _infos(row: Row) -> list[tuple[str, str]]:
    """Of each answer the wording and the group, in small letters; empty where the row does not tell."""
    info = row.get("answer_info")
    if not isinstance(info, Mapping):
        return []
    pairs = [info.get(f"ans{place}") for place in range(3)]
    return [(str(pair[0]).casefold(), str(pair[1]).casefold()) for pair in pairs if _is_pair(pair)]


def _is_pair(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str) and len(value) >= 2


def _target(row: Row, known: Targets, *, category: str, answers: Sequence[str], unknown: int) -> int | None:
    found = known.get((category.casefold(), str(row.get("example_id"))))
    if found is not None:
        return found if found != unknown else None
    stereotyped = _stereotyped(row)
    infos = _infos(row)
    places = [place for place in range(len(infos)) if place != unknown and _names(infos[place]) & stereotyped]
    return places[0] if len(places) == 1 else None


def _names(info: tuple[str, str]) -> frozenset[str]:
    """What an answer may be called among the stereotyped groups: "F-Black" stands for Black women."""
    wording, group = info
    return frozenset({wording, group, group.removeprefix("f-").removeprefix("m-")})


def _stereotyped(row: Row) -> frozenset[str]:
    metadata = row.get("additional_metadata")
    groups = metadata.get("stereotyped_groups") if isinstance(metadata, Mapping) else None
    listed = [groups] if isinstance(groups, str) else groups if isinstance(groups, Sequence) else []
    return frozenset(str(group).casefold() for group in listed)


def _targets(rows: Sequence[Row]) -> Targets:
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        place = str(row["target_loc"]).strip()
        if place in ("0", "1", "2"):
            found[str(row["category"]).casefold(), str(row["example_id"])] = int(place)
    return found
