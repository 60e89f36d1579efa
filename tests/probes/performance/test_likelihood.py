"""How well texts are expected: numbers, groups, and what cannot be measured."""

from __future__ import annotations

import math

import pytest

from probes.core.answers import ProblemType
from probes.core.examples import Example
from probes.core.likelihoods import Scoring
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip
from probes.performance.likelihood import Likelihood
from tests.conftest import FakeScorer, language_card, word_rule


def run(data, problem=ProblemType.CAUSAL_LM, **how):
    probe = Likelihood(resamples=200)
    model = FakeScorer(rule=word_rule, card=language_card(problem), **how)
    return list(probe.run(model, data, Context(probe=probe.info.id)))


def numbers(records):
    return {record.key: record for record in records if isinstance(record, Measurement)}


def test_numbers_of_a_causal_model(sentiment_examples):
    found = numbers(run(sentiment_examples))
    assert {"perplexity", "word_perplexity", "bits_per_byte", "bits_over_frequency"} <= set(found)
    logs = [word_rule(w, Scoring.LEFT_TO_RIGHT) for each in sentiment_examples for w in str(each.text).split()]
    assert found["perplexity"].estimate.value == pytest.approx(math.exp(-sum(logs) / len(logs)))
    assert found["word_perplexity"].estimate.value == pytest.approx(found["perplexity"].estimate.value)
    assert "pseudo" not in found["perplexity"].title


def test_a_masked_model_has_pseudo_perplexities_and_no_bits_for_bytes(sentiment_examples):
    found = numbers(run(sentiment_examples, ProblemType.MASKED_LM))
    assert found["perplexity"].title == "pseudo-perplexity by token"
    assert "bits_per_byte" not in found


def test_groups_and_their_floor():
    data = [Example.of(f"The tea was good {k}", groups={"kind": "tea" if k < 15 else "rest"}) for k in range(20)]
    records = run(data)
    found = numbers(records)
    assert "perplexity[group=kind=tea]" in found
    skips = [record for record in records if isinstance(record, Skip)]
    assert [dict(skip.slice) for skip in skips] == [{"group": "kind=rest"}]


def test_gain_over_frequency_has_the_right_sign():
    data = [Example.of(f"The tea was good and hot {'and sweet ' * (k % 4)}{k}") for k in range(30)]
    sure = Likelihood(resamples=200)
    context = Context(probe=sure.info.id)
    good = numbers(sure.run(FakeScorer(rule=lambda word, how: -0.01), data, context))
    poor = numbers(sure.run(FakeScorer(rule=lambda word, how: -20.0), data, context))
    assert good["bits_over_frequency"].estimate.low > 0
    assert poor["bits_over_frequency"].estimate.high < 0


def test_nothing_to_score_is_said():
    records = run([])
    assert isinstance(records[0], Accounting)
    assert isinstance(records[1], Skip)
    assert len(records) == 2


def test_every_text_has_an_outcome_and_some_are_shown(sentiment_examples):
    records = run(sentiment_examples)
    (outcomes,) = [record for record in records if isinstance(record, Outcomes)]
    assert len(outcomes) == len(sentiment_examples)
    assert "perplexity" in next(record for record in records if isinstance(record, Evidence)).shown[0].answer


def test_texts_that_are_cut_off_are_said(sentiment_examples):
    account = next(record for record in run(sentiment_examples, longest=4) if isinstance(record, Accounting))
    assert f"of {len(sentiment_examples)} texts" in account.note
