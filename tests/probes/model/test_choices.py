"""Multiple-choice heads: the numbers of transformers, one pair at a time."""

from __future__ import annotations

import numpy as np
import pytest

from probes.core.answers import ProblemType
from probes.model.card import describe
from probes.model.load import load
from tests.tiny_models import SENTENCES, build, no_progress_bar

pytestmark = pytest.mark.engine

CONTEXT, CHOICES = SENTENCES[0], (SENTENCES[1], "a dull one", SENTENCES[2])


@pytest.fixture(scope="module", params=["bert", "roberta"])
def folder(request, tmp_path_factory):
    import torch
    import transformers

    place = build(request.param, tmp_path_factory.mktemp("choices") / request.param)
    config = transformers.AutoConfig.from_pretrained(place)
    with torch.random.fork_rng(devices=[]), no_progress_bar():
        torch.manual_seed(0)
        transformers.AutoModelForMultipleChoice.from_config(config).save_pretrained(place)
    return place


def test_the_card(folder):
    card = describe(str(folder))
    assert (card.task, card.problem, card.labels) == ("multiple-choice", ProblemType.REGRESSION, ("score",))


def test_scores_are_those_of_all_choices_together(folder):
    import torch
    from transformers import AutoModelForMultipleChoice, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    network = AutoModelForMultipleChoice.from_pretrained(folder).eval()
    rows = tokenizer([CONTEXT] * 3, list(CHOICES), padding=True, truncation=True, max_length=64, return_tensors="pt")
    with torch.inference_mode():
        expected = network(**{name: value[None] for name, value in rows.items()}).logits[0]
    found = load(str(folder), device="cpu").classify([(CONTEXT, choice) for choice in CHOICES])
    np.testing.assert_allclose(found.logits[:, 0], expected, atol=1e-5)


def test_everything_else_can_be_asked_of_it(folder):
    model = load(str(folder), device="cpu")
    pairs = [(CONTEXT, choice) for choice in CHOICES]
    assert model.embed(pairs).shape == (3, 32)
    attribution = model.attribute(pairs[:1], ["score"])[0]
    assert np.abs(attribution.scores).max() > 0
