from __future__ import annotations

import numpy as np
import pytest

from probes.core.attributions import COMPLETE, GRADIENT, Attribution, Baseline, Method
from probes.core.words import spans


def attribution(*scores, special=0.0, output, baseline_output=0.0, complete=True):
    text = " ".join("abcdefgh"[: len(scores)])
    return Attribution(
        text=text,
        target="positive",
        words=spans(text),
        scores=np.array(scores, dtype=float),
        special=special,
        output=output,
        baseline=None if baseline_output is None else Baseline.PAD,
        baseline_output=baseline_output,
        complete=complete,
    )


def test_the_error_is_what_the_sum_misses():
    found = attribution(1.0, 0.5, special=0.25, output=3.0, baseline_output=1.0)
    assert found.delta == pytest.approx(-0.25)
    assert found.relative_delta == pytest.approx(0.125)


def test_where_words_cancel_it_is_measured_by_the_largest_of_them():
    """An error of a thousandth of a score is one, whether or not the scores cancel."""
    alone, cancelling = attribution(3.0, output=3.003), attribution(3.0, -3.0, output=0.003)
    assert alone.delta == pytest.approx(cancelling.delta)
    assert alone.relative_delta == pytest.approx(0.001, rel=1e-2)
    assert cancelling.relative_delta == pytest.approx(0.001, rel=1e-2)
    assert cancelling.relative_delta < 0.01 < abs(cancelling.delta) / cancelling.output


def test_cancelling_is_no_excuse_for_an_error_as_large_as_a_word():
    assert attribution(3.0, -2.0, output=0.0, baseline_output=0.5).relative_delta == pytest.approx(0.5)
    assert attribution(0.1, -0.1, output=5.0).relative_delta == pytest.approx(1.0)


@pytest.mark.parametrize(
    "found",
    [
        attribution(1.0, output=2.0, baseline_output=None),
        attribution(1.0, output=2.0, complete=False),
    ],
)
def test_no_error_is_told_of_a_method_whose_sum_says_nothing_about_it(found):
    assert found.delta is None
    assert found.relative_delta is None


def test_a_text_answered_like_the_baseline_has_no_relative_error():
    assert attribution(0.0, 0.0, output=1.0, baseline_output=1.0).relative_delta is None


def test_only_gradient_methods_are_judged_by_their_sum():
    assert COMPLETE < GRADIENT
    assert not COMPLETE & {Method.GRADIENT_SHAP, Method.SHAPLEY_SAMPLING, Method.KERNEL_SHAP, Method.OCCLUSION}
