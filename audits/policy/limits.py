"""The limit of a check beside the number it is about: is it on the side that can be bad, and on the number's scale."""

from __future__ import annotations

from audits.policy.checks import Check
from probes.core.records import Better, Unit
from reports.numbers import ends


def asks_nothing(check: Check, *, unit: Unit | None) -> bool:
    """Is the limit of a check that is not off at the end of the scale, so that every number keeps it."""
    low, high = ends(unit)
    return check.minimum == low or check.maximum == high


def misplaced(check: Check, name: str, *, better: Better | None, unit: Unit | None) -> tuple[str, str] | None:
    """What is wrong with the limit and a hint; None where nothing is.

    Args:
        check: one that is not off.
        name: of the number, for the message.
        better: None where its direction is not known.
        unit: None where its scale is not known.
    """
    wrong = (better is Better.HIGHER and check.maximum is not None) or (
        better is Better.LOWER and check.minimum is not None
    )
    if wrong and better:
        right = "min" if better is Better.HIGHER else "max"
        told = f"{name} is better when {better.value}: the check {check.check!r} limits the wrong side"
        return told, f"give it {right} instead"
    low, high = ends(unit)
    if not low <= check.threshold <= high:
        told = f"{name} is from {low:g} to {high:g}: the check {check.check!r} asks for {check.threshold:g}"
        return told, "write shares as numbers from 0 to 1: 90 % is 0.9"
    return None
