"""Answers: how logits are read, when an answer has changed, and when it is right."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.answers import Classifications, ProblemType, changed, correct, gold_matrix

LABELS = ("a", "b", "c")
SINGLE, MULTI, SCORE = ProblemType.SINGLE_LABEL, ProblemType.MULTI_LABEL, ProblemType.REGRESSION


def answers(logits, problem=SINGLE, labels=None):
    logits = np.array(logits, dtype=np.float64)
    return Classifications(logits=logits, labels=labels or LABELS[: logits.shape[1]], problem=problem)


def test_single_label():
    got = answers([[0.0, np.log(3.0)], [1.0, 1.0]])
    assert got.scores[0] == pytest.approx([0.25, 0.75])
    assert got.top.tolist() == [1, 0]  # the lowest index wins a tie
    assert got.tied.tolist() == [False, True]
    assert got.confidence == pytest.approx([0.75, 0.5])
    assert got.chosen.tolist() == [[False, True], [True, False]]
    assert got.names() == ["b", "a"]


def test_multi_label():
    got = answers([[5.0, -5.0, 5.0], [-5.0, -5.0, -5.0], [0.0, 9.0, -9.0]], MULTI)
    assert got.names() == ["a + c", "(none)", "a + b"]
    assert got.tied.tolist() == [False, False, True]
    assert got.confidence[0] == pytest.approx(1 / (1 + np.exp(-5)))


def test_regression():
    got = answers([[0.25], [-1.5]], SCORE)
    assert got.names() == ["0.250", "-1.500"]
    assert np.isnan(got.confidence).all()
    assert not got.tied.any()
    assert got.scores.tolist() == [[0.25], [-1.5]]


def test_selecting_rows_keeps_everything_else():
    got = answers([[0.0, 1.0], [1.0, 0.0], [0.0, 2.0]])
    assert len(got[np.array([2, 0])]) == 2
    assert got[np.array([2, 0])].logits.tolist() == [[0.0, 2.0], [0.0, 1.0]]
    assert got[np.array([True, False, False])].names() == ["b"]
    assert got[1:].labels == got.labels


def test_huge_logits_overflow_nothing():
    assert answers([[1e4, -1e4]]).scores.tolist() == [[1.0, 0.0]]
    assert answers([[1e4, -1e4]], MULTI).scores.tolist() == [[1.0, 0.0]]


def test_a_near_tie_is_not_a_change():
    clear, other, tie = answers([[0.0, 1.0]]), answers([[1.0, 0.0]]), answers([[1.0, 1.0 - 1e-7]])
    assert changed(clear, other).tolist() == [True]
    assert changed(clear, clear).tolist() == [False]
    assert changed(clear, tie).tolist() == [False]
    assert changed(tie, clear).tolist() == [False]


def test_a_score_changes_by_more_than_the_step():
    before, after = answers([[0.0], [0.0], [0.0]], SCORE), answers([[0.1], [-0.3], [1e-7]], SCORE)
    assert changed(before, after, step=0.2).tolist() == [False, True, False]
    assert changed(before, after).tolist() == [True, True, False]


def test_a_set_of_labels_changes_as_a_whole():
    assert changed(answers([[5.0, 5.0]], MULTI), answers([[5.0, -5.0]], MULTI)).tolist() == [True]


def test_right_is_the_label_or_the_whole_set():
    assert correct(answers([[0.0, 1.0], [1.0, 0.0]]), ["b", "b"]).tolist() == [True, False]
    sets = answers([[5.0, -5.0, 5.0]] * 3 + [[-5.0] * 3], MULTI)
    assert correct(sets, [("c", "a"), ("a",), ("a", "b", "c"), ()]).tolist() == [True, False, False, True]


def test_what_is_neither_right_nor_wrong():
    with pytest.raises(ValueError, match="regression"):
        correct(answers([[1.0]], SCORE), [1.0])
    for gold in (None, 0.5):
        with pytest.raises(ValueError, match="not a label"):
            gold_matrix([gold], labels=LABELS)
    with pytest.raises(KeyError):
        gold_matrix(["z"], labels=LABELS)


def test_no_answers():
    none = answers(np.zeros((0, 2)))
    assert len(none) == 0
    assert none.names() == []
    assert changed(none, none).tolist() == []


@given(st.lists(st.lists(st.floats(-50, 50), min_size=3, max_size=3), min_size=1, max_size=20))
def test_scores_are_probabilities_and_agree_with_the_answer(rows):
    got = answers(rows)
    assert got.scores.sum(axis=1) == pytest.approx(np.ones(len(got)))
    assert (got.scores[np.arange(len(got)), got.top] >= got.scores.max(axis=1) - 1e-12).all()
    assert not changed(got, got).any()
    assert correct(got, got.names()).all()


def multi(*rows):
    logits = np.log(np.array(rows) / (1 - np.array(rows)))
    return Classifications(logits=logits, labels=("a", "b"), problem=ProblemType.MULTI_LABEL, tolerance=2e-2)


def test_one_label_near_a_half_does_not_hide_the_flip_of_another():
    assert changed(multi([0.993, 0.5]), multi([0.007, 0.5])).tolist() == [True]
    assert changed(multi([0.993, 0.501]), multi([0.993, 0.499])).tolist() == [False]


def test_a_tie_between_two_labels_does_not_hide_the_change_to_a_third():
    def single(row):
        return Classifications(
            logits=np.log(np.array([row])), labels=("a", "b", "c"), problem=ProblemType.SINGLE_LABEL, tolerance=1e-3
        )

    before = single([0.495, 0.495, 0.01])
    assert changed(before, single([0.005, 0.005, 0.99])).tolist() == [True]
    assert changed(before, single([0.4949, 0.4951, 0.01])).tolist() == [False]
