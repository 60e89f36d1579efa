from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from probes.bias.slices import search as slice_search
from probes.bias.slices.features import Condition, Texts, conditions, reading_ease
from probes.bias.slices.numbers import FAMILY
from probes.bias.slices.probe import Slices
from probes.bias.slices.search import search
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Capability
from probes.core.probe import Context
from probes.core.records import Accounting, Better, Evidence, Measurement, Skip, SkipReason
from tests.conftest import BAD, GOOD, FakeModel, model_card, sentiment_rule

SUBJECTS = ("film", "meal", "hotel", "phone", "book", "song", "room", "jacket", "lesson", "train", "game", "tea")
FILLERS = ("yesterday", "again", "for two hours", "in the end", "with friends", "at home", "on Monday", "she said")
LABELS = ("negative", "positive")
QUIET = Slices(embeddings=False)


def texts_of(n, *, subjects=SUBJECTS, seed=0):
    draw = random.Random(seed)
    return [
        f"The {draw.choice(subjects)} was {draw.choice((*GOOD, *BAD))}"
        f" {' '.join(draw.sample(FILLERS, draw.randint(0, 6)))} {number}."
        for number in range(n)
    ]


def labelled(texts):
    return [Example.of(text, gold=LABELS[int(np.argmax(sentiment_rule(text)))]) for text in texts]


def wrong_on(predicate):
    """A model that is right except where `predicate(text)`."""

    def rule(text):
        negative, positive = sentiment_rule(text)
        return (positive, negative) if predicate(text) else (negative, positive)

    return FakeModel(rule)


def run(model, data, probe=None, seed=0):
    return list((probe or Slices()).run(model, data, Context(probe="bias.slices", seed=seed)))


def numbers(records):
    return {r.key: r for r in records if isinstance(r, Measurement)}


@pytest.mark.parametrize("probe", [Slices(), QUIET], ids=["clusters", "no clusters"])
def test_a_planted_slice_is_found_and_confirmed(probe):
    data = labelled(texts_of(800))
    records = run(wrong_on(lambda text: " meal " in text), data, probe)
    found = numbers(records)
    name = "texts that contain 'meal'"
    gap, rate = found[f"error_gap[slice={name}]"], found[f"error_rate[slice={name}]"]
    assert rate.estimate.value == 1.0
    assert gap.estimate.value == 1.0
    assert gap.estimate.tail(0.005).low > 0.8
    assert (gap.family, gap.better, rate.better) == (FAMILY, Better.LOWER, Better.LOWER)
    assert found["worst_slice_error_gap"].estimate.tail(0.005).low > 0.7
    assert found[f"discovery_error_rate[slice={name}]"].better is Better.CONTEXT
    meals = sum(" meal " in example.text for example in data)
    both = (rate, found[f"discovery_error_rate[slice={name}]"])
    assert sum(each.estimate.n for each in both) == meals
    worst = [r for r in records if isinstance(r, Evidence) and r.chosen == "worst"]
    assert all(name in r.note for r in worst)


def test_its_clean_twin_has_none():
    data = labelled(texts_of(800))
    careless = random.Random(3)
    slips = {example.text for example in data if careless.random() < 0.1}
    found = numbers(run(wrong_on(lambda text: text in slips), data))
    assert found["worst_slice_error_gap"].estimate.tail(0.05).low <= 0
    assert found["confirmation_error_rate"].estimate.value == pytest.approx(0.1, abs=0.04)
    assert len([key for key in found if key.startswith("error_gap")]) == 1


def test_a_slice_of_two_conditions():
    data = labelled(texts_of(1600, subjects=SUBJECTS[:4]))
    model = wrong_on(lambda text: " meal " in text and "at home" in text)
    found = numbers(run(model, data, QUIET))
    both = [m for key, m in found.items() if key.startswith("error_rate") and "'meal'" in key and "'home'" in key]
    assert both
    assert both[0].estimate.value == 1.0


def test_groups_are_searched_too():
    data = [replace(e, groups={"region": "north" if i % 3 else "south"}) for i, e in enumerate(labelled(texts_of(600)))]
    south = {example.text for example in data if example.groups["region"] == "south"}
    found = numbers(run(wrong_on(lambda text: text in south), data, QUIET))
    assert found["error_gap[slice=texts where region is south]"].estimate.low > 0.9


