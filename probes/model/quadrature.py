"""Nested quadrature along the path from a baseline (0) to a text (1): rules of 7, 15, 31 and 63 points.

Each rule has all the points of the one before. An integral refined from one rule to the next computes only the points
added, and the difference of the two says how good the finer one is. Sorted, every second point of a rule is one of the
rule before: `patterson(31)[0][1::2]` is `patterson(15)[0]`. All weights are positive.

Patterson's rules are meant for polynomials and crowd their points at both ends, where gradients of networks are no
rougher than elsewhere. A change of variable, which leaves the integral as it is, spreads them and bends them towards
the baseline, where gradients change most. On 26 sentences with MiniLM the error of 31 points, a share of the largest
attribution, fell from 0.10 % to 0.04 % (median) and from 1.3 % to 0.3 % (largest).

References: Patterson 1968, The optimum addition of points to quadrature formulae, Mathematics of Computation 22:847;
Hale and Trefethen 2008, New quadrature formulas from conformal maps, SIAM Journal on Numerical Analysis 46:930.
"""

from __future__ import annotations

import numpy as np

from probes.core.answers import Bools, Floats

RULES = (7, 15, 31, 63)
"""Points of the rules."""


def patterson(points: int) -> tuple[Floats, Floats]:
    """The (points,) nodes of a rule on [0, 1] in ascending order, and their weights, which sum to 1.

    Raises:
        KeyError: not one of RULES.
    """
    nodes, weights = symmetric(points)
    spread, slope = _spread(nodes)
    return spread * (1 + spread) / 2, weights * slope * (0.5 + spread)


def added(points: int) -> Floats:
    """The nodes of a rule that the rule before it lacks, ascending: every second one; of the smallest rule all."""
    nodes, _ = patterson(points)
    return nodes if points == RULES[0] else nodes[::2]


def settled(coarse: Floats, fine: Floats, *, tolerance: float) -> Bools:
    """(rows,): is the error of `fine` estimated to be at most `tolerance` of the largest attribution of its row?

    The difference d of two rules, as a share of that attribution, is the error of the coarser one. The finer one is far
    better; like QUADPACK (Piessens and others 1983) the estimate takes the power 1.5 of d. Where 31 points were checked
    against 144 (26 sentences, MiniLM), their error was 0.2 to 1 times that.

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
    """Patterson's own rule on [-1, 1], exact on polynomials up to the degree (3 points + 1) / 2; weights sum to 2."""
    weights = np.array(_WEIGHTS[points])
    nodes = np.array(_NODES[:: 32 // len(weights)])
    return np.concatenate([-nodes[:0:-1], nodes]), np.concatenate([weights[:0:-1], weights])


def _spread(nodes: Floats) -> tuple[Floats, Floats]:
    """From [-1, 1] to [0, 1] by the arcsine's series up to the ninth power, scaled to end at 1; and its derivative."""
    powers = np.arange(1, 2 * len(_ARCSINE), 2)
    scale = 2 * _ARCSINE.sum()
    raised = nodes[:, None] ** (powers - 1)
    slope = raised @ (_ARCSINE * powers) / scale
    return 0.5 + nodes * (raised @ _ARCSINE) / scale, slope


_ARCSINE = np.array([1, 1 / 6, 3 / 40, 15 / 336, 105 / 3456])
# From the centre outwards, on [-1, 1], where the rules are symmetric about 0. Derived anew with 120 digits: the nodes
# added to p are the zeros of the polynomial that is orthogonal to p times every lower power.
# fmt: off
_NODES = (
    0.0, 0.0563443130465927900, 0.112488943133186626, 0.168235251552207465,
    0.223386686428966882, 0.277749822021824315, 0.331135393257976833, 0.383359324198730347,
    0.434243749346802558, 0.483618026945841028, 0.531319743644375624, 0.577195710052045815,
    0.621102946737226403, 0.662909660024780595, 0.702496206491527079, 0.739756044352694759,
    0.774596669241483377, 0.806940531950217612, 0.836725938168868736, 0.863907938193690477,
    0.888459232872256999, 0.910371156957004292, 0.929654857429740057, 0.946342858373402905,
    0.960491268708020283, 0.972182874748581797, 0.981531149553740107, 0.988684757547429480,
    0.993831963212755022, 0.997206259372221959, 0.999098124967667598, 0.999872888120357612,
)
_WEIGHTS = {
    7: (
        0.450916538658474142, 0.401397414775962223, 0.268488089868333441, 0.104656226026467265,
    ),
    15: (
        0.225510499798206687, 0.219156858401587496, 0.200628529376989021, 0.171511909136391381,
        0.134415255243784220, 0.0929271953151245377, 0.0516032829970797397, 0.0170017196299402603,
    ),
    31: (
        0.112755256720768692, 0.111956873020953457, 0.109578421055924638, 0.105669893580234810,
        0.100314278611795579, 0.0936271099812644736, 0.0857559200499903512, 0.0768796204990035310,
        0.0672077542959907035, 0.0569795094941233574, 0.0464628932617579865, 0.0359571033071293221,
        0.0258075980961766536, 0.0164460498543878109, 0.00843456573932110625, 0.00254478079156187442,
    ),
    63: (
        0.0563776283603847174, 0.0562776998312543013, 0.0559784365104763194, 0.0554814043565593640,
        0.0547892105279628650, 0.0539054993352660639, 0.0528349467901165199, 0.0515832539520484588,
        0.0501571393058995374, 0.0485643304066731987, 0.0468135549906280124, 0.0449145316536321974,
        0.0428779600250077345, 0.0407155101169443189, 0.0384398102494555320, 0.0360644327807825726,
        0.0336038771482077305, 0.0310735511116879649, 0.0284897547458335486, 0.0258696793272147469,
        0.0232314466399102694, 0.0205942339159127111, 0.0179785515681282703, 0.0154067504665594978,
        0.0129038001003512656, 0.0104982469096213219, 0.00822300795723592967, 0.00611550682211724634,
        0.00421763044155885484, 0.00257904979468568827, 0.00126515655623006801, 0.000363221481845530660,
    ),
}
# fmt: on
