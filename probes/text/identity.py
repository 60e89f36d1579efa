"""Words for groups of people, aligned over the groups of an axis, and first names with what statistics say of them.

A file `lexicons/<language>/identity_<axis>.tsv` holds one concept in a row ("Muslims", "Jews", "Hindus" ...), so that a
mention of one group can be put in the words of another. A user's own list has the same form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from probes.core.errors import UsageError, did_you_mean
from probes.text.lexicon import LANGUAGE, rows

AXES: tuple[str, ...] = (
    "gender",
    "race_ethnicity",
    "nationality",
    "religion",
    "age",
    "disability",
    "sexual_orientation",
    "gender_identity",
    "socioeconomic_status",
)
NAMED_AXES = ("gender", "race_ethnicity")
"""Axes that first names tell something about."""
KINDS: Mapping[str, str] = {
    "adjective": "an adjective that speaks of the group wherever it stands (Jewish)",
    "descriptor": "an adjective with other meanings; counts only before a word for a person (blind student, not spot)",
    "person": "a noun phrase for one person, without article (Jew, blind man)",
    "persons": "a noun phrase for several persons (Jews, blind men)",
    "collective": "an adjective used as a plural noun (the poor); counts only where no noun follows",
    "title": "before a name (Mr)",
    "address": "said to a person (sir)",
    "pronoun_subject": "he",
    "pronoun_object": "him",
    "pronoun_possessive": "his, before a noun",
    "pronoun_possessive_alone": "his, without a noun",
    "pronoun_reflexive": "himself",
    "kinship": "a relative, one (mother)",
    "kinships": "relatives, several (mothers)",
    "occupation": "an occupation, office or role (actress, widow)",
    "occupations": "the same, several (actresses)",
    "belief": "a faith or conviction (Islam)",
    "place": "a country, or a place of worship",
    "clergy": "who leads a service (rabbi)",
    "scripture": "a holy book",
}
"""The closed set of kinds, each with what it is."""
ABSENT = "-"
MIXED = "mixed"
_SEPARATOR = "|"


@dataclass(frozen=True, slots=True, kw_only=True)
class TermRow:
    """One concept.

    Attributes:
        kind: a key of `KINDS`.
        forms: group -> interchangeable forms, the usual one first; a group without a counterpart is absent.
    """

    kind: str
    forms: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TermTable:
    """The words of one axis.

    Attributes:
        axis, title: its id ("religion"), and as a reader sees it ("Religion").
        groups: in the order of the file.
        rows: one for each concept.
        provenance, licence, language: of the file.
    """

    axis: str
    title: str
    groups: tuple[str, ...]
    rows: tuple[TermRow, ...]
    provenance: str
    licence: str
    language: str

    def persons(self, group: str) -> tuple[str, ...]:
        """Noun phrases for one person of the group that read naturally after "a" or "an" ("Muslim man").

        Raises:
            UsageError: for an unknown group.
        """
        if group not in self.groups:
            raise UsageError(f"the axis {self.axis} has no group {group!r}", hint=did_you_mean(group, self.groups))
        forms = [form for row in self.rows if row.kind == "person" for form in row.forms.get(group, ())]
        return tuple(dict.fromkeys(forms))


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A first name.

    Attributes:
        text: as written ("Latoya").
        group: the race or ethnicity it is most often found with ("black").
        gender: "female" or "male".
    """

    text: str
    group: str
    gender: str


def table(axis: str, *, language: str = LANGUAGE) -> TermTable:
    """The list of a built-in axis.

    Raises:
        UsageError: for an unknown axis.
    """
    if axis not in AXES:
        raise UsageError(f"there is no identity axis {axis!r}", hint=did_you_mean(axis, AXES))
    return _built_in(axis, language)


@cache
def _built_in(axis: str, language: str) -> TermTable:
    return _read(files("probes.text") / "lexicons" / language / f"identity_{axis}.tsv", language=language)


