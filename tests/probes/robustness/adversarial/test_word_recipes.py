"""Every recipe of words from end to end, on small networks with random weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Skip
from probes.model.encoders import describe_encoder, load_encoder
from probes.model.load import load
from probes.robustness.adversarial import recipes
from probes.robustness.adversarial.constraints.meaning import Fluent
from probes.robustness.adversarial.probe import Adversarial
from probes.robustness.adversarial.recipe import Resource, Sources, missing
from probes.robustness.adversarial.sources.assistants import SentenceEncoder, WordModel
from tests.tiny_models import build

TEXTS = ("the film was good and the music was lovely", "a bad story about a boring house", "they read the book twice")
RECIPES = (
    "fast", "hotflip", "textfooler", "faster-alzantot", "bae", "bert-attack", "clare", "universal-trigger",
)  # fmt: skip


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("recipes")
    return str(build("bert", place / "victim")), str(build("bert", place / "masked", language=True))


@pytest.fixture(scope="module")
def given(folders):
    victim, masked = folders
    fill = load(masked, device="cpu")
    card = describe_encoder(victim)
    return {
        Resource.WORD_MODEL: WordModel(card=fill.card, open=lambda: fill),
        Resource.SENTENCE_ENCODER: SentenceEncoder(card=card, open=lambda: load_encoder(card, device="cpu")),
    }


@pytest.mark.engine
def test_each_recipe_runs_within_its_budget_and_accounts_for_every_item(folders, given):
    model = load(folders[0], device="cpu")
    data = [Example.of(text) for text in TEXTS]
    probe = Adversarial(recipes=RECIPES, budget=25, given=given)
    records = list(probe.run(model, data, Context(probe=probe.info.id)))
    accounts = {record.slice["recipe"]: record for record in records if isinstance(record, Accounting)}
    assert set(accounts) == set(RECIPES)
    assert all(record.eligible == len(TEXTS) for record in accounts.values())
    assert not [record for record in records if isinstance(record, Skip) and "is not there" in record.detail]


@pytest.mark.engine
def test_an_encoder_gives_the_mean_of_its_last_states(folders):
    folder = folders[0]
    found = load_encoder(describe_encoder(folder), device="cpu").embed(TEXTS)
    network, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    for row, text in zip(found, TEXTS, strict=True):
        with torch.no_grad():
            states = network(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        np.testing.assert_allclose(row, states.mean(dim=0).numpy(), atol=1e-5)


@pytest.mark.parametrize("name", ["textfooler", "faster-alzantot"])
def test_word_vectors_stand_in_for_neighbours_in_the_model(name):
    recipe = recipes.RECIPES[name]
    assert missing(recipe, ()) == [Resource.NEIGHBOURS]
    assert missing(recipe, {Resource.WORD_VECTORS}) == []
    assert missing(recipes.RECIPES["pwws"], {Resource.WORD_VECTORS}) == [Resource.WORDNET]


def test_a_genetic_search_keeps_to_fluent_words_where_somebody_can_be_asked():
    recipe = recipes.RECIPES["faster-alzantot"]
    for given, limited in (({Resource.WORD_MODEL: object()}, True), ({}, False)):
        attack = recipe.attack(Sources(budget=9, given=given))
        assert any(isinstance(rule, Fluent) for rule in attack.constraints) is limited
