"""A stand-in for vLLM with the part of its interface that is used here, over transformers one request at a time.

It takes what the documentation of vLLM names and refuses everything else, and it gives what vLLM gives: of each written
token a dictionary with its own log-probability and those of the likeliest ones, of each token that was read likewise.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from probes.model.vllm_start import BEHAVIOUR, PREFERENCES


@dataclass(kw_only=True)
class SamplingParams:
    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    ignore_eos: bool = False
    stop_token_ids: Sequence[int] = ()
    logit_bias: Mapping[int, float] | None = None
    allowed_token_ids: Sequence[int] | None = None
    logprobs: int | None = None
    prompt_logprobs: int | None = None
    detokenize: bool = True


class LLM:
    """Made as `vllm.LLM`; `asked` holds the requests so far, `settings` what it was made with."""

    def __init__(self, *, model: str, max_model_len: int, dtype: str, **settings: Any) -> None:
        self.settings = settings
        self.longest = max_model_len
        self.network = AutoModelForCausalLM.from_pretrained(model, dtype=getattr(torch, dtype)).eval()
        self.asked: list[tuple[list[int], SamplingParams]] = []

    def generate(
        self, prompts: Sequence[Mapping[str, list[int]]], params: Sequence[SamplingParams], *, use_tqdm: bool
    ) -> list[Any]:
        assert not use_tqdm
        requests = [(each["prompt_token_ids"], how) for each, how in zip(prompts, params, strict=True)]
        self.asked += requests
        return [self._answer(ids, how) for ids, how in requests]

    def _answer(self, ids: list[int], how: SamplingParams) -> Any:
        assert how.ignore_eos
        assert not how.detokenize
        if not 0 < len(ids) < self.longest:  # vLLM wants room for one token at least
            raise ValueError(f"The decoder prompt (length {len(ids)}) does not fit {self.longest}.")
        written, steps, draw = [], [], torch.Generator()
        if how.seed is not None:
            draw.manual_seed(how.seed)
        while len(written) < how.max_tokens and len(ids) + len(written) < self.longest:
            logits = self._logits([*ids, *written])[-1]
            written.append(_chosen(logits, how, draw))
            steps.append(_told(logits, written[-1], how.logprobs))
            if written[-1] in how.stop_token_ids:
                break
        read = None if how.prompt_logprobs is None else [None, *self._read(ids, how.prompt_logprobs)]
        return SimpleNamespace(
            outputs=[SimpleNamespace(token_ids=written, logprobs=steps)], prompt_logprobs=read, prompt_token_ids=ids
        )

    def _logits(self, ids: list[int]) -> torch.Tensor:
        with torch.no_grad():
            return self.network(input_ids=torch.tensor([ids])).logits[0].float()

    def _read(self, ids: list[int], likeliest: int) -> list[dict[int, Any]]:
        rows = self._logits(ids)
        return [_told(row, token, likeliest) for row, token in zip(rows[:-1], ids[1:], strict=True)]


def _chosen(logits: torch.Tensor, how: SamplingParams, draw: torch.Generator) -> int:
    wanted = logits.clone()
    for token, bias in (how.logit_bias or {}).items():
        wanted[token] += bias
    if how.allowed_token_ids is not None:
        barred = torch.ones_like(wanted, dtype=torch.bool)
        barred[list(how.allowed_token_ids)] = False
        wanted[barred] = -torch.inf
    if how.temperature == 0:
        return int(wanted.argmax())
    found, tokens = (wanted / how.temperature).softmax(-1).sort(descending=True)
    found[found.cumsum(-1) - found >= how.top_p] = 0
    return int(tokens[torch.multinomial(found, 1, generator=draw)])


def _told(logits: torch.Tensor, token: int, likeliest: int | None) -> dict[int, Any] | None:
    if likeliest is None:
        return None
    logs = logits.log_softmax(-1)
    tokens = [token, *logs.topk(likeliest).indices.tolist()]
    return {each: SimpleNamespace(logprob=float(logs[each])) for each in tokens}


def install(monkeypatch: pytest.MonkeyPatch, *, device: str = "cpu") -> ModuleType:
    """Have `import vllm` give the stand-in; what is set in the environment for vLLM goes again with the patch."""
    for name in (*BEHAVIOUR, *PREFERENCES):
        monkeypatch.setenv(name, "as the user has it")
    module, platforms = ModuleType("vllm"), ModuleType("vllm.platforms")
    module.__spec__ = SimpleNamespace(name="vllm")  # type: ignore[assignment]  # what `find_spec` looks for
    vars(module).update(LLM=LLM, SamplingParams=SamplingParams, __version__="0.0.stand-in", platforms=platforms)
    vars(platforms).update(current_platform=SimpleNamespace(device_type=device))
    monkeypatch.setitem(sys.modules, "vllm", module)
    monkeypatch.setitem(sys.modules, "vllm.platforms", platforms)
    return module
