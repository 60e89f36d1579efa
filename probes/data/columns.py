"""Which column holds what: as the user says, or by its name when only one reading is possible."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from probes.core.answers import WRITING_HEADS, ProblemType
from probes.core.errors import DataError, UsageError, did_you_mean
from probes.core.model import ModelCard
from probes.data.prompts import CONVERSATIONS, INPUTS, INSTRUCTIONS, NAMED_REFERENCES, PROMPTS, REFERENCES
from probes.data.squad import ANSWERS, CONTEXTS, QUESTIONS
from probes.data.table import Table, shown

TEXTS = (
    "text", "sentence", "content", "tweet", "comment", "review", "question", "commenttext", "tweettext", "reviewtext",
    "reviewbody", "utterance", "message", "document", "body", "post", "headline", "query", "input", "inputs",
)  # fmt: skip
PAIRS = (
    ("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2"), ("question", "sentence"),
    ("question", "passage"), ("question", "context"), ("text", "textb"), ("texta", "textb"), ("text1", "text2"),
    ("query", "passage"), ("query", "document"),
)  # fmt: skip
WORDS = ("tokens", "words")
"""Lists of words, for models that label each of them."""
TAGS = ("nertags", "tags", "ner", "nerlabels", "label", "labels", "gold", "target")
LABELS = (
    "label", "labels", "gold", "goldlabel", "labelgold", "target", "class", "coarselabel", "finelabel", "sentiment",
)  # fmt: skip
SCORES = ("label", "labels", "score", "rating", "target", "gold", "similarity", "similarityscore", "stars")
_LABEL_NAMES = {
    ProblemType.REGRESSION: SCORES,
    ProblemType.TOKEN: TAGS,
    ProblemType.SPAN: ANSWERS,
    ProblemType.CAUSAL_LM: REFERENCES,
    ProblemType.SEQ2SEQ_LM: (*REFERENCES, *NAMED_REFERENCES),
}
_LABEL_LIKE = re.compile(
    r"label|class|categor|target|sentiment|rating|score|stars|polarity|emotion|intent|topic|toxic|hate|answer|gold"
)


@dataclass(frozen=True)
class Columns:
    """Columns as the user names them; empty or None means: find it by its name.

    Attributes:
        text: one column, or two for a model that reads pairs; of a model that writes, the prompt.
        label: the column with the right answers; of a model that writes, with the texts that it should write.
        groups: columns whose values divide the items into groups to be compared.
        cluster: a column whose equal values mark items that are not independent (one author, one conversation).
        may_lack: the named columns of labels, groups and clusters need not be there, as in data of another kind.
    """

    text: tuple[str, ...] = ()
    label: str | None = None
    groups: tuple[str, ...] = ()
    cluster: str | None = None
    may_lack: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Columns that exist, by what they are for.

    Attributes:
        labels: none, one column, or one 0/1 column for each label of a multi-label model in the model's order.
        label_names: a column that spells out what the numbers of the label column mean.
        conversation: the text column holds conversations, whose last replies are the right answers.
        one_prompt: the text columns are parts of one prompt, and not a pair.
    """

    text: tuple[str, ...]
    labels: tuple[str, ...] = ()
    label_names: str | None = None
    groups: tuple[str, ...] = ()
    cluster: str | None = None
    conversation: bool = False
    one_prompt: bool = False
    notes: tuple[str, ...] = ()


