"""A recipe of TextAttack as one of ours, with a stand-in for the process that runs it."""

import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from probes.core.errors import ModelError, UsageError
from probes.robustness.adversarial.attacked import Attacked
from probes.robustness.adversarial.goals import Untargeted
from probes.robustness.adversarial.parts import VICTIM, Drawn, Outcome, Situation
from probes.robustness.adversarial.recipe import Resource, Sources
from probes.robustness.adversarial.recipes import find
from probes.robustness.adversarial.victims import ClassifierVictim
from probes.robustness.textattack.bridge import WANTS, Found, Item, Peer
from probes.robustness.textattack.child import RECIPES
from probes.robustness.textattack.recipe import FromTextAttack, beside
from tests.conftest import FakeModel


@dataclass
class StandIn:
    """Answers with what it was told to, and keeps what it was asked."""

    found: list[Found]
    asked: list[tuple[str, list[Item], int]] = field(default_factory=list)

    def attack(self, recipe, items, ask, *, budget, progress=None):
        self.asked.append((recipe, list(items), budget))
        if progress is not None:
            progress(len(items), len(items))
        self.answers = ask([item.text for item in items])
        return self.found


def likes_good(text):
    words = (text if isinstance(text, str) else text[1]).split()
    return (0.0, 2.0) if "good" in words else (1.0, 0.0)


def attempts(found, texts, *, label="positive", name="textattack:pwws", budget=40, progress=None):
    model, peer = FakeModel(likes_good), StandIn(found)
    situations = [
        Situation(item, Attacked.of(text), Drawn(random.Random(item)), label) for item, text in enumerate(texts)
    ]
    victim = ClassifierVictim(model, [Untargeted(1)] * len(texts))
    sources = Sources(budget=budget, given={Resource.TEXTATTACK: peer}, progress=progress)
    return find(name).attempts(situations, sources, {VICTIM: victim}, model=model), peer


def test_outcomes_are_those_of_our_own_goal():
    texts = ["a good film", "a good plot", "a bad film", "a good end"]
    found = [
        Found("SuccessfulAttackResult", "a fine film", 7),
        Found("FailedAttackResult", "a good story", 40),
        Found("SkippedAttackResult", "a bad film", 1),
        Found("error", None, 0, "ValueError: no"),
    ]
    got, peer = attempts(found, texts)
    assert [each.outcome for each in got] == [Outcome.BROKEN, Outcome.HELD, Outcome.WRONG_BEFORE, Outcome.UNSCORED]
    assert [each.changed for each in got] == ["a fine film", "a good story", "a bad film", "a good end"]
    assert [each.queries for each in got] == [7, 40, 1, 0]
    assert [each.out_of_budget for each in got] == [False, True, False, False]
    assert got[0].found.share_edited == pytest.approx(1 / 3)
    ((recipe, items, budget),) = peer.asked
    assert (recipe, budget, [item.label for item in items]) == ("pwws", 40, [1] * 4)
    assert len({item.seed for item in items}) == 4
    np.testing.assert_allclose(peer.answers.sum(axis=1), 1.0)


def test_whoever_waits_is_told_how_many_have_ended():
    told = []
    attempts(
        [Found("FailedAttackResult", "good", 5)] * 2, ["a good film", "good"], progress=lambda *of: told.append(of)
    )
    assert told == [(2, 2)]


def test_a_success_that_our_model_does_not_confirm_is_none():
    got, _ = attempts([Found("SuccessfulAttackResult", "a really good film", 5)], ["a good film"])
    assert got[0].outcome is Outcome.HELD


def test_of_a_pair_the_second_text_is_attacked():
    got, peer = attempts(
        [Found("SuccessfulAttackResult", ("It rains.", "a bad day"), 3)], [("It rains.", "a good day")]
    )
    assert got[0].changed == ("It rains.", "a bad day")
    assert got[0].found.edited == {1}
    assert peer.asked[0][1][0].text == ("It rains.", "a good day")


@pytest.mark.parametrize(
    ("first", "other", "edited", "origins"),
    [
        ("a good film", "a good film", set(), (0, 1, 2)),
        ("a good film", "a goood film", {1}, (0, 1, 2)),
        ("a good film", "a film", {1}, (0, 2)),
        ("a good film", "a go od film", {1}, (0, 1, 1, 2)),
        ("a good film", "a very good film", {1}, (0, 1, 1, 2)),
        ("one", "", {0}, ()),
    ],
)
def test_words_are_laid_beside_one_another(first, other, edited, origins):
    changed = beside(Attacked.of(first), other)
    assert changed.text == other
    assert changed.edited == edited
    assert changed.origins == origins


def test_a_failure_on_every_text_is_no_result():
    with pytest.raises(ModelError, match=r"failed on every text \(2\): ValueError: no"):
        attempts([Found("error", None, 0, "ValueError: no")] * 2, ["a good film", "good"])


def test_other_goals_are_refused():
    with pytest.raises(UsageError, match="only to get any other answer"):
        attempts([], ["a good film"], label=None)


def test_names_are_checked_when_they_are_given():
    with pytest.raises(UsageError, match="no recipe 'pws'") as refused:
        find("textattack:pws")
    assert "pwws" in refused.value.hint
    with pytest.raises(UsageError, match="does not run here") as refused:
        find("textattack:hotflip")
    assert "our hotflip" in refused.value.hint
    assert set(RECIPES) == set(WANTS)
    assert all(find(f"textattack:{name}").needs == (Resource.TEXTATTACK,) for name in WANTS)


def test_a_recipe_is_tried_before_it_is_used():
    FromTextAttack("pwws").require_usable(StandIn([Found("FailedAttackResult", "x", 9)]))
    with pytest.raises(ModelError):
        FromTextAttack("pwws").require_usable(StandIn([Found("error", None, 0, "AttributeError: old")]))


@pytest.mark.textattack
@pytest.mark.skipif(not os.environ.get("AUDIT_TEXTATTACK_PYTHON"), reason="AUDIT_TEXTATTACK_PYTHON names no TextAttack")
def test_textattack_itself(tmp_path, monkeypatch):
    """The same texts found in a crowd and backwards; and a query budget that holds."""
    words = tmp_path / "nltk_data" / "corpora" / "stopwords" / "english"
    words.parent.mkdir(parents=True)
    words.write_text("a\nand\nthe\n")
    monkeypatch.setenv("NLTK_DATA", str(tmp_path / "nltk_data"))
    peer = Peer(Path(os.environ["AUDIT_TEXTATTACK_PYTHON"]), tmp_path)
    items = [
        Item(text, 1, seed) for seed, text in enumerate(["a good film", "such a good and kind plot", "good enough"])
    ]

    def ask(texts):
        good = np.array([likes_good(text) for text in texts])
        return np.exp(good) / np.exp(good).sum(axis=1, keepdims=True)

    found = peer.attack("deepwordbug", items, ask, budget=100)
    assert {each.outcome for each in found} == {"SuccessfulAttackResult"}
    assert peer.attack("deepwordbug", items[::-1], ask, budget=100) == found[::-1]
    assert peer.attack("deepwordbug", items[1:2], ask, budget=2)[0].queries == 2
