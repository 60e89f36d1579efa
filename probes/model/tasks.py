"""What a model is for: as its config.json says, or where that leaves it open, as the user does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.core.answers import WRITING_HEADS, ProblemType
from probes.core.errors import ModelError, UsageError, did_you_mean

ENDINGS = {
    "ForSequenceClassification": "text-classification",
    "ForTokenClassification": "token-classification",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "fill-mask",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "ForConditionalGeneration": "text2text-generation",
    "MTModel": "text2text-generation",
    "ForMultipleChoice": "multiple-choice",
}
"""How the architectures end that can be audited, and the task of each as the Hub calls it."""

PROBLEMS = {
    "token-classification": ProblemType.TOKEN,
    "question-answering": ProblemType.SPAN,
    "fill-mask": ProblemType.MASKED_LM,
    "text-generation": ProblemType.CAUSAL_LM,
    "text2text-generation": ProblemType.SEQ2SEQ_LM,
    "multiple-choice": ProblemType.REGRESSION,  # a score for each choice
}
"""Task -> kind of head, where the task alone says it."""

TASKS = ("text-classification", *PROBLEMS)

ALIASES = {"summarization": "text2text-generation", "translation": "text2text-generation"}
"""Other names of the Hub."""

TEXT_TO_TEXT = frozenset(
    {"bart", "bigbird_pegasus", "blenderbot", "blenderbot-small", "led", "longt5", "m2m_100", "marian", "mbart", "mt5"}
    | {"mvp", "nllb-moe", "pegasus", "pegasus_x", "plbart", "prophetnet", "switch_transformers", "t5", "umt5"}
)
"""Model types that read a text and write one; others with the same ending read pictures or sound."""

EITHER_KIND = "WithLMHeadModel"
"""The end of architectures (XLM, FlauBERT) whose weights may be those of a masked or of a causal language model."""

_HEADS = {
    "ForPreTraining": "a pretrained language model",
    EITHER_KIND: "a language model that may be masked or not",
    "ForConditionalGeneration": "a generator that reads pictures, sound or other things than text",
    "ForImageClassification": "an image classifier",
    "ForAudioClassification": "an audio classifier",
    "Model": "an encoder without a head",
}

_CLASSES = {
    "text-classification": "MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING_NAMES",
    "token-classification": "MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES",
    "question-answering": "MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES",
    "fill-mask": "MODEL_FOR_MASKED_LM_MAPPING_NAMES",
    "text-generation": "MODEL_FOR_CAUSAL_LM_MAPPING_NAMES",
    "text2text-generation": "MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES",
    "multiple-choice": "MODEL_FOR_MULTIPLE_CHOICE_MAPPING_NAMES",
}
"""Task -> where transformers lists the class for each model type."""


def task_named(name: str | None) -> str | None:
    """The task a user means.

    Raises:
        UsageError: no such task.
    """
    if name is None:
        return None
    task = ALIASES.get(name, name)
    if task not in TASKS:
        raise UsageError(f"no task is called {name!r}", hint=did_you_mean(name, (*TASKS, *ALIASES)))
    return task


def head_and_task(config: Mapping[str, Any], *, source: str, asked: str | None = None) -> tuple[str, str]:
    """The architecture and the task it is made for.

    Args:
        config: the content of config.json.
        source: the model as it was named.
        asked: the task that the user names, which decides where `config` does not.

    Raises:
        UsageError: it was made for another task than the one asked for.
        ModelError: it does not say what it is for, or this kind cannot be audited.
    """
    architecture = str((config.get("architectures") or [""])[0])
    model_type = str(config.get("model_type"))
    wanted, declared = task_named(asked), _declared(architecture, model_type)
    if wanted and declared and wanted != declared:
        raise UsageError(
            f"{source} is made for {declared} ({architecture}), not for {wanted}",
            hint="name the labels that it is to choose from: --labels A,B"
            if wanted == "text-classification" and PROBLEMS.get(declared) in WRITING_HEADS
            else "leave out --task: what the model was saved as decides",
        )
    if declared:
        return architecture, declared
    if wanted:
        return _head(wanted, model_type, architecture, source=source), wanted
    raise _undecided(architecture, source=source)


def _declared(architecture: str, model_type: str) -> str | None:
    if architecture.endswith(EITHER_KIND):
        return None
    task = next((task for ending, task in ENDINGS.items() if architecture.endswith(ending)), None)
    return None if task == "text2text-generation" and model_type not in TEXT_TO_TEXT else task


def _head(task: str, model_type: str, architecture: str, *, source: str) -> str:
    """The class that transformers loads such a model as. Whether it has the weights is seen when they load."""
    from transformers.models.auto import modeling_auto

    found = getattr(modeling_auto, _CLASSES[task]).get(model_type)
    if found is None or (task == "text2text-generation" and model_type not in TEXT_TO_TEXT):
        raise UsageError(
            f"{source} ({architecture or model_type}) cannot be loaded for {task}",
            hint="name another task with --task, or give the folder of the fine-tuned model",
        )
    return str(found if isinstance(found, str) else found[0])


def _undecided(architecture: str, *, source: str) -> ModelError:
    if not architecture:
        return ModelError(
            f"the config.json of {source} does not say what the model is: no architectures",
            hint=f"say what it is for with --task ({', '.join(TASKS)}), or add the line to config.json",
        )
    kind = next((kind for suffix, kind in _HEADS.items() if architecture.endswith(suffix)), "not a text classifier")
    if architecture.endswith(EITHER_KIND):
        return ModelError(
            f"{source} is {kind} ({architecture})", hint="say which with --task fill-mask or --task text-generation"
        )
    return ModelError(
        f"{source} is {kind} ({architecture}); this kind cannot be audited",
        hint=f"give the folder of the fine-tuned model (its architecture ends in {' or '.join(ENDINGS)})",
    )
