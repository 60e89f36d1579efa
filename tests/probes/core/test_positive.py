from __future__ import annotations

import numpy as np
import pytest

from probes.core.answers import Classifications, ProblemType
from probes.core.positive import Meaning, PositiveClass, recognise

FAV = Meaning.FAVOURABLE
SINGLE, MULTI, SCORE = ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL, ProblemType.REGRESSION


@pytest.mark.parametrize(
    ("labels", "positive", "meaning"),
    [
        (("non-hate", "hate"), ("hate",), Meaning.HARM),
        (("not-offensive", "offensive"), ("offensive",), Meaning.HARM),
        (("non-offensive", "offensive"), ("offensive",), Meaning.HARM),
        (("nothate", "hate"), ("hate",), Meaning.HARM),
        (("non_toxic", "toxic"), ("toxic",), Meaning.HARM),
        (("hate speech", "offensive language", "neither"), ("hate speech", "offensive language"), Meaning.HARM),
        (("NOT_HATE", "HATE"), ("HATE",), Meaning.HARM),
        (("NonToxic", "Toxic"), ("Toxic",), Meaning.HARM),
        (("inoffensive", "offensive"), ("offensive",), Meaning.HARM),
        (("harmless", "harmful"), ("harmful",), Meaning.HARM),
        (("negative", "positive"), ("positive",), Meaning.FAVOURABLE),
        (("NEGATIVE", "NEUTRAL", "POSITIVE"), ("POSITIVE",), Meaning.FAVOURABLE),
        (("1 star", "2 stars", "3 stars", "4 stars", "5 stars"), ("4 stars", "5 stars"), Meaning.FAVOURABLE),
        (("ham", "spam"), ("spam",), Meaning.UNFAVOURABLE),
        (("rejected", "approved"), ("approved",), Meaning.FAVOURABLE),
        (("LABEL_0", "LABEL_1"), ("LABEL_1",), Meaning.UNKNOWN),
        (("world", "sports", "business", "tech"), (), Meaning.UNKNOWN),
        (("objective", "subjective"), ("subjective",), Meaning.UNKNOWN),
    ],
)
def test_label_names_tell_the_positive_class(labels, positive, meaning):
    found = recognise(labels, SINGLE)
    assert found.labels == positive
    assert found.meaning is meaning
    assert bool(found.origin) is bool(positive)


def test_all_labels_of_a_multi_label_model_may_be_harms():
    labels = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
    assert recognise(labels, MULTI) == PositiveClass(labels=labels, meaning=Meaning.HARM, origin="label names")


def test_not_all_labels_of_a_single_label_model_are_positive():
    assert recognise(("hate", "offensive"), SINGLE).labels == ("offensive",)  # by convention, and not as a harm
    assert not recognise(("hate", "offensive"), SINGLE).harm


def answers(logits, labels, problem):
    return Classifications(logits=np.array(logits, dtype=float), labels=labels, problem=problem)


def test_the_score_of_single_labels_is_the_sum_of_positive_probabilities():
    given = answers([[0.0, 0.0, 0.0], [2.0, 1.0, 0.0]], ("a", "b", "c"), SINGLE)
    positive = PositiveClass(labels=("b", "c"))
    e = np.exp([2.0, 1.0, 0.0])
    assert positive.score(given) == pytest.approx([2 / 3, (e[1] + e[2]) / e.sum()])
    assert positive.decided(given).tolist() == [False, False]
    assert positive.gold(["a", "c"], labels=given.labels).tolist() == [False, True]


def test_the_score_of_label_sets_is_the_largest_positive_probability():
    given = answers([[-1.0, 3.0], [-1.0, -2.0]], ("x", "y"), MULTI)
    positive = PositiveClass(labels=("x", "y"))
    assert positive.score(given) == pytest.approx([1 / (1 + np.exp(-3)), 1 / (1 + np.exp(1))])
    assert positive.decided(given).tolist() == [True, False]
    assert positive.gold([("y",), ()], labels=given.labels).tolist() == [True, False]


def test_a_regression_has_a_score_and_no_threshold():
    given = answers([[0.3], [0.9]], ("score",), SCORE)
    positive = recognise(("score",), SCORE)
    assert positive.score(given).tolist() == [0.3, 0.9]
    with pytest.raises(ValueError, match="threshold"):
        positive.decided(given)


def test_a_model_without_a_positive_class_has_no_score():
    with pytest.raises(ValueError, match="no positive class"):
        PositiveClass().score(answers([[0.0, 1.0]], ("a", "b"), SINGLE))


@pytest.mark.parametrize(
    ("labels", "positive", "meaning"),
    [
        (
            ("Very Negative", "Negative", "Neutral", "Positive", "Very Positive"),
            ("Positive", "Very Positive"),
            Meaning.FAVOURABLE,
        ),
        (("star_1", "star_2", "star_3", "star_4", "star_5"), ("star_4", "star_5"), Meaning.FAVOURABLE),
        (
            ("one star", "two stars", "three stars", "four stars", "five stars"),
            ("four stars", "five stars"),
            "favourable",
        ),
        (
            ("not_cyberbullying", "gender", "religion", "age", "ethnicity"),
            ("gender", "religion", "age", "ethnicity"),
            Meaning.HARM,
        ),
        (("nohate", "hate"), ("hate",), Meaning.HARM),
        (("notoxic", "toxic"), ("toxic",), Meaning.HARM),
        (("nonviolent", "violent"), ("violent",), Meaning.HARM),
        (("SFW", "NSFW"), ("NSFW",), Meaning.HARM),
        (("OK", "S", "H", "V", "HR"), (), Meaning.UNKNOWN),
        (("pharmacy", "harmony"), ("harmony",), Meaning.UNKNOWN),
        (("charming", "whatever", "phosphate"), (), Meaning.UNKNOWN),
        (("suicide", "non-suicide"), ("suicide",), Meaning.UNKNOWN),
        (("entailment", "not_entailment"), ("entailment",), Meaning.UNKNOWN),
        (("unacceptable", "acceptable"), ("acceptable",), Meaning.FAVOURABLE),
        (("entailment", "neutral", "contradiction"), (), Meaning.UNKNOWN),
        (("sadness", "joy", "love", "anger", "fear", "surprise"), (), Meaning.UNKNOWN),
        (("bearish", "bullish"), ("bullish",), Meaning.UNKNOWN),
    ],
)
def test_label_names_of_well_known_models(labels, positive, meaning):
    found = recognise(labels, SINGLE)
    assert found.labels == positive
    assert found.meaning == meaning
