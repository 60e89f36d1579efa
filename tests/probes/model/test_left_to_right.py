"""Texts that begin alike are read together and scored as one by one, by every network for which that is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from probes.core.likelihoods import Scoring
from probes.model.asking import Counters
from probes.model.batching import Batch
from probes.model.cache import AnswerCache
from probes.model.left_to_right import LeftToRight, sharing_is_exact
from probes.model.load import load
from probes.model.scoring import scoring
from tests.tiny_models import SENTENCES, build, no_progress_bar, save_tokenizer

pytestmark = pytest.mark.engine

ENDS = ("good.", "not good", "really quite bad, and dull", "good")
TEXTS = (
    *((f"{sentence} It was", end) for sentence in SENTENCES for end in ENDS),
    *SENTENCES,
    *(sentence.replace("was", "is") for sentence in SENTENCES),
    SENTENCES[0][:30],
    SENTENCES[0][:31],
)
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 64,
    "initializer_range": 0.3,
}
OTHERS = {
    "qwen2": SMALL,
    "gpt_neox": {name: value for name, value in SMALL.items() if name != "num_key_value_heads"},
    "mistral": SMALL | {"sliding_window": 8},
    "bloom": {"hidden_size": 32, "n_layer": 2, "n_head": 4, "initializer_range": 0.3},
    "gpt_neo": {
        "hidden_size": 32,
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
        "window_size": 8,
        "max_position_embeddings": 64,
        "initializer_range": 0.3,
    },
    "rwkv": {"hidden_size": 32, "num_hidden_layers": 2, "context_length": 64, "attention_hidden_size": 32},
}
SHARING = ("gpt2", "llama", "qwen2", "gpt_neox")


def made(arch, folder):
    """A tiny random language model of any architecture, with the tokenizer of the tiny Llama."""
    if arch not in OTHERS:
        return build(arch, folder, language=True)
    tokenizer = save_tokenizer("llama", folder)
    ids = {f"{role}_token_id": tokenizer.token_to_id(name) for role, name in (("bos", "<s>"), ("eos", "</s>"))}
    settings = OTHERS[arch] | ids | {"pad_token_id": None, "vocab_size": tokenizer.get_vocab_size() + 8}
    with torch.random.fork_rng(devices=[]), no_progress_bar():
        torch.manual_seed(0)
        AutoModelForCausalLM.from_config(AutoConfig.for_model(arch, **settings)).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=("gpt2", "llama", *OTHERS))
def model(request, tmp_path_factory):
    return load(str(made(request.param, tmp_path_factory.mktemp("lm") / request.param)), device="cpu")


def fresh(model, **changes):
    return replace(model, cache=AnswerCache.open(None), counters=Counters(), **changes)


@pytest.fixture(scope="module")
def alone(model):
    """Every text in a batch of its own."""
    return fresh(model, shares=False, budget=1).score(TEXTS)


def test_those_share_for_which_it_is_exact(model):
    assert model.shares == (model.card.model_type in SHARING)


def test_together_as_one_at_a_time(model, alone):
    together = fresh(model).score(TEXTS)
    assert together.starts.tolist() == alone.starts.tolist()
    assert together.logs == pytest.approx(alone.logs, abs=1e-4)


def test_what_is_in_common_goes_through_the_network_once(model):
    given = f"{SENTENCES[0]} It was"
    asked = [(given, end) for end in ENDS]
    tokens = []
    for shares in (model.shares, False):
        one = fresh(model, shares=shares)
        one.score(asked)
        tokens.append(one.take_counters().tokens)
    if model.shares:
        assert tokens[0] < 0.5 * tokens[1]
    else:
        assert tokens[0] == tokens[1]


def test_what_stands_behind_the_scored_tokens_is_not_read(model):
    whole, end = " ".join(SENTENCES[:2]), len(SENTENCES[0])
    one = fresh(model)
    found = one.score([whole], counted=[(0, end)])
    assert one.take_counters().tokens <= found.counts[0] + 1
    assert found.logs == pytest.approx(fresh(model).score([SENTENCES[0]]).logs, abs=1e-4)


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory):
    return load(str(build("gpt2", tmp_path_factory.mktemp("lm") / "gpt2", language=True)), device="cpu")


def test_answers_are_kept_for_each_text(gpt2):
    one = fresh(gpt2)
    first = one.score(TEXTS)
    again = one.score(TEXTS[5:8])
    assert one.counters.computed == len(set(TEXTS))
    assert again.logs.tolist() == first[np.arange(5, 8)].logs.tolist()


def test_an_interrupted_question_gives_the_same_bits(gpt2):
    expected = fresh(gpt2, budget=60).score(TEXTS).logs
    network, calls = gpt2.forward.network, []

    def interrupted(**inputs):
        calls.append(None)
        if len(calls) > 4:
            raise KeyboardInterrupt
        return network(**inputs)

    cut = fresh(gpt2, budget=60)
    cut.forward = replace(gpt2.forward, network=Wrapped(network, interrupted))
    with pytest.raises(KeyboardInterrupt):
        cut.score(TEXTS)
    resumed = fresh(gpt2, budget=60)
    resumed.cache = cut.cache
    assert resumed.score(TEXTS).logs.tolist() == expected.tolist()
    assert resumed.counters.cached > 0
    assert resumed.score(TEXTS[::-1]).totals.tolist() == resumed.score(TEXTS).totals[::-1].tolist()


class Wrapped:
    """A network that is called in another way."""

    def __init__(self, network, call):
        self._network, self._call = network, call

    def __call__(self, **inputs):
        return self._call(**inputs)

    def __getattr__(self, name):
        return getattr(self._network, name)


def test_when_memory_runs_out_families_are_read_in_parts(gpt2):
    most = []

    def cramped(**inputs):
        most.append(inputs["input_ids"].numel())
        if most[-1] > 40:
            raise MemoryError
        return gpt2.forward.network(**inputs)

    one = fresh(gpt2)
    one.forward = replace(gpt2.forward, network=Wrapped(gpt2.forward.network, cramped))
    asked = [(SENTENCES[0], f"{end} {number}") for end in ENDS for number in range(20)]
    assert one.score(asked).logs == pytest.approx(fresh(gpt2, shares=False).score(asked).logs, abs=1e-4)
    assert max(most) > 40 > one.forward.limit


def test_logits_that_are_too_many_are_computed_in_parts(gpt2, monkeypatch):
    expected, most = fresh(gpt2).score(TEXTS).logs, []
    monkeypatch.setattr("probes.model.left_to_right.LOGITS", 400 * 20)
    head = gpt2.forward.network.get_output_embeddings()
    hook = head.register_forward_hook(lambda _, given, __: most.append(given[0].shape[:-1].numel()))
    assert fresh(gpt2).score(TEXTS).logs == pytest.approx(expected, abs=1e-4)
    hook.remove()
    assert max(most) <= max(20, *fresh(gpt2).score(TEXTS).counts)  # a single text may have more


def test_logits_are_computed_where_they_are_asked_for(gpt2):
    """The head sees as many states as there are different places that a scored token follows."""
    seen = []
    head = gpt2.forward.network.get_output_embeddings()
    hook = head.register_forward_hook(lambda _, given, __: seen.append(given[0].shape[:-1].numel()))
    found = fresh(gpt2).score([(SENTENCES[0], end) for end in ("good", "bad", "weak")])
    hook.remove()
    scored = [tuple(found.ids[found.tokens_of(row)].tolist()) for row in range(len(found))]
    assert seen == [len({tokens[:place] for tokens in scored for place in range(len(tokens))})]


def test_a_network_that_reads_another_place_of_a_token_is_found_out(gpt2):
    network = gpt2.forward.network

    def placeless(**inputs):
        inputs.pop("position_ids", None)
        return network(**inputs)

    forward = replace(gpt2.forward, network=Wrapped(network, placeless))
    assert sharing_is_exact(gpt2.forward, gpt2.encoder, tolerance=1e-4)
    assert not sharing_is_exact(forward, gpt2.encoder, tolerance=1e-4)


def test_the_question_is_one_of_its_kind(gpt2):
    how = scoring(Scoring.LEFT_TO_RIGHT, gpt2.forward.network, gpt2.encoder.tokenizer, shares=True)
    assert how == LeftToRight(vocabulary=400, shares=True)


def test_rows_come_back_in_their_order(gpt2):
    """A question may be asked directly, of rows in any order."""
    rows = gpt2.encoder.encode(list(SENTENCES[:3]))
    rows = replace(rows, words=np.zeros(len(rows.ids), dtype=np.int32))
    rows.words[rows.starts[:-1]] = -1
    how = LeftToRight(vocabulary=400, shares=True)
    one = how(gpt2.forward, Batch(rows))
    two = how(gpt2.forward, Batch(rows.take(np.array([2, 0, 1]))))
    assert one[:, : two.shape[1]].numpy()[[2, 0, 1]] == pytest.approx(two.numpy(), abs=1e-5)