def assign(table: Table, columns: Columns, *, card: ModelCard, where: str) -> Roles:
    """Decide what each column is for.

    Raises:
        UsageError: for a named column that is not there, is used twice, or is of labels that the model has not.
        DataError: when nothing or more than one thing could be the text or the label.
    """
    absent = _absent(columns, table) if columns.may_lack else {}
    lacking = columns.label in absent
    columns = replace(
        columns,
        label=None if lacking else columns.label,
        groups=tuple(name for name in columns.groups if name not in absent),
        cluster=None if columns.cluster in absent else columns.cluster,
    )
    _check(columns, table, where)
    other = (*columns.groups, *([columns.cluster] if columns.cluster else []))
    named: tuple[str, ...] | None = () if lacking else (columns.label,) if columns.label else None
    labels = _labels(table, (*columns.text, *other), card, where) if named is None else named
    if labels and card.problem is ProblemType.MASKED_LM:
        raise UsageError("a masked language model has no labels to compare with", hint="leave out --label-column")
    text = columns.text or _text(table, (*labels, *other), card, where, answered=bool(labels))
    rest = [name for name in table.names if name not in (*text, *labels, *columns.groups, columns.cluster)]
    notes = () if labels or lacking else _no_label_notes(rest, card)
    notes = (*notes, *(f"There is no column {name!r}: {follows}." for name, follows in absent.items()))
    if card.problem is ProblemType.TOKEN and len(text) > 1:
        raise UsageError("a tagger reads one text, not a pair", hint="name one column of words with --text-column")
    if card.problem is ProblemType.SPAN and len(text) < 2:
        raise UsageError(
            "a model that answers questions reads a question and its context",
            hint="give --text-column twice: the column of questions, then that of contexts",
        )
    if not columns.text and not _is_known(text, card):
        notes = (f"The texts are taken from the only column that can hold them: {text[0]!r}.", *notes)
    return Roles(
        text=text,
        labels=labels,
        label_names=_spelled_out(table, labels),
        groups=tuple(dict.fromkeys(columns.groups)),
        cluster=columns.cluster,
        conversation=card.problem in WRITING_HEADS and _is_conversation(table, text),
        one_prompt=len(text) > 1 and _is_one_prompt(text, card, answered=bool(labels)),
        notes=notes,
    )


def _absent(columns: Columns, table: Table) -> dict[str, str]:
    """Name of a column that is not there -> what follows; what stands for the texts is not asked about."""
    follows: dict[str | None, str] = {
        **dict.fromkeys(columns.groups, "its groups cannot be compared here"),
        columns.cluster: "different texts count as independent here",
        columns.label: "nothing that needs the right answers can be measured",
    }
    return {name: what for name, what in follows.items() if name is not None and name not in table.names}


def _check(columns: Columns, table: Table, where: str) -> None:
    for name in (*columns.text, columns.label, *columns.groups, columns.cluster):
        if name is not None and name not in table.names:
            raise UsageError(f"{where} has no column {name!r}", hint=did_you_mean(name, table.names))
    if len(columns.text) > 2:
        raise UsageError("more than two text columns named", hint="give --text-column once, or twice for pairs")
    if len(set(columns.text)) < len(columns.text) or columns.label in columns.text:
        raise UsageError(f"column {columns.text[0]!r} is named twice", hint="name a different column for each use")


def _key(name: str) -> str:
    return re.sub(r"[\W_]+", "", name.casefold())


def _by_key(names: Iterable[str]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_key(name), []).append(name)
    return found


def _text(table: Table, taken: Sequence[str], card: ModelCard, where: str, *, answered: bool) -> tuple[str, ...]:
    free = [name for name in table.names if name not in taken]
    known = _by_key(free)
    if card.problem in WRITING_HEADS and (prompt := _prompt(known, card, answered=answered)):
        return prompt
    if card.problem is ProblemType.TOKEN:
        words = [name for key in WORDS for name in known.get(key, ())]
        if len(words) == 1:
            return (words[0],)
    if card.problem is ProblemType.SPAN:
        return _question_and_context(known, table, where)
    readings: list[tuple[str, ...]] = [
        (first, second) for a, b in PAIRS for first in known.get(a, ()) for second in known.get(b, ())
    ]
    paired = {name for pair in readings for name in pair}
    readings += [(name,) for key in TEXTS for name in known.get(key, ()) if name not in paired]
    if not readings and len(free) == 1:
        return (free[0],)
    if len(readings) == 1:
        return readings[0]
    found = "; ".join(" + ".join(reading) for reading in readings)
    raise DataError(
        f"{where}: {f'the text could be {found}' if readings else 'no column is recognised as the text'}"
        f" (columns: {shown(table.names)})",
        hint="name it with --text-column (twice for pairs); the first row of a CSV must hold the column names",
    )


def _prompt(known: Mapping[str, list[str]], card: ModelCard, *, answered: bool) -> tuple[str, ...]:
    """The columns of a prompt; none where they are not recognised, or look like a plain corpus to be read."""

    def first(keys: Sequence[str]) -> tuple[str, ...]:
        return next(((known[key][0],) for key in keys if len(known.get(key, ())) == 1), ())

    if not answered and (talk := first(CONVERSATIONS)):
        return talk
    if instruction := first(INSTRUCTIONS):
        return *instruction, *first(INPUTS)
    if answered and (question := first(QUESTIONS)) and (context := first(CONTEXTS)):
        return *question, *context
    anything = answered or card.problem is ProblemType.SEQ2SEQ_LM
    return first(PROMPTS if anything else PROMPTS[:2])


