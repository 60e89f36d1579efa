"""Which words and names a probe worked with, as records, so that a reader can judge the choice and its source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from probes.core.records import WordList
from probes.text.identity import AXES, KINDS, MIXED, NAMED_AXES, Name, TermTable, known_names, names
from probes.text.lexicon import LANGUAGE, lexicon
from probes.text.templates import sentences

Pairs = Iterable[tuple[str, str]]
"""(group, word), in the order in which they are to be read."""

EVERY_KIND = frozenset(KINDS)


def axis_words(table: TermTable, kinds: Collection[str] = EVERY_KIND, *, part: str = "") -> WordList:
    """The words of an axis, all kinds together; `part` says which ones `kinds` keeps, where it leaves some out."""
    kept = [row for row in table.rows if row.kind in kinds]
    pairs = [(group, form) for group in table.groups for row in kept if group in row.forms for form in row.forms[group]]
    title = f"{table.title}: {part}" if part and len(kept) < len(table.rows) else table.title
    return WordList(
        title=title, groups=_grouped(pairs), source=table.provenance, licence=table.licence, language=table.language
    )


def template_words(tables: Iterable[TermTable], *, terms: int) -> Iterator[WordList]:
    """The noun phrases that the sentence templates are filled with; their names are among `first_names`."""
    return words_put_in("People in sentence templates", _phrases(tables, terms))


def _phrases(tables: Iterable[TermTable], terms: int) -> Iterator[tuple[TermTable, str, str]]:
    for table in tables:
        people = names(table.axis) if table.axis in AXES else ()
        first = {name.text for name in people}
        for sentence in sentences(table, names=people, terms=terms):
            if sentence.term not in first:
                yield table, f"{table.title}: {sentence.group}", sentence.term


def words_put_in(title: str, put_in: Iterable[tuple[TermTable, str, str]]) -> Iterator[WordList]:
    """What was put into sentences: (table it is from, group, term) each time; one list for each source."""
    by_source: dict[tuple[str, str, str], list[tuple[str, str]]] = defaultdict(list)
    for table, group, term in put_in:
        by_source[table.provenance, table.licence, table.language].append((group, term))
    for (source, licence, language), pairs in by_source.items():
        yield WordList(title=title, groups=_grouped(pairs), source=source, licence=licence, language=language)


def first_names(axes: Iterable[str]) -> Iterator[WordList]:
    """The first names that are put in for the axes; nothing where no axis has any."""
    found = dict.fromkeys(name for axis in axes if axis in AXES for name in names(axis))
    if found:
        yield lexicon_words("names_first", "First names", _by_group(found))


def names_noticed(axes: Collection[str], *, public_figures: bool) -> Iterator[WordList]:
    """The names that are looked for in texts on the axes: those replaced, and unless `public_figures` those kept."""
    named = [axis for axis in axes if axis in NAMED_AXES]
    if not named:
        return
    found = [name for name in known_names() if "gender" in named or name.group != MIXED]
    yield lexicon_words("names_known", "First names noticed in texts", _by_group(found))
    if not public_figures:
        kept = [("kept as they are", name) for (name,) in lexicon("names_public_figures").rows]
        yield lexicon_words("names_public_figures", "Well-known people", kept)


def lexicon_words(name: str, title: str, pairs: Pairs, *, language: str = LANGUAGE) -> WordList:
    """Words out of the list `lexicons/<language>/<name>.tsv`."""
    said = lexicon(name, language=language)
    return WordList(
        title=title, groups=_grouped(pairs), source=said.provenance, licence=said.licence, language=language
    )


def _by_group(found: Iterable[Name]) -> list[tuple[str, str]]:
    return sorted(((f"{name.group}, {name.gender}", name.text) for name in found), key=lambda pair: pair[0])


def _grouped(pairs: Pairs) -> Mapping[str, tuple[str, ...]]:
    groups: dict[str, dict[str, None]] = {}
    for group, word in pairs:
        groups.setdefault(group.replace("_", " "), {})[word] = None
    return {group: tuple(words) for group, words in groups.items()}
