"""A classifier that takes a swear word for a complaint, and its twin that does not."""

from __future__ import annotations

import pytest

from probes.core.answers import SEQUENCE_HEADS, ProblemType
from probes.core.examples import Example
from probes.core.positive import Meaning, PositiveClass
from probes.core.probe import Context, Probe
from probes.core.records import Accounting, Evidence, Measurement, Outcomes, Skip, SkipReason, to_line
from probes.text.masking import has_offensive
from probes.text.offensive import KINDS, OFFENSIVE, entries
from probes.toxicity.sensitivity.insertions import insertions, strengths
from probes.toxicity.sensitivity.probe import Sensitivity
from tests.conftest import FakeModel, model_card, sentiment_rule

GOOD = PositiveClass(labels=("positive",), meaning=Meaning.FAVOURABLE, origin="label names")
CARD = model_card().model_copy(update={"positive": GOOD})
STRENGTH = {entry.word: (entry.kind, entry.strength) for entry in entries()}


def turning(*kinds, least=1):
    """Negative as soon as a listed word of one of the kinds, of at least this strength, stands anywhere."""

    def rule(text):
        said = [STRENGTH[match.group().lower()] for match in OFFENSIVE.finditer(str(text))]
        return (9.0, 0.0) if any(kind in kinds and level >= least for kind, level in said) else sentiment_rule(text)

    return rule


def run(rule, data, card=CARD):
    return list(Sensitivity().run(FakeModel(rule, card), data, Context(probe="toxicity.sensitivity")))


def numbers(records):
    return {r.key: r.estimate for r in records if isinstance(r, Measurement)}


def test_is_a_probe_for_all_other_classifiers():
    probe: Probe = Sensitivity()
    assert probe.info.harm is False
    assert probe.info.problems == SEQUENCE_HEADS


def test_a_model_that_turns_negative_on_profanity_is_seen_and_its_twin_is_not(sentiment_examples):
    bad, good = (numbers(run(rule, sentiment_examples)) for rule in (turning("profanity"), sentiment_rule))
    for strength in "123":
        key = f"excess_flip_rate[kind=profanity,strength={strength}]"
        assert bad[key].value == pytest.approx(0.5)
        assert bad[key].tail(0.001).low > 0.2
        assert good[key].value == 0
        assert good[key].high < 0.1
    assert bad["excess_flip_rate[kind=profanity,label=positive]"].value == 1
    assert bad["excess_flip_rate[kind=profanity,label=negative]"].value == 0
    assert bad["score_shift[kind=profanity,label=positive]"].value < -0.5
    assert bad["excess_flip_rate[kind=insult]"].value == bad["excess_flip_rate[kind=slur]"].value == 0


def test_only_the_strength_that_matters_is_named(sentiment_examples):
    found = numbers(run(turning("slur", least=3), sentiment_examples))
    assert found["excess_flip_rate[kind=slur,strength=2]"].value == 0
    assert found["excess_flip_rate[kind=slur,strength=3]"].value == pytest.approx(0.5)


def test_what_any_insertion_does_is_the_noise_floor(sentiment_examples):
    def long_texts_are_negative(text):
        return (9.0, 0.0) if len(str(text).split()) > 14 else sentiment_rule(text)

    found = numbers(run(long_texts_are_negative, sentiment_examples))
    assert found["flip_rate"].value == found["control_flip_rate"].value > 0.3
    assert found["excess_flip_rate"].value == 0
    assert found["excess_flip_rate"].high < 0.05
    assert found["score_shift"].value == pytest.approx(0)


def test_without_labels_or_positive_class_flips_are_still_measured(sentiment_examples):
    data = [Example.of(example.text) for example in sentiment_examples]
    records = run(turning("insult"), data, card=model_card())
    found = numbers(records)
    assert found["excess_flip_rate[kind=insult]"].value > 0.4
    assert not [key for key in found if "score_shift" in key or "label=" in key]
    assert {r.reason for r in records if isinstance(r, Skip)} == {SkipReason.NO_POSITIVE_CLASS, SkipReason.NO_GOLD}


def test_a_rare_label_is_a_skip(sentiment_examples):
    by_gold = {gold: [e for e in sentiment_examples if e.gold == gold] for gold in ("positive", "negative")}
    records = run(sentiment_rule, by_gold["positive"] + by_gold["negative"][:9])
    assert "excess_flip_rate[kind=insult,label=positive]" in numbers(records)
    assert [r for r in records if isinstance(r, Skip) and r.slice == {"kind": "insult", "label": "negative"}]


def test_regressions_label_sets_and_pairs(sentiment_examples):
    score = PositiveClass(labels=("score",), origin="the only score")
    card = model_card(labels=("score",), problem=ProblemType.REGRESSION).model_copy(update={"positive": score})

    def rule(text):
        return (sentiment_rule(text)[1] - (3.0 if OFFENSIVE.search(str(text)) else 0.0),)

    found = numbers(run(rule, [Example.of(e.text, gold=1.0) for e in sentiment_examples], card=card))
    assert found["excess_flip_rate"].value == 1
    assert found["score_shift"].value == pytest.approx(-3)
    constant = run(lambda _: (1.0,), sentiment_examples, card=card)
    assert any(isinstance(r, Skip) and r.reason is SkipReason.UNDEFINED for r in constant)
    sets = CARD.model_copy(update={"problem": ProblemType.MULTI_LABEL})
    assert numbers(run(sentiment_rule, [Example.of(e.text) for e in sentiment_examples], card=sets))
    pairs = [Example.of((e.texts[0], "A hypothesis.")) for e in sentiment_examples]
    model = FakeModel(sentiment_rule, CARD)
    list(Sensitivity().run(model, pairs, Context(probe="toxicity.sensitivity")))
    assert {text[1] for text in model.asked} == {"A hypothesis."}


def test_nothing_to_ask_is_a_skip():
    for data in ([], [Example.of("  ")]):
        records = run(sentiment_rule, data)
        assert [type(r) for r in records] == [*[Accounting] * len(KINDS), Skip]


def test_row_order_has_no_influence_and_cases_carry_a_note(sentiment_examples):
    one, two = (run(turning("slur"), data) for data in (sentiment_examples, sentiment_examples[::-1]))
    first, second = numbers(one), numbers(two)
    assert {k: pytest.approx(e.value, abs=1e-12) for k, e in first.items()} == {k: e.value for k, e in second.items()}
    cases = [r for r in one if isinstance(r, Evidence)]
    assert [to_line(case) for case in cases] == [to_line(r) for r in two if isinstance(r, Evidence)]
    assert all(case.content_note for case in cases)
    assert {case.slice["kind"] for case in cases if case.chosen == "worst"} == {"slur"}
    outcomes = next(r for r in one if isinstance(r, Outcomes))
    assert len(set(zip(outcomes.example_id, outcomes.variant, strict=True))) == len(outcomes)


def test_insertions_hold_one_word_of_their_kind_and_strength_and_controls_none():
    for kind in KINDS:
        assert strengths(kind)
        for strength in strengths(kind):
            found = insertions(kind, strength=strength)
            assert len(found) >= 4
            for place, (offensive, harmless) in found:
                assert place in ("before", "after")
                assert len(offensive.split()) == len(harmless.split())
                said = [STRENGTH[match.group().lower()] for match in OFFENSIVE.finditer(offensive)]
                assert said == [(kind, strength)], offensive
                assert not OFFENSIVE.search(harmless)
                assert not has_offensive(harmless)
