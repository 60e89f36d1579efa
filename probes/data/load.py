"""Audit data as examples the model can be asked: `load_data`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from probes.core.answers import WRITING_HEADS, ProblemType
from probes.core.errors import DataError, UsageError
from probes.core.examples import DataCard, Example, data_fingerprint
from probes.core.model import ModelCard
from probes.data.cells import Golds
from probes.data.columns import Columns, Roles, assign, beside
from probes.data.labels import read_golds
from probes.data.prompts import conversations, joined, read_references, with_material
from probes.data.rows import Built, build, text_columns
from probes.data.sources import open_source
from probes.data.splits import split_notes
from probes.data.squad import TITLES, clusters_of
from probes.data.table import Opened, Table, writable

__all__ = ["Columns", "Loaded", "load_data"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """Examples in file order, and the card that describes them."""

    examples: tuple[Example, ...]
    card: DataCard


def load_data(
    source: str,
    *,
    card: ModelCard,
    columns: Columns = Columns(),  # noqa: B008 - frozen
    split: str | None = None,
    revision: str | None = None,
    label_map: Mapping[str, str] | None = None,
) -> Loaded:
    """Read audit data and put its labels into the model's own terms.

    Nothing is left out silently: `card.rows_read == card.n + sum(card.rows_dropped.values())`.

    Args:
        source: a file (CSV, TSV, JSON, JSON lines, Parquet, CoNLL, SQuAD; text formats also gzipped), a folder with one
            file per split, a `save_to_disk` folder, or a Hub id "owner/name[/configuration]"; ":split" may follow.
        card: the model, for its label names and problem type.
        columns: columns by use, where their names do not say it.
        split: which split; by default test, otherwise validation, otherwise the only one.
        revision: branch, tag or commit of a Hub data set.
        label_map: data value -> model label name, or "-" to leave those rows out.

    Raises:
        UsageError: for a path, split or column that does not exist.
        DataError: for data that cannot be read or does not fit the model.
    """
    opened = open_source(source, split=split, revision=revision)
    where, table = writable(opened.name), opened.table
    if not table.rows:
        raise DataError(f"{where} has no rows", hint="pass data with at least one item")
    roles = assign(table, columns, card=card, where=where)
    if card.problem in WRITING_HEADS:
        texts, golds = _prompts(table, roles, mapped=bool(label_map), where=where)
    else:
        texts = text_columns(table, roles, words=card.problem is ProblemType.TOKEN, where=where)
        golds = read_golds(table, roles, card=card, label_map=label_map or {}, where=where)
    clusters, of_clusters = _dependent(table, roles, texts) if card.problem is ProblemType.SPAN else (None, ())
    built = build(table, roles, texts, golds, clusters=clusters, where=where)
    notes = (*roles.notes, *golds.notes, *of_clusters)
    plain = card.problem in WRITING_HEADS | {ProblemType.MASKED_LM} and not roles.labels
    examples = built.examples
    if roles.one_prompt and not roles.conversation and len(roles.text) > 1:
        examples = with_material(examples, text_columns(table, roles, where=where))
    return Loaded(examples, _card(opened, built, roles, source=source, notes=notes, plain=plain))


def _card(opened: Opened, built: Built, roles: Roles, *, source: str, notes: Sequence[str], plain: bool) -> DataCard:
    """What is known of the data; of a `plain` corpus nobody misses the labels."""
    where, table = writable(opened.name), opened.table
    labelled = sum(example.gold is not None for example in built.examples)
    of_split = split_notes(opened.split, opened.splits, labelled=plain or labelled > 0)
    return DataCard(
        name=f"{where} ({opened.split})" if opened.split else where,
        source=writable(source),
        fingerprint=data_fingerprint(built.examples),
        n=len(built.examples),
        labelled=labelled,
        groups=roles.groups,
        revision=opened.revision,
        licence=opened.licence,
        rows_read=table.rows + sum(table.dropped.values()),
        rows_dropped=dict(built.dropped),
        notes=(*table.notes, *of_split, *notes, *built.notes),
    )


def _prompts(table: Table, roles: Roles, *, mapped: bool, where: str) -> tuple[list[Sequence[object]], Golds]:
    """Columns of texts, and what should be written; a causal model without the latter may read pairs."""
    if mapped:
        raise UsageError("a model that writes has no labels to map to", hint="leave out --label-map")
    if roles.conversation:
        prompts, golds = conversations(table.values(roles.text[0]))
        return [prompts], golds
    if not roles.labels:
        golds = Golds(values=[None] * table.rows)
    else:
        (column,) = roles.labels
        names = table.classes.get(column, ())
        golds = read_references(table.values(column), column=column, names=names, where=where)
    texts = text_columns(table, roles, where=where)
    return ([joined(texts)] if roles.one_prompt else texts), golds


def _dependent(
    table: Table, roles: Roles, texts: Sequence[Sequence[object]]
) -> tuple[Sequence[object] | None, tuple[str, ...]]:
    """Of questions about contexts: what is not independent, and a sentence about it, unless the user says it."""
    if roles.cluster:
        return None, ()
    title = beside(table, TITLES)
    clusters, note = clusters_of(texts[1], table.values(title) if title else None)
    return clusters, (note,)
