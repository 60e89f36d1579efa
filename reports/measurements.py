"""A probe's measurements as tables: one for the whole data, and one for each way of cutting them.

Rows that differ in one setting (severity, label, group) become one compact table with a column for each measurement;
a confusion (gold by predicted) becomes a matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from probes.core.records import Measurement
from reports.limits import Limits
from reports.numbers import capital, items, printed, value_in_words
from reports.tables import columns, estimated, number, rests_on, row, table, text
from reports.views import Cell, Column, Row, Table

_LARGEST_MATRIX = 12
_WIDEST, _FITS = 5, 4
"""More numbers than 5 in a row become several tables of 4, which fit on paper."""
_SIDE_BY_SIDE = 3
"""Up to so many parts of the data stand side by side, with a row for each number, where the numbers are many."""
_LONGEST_HEAD = 40
"""Longer headings make columns of single words on a narrow screen."""
_ACRONYMS = frozenset({"auc", "auroc", "aupr", "aurc", "ece", "f1", "fpr", "mcc", "mmd", "tpr"})
_DEGREES = ("severity", "strength", "source")
"""Slice keys that read better after what they are a degree or a part of."""
CUTS: Mapping[tuple[str, ...], str] = {
    ("severity",): "By severity",
    ("label",): "By class",
    ("group",): "By group",
    ("family",): "By family",
    ("axis",): "By axis",
    ("axis", "pair"): "By pair of groups",
    ("axis", "pair", "source"): "By pair of groups",
    ("axis", "source"): "By axis and source of the texts",
    ("source",): "By source of the texts",
    ("technique",): "By technique",
    ("severity", "technique"): "By technique and severity",
    ("kind",): "By kind",
    ("kind", "strength"): "By kind and strength",
    ("kind", "label"): "By kind and label",
    ("slice",): "By slice",
    ("attribute",): "By attribute",
    ("functionality",): "By functionality",
    ("target",): "By target group",
    ("domain",): "By kind of text",
    ("domain", "estimate"): "By kind of text and estimate",
    ("domain", "score"): "By kind of text and score",
    ("domain", "target"): "By kind of text and share of errors allowed",
    ("register",): "By register",
    ("register", "severity"): "By register and severity",
    ("part",): "By part of the data",
    ("ranking",): "By ranking of the words",
    ("removed",): "By share of the words removed",
    ("kept",): "By share of the words kept",
    ("edit",): "By edit",
    ("category",): "By category of words",
    ("axis", "category"): "By axis of identity",
    ("category", "label"): "By category of words and answer",
    ("category", "word"): "By word",
    ("label", "word"): "By word and answer",
}


def measurement_tables(measurements: Sequence[Measurement], *, title: str, limits: Limits) -> tuple[Table, ...]:
    """All measurements, each in exactly one table (as far as `limits` allow)."""
    cuts: dict[tuple[str, ...], list[Measurement]] = {}
    for measurement in measurements:
        cuts.setdefault(tuple(sorted(measurement.slice)), []).append(measurement)
    order = sorted(cuts, key=lambda keys: (len(keys), keys))
    return tuple(made for keys in order for made in _of_cut(keys, cuts[keys], title, limits))


def _of_cut(keys: tuple[str, ...], found: Sequence[Measurement], title: str, limits: Limits) -> Iterator[Table]:
    if not keys:
        yield _whole(found, title, limits)
    elif keys == ("gold", "predicted") and _fits_matrix(found):
        yield _confusion(found, title)
    else:
        names = list(dict.fromkeys(m.name for m in found))
        values = {m.slice[keys[0]] for m in found}
        if len(keys) == 1 and len(values) <= _SIDE_BY_SIDE and len(names) > _WIDEST:
            yield _turned(keys[0], found, title, limits)
            return
        parts = (
            [names]
            if len(names) <= _WIDEST
            else [names[start : start + _FITS] for start in range(0, len(names), _FITS)]
        )
        for number, part in enumerate(parts, start=1):
            of = f" ({number} of {len(parts)})" if len(parts) > 1 else ""
            yield _pivot(keys, [m for m in found if m.name in part], title, limits, of=of)


def _whole(found: Sequence[Measurement], title: str, limits: Limits) -> Table:
    rows = [
        row(
            text(capital(m.title), m.name),
            estimated(m.estimate, m.unit),
            rests_on(m.estimate),
            text(m.estimate.method, "exactly these items" if m.estimate.estimand == "fixed_set" else ""),
        )
        for m in found
    ]
    head = columns(
        "Measurement", "Estimate and interval", "Items", "Interval method", numbers=("Estimate and interval", "Items")
    )
    return table(f"{title}: all items", head, rows, most=limits.rows, what="measurements")


def _pivot(keys: tuple[str, ...], found: Sequence[Measurement], title: str, limits: Limits, *, of: str) -> Table:
    caption = f"{title}: {_cut(keys)}{of}"
    keys = tuple(sorted(keys, key=lambda key: key in _DEGREES))
    names = list(dict.fromkeys(m.name for m in found))
    titles = {name: list(dict.fromkeys(m.title for m in found if m.name == name)) for name in names}
    groups: dict[tuple[str, ...], dict[str, Measurement]] = {}
    for m in found:
        groups.setdefault(tuple(m.slice[key] for key in keys), {})[m.name] = m
    shared = {name: _shared_start(titles[name]) for name in names}
    rows = [
        row(
            text(value_in_words(keys[0], values[0]), _own_words(cells, shared)),
            *(text(value_in_words(key, value)) for key, value in zip(keys[1:], values[1:], strict=True)),
            _rests_on(cells),
            *(_cell(cells.get(name)) for name in names),
        )
        for values, cells in groups.items()
    ]
    head = (
        *(Column(text=_spoken(key)) for key in keys),
        Column(text="Items", number=True),
        *(Column(text=_heading(name, shared[name]), number=True) for name in names),
    )
    long = [name for name in names if _shortened(shared[name])]
    told = (_explained(name, _whole_title(shared[name])) for name in long)
    wide = len(keys) + len(names) > 4
    return table(caption, head, rows, most=limits.rows, wide=wide, note=" ".join(told))


def _cut(keys: Sequence[str]) -> str:
    return CUTS.get(tuple(keys), "by " + ", ".join(map(_spoken, keys))).lower()


def _turned(key: str, found: Sequence[Measurement], title: str, limits: Limits) -> Table:
    """Many numbers of a few parts of the data: a row for each number, and the parts side by side."""
    values = list(dict.fromkeys(m.slice[key] for m in found))
    by_name: dict[str, dict[str, Measurement]] = {}
    for m in found:
        by_name.setdefault(m.name, {})[m.slice[key]] = m
    rows = [
        row(_number_heading(name, cells, key), *(_cell(cells.get(value)) for value in values), _rests_on(cells))
        for name, cells in by_name.items()
    ]
    head = (
        Column(text="Measurement"),
        *(Column(text=value_in_words(key, value), number=True) for value in values),
        Column(text="Items", number=True),
    )
    return table(f"{title}: {_cut([key])}", head, rows, most=limits.rows, what="measurements")


def _number_heading(name: str, cells: Mapping[str, Measurement], key: str) -> Cell:
    """What a number is; where the parts of the data have words of their own for it, each beside its part."""
    titles = list(dict.fromkeys(m.title for m in cells.values()))
    if len(titles) == 1:
        return text(capital(titles[0]), name)
    own = "; ".join(f"{value_in_words(key, value)}: {m.title}" for value, m in cells.items())
    return text(name_in_words(name), f"{own}; {name}")


def _shortened(title: str) -> bool:
    return len(_whole_title(title)) > _LONGEST_HEAD


def _whole_title(title: str) -> str:
    return title.rstrip(" ,")


def _heading(name: str, title: str) -> str:
    """The title where it is short enough to stand above a column, or else the name of the measurement as words."""
    return name_in_words(name) if not title or _shortened(title) else capital(_whole_title(title))


def _explained(name: str, title: str) -> str:
    """A heading with the title it is short for, as a sentence."""
    return (
        f"{capital(title)}."
        if title.lower().startswith(name_in_words(name).lower())
        else f"{name_in_words(name)}: {title}."
    )


def name_in_words(name: str) -> str:
    """The name of a measurement for a reader: "Classifier AUC"."""
    return capital(" ".join(word.upper() if word in _ACRONYMS else word for word in name.split("_")))


def _shared_start(titles: Sequence[str]) -> str:
    """What all titles of a column say before a comma, beyond which each row has its own words; "" where they do not."""
    if len(titles) == 1:
        return titles[0]
    start, comma, _ = titles[0].partition(", ")
    return start + comma if comma and all(title.startswith(start + comma) for title in titles) else ""


def _own_words(cells: Mapping[str, Measurement], shared: Mapping[str, str]) -> str:
    """What the row's own titles say beyond the heading of the column: who is favoured, say."""
    rest = (found.title.removeprefix(shared[name]) for name, found in cells.items() if shared[name])
    return "; ".join(dict.fromkeys(part for part in rest if part))


