"""Estimates from gradients, and neighbours in the embedding table, on a small network."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from probes.core.model import Capability
from probes.core.words import spans
from probes.model.batching import Batch
from probes.model.load import load
from tests.tiny_models import build

pytestmark = pytest.mark.engine

TEXTS = ("the film was good and the music was lovely", "a bad story")


@pytest.fixture(scope="module", params=["bert", "roberta"])
def model(request, tmp_path_factory):
    return load(str(build(request.param, tmp_path_factory.mktemp("flips") / request.param)), device="cpu")


def single(model, text):
    """Places whose word is one token."""
    return [span for span in spans(text) if (model.encoder.encode_places([text], [[span]]).words == 0).sum() == 1]


def moved(model, text, label, span, other, step):
    """The lead of a label with the embedding of a word moved a step towards that of another."""
    (place,) = np.flatnonzero(model.encoder.encode_places([text], [[span]]).words == 0)
    ids, mask, types = model.forward.inputs(Batch(model.encoder.encode([text])))
    embedding = model.explainer.embedding
    vectors = embedding.vectors(ids).clone()
    (token,) = model.encoder.encode_bare([f" {other}"])[0]
    vectors[0, place] += step * (embedding.vectors(torch.tensor([[token]]))[0, 0] - vectors[0, place])
    with torch.no_grad():
        logits = embedding.output(vectors, ids, mask, types).logits[0].double()
    own = model.card.labels.index(label)
    others = torch.cat([logits[:own], logits[own + 1 :]])
    return float(logits[own] - others.logsumexp(0))


def test_gains_are_the_slope_of_the_lead(model):
    text, label = TEXTS[0], model.card.labels[0]
    others = model.whole_words.words[:2]
    for span in single(model, text)[:3]:
        found = model.gains([text], [label], [[(span, other) for other in others]])[0]
        slopes = [
            (moved(model, text, label, span, other, -0.01) - moved(model, text, label, span, other, 0.01)) / 0.02
            for other in others
        ]
        np.testing.assert_allclose(found, slopes, rtol=0.03, atol=1e-4)


def test_flips_are_the_words_with_the_highest_gains(model):
    text, label = TEXTS[0], model.card.labels[0]
    span = single(model, text)[0]
    words = model.whole_words.words
    gains = model.gains([text], [label], [[(span, word) for word in words]])[0]
    for sign in (1.0, -1.0):
        best = model.flips([text], [label], [[span]], count=3, sign=sign)[0][0]
        np.testing.assert_allclose([value for _, value in best], np.sort(sign * gains)[::-1][:3], rtol=1e-6)
    assert len({word for word, _ in best}) == 3


def test_what_is_shared_is_the_mean_over_the_texts(model):
    label = model.card.labels[0]
    places = [single(model, text)[0] for text in TEXTS]
    word, value = model.shared_flips(TEXTS, [label] * 2, places, count=1, sign=1.0)[0]
    swaps = [[(place, word)] for place in places]
    assert value == pytest.approx(float(np.mean(model.gains(TEXTS, [label] * 2, swaps))), rel=1e-6)


def test_a_text_gives_the_same_estimates_alone_and_in_company(model):
    label = model.card.labels[0]
    swaps = [[(single(model, text)[0], "music")] for text in TEXTS]
    together = model.gains(TEXTS, [label] * 2, swaps)
    fresh = replace(model, cache=type(model.cache).open(None))
    alone = [fresh.gains([text], [label], [swap])[0] for text, swap in zip(TEXTS, swaps, strict=True)]
    np.testing.assert_allclose(np.concatenate(together), np.concatenate(alone), atol=1e-5)


def test_slants_of_two_labels_are_opposite_when_there_are_no_others(model):
    words = ["good", "bad", "unbelievably"]
    one, other = (model.slants(words, label=label, texts=TEXTS) for label in model.card.labels[:2])
    if len(model.card.labels) == 2:
        np.testing.assert_allclose(one[0], -other[0], rtol=1e-4, atol=1e-7)
    assert np.abs(one[0]).max() > 0
    assert one[1].tolist() == [len(ids) == 1 for ids in model.encoder.encode_bare([f" {word}" for word in words])]


def test_neighbours_are_those_with_the_highest_cosine(model):
    known = model.whole_words
    word = known.words[5]
    table = known.table[known.ids].astype(np.float64)
    table /= np.linalg.norm(table, axis=1, keepdims=True)
    cosines = table @ table[5]
    order = [row for row in np.argsort(-cosines, kind="stable") if row != 5][:4]
    found = model.neighbours([word, "zzzzqq"], count=4)
    np.testing.assert_allclose([cosine for _, cosine in found[0]], cosines[order], atol=2e-5)
    assert word not in [other for other, _ in found[0]]
    assert len(found[1]) == 4  # of several tokens
    assert Capability.NEIGHBOURS in model.card.capabilities
