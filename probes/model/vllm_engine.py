"""vLLM in the place of the network: the same questions about the same tokens, answered by another engine.

What is read, cached, counted and told of an answer is the matter of `probes.model.engine` as ever. Here a batch of
sequences becomes requests to vLLM, token ids and never texts, and what it returns becomes the rows that `Forward` would
have given. vLLM is imported when a model is loaded, never to describe or plan.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM, GenerationConfig

from probes.core.errors import ModelError
from probes.core.model import VLLM, Capability, ModelCard
from probes.model.batching import Batch
from probes.model.failures import loading
from probes.model.forward import Forward, Question
from probes.model.generation import HEAD, Write
from probes.model.left_to_right import LeftToRight
from probes.model.parts import Parts
from probes.model.passages import SCORED
from probes.model.sequences import Sequences
from probes.model.vllm_card import INSTEAD
from probes.model.vllm_start import first_line, opened, quiet

Rows = NDArray[np.float32]

QUEUE = 4
"""Times as many tokens are handed over at once as fit into a batch of ours: it makes batches of its own, and what ends
early makes room for what waits."""


def skeleton(parts: Parts) -> Any:
    """The network as transformers builds it, without memory for weights: its settings, its sizes, its habits.

    Raises:
        ModelError: transformers does not know it.
    """
    with loading(str(parts.place.given)), torch.device("meta"):
        network = AutoModelForCausalLM.from_config(parts.config, trust_remote_code=False).eval()
    if (parts.body / "generation_config.json").is_file():
        network.generation_config = GenerationConfig.from_pretrained(parts.body)
    # Nothing is shared between requests, so each costs and counts in full, see `probes.model.unfinished.goes_on`.
    network._is_stateful = True
    return network


@dataclass(kw_only=True)
class Vllm(Forward):
    """vLLM on a device, asked like a network.

    Attributes:
        network: the skeleton of the model.
        llm: `vllm.LLM`.
        parameters: `vllm.SamplingParams`.
        version: of vLLM.
    """

    llm: Any
    parameters: Callable[..., Any]
    version: str

    @classmethod
    def of(
        cls,
        card: ModelCard,
        parts: Parts,
        network: Any,
        device: torch.device,
        *,
        dtype: str,
        pad: int,
        limit: int,
    ) -> Vllm:
        """Load the weights, for texts of at most the card's length.

        Raises:
            UsageError: no vLLM is installed, or one for another device.
            ModelError: it does not load the model.
        """
        module, llm = opened(card, parts.body, device, dtype=dtype)
        return cls(
            network=network,
            device=device,
            pad=pad,
            limit=limit,
            llm=llm,
            parameters=module.SamplingParams,
            version=str(module.__version__),
        )

    @property
    def way(self) -> str:
        """Part of what an answer depends on: another version may give other numbers."""
        return f"{VLLM} {self.version}"

    def __call__(self, batches: Iterable[Batch], question: Question = Capability.CLASSIFY) -> Iterator[Rows]:
        """The answers about each batch, in order: `Write` and `LeftToRight` only.

        Raises:
            ModelError: another question, or vLLM fails.
        """
        for batch in batches:
            started = time.perf_counter()
            rows = self._answered(batch.rows, question)
            self.seconds += time.perf_counter() - started
            yield rows

    def _answered(self, rows: Sequences, question: Question) -> Rows:
        if isinstance(question, Write):
            return self._written(rows, question)
        if isinstance(question, LeftToRight):
            return self._scored(rows)
        raise ModelError("this cannot be asked of a model through vLLM", hint=INSTEAD)

    def _written(self, rows: Sequences, how: Write) -> Rows:
        """(rows, width) answers, as `Write` gives them."""
        ids = [rows.ids[a:b].tolist() for a, b in _bounds(rows)]
        found = self._ask(ids, [self._sampling(how, seed) for seed in _seeds(rows, how)])
        return np.stack([_answer(each.outputs[0], how) for each in found])

    def _sampling(self, how: Write, seed: int | None) -> Any:
        """One request. Stopping is by token, as ours; penalties, top-k and the like stay off."""
        return self.parameters(
            max_tokens=how.longest,
            temperature=how.temperature,
            top_p=how.top_p,
            seed=seed,
            ignore_eos=True,
            stop_token_ids=list(how.habits.ends),
            logit_bias=dict.fromkeys(how.habits.never, -100.0) or None,
            logprobs=2 if how.temperature == 0 else 0,
            detokenize=False,
        )

    def _scored(self, rows: Sequences) -> Rows:
        """(rows, most scored tokens) log-probabilities; what follows a row's own is 0."""
        texts = [_Scored.of(rows, row) for row in range(len(rows))]
        asked = [row for row, text in enumerate(texts) if len(text.places)]
        found = self._ask([texts[row].before for row in asked], [self._scoring(texts[row]) for row in asked])
        answers = np.zeros((len(rows), max(1, *(len(text.places) for text in texts))), dtype=np.float32)
        for row, each in zip(asked, found, strict=True):
            logs = texts[row].logs(each)
            answers[row, : len(logs)] = logs
        return answers

    def _scoring(self, text: _Scored) -> Any:
        """One request: the last scored token is the only one that may be written, so its log-probability is that of a
        token written, as the model gives it before anything is ruled out."""
        return self.parameters(
            max_tokens=1,
            temperature=0.0,
            ignore_eos=True,
            allowed_token_ids=[text.last],
            logprobs=0,
            prompt_logprobs=0 if len(text.places) > 1 else None,
            detokenize=False,
        )

    def _ask(self, prompts: Sequence[list[int]], how: Sequence[Any]) -> list[Any]:
        """What vLLM returns for n prompts, in their order."""
        if not prompts:
            return []
        try:
            with quiet():
                found: list[Any] = self.llm.generate(
                    [{"prompt_token_ids": ids} for ids in prompts], list(how), use_tqdm=False
                )
        except Exception as error:  # vLLM raises every kind there is
            raise ModelError(
                f"vLLM fails on a batch of {len(prompts)} texts: {first_line(error)}",
                hint=f"{INSTEAD}; if it fails there too, the model itself cannot run these texts",
            ) from error
        return found