def _spoken(key: str) -> str:
    return key.replace("_", " ").capitalize()


def _cell(measurement: Measurement | None) -> Cell:
    return number("–") if measurement is None else estimated(measurement.estimate, measurement.unit)


def _rests_on(cells: Mapping[str, Measurement]) -> Cell:
    by_size = {m.estimate.n: items(m.estimate) for m in cells.values()}
    least, most = by_size[min(by_size)], by_size[max(by_size)]
    return number(least, f"to {most}" if most != least else "")


def _fits_matrix(found: Sequence[Measurement]) -> bool:
    golds, predicted = ({m.slice[key] for m in found} for key in ("gold", "predicted"))
    one_name = len({m.name for m in found}) == 1
    return one_name and max(len(golds), len(predicted)) <= _LARGEST_MATRIX


def _confusion(found: Sequence[Measurement], title: str) -> Table:
    cells = {(m.slice["gold"], m.slice["predicted"]): m for m in found}
    golds = list(dict.fromkeys(gold for gold, _ in cells))
    answers = sorted({answer for _, answer in cells}, key=lambda a: (golds.index(a) if a in golds else len(golds), a))
    rows = [_confusion_row(gold, answers, cells) for gold in golds]
    return Table(
        caption=f"{title}: right answer (rows) by answer given (columns)",
        columns=(Column(text="Right answer"), *(Column(text=f"answered {answer}", number=True) for answer in answers)),
        rows=tuple(rows),
        note="The diagonal holds the right answers. Darker cells hold more.",
        wide=len(answers) > 4,
    )


