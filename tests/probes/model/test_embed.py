from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from probes.core.errors import ModelError
from probes.core.model import Capability
from probes.model.batching import Batch
from probes.model.cache import AnswerCache
from probes.model.card import describe
from probes.model.forward import Forward
from probes.model.load import load
from probes.model.sequences import packed
from tests.probes.model.conftest import PAIRS, TEXTS, opened
from tests.tiny_models import ARCHITECTURES, MAX_LENGTH, SENTENCES, save_tokenizer

pytestmark = pytest.mark.engine


def plain(folder, texts, *, part=lambda network: network.base_model):
    """Embeddings by transformers alone: one text at a time, no padding, so a plain mean over all states."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    rows = []
    for text in texts:
        parts = (text,) if isinstance(text, str) else text
        inputs = tokenizer(*parts, truncation="longest_first", max_length=MAX_LENGTH, return_tensors="pt")
        with torch.inference_mode():
            if part is None:
                states = network(**inputs, output_hidden_states=True).hidden_states[-1]
            else:
                states = part(network)(**inputs).last_hidden_state
        rows.append(states[0].double().numpy().mean(axis=0))
    return np.array(rows)


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_embeddings_are_those_of_transformers_in_any_batch(tiny, arch):
    folder = tiny(arch)
    texts = [*TEXTS, *PAIRS]
    expected = plain(folder, texts)
    assert np.ptp(expected, axis=0).min() > 0.05  # the texts do get different vectors
    for budget in (1, 1000):
        shuffled = random.Random(budget).sample(range(len(texts)), len(texts))
        model = opened(folder, budget=budget)
        got = model.embed([texts[row] for row in shuffled])
        assert got.dtype == np.float64
        np.testing.assert_allclose(got, expected[shuffled], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("arch", ["bert", "roberta", "gpt2", "llama", "deberta-v2"])
def test_the_states_are_those_the_head_reads(tiny, arch):
    folder = tiny(arch)
    expected = plain(folder, SENTENCES, part=None)
    np.testing.assert_allclose(opened(folder).embed(SENTENCES), expected, atol=1e-5, rtol=1e-5)


def bart(folder):
    from transformers import BartConfig, BartForSequenceClassification

    tokenizer = save_tokenizer("roberta", folder)
    ids = {f"{role}_token_id": tokenizer.token_to_id(name) for role, name in SPECIALS.items()}
    config = BartConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=24,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        max_position_embeddings=MAX_LENGTH,
        num_labels=3,
        forced_eos_token_id=None,
        **ids,
    )
    BartForSequenceClassification(config).eval().save_pretrained(folder)
    return folder


SPECIALS = {"bos": "<s>", "pad": "<pad>", "eos": "</s>"}


def test_of_an_encoder_decoder_the_encoder(tmp_path):
    folder = bart(tmp_path / "bart")
    expected = plain(folder, SENTENCES, part=lambda network: network.base_model.encoder)
    model = load(str(folder), device="cpu", budget=100)
    np.testing.assert_allclose(model.embed(SENTENCES), expected, atol=1e-5)


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("bfloat16", 0.1)])
def test_the_composition_of_batches_hardly_matters(tiny, dtype, tolerance):
    folder = str(tiny("bert", dtype=dtype))
    one = opened(folder, budget=1).embed(TEXTS)
    many = opened(folder).embed(TEXTS)
    assert np.abs(one - many).max() < tolerance


def test_a_card_says_that_it_embeds(tiny):
    others = {Capability.TAG, Capability.ANSWER, Capability.SCORE, Capability.GENERATE, Capability.FILL}
    assert describe(str(tiny("bert"))).capabilities == set(Capability) - others


def test_embeddings_and_answers_are_kept_apart(tiny):
    cache = AnswerCache.open(None)
    model = opened(tiny("bert", labels=tuple(f"label {number}" for number in range(32))), cache=cache)
    answers, vectors = model.classify(SENTENCES).logits, model.embed(SENTENCES)
    assert answers.shape == vectors.shape == (len(SENTENCES), 32)
    assert not np.allclose(answers, vectors)
    assert model.take_counters().cached == 0
    assert np.array_equal(model.embed(SENTENCES), vectors)
    assert np.array_equal(model.classify(SENTENCES).logits, answers)
    assert model.take_counters().computed == 0


def test_repeats_cost_nothing_and_counters_add_up(tiny):
    model = opened(tiny("bert"))
    vectors = model.embed(["a good film", "A GOOD FILM", "a good film", "a bad film"])  # the tokenizer ignores case
    assert np.array_equal(vectors[0], vectors[1])
    counters = model.take_counters()
    assert (counters.asked, counters.distinct, counters.cached, counters.computed) == (4, 2, 0, 2)
    assert counters.forward_seconds > 0


def test_no_texts(tiny):
    assert opened(tiny("bert")).embed([]).shape == (0, 32)


def test_an_interrupted_call_gives_the_same_bits(tiny):
    folder = str(tiny("bert"))
    whole = opened(folder, budget=200).embed(TEXTS)
    model = opened(folder, budget=200)

    def stop(done, total):
        if done > total / 2:
            raise KeyboardInterrupt

    model.on_progress = stop
    with pytest.raises(KeyboardInterrupt):
        model.embed(TEXTS)
    model.on_progress = None
    model.take_counters()
    assert np.array_equal(model.embed(TEXTS), whole)
    assert model.counters.cached > 0


class Body:
    """A network without a head: its states are the ids, twice; it has room for only so many tokens."""

    def __init__(self, *, room=10**9, cut=0, value=0.0):
        self.room, self.cut, self.value = room, cut, value
        self.base_model, self.config = self, SimpleNamespace(is_encoder_decoder=False)

    def __call__(self, *, input_ids, attention_mask):
        if input_ids.numel() > self.room:
            raise MemoryError
        states = torch.stack([input_ids, input_ids], dim=-1).float()
        states[attention_mask == 0] = float("nan")
        return SimpleNamespace(last_hidden_state=states[:, self.cut :] + self.value)


def forward(body):
    return Forward(body, torch.device("cpu"), pad=0, limit=200)


def test_padding_is_no_part_of_the_mean_whatever_it_holds():
    rows = packed([[2, 4, 6], [3, 5], [7]])
    (answer,) = forward(Body())([Batch(rows)], Capability.EMBED)
    assert answer.tolist() == [[4, 4], [4, 4], [7, 7]]


def test_out_of_memory_halves_the_batch_and_goes_on():
    rows = packed([[number] * 5 for number in range(40)])
    (answer,) = forward(Body(room=30))([Batch(rows)], Capability.EMBED)
    assert answer[:, 0].tolist() == list(range(40))


def test_a_network_with_fewer_states_than_tokens_is_refused():
    with pytest.raises(ModelError, match="one for each token"):
        list(forward(Body(cut=1))([Batch(packed([[1, 2]]))], Capability.EMBED))


def test_non_finite_states_are_never_scored(tiny):
    model = opened(tiny("bert"))
    model.forward.network = Body(value=float("inf"))
    model.encoder.token_types = False
    with pytest.raises(ModelError, match="NaN or infinite"):
        model.embed(SENTENCES)
