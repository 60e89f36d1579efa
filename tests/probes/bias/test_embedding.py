from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kstest

from probes.bias.embedding import association as module
from probes.bias.embedding.association import Association, divisions
from probes.bias.embedding.probe import Embedding
from probes.core.model import Capability
from probes.core.probe import Context
from probes.core.records import Accounting, Better, Evidence, Measurement, Skip, SkipReason
from probes.core.stats.derived import UnmeasurableError
from probes.text.lexicon import lexicon, rows
from tests.conftest import FakeModel, model_card, sentiment_rule

CONTEXT = Context(probe="bias.embedding")
TOY = [np.array(v, dtype=float) for v in ([[2, 0], [0.8, 0.6]], [[0, 3], [0.6, 0.8]], [[1, 0]], [[0, 5]])]


def cosine(u, v):
    return sum(a * b for a, b in zip(u, v, strict=True)) / math.sqrt(sum(a * a for a in u) * sum(b * b for b in v))


def by_the_paper(x, y, a, b):
    """Effect size and exact one-sided p-value, written out from Caliskan et al. 2017 in plain Python."""

    def s(word):
        return sum(cosine(word, other) for other in a) / len(a) - sum(cosine(word, other) for other in b) / len(b)

    sx, sy = [s(word) for word in x], [s(word) for word in y]
    everything = sx + sy
    mean = sum(everything) / len(everything)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in everything) / (len(everything) - 1))
    d = (sum(sx) / len(sx) - sum(sy) / len(sy)) / deviation
    observed, as_far, ways = sum(sx) - sum(sy), 0, 0
    for chosen in combinations(range(len(everything)), len(sx)):
        inside = sum(everything[i] for i in chosen)
        ways += 1
        as_far += inside - (sum(everything) - inside) >= observed - 1e-10
    return d, as_far / ways


def test_a_toy_worked_by_hand():
    # Leanings 1, 0.2 and -1, -0.2: gap 1.2 over sqrt(2.08 / 3); of the 6 divisions only the real one leans as far.
    association = Association.of(*TOY)
    assert association.effects(np.ones((1, 6)))[0] == pytest.approx(1.2 / math.sqrt(2.08 / 3))
    assert association.p_value(rng=np.random.default_rng(0)).value == pytest.approx(1 / 6)


@pytest.mark.parametrize("sizes", [(4, 4, 5, 6), (3, 6, 2, 2), (8, 8, 8, 8)])
def test_equal_to_the_formulas_written_out(sizes):
    rng = np.random.default_rng(sum(sizes))
    vectors = [rng.normal(size=(size, 7)) + shift for size, shift in zip(sizes, (0.3, 0, 0.3, 0), strict=True)]
    d, p = by_the_paper(*vectors)
    association = Association.of(*vectors)
    assert association.effects(np.ones((1, sum(sizes))))[0] == pytest.approx(d, abs=1e-12)
    assert association.p_value(rng=rng).value == pytest.approx(p, abs=1e-12)


def test_weights_stand_for_repeated_words():
    rng = np.random.default_rng(5)
    vectors = [rng.normal(size=(4, 6)) for _ in range(4)]
    counts = rng.integers(1, 4, size=16)
    repeated = [np.repeat(v, c, axis=0) for v, c in zip(vectors, counts.reshape(4, 4), strict=True)]
    d, _ = by_the_paper(*repeated)
    assert Association.of(*vectors).effects(counts[None, :].astype(float))[0] == pytest.approx(d, abs=1e-12)


def test_sampled_p_values_hold_the_exact_one(monkeypatch):
    rng = np.random.default_rng(3)
    association = Association.of(*(rng.normal(size=(6, 5)) + 0.2 * (k % 2) for k in range(4)))
    exact = association.p_value(rng=rng)
    assert (exact.low, exact.high, exact.estimand) == (exact.value, exact.value, "fixed_set")
    monkeypatch.setattr(module, "MOST", 10)
    sampled = association.p_value(rng=rng)
    assert sampled.n == module.SAMPLED + 1
    assert sampled.tail(0.005).low <= exact.value <= sampled.tail(0.005).high
    assert sampled.value > 0


def test_p_values_are_uniform_when_the_lists_mean_the_same():
    rng = np.random.default_rng(17)
    found = [Association.of(*(rng.normal(size=(7, 10)) for _ in range(4))).p_value(rng=rng).value for _ in range(400)]
    assert kstest(found, "uniform").pvalue > 0.01
    assert np.mean(np.array(found) <= 0.05) < 0.09


def test_every_division_once():
    marks = divisions(6, 2)
    assert len({tuple(row) for row in marks.tolist()}) == 15
    assert set(marks.sum(axis=1)) == {2}


