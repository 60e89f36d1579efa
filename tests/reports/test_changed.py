"""What moved between two runs: which way, how surely, in which order, and what was not compared."""

from __future__ import annotations

import pytest

from probes.core.comparison import Comparison
from probes.core.findings import BaselineUse
from probes.core.records import SCHEMA_VERSION, Better, Estimate, Unit
from probes.core.side_by_side import ComparedNumber, Standing, Value, direction, reading
from reports.changed import AWAY, BETTER, TOWARDS, UNCLEAR, WORSE, in_all, moved, tables
from reports.limits import Limits
from reports.redacted import _Redaction
from reports.vocabulary import banned_words


def estimate(value, half=0.05, *, n=100):
    return Estimate(value=value, low=value - half, high=value + half, n=n, clusters=n, method="m")


def number(name, before, change, *, better=Better.CONTEXT, half=0.05, risk="bias", adjusted=0.001, part=None):
    """A number of the probe "p.x" in two runs."""
    difference = estimate(change, half)
    shown = {"reading": reading(difference, better), "direction": direction(difference), "adjusted": adjusted}
    return ComparedNumber(
        standing=Standing.NEITHER,
        name=f"p.x.{name}",
        probe="p.x",
        risk=risk,
        title=f"{name} in words",
        part=part or {},
        better=better,
        unit=Unit.PROPORTION,
        values=(
            Value(letter="A", estimate=estimate(before)),
            Value(letter="B", estimate=estimate(before + change), difference=difference, **shown),
        ),
    )


def unpaired(name, reason, *, risk="bias"):
    values = (Value(letter="A", estimate=estimate(0.5)), Value(letter="B", estimate=estimate(0.5), unpaired=reason))
    return number(name, 0.5, 0.1, risk=risk).model_copy(update={"values": values})


def comparison(*numbers):
    return Comparison(
        schema_version=SCHEMA_VERSION,
        run_id="r",
        baseline=BaselineUse(run_id="b", model_name="base", model="f" * 64, created="2026-01-01T00:00:00Z"),
        differences=(),
        steps=(),
        numbers=numbers,
        tuned=True,
    )


def badge(*args, **how):
    (found,) = moved(comparison(number(*args, **how)))
    return found.badge


def test_a_number_with_a_good_direction_is_worse_or_better():
    assert badge("toxic_rate", 0.1, 0.2, better=Better.LOWER) == WORSE
    assert badge("accuracy", 0.7, 0.2, better=Better.HIGHER) == BETTER
    assert badge("accuracy", 0.7, 0.02, better=Better.HIGHER) == UNCLEAR


@pytest.mark.parametrize(
    ("name", "before", "change", "expected"),
    [
        ("stereotype_share", 0.5, 0.2, AWAY),
        ("stereotype_share", 0.45, -0.2, AWAY),
        ("stereotype_share", 0.8, -0.2, TOWARDS),
        ("stereotype_share", 0.48, 0.3, AWAY),  # crossed, and further from one half than before
        ("stereotype_share", 0.7, -0.42, None),  # as far on the other side, as far as these items show
        ("stereotype_share", 0.5, 0.01, UNCLEAR),
        ("valence", 0.0, 0.4, AWAY),
        ("valence", 0.6, -0.4, TOWARDS),
        ("empty_rate", 0.2, 0.4, None),  # no value is that of a model without a preference
    ],
)
def test_a_number_without_a_good_direction_is_nearer_to_no_preference_or_further_from_it(
    name, before, change, expected
):
    found = badge(name, before, change)
    if expected is None:
        assert found.word == ("Higher" if change > 0 else "Lower")
    else:
        assert found == expected


def test_what_moved_most_in_relation_to_its_uncertainty_stands_first_and_what_did_not_last():
    found = comparison(
        number("a", 0.5, 0.04),
        number("b", 0.5, 0.2, half=0.19),
        number("c", 0.5, 0.2, half=0.01),
        number("d", 0.1, 0.0),
    )
    assert [each.title[0] for each in moved(found)] == ["C", "B", "A", "D"]


def test_the_correction_is_told_for_each_number_and_for_all():
    found = comparison(number("a", 0.5, 0.2), number("b", 0.5, 0.2, adjusted=0.2), number("c", 0.5, 0.0, adjusted=1.0))
    assert [each.held for each in moved(found)] == ["yes", "no", ""]
    told = in_all(found)
    assert "Of 3 numbers compared, 2 moved (2 higher); for 1 these items show no difference." in told
    assert told.endswith("1 remain.")
    assert not banned_words(told)
    assert in_all(comparison(unpaired("a", "why"))) == "No number of the two could be compared."


def test_a_table_for_each_risk_and_one_of_what_was_not_compared():
    found = comparison(
        number("a", 0.5, 0.2, risk="performance"),
        number("b", 0.5, 0.2),
        number("c", 0.5, 0.2, risk="shift"),
        *(unpaired(f"u{k}", "this number is not kept item by item") for k in range(3)),
    )
    made = tables(found, Limits())
    assert [each.caption for each in made] == [
        "Bias: before and after", "Performance: before and after", "Domain shift: before and after",
        "Numbers that were not compared",
    ]  # fmt: skip
    (row,) = made[-1].rows
    assert [cell.text for cell in row.cells] == ["p.x", "This number is not kept item by item", "3"]
    assert (
        "Shortened: 60 of 70 numbers"
        in tables(comparison(*(number(f"n{k}", 0.5, 0.2) for k in range(70))), Limits())[0].note
    )


def test_names_from_the_data_are_masked_as_everywhere():
    found = comparison(number("f1", 0.5, 0.2, part={"group": "writer=jane.doe@example.org"}))
    (shown,) = _Redaction().comparison(found).numbers
    assert "jane.doe" not in shown.model_dump_json()
    assert shown.name.startswith("p.x.f1[group=writer=")
    assert shown.values == found.numbers[0].values
