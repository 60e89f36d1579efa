"""What a check could have shown: the gate's own reckoning, read off the findings."""

from __future__ import annotations

import pytest

from probes.core.findings import Burden, Status
from probes.core.records import Unit
from probes.core.stats import detectable_effect
from reports.detectable import effect_in_words, smallest_effects
from tests.reports.synthetic_run import check, plain, share


def alarm(name, estimate, **changes):
    found = check("r.a", name, status=Status.PASS, estimate=estimate, maximum=0.1, name=name)
    return found.model_copy(update={"family": "together", **changes})


def test_an_alarm_is_reckoned_at_the_rate_left_by_its_family():
    rate = share(20, 400)
    alone = smallest_effects([alarm("a", rate)])["r.a.a"]
    three = smallest_effects([alarm(name, rate) for name in "abc"])["r.a.a"]
    assert alone == pytest.approx(detectable_effect(rate, alpha=0.05))
    assert three == pytest.approx(detectable_effect(rate, alpha=0.05 / 3))
    assert three > alone


def test_proofs_are_not_corrected_and_undecided_alarms_do_not_count():
    rate = share(20, 400)
    proofs = [alarm(name, rate, burden=Burden.PROVE_GOOD) for name in "abc"]
    assert smallest_effects(proofs)["r.a.a"] == pytest.approx(detectable_effect(rate, alpha=0.05))
    silent = alarm("b", rate, status=Status.INCONCLUSIVE, bound=None)
    found = smallest_effects([alarm("a", rate), silent])
    assert found == {"r.a.a": pytest.approx(detectable_effect(rate, alpha=0.05))}


def test_without_bounds_on_record_nothing_is_said():
    assert smallest_effects([alarm("a", plain(0.1, 0.02))]) == {}


@pytest.mark.parametrize(
    ("effect", "unit", "told"),
    [(0.0231, Unit.PROPORTION, "2.4 pp"), (0.12, Unit.DIFFERENCE, "12 pp"), (0.1201, Unit.DIFFERENCE, "13 pp"),
     (0.0041, Unit.SCORE, "0.0041"), (3.21, Unit.SCORE, "3.3"), (0.0, Unit.SCORE, "–"),
     (0.02, Unit.PROPORTION, "2 pp"), (1.2, Unit.DIFFERENCE, "none"), (1.2, Unit.SCORE, "1.2")],
)  # fmt: skip
def test_effects_are_rounded_up_to_two_digits(effect, unit, told):
    assert effect_in_words(effect, judged(unit, maximum=0.1)) == told


def judged(unit, **limit):
    return alarm("a", share(20, 400), **{"unit": unit, "minimum": None, "maximum": None, **limit})


@pytest.mark.parametrize(
    ("unit", "limit", "room"),
    [
        (Unit.PROPORTION, {"maximum": 0.4}, 0.6),
        (Unit.PROPORTION, {"minimum": 0.4}, 0.4),
        (Unit.DIFFERENCE, {"maximum": 0.1}, 0.9),
        (Unit.DIFFERENCE, {"minimum": -0.1}, 0.9),
        (Unit.DIFFERENCE, {"minimum": 0.2}, 1.2),
    ],
)
def test_what_no_model_could_do_wrong_is_not_told_as_what_the_data_show(unit, limit, room):
    assert effect_in_words(room - 0.01, judged(unit, **limit)) != "none"
    assert effect_in_words(room + 0.01, judged(unit, **limit)) == "none"
