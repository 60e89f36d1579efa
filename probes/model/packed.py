"""The forward pass of BERT-like classifiers without padding, and without what their last layer does for nobody.

The tokens of a batch stand in one (tokens, width) matrix. Only attention looks from token to token, and it goes over
runs of rows of one length, which need neither padding nor a mask. The head reads the first token of a row; so the last
layer asks on behalf of that one alone, and makes no keys and values for the others to be asked by. Before the first
attention a token is its id and its place, which texts that differ in a word share. Weights are read where the network
has them, at every call: there is no copy of them that could grow old. Whether a network answers the same this way is
found out by trying, as in `last_layer`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from probes.core.answers import Ints
from probes.core.examples import Text
from probes.model.batching import Batch
from probes.model.last_layer import equal
from probes.model.sequences import Sequences
from probes.model.substitution import named

Moved = Callable[[NDArray[np.int64]], Tensor]
Inputs = Callable[[Batch], tuple[Tensor, Tensor, Tensor | None]]
Head = Callable[[Any, Tensor], Tensor]
Read = Callable[[Sequence[Text]], Sequences]
Run = tuple[int, int]
"""Rows of the same length, one after another: how many, and how many tokens of each."""

TRIAL: tuple[Text, ...] = (
    ("The quick brown fox jumps over the lazy dog, twice.", "A fox."),
    "The quick brown fox jumps over the lazy dog.",
    "A fox.",
    "a",
)
"""A pair and texts of several lengths, longest first."""
POSITIONS_AFTER_PADDING = ("roberta", "xlm-roberta", "camembert")
"""Kinds whose first token has the place after that of padding, wherever they read the id of padding."""


@dataclass(frozen=True, slots=True)
class Layer:
    """The modules of one layer, in the order of their use, and how many heads attend."""

    query: Any
    key: Any
    value: Any
    out: Any
    out_norm: Any
    up: Any
    activation: Any
    down: Any
    down_norm: Any
    heads: int

    @property
    def looking(self) -> tuple[Any, ...]:
        return (self.query, self.key, self.value)

    @property
    def products(self) -> tuple[Any, ...]:
        """What multiplies by a matrix."""
        return (*self.looking, self.out, self.up, self.down)


@dataclass(frozen=True, slots=True)
class Packed:
    """A sequence classifier of transformers as `find` takes it apart.

    Attributes:
        network: what it answers for.
        layers: from the bottom up.
        head: from (rows, 1, width) states of the first tokens to (rows, labels) logits.
        padding: the id with a place of its own, for kinds that have one.
        fused: whether products add what is to be added, and activate, in the library of the processor.
    """

    network: Any
    layers: tuple[Layer, ...]
    head: Head
    padding: int | None
    fused: bool

    def __call__(self, rows: Sequences, moved: Moved) -> Tensor:
        """(rows, labels) logits; `moved` takes arrays to the device."""
        runs = [(len(list(same)), length) for length, same in groupby(rows.lengths.tolist())]
        kinds, kind = self._embedded(rows, moved)
        states = _each(kinds, kind)
        for layer in self.layers[:-1]:
            parts = (_by_head(_each(self._product(part, kinds), kind), runs, layer.heads) for part in layer.looking)
            states = self._transformed(layer, states, _attended(*parts))
            kinds, kind = states, None
        firsts = states.index_select(0, moved(rows.starts[:-1]))
        firsts = self._transformed(self.layers[-1], firsts, self._seen_by_first(self.layers[-1], firsts, states, runs))
        return self.head(self.network, firsts[:, None])

    def answers_for(self, network: Any) -> bool:
        """Whether it answers for `network` now: not for another one, nor while somebody watches its modules."""
        return network is self.network and not any(
            module._forward_hooks or module._forward_pre_hooks for module in network.modules()
        )

    def _embedded(self, rows: Sequences, moved: Moved) -> tuple[Tensor, Tensor | None]:
        """(kinds, width) vectors, and which of them each token has: (tokens,), or None for its own."""
        body = self.network.base_model
        tables = body.embeddings
        own = np.zeros_like(rows.ids) if rows.types is None else rows.types
        tokens = np.stack([rows.ids, own, _places(rows, self.padding)]).astype(np.int64)
        kind = None
        # On a card a product costs less than looking for the same ones.
        if self.network.device.type == "cpu":
            tokens, kind = _distinct(tokens)
        ids, types, places = map(moved, tokens)
        vectors: Tensor = tables.word_embeddings(ids)
        if hasattr(tables, "token_type_embeddings"):
            vectors += tables.token_type_embeddings(types)
        vectors += tables.position_embeddings(places)
        vectors = tables.LayerNorm(vectors)
        if hasattr(body, "embeddings_project"):
            vectors = body.embeddings_project(vectors)
        return vectors, None if kind is None else moved(kind)

    def _seen_by_first(self, layer: Layer, firsts: Tensor, states: Tensor, runs: list[Run]) -> Tensor:
        """What the first token of each row takes from all (rows, width), with products for each row, not each token.

        A query times (W x + b) is the query times W, times x, and the same for every x; a sum of shares times
        (W x + b) is W times the sum of shares times x, and b.
        """
        heads, width = layer.heads, states.shape[1]
        query = self._product(layer.query, firsts).view(len(firsts), heads, -1)
        scale = query.shape[2] ** -0.5
        asked = torch.bmm(query.transpose(0, 1), layer.key.weight.view(heads, -1, width)).transpose(0, 1)
        mixed = [
            scaled_dot_product_attention(ask[:, None], state, state, scale=scale)[:, 0]
            for ask, state in zip(
                asked.split_with_sizes([rows for rows, _ in runs]), _by_head(states, runs, 1), strict=True
            )
        ]
        seen = torch.bmm(_joined(mixed).transpose(0, 1), layer.value.weight.view(heads, -1, width).transpose(1, 2))
        return seen.transpose(0, 1).flatten(1).add_(layer.value.bias)

    def _transformed(self, layer: Layer, states: Tensor, seen: Tensor) -> Tensor:
        """New states of tokens, after what each of them has `seen` of all."""
        middle = layer.out_norm(self._added(layer.out, seen, states))
        wide = self._activated(layer, middle)
        new: Tensor = layer.down_norm(self._added(layer.down, wide, middle))
        return new

    def _product(self, module: Any, states: Tensor) -> Tensor:
        product: Tensor = _fused(module, states, "none") if self.fused else module(states)
        return product

    def _added(self, module: Any, states: Tensor, given: Tensor) -> Tensor:
        """A product and what is `given`: one pass less over the result than first the product and then the sum."""
        if self.fused:
            return _fused(module, states, "none").add_(given)
        total: Tensor = (given + module.bias).addmm_(states, module.weight.t())
        return total

    def _activated(self, layer: Layer, states: Tensor) -> Tensor:
        if self.fused and type(layer.activation).__name__ == "GELUActivation":
            return _fused(layer.up, states, "gelu")
        active: Tensor = layer.activation(self._product(layer.up, states))
        return active


def find(network: Any, *, read: Read, inputs: Inputs, moved: Moved) -> Packed | None:
    """`network` without padding, if it answers TRIAL the same as with it; None for any other network.

    Args:
        read: how texts become tokens.
        inputs, moved: how a batch, and an array, get to the device of the network.
    """
    try:
        made = _taken_apart(network)
        if made is None:
            return None
        batch = Batch(read(TRIAL))
        with torch.inference_mode():
            same = equal(network(**named(*inputs(batch))).logits, made(batch.rows, moved))
    except Exception:  # whatever a network of any make raises here, it can still be asked as it is
        return None
    return made if same else None


def _taken_apart(network: Any) -> Packed | None:
    """By the class of the network, and nothing that it does otherwise than its class."""
    config, head = network.config, HEADS.get(type(network).__name__)
    if head is None or getattr(config, "is_decoder", False) or hasattr(network, "hf_device_map"):
        return None
    if getattr(config, "position_embedding_type", None) not in (None, "absolute"):
        return None
    body = network.base_model
    small = config.model_type == "distilbert"
    layers = tuple(map(_small_layer, body.transformer.layer) if small else map(_layer, body.encoder.layer))
    # Quantised and adapted ones are of other types.
    if not all(
        type(product) is torch.nn.Linear and product.bias is not None for layer in layers for product in layer.products
    ):
        return None
    made = Packed(
        network=network,
        layers=layers,
        head=head,
        padding=config.pad_token_id if config.model_type in POSITIONS_AFTER_PADDING else None,
        fused=_fuses(network),
    )
    return made if made.answers_for(network) else None


def _layer(layer: Any) -> Layer:
    attention = layer.attention
    return Layer(
        query=attention.self.query,
        key=attention.self.key,
        value=attention.self.value,
        out=attention.output.dense,
        out_norm=attention.output.LayerNorm,
        up=layer.intermediate.dense,
        activation=layer.intermediate.intermediate_act_fn,
        down=layer.output.dense,
        down_norm=layer.output.LayerNorm,
        heads=attention.self.num_attention_heads,
    )


def _small_layer(layer: Any) -> Layer:
    """Of DistilBERT."""
    return Layer(
        query=layer.attention.q_lin,
        key=layer.attention.k_lin,
        value=layer.attention.v_lin,
        out=layer.attention.out_lin,
        out_norm=layer.sa_layer_norm,
        up=layer.ffn.lin1,
        activation=layer.ffn.activation,
        down=layer.ffn.lin2,
        down_norm=layer.output_layer_norm,
        heads=layer.attention.n_heads,
    )


def _pooled(network: Any, firsts: Tensor) -> Tensor:
    logits: Tensor = network.classifier(network.base_model.pooler(firsts))
    return logits


def _classified(network: Any, firsts: Tensor) -> Tensor:
    logits: Tensor = network.classifier(firsts)
    return logits


def _rectified(network: Any, firsts: Tensor) -> Tensor:
    logits: Tensor = network.classifier(torch.relu(network.pre_classifier(firsts[:, 0])))
    return logits


HEADS: dict[str, Head] = {
    "BertForSequenceClassification": _pooled,
    "RobertaForSequenceClassification": _classified,
    "XLMRobertaForSequenceClassification": _classified,
    "CamembertForSequenceClassification": _classified,
    "ElectraForSequenceClassification": _classified,
    "DistilBertForSequenceClassification": _rectified,
}


def _fuses(network: Any) -> bool:
    """bfloat16 on a processor: float32 is no faster that way."""
    if network.device.type != "cpu" or network.dtype is not torch.bfloat16:
        return False
    operators = torch.ops.mkldnn
    return hasattr(operators, "_linear_pointwise") and bool(operators._is_mkldnn_bf16_supported())


def _fused(module: Any, states: Tensor, activation: str) -> Tensor:
    # torch copies the bias into the result before it multiplies, a tenth of all the time with products this fast.
    pointwise = torch.ops.mkldnn._linear_pointwise
    product: Tensor = pointwise(states, module.weight, module.bias, activation, [], "none")
    return product


def _attended(query: list[Tensor], key: list[Tensor], value: list[Tensor]) -> Tensor:
    """(asking tokens, width)"""
    parts = [
        scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2).flatten(0, 1)
        for q, k, v in zip(query, key, value, strict=True)
    ]
    return _joined(parts)


def _joined(parts: list[Tensor]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _each(kinds: Tensor, kind: Tensor | None) -> Tensor:
    """(tokens, width) of vectors that tokens share."""
    return kinds if kind is None else kinds.index_select(0, kind)


def _distinct(columns: Ints) -> tuple[Ints, Ints]:
    """Of (parts, tokens) the different columns, and which of them each was."""
    code = np.zeros(columns.shape[1], dtype=np.int64)
    for part in columns:
        code = code * (part.max() + 1) + part
    _, first, which = np.unique(code, return_index=True, return_inverse=True)
    return columns[:, first], which


def _by_head(states: Tensor, runs: list[Run], heads: int) -> list[Tensor]:
    """Of each run (rows, heads, tokens, width of a head)."""
    parts = states.split_with_sizes([rows * tokens for rows, tokens in runs])
    return [
        part.view(rows, tokens, heads, -1).transpose(1, 2) for part, (rows, tokens) in zip(parts, runs, strict=True)
    ]


def _places(rows: Sequences, padding: int | None) -> Ints:
    """(tokens,) position ids."""
    before = np.repeat(rows.starts[:-1], rows.lengths)
    if padding is None:
        return np.arange(len(rows.ids)) - before
    real = rows.ids != padding
    count = np.concatenate(([0], np.cumsum(real)))
    places: Ints = (count[1:] - count[before]) * real + padding
    return places
