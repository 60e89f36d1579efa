"""Association with the right labels, against independent implementations; and what is read off it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import fisher_exact
from statsmodels.stats.proportion import confint_proportions_2indep

from probes.core.rng import generator
from probes.core.stats.derived import UnmeasurableError
from probes.explanation.shortcuts.association import Justified, association


def table(a, n, b, m):
    """a of n items with the word have the label, b of m without it."""
    labelled = np.array([True] * a + [False] * (n - a) + [True] * b + [False] * (m - b))
    return labelled, np.array([True] * n + [False] * m), [str(row) for row in range(n + m)]


@pytest.mark.parametrize("counts", [(56, 70, 48, 80), (10, 10, 0, 20), (5, 56, 0, 29)])
def test_is_newcombe(counts):
    labelled, holding, clusters = table(*counts)
    found = association(labelled, holding, clusters=clusters)
    low, high = confint_proportions_2indep(*counts, method="newcomb", compare="diff")
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-9)
    assert found.value == pytest.approx(counts[0] / counts[1] - counts[2] / counts[3])


def test_agrees_with_fisher():
    """At the same level hardly a table is judged otherwise, and none far from the border."""
    draw = generator(0, "fisher")
    otherwise = 0
    for _ in range(200):
        a, b = int(draw.binomial(20, draw.uniform())), int(draw.binomial(40, 0.5))
        shown = Justified.by(_of(a, 20, b, 40), effect=1.0)
        p = fisher_exact([[a, 20 - a], [b, 40 - b]]).pvalue
        if (shown is not Justified.NOT_SHOWN) != (p < 0.05):
            otherwise += 1
            assert 0.01 < p < 0.2
    assert otherwise < 20


def test_judgement():
    assert Justified.by(_of(19, 20, 20, 40), effect=0.9) is Justified.YES
    assert Justified.by(_of(10, 20, 20, 40), effect=0.9) is Justified.NOT_SHOWN
    assert Justified.by(_of(10, 20, 20, 40), effect=0.1) is Justified.UNDECIDED
    assert Justified.by(_of(5, 6, 20, 40), effect=0.4) is Justified.UNDECIDED  # 83 % of six texts prove nothing
    assert Justified.by(_of(1, 20, 20, 40), effect=0.9) is Justified.OPPOSITE
    assert {each for each in Justified if each.suspicious} == {Justified.NOT_SHOWN, Justified.OPPOSITE}
    assert {each for each in Justified if not each.decided} == {Justified.UNDECIDED, Justified.UNKNOWN}


def test_nothing_to_compare_with():
    labelled = np.array([True, False])
    for holding in (np.zeros(2, dtype=bool), np.ones(2, dtype=bool)):
        with pytest.raises(UnmeasurableError):
            association(labelled, holding, clusters=["a", "b"])


def _of(*counts):
    labelled, holding, clusters = table(*counts)
    return association(labelled, holding, clusters=clusters)
