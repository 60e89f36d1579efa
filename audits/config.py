"""What the user asked for: one frozen object, from `audit.yaml` and flags. Flags win."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from audits.stored_text import StoreText
from probes.core.audit_card import AuditCard
from probes.core.errors import UsageError
from probes.core.verbaliser import LabelScore
from probes.core.yaml_file import parse_located, read_text
from reports.evidence_map.instrument import refuse_unknown

_UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds(text: str | float | int | None) -> float | None:
    """ "90s", "10m", "1.5h" or a number of seconds.

    Raises:
        ValueError: for anything else, zero or less.
    """
    if text is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(text).lower())
    if not match or float(match[1]) <= 0:
        raise ValueError(f"{text!r} is not a duration such as 90s, 10m or 1h")
    return float(match[1]) * _UNITS[match[2] or "s"]


class SuiteEntry(BaseModel):
    """One line of a suite: the probes that match, how many items they get, and their parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    probes: str
    items: int | None = Field(default=None, ge=1)
    """None: all there are."""
    parameters: Mapping[str, Any] = {}
    leave_out: bool = False
    """These probes are not in the suite, although a later line matches them."""


class Config(BaseModel):
    """The request. Everything that may change a number is in here and goes into the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    revision: str | None = None
    base: str | None = None
    """What an adapter is put on: folder or Hub id; None: as the adapter says."""
    task: str | None = None
    """What the model is for, as the Hub calls it, where its config.json leaves that open."""
    data: str | None = None
    split: str | None = None
    data_revision: str | None = None
    text_columns: tuple[str, ...] = ()
    label_column: str | None = None
    group_columns: tuple[str, ...] = ()
    cluster_column: str | None = None
    label_map: Mapping[str, str] = {}
    labels: tuple[str, ...] = ()
    """Of a language model that is to be audited as a classifier; `label=words` where other words stand for it."""
    prompt: str | None = None
    """What such a model is asked, with a place for the text: `{text}`, and `{text_pair}` for pairs."""
    label_score: LabelScore | None = None
    """How the words of a label are scored; None: by their total log-probability."""
    shifts: Mapping[str, str] = {}
    """Name -> file, folder or Hub id of data of another kind."""
    in_domain: str | None = None
    """The value of the column `domain` that the model was made for; None: the commonest."""
    profile: Literal["auto", "toxicity", "general"] = "auto"
    """Whether the model looks for harm in texts; auto: as its label names say."""
    positive_labels: tuple[str, ...] = ()
    """The labels that measures of fairness count; empty: as recognised."""
    terms: tuple[Path, ...] = ()
    """Files of the user's own identity terms."""
    hatecheck: str | None = None
    """HateCheck test cases: file, folder or Hub id."""
    benchmarks: Path | None = None
    """Folder with benchmarks of stereotypes, for language models."""
    training_texts: str | None = None
    """Texts the model was trained on: file, folder or Hub id."""
    holdout_texts: str | None = None
    """Texts of the same kind that it was not trained on."""
    canaries: Path | None = None
    """File of secrets that were put into the training data on purpose."""
    scorers: tuple[str, ...] = ()
    """Classifiers that judge what a generator writes: folder or Hub id, with @REVISION and =LABEL,LABEL if wanted."""
    scorer_calibration: str | None = None
    """Texts labelled as harmful or not, to tell how often the scorers err."""
    recipes: tuple[str, ...] = ()
    """Recipes of attack that are to be run; empty: those of the suite."""
    word_vectors: str | None = None
    """File of word vectors that attacks take words from."""
    word_model: str | None = None
    """Masked language model that attacks take words from: folder or Hub id."""
    sentence_encoder: str | None = None
    """What says how near a changed text is to the first one: folder or Hub id."""
    entailment_model: str | None = None
    """What says whether a changed text follows from the first one: folder or Hub id."""
    pairs: bool = False
    """The built-in sentences are to be given in pairs."""
    suite: str = "full"
    suites: Mapping[str, tuple[SuiteEntry, ...]] = {}
    """The user's own suites, by name."""
    only: tuple[str, ...] = ()
    probes: Mapping[str, Mapping[str, Any]] = {}
    """Probe id -> parameters that differ from the probe's own."""
    metrics: tuple[str, ...] = ()
    plugins: tuple[Path, ...] = ()
    limit: int | None = Field(default=None, ge=1)
    time_budget: Annotated[float | None, BeforeValidator(seconds)] = None
    seed: int = Field(default=0, ge=0)
    device: str = "auto"
    engine: Literal["transformers", "vllm"] = "transformers"
    """What computes the answers of the model."""
    dtype: str | None = None
    max_length: int | None = Field(default=None, ge=8)
    card: AuditCard = AuditCard()
    """What people declare about the model and the audit."""
    store_text: StoreText = StoreText.FULL
    """How much of the audited texts the run folder keeps."""
    policy: Path | None = None
    waivers: Path | None = None
    """File of accepted exceptions."""
    baseline: Path | None = None
    """Run folder of the model that was approved last."""
    against_base: str | None = None
    """What the model was fine-tuned from, to be audited first and compared with: folder or Hub id, or "own" for what it
    names itself."""
    out: Path = Path("runs")
    cache: bool = True
    allow_pickle: bool = False
    trust_remote_code: bool = False


class _ConfigFile(Config):
    """A configuration file may leave out the model, which the flag then gives."""

    model: str = ""


def _from_file(file: Path) -> _ConfigFile:
    """The file, whose card may name only instruments that there are maps of."""
    located = parse_located(read_text(file), _ConfigFile, name=str(file))
    for place, name in enumerate(located.content.card.instruments):
        refuse_unknown(name, where=f"{file}, line {located.line('card', 'instruments', place)}")
    return located.content


def resolve(flags: Mapping[str, Any], *, file: Path | None) -> Config:
    """Flags over file over defaults.

    Raises:
        UsageError: for an unknown key or a wrong value, naming the file and line or the flag; when no model is named.
    """
    base = _from_file(file).model_dump(exclude_unset=True) if file else {}
    merged = {**base, **{key: value for key, value in flags.items() if value not in (None, (), {})}}
    if not merged.get("model"):
        raise UsageError("no model named", hint="pass --model with a folder or a Hub id, or --model demo")
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        flag = "--" + str(first["loc"][0]).replace("_", "-")
        raise UsageError(
            f"{flag}: {first['msg'].removeprefix('Value error, ')}", hint="see `audit run --help-all`"
        ) from None