@dataclass(frozen=True, slots=True)
class _Scored:
    """One text of which tokens are scored.

    Attributes:
        places: where those are.
        before: what is read: all that stands before the last of them.
        last: the last of them.
    """

    places: list[int]
    before: list[int]
    last: int

    @classmethod
    def of(cls, rows: Sequences, row: int) -> _Scored:
        ids = rows.ids[rows.starts[row] : rows.starts[row + 1]].tolist()
        places = np.flatnonzero(rows.words_of(row) == SCORED).tolist()
        end = places[-1] if places else 0
        return cls(places=places, before=ids[:end], last=ids[end])

    def logs(self, output: Any) -> list[float]:
        """The log-probabilities of the scored tokens, from what vLLM returns."""
        read = [output.prompt_logprobs[place][self.before[place]].logprob for place in self.places[:-1]]
        return [*read, output.outputs[0].logprobs[0][self.last].logprob]


def _bounds(rows: Sequences) -> Iterator[tuple[int, int]]:
    return pairwise(rows.starts.tolist())


def _seeds(rows: Sequences, how: Write) -> list[int | None]:
    """Of each row a stream of draws of its own: by the seed, the tokens and the number of the sample."""
    if how.temperature == 0:
        return [None] * len(rows)
    keys = rows.keys(f"draws {how.seed}".encode()[:64])
    return [int.from_bytes(key[:8], "little") >> 1 for key in keys]


def _answer(written: Any, how: Write) -> Rows:
    """(width,): how many tokens, did the model end them, the first near tie; tokens, and their log-probabilities."""
    ids, steps = list(written.token_ids), written.logprobs
    near = [place for place, step in enumerate(steps) if how.temperature == 0 and _close(step, how.tolerance)]
    row = np.zeros(how.width, dtype=np.float32)
    row[:HEAD] = len(ids), ids[-1] in how.habits.ends, min(near, default=how.longest)
    row[HEAD : HEAD + len(ids)] = ids
    logs = [step[token].logprob for token, step in zip(ids, steps, strict=True)]
    row[HEAD + how.longest : HEAD + how.longest + len(ids)] = logs
    return row


def _close(step: Any, tolerance: float) -> bool:
    """Whether the two likeliest tokens are a near tie."""
    first, second, *_ = sorted((each.logprob for each in step.values()), reverse=True)
    return bool(first - second < tolerance)
