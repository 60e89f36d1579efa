"""The tokenizer of a checkpoint, if it is the one that the network was trained with."""

from __future__ import annotations

import inspect
from typing import Any

from transformers import AutoTokenizer, PreTrainedTokenizerFast

from probes.core.answers import ProblemType
from probes.core.errors import ModelError
from probes.core.model import ModelCard
from probes.model.failures import loading
from probes.model.gguf import without_invented
from probes.model.parts import Parts
from probes.model.tokens import Encoder


def open_encoder(card: ModelCard, parts: Parts, network: Any, *, trust_remote_code: bool) -> Encoder:
    """What turns texts into tokens for this network.

    Raises:
        ModelError: the tokenizer does not load, or knows more tokens than the network.
    """
    tokenizer = _tokenizer(parts, trust_remote_code=trust_remote_code)
    if parts.gguf:
        tokenizer = without_invented(tokenizer, rows=network.get_input_embeddings().num_embeddings)
    _refuse_foreign(card, tokenizer, network)
    return Encoder(tokenizer, max_length=card.max_length, token_types=_reads_token_types(card, network, tokenizer))


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


def _refuse_foreign(card: ModelCard, tokenizer: Any, network: Any) -> None:
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
