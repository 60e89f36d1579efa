"""Numbers made of likelihoods, against direct arithmetic and a simulation."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from probes.core.examples import Example
from probes.core.likelihoods import Scoring
from probes.core.probe import Context
from probes.core.records import SkipReason
from probes.core.rng import generator
from probes.core.scored_texts import ScoredTexts, ratio
from probes.core.stats.derived import UnmeasurableError
from tests.conftest import FakeScorer, word_rule


def scored(texts, **how) -> ScoredTexts:
    return ScoredTexts.ask(FakeScorer(rule=word_rule, **how), [Example.of(text) for text in texts])


TEXTS = [f"The {noun} was good number {k}." for k, noun in enumerate(("film", "tea", "train", "meal", "song") * 4)]


def test_perplexity_is_that_of_the_definition():
    items = scored(TEXTS)
    logs = [word_rule(word, Scoring.LEFT_TO_RIGHT) for text in TEXTS for word in text.split()]
    found = items.perplexity(items.tokens, rng=generator(0), resamples=200)
    assert found.value == pytest.approx(math.exp(-sum(logs) / len(logs)))
    assert 0 < found.low < found.value < found.high
    assert found.clusters == len(TEXTS)
    per_byte = items.bits_per(items.bytes, rng=generator(0), resamples=200)
    assert per_byte.value == pytest.approx(-sum(logs) / math.log(2) / sum(len(text.encode()) for text in TEXTS))


def test_only_what_was_read_counts():
    items = scored(["good good good bad bad", "good good"], longest=3)
    assert sorted(items.words.tolist()) == [2, 3]
    assert sorted(items.bytes.tolist()) == [9, 14]
    assert sorted(items.bits.tolist()) == pytest.approx([2 / math.log(2), 3 / math.log(2)])
    account = items.accounting()
    assert (account.scored, account.unscored) == (2, 0)
    assert "1 texts 2 tokens" in account.note


def test_a_text_without_a_score_is_counted_and_left_out():
    items = scored([*TEXTS, "nothing"], longest=0)
    assert (len(items), items.unscored) == (0, len(TEXTS) + 1)
    assert items.accounting().unscored == len(TEXTS) + 1


def test_bytes_are_those_of_utf8():
    items = scored(["né à côté"])
    assert items.bytes.tolist() == [len("né à côté".encode())]


def test_guessing_by_frequency_is_that_of_counting_other_texts():
    examples = [Example.of(text, cluster=str(k // 2)) for k, text in enumerate(TEXTS)]
    items = ScoredTexts.ask(FakeScorer(rule=word_rule), examples)
    kinds = {word for text in TEXTS for word in text.split()}
    for example, bits in zip(items.examples, items.frequency_bits, strict=True):
        others = Counter(w for each in examples if each.cluster != example.cluster for w in str(each.text).split())
        expected = [(others[word] + 1) / (others.total() + len(kinds) + 1) for word in str(example.text).split()]
        assert bits == pytest.approx(-sum(map(math.log2, expected)))


def test_few_or_empty_texts_give_no_number():
    with pytest.raises(UnmeasurableError) as few:
        scored(TEXTS[:9]).bits_per(np.ones(9), rng=generator(0), resamples=50)
    assert few.value.reason is SkipReason.TOO_FEW
    with pytest.raises(UnmeasurableError):
        ratio(np.ones(20), np.zeros(20), clusters=list(map(str, range(20))), rng=generator(0), resamples=50)


def test_rows_and_parts():
    items = scored(TEXTS)
    part = items.where(np.arange(len(items)) % 2 == 0)
    assert [each.id for each in part.examples] == [each.id for each in items.examples[::2]]
    assert part.bits == pytest.approx(items.bits[::2])
    assert scored(TEXTS[::-1]).bits.tolist() == items.bits.tolist()
    shown = list(items.cases(Context(probe="x.y")))
    assert [case.chosen for case in shown] == ["random"] * 3 + ["worst"] * 5
    assert len({case.example_id for case in shown}) == 8
    assert len(items.outcomes()) == len(items)
    assert replace(items, unscored=2).accounting().eligible == len(items) + 2


def test_the_interval_of_a_ratio_covers_with_the_document_as_cluster():
    """Documents of very different lengths, each with a level of its own: tokens alone would be far too sure."""
    draw, inside, runs = generator(0, "ratio"), 0, 200
    for run in range(runs):
        lengths = draw.integers(5, 60, size=40).astype(float)
        level = draw.normal(3.0, 1.0, size=40)
        bits = lengths * level + draw.normal(size=40) * np.sqrt(lengths)
        found = ratio(bits, lengths, clusters=list(map(str, range(40))), rng=generator(run), resamples=400)
        inside += found.low <= 3.0 <= found.high
    assert 0.90 <= inside / runs <= 0.99