def _is_one_prompt(text: Sequence[str], card: ModelCard, *, answered: bool) -> bool:
    """A causal model without references may be asked how likely the second text of a pair is, given the first."""
    if card.problem is ProblemType.CAUSAL_LM:
        return answered or _key(text[0]) in INSTRUCTIONS
    return card.problem is ProblemType.SEQ2SEQ_LM


def _is_conversation(table: Table, text: Sequence[str]) -> bool:
    """Does the only column hold lists of messages: most of its cells, so that a spoilt one costs no other."""
    cells = [value for value in table.values(text[0]) if value is not None] if len(text) == 1 else []
    return 2 * sum(isinstance(value, list) for value in cells) > len(cells)


def _question_and_context(known: Mapping[str, list[str]], table: Table, where: str) -> tuple[str, ...]:
    questions, contexts = ([name for key in keys for name in known.get(key, ())] for keys in (QUESTIONS, CONTEXTS))
    if len(questions) == len(contexts) == 1:
        return questions[0], contexts[0]
    raise DataError(
        f"{where}: which columns hold the question and its context is not clear (columns: {shown(table.names)})",
        hint="name them with --text-column QUESTION --text-column CONTEXT",
    )


def beside(table: Table, keys: Sequence[str]) -> str | None:
    """The column with one of these names, however it is written, if there is just one."""
    found = [name for name in table.names if _key(name) in keys]
    return found[0] if len(found) == 1 else None


def _is_known(text: Sequence[str], card: ModelCard) -> bool:
    prompts = (*PROMPTS, *INSTRUCTIONS, *CONVERSATIONS) if card.problem in WRITING_HEADS else ()
    return len(text) == 2 or _key(text[0]) in (*TEXTS, *WORDS, *prompts)


def _labels(table: Table, taken: Sequence[str], card: ModelCard, where: str) -> tuple[str, ...]:
    if card.problem is ProblemType.MASKED_LM:
        return ()
    known = _by_key(name for name in table.names if name not in taken)
    if any(key in known for key in CONVERSATIONS) and card.problem in WRITING_HEADS:
        return ()
    names = _LABEL_NAMES.get(card.problem, LABELS)
    readings: list[tuple[str, ...]] = [(name,) for key in names for name in known.get(key, ())]
    readings += _indicator_columns(known, card)
    if card.problem in WRITING_HEADS:
        readings = [names for names in readings if _key(names[0]) in REFERENCES or _holds_words(table, names[0])]
    if len(readings) > 1:
        found = "; ".join(" + ".join(reading) for reading in readings)
        raise DataError(f"{where}: the label could be {found}", hint="name it with --label-column")
    return readings[0] if readings else ()


def _holds_words(table: Table, name: str) -> bool:
    """Are there texts in the column that are no numbers: numbers of classes are nothing that a model writes."""
    return name in table.classes or any(
        isinstance(value, list) or (isinstance(value, str) and re.search(r"[^\W\d]", value))
        for value in table.values(name)
    )


def _indicator_columns(known: Mapping[str, list[str]], card: ModelCard) -> list[tuple[str, ...]]:
    if card.problem is not ProblemType.MULTI_LABEL:
        return []
    found = [known.get(_key(label), []) for label in card.labels]
    return [tuple(names[0] for names in found)] if all(len(names) == 1 for names in found) else []


def _no_label_notes(rest: Sequence[str], card: ModelCard) -> tuple[str, ...]:
    owned = {_key(label) for label in card.labels}
    likely = [name for name in rest if _LABEL_LIKE.search(name.casefold()) or _key(name) in owned]
    if card.problem in WRITING_HEADS:
        note = f"If {shown(likely)} holds what the model should write, name it with --label-column."
        return (note,) if likely else ()
    if card.problem is ProblemType.MASKED_LM:
        return ()
    note = "No label column: nothing that needs the right answers can be measured."
    return (f"{note} If {shown(likely)} holds labels, name it with --label-column." if likely else note,)


def _spelled_out(table: Table, labels: Sequence[str]) -> str | None:
    if len(labels) != 1 or labels[0] in table.classes:
        return None
    companions = {_key(labels[0]) + ending for ending in ("text", "name", "names")}
    found = [name for name in table.names if _key(name) in companions]
    return found[0] if len(found) == 1 else None