def _confusion_row(gold: str, answers: Sequence[str], cells: Mapping[tuple[str, str], Measurement]) -> Row:
    most = max((m.estimate.value for m in cells.values()), default=0.0) or 1.0
    return row(text(gold), *(_confusion_cell(cells.get((gold, answer)), most) for answer in answers))


def _confusion_cell(measurement: Measurement | None, most: float) -> Cell:
    if measurement is None:
        return number("–")
    figures = printed(measurement.estimate, measurement.unit)
    shade = min(5, max(0, round(5 * measurement.estimate.value / most)))
    return number(figures.value, figures.interval, shade)


def severity_matrix(by_probe: Mapping[str, Sequence[Measurement]], *, caption: str, limits: Limits) -> Table | None:
    """Flip rate of every probe at every severity, so that weak spots are seen at once. None without such numbers."""
    found = {
        title: {m.slice["severity"]: m for m in measurements if m.name == "flip_rate" and set(m.slice) == {"severity"}}
        for title, measurements in by_probe.items()
    }
    found = {title: cells for title, cells in found.items() if cells}
    severities = sorted({severity for cells in found.values() for severity in cells}, key=lambda s: (len(s), s))
    if len(found) < 2 or not 1 < len(severities) <= 8:
        return None
    ordered = sorted(found, key=lambda title: (-_mean(found[title]), title))
    rows = [row(text(title), *(_shaded(found[title].get(s)) for s in severities)) for title in ordered]
    head = (Column(text="Change made to the text"), *(Column(text=f"Severity {s}", number=True) for s in severities))
    note = "Share of answers that changed; tinted from 5% and darker at 10%, 20%, 30% and 50%. Most sensitive first."
    return table(caption, head, rows, most=limits.checks, what="probes", note=note)


def _mean(cells: Mapping[str, Measurement]) -> float:
    return sum(m.estimate.value for m in cells.values()) / len(cells)


def _shaded(measurement: Measurement | None) -> Cell:
    if measurement is None:
        return number("–")
    figures = printed(measurement.estimate, measurement.unit)
    shade = sum(measurement.estimate.value >= step for step in (0.05, 0.1, 0.2, 0.3, 0.5))
    return number(figures.value, figures.interval, shade)
