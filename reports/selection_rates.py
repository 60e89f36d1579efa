"""Selection rates and impact ratios of groups in the columns that New York City's rule on bias audits asks for:
category, number, selected, selection rate, impact ratio (6 RCNY 5-301(b) and 5-303), with who is unknown or left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from probes.core.positive import Meaning
from probes.core.records import Estimate, Measurement, Skip, Unit
from reports.limits import Limits
from reports.load import Loaded
from reports.numbers import capital, count, printed
from reports.tables import columns, estimated, number, row, table, text
from reports.views import Row, Table

RATE, RATIO, UNKNOWN = "selection_rate", "ratio_to_most_favoured", "unknown_share"

LIMITS = (
    "Evidence relevant to 6 RCNY 5-301(b), in the form asked for there. No bias audit: that needs an independent "
    "auditor, the categories of the law and historical data of the employer. The rule sets no pass line. Groups are as "
    "labelled in the data, and small numbers make a ratio uncertain: read its interval."
)
_CLOSE = 1e-6
"""How well a ratio must agree with the rates beside it."""


def selection_rates(loaded: Loaded, *, limits: Limits) -> tuple[Table, ...]:
    """A table for each attribute of the data whose groups have a selection rate and an impact ratio."""
    parts: dict[tuple[str, str], list[Measurement | Skip]] = {}
    for step, record in loaded.records():
        if isinstance(record, Measurement | Skip) and record.slice.keys() | {"group"} == {"attribute", "group"}:
            parts.setdefault((step.step_id, record.slice["attribute"]), []).append(record)
    adverse = loaded.manifest.model.positive.meaning in (Meaning.HARM, Meaning.UNFAVOURABLE)
    made = (_table(attribute, records, limits, adverse=adverse) for (_, attribute), records in parts.items())
    return tuple(each for each in made if each is not None)


def _table(attribute: str, records: Sequence[Measurement | Skip], limits: Limits, *, adverse: bool) -> Table | None:
    """None where the table would not be complete.

    Args:
        adverse: the positive answer is to somebody's disadvantage, so that those who do not get it are the selected.
    """
    rates, ratios = _by_group(records, RATE), _by_group(records, RATIO)
    selected = {group: _complement(rates[group]) if adverse else rates[group] for group in ratios if group in rates}
    if not _agree(selected, ratios):
        return None
    order = sorted(selected, key=lambda group: (-ratios[group].value, group))
    rows = [_row(group, selected[group], ratios[group]) for group in order]
    rows += [*_unknown(records, attribute), *_left_out(records)]
    names = ("Number", "Selected", "Selection rate", "Impact ratio")
    head = columns("Category", *names, numbers=names)
    caption = f"{capital(attribute)}: selection rates and impact ratios"
    note = f"{_told(records, adverse=adverse)} Impact ratio: the rate of a category over the highest of all. {LIMITS}"
    return table(caption, head, rows, most=limits.rows, what="categories", note=note, wide=True)


def _by_group(records: Sequence[Measurement | Skip], name: str) -> dict[str, Estimate]:
    found = (each for each in records if isinstance(each, Measurement) and each.name == name)
    return {each.slice["group"]: each.estimate for each in found if "group" in each.slice}


def _agree(rates: Mapping[str, Estimate], ratios: Mapping[str, Estimate]) -> bool:
    """Are the ratios those of the rates; they are not where a group is missing."""
    highest = max((rate.value for rate in rates.values()), default=0.0)
    return highest > 0 and all(
        math.isclose(rate.value / highest, ratios[group].value, abs_tol=_CLOSE) for group, rate in rates.items()
    )


def _complement(rate: Estimate) -> Estimate:
    """Of the share that does not get the answer."""
    return rate.model_copy(update={"value": 1 - rate.value, "low": 1 - rate.high, "high": 1 - rate.low, "tails": ()})


def _told(records: Sequence[Measurement | Skip], *, adverse: bool) -> str:
    """What counts as selected, in the words of the measurement."""
    titles = {each.title for each in records if isinstance(each, Measurement) and each.name == RATE}
    of = titles.pop() if len(titles) == 1 else "share with the positive answer"
    return f"Selection rate: {f'one less the {of}, which is to their disadvantage' if adverse else of}."


def _row(group: str, rate: Estimate, ratio: Estimate) -> Row:
    return row(
        text(group),
        number(count(rate.n)),
        number(count(round(rate.value * rate.n))),
        estimated(rate, Unit.PROPORTION),
        estimated(ratio, Unit.SCORE),
    )


def _unknown(records: Sequence[Measurement | Skip], attribute: str) -> Iterator[Row]:
    """Items without a category, which the rule wants counted."""
    for each in records:
        if isinstance(each, Measurement) and each.name == UNKNOWN:
            items = round(each.estimate.value * each.estimate.n)
            share = printed(each.estimate, Unit.PROPORTION).value
            told = text("Unknown", f"no value of {attribute}; {share} of all items")
            yield row(told, number(count(items)), number("–"), number("–"), number("–"))


def _left_out(records: Sequence[Measurement | Skip]) -> Iterator[Row]:
    """Categories too small for a rate, with their numbers and why."""
    seen = {each.slice["group"] for each in records if isinstance(each, Measurement) and "group" in each.slice}
    for each in records:
        if isinstance(each, Skip) and each.slice.get("group", "") not in {"", *seen}:
            seen.add(each.slice["group"])
            told = text(each.slice["group"], f"left out: {each.detail}")
            yield row(told, number("–"), number("–"), number("–"), number("–"))
