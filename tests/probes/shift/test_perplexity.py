"""Perplexity on other kinds of texts: ratios, their intervals, and what is not compared."""

from __future__ import annotations

import math

import pytest

from probes.core.examples import Example
from probes.core.likelihoods import Scoring
from probes.core.probe import Context
from probes.core.records import Accounting, Curve, Measurement, Skip
from probes.core.rng import generator
from probes.shift.perplexity import Perplexity
from tests.conftest import BAD, GOOD, FakeScorer, word_rule

HOME = [Example.of(f"We had {GOOD[k % 5]} tea and {GOOD[k % 3]} cake at {k}.") for k in range(40)]
OTHER = [Example.of(f"We had {BAD[k % 5]} tea and {GOOD[k % 3]} cake at {k}.").within("worse") for k in range(40)]


def run(data, rule=word_rule, **how):
    probe = Perplexity(resamples=300)
    return list(probe.run(FakeScorer(rule=rule, **how), data, Context(probe=probe.info.id)))


def numbers(records):
    return {record.key: record.estimate for record in records if isinstance(record, Measurement)}


def perplexity(examples) -> float:
    logs = [word_rule(word, Scoring.LEFT_TO_RIGHT) for each in examples for word in str(each.text).split()]
    return math.exp(-sum(logs) / len(logs))


def test_levels_and_ratio():
    found = numbers(run([*HOME, *OTHER]))
    assert found["perplexity[domain=in-domain]"].value == pytest.approx(perplexity(HOME))
    assert found["perplexity[domain=worse]"].value == pytest.approx(perplexity(OTHER))
    ratio = found["perplexity_ratio[domain=worse]"]
    assert ratio.value == pytest.approx(perplexity(OTHER) / perplexity(HOME))
    assert 1 < ratio.low < ratio.value < ratio.high
    assert found["word_perplexity_ratio[domain=worse]"].value == pytest.approx(ratio.value)


def test_where_nothing_differs_the_interval_holds_one():
    draw, covered = generator(0, "same"), 0
    for turn in range(40):
        words = {f"w{k}": -float(draw.gamma(2.0)) for k in range(400)}
        texts = [" ".join(f"w{k}" for k in draw.integers(0, 400, size=draw.integers(5, 20))) for _ in range(60)]
        data = [Example.of(text) for text in texts[:30]] + [Example.of(text).within("same") for text in texts[30:]]
        found = numbers(run(data, rule=lambda word, how, words=words: words[word]))
        low, high = found["perplexity_ratio[domain=same]"].low, found["perplexity_ratio[domain=same]"].high
        covered += low <= 1 <= high
        del turn
    assert covered >= 34  # 95 % of 40 is 38; 33 or fewer have a chance of 0.3 %


def test_chart_accounting_and_order_of_domains():
    records = run([*HOME, *OTHER])
    (curve,) = [record for record in records if isinstance(record, Curve)]
    assert [point.label for point in curve.points] == ["in-domain", "worse"]
    assert [dict(r.slice) for r in records if isinstance(r, Accounting)] == [
        {"domain": "in-domain"},
        {"domain": "worse"},
    ]


def test_texts_without_a_score_are_counted_in_their_domain():
    records = run([*HOME, *OTHER], longest=0)
    assert [record.unscored for record in records if isinstance(record, Accounting)] == [40, 40]
    assert any(isinstance(record, Skip) for record in records)


def test_a_small_domain_or_none_is_said():
    records = run([*HOME, *OTHER[:5]])
    assert [record for record in records if isinstance(record, Skip)]
    assert "perplexity_ratio[domain=worse]" not in numbers(records)
    assert any("another kind" in record.detail for record in run(HOME) if isinstance(record, Skip))
