from __future__ import annotations

from types import SimpleNamespace

import pytest

from audits.config import Config
from audits.planning import attack_sources
from audits.planning.attack_sources import PROBE, add_sources
from audits.planning.parameters import parameters_of
from probes.core.errors import DataError, UsageError
from probes.registry import load_registry
from probes.robustness.adversarial.recipe import Resource
from tests.tiny_models import build


def with_sources(**how):
    registry = load_registry()
    add_sources(registry, Config(model="m", cache=False, **how), device="cpu")
    return registry.probes[PROBE]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    place = tmp_path_factory.mktemp("assistants")
    return {
        "masked": str(build("bert", place / "masked", language=True)),
        "nli": str(build("bert", place / "nli", labels=("contradiction", "Entailment", "neutral"))),
        "sentiment": str(build("bert", place / "sentiment")),
    }


def test_nothing_is_given_unless_it_is_named():
    probe = with_sources()
    assert dict(probe.given) == {}
    assert parameters_of(probe)["resources"] == ()


def test_what_is_named_is_given_and_recorded(models, tmp_path):
    (tmp_path / "words.txt").write_text("good 1 0\nfine 1 1\n", encoding="utf-8")
    probe = with_sources(
        word_vectors=str(tmp_path / "words.txt"),
        word_model=models["masked"],
        sentence_encoder=models["sentiment"],
        entailment_model=models["nli"],
    )
    assert set(probe.given) == {
        Resource.WORD_VECTORS,
        Resource.WORD_MODEL,
        Resource.SENTENCE_ENCODER,
        Resource.ENTAILMENT_MODEL,
    }
    assert probe.given[Resource.ENTAILMENT_MODEL].label == "Entailment"
    recorded = parameters_of(probe)["resources"]
    assert len(recorded) == 4
    assert probe.given[Resource.WORD_MODEL].card.fingerprint[:12] in " ".join(recorded)
    assert "given" not in parameters_of(probe)
    assert probe.given[Resource.SENTENCE_ENCODER].model.embed(["a film"]).shape[0] == 1


@pytest.mark.parametrize(
    ("option", "model", "said"),
    [
        ("word_model", "sentiment", "fills no words"),
        ("entailment_model", "sentiment", "no label called entailment"),
    ],
)
def test_a_model_that_cannot_do_it_is_refused(models, option, model, said):
    with pytest.raises(UsageError, match=said):
        with_sources(**{option: models[model]})


def test_a_missing_file_is_told():
    with pytest.raises(DataError, match="no file of word vectors"):
        with_sources(word_vectors="nowhere.txt")


@pytest.mark.parametrize(
    ("recipes", "looked"),
    [(("textfooler",), True), (("pwws", "fast"), True), (("fast", "deepwordbug"), False), ((), False)],
)
def test_wordnet_is_looked_for_where_a_recipe_makes_use_of_it(monkeypatch, recipes, looked):
    found = SimpleNamespace(parameter="WordNet 0")
    monkeypatch.setattr(attack_sources, "_wordnet", lambda: found)
    monkeypatch.setattr(attack_sources, "_installed", lambda config: None)
    assert (with_sources(recipes=recipes).given.get(Resource.WORDNET) is found) is looked
