"""The probe that writes the same prompt in several formats."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from probes.core.answers import WRITING_HEADS
from probes.core.errors import UsageError, did_you_mean
from probes.core.examples import Example
from probes.core.generations import Decoding
from probes.core.model import Capability, Generator
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Outcomes, Record
from probes.core.replies import prompt_of
from probes.robustness.spread import Spread
from probes.robustness.spread_records import records
from probes.text.prompt_formats import FORMATS, fields_of

USUAL = (
    "title-colon-line",
    "upper-colon-line",
    "lower-colon-line",
    "title-dash-blank_line",
    "title-newline-blank_line",
    "title-double_colon-bar",
)
"""The commonest, its two other spellings, and three that change separator and gap."""


@dataclass(frozen=True)
class Format:
    """Does a generator write something else when its prompt is laid out differently?

    Measures:
        Over several formats of the same prompt: the share of pairs of formats in which the greedy replies to an item
        differ, overall and for each format against all others, with the largest; how similar two replies are (F1 of
        their words); and, where accepted answers are known, mean F1 in each format and the largest difference in mean
        F1 between two formats.

    Why it matters:
        Whether a field is called "Question:" or "QUESTION -" says nothing about the task, and yet scores of one model
        have been seen to move by tens of points between such formats. A number measured in one format then says little
        of the next, and a change of the calling program can undo what was tested.

    Method:
        A prompt with fields of its own ("Question: ... Answer:") is taken apart and written again with other letters of
        the names, separators and gaps; any other prompt becomes one field, "Question" if it ends with a question mark
        and "Input" otherwise, with an empty one for the reply. The formats are a fixed list out of a grid after Sclar
        et al., the same for every item and run. Replies are compared without case, punctuation and articles; a pair in
        which numerical noise may have decided counts as equal. An item with an empty reply in some format, or a prompt
        longer than the model reads, is unscored. Means have t intervals with the cluster of the item. The largest of
        several is biased upwards: its lower bound is simultaneous (max-t over a cluster bootstrap).

    Limits:
        A few formats of many: the true spread over all is larger. The words of the prompt, its examples and a system
        prompt are not varied. What the model was tuned on may be one of these formats, and then the others are new to
        it, which is the point. F1 of words does not know synonyms. A model that gives the same reply to everything
        shows nothing here, and no difference is published.

    References:
        Sclar et al. 2024, Quantifying language models' sensitivity to spurious features in prompt design, ICLR. Mizrahi
        et al. 2024, State of what art, TACL 12. Westfall and Young 1993, Resampling-Based Multiple Testing (max-t).
    """

    formats: tuple[str, ...] = USUAL
    max_tokens: int = 32
    stop: tuple[str, ...] = ()
    """Texts at which a reply ends."""
    resamples: int = 2000

    def __post_init__(self) -> None:
        for name in self.formats:
            if name not in FORMATS:
                raise UsageError(f"robustness.format: no format {name!r}", hint=did_you_mean(name, FORMATS))
        if len(set(self.formats)) < max(2, len(self.formats)):
            raise UsageError("robustness.format: formats need two names or more, none twice", hint="name some more")
        Decoding(max_tokens=self.max_tokens, stop=self.stop)

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="robustness.format",
            version=1,
            risk="robustness",
            title="Formats of the prompt",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=1 + len(self.formats),
            needs=frozenset({Capability.GENERATE}),
            problems=WRITING_HEADS,
        )

    def run(self, model: Generator, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields accounting, measurements, cases and outcomes."""
        items = [(each, self._prompts(each)) for each in data]
        decoding = Decoding(max_tokens=self.max_tokens, stop=self.stop)
        found = Spread.ask(model, items, ways=self.formats, decoding=decoding)
        note = f"each in {len(self.formats)} formats"
        yield from records(found, ctx, key="format", eligible=len(data), note=note, resamples=self.resamples)

    def _prompts(self, example: Example) -> list[str]:
        fields = fields_of(prompt_of(example))
        return [FORMATS[name].write(fields) for name in self.formats]
