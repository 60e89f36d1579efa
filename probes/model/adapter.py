"""Adapters as PEFT writes them (LoRA and its kin): a few weights that change a base model, which lies elsewhere.

An adapter is read with its base and becomes one network of the base's own class, so that everything that can be asked
of a whole model can be asked of it.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from probes.core.errors import ModelError, UsageError
from probes.model.checkpoint import read_json, shapes
from probes.model.source import Source, locate

CONFIG = "adapter_config.json"
SAFETENSORS = "adapter_model.safetensors"
PICKLE = "adapter_model.bin"
PREFIX = "base_model.model."
"""Before the name of each weight in an adapter's file; what follows is a name in the base."""

HEADS = {
    "SEQ_CLS": "ForSequenceClassification",
    "TOKEN_CLS": "ForTokenClassification",
    "QUESTION_ANS": "ForQuestionAnswering",
    "CAUSAL_LM": "ForCausalLM",
    "SEQ_2_SEQ_LM": "ForConditionalGeneration",
}
"""peft's task types and the head that the base gets for each."""
_CLASSES = {
    "SEQ_CLS": "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
    "TOKEN_CLS": "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES",
    "QUESTION_ANS": "MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES",
    "CAUSAL_LM": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "SEQ_2_SEQ_LM": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
}
"""Where transformers lists the class of each model type with such a head."""
LABELLED = ("SEQ_CLS", "TOKEN_CLS")

KINDS = frozenset({"ADALORA", "HRA", "IA3", "LN_TUNING", "LOHA", "LOKR", "LORA", "OFT", "VERA"})
"""peft's kinds that change weights of the base and nothing else."""

_OUTPUT = re.compile(r"(?:classifier|score|classification_head|logits_proj)(?:\.out_proj)?\.weight")
"""The layer that has a row for each label, by the names transformers gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapter:
    """What the files of an adapter say, before any weight is loaded.

    Attributes:
        folder: where they lie.
        file: the weights.
        kind: as peft calls it, such as "LORA".
        task: peft's task type; None where the adapter was made without one.
        base: path or Hub id of the base as written in its configuration; None where there is none.
        revision: of a base from the Hub.
        tensors: the shape of each saved weight, by its name in the base; whole weights (a head) and changes alike.
    """

    folder: Path
    file: Path
    kind: str
    task: str | None
    base: str | None
    revision: str | None
    tensors: Mapping[str, tuple[int, ...]]

    @property
    def format(self) -> str:
        return "safetensors" if self.file.suffix == ".safetensors" else "pickle"

    @property
    def outputs(self) -> int | None:
        """Labels that its own head has; None for an adapter without one."""
        return next((shape[0] for name, shape in self.tensors.items() if _OUTPUT.fullmatch(name)), None)


def is_adapter(folder: Path) -> bool:
    """Whether a folder holds an adapter and not a whole model.

    Raises:
        ModelError: it holds both.
    """
    if not (folder / CONFIG).is_file():
        return False
    if any(folder.glob("model*.safetensors")) or any(folder.glob("pytorch_model*.bin")):
        raise ModelError(
            f"{folder} holds a whole model and an adapter, and nothing says whether they belong together",
            hint=f"move one of them into a folder of its own; if the adapter is merged already, delete {CONFIG}",
        )
    return True


def read_adapter(folder: Path, *, allow_pickle: bool) -> Adapter:
    """The adapter in a folder that `is_adapter`.

    Raises:
        ModelError: files are missing or damaged, or it is of a kind that cannot be audited.
    """
    config = read_json(folder / CONFIG)
    kind, task = str(config.get("peft_type")).upper(), config.get("task_type")
    _refuse_kind(folder, kind, task, config)
    if find_spec("peft") is None:
        raise ModelError(
            f"{folder} is an adapter, and reading it needs the peft package",
            hint="pip install 'responsible-audit[adapters]'",
        )
    file = _file(folder, allow_pickle=allow_pickle)
    base, revision = config.get("base_model_name_or_path"), config.get("revision")
    return Adapter(
        folder=folder,
        file=file,
        kind=kind,
        task=task,
        base=str(base) if base else None,
        revision=str(revision) if revision else None,
        tensors={name.removeprefix(PREFIX): shape for name, shape in shapes(file).items()},
    )


def locate_base(adapter: Adapter, *, asked: str | None, revision: str | None = None, **options: bool) -> Source:
    """The model that the adapter changes: as asked, or as the adapter says, beside its folder or elsewhere.

    Raises:
        UsageError: there is no such model as was asked for.
        ModelError: the adapter names none, or one that is not there, or another adapter.
    """
    if asked is not None:
        found = locate(asked, revision=revision, **options)
    elif adapter.base is None:
        raise ModelError(f"{adapter.folder} does not say which model it is an adapter for", hint="name it with --base")
    else:
        found = _named_base(adapter, adapter.base, **options)
    if (found.folder / CONFIG).is_file():
        raise ModelError(
            f"the base of {adapter.folder} is an adapter itself ({found.given})",
            hint="merge that one first: merge_and_unload().save_pretrained(folder), and name the folder with --base",
        )
    return found


def head(adapter: Adapter, *, model_type: str, architecture: str) -> str:
    """The class of the base with the head that the adapter was trained with, such as "BertForSequenceClassification".

    Args:
        adapter: without a task type, it was trained with the base's own head.
        model_type: of the base.
        architecture: of the base.

    Raises:
        ModelError: transformers has no such class.
    """
    if adapter.task is None or architecture.endswith(HEADS[adapter.task]):
        return architecture
    from transformers.models.auto import modeling_auto

    found = getattr(modeling_auto, _CLASSES[adapter.task]).get(model_type)
    if found is None:
        raise ModelError(
            f"{adapter.folder} was trained for {adapter.task}, which a {model_type} model cannot do",
            hint="check that it is the right base; --base names another",
        )
    return str(found if isinstance(found, str) else found[0])


def applied(network: Any, adapter: Adapter, *, merge: bool) -> Any:
    """The base with the adapter in it, of the base's own class.

    Args:
        network: the base, changed in place.
        adapter: whose weights to put in.
        merge: add the changes to the weights of the base, but for those that other layers share; otherwise they are
            computed beside them.

    Raises:
        ModelError: the adapter was made for another base.
    """
    from peft import PeftModel

    _resize(network, adapter)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what peft warns about is checked below
        try:
            tuned = PeftModel.from_pretrained(network, str(adapter.folder), torch_device="cpu")
            # Read again, because only this call tells what did not fit.
            result = tuned.load_adapter(str(adapter.folder), "default", torch_device="cpu")
        except (RuntimeError, ValueError, KeyError) as error:
            raise _unfit(adapter, str(error).splitlines()[-1].strip()) from error
        _refuse_unfit(tuned, adapter, [*result.missing_keys, *result.unexpected_keys])
        return _merged(tuned.get_base_model()) if merge else tuned.get_base_model()


def _merged(network: Any) -> Any:
    """Layer by layer: peft's own merging changes shared weights (of tied embeddings) for both layers that read them,
    and fails on heads of several layers."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    uses = Counter(id(weight) for _, weight in network.named_parameters(remove_duplicate=False))
    replaced: list[str] = []
    for name, part in list(network.named_modules()):
        if name.startswith(tuple(f"{outer}." for outer in replaced)):
            continue  # it went with the module around it
        if hasattr(part, "unload_and_optionally_merge_module"):
            plain = part.unload_and_optionally_merge_module(merge=True, safe_merge=False, adapter_names=None)
        elif isinstance(part, BaseTunerLayer) and all(uses[id(weight)] == 1 for weight in part.parameters()):
            part.merge()
            plain = part.get_base_layer()
        else:
            continue
        parent, _, last = name.rpartition(".")
        setattr(network.get_submodule(parent), last, plain)
        replaced.append(name)
    del network.peft_config
    return network