def test_clusters_are_named_by_their_words():
    cooking = texts_of(300, subjects=("soup", "stew", "roast"))
    motors = [f"Engine {text.lower()} brake gearbox" for text in texts_of(300, subjects=("car", "van", "truck"))]
    data = labelled([*cooking, *motors])
    texts = Texts.of(data, known=np.arange(600) % 2 == 0)
    vectors = np.array([[1.0, 0.0] if "Engine" in example.text else [0.0, 1.0] for example in data])
    vectors += np.random.default_rng(0).normal(scale=0.01, size=vectors.shape)
    found = [c for c in conditions(texts, examples=data, vectors=vectors, seed=1) if c.feature == "cluster"]
    engines = np.array(["Engine" in example.text for example in data])
    (motor,) = [condition for condition in found if (condition.holds & engines).any()]
    assert motor.name == "like those with 'brake' and 'engine' and 'gearbox'"
    assert motor.holds.tolist() == engines.tolist()  # whichever of its clusters, to a reader they are one
    assert all("'engine'" not in other.name for other in found if other is not motor)


def test_the_half_kept_apart_has_no_say_in_what_is_found():
    data = labelled(texts_of(600))
    context = Context(probe="bias.slices")
    searched = {e.text for e in data if context.rng("half", e.cluster).random() < 0.5}
    assert 250 < len(searched) < 350
    known = wrong_on(lambda text: " meal " in text)
    other = wrong_on(
        lambda text: (" meal " in text) == (text in searched) or (" tea " in text and text not in searched)
    )
    before, after = (run(model, data, QUIET) for model in (known, other))
    discovery = "discovery_error_rate"
    first, second = ({k: m for k, m in numbers(r).items() if k.startswith(discovery)} for r in (before, after))
    assert first == second
    assert numbers(after)["error_gap[slice=texts that contain 'meal']"].estimate.value < 0


def test_repeated_texts_stay_in_one_half():
    texts = texts_of(300)
    data = [Example.of(text, gold="positive", groups={"copy": copy}) for text in texts for copy in ("a", "b")]
    found = numbers(run(FakeModel(lambda text: (0.0, float("tea" in text))), data, QUIET))
    whole = found["confirmation_error_rate"].estimate
    assert whole.n == 2 * whole.clusters


def test_row_order_and_repetition_change_nothing():
    data = labelled(texts_of(500))
    model = wrong_on(lambda text: " meal " in text)
    assert run(model, data) == run(model, data[::-1]) == run(model, data)


def test_on_noise_false_confirmations_stay_within_alpha():
    texts = texts_of(320)
    seeds, alpha, false, selected = 200, 0.05, 0, []
    model = FakeModel(lambda text: (1.0, 0.0))
    for seed in range(seeds):
        coin = np.random.default_rng(seed)
        data = [Example.of(t, gold=LABELS[int(g)]) for t, g in zip(texts, coin.random(320) < 0.25, strict=True)]
        found = numbers(run(model, data, QUIET, seed=seed))
        gaps = [m.estimate for key, m in found.items() if key.startswith("error_gap")]
        false += any(gap.tail(alpha / len(gaps)).low > 0 for gap in gaps)
        selected += [gap.value for gap in gaps[:1]]
    assert len(selected) > 0.95 * seeds
    assert false <= binom.ppf(0.999, seeds, alpha)
    # Measured apart from where it was found, the gap of a slice that is none is zero on average.
    assert abs(np.mean(selected)) < 4 * np.std(selected) / np.sqrt(seeds)


def test_gap_against_statsmodels():
    data = labelled(texts_of(800))
    careless = random.Random(4)
    slips = {e.text for e in data if careless.random() < (0.6 if " meal " in e.text else 0.1)}
    found = numbers(run(wrong_on(lambda text: text in slips), data, QUIET))
    name = "texts that contain 'meal'"
    gap, rate = found[f"error_gap[slice={name}]"].estimate, found[f"error_rate[slice={name}]"].estimate
    total = found["confirmation_error_rate"].estimate
    errors, mistakes = round(rate.value * rate.n), round(total.value * total.n)
    here, there = (errors, rate.n), (mistakes - errors, total.n - rate.n)
    for alpha in (0.05, 0.005):
        (l1, u1), (l2, u2) = (proportion_confint(*counts, alpha=2 * alpha, method="beta") for counts in (here, there))
        p1, p2 = errors / rate.n, (mistakes - errors) / (total.n - rate.n)
        tail = gap.tail(alpha)
        assert tail.low == pytest.approx(p1 - p2 - np.hypot(p1 - l1, u2 - p2), abs=1e-9)
        assert tail.high == pytest.approx(p1 - p2 + np.hypot(u1 - p1, p2 - l2), abs=1e-9)


def test_ranking_bound_is_newcombes():
    expected = confint_proportions_2indep(12, 30, 40, 400, compare="diff", method="newcomb", alpha=0.1)[0]
    assert slice_search._lift(12, 30, 40, 400) == pytest.approx(expected, abs=1e-12)


