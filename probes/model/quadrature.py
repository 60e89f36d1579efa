"""Nested quadrature along the path from a baseline (0) to a text (1): rules of 10, 21, 43 and 87 points.

Gauss's rule of 10 points, Kronrod's 21 and the two that Patterson added, as in QUADPACK's QNG. Each has all the points
of the one before: an integral refined from one rule to the next computes only the points added, and the difference of
the two says how good the finer one is. Sorted, every second point of a rule is one of the rule before:
`nested(21)[0][1::2]` is `nested(10)[0]`. All weights are positive.

These rules are meant for polynomials and crowd their points at both ends, where gradients of networks are no rougher
than elsewhere. A change of variable, which leaves the integral as it is, spreads them and bends them towards the
baseline, where gradients change most. On 140 sentences (two MiniLM classifiers, every baseline) it made the error of
21 points six times smaller: 0.07 % of the largest attribution in the middle instead of 0.47 %.

References: Patterson 1968, The optimum addition of points to quadrature formulae, Mathematics of Computation 22:847;
Piessens and others 1983, QUADPACK; Hale and Trefethen 2008, New quadrature formulas from conformal maps, SIAM Journal
on Numerical Analysis 46:930.
"""

from __future__ import annotations

import numpy as np

from probes.core.answers import Bools, Floats

RULES = (10, 21, 43, 87)
"""Points of the rules."""
BEND = 1.5
"""Natural logarithm of how much denser the points are at the baseline than at the text."""


def nested(points: int) -> tuple[Floats, Floats]:
    """The (points,) nodes of a rule on [0, 1] in ascending order, and their weights.

    They sum to 1, those of the smallest rule within a millionth.

    Raises:
        KeyError: not one of RULES.
    """
    nodes, weights = symmetric(points)
    spread, slope = _spread(nodes)
    raised = np.exp(BEND * (1 + spread) / 2)
    return (raised - 1) / np.expm1(BEND), weights * slope * raised * BEND / (2 * np.expm1(BEND))


def added(points: int) -> Floats:
    """The nodes of a rule that the rule before it lacks, ascending: every second one; of the smallest rule all."""
    nodes, _ = nested(points)
    return nodes if points == RULES[0] else nodes[::2]


def settled(coarse: Floats, fine: Floats, *, tolerance: float) -> Bools:
    """(rows,): is the error of `fine` estimated to be at most `tolerance` of the largest attribution of its row?

    The difference d of two rules, as a share of that attribution, is the error of the coarser one. The finer one is far
    better; like QUADPACK the estimate takes the power 1.5 of d. On 140 sentences the error of 21 points was 0.24 times
    that in the middle and at most 1.4 times for 95 of 100.

    A row that is 0 under both rules is settled; one that is not finite is not.

    Args:
        coarse: (rows, tokens) attributions by one rule.
        fine: (rows, tokens) by the next.
    """
    scale = np.abs(fine).max(axis=1, initial=0.0)
    with np.errstate(invalid="ignore"):
        difference = np.abs(fine - coarse).max(axis=1, initial=0.0)
        # Multiplied, not divided, so that 0 is settled; NaN compares as not settled.
        return np.asarray((difference <= tolerance ** (1 / 1.5) * scale) & np.isfinite(scale), dtype=bool)


def symmetric(points: int) -> tuple[Floats, Floats]:
    """The rule on [-1, 1] before the change of variable; weights sum to 2.

    Exact on polynomials up to the degree 19, 31, 65 and 131.
    """
    outwards = np.array(_WEIGHTS[points])
    inwards = outwards[::-1]
    every = np.concatenate([-np.array(_NODES[:0:-1]), _NODES])
    step = (len(every) + 1) // (points + 1)
    return every[step - 1 :: step], np.concatenate([inwards, outwards[points % 2 :]])


def _spread(nodes: Floats) -> tuple[Floats, Floats]:
    """From [-1, 1] to itself by the arcsine's series up to the power 13, scaled to end at 1; and its derivative."""
    powers = np.arange(1, 2 * len(_ARCSINE), 2)
    series = _ARCSINE / _ARCSINE.sum()
    raised = nodes[:, None] ** (powers - 1)
    return nodes * (raised @ series), raised @ (series * powers)


