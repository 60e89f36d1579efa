"""Integrated gradients of networks whose gradients jump: rectifiers (DistilBERT's head, T5), rough weights (BART)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from probes.core.attributions import Baseline
from probes.model import gradients
from probes.model.batching import Batch
from probes.model.cache import AnswerCache
from probes.model.engine import TransformersModel
from probes.model.load import load
from probes.model.pooling import SPECIAL, pooled
from tests.tiny_models import MAX_LENGTH, SENTENCES, save_tokenizer

pytestmark = pytest.mark.engine

TEXTS = list(SENTENCES[:4])
TARGETS = ["positive"] * len(TEXTS)
LAST_RULE = 87
STEPS = 200
LABELS = {"id2label": {0: "negative", 1: "positive"}, "label2id": {"negative": 0, "positive": 1}}


def encoder_decoder(folder, make, **settings):
    """A network of `make(**ids)` with random weights."""
    tokenizer = save_tokenizer("roberta", folder)
    ids = {"vocab_size": tokenizer.get_vocab_size()} | LABELS | settings
    ids |= {"pad_token_id": tokenizer.token_to_id("<pad>"), "eos_token_id": tokenizer.token_to_id("</s>")}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        make(ids).eval().save_pretrained(folder)
    return folder


def t5(folder, factor):
    from transformers import T5Config, T5ForSequenceClassification

    sizes = {"d_model": 32, "d_kv": 8, "num_layers": 2, "num_decoder_layers": 2, "num_heads": 4, "d_ff": 48}
    return encoder_decoder(
        folder,
        lambda ids: T5ForSequenceClassification(T5Config(**ids, decoder_start_token_id=ids["pad_token_id"])),
        initializer_factor=factor,
        **sizes,
    )


def bart(folder, spread):
    from transformers import BartConfig, BartForSequenceClassification

    sides = ("encoder", "decoder")
    sizes = {f"{side}_layers": 2 for side in sides} | {f"{side}_attention_heads": 4 for side in sides}
    return encoder_decoder(
        folder,
        lambda ids: BartForSequenceClassification(BartConfig(**ids, decoder_start_token_id=ids["eos_token_id"])),
        d_model=32,
        max_position_embeddings=MAX_LENGTH,
        init_std=spread,
        forced_eos_token_id=None,
        **sizes,
        **{f"{side}_ffn_dim": 48 for side in sides},
    )


@pytest.fixture(scope="module")
def rough(tiny, tmp_path_factory) -> Callable[[str], TransformersModel]:
    """Networks by kind and size of their weights, each time with no answers remembered."""

    @cache
    def made(name: str) -> TransformersModel:
        kind, size = name.split()
        if kind == "distilbert":
            return load(str(tiny(kind, config={"initializer_range": float(size)})), device="cpu")
        build = {"t5": t5, "bart": bart}[kind]
        return load(str(build(tmp_path_factory.mktemp(kind), float(size))), device="cpu")

    return lambda name: replace(made(name), cache=AnswerCache.open(None))


def midpoints(count):
    """Integration without any judgement: the mean over the middles of `count` equal pieces of the path."""

    def integrated(path_gradients, differences):
        nodes = (np.arange(count) + 0.5) / count
        rows = np.arange(len(differences))
        return path_gradients(rows, nodes).mean(axis=1), np.full(len(rows), count)

    return integrated


def by_hand(model, text, target, steps):
    """(words,) scores without any of the engine's hooks: every point of the path is a row of a larger embedding table.

    The table is the network's own with those rows behind it, so whatever looks an id up (encoder, decoder, shifted or
    not) finds the point of the path; the gradient is that of the table.
    """
    network = model.forward.network
    rows = model.encoder.encode_words([text])
    ids, mask, _ = model.forward.inputs(Batch(rows))
    (places,) = np.nonzero(rows.words != SPECIAL)
    old = network.get_input_embeddings().weight.detach()
    start = old[model.forward.pad]
    way = old[ids[0, places]] - start
    shares = (torch.arange(steps)[:, None, None] + 0.5) / steps
    table = torch.nn.Parameter(torch.cat([old, (start + shares * way).view(-1, old.shape[1])]))
    asked = ids.repeat(steps, 1)
    asked[:, places] = len(old) + torch.arange(steps * len(places)).view(steps, -1)
    modules = [
        each for each in network.modules() if isinstance(each, torch.nn.Embedding) and len(each.weight) == len(old)
    ]
    kept = [each.weight for each in modules]
    try:
        for each in modules:
            each.weight = table
        logits = network(input_ids=asked, attention_mask=mask.repeat(steps, 1)).logits[
            :, model.card.labels.index(target)
        ]
        logits.sum().backward()
    finally:
        for each, weight in zip(modules, kept, strict=True):
            each.weight = weight
    slopes = table.grad[len(old) :].view(steps, len(places), -1).mean(dim=0)
    tokens = np.zeros(ids.shape[1])
    tokens[places] = (slopes * way).sum(dim=1).double().numpy()
    return pooled(text, rows.words_of(0), tokens)[1]


@pytest.mark.parametrize("name", ["distilbert 0.1", "distilbert 0.3", "t5 1.0", "bart 0.3"])
def test_the_path_is_the_one_between_the_embeddings_and_nothing_else_moves(rough, name, monkeypatch):
    model = rough(name)
    monkeypatch.setattr(gradients, "integrated", midpoints(STEPS))
    for found, text in zip(model.attribute(TEXTS[:2], TARGETS[:2], baseline=Baseline.PAD), TEXTS[:2], strict=True):
        expected = by_hand(model, text, "positive", STEPS)
        np.testing.assert_allclose(found.scores, expected, atol=1e-3 * np.abs(expected).max())
        assert found.special == pytest.approx(0, abs=1e-6)
        assert found.relative_delta < 0.05


@pytest.mark.parametrize("name", ["distilbert 0.3", "t5 1.0"])
def test_where_rectifiers_bend_the_path_the_error_falls_as_points_are_added(rough, name, monkeypatch):
    errors = []
    for count in (20, 1280):
        monkeypatch.setattr(gradients, "integrated", midpoints(count))
        errors.append(np.mean([each.relative_delta for each in rough(name).attribute(TEXTS, TARGETS)]))
    assert errors[1] < errors[0] / 5
    assert errors[1] < 0.02


@pytest.mark.parametrize("baseline", [None, Baseline.PAD])
@pytest.mark.parametrize("name", ["distilbert 0.1", "distilbert 0.3", "t5 1.0", "t5 2.0", "bart 0.3"])
def test_what_does_not_add_up_had_every_point_and_is_told(rough, name, baseline):
    found = rough(name).attribute(TEXTS, TARGETS, baseline=baseline)
    assert {each.points for each in found} <= {21, 43, LAST_RULE}
    for each in found:
        assert each.relative_delta is not None
        # Judged token by token while points are added, and a word is the sum of several.
        assert each.points == LAST_RULE or each.relative_delta < 0.015
        assert each.relative_delta < (np.inf if name == "t5 2.0" else 0.25)


def test_a_network_too_rough_for_any_rule_is_not_passed_off_as_explained(rough):
    """T5's weights at twice their size: its answers change thousands of times along the path."""
    found = rough("t5 2.0").attribute(TEXTS, TARGETS)
    assert {each.points for each in found} == {LAST_RULE}
    assert np.median([each.relative_delta for each in found]) > 0.05