@cache
def names(axis: str, *, language: str = LANGUAGE) -> tuple[Name, ...]:
    """First names that tell something about the axis: 20 of each group and gender; () for an axis that has none.

    For gender, the group "mixed" holds names that no single race or ethnicity stands out for.
    """
    if axis not in NAMED_AXES:
        return ()
    found = _names("names_first", language)
    return found if axis == "gender" else tuple(name for name in found if name.group != MIXED)


def known_names(*, language: str = LANGUAGE) -> tuple[Name, ...]:
    """Some 3,000 first names of one clear gender: enough to notice that a text names somebody."""
    return _names("names_known", language)


@cache
def _names(name: str, language: str) -> tuple[Name, ...]:
    return tuple(Name(text=text, group=group, gender=gender) for text, group, gender in rows(name, language=language))


def read_terms(path: Path) -> TermTable:
    """A user's own list, in the form of the built-in ones.

    The line "# columns: kind, <group>, <group> ..." is required; "# axis:", "# title:", "# provenance:",
    "# licence:" and "# language:" are optional. Cells are separated by tabs, forms of one cell by "|"; "-" stands
    where a group has no counterpart.

    Raises:
        UsageError: naming the line that cannot be read.
    """
    return _read(path, language=LANGUAGE)


def _read(source: Traversable, *, language: str) -> TermTable:
    lines = _lines(source)
    said = {
        key.strip(): value.strip() for key, _, value in (line[1:].partition(":") for line in lines if line[:1] == "#")
    }
    axis = said.get("axis") or source.name.removesuffix(".tsv").removeprefix("identity_")
    columns = tuple(column.strip() for column in said.get("columns", "").split(","))
    groups = columns[1:]
    if columns[0] != "kind" or len(groups) < 2 or len(set(groups)) < len(groups) or "" in groups:
        raise UsageError(
            f"{source.name} names no groups of its own",
            hint="give it a line '# columns: kind, <group>, <group>' with at least two different groups",
        )
    return TermTable(
        axis=axis,
        title=said.get("title") or axis.replace("_", " ").capitalize(),
        groups=groups,
        rows=tuple(_rows(source.name, lines, groups)),
        provenance=said.get("provenance", f"the user's file {source.name}"),
        licence=said.get("licence", "not stated"),
        language=said.get("language", language),
    )


def _lines(source: Traversable) -> list[str]:
    try:
        return source.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UsageError(
            f"cannot read the term list {source.name}: {reason}", hint="name a tab-separated text file in UTF-8"
        ) from error


def _rows(name: str, lines: Iterable[str], groups: tuple[str, ...]) -> Iterable[TermRow]:
    found = False
    seen: dict[tuple[str, str], str] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.startswith("#"):
            found = True
            yield _row(line, groups, seen, where=f"{name}, line {number}")
    if not found:
        raise UsageError(f"{name} has no rows", hint="add a row: kind, then the words of each group, separated by tabs")


def _row(line: str, groups: tuple[str, ...], seen: dict[tuple[str, str], str], *, where: str) -> TermRow:
    kind, *cells = line.split("\t")
    if kind not in KINDS:
        raise UsageError(f"{where}: unknown kind {kind!r}", hint=did_you_mean(kind, KINDS))
    if len(cells) != len(groups):
        raise UsageError(
            f"{where}: {len(cells)} cells for {len(groups)} groups",
            hint=f"separate the words of the groups by tabs, and write {ABSENT} where a group has none",
        )
    forms = {group: tuple(cell.split(_SEPARATOR)) for group, cell in zip(groups, cells, strict=True) if cell != ABSENT}
    if len(forms) < 2:
        raise UsageError(
            f"{where}: words for fewer than two groups", hint="leave the row out: it can be swapped for none"
        )
    for group, words in forms.items():
        for word in words:
            _check(word, owner=seen.setdefault((kind, word.casefold()), group), group=group, where=where)
    return TermRow(kind=kind, forms=forms)


def _check(word: str, *, owner: str, group: str, where: str) -> None:
    if not any(sign.isalnum() for sign in word) or word != " ".join(word.split()):
        raise UsageError(f"{where}: {word!r} is not a word or phrase", hint="write words without surrounding blanks")
    if owner != group:
        raise UsageError(f"{where}: {word!r} stands for {owner} and {group}", hint="give every word one group")