def _refuse_kind(folder: Path, kind: str, task: Any, config: dict[str, Any]) -> None:
    if kind not in KINDS:
        raise ModelError(
            f"{folder} is an adapter of kind {kind}, which cannot be audited",
            hint=f"kinds that change weights of the base can: {', '.join(sorted(KINDS))}",
        )
    if config.get("alora_invocation_tokens"):
        raise ModelError(
            f"{folder} is an adapter that only works behind certain tokens (alora_invocation_tokens)",
            hint="it cannot be audited by itself",
        )
    if task is not None and task not in HEADS:
        raise ModelError(
            f"{folder} is an adapter for {task}, and a model without a head gives no answers",
            hint=f"task types that can be audited: {', '.join(HEADS)}",
        )


def _file(folder: Path, *, allow_pickle: bool) -> Path:
    if (folder / SAFETENSORS).is_file():
        return folder / SAFETENSORS
    if not (folder / PICKLE).is_file():
        raise ModelError(f"{folder} holds no weights of its adapter ({SAFETENSORS})", hint="copy the folder again")
    if not allow_pickle:
        raise ModelError(
            f"{folder} holds a pickled adapter only ({PICKLE}), and a pickle can run code when opened",
            hint="save it again with a newer peft, or pass --allow-pickle if you trust where it comes from",
        )
    return folder / PICKLE


def _named_base(adapter: Adapter, name: str, **options: bool) -> Source:
    """As the adapter says: training often writes a path that only its own machine knew."""
    for beside in (adapter.folder / name, adapter.folder.parent / name):
        if beside.is_dir():
            return locate(str(beside), revision=None, **options)
    try:
        here = Path(name).expanduser().exists()
        return locate(name, revision=None if here else adapter.revision, **options)
    except UsageError as error:
        raise ModelError(
            f"{adapter.folder} is an adapter for {name}, which is not there: {error}",
            hint="name the folder or Hub id of that model with --base",
        ) from error


def _resize(network: Any, adapter: Adapter) -> None:
    """Give the base as many token embeddings as the adapter has: it may have been trained with added tokens."""
    table = network.get_input_embeddings()
    names = [name for name, module in network.named_modules() if module is table]
    rows = next((adapter.tensors[f"{name}.weight"][0] for name in names if f"{name}.weight" in adapter.tensors), None)
    if rows is not None and rows != table.num_embeddings:
        network.resize_token_embeddings(rows, mean_resizing=False)


def _refuse_unfit(tuned: Any, adapter: Adapter, keys: list[str]) -> None:
    """Weights that had no place, places that got no weights, and heads that were to be there and are not."""
    from peft.utils.other import ModulesToSaveWrapper

    wrapped = [
        name.removeprefix(PREFIX) for name, part in tuned.named_modules() if isinstance(part, ModulesToSaveWrapper)
    ]
    absent = [name for name in wrapped if not any(saved.startswith(f"{name}.") for saved in adapter.tensors)]
    if keys or absent:
        shown = [key.removeprefix(PREFIX) for key in (*keys, *absent)]
        raise _unfit(adapter, ", ".join(shown[:3]) + (" ..." if len(shown) > 3 else ""))


def _unfit(adapter: Adapter, reason: str) -> ModelError:
    return ModelError(
        f"the adapter in {adapter.folder} does not fit its base: {reason[:200]}",
        hint=f"name with --base the model it was trained on ({adapter.base or 'its configuration does not say which'})",
    )
