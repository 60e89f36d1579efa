"""The words that push most are those with the largest weights; their intervals hold the true mean."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest

from probes.core.answers import Classifications, ProblemType
from probes.core.attributions import Method
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.probe import Context
from probes.core.records import Accounting, Evidence, Measurement, Skip, SkipReason, from_line, to_line
from probes.core.rng import generator
from probes.core.stats.derived import UnmeasurableError
from probes.explanation.explained import Explained
from probes.explanation.top_words.probe import TopWords
from probes.explanation.top_words.ranking import Ranking, Side, sides
from probes.explanation.vocabulary import ADDRESS, NUMBER, Vocabulary, folded
from tests.linear_model import LinearModel, explainable_card
from tests.probes.explanation.indifferent_model import Indifferent

FILLERS = tuple(f"word{chr(97 + k)}" for k in range(20))
WEIGHTS = {"awful": -2.0, "bad": -1.0, "good": 1.5, "zorgle": 3.0}
CONTEXT = Context(probe="explanation.top_words", seed=1)


def corpus(n=160, *, seed=0):
    """Six neutral words and one or two that weigh."""
    draw = random.Random(seed)
    made = []
    for _ in range(n):
        told = [draw.choice(("awful", "bad", "good")), *(["zorgle"] if draw.random() < 0.2 else [])]
        words = [*draw.sample(FILLERS, 6), *told]
        draw.shuffle(words)
        made.append(Example.of(" ".join(words).capitalize() + ".", gold="negative" if "d" in told[0] else "positive"))
    return made


def run(model, data, **parameters):
    return list(TopWords(**parameters).run(model, data, CONTEXT))


def measured(records, name=None):
    return {r.key: r for r in records if isinstance(r, Measurement) and name in (None, r.name)}


@pytest.fixture(scope="module")
def linear():
    return run(LinearModel(WEIGHTS, symmetric=True), corpus())


def test_largest_mean_weight_is_first(linear):
    pushes = list(measured(linear, "push").values())
    firsts = {m.slice["label"]: m.slice["word"] for m in reversed(pushes)}
    assert firsts == {"positive": "zorgle", "negative": "awful"}
    for label in firsts:
        values = [m.estimate.value for m in pushes if m.slice["label"] == label]
        assert values == sorted(values, reverse=True)


def test_push_is_the_mean_over_the_items_of_the_answer(linear):
    texts = [example.text.lower().rstrip(".").split() for example in corpus()]
    positive = [words for words in texts if sum(WEIGHTS.get(word, 0) for word in words) > 0]
    for name, weight in (("zorgle", 1.5), ("good", 0.75)):
        held = [name in words for words in positive]
        push = measured(linear)[f"push[label=positive,word={name}]"].estimate
        share = measured(linear)[f"share_of_items[label=positive,word={name}]"].estimate
        assert push.value == pytest.approx(weight * np.mean(held))
        assert push.n == sum(held)
        assert push.low < push.value < push.high
        assert (share.value, share.n) == (pytest.approx(np.mean(held)), len(positive))


def test_only_words_that_push_are_listed(linear):
    listed = {(m.slice["label"], m.slice["word"]) for m in measured(linear, "push").values()}
    assert {word for label, word in listed if label == "negative"} == {"awful", "bad"}
    assert {word for label, word in listed if label == "positive"} == {"good", "zorgle"}


def test_twin_without_weight_is_not_listed():
    made = run(LinearModel({**WEIGHTS, "zorgle": 0.0}, symmetric=True), corpus())
    assert "zorgle" not in {m.slice["word"] for m in measured(made, "push").values()}


def test_label_that_no_word_pushes_is_a_reason():
    made = run(LinearModel(WEIGHTS), corpus())  # its negative logit is constant
    skips = [record for record in made if isinstance(record, Skip)]
    assert [(s.name, s.slice["label"], s.reason) for s in skips] == [("push", "negative", SkipReason.UNDEFINED)]


def test_intervals_hold_the_true_mean():
    """Words with a share and a normal weight: the mean push is their product, here 0.3 for all of them."""
    rounds, held, ends = 40, Counter(), 0
    for round_ in range(rounds):
        ranking = _simulated(round_, n=80)
        for column, name in enumerate(ranking.vocabulary.words):
            estimate = ranking.push(column)
            held[name] += estimate.low <= 0.3 <= estimate.high
            ends += 1
    assert 0.9 <= sum(held.values()) / ends <= 0.995
    assert min(held.values()) / rounds > 0.8


def _simulated(seed, *, n):
    draw = generator(seed, "simulated")
    shares = {"often": 0.9, "half": 0.5, "seldom": 0.2}
    rows = []
    for row in range(n):
        words = [(name, draw.normal(0.3 / share, 0.5)) for name, share in shares.items() if draw.uniform() < share]
        rows.append((f"{' '.join(name for name, _ in words)} item{row}".strip(), [push for _, push in words] + [0.0]))
    return _ranking(rows, minimum=5, top=3, seed=seed)


def _ranking(rows, *, minimum, top, seed=0, resamples=400):
    """Of (text, weight of each word)."""
    model, given = LinearModel({}), dict(rows)
    items = Explained.ask(model, [Example.of(text) for text, _ in rows], method=Method.INTEGRATED_GRADIENTS)
    for attribution in items.attributions:
        attribution.scores[:] = given[attribution.text]
    side = Side(label="negative", rows=np.arange(len(items)))
    return Ranking.of(items, side, minimum=minimum, top=top, rng=generator(seed, "rank"), resamples=resamples)


def test_overlap_is_that_of_two_fresh_samples():
    """Twelve words of which five are listed: what resamples share is close to what new samples share."""

    def sample(seed):
        draw = generator(seed, "fresh")
        names = [f"w{chr(97 + k)}" for k in range(12)]
        rows = []
        for row in range(120):
            chosen = [k for k in range(12) if draw.uniform() < 0.5]
            pushes = [float(draw.normal(0.1 * k, 1.0)) for k in chosen]
            rows.append((" ".join([*(names[k] for k in chosen), f"item{row}"]), [*pushes, 0.0]))
        return _ranking(rows, minimum=5, top=5, seed=seed)

    rankings = [sample(seed) for seed in range(12)]
    lists = [{ranking.vocabulary.words[column] for column in ranking.listed} for ranking in rankings]
    fresh = np.mean([len(a & b) / 5 for row, a in enumerate(lists) for b in lists[:row]])
    estimates = [ranking.overlap() for ranking in rankings]
    assert np.mean([estimate.value for estimate in estimates]) == pytest.approx(fresh, abs=0.08)
    assert all(estimate.low <= fresh <= estimate.high for estimate in estimates)


def test_overlap_needs_more_words_than_the_list():
    rows = [(f"good bad item{row}", [1.0 + row % 3, 0.5, 0.0]) for row in range(20)]
    with pytest.raises(UnmeasurableError):
        _ranking(rows, minimum=5, top=5).overlap()


def test_clear_lists_overlap_and_noise_does_not(linear):
    clear = measured(linear)["list_overlap[label=positive]"].estimate
    assert clear.value > 0.99
    noise = [(f"wa wb wc wd we wf wg wh item{row}", [*generator(row, "n").normal(size=8), 0.0]) for row in range(60)]
    ranking = _ranking(noise, minimum=5, top=2)
    if len(ranking.listed) == 2:
        assert ranking.overlap().value < 0.9


def test_small_samples_are_not_ranked():
    made = run(LinearModel(WEIGHTS, symmetric=True), corpus(8))
    assert not measured(made)
    assert {r.reason for r in made if isinstance(r, Skip)} == {SkipReason.TOO_FEW}


def test_regression_up_and_down():
    card = explainable_card().model_copy(update={"labels": ("score",), "problem": ProblemType.REGRESSION})

    class Scorer(LinearModel):
        def classify(self, texts):
            both = LinearModel(self.weights).classify(texts)
            return Classifications(logits=both.logits[:, 1:], labels=card.labels, problem=card.problem)

        def attribute(self, texts, targets, **keywords):
            return LinearModel(self.weights).attribute(texts, ["positive"] * len(texts), **keywords)

    made = run(Scorer(WEIGHTS, card=card), corpus())
    listed = [(m.slice["label"], m.slice["word"]) for m in measured(made, "push").values()]
    assert listed[0][0] == "higher"
    assert set(listed) == {("higher", "zorgle"), ("higher", "good"), ("lower", "awful"), ("lower", "bad")}


def test_words_of_both_texts_of_a_pair_count():
    data = [Example.of((e.text, "zorgle")) for e in corpus(60)]
    made = run(LinearModel(WEIGHTS, symmetric=True), data)
    assert measured(made)["share_of_items[label=positive,word=zorgle]"].estimate.value == 1.0


def test_commonest_labels_only_and_a_sample():
    model = LinearModel(WEIGHTS, symmetric=True)
    items = Explained.ask(model, corpus(), method=Method.INTEGRATED_GRADIENTS)
    (only,) = sides(items, most=1)
    assert only.label == Counter(items.targets).most_common(1)[0][0]
    made = run(model, corpus(), labels=1, items=100)
    assert {m.slice["label"] for m in measured(made).values()} == {made[1].slice["label"]}
    assert (made[0].eligible, made[0].scored) == (160, 100)
    assert "1 answer given more rarely" in made[0].note
    assert "60 of 160 items are left out: a sample of 100 is explained, the most" in made[0].note
    assert "left out" not in run(model, corpus(), items=160)[0].note


def test_row_order_has_no_influence_and_records_survive(linear):
    again = run(LinearModel(WEIGHTS, symmetric=True), corpus()[::-1])
    assert [to_line(record) for record in again] == [to_line(record) for record in linear]
    assert [from_line(to_line(record)) for record in linear] == linear


def test_evidence_random_first_with_weights(linear):
    shown = [record for record in linear if isinstance(record, Evidence)]
    assert [case.chosen for case in shown][:3] == ["random"] * 3
    assert all(case.shown[0].words for case in shown)
    worst = [case for case in shown if case.chosen == "worst"]
    assert all(case.slice["word"] in case.shown[0].texts[0].lower() for case in worst)


def test_no_items_and_no_attributions():
    assert [type(record) for record in run(LinearModel(WEIGHTS), [])] == [Accounting, Skip]
    silent = run(Indifferent({}, card=explainable_card()), corpus(40))
    assert not measured(silent)
    assert [r.slice["label"] for r in silent if isinstance(r, Skip)] == ["negative", "positive"]


def test_parameters():
    assert TopWords(method="saliency").method is Method.SALIENCY
    for wrong in ({"method": "magic"}, {"top": 0}, {"top": 21}, {"minimum": 1}, {"resamples": 5}):
        with pytest.raises(UsageError):
            TopWords(**wrong)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Awful", "awful"),
        ("Don\u2019t", "don't"),
        ("1,000.50", NUMBER),
        ("7", NUMBER),
        ("20th", "20th"),
        ("https://example.org/a", ADDRESS),
        ("www.example.org", ADDRESS),
        ("?!", ""),
        ("$", ""),
        ("\U0001f600", "\U0001f600"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
    ],
)
def test_folding(written, name):
    assert folded(written) == name


def test_vocabulary_counts_independent_items_and_keeps_the_commonest_spelling():
    texts = ["Zorgle zorgle 7 !", "ZORGLE 12", "Zorgle rare", "Zorgle again", "again again"]
    model = LinearModel({"zorgle": 2.0, "again": -1.0, "7": 0.5}, symmetric=True)
    attributions = model.attribute(texts, ["positive"] * 5)
    words = Vocabulary.of(attributions, clusters=["a", "b", "c", "c", "c"], minimum=2)
    assert words.words == (NUMBER, "zorgle")  # "again" is in one cluster only
    assert words.spellings == ("12", "Zorgle")
    assert words.counts[:, 1].tolist() == [2, 1, 1, 1, 0]
    assert words.pushes[:, 1].tolist() == [2.0, 1.0, 1.0, 1.0, 0.0]
    assert words.strength[1] == 1.0
