"""Which words this probe looks for, for the reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from probes.core.records import WordList
from probes.explanation.reliance.categories import LISTED, PROFANITY
from probes.text.identity import AXES, table
from probes.text.lexicon import LANGUAGE
from probes.text.offensive import entries
from probes.text.word_lists import axis_words, lexicon_words, names_noticed


def words_looked_for(listed: Sequence[str]) -> Iterator[WordList]:
    """The user's own words, those for groups of people, first names, and offensive words."""
    if listed:
        yield WordList(
            title=LISTED.capitalize(),
            groups={"": tuple(listed)},
            source="listed by the user",
            licence="not stated",
            language=LANGUAGE,
        )
    yield from (axis_words(table(axis)) for axis in AXES)
    yield from names_noticed(["gender"], public_figures=True)
    yield lexicon_words("offensive", PROFANITY.capitalize(), ((entry.kind, entry.word) for entry in entries()))