@pytest.mark.parametrize("vectors", [np.zeros((2, 3)), np.ones((2, 3))])
def test_vectors_that_say_nothing_are_not_measured(vectors):
    with pytest.raises(UnmeasurableError):
        Association.of(vectors, vectors, np.eye(3)[:2], np.eye(3)[1:])


TIES = {"male": (1, 0), "female": (0, 1), "career": (1, 0), "family": (0, 1)}


class Planted(FakeModel):
    """Vectors that hold a direction for what a text speaks of: male words lie towards career, nothing else is tied."""

    def embed(self, texts):
        vectors = super().embed(texts)
        pulls = {phrase: TIES[name] for word, phrase, name in rows("weat_words") if name in TIES}
        pulls |= {word: TIES[name] for word, _, name in rows("weat_words") if name in TIES}
        for row, text in enumerate(texts):
            for phrase, pull in pulls.items():
                if text == phrase or text.removesuffix(".").endswith(" " + phrase):
                    vectors[row, :2] += 20 * np.array(pull)
        return vectors


def run(model, seed=0):
    return list(Embedding(resamples=300).run(model, [], Context(probe="bias.embedding", seed=seed)))


def effects(records):
    found = [r for r in records if isinstance(r, Measurement) and r.name == "effect_size"]
    return {(r.slice["pair"], r.slice["attributes"], r.slice["form"]): r.estimate for r in found}


def test_a_planted_association_is_found_and_no_other():
    planted, clean = (effects(run(model)) for model in (Planted(sentiment_rule), FakeModel(sentiment_rule)))
    for form in ("words", "sentences"):
        tied = ("male vs female", "career vs family", form)
        assert planted[tied].low > 1
        assert clean[tied].low < 0.5 < 1 < planted[tied].value
        apart = ("Christian vs Jewish", "pleasant vs unpleasant", form)
        assert planted[apart].value == pytest.approx(clean[apart].value)


def test_records():
    model = FakeModel(sentiment_rule)
    records = run(model)
    numbers = [r for r in records if isinstance(r, Measurement)]
    assert len(numbers) == 2 * 2 * len(rows("weat_tests"))
    assert {r.better for r in numbers} == {Better.CONTEXT}
    assert len({r.key for r in numbers}) == len(numbers)
    assert all("weak signal" in r.title for r in numbers if r.name == "effect_size")
    (account,) = [r for r in records if isinstance(r, Accounting)]
    assert account.scored == len(model.asked) == 5 * len(rows("weat_words"))
    assert model.calls == 1
    chosen = [r.chosen for r in records if isinstance(r, Evidence)]
    assert chosen == ["random"] * 3 + ["worst"] * 5


def test_the_data_play_no_part_and_a_seed_gives_the_same(sentiment_examples):
    model = FakeModel(sentiment_rule)
    probe = Embedding(resamples=300)
    assert list(probe.run(model, sentiment_examples, CONTEXT)) == list(probe.run(model, [], CONTEXT))


def test_a_model_whose_vectors_are_all_zero_is_not_measured():
    class Silent(FakeModel):
        def embed(self, texts):
            return np.zeros((len(texts), 2))

    records = run(Silent(sentiment_rule))
    assert not [r for r in records if isinstance(r, Measurement | Evidence)]
    skips = [r for r in records if isinstance(r, Skip)]
    assert {r.reason for r in skips} == {SkipReason.UNDEFINED}
    assert len(skips) == 2 * len(rows("weat_tests"))


def test_it_is_planned_for_models_that_embed_and_without_data():
    info = Embedding.info
    assert info.needs == {Capability.EMBED}
    assert info.needs <= model_card().capabilities
    assert not info.data
    assert "do not predict" in info.doc.limits


def test_word_lists():
    words = rows("weat_words")
    lists = {name: [word for word, _, given in words if given == name] for _, _, name in words}
    assert len({word for word, _, _ in words}) == len(words)
    for _, axis, x, y, a, b in rows("weat_tests"):
        assert len(lists[x]) == len(lists[y]) >= 8, axis
        assert len(lists[a]) == len(lists[b]) >= 8, axis
    for word, phrase, _ in words:
        article = "an " if word[0].lower() in "aeiou" else "a "
        assert phrase in (word, article + word)
    for name in ("weat_words", "weat_tests", "weat_frames", "sentiment_words"):
        assert lexicon(name).provenance.startswith("written for responsible-audit")
        assert lexicon(name).licence == "Apache-2.0"
        assert {len(row) for row in rows(name)} == {len(lexicon(name).columns)}
    for (frame,) in rows("weat_frames"):
        assert frame.count("{phrase}") == 1
