"""Membership by likelihood: statistics against textbook ones, planted memory, samples that differ anyway."""

from __future__ import annotations

import math
import zlib
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from probes.core.answers import ProblemType
from probes.core.known_texts import KnownTexts
from probes.core.probe import Context
from probes.core.records import Accounting, Measurement, Skip, SkipReason
from probes.privacy.blind import blind_scores
from probes.privacy.membership import Membership
from probes.privacy.membership_scores import Compared
from tests.conftest import generator_card, language_card
from tests.probes.privacy.keeping import MORE, WORDS, Keeping, keeper, known, texts

FEW = {"resamples": 300}


def run(model, probe=None, **changes):
    probe = replace(probe or Membership(texts=known()), **{**FEW, **changes})
    return list(probe.run(model, [], Context(probe=probe.info.id)))


def numbers(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


@pytest.mark.parametrize("problem", [ProblemType.CAUSAL_LM, ProblemType.MASKED_LM])
def test_what_was_kept_is_recognised(problem):
    model = replace(keeper(), card=language_card(problem))
    found = numbers(run(model))
    for score in ("loss", "min_k", "zlib"):
        assert found[f"auc[score={score}]"].low > 0.55
        assert found[f"auc_over_blind[score={score}]"].low > 0.0
    assert 0.3 < found["blind_auc"].value < 0.7


def test_a_model_that_kept_nothing_is_not_accused():
    found = numbers(run(Keeping()))
    for score in ("loss", "min_k", "zlib"):
        assert found[f"auc[score={score}]"].low < 0.5 < found[f"auc[score={score}]"].high


def test_samples_that_differ_anyway_are_seen_without_the_model():
    other = KnownTexts.of(texts("one", 80, vocabulary=WORDS), texts("two", 80, vocabulary=(*WORDS, *MORE)))
    records = run(Keeping(), Membership(texts=other))
    found = numbers(records)
    (account,) = [record for record in records if isinstance(record, Accounting)]
    assert "told apart without the model" in account.note
    assert found["blind_auc"].low > 0.9
    assert found["auc_over_blind[score=loss]"].high < 0.0


def test_a_length_alone_is_seen_without_the_model():
    short, long = texts("one", 60, words=12), texts("two", 60, words=40)
    both = [text.text for text in (*short, *long)]
    seen = np.arange(120) < 60
    scores = blind_scores(both, seen, clusters=both)
    assert roc_auc_score(seen, scores) > 0.95


def test_a_blind_guess_learns_nothing_from_the_text_itself():
    """Were a text among those learned from, words of its own would give it away."""
    both = [f"word{k} other{k} third{k}" for k in range(100)]
    seen = np.arange(100) % 2 == 0
    assert abs(roc_auc_score(seen, blind_scores(both, seen, clusters=both)) - 0.5) < 0.2


def test_scores_equal_a_second_implementation():
    model, sides = keeper(), known(15, 15)
    items = Compared.ask(model, sides.training, sides.holdout)
    for row, text in enumerate((*sides.training, *sides.holdout)):
        logs = model.score([text.text]).logs
        assert items.scores["loss"][row] == pytest.approx(logs.mean())
        assert items.scores["min_k"][row] == pytest.approx(np.sort(logs)[: round(0.2 * len(logs))].mean())
        ratio = -logs.sum() / math.log(2) / (8 * len(zlib.compress(text.text.encode(), 9)))
        assert items.scores["zlib"][row] == pytest.approx(-ratio)


def test_a_rate_is_given_only_where_it_can_be_resolved():
    skips = [each for each in run(keeper()) if isinstance(each, Skip)]
    assert {each.slice["false_positive_rate"] for each in skips} == {"0.01", "0.001"}
    assert all(each.reason is SkipReason.TOO_FEW for each in skips)
    many = KnownTexts.of(texts("one", 40, words=8), texts("two", 520, words=8))
    kept = [each.text for each in many.training[::2]]
    found = numbers(run(Keeping(kept=kept), Membership(texts=many)))
    rate = found["true_positive_rate[false_positive_rate=0.01,score=loss]"]
    assert rate.value == pytest.approx(0.5, abs=0.06)
    assert rate.low < 0.5 < rate.high


def test_sequence_to_sequence_models_are_asked_for_the_second_half():
    model = replace(keeper(), card=generator_card(ProblemType.SEQ2SEQ_LM))
    items = Compared.ask(model, known(3, 0).training, known(0, 3).holdout)
    assert all(len(read.split()) == 15 for read in items.read)


def test_too_few_texts_and_none_are_a_reason():
    (skip,) = [each for each in run(keeper(), Membership(texts=known(60, 5))) if isinstance(each, Skip)]
    assert skip.reason is SkipReason.TOO_FEW
    for lacking, option in ((KnownTexts(), "--training-texts"), (known(20, 0), "--holdout-texts")):
        records = run(keeper(), Membership(texts=lacking))
        assert any(isinstance(each, Accounting) for each in records)
        (skip,) = [each for each in records if isinstance(each, Skip)]
        assert skip.reason is SkipReason.NO_TEXTS
        assert option in skip.enable
