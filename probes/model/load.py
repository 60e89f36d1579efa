"""From a card to a model that answers: `load`."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

import numpy as np
import torch
import transformers
from transformers import (
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedTokenizerFast,
)

from probes.core.answers import SEQUENCE_HEADS, UNLABELLED_HEADS, ProblemType
from probes.core.errors import IntegrityError, ModelError, UsageError
from probes.core.likelihoods import MASKING
from probes.core.model import VLLM, Capability, ModelCard
from probes.core.precision import LOG_TOLERANCE, TOLERANCE
from probes.model import device as devices
from probes.model import last_layer
from probes.model import packed as packing
from probes.model.adapter import applied
from probes.model.batching import Batch
from probes.model.cache import AnswerCache
from probes.model.card import DTYPES, describe
from probes.model.choices import one_at_a_time
from probes.model.engine import TransformersModel
from probes.model.failures import loading
from probes.model.forward import Forward, Question
from probes.model.generation import HEAD, Habits, Write
from probes.model.gguf import quietly, without_invented
from probes.model.left_to_right import sharing_is_exact
from probes.model.parts import Parts, assemble
from probes.model.passages import Passages
from probes.model.placement import device_map
from probes.model.prompts import Prompts, rendered
from probes.model.quantised import refuse_unreadable
from probes.model.scoring import refuse_one_that_sees_ahead, scoring
from probes.model.sequences import Sequences
from probes.model.spans import BEST
from probes.model.tokens import Encoder
from probes.model.transduction import ScoreTarget, read_pairs
from probes.model.vllm_engine import QUEUE, Vllm, skeleton

BUDGET = {"cpu": 2048, "cuda": 65536, "mps": 16384}
"""Tokens in a batch, padding included. For the curve on a CPU see benchmarks/README.md."""
TWO_TOKENS = Write(longest=2, temperature=0, top_p=1, seed=0, habits=Habits(), tolerance=0)
"""What is asked to see how a network treats padding before a prompt."""
TRIAL = ("The quick brown fox jumps over the lazy dog, twice.", "A fox.")
"""A long text and a short one, to see how a network treats tokens and padding."""


def load(
    card_or_source: ModelCard | str,
    *,
    device: str = "auto",
    dtype: str | None = None,
    cache: AnswerCache | None = None,
    budget: int | None = None,
    revision: str | None = None,
    allow_pickle: bool = False,
    trust_remote_code: bool = False,
    max_length: int | None = None,
    base: str | None = None,
    task: str | None = None,
) -> TransformersModel:
    """Load weights and tokenizer and return a model ready to be asked.

    Args:
        card_or_source: what `describe` returned (the folder must not have changed since), or a folder or Hub id.
        device: "auto" (CUDA, else MPS, else CPU), "cpu", "cuda", "cuda:1" or "mps".
        dtype: float32, bfloat16 or float16; by default the card's.
        cache: where answers are kept; by default in memory.
        budget: tokens in a batch (rows x longest).
        revision, allow_pickle, max_length, base, task: as for `describe`; a card already answers them.
        trust_remote_code: run Python code that comes with the model.

    Raises:
        UsageError: no such model or device.
        ModelError: the model is there but cannot be loaded, or not as it was trained (missing head or tokenizer).
        IntegrityError: the files are not those the card describes.
    """
    if dtype is not None and dtype not in DTYPES:
        raise UsageError(f"no dtype is called {dtype!r}", hint=f"use one of {', '.join(DTYPES)}")
    place = devices.choose(device)
    card = _card(
        card_or_source,
        revision=revision,
        allow_pickle=allow_pickle,
        trust_remote_code=trust_remote_code,
        max_length=max_length,
        base=base,
        task=task,
    )
    return _classifier(
        card,
        place,
        dtype=dtype or card.dtype,
        cache=cache or AnswerCache.open(None),
        budget=budget or BUDGET[place.type] * (QUEUE if card.engine == VLLM else 1),
        trust_remote_code=trust_remote_code,
    )


def _classifier(
    card: ModelCard, place: torch.device, *, dtype: str, cache: AnswerCache, budget: int, trust_remote_code: bool
) -> TransformersModel:
    parts = assemble(
        card.source,
        revision=card.revision,
        base=card.base,
        base_revision=card.base_revision,
        allow_pickle=card.weights_format == "pickle",
        trust_remote_code=trust_remote_code,
    )
    vllm = card.engine == VLLM
    network = (
        skeleton(parts) if vllm else _network(card, parts, place, dtype=dtype, trust_remote_code=trust_remote_code)
    )
    tokenizer = _tokenizer(parts, trust_remote_code=trust_remote_code)
    if parts.gguf:
        tokenizer = without_invented(tokenizer, rows=network.get_input_embeddings().num_embeddings)
    _refuse_foreign_tokenizer(card, tokenizer, network)
    encoder = Encoder(tokenizer, max_length=card.max_length, token_types=_reads_token_types(card, network, tokenizer))
    if card.chat:  # a template that fails is told of now, not in the middle of an audit
        rendered(tokenizer, TRIAL[1])
    pad = _padding(network, tokenizer, encoder)
    if vllm:
        forward: Forward = Vllm.of(card, parts, network, place, dtype=dtype, pad=pad, limit=budget)
    else:
        forward = Forward(network=network, device=place, pad=pad, limit=budget)
    trial, question = _trial(card, encoder, network)
    # All but classifiers of whole texts read every token to the end.
    whole = card.problem in SEQUENCE_HEADS
    if whole:
        forward.projection = last_layer.find(network, *forward.inputs(Batch(trial)))
        forward.packed = packing.find(network, read=encoder.encode, inputs=forward.inputs, moved=forward.moved)
    causal = card.problem is ProblemType.CAUSAL_LM
    if causal:
        refuse_one_that_sees_ahead(forward, trial, question, tolerance=LOG_TOLERANCE[dtype], source=card.source)
    pads = _padding_is_neutral(forward, trial, question, tolerance=TOLERANCE[dtype])
    return TransformersModel(
        card=card,
        encoder=encoder,
        forward=forward,
        cache=cache,
        scope=_scope(card, dtype, place, way=forward.way),
        device=str(place),
        device_name=devices.describe(place),
        dtype=dtype,
        budget=budget,
        pads=pads,
        shares=pads and causal and not vllm and sharing_is_exact(forward, encoder, tolerance=LOG_TOLERANCE[dtype]),
        pads_left=_left_padding_is_neutral(card, forward, encoder, tolerance=LOG_TOLERANCE[dtype]),
    )


def _trial(card: ModelCard, encoder: Encoder, network: Any) -> tuple[Sequences, Question]:
    """TRIAL as the model reads it, and what it is asked about its items."""
    if card.problem is ProblemType.SEQ2SEQ_LM:
        pairs = read_pairs(encoder, [(text, TRIAL[1]) for text in TRIAL], network=network)
        return pairs.sequences, ScoreTarget.of(network, encoder, Habits.of(network, encoder.tokenizer))
    if card.question is Capability.SCORE:
        read = Passages.of(encoder, [(text, (0, len(text))) for text in TRIAL], starts=card.scoring not in MASKING)
        return read.sequences, scoring(card.scoring, network, encoder.tokenizer, shares=False)
    if card.question is Capability.ANSWER:
        return encoder.encode_questions([(TRIAL[1], text) for text in TRIAL]).sequences, card.question
    tagger = card.question is Capability.TAG
    return encoder.encode_tagged(TRIAL) if tagger else encoder.encode(TRIAL), card.question


def _card(
    card_or_source: ModelCard | str,
    *,
    revision: str | None,
    allow_pickle: bool,
    trust_remote_code: bool,
    max_length: int | None,
    base: str | None,
    task: str | None,
) -> ModelCard:
    if isinstance(card_or_source, str):
        return describe(
            card_or_source,
            revision=revision,
            allow_pickle=allow_pickle,
            trust_remote_code=trust_remote_code,
            max_length=max_length,
            base=base,
            task=task,
        )
    card = card_or_source
    now = describe(
        card.source,
        revision=card.revision,
        base=card.base,
        base_revision=card.base_revision,
        allow_pickle=card.weights_format == "pickle",
        trust_remote_code=trust_remote_code,
        dtype=card.dtype,
        task=card.task,
    )
    if now.fingerprint != card.fingerprint:
        raise IntegrityError(
            f"the files of {card.source} have changed since the model was described",
            hint="start a new audit: this one is about a model that is no longer there",
        )
    return card


def _network(card: ModelCard, parts: Parts, place: torch.device, *, dtype: str, trust_remote_code: bool) -> Any:
    refuse_unreadable(parts.raw, source=card.source)
    where = device_map(place=place, needed=parts.size(getattr(torch, dtype).itemsize), packed=parts.packed)
    with loading(card.source), quietly() if parts.gguf else nullcontext():
        network, report = _loader(card).from_pretrained(
            parts.body,
            # Named because the defaults of transformers 4 (float32) and 5 (as saved) differ.
            dtype=getattr(torch, dtype),
            use_safetensors=parts.weights.format == "safetensors",
            # Named because transformers asks on the terminal when it is not.
            trust_remote_code=trust_remote_code,
            local_files_only=True,
            output_loading_info=True,
            **parts.settings,
            **({} if where is None else {"device_map": where}),
        )
    _refuse_gaps(card, parts, report["missing_keys"])
    if parts.adapter is not None:
        network = applied(network, parts.adapter, merge=not parts.packed)
    if card.problem not in UNLABELLED_HEADS and network.config.num_labels != len(card.labels):
        raise ModelError(f"{card.source} loads with other labels than it declares", hint="repair id2label")
    if hasattr(network.config, "use_cache"):
        network.config.use_cache = False  # one forward per text: keys and values are never read again
    # No question asks for gradients of the weights.
    network = network.eval().requires_grad_(False)
    if card.task == "multiple-choice":
        one_at_a_time(network)
    return _moved(network, place, card) if where is None else network


def _refuse_gaps(card: ModelCard, parts: Parts, missing: Iterable[str]) -> None:
    """Weights that neither the files of the model nor those of its adapter hold."""
    brought = parts.adapter.tensors if parts.adapter else {}
    gaps = sorted(set(missing) - set(brought))
    if gaps:
        shown = ", ".join(gaps[:3]) + (" ..." if len(gaps) > 3 else "")
        whole = "give the folder of the fine-tuned model: this one was saved without its head"
        adapted = "the adapter was saved without its head, or its base is another one (--base)"
        raise ModelError(
            f"{card.source} lacks {len(gaps)} of the weights it needs ({shown}); they would be random numbers",
            hint=adapted if parts.adapter else whole,
        )


def _loader(card: ModelCard) -> Any:
    if card.task == "multiple-choice":
        return AutoModelForMultipleChoice
    return {
        ProblemType.TOKEN: AutoModelForTokenClassification,
        ProblemType.SPAN: AutoModelForQuestionAnswering,
        ProblemType.MASKED_LM: AutoModelForMaskedLM,
        ProblemType.CAUSAL_LM: AutoModelForCausalLM,
        ProblemType.SEQ2SEQ_LM: AutoModelForSeq2SeqLM,
    }.get(card.problem, AutoModelForSequenceClassification)


def _moved(network: Any, device: torch.device, card: ModelCard) -> Any:
    if device.type == "cuda":
        # TF32 would round float32 products to 10 bits.
        torch.set_float32_matmul_precision("highest")
    with loading(card.source):
        return network.to(device)


def _tokenizer(parts: Parts, *, trust_remote_code: bool) -> Any:
    folder = parts.tokenizer
    single = {"gguf_file": parts.gguf} if parts.gguf else {}
    with loading(f"the tokenizer of {folder}"):
        try:
            return AutoTokenizer.from_pretrained(
                folder, trust_remote_code=trust_remote_code, local_files_only=True, **single
            )
        except ValueError as error:
            # transformers 5 saves generic fast tokenizers under a class name that transformers 4 does not know.
            if "TokenizersBackend" not in str(error):
                raise
            return PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)


def _refuse_foreign_tokenizer(card: ModelCard, tokenizer: Any, network: Any) -> None:
    largest = max(tokenizer.get_vocab().values(), default=-1)
    rows = network.get_input_embeddings().num_embeddings
    if largest >= rows:
        raise ModelError(
            f"the tokenizer of {card.source} knows {largest + 1:,} tokens, but the model only {rows:,}",
            hint="put the tokenizer that the model was trained with into its folder",
        )


def _reads_token_types(card: ModelCard, network: Any, tokenizer: Any) -> bool:
    if card.problem is ProblemType.CAUSAL_LM or card.verbaliser is not None:
        # The text-generation pipeline hands over ids and mask alone, whatever the tokenizer gives; GPT-2 would add the
        # embedding of token 0 to every token.
        return False
    accepted = inspect.signature(network.forward).parameters
    return "token_type_ids" in tokenizer.model_input_names and "token_type_ids" in accepted


def _padding(network: Any, tokenizer: Any, encoder: Encoder) -> int:
    """The id that fills short rows.

    Decoder classifiers (GPT-2, Llama) are often saved without one and then refuse batches; they answer at the last
    token that is not padding. So one is set, in memory only: a token that no text ends with.
    """
    config = network.config.get_text_config()
    if getattr(config, "pad_token_id", None) is not None:  # RWKV knows no such setting
        return int(config.pad_token_id)
    candidates = (tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id, 0, 1)
    last = encoder.encode(["a"]).ids[-1]
    pad = next(int(token) for token in candidates if token is not None and token != last)
    config.pad_token_id = pad
    return pad


def _padding_is_neutral(forward: Forward, rows: Sequences, question: Question, *, tolerance: float) -> bool:
    """Whether a short text gets the same answer beside a long one as alone (XLNet, for one, reads its padding)."""
    if rows.lengths[0] == rows.lengths[1]:
        return True
    together, alone = forward([Batch(rows), Batch(rows.take(np.array([1])))], question)
    forward.seconds = 0.0
    scale = max(1.0, float(np.abs(alone).max()))
    if question is Capability.ANSWER:  # behind the scores are places, which near ties may swap
        together, alone = together[:, : 1 + BEST], alone[:, : 1 + BEST]
    beside = together[1, : alone.shape[1]]  # of words or tokens, the answer about a longer text is wider
    return bool(np.abs(beside - alone[0]).max() <= 100 * tolerance * scale) or not np.isfinite(alone).all()


def _left_padding_is_neutral(card: ModelCard, forward: Forward, encoder: Encoder, *, tolerance: float) -> bool:
    """Whether a short prompt is continued beside a long one as alone (RWKV, for one, reads its padding)."""
    if card.problem is not ProblemType.CAUSAL_LM or Capability.GENERATE not in card.capabilities:
        return True
    prompts = Prompts.of(encoder, TRIAL, room=card.max_length - 2, chat=False).sequences
    if prompts.lengths[0] == prompts.lengths[1]:
        return True
    batches = [Batch(prompts), Batch(prompts.take(np.array([1])))]
    try:
        together, alone = (answer[-1] for answer in forward(batches, TWO_TOKENS))
    except ModelError:  # what cannot write can still be scored; whoever asks it to write is told
        return False
    forward.seconds = 0.0
    moved = np.abs(together - alone)
    first, second = moved[-2:] <= 10 * tolerance
    # Behind other tokens come other ones; whether these were a tie, the first log-probabilities say.
    return bool(first and (second or moved[HEAD] > 0))


def _scope(card: ModelCard, dtype: str, device: torch.device, *, way: str | None) -> bytes:
    """What an answer depends on besides question and tokens: a change of any of these gives another one."""
    versions = [
        version.rpartition(".")[0] for version in (torch.__version__.partition("+")[0], transformers.__version__)
    ]
    parts = [card.fingerprint, dtype, device.type, *versions, str(card.max_length)]
    # The last bits differ from one way to another.
    parts += [] if way is None else [way]
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=32).digest()
