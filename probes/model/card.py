"""What a model folder says of itself, before any weight is loaded: `describe`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from probes.core.answers import SEQUENCE_HEADS, UNLABELLED_HEADS, WRITING_HEADS, ProblemType
from probes.core.attributions import GRADIENT, Method
from probes.core.errors import ModelError, UsageError
from probes.core.model import Capability, ModelCard, own_question
from probes.model.checkpoint import Weights, fingerprint, read_json
from probes.model.parts import Parts, assemble
from probes.model.source import Source
from probes.model.tasks import PROBLEMS, head_and_task

DTYPES = ("float32", "bfloat16", "float16")
LONGEST = 512
"""Tokens, for a model that sets no limit of its own."""
SHORTEST = 8
WINDOW = 384
"""Tokens that models which answer questions are mostly trained to read at once (`max_seq_length` of the reference)."""
POSITIONS_AFTER_PADDING = frozenset(
    {"camembert", "data2vec-text", "esm", "ibert", "layoutlmv3", "longformer", "luke", "markuplm", "mpnet", "roberta"}
    | {"roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "xmod"}
)
"""Model types that number positions from padding_idx + 1, as fairseq did: that many places of the table are lost."""

WITHOUT_TOKEN_STATES = frozenset({"funnel", "perceiver"})
"""Model types whose encoder ends in fewer, or other, states than tokens."""

WITHOUT_A_TABLE = frozenset({"canine", "perceiver"})
"""Model types that read characters, not entries of one table of tokens."""
NO_TABLE = "it needs one embedding for each token, and this kind of model has none"


def describe(
    source: str,
    *,
    revision: str | None = None,
    allow_pickle: bool = False,
    trust_remote_code: bool = False,
    dtype: str | None = None,
    max_length: int | None = None,
    base: str | None = None,
    base_revision: str | None = None,
    task: str | None = None,
) -> ModelCard:
    """The card of a model: labels, kind of head, length limit, dtype, fingerprint. Loads no weights.

    Args:
        source: a folder written by `save_pretrained` (of a whole model or an adapter), a GGUF file, or a Hub id.
        revision: branch, tag or commit of a Hub model; the card records the commit.
        allow_pickle: accept pickled weights.
        trust_remote_code: run Python code that comes with the model.
        dtype: run in this type instead of the checkpoint's own.
        max_length: cut texts to this many tokens, special tokens included, instead of the model's own limit.
        base: the model that an adapter is put on, instead of the one it names.
        base_revision: commit of a base from the Hub.
        task: what the model is for, where its config.json leaves that open (`probes.model.tasks.TASKS`).

    Raises:
        UsageError: the source is not a model folder, or an argument is out of range.
        ModelError: the folder is a model, but broken, refused or of a kind that cannot be audited.
    """
    parts = assemble(
        source,
        revision=revision,
        base=base,
        base_revision=base_revision,
        allow_pickle=allow_pickle,
        trust_remote_code=trust_remote_code,
    )
    return _carded(parts, source, task=task, dtype=dtype, max_length=max_length, code=trust_remote_code)


def _carded(
    parts: Parts, source: str, *, task: str | None, dtype: str | None, max_length: int | None, code: bool
) -> ModelCard:
    """As `describe`; `code` that comes with the model belongs to its fingerprint where it may run."""
    place, raw, config = parts.place, parts.raw, parts.config
    architecture, task = head_and_task(raw, source=place.given, asked=task)
    files = parts.digests(code=code)
    parameters = parts.parameters
    problem = _problem(config, task)
    return ModelCard(
        name=place.name,
        source=source,
        revision=place.revision,
        fingerprint=fingerprint(files),
        files=files,
        architecture=architecture,
        model_type=config.model_type,
        task=task,
        problem=problem,
        labels=() if problem in UNLABELLED_HEADS else _labels(config, place),
        capabilities=_capabilities(config, problem, packed=parts.packed),
        unattributable=_unattributable(config),
        max_length=_max_length(max_length, config, parts.tokenizer, problem=problem),
        dtype=_dtype(dtype, raw, parts.weights),
        parameters=parameters,
        embedding_parameters=min(parameters, _embedding_size(config)),
        chat=problem is ProblemType.CAUSAL_LM and (parts.chat or _has_template(parts.tokenizer)),
        weights_format=parts.format,
        quantisation=parts.quantisation,
        notes=parts.notes,
        **_origin(parts),
    )


def _origin(parts: Parts) -> dict[str, str | None]:
    """Licence and origin, as the model's own README.md says; of an adapter the base that was found."""
    matter = front_matter(parts.place.folder / "README.md")
    declared = {"base_model": matter.get("base_model"), "licence": matter.get("license")}
    if parts.base is None:
        return declared
    below = parts.base.given
    return {**declared, "base_model": below, "base": below, "base_revision": parts.base.revision}