_ARCSINE = np.array([1, 1 / 6, 3 / 40, 5 / 112, 35 / 1152, 63 / 2816, 231 / 13312])
# From the centre outwards, on [-1, 1], where the rules are symmetric about 0. Derived anew with 120 digits: the nodes
# added to p are the zeros of the polynomial that is orthogonal to p times every lower power.
# fmt: off
_NODES = (
    0.0, 0.0373521233946198708, 0.074650617461383322, 0.111842213179907468,
    0.148874338981631211, 0.185695396568346652, 0.222254919776601296, 0.258503559202161552,
    0.294392862701460198, 0.329874877106188288, 0.364901661346580768, 0.399424847859218805,
    0.433395394129247191, 0.466763623042022845, 0.4994795740710565, 0.531493605970831932,
    0.562757134668604683, 0.593223374057961089, 0.622847970537725239, 0.651589466501177923,
    0.679409568299024406, 0.70627320978732182, 0.732148388989304983, 0.757005730685495558,
    0.780817726586416897, 0.803557658035230983, 0.825198314983114151, 0.845710748462415667,
    0.865063366688984511, 0.883221657771316501, 0.900148695748328294, 0.91580641468550721,
    0.930157491355708226, 0.943167613133670597, 0.954807934814266299, 0.965057623858384619,
    0.97390652851717172, 0.981358163572712774, 0.98743340290808887, 0.992175497860687223,
    0.995657163025808081, 0.997989895986678745, 0.999333360901932081, 0.999902977262729234,
)
_WEIGHTS = {
    10: (
        0.29552422471475287, 0.269266719309996355, 0.219086362515982044, 0.149451349150580593,
        0.0666713443086881376,
    ),
    21: (
        0.149445554002916906, 0.147739104901338491, 0.142775938577060081, 0.134709217311473326,
        0.123491976262065851, 0.109387158802297642, 0.0931254545836976055, 0.0750396748109199528,
        0.054755896574351996, 0.0325581623079647275, 0.0116946388673718743,
    ),
    43: (
        0.0747221475174030056, 0.0745077510141751183, 0.0738701996323939534, 0.0728244414718332082,
        0.0713872672686933978, 0.0695661979123564845, 0.0673554146094780861, 0.0647464049514458855,
        0.0617449952014425645, 0.0583793955426192484, 0.0546949020582554421, 0.0507419396001845778,
        0.0465608269104288307, 0.0421631379351918118, 0.0375228761208695015, 0.0325974639753456894,
        0.0273718905932488421, 0.0218953638677954281, 0.0162967342896665649, 0.0107986895858916517,
        0.00576855605976979618, 0.0018444776402124141,
    ),
    87: (
        0.0373610737626790234, 0.0373342287519350403, 0.0372538755030477085, 0.0371205492698325761,
        0.0369350998204279076, 0.0366986044984560945, 0.0364122207313517876, 0.0360769896228887012,
        0.0356936336394187707, 0.035262412660156681, 0.0347830989503651428, 0.0342550997042260618,
        0.03367770731163793, 0.0330504134199785033, 0.0323732024672027897, 0.0316467513714399294,
        0.0308724976117133587, 0.0300525811280926953, 0.0291896977564757525, 0.0282869107887712007,
        0.0273474510500522862, 0.0263745054148392072, 0.0253709697692538272, 0.0243391471260008055,
        0.0232804135028883111, 0.0221949359610122868, 0.0210815688892038351, 0.0199380377864408882,
        0.0187614382015628222, 0.0175489679862431911, 0.0162987316967873353, 0.0150104473463889524,
        0.0136859460227127019, 0.0123294476522448537, 0.0109476796011189311, 0.00954995767220164654,
        0.0081483773841491729, 0.0067582900518473787, 0.00539928021930047137, 0.00409686928275916486,
        0.0028848724302115305, 0.00180712415505794295, 0.000915283345202241361, 0.00027414556376207235,
    ),
}
# fmt: on
