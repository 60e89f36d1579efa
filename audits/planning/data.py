"""The data of an audit: the user's files, or the texts that ship with the tool, and data of other kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from audits.config import Config
from audits.planning.domains import COLUMN, Domains, by_column, named
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.model import ModelCard

if TYPE_CHECKING:  # reading data is left to those who have some
    from probes.data.load import Loaded


def own_data(config: Config, model: ModelCard) -> Loaded:
    """What the model is audited on.

    Raises:
        UsageError: for data that cannot be read, or that this model cannot be asked about.
    """
    from probes.data.builtin import builtin_corpus, builtin_questions

    if config.pairs and model.problem is ProblemType.TOKEN:
        raise UsageError("a tagger reads one text, not a pair", hint="leave out --pairs")
    if config.data is not None:
        return read(config.data, config, model, split=config.split, revision=config.data_revision)
    if model.problem is ProblemType.SPAN:
        return builtin_questions()
    return builtin_corpus(pairs=config.pairs or model.task == "multiple-choice")


def read(source: str, config: Config, model: ModelCard, *, may_lack: bool = False, **how: Any) -> Loaded:
    """A data set of the user, by the columns that the request names; raises as `load_data`."""
    from probes.data.load import Columns, load_data

    columns = Columns(
        text=config.text_columns,
        label=config.label_column,
        groups=config.group_columns,
        cluster=config.cluster_column,
        may_lack=may_lack,
    )
    return load_data(source, card=model, columns=columns, label_map=config.label_map, **how)


def data_of_other_kinds(config: Config, model: ModelCard, loaded: Loaded) -> Domains:
    """The data sets of --shift; without them the values of a column `domain`, if it is one of the group columns.

    Raises:
        UsageError: for options that contradict one another or the data.
    """
    if config.shifts and config.in_domain:
        raise UsageError("--shift and --in-domain say two different things", hint="leave one of them out")
    if config.shifts and config.data is None:
        raise UsageError(
            "--shift compares with the data the model was made for, and none are given; the built-in sentences are not",
            hint="name them with --data; labels are not needed for every comparison",
        )
    if config.shifts:
        others = {name: read(source, config, model, may_lack=True) for name, source in config.shifts.items()}
        return named(loaded.examples, {name: (other.examples, other.card) for name, other in others.items()})
    if config.in_domain and COLUMN not in loaded.card.groups:
        raise UsageError(f"--in-domain needs a column called {COLUMN}", hint=f"add --group-column {COLUMN}")
    if COLUMN in loaded.card.groups:
        return by_column(loaded.examples, loaded.card, home=config.in_domain)
    return Domains(home=loaded.examples)
