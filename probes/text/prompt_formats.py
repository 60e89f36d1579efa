"""One prompt in several forms: its fields, with other separators, letters and gaps."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product

_FIELD = re.compile(r"^([^\W\d_][\w ]{0,24}?)[ \t]*:[ \t]*(?=\S|\n|$)", re.M)
"""A name at the beginning of a line with a colon ("Question: ...")."""

CASINGS: Mapping[str, Callable[[str], str]] = {"title": str.title, "upper": str.upper, "lower": str.lower}
SEPARATORS: Mapping[str, str] = {"colon": ": ", "dash": " - ", "newline": ":\n", "double_colon": ":: "}
GAPS: Mapping[str, str] = {"line": "\n", "blank_line": "\n\n", "bar": " || "}


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptFormat:
    """How the fields of a prompt are written.

    Attributes:
        name: the keys of its three parts, in their order ("title-colon-line").
        separator: between the name of a field and what it holds.
        gap: between two fields.
    """

    name: str
    casing: Callable[[str], str]
    separator: str
    gap: str

    def write(self, prompt: Fields) -> str:
        """The prompt in this form; the last field is left open where it holds nothing."""
        written = self.gap.join(f"{self.casing(name)}{self.separator}{text}" for name, text in prompt.fields)
        return f"{prompt.before}\n\n{written}".strip() if prompt.before else written.strip()


FORMATS: Mapping[str, PromptFormat] = {
    name: PromptFormat(name=name, casing=CASINGS[casing], separator=SEPARATORS[separator], gap=GAPS[gap])
    for casing, separator, gap in product(CASINGS, SEPARATORS, GAPS)
    for name in (f"{casing}-{separator}-{gap}",)
}
"""All there are, by name."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A prompt taken apart.

    Attributes:
        before: what stands before the first field, such as an instruction.
        fields: (name, what it holds); the last one is what the model is to write.
    """

    before: str
    fields: tuple[tuple[str, str], ...]


def fields_of(prompt: str) -> Fields:
    """The prompt's own fields where it has at least two; otherwise it is one field, and an empty one for the reply."""
    found = list(_FIELD.finditer(prompt))
    if len(found) < 2:
        asked, reply = ("Question", "Answer") if prompt.rstrip().endswith("?") else ("Input", "Output")
        return Fields("", ((asked, prompt.strip()), (reply, "")))
    ends = [*(match.start() for match in found[1:]), len(prompt)]
    fields = [(match[1], prompt[match.end() : end].strip()) for match, end in zip(found, ends, strict=True)]
    if fields[-1][1]:
        fields.append(("Answer", ""))
    return Fields(prompt[: found[0].start()].strip(), tuple(fields))
