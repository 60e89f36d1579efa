"""How numbers are printed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.core.records import Estimate, Unit
from reports import numbers


def estimate(value, low, high, n=100, clusters=None):
    return Estimate(value=value, low=low, high=high, n=n, clusters=clusters or n, method="test")


@pytest.mark.parametrize(
    ("value", "low", "high", "unit", "line"),
    [
        (0.0731, 0.0512, 0.0984, Unit.PROPORTION, "7.3% (5.1% to 9.8%)"),
        (0.5, 0.2, 0.8, Unit.PROPORTION, "50% (20% to 80%)"),
        (0.9123, 0.8911, 0.9297, Unit.PROPORTION, "91.2% (89.1% to 93.0%)"),
        (0.0, 0.0, 0.3, Unit.PROPORTION, "0% (0% to 30%)"),
        (0.9996, 0.98, 1.0, Unit.PROPORTION, "99.96% (98.00% to 100.00%)"),
        (0.0004, 0.0, 0.3, Unit.PROPORTION, "0.04% (0.00% to 30.00%)"),
        (-0.0312, -0.05, 0.01, Unit.DIFFERENCE, "−3.1 pp (−5.0 to +1.0 pp)"),
        (0.552, 0.518, 0.586, Unit.DIFFERENCE, "+55.2 pp (+51.8 to +58.6 pp)"),
        (0.034, 0.021, 0.047, Unit.SCORE, "0.034 (0.021 to 0.047)"),
        (1234.5, 1100.0, 1400.0, Unit.SCORE, "1,234 (1,100 to 1,400)"),
        (0.25, 0.25, 0.25, Unit.PROPORTION, "25.0% (25.0% to 25.0%)"),
    ],
)
def test_an_estimate_has_the_digits_its_interval_supports(value, low, high, unit, line):
    assert numbers.printed(estimate(value, low, high), unit).line == line


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_printed_share_is_close_to_the_share_and_never_rounds_away(a, b, c):
    low, value, high = sorted((a, b, c))
    text = numbers.printed(estimate(value, low, high), Unit.PROPORTION).value
    shown = float(text.rstrip("%")) / 100
    assert abs(shown - value) <= max(0.005, (high - low) / 10)
    if 0.0001 < value < 0.9999:
        assert shown not in (0, 1)


@pytest.mark.parametrize(
    ("value", "others", "base"),
    [
        (0.07, (), 100),
        (0.007, (), 1000),
        (0.997, (), 1000),
        (0.0, (), 100),
        (1.0, (), 100),
        (0.052, (0.05,), 1000),
        (1e-7, (), 100_000),
    ],
)
def test_frequencies_use_the_smallest_base_that_tells(value, others, base):
    assert numbers.base_for(value, others) == base


def test_a_share_beyond_its_threshold_is_never_told_as_equal_to_it():
    told = numbers.in_words(estimate(0.0504, 0.041, 0.06), Unit.PROPORTION, minimum=None, maximum=0.05)
    assert (
        told
        == "about 504 in 10,000 (95% interval 410 to 600 in 10,000); the policy accepts at most 500 in 10,000; n = 100"
    )


def test_words_name_units_clusters_and_missing_thresholds():
    share = estimate(0.07, 0.05, 0.1, n=500, clusters=100)
    assert numbers.in_words(share, Unit.PROPORTION, minimum=None, maximum=0.05) == (
        "about 7 in 100 (95% interval 5 to 10 in 100); the policy accepts at most 5 in 100; n = 500 in 100 clusters"
    )
    gap = numbers.in_words(estimate(-0.03, -0.05, -0.01), Unit.DIFFERENCE, minimum=-0.02, maximum=0.02)
    assert gap.startswith("−3.0 percentage points (95% interval −5.0 to −1.0 pp); the policy accepts −2 percentage")
    assert "no threshold is set" in numbers.in_words(estimate(1, 0, 2), None, minimum=None, maximum=None)
    none = numbers.in_words(estimate(0, 0, 0.03), Unit.PROPORTION, minimum=None, maximum=0.05)
    assert none.startswith("none (95% interval 0 to 3 in 100)")


@pytest.mark.parametrize("name", ["f1", "macro_f1", "rouge_l", "bleu"])
def test_what_is_no_share_of_anything_is_not_told_as_a_frequency(name):
    told = numbers.in_words(estimate(0.31, 0.28, 0.34), Unit.PROPORTION, minimum=0.4, maximum=None, name=name)
    assert told == "31.0% (95% interval 28.0% to 34.0%); the policy accepts at least 40%; n = 100"
    share = numbers.in_words(estimate(0.31, 0.28, 0.34), Unit.PROPORTION, minimum=0.4, maximum=None, name="recall")
    assert share.startswith("about 31 in 100")


@pytest.mark.parametrize(
    ("minimum", "maximum", "unit", "text"),
    [
        (0.8, None, Unit.PROPORTION, "at least 80%"),
        (None, 0.025, Unit.DIFFERENCE, "at most 2.5 pp"),
        (0.01, 0.05, Unit.PROPORTION, "1% to 5%"),
        (None, -0.5, None, "at most −0.5"),
        (None, None, Unit.SCORE, "no threshold"),
    ],
)
def test_accepted_values(minimum, maximum, unit, text):
    assert numbers.accepted(minimum, maximum, unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-7, "fewer than 1 in 100,000"), (1 - 1e-7, "more than 99,999 in 100,000"), (1, "all"), (0, "none")],
)
def test_a_tiny_share_is_neither_none_nor_about_zero(value, text):
    assert numbers.frequency(value, 100_000) == text


def test_there_is_no_negative_zero():
    assert numbers.fixed(-0.0001, 2) == "0.00"
    assert numbers.fixed(-0.0001, 2, sign=True) == "0.00"
    assert numbers.fixed(-1.5, 1) == "−1.5"


@pytest.mark.parametrize(("value", "line"), [(0.0014, "0.14% (exact)"), (1.0, "100% (exact)")])
def test_a_number_counted_from_all_there_is_has_no_interval(value, line):
    counted = estimate(value, value, value).model_copy(update={"estimand": "fixed_set"})
    assert numbers.printed(counted, Unit.PROPORTION).line == line
    assert "(exact); no threshold" in numbers.in_words(counted, Unit.PROPORTION, minimum=None, maximum=None)
    assert "to" in numbers.printed(estimate(value, value, value), Unit.PROPORTION).line


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ({"kind": "hidden_note"}, "hidden note"),
        ({"perturbation": "keyboard_typos", "severity": "2"}, "perturbation keyboard typos, severity 2"),
        ({"register": "social_media"}, "register social media"),
        ({"order": "order_3"}, "order 3"),
        ({"domain": "my_tweets", "label": "not_spam"}, "domain my_tweets, label not_spam"),
    ],
)
def test_names_of_our_own_lists_lose_their_underscores_and_those_of_a_user_do_not(part, told):
    assert numbers.part_in_words(part) == told
