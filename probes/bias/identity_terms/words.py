"""The words this probe looks for in texts, and those it puts into its own sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from probes.bias.identity_terms.mentions import COLLECTIVE, DESCRIPTOR, PLAIN
from probes.bias.identity_terms.sentences import identity_sentences
from probes.core.records import WordList
from probes.text.identity import TermTable, table
from probes.text.word_lists import axis_words, words_put_in

NAMING = PLAIN | {DESCRIPTOR, COLLECTIVE}


def words_used(groups: Mapping[str, Sequence[str]], *, in_texts: bool) -> Iterator[WordList]:
    """`groups` are those of the sentences by axis; the words of all groups are looked for where there are texts."""
    tables = [table(axis) for axis in groups]
    if in_texts:
        for each in tables:
            yield axis_words(each, NAMING, part="words that name a group")
    yield from words_put_in("People in identity sentences", _put_in(tables, groups))


def _put_in(tables: Sequence[TermTable], groups: Mapping[str, Sequence[str]]) -> Iterator[tuple[TermTable, str, str]]:
    by_axis = {each.axis: each for each in tables}
    made = identity_sentences([(each, group) for each in tables for group in groups[each.axis]])
    for sentence in made:
        if sentence.group is None:
            yield tables[0], "no group", sentence.term
        else:
            axis, group = sentence.group
            yield by_axis[axis], f"{by_axis[axis].title}: {group}", sentence.term
