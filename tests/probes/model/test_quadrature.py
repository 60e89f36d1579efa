from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad

from probes.model.quadrature import BEND, RULES, added, nested, settled, symmetric


def off(points, degree):
    """How far the rule is off on the Legendre polynomial of this degree, whose integral is 0 (but the first's: 2)."""
    nodes, weights = symmetric(points)
    coefficients = np.zeros(degree + 1)
    coefficients[degree] = 1
    return float(weights @ np.polynomial.legendre.legval(nodes, coefficients)) - 2 * (degree == 0)


@pytest.mark.parametrize(("points", "exact"), [(10, 19), (21, 31), (43, 65), (87, 131)])
def test_a_rule_is_exact_up_to_its_degree_and_no_further(points, exact):
    assert max(abs(off(points, degree)) for degree in range(exact + 1)) < 4e-15
    assert abs(off(points, exact + 1)) > 1e-11


@pytest.mark.parametrize("points", RULES)
def test_the_rule_is_symmetric(points):
    nodes, weights = symmetric(points)
    np.testing.assert_array_equal(nodes, -nodes[::-1])
    np.testing.assert_array_equal(weights, weights[::-1])
    assert abs(weights.sum() - 2) < 1e-15


@pytest.mark.parametrize("points", RULES)
def test_weights_along_the_path_are_positive_and_sum_to_one(points):
    nodes, weights = nested(points)
    assert len(nodes) == len(weights) == points
    assert nodes.dtype == weights.dtype == np.float64
    assert (np.diff(nodes) > 0).all()
    assert 0 < nodes[0] < nodes[-1] < 1
    assert weights.min() > 0
    assert abs(weights.sum() - 1) < (1e-6 if points == 10 else 1e-12)
    # More of them near the baseline.
    assert np.median(nodes) == pytest.approx(np.expm1(BEND / 2) / np.expm1(BEND), abs=0.01)


@pytest.mark.parametrize(("points", "off"), [(10, 1e-4), (21, 1e-9), (43, 1e-15), (87, 1e-15)])
def test_smooth_gradients_cost_no_accuracy(points, off):
    nodes, weights = nested(points)
    for integrand in (lambda x: x, lambda x: x**4, np.exp, lambda x: 1 / (1 + x)):
        assert weights @ integrand(nodes) == pytest.approx(quad(integrand, 0, 1)[0], abs=off)


@pytest.mark.parametrize(("coarse", "fine"), list(pairwise(RULES)))
def test_every_second_node_is_one_of_the_rule_before(coarse, fine):
    nodes = nested(fine)[0]
    np.testing.assert_array_equal(nodes[1::2], nested(coarse)[0])
    np.testing.assert_array_equal(nodes[::2], added(fine))


def test_the_rules_are_those_of_quadpack():
    gauss, its_weights = np.polynomial.legendre.leggauss(10)
    nodes, weights = symmetric(10)
    np.testing.assert_allclose(nodes, gauss, atol=1e-15)
    np.testing.assert_allclose(weights, its_weights, atol=1e-15)
    np.testing.assert_array_equal(added(10), nested(10)[0])
    # Piessens and others 1983, dqng.f: of x2 and w21b the last and the first, of x3 and w43b too.
    nodes, weights = symmetric(21)
    np.testing.assert_allclose(nodes[[10, 20]], [0.0, 0.995657163025808080735527280689003], atol=1e-15)
    np.testing.assert_allclose(
        weights[[10, 20]], [0.149445554002916905664936468389821, 0.011694638867371874278064396062192], atol=1e-15
    )
    nodes, weights = symmetric(43)
    np.testing.assert_allclose(nodes[42], 0.999333360901932081394099323919911, atol=1e-15)
    np.testing.assert_allclose(weights[42], 0.001844477640212414100389106552965, atol=1e-15)


def test_a_rule_that_does_not_exist():
    with pytest.raises(KeyError):
        nested(15)


def steep(x, *, centre, width):
    """What a saturating logit looks like along the path: the derivative of tanh."""
    return 1 / (width * np.cosh((x - centre) / width) ** 2)


@pytest.mark.parametrize("tolerance", [1e-3, 1e-2])
def test_what_is_settled_is_as_good_as_claimed(tolerance):
    """Rows of steep and flat integrands: what the estimate lets stop has the error promised, and most of it stops."""
    draw = np.random.default_rng(0)
    centre, width = draw.uniform(-0.2, 1.0, (400, 6)), draw.uniform(0.05, 0.8, (400, 6))
    truth = np.tanh((1 - centre) / width) + np.tanh(centre / width)

    def by(points):
        nodes, weights = nested(points)
        return steep(nodes, centre=centre[..., None], width=width[..., None]) @ weights

    for coarse, fine in pairwise(RULES):
        stopped = settled(by(coarse), by(fine), tolerance=tolerance)
        error = np.abs(by(fine) - truth).max(axis=1) / np.abs(truth).max(axis=1)
        assert (error[stopped] > tolerance).mean() < 0.02
        assert stopped.mean() > 0.6 * (error <= tolerance).mean()


def test_zeros_are_settled_and_what_is_not_a_number_never_is():
    coarse = np.array([[0.0, 0.0], [np.nan, 1.0], [1.0, 1.0], [1.0, 0.0], [np.inf, 0.0]])
    fine = np.array([[0.0, 0.0], [np.nan, 1.0], [np.nan, 1.0], [0.0, 0.0], [np.inf, 0.0]])
    assert settled(coarse, fine, tolerance=0.01).tolist() == [True, False, False, False, False]
    assert settled(np.empty((0, 3)), np.empty((0, 3)), tolerance=0.01).tolist() == []


def test_the_largest_attribution_of_the_row_is_the_measure():
    fine = np.array([[1.0, 0.001], [0.001, 0.0005]])
    assert settled(fine + 5e-3, fine, tolerance=1e-3).tolist() == [True, False]
    assert settled(fine + 2e-2, fine, tolerance=1e-3).tolist() == [False, False]
