"""What is infinite is compared without a word on standard error."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from probes.model.apart import apart, farthest


def test_differences():
    assert apart(np.array([1.0, 5.0]), np.array([2.0, 2.0])).tolist() == [1, 3]
    assert farthest(np.array([1.0, 5.0]), np.array([2.0, 2.0])) == 3


@pytest.mark.parametrize("sign", [1, -1])
def test_infinite_answers_warn_of_nothing(sign):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(farthest(np.array([sign * np.inf, 0.0]), np.array([sign * np.inf, 0.0])))