def test_search_counts_like_a_loop():
    rng = np.random.default_rng(2)
    known = rng.random(400) < 0.5
    masks = [rng.random(400) < share for share in (0.6, 0.5, 0.4, 0.05)]
    wrong = masks[0] & masks[1] | (rng.random(400) < 0.05)
    made = [Condition(name=str(i), feature=f"f{i // 2}" if i < 2 else "g", holds=m) for i, m in enumerate(masks)]
    result = search(made, wrong, known=known, most=5)
    allowed = [(0,), (1,), (2,), (0, 2), (1, 2)]  # 0 and 1 are about one feature; 3 is too small
    assert result.searched == len(allowed)
    made[1] = replace(made[1], feature="h")
    result = search(made, wrong, known=known, most=5)
    assert result.found[0].name == "texts 0 and 1"
    assert result.found[0].stands_out
    assert np.array_equal(result.found[0].holds, masks[0] & masks[1])


def test_nothing_to_search():
    known = np.ones(50, dtype=bool)
    nothing = search([], known, known=known, most=5)
    assert (nothing.searched, nothing.found) == (0, ())


def test_label_sets():
    card = model_card(labels=("food", "travel"), problem=ProblemType.MULTI_LABEL)
    texts = texts_of(600)
    data = [Example.of(text, gold=("food",) if "meal" in text or "tea" in text else ()) for text in texts]
    model = FakeModel(lambda text: (3.0 if "meal" in text else -3.0, -3.0), card=card)
    found = numbers(run(model, data, QUIET))
    assert found["error_rate[slice=texts that contain 'tea']"].estimate.value == 1.0


@pytest.mark.parametrize(("n", "reason"), [(0, SkipReason.NO_GOLD), (199, SkipReason.TOO_FEW)])
def test_too_few_items_are_not_searched(n, reason):
    records = run(FakeModel(sentiment_rule), labelled(texts_of(n)))
    assert [r.reason for r in records if isinstance(r, Skip)] == [reason]
    assert [r.scored for r in records if isinstance(r, Accounting)] == [n]
    assert not numbers(records)


@pytest.mark.parametrize("settings", [{"most": 0}, {"most": 21}, {"minimum": 39}])
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(UsageError):
        Slices(**settings)


def test_texts_that_are_all_alike_have_no_parts():
    data = [Example.of(str(number), gold="positive") for number in range(300)]
    records = run(FakeModel(sentiment_rule), data, QUIET)
    assert [r.name for r in records if isinstance(r, Skip)] == ["worst_slice_error_gap"]


def test_a_model_without_embeddings_is_searched_without_clusters():
    card = model_card().model_copy(update={"capabilities": frozenset({Capability.CLASSIFY})})
    model = FakeModel(sentiment_rule, card=card)
    model.embed = None
    assert numbers(run(model, labelled(texts_of(300))))
    assert Slices.info.needs == {Capability.CLASSIFY}


def test_thresholds_and_terms_come_from_the_known_half():
    texts = [*["short one"] * 50, *["a much longer text of nine words in all"] * 50, *["other " * 90] * 100]
    known = np.arange(200) < 100
    found = conditions(Texts(texts=texts, known=known), examples=[], vectors=None, seed=0)
    names = [condition.name for condition in found]
    assert "of at most 2 words" in names
    assert "of more than 9 words" in names
    assert "that contain 'longer'" in names
    assert "that contain 'other'" not in names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("See https://a.example", "with a web address"),
        ("thanks @you", "with an @handle"),
        ("so #good", "with a #hashtag"),
        ("GREAT film", "with a word in capitals"),
        ("naïve", "with letters outside ASCII"),
        ("12 days", "with a digit"),
        ("all small", "without any capital letter"),
        ("good but bad", "with both positive and negative words"),
        ("so good", "with positive and without negative words"),
    ],
)
def test_signs(text, name):
    texts = [text, "A plain Sentence of words"]
    found = conditions(Texts(texts=texts, known=np.ones(2, dtype=bool)), examples=[], vectors=None, seed=0)
    (condition,) = [condition for condition in found if condition.name == name]
    assert condition.holds.tolist() == [True, False]


def test_reading_ease_of_known_sentences():
    cat = "The cat sat on the mat."
    assert reading_ease(cat[:-1].lower().split(), cat) == pytest.approx(116, abs=0.2)  # the usual textbook value
    hard = "The Australian platypus is seemingly a hybrid of a mammal and reptilian creature."
    assert reading_ease(hard[:-1].lower().split(), hard) < 65
