"""Our half of the vLLM engine, over a stand-in: what is asked of vLLM, what is refused, and how failures are told."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from probes.core.attributions import Method
from probes.core.errors import ModelError, UsageError
from probes.core.generations import Decoding
from probes.core.model import Capability, ModelCard
from probes.model import vllm_start
from probes.model.cache import AnswerCache
from probes.model.card import describe
from probes.model.load import load
from probes.model.vllm_card import through_vllm
from tests import vllm_stand_in
from tests.tiny_models import SENTENCES

pytestmark = pytest.mark.engine

CPU = torch.device("cpu")
TEN = Decoding(max_tokens=10)


@pytest.fixture
def folder(tiny) -> Path:
    return tiny("llama", language=True)


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return vllm_stand_in.install(monkeypatch)


def carded(folder: Path, *, device: torch.device = CPU, trust_remote_code: bool = False, **changes) -> ModelCard:
    card = describe(str(folder)).model_copy(update=changes)
    return through_vllm(card, device=device, trust_remote_code=trust_remote_code)


def test_vllm_is_given_tokens_and_a_closed_house(folder, vllm):
    model = load(carded(folder), device="cpu")
    model.generate(SENTENCES[:2], TEN)
    llm = model.forward.llm
    assert all(isinstance(token, int) for ids, _ in llm.asked for token in ids)
    assert llm.longest == model.card.max_length
    wanted = {"load_format": "safetensors", "trust_remote_code": False, "skip_tokenizer_init": True, "seed": 0}
    wanted |= {
        "generation_config": "vllm",
        "enable_prefix_caching": False,
        "enforce_eager": True,
        "enable_chunked_prefill": False,
    }
    assert wanted.items() <= llm.settings.items()
    for name in ("VLLM_NO_USAGE_STATS", "DO_NOT_TRACK"):
        assert os.environ[name] == "1"
    assert os.environ["VLLM_ENABLE_V1_MULTIPROCESSING"] == "0"
    assert os.environ["VLLM_CPU_KVCACHE_SPACE"] == "as the user has it"


def test_draws_have_seeds_of_their_own(folder, vllm):
    model = load(carded(folder), device="cpu")
    model.forward.llm.asked.clear()
    model.generate(SENTENCES[:3], replace(TEN, samples=4, temperature=0.7))
    seeds = [how.seed for _, how in model.forward.llm.asked]
    assert len(set(seeds)) == 12
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_what_stands_behind_the_last_counted_token_is_not_read(folder, vllm):
    model = load(carded(folder), device="cpu")
    model.forward.llm.asked.clear()
    whole = model.encoder.encode_bare([SENTENCES[0]])[0]
    model.score([SENTENCES[0]], counted=[(4, 8)])
    ((ids, how),) = model.forward.llm.asked
    assert 0 < len(ids) < len(whole) / 2
    assert how.max_tokens == 1
    assert list(how.allowed_token_ids) == [whole[len(ids) - 1]]


def test_near_ties_are_told(folder, vllm):
    model = load(carded(folder), device="cpu")
    assert not model.generate(SENTENCES, TEN).near.all()
    head = model.forward.llm.network.lm_head.weight
    with torch.no_grad():  # two tokens for one: whatever wins is tied with its twin
        head[1::2] = head[:-1:2]
    model.cache = AnswerCache.open(None)
    assert model.generate(SENTENCES, TEN).near.all()
    assert not model.generate(SENTENCES, replace(TEN, temperature=1.0)).near.any()


def test_one_engine_is_not_answered_by_what_another_one_remembers(folder, vllm, tmp_path):
    cache = AnswerCache.open(tmp_path / "answers")
    for card in (describe(str(folder)), carded(folder)):
        model = load(card, device="cpu", cache=cache)
        model.score(SENTENCES)
        assert model.take_counters().computed == len(SENTENCES)
    vllm.__version__ = "0.0.next"
    newer = load(carded(folder), device="cpu", cache=cache)
    newer.score(SENTENCES)
    assert newer.take_counters().computed == len(SENTENCES)


def test_the_card_says_what_is_not_asked_and_why(folder):
    card, plain = carded(folder), describe(str(folder))
    assert card.engine == "vllm"
    assert plain.capabilities - card.capabilities == {Capability.EMBED, Capability.ATTRIBUTE} == set(card.withheld)
    assert set(card.unattributable) == set(Method)
    assert card.identity != plain.identity
    assert "vLLM" in card.notes[-1]
    assert describe(str(folder)).identity == (plain.fingerprint,)


def test_what_is_not_asked_is_refused(folder, vllm):
    model = load(carded(folder), device="cpu")
    for ask in (
        lambda: model.embed(["A fox."]),
        lambda: model.attribute_written(["A fox"], [" runs"]),
        lambda: model.attribute_written(["A fox"], [" runs"], method=Method.OCCLUSION),
    ):
        with pytest.raises(ModelError):
            ask()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base": "somewhere"}, "adapters"),
        ({"weights_format": "pickle"}, "stored as pickle"),
        ({"quantisation": "Q4_K"}, "stored as Q4_K"),
        ({"trust_remote_code": True}, "no code from"),
        ({"device": torch.device("mps")}, "does not run on mps"),
        ({"device": torch.device("cuda", 1)}, "first CUDA device"),
    ],
)
def test_what_the_engine_is_not_for_is_told(changes, message, folder):
    with pytest.raises(UsageError, match=message):
        carded(folder, **changes)


@pytest.mark.parametrize(("arch", "how"), [("bert", {}), ("bert", {"language": True}), ("t5", {"language": True})])
def test_other_kinds_of_models_are_refused(arch, how, tiny):
    with pytest.raises(UsageError, match="for causal language models"):
        carded(tiny(arch, **how))


def test_a_vllm_for_another_device_is_told(folder, monkeypatch):
    vllm_stand_in.install(monkeypatch, device="cuda")
    with pytest.raises(UsageError, match="runs on cuda, not on cpu"):
        load(carded(folder), device="cpu")


def test_a_missing_vllm_is_told(folder, monkeypatch):
    monkeypatch.setattr(vllm_start, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        load(carded(folder), device="cpu")
    assert "pip install 'responsible-audit[vllm]'" in caught.value.hint


def test_a_vllm_that_cannot_be_imported_is_told(folder, vllm, monkeypatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    monkeypatch.setattr(vllm_start, "find_spec", lambda name: vllm.__spec__)
    with pytest.raises(UsageError, match="cannot be imported"):
        load(carded(folder), device="cpu")


def test_failures_of_vllm_are_told_in_one_line(folder, vllm, monkeypatch):
    model = load(carded(folder), device="cpu")

    def fail(*_, **__):
        raise RuntimeError("\nEngine core died.\nmany lines more")

    model.forward.llm.generate = fail
    with pytest.raises(ModelError, match=r"batch of 1 texts: Engine core died\.$"):
        model.score(["A fox runs."])
    monkeypatch.setattr(vllm, "LLM", fail)
    with pytest.raises(ModelError, match=r"vLLM does not load .*: Engine core died\.$"):
        load(carded(folder), device="cpu")


def test_every_request_counts_in_full(folder, vllm):
    model = load(carded(folder), device="cpu")
    model.forward.llm.asked.clear()
    how = Decoding(max_tokens=3, samples=2, temperature=1.0)
    model.generate([*SENTENCES, SENTENCES[0]], how)
    found = model.take_counters()
    read = sum(len(ids) for ids, _ in model.forward.llm.asked)
    assert (found.asked, found.distinct, found.computed) == (2 * len(SENTENCES) + 2, 2 * len(SENTENCES), found.distinct)
    assert found.tokens >= read
