"""Answers in columns: when none is given, how sure, and what hangs on numerical noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from probes.core.readings import Answers, question_and_context

INF = math.inf


def answers(*rows, tolerance=1e-5):
    return Answers.of(rows, tolerance=tolerance)


def row(*, score=2.0, second=1.0, null=0.0, text="Rome"):
    return text, 0, len(text), score, second, float(np.logaddexp(score, second)), null


def test_no_answer_is_given_only_where_it_can_be_and_scores_above_the_best_span():
    found = answers(row(null=3.0), row(null=1.0), row(null=2.0))
    assert found.given == ["Rome", "Rome", "Rome"]
    assert found.abstaining(True).given == ["", "Rome", "Rome"]  # the threshold of the reference is "greater than 0"
    assert found.abstaining(True).abstained.tolist() == [True, False, False]


def test_confidence_is_a_softmax_over_the_best_spans_and_no_answer():
    found = answers(row(score=2.0, second=1.0, null=0.5))
    plain, open_to_none = math.exp(2) + math.exp(1), math.exp(2) + math.exp(1) + math.exp(0.5)
    assert found.confidence == pytest.approx([math.exp(2) / plain])
    assert found.abstaining(True).confidence == pytest.approx([math.exp(2) / open_to_none])
    silent = answers(row(score=2.0, second=1.0, null=4.0)).abstaining(True)
    assert silent.confidence == pytest.approx([math.exp(4) / (plain + math.exp(4))])


def test_a_context_without_a_span_has_no_answer():
    found = answers(("", 0, 0, -INF, -INF, -INF, 1.0))
    assert found.given == [""]
    assert found.abstained.all()
    assert np.isfinite(found.confidence).all()
    assert np.isfinite(found.abstaining(True).confidence).all()


def test_ties_are_those_of_the_answer_given():
    close, far = row(second=2.0 - 1e-7), row()
    assert answers(close, far).tied.tolist() == [True, False]
    none = row(null=2.0 + 1e-7)
    assert answers(none).tied.tolist() == [False]
    assert answers(none).abstaining(True).tied.tolist() == [True]


def test_rows_can_be_picked():
    found = answers(row(text="Rome"), row(text="Oslo", null=9.0)).abstaining(True)
    picked = found[np.array([1, 0, 1])]
    assert picked.given == ["", "Rome", ""]
    assert len(picked) == 3
    assert len(answers()) == 0


def test_one_text_is_refused():
    with pytest.raises(ValueError, match="question and a context"):
        question_and_context("alone")
