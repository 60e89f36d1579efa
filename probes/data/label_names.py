"""From the values in the data to the model's own label names: never by position when both sides have names.

A value that fits no label stops the audit: a wrong guess here makes every number after it wrong without a sign.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from probes.core.errors import DataError, UsageError, did_you_mean
from probes.data.table import shown

DROP = "-"
"""As the right side of `--label-map`: leave these rows out."""

_NUMBER = re.compile(r"(?:label[ _-]?)?(\d{1,9})", re.IGNORECASE)
_BOOLEANS = {"true": "1", "false": "0"}
_NUMBERS = 20
"""So many label numbers are told with their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """Data value -> the model's label name, None for "not labelled", or DROP."""

    names: Mapping[str, str | None]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelNames:
    """Both sides of the translation.

    Attributes:
        model: label names in the order of the model's outputs.
        stored: names in the order of the numbers that the data stores for them, where the data says so.
        label_map: data value -> model label or DROP, as the user gave it.
        where: the data, for messages.
    """

    model: tuple[str, ...]
    where: str
    stored: tuple[str, ...] = ()
    label_map: Mapping[str, str] = field(default_factory=dict)

    def translate(self, values: Iterable[str]) -> Translation:
        """Find the model's name for every distinct value, exactly one or an error.

        Order of trust: the user's map, the same name, the same name but for case and punctuation, then numbers.

        Raises:
            DataError: listing both sides, when a value fits no label or could mean two things.
            UsageError: when the map names a label the model does not have.
        """
        distinct = sorted(set(values))
        names: dict[str, str | None] = {value: self._mapped(value) for value in distinct if value in self.label_map}
        rest = [value for value in distinct if value not in names]
        by_name = {value: found for value in rest if (found := self._by_name(value)) is not None}
        rest = [value for value in rest if value not in by_name]
        if "-1" in rest:
            self._check_minus_one(distinct)
            names["-1"] = None
            rest.remove("-1")
        if not rest:
            return Translation(names=names | by_name, notes=self._map_notes(distinct))
        by_number = {} if by_name else {value: self._by_number(value) for value in rest}
        if not by_number or None in by_number.values():
            raise self._mismatch(distinct)
        return Translation(names=names | by_number, notes=(*self._map_notes(distinct), self._number_note(by_number)))

    def _mapped(self, value: str) -> str:
        wanted = self.label_map[value]
        if wanted == DROP:
            return DROP
        found = self._by_name(wanted)
        if found is None:
            raise UsageError(
                f"--label-map {value}={wanted}: the model has no label {wanted!r}",
                hint=did_you_mean(wanted, self.model),
            )
        return found

    def _by_name(self, value: str) -> str | None:
        if value in self.model:
            return value
        plain = _plain(value)
        found = [label for label in self.model if _plain(label) == plain] if plain else []
        return found[0] if len(found) == 1 else None

    def _by_number(self, value: str) -> str | None:
        """A number means the one label with that number in its name ("LABEL_2", "4 stars"), otherwise the position."""
        if value in self.stored:
            # Names on both sides that differ: only a model without real names may be read by position.
            if not self.is_generic or len(self.stored) != len(self.model):
                return None
            number = self.stored.index(value)
        else:
            bit = _BOOLEANS.get(value.casefold()) if len(self.model) == 2 else None
            found = _NUMBER.fullmatch(bit or value)
            if found is None:
                return None
            number = int(found[1])
        numbered = self._numbered
        if numbered:
            return numbered.get(number)
        return self.model[number] if number < len(self.model) else None

    @property
    def is_generic(self) -> bool:
        """Does the model name its labels by number alone ("LABEL_0", "1")?"""
        return all(_NUMBER.fullmatch(label) for label in self.model)

    @property
    def _numbered(self) -> dict[int, str]:
        found = [re.findall(r"\d+", label) for label in self.model]
        numbers = [int(digits[0]) for digits in found if len(digits) == 1 and len(digits[0]) < 10]
        if len(set(numbers)) < len(self.model):
            return {}
        return dict(zip(numbers, self.model, strict=True))

    def _check_minus_one(self, distinct: Sequence[str]) -> None:
        """-1 is how test sets mark "no label", unless with it there are no more values than the model has labels."""
        if self.stored or distinct == ["-1"] or len(distinct) > len(self.model):
            return
        raise DataError(
            f"{self.where}: label -1 may be a class or mean 'not labelled' (data has: {shown(distinct)})",
            hint=f"say which: --label-map=-1={self.model[0]}, or --label-map=-1=- to leave these rows out",
        )

    def _mismatch(self, distinct: Sequence[str]) -> DataError:
        unknown = [value for value in distinct if value not in self.label_map and self._by_name(value) is None]
        example = " ".join(f"--label-map {_flag(value)}={_flag(self._closest(value))}" for value in unknown[:2])
        return DataError(
            f"{self.where}: labels do not fit the model; data has: {shown(distinct)}; model has: {shown(self.model)}",
            hint=f"map them, for example {example} (map to {DROP} to leave rows out)",
        )

    def _closest(self, value: str) -> str:
        plain = {_plain(label): label for label in self.model}
        starts = [label for name, label in plain.items() if len(value) > 1 and name.startswith(_plain(value)[:3])]
        close = difflib.get_close_matches(_plain(value), plain, n=1)
        return plain[close[0]] if close else (starts or ["MODEL-LABEL"])[0]

    def _map_notes(self, distinct: Sequence[str]) -> tuple[str, ...]:
        unused = sorted(set(self.label_map) - set(distinct) - set(self.stored))
        return (f"--label-map names values that do not occur in the data: {shown(unused)}.",) if unused else ()

    def _number_note(self, by_number: Mapping[str, str | None]) -> str:
        told = sorted(by_number.items(), key=lambda pair: (len(pair[0]), pair[0]))  # 2 before 10
        pairs = ", ".join(f"{value} = {label}" for value, label in told[:_NUMBERS])
        more = f" and {len(told) - _NUMBERS} more" if len(told) > _NUMBERS else ""
        shared = "The data and the model share no label names, so numbers were used"
        return f"{shared}. Check that this is right: {pairs}{more}."


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.casefold()).strip()


def _flag(text: str) -> str:
    return f'"{text}"' if " " in text else text