def front_matter(readme: Path) -> dict[str, str]:
    """The plain `key: value` pairs (of a list: its first value) in the YAML header of a model's README.md."""
    if not readme.is_file():
        return {}
    header = re.match(r"---\s*\n(.*?)\n---", readme.read_text(encoding="utf-8", errors="replace"), flags=re.DOTALL)
    pairs = re.findall(r"^(\w+):[ \t]*(?:\n[ \t]*- +)?(\S[^\n]*)$", header.group(1) if header else "", re.MULTILINE)
    return {key: value.strip().strip("\"'") for key, value in pairs}


def _capabilities(config: Any, problem: ProblemType, *, packed: bool) -> frozenset[Capability]:
    """Of a stranger's code answers and tokens only; embeddings unless the network keeps no state for each token."""
    always = {own_question(problem), Capability.TOKENIZE}
    if getattr(config, "auto_map", None):
        return frozenset(always)
    always |= {Capability.GENERATE, Capability.SCORE} if problem in WRITING_HEADS else set()
    listed = problem in SEQUENCE_HEADS and not packed and config.model_type not in WITHOUT_A_TABLE
    always |= {Capability.NEIGHBOURS} if listed else set()
    always |= {Capability.FILL} if problem is ProblemType.MASKED_LM else set()
    more = {Capability.EMBED} if config.model_type not in WITHOUT_TOKEN_STATES else set()
    # Of a masked model nothing is explained; weights in a few bits have no gradients and are not drawn anew.
    explained = problem is not ProblemType.MASKED_LM and not packed
    return frozenset(always | more | ({Capability.ATTRIBUTE} if explained else set()))


def _unattributable(config: Any) -> dict[Method, str]:
    return dict.fromkeys(GRADIENT, NO_TABLE) if config.model_type in WITHOUT_A_TABLE else {}


def _labels(config: Any, place: Source) -> tuple[str, ...]:
    labels = tuple(str(config.id2label[index]) for index in sorted(config.id2label))
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ModelError(
            f"{place.given} has several labels called {', '.join(repeated)}",
            hint="give every label its own name in id2label of config.json",
        )
    return labels


def _problem(config: Any, task: str) -> ProblemType:
    """As declared; otherwise as transformers trains it: one label is a regression, several exclude one another."""
    if task in PROBLEMS:
        return PROBLEMS[task]
    if config.problem_type is not None:
        return ProblemType(config.problem_type)
    return ProblemType.REGRESSION if len(config.id2label) == 1 else ProblemType.SINGLE_LABEL


def _max_length(asked: int | None, config: Any, folder: Path, *, problem: ProblemType) -> int:
    """As asked; otherwise the model's own limit, of which a window takes WINDOW at most."""
    limit = min(_positions(config), _tokenizer_limit(folder))
    if asked is None:
        own = limit if limit < 10**6 else LONGEST
        return min(own, WINDOW) if problem is ProblemType.SPAN else own
    if not SHORTEST <= asked <= limit:
        raise UsageError(
            f"a maximum length of {asked} tokens does not fit this model",
            hint=f"give a number from {SHORTEST} to {limit}, or leave it out",
        )
    return asked


def _embedding_size(config: Any) -> int:
    """Entries of the token embedding table; 0 for a configuration that does not say."""
    width = getattr(config, "embedding_size", None) or getattr(config, "hidden_size", None)
    rows = getattr(config, "vocab_size", None)
    return rows * width if isinstance(rows, int) and isinstance(width, int) else 0


def _positions(config: Any) -> int:
    names = ("max_encoder_position_embeddings", "max_position_embeddings")
    positions = next((found for name in names if (found := getattr(config, name, None)) is not None), None)
    if not isinstance(positions, int) or positions <= 0:
        return 10**9
    if config.model_type in POSITIONS_AFTER_PADDING:
        return positions - (config.pad_token_id or 0) - 1
    return positions


def _has_template(folder: Path) -> bool:
    """Whether the tokenizer brings a template for conversations."""
    path = folder / "tokenizer_config.json"
    within = path.is_file() and bool(read_json(path).get("chat_template"))
    return within or (folder / "chat_template.jinja").is_file()


def _tokenizer_limit(folder: Path) -> int:
    """`model_max_length`, which is 1e30 where nobody set it."""
    path = folder / "tokenizer_config.json"
    limit = read_json(path).get("model_max_length") if path.is_file() else None
    return min(int(limit), 10**9) if isinstance(limit, int | float) and limit > 0 else 10**9


def _dtype(asked: str | None, raw: Mapping[str, Any], weights: Weights) -> str:
    declared = raw.get("dtype") or raw.get("torch_dtype") or weights.dtype or DTYPES[0]
    dtype = asked or str(declared).removeprefix("torch.")
    if dtype not in DTYPES:
        kind = UsageError if asked else ModelError
        raise kind(f"no audit can run in {dtype}", hint=f"pass --dtype with one of {', '.join(DTYPES)}")
    return dtype
