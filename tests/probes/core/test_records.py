"""Records survive their file, whatever texts hold; numbers that are none do not."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from probes.core.records import (
    ALPHAS,
    Accounting,
    Better,
    Curve,
    Estimate,
    Evidence,
    Measurement,
    Outcomes,
    Point,
    Shown,
    Skip,
    SkipReason,
    StepEnd,
    Tail,
    Unit,
    WordList,
    from_line,
    measurement_key,
    to_line,
)

HOSTILE = "\u2028\u2029\x85\x00\x1b[31m\u202e\u200f\ufeff\u200b</script>\r\n\t\"'\\ é e\u0301 \U0001f468\u200d {{x}}"
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.just(HOSTILE)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def estimates(draw):
    low, value, high = sorted(draw(st.tuples(numbers, numbers, numbers)))
    tails = tuple(Tail(alpha=alpha, low=low, high=high) for alpha in ALPHAS)
    n = draw(st.integers(1, 10**6))
    return Estimate(value=value, low=low, high=high, n=n, clusters=n, method=draw(texts), tails=tails)


slices = st.dictionaries(texts, texts, max_size=2)
names = st.from_regex(r"[a-z][a-z0-9_]*", fullmatch=True)
measurements = st.builds(
    Measurement,
    name=names,
    title=texts,
    estimate=estimates(),
    better=st.sampled_from(Better),
    unit=st.sampled_from(Unit),
    slice=slices,
    family=st.none() | texts,
)
shown = st.builds(
    Shown,
    texts=st.lists(texts, min_size=1, max_size=2).map(tuple),
    answer=texts,
    confidence=st.none() | st.floats(0, 1),
)
evidence = st.builds(
    Evidence,
    example_id=texts,
    chosen=st.sampled_from(["random", "worst"]),
    shown=st.lists(shown, min_size=1, max_size=2).map(tuple),
    gold=st.none() | texts,
    note=texts,
    slice=slices,
)
skips = st.builds(
    Skip, reason=st.sampled_from(SkipReason), detail=texts, enable=texts, name=st.none() | texts, slice=slices
)
counts = st.integers(0, 10**9)
accounts = st.builds(Accounting, eligible=counts, perturbed=st.none() | counts, scored=counts, note=texts, slice=slices)
curves = st.builds(
    Curve,
    name=names,
    title=texts,
    x_title=texts,
    y_title=texts,
    unit=st.sampled_from(Unit),
    points=st.lists(st.builds(Point, x=numbers, y=estimates(), label=st.none() | texts), max_size=3).map(tuple),
)
word_lists = st.builds(
    WordList,
    title=texts,
    groups=st.dictionaries(texts, st.lists(texts, max_size=3).map(tuple), max_size=3),
    source=texts,
    licence=texts,
    language=texts,
)
ends = st.builds(
    StepEnd, status=st.sampled_from(["done", "failed"]), records=counts, items=counts, error=texts, traceback=texts
)


@given(measurements | evidence | skips | accounts | curves | word_lists | ends)
def test_round_trip(record):
    line = to_line(record)
    assert "\n" not in line
    assert from_line(line) == record
    assert from_line(line.encode("utf-8").decode("utf-8")) == record
    assert to_line(from_line(line)) == line


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"kind": "surprise"}',
        '{"kind": "skip", "reason": "no_gold", "detail": "d", "extra": 1}',
        '{"kind": "skip", "reason": "bad mood", "detail": "d"}',
        '{"kind": "skip", "detail": "d"}',
        '{"kind": "accounting", "eligible": -1, "scored": 0}',
    ],
)
def test_foreign_lines_are_refused(line):
    with pytest.raises(ValidationError):
        from_line(line)


def estimate(**changes):
    return Estimate(**{"value": 0.5, "low": 0.4, "high": 0.6, "n": 10, "clusters": 10, "method": "m", **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"value": math.nan},
        {"high": math.inf},
        {"low": 0.51},
        {"high": 0.49},
        {"n": 0},
        {"clusters": 0},
    ],
)
def test_estimates_that_are_none_are_refused(changes):
    with pytest.raises(ValidationError):
        estimate(**changes)


def test_records_cannot_be_changed():
    with pytest.raises(ValidationError):
        estimate().value = 1.0


def test_tail_is_the_one_asked_for_or_the_next_stricter():
    tails = tuple(Tail(alpha=alpha, low=0.5 - i / 100, high=0.5 + i / 100) for i, alpha in enumerate(ALPHAS))
    full = estimate(tails=tails)
    assert [full.tail(alpha).alpha for alpha in ALPHAS] == list(ALPHAS)
    assert full.tail(0.5).alpha == 0.1
    assert full.tail(0.04).alpha == 0.025
    assert full.tail(0.1 / 4).alpha == 0.025
    for missing in (full.tail, estimate().tail):
        with pytest.raises(ValueError, match="no bound"):
            missing(0.0001)


def test_keys():
    assert measurement_key("f1", {}) == "f1"
    assert measurement_key("f1", {"label": "x", "group": "g:a"}) == "f1[group=g:a,label=x]"


@pytest.mark.parametrize("name", ["", "F1", "1st", "flip rate", "flip_rate\n", "f[1]"])
def test_names_are_snake_case(name):
    with pytest.raises(ValidationError):
        Measurement(name=name, title="t", estimate=estimate(), better=Better.LOWER, unit=Unit.SCORE)


def test_not_applicable_is_told_from_not_run():
    assert {reason for reason in SkipReason if not reason.applicable} == {
        SkipReason.NO_CAPABILITY,
        SkipReason.WRONG_PROBLEM,
        SkipReason.WRONG_PROFILE,
    }


def test_evidence_shows_one_or_two_cases():
    for count in (0, 3):
        with pytest.raises(ValidationError):
            Evidence(example_id="e", chosen="random", shown=(Shown(texts=("t",), answer="a"),) * count)


def test_json_has_no_nan():
    assert json.loads(to_line(Skip(reason=SkipReason.UNDEFINED, detail=HOSTILE)))["detail"] == HOSTILE


def test_outcomes_are_columns_of_one_length():
    outcomes = Outcomes(
        example_id=["e"], cluster=["c"], variant=[""], after=["a"], before=[None], gold=[None], correct=[None],
        changed=[None], score=[None],
    )  # fmt: skip
    assert len(outcomes) == 1
    assert [name for name, _ in outcomes.columns()][:3] == ["example_id", "cluster", "variant"]
    assert all(len(values) == 1 for _, values in outcomes.columns())
