"""What is worst, for whom, and how sure: on the first page, whatever else crowds it."""

from __future__ import annotations

from probes.core.findings import Level, Status
from probes.core.records import Unit
from reports.bearings import bearings, furthest
from reports.load import load
from reports.ranking import ranked
from tests.reports import synthetic_run as synthetic
from tests.reports.synthetic_run import Step, check, measured, plain, share

PEOPLE = {"axis": "class", "source": "templates"}


def told(folder, findings, *, records=(), **changes):
    step = Step("bias.counterfactual", "Swapped identities", list(records))
    loaded = load(synthetic.write(folder, [step], findings, **changes))
    return {fact.name: fact.value for fact in bearings(loaded, ranked(loaded.findings, titles=loaded.titles))}


def crowd(count=12):
    """Small blocking checks that are open, which come first in the register."""
    return [
        check(f"robustness.p{k}", "loss", status=Status.INCONCLUSIVE, estimate=plain(0.05 + k / 1000, 0.06, n=60),
              maximum=0.1, unit=Unit.DIFFERENCE, needed_n=100 + k)
        for k in range(count)
    ]  # fmt: skip


def gap(status=Status.PASS):
    return check(
        "bias.counterfactual", "largest score gap, a over b (class, in templates)", status=status, level=Level.WARN,
        estimate=plain(0.24, 0.1, n=60), maximum=0.1, unit=Unit.DIFFERENCE, name="disparity", part=PEOPLE,
    )  # fmt: skip


def test_the_worst_number_is_named_though_open_checks_crowd_it(tmp_path):
    found = told(tmp_path, [*crowd(), gap()], data=synthetic.data_card(groups=()))
    assert found["What is worst"] == (
        "Swapped identities: largest score gap, a over b (class, in templates): +24 pp (+14 to +34 pp), n = 60; at "
        "most 10 pp accepted, 14 pp beyond (pass: no violation shown). 1 of 13 judged numbers lies beyond its "
        "threshold as measured."
    )
    assert found["For whom"].startswith("Swapped identities: largest score gap, a over b")
    assert found["For whom"].endswith("The data name no groups of people.")
    assert found["How sure"] == (
        "95% intervals on 60 independent items; half of those of shares reach 6.0 percentage points or more to the "
        "longer side. 12 checks undecided; up to about 111 items would decide 12 of them."
    )


def test_what_is_in_the_register_is_told_with_its_number(tmp_path):
    assert "(fail, F-013)" in told(tmp_path, [*crowd(), gap(Status.FAIL)])["What is worst"]


def test_numbers_within_their_thresholds_are_not_praised(tmp_path):
    found = told(tmp_path, crowd(2))
    assert found["What is worst"].startswith(
        "None of the 2 judged numbers was measured beyond its threshold; closest to it: "
    )
    assert found["For whom"] == "Not known: no test compared groups of people. The data divide the items by channel."


def test_where_none_is_beyond_its_threshold_the_largest_difference_between_people_is_told(tmp_path):
    near = gap().model_copy(update={"check": "near", "title": "near", "estimate": plain(0.04, 0.02), "maximum": 0.05})
    far = gap().model_copy(update={"check": "far", "title": "far", "estimate": plain(0.29, 0.05), "maximum": 0.5})
    assert told(tmp_path, [*crowd(2), near, far])["For whom"].startswith("Swapped identities: far: +29 pp")


def test_gaps_that_no_policy_judges_are_told_as_such(tmp_path):
    records = [measured("gap", "largest gap", plain(0.148, 0.09), unit=Unit.DIFFERENCE, attribute="language")]
    assert told(tmp_path, crowd(2), records=records)["For whom"].startswith(
        "Not judged. Largest measured: largest gap, +15 pp (+6 to +24 pp)."
    )


def test_what_the_policy_only_wants_to_be_told_is_not_the_worst(tmp_path):
    aside = check("shift.d", "distance", status=Status.FAIL, estimate=share(99, 100), maximum=0.1, level=Level.INFO)
    assert told(tmp_path, [*crowd(), aside, gap()])["What is worst"].startswith("Swapped identities")


def test_scores_have_no_common_scale_and_come_after_shares():
    error = check("p.q", "error", status=Status.FAIL, estimate=plain(41.0, 3.0), maximum=1, unit=Unit.SCORE, name="mae")
    rate = check("r.a", "rate", status=Status.FAIL, estimate=share(30, 100), maximum=0.1)
    within = check("r.b", "rate", status=Status.PASS, estimate=share(3, 100), maximum=0.1)
    assert furthest(ranked([error, rate], titles={})).finding is rate
    assert furthest(ranked([error, within], titles={})).finding is error


def test_without_a_judged_number_nothing_is_said(tmp_path):
    assert told(tmp_path, [check("r.a", "x", status=Status.NOT_RUN)]) == {}
