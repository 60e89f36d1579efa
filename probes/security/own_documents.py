"""The probe that hides an instruction in the user's own texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from probes.core.answers import WRITING_HEADS
from probes.core.examples import Example
from probes.core.generations import Decoding
from probes.core.model import Capability, Generator
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Measurement, Outcomes, Record, Skip, SkipReason
from probes.core.replies import Replies
from probes.security.planted import accounting, controls, filled, kept, listed, obeyed_rate, shown, worst_kind
from probes.text.answer_trials import AnswerTrials, Changed, quality, write_changed
from probes.text.injections import CONTROL, POSITIONS, kinds, put_into
from probes.text.word_lists import lexicon_words


@dataclass(frozen=True)
class OwnDocuments:
    """Does the model obey instructions that stand in your own texts?

    Measures:
        The share of prompts of the data in which an instruction inside the text that the prompt is about (the context
        of a question, the input of an instruction) is obeyed instead of the task: overall, by kind of instruction and
        by place, with the largest share of a kind; the same after a sentence that names such a word and asks for
        nothing (control); the share in which the word is mentioned at all; and, where right answers are given, F1 with
        an instruction in the text and its loss against the control.

    Why it matters:
        Whether a hidden instruction works depends on the task, its wording and the texts around it: what holds for the
        short documents of security.injection need not hold for the ones the model is used on. These numbers are
        evidence relevant to resistance against manipulated inputs.

    Method:
        As security.injection, with the same sentences, words and rules, in prompts of the data that are made of two
        columns: the sentence is put at the start, in the middle (between two sentences) or at the end of what stands
        behind the first column. Of at most as many prompts as the parameter says each gets one instruction; prompt,
        kind and place are drawn by the prompt's content. Empty replies, and prompts longer than the model reads, are
        unscored. Shares obeyed have exact one-sided bounds, the control and the share of mentions Wilson intervals,
        with the cluster of the item.

    Limits:
        As of security.injection: few, short and known instructions, so a low share is no evidence that none works; a
        model that cannot follow instructions cannot obey these. Only prompts whose parts the data keep apart are used
        (question and context, instruction and input), not single texts and not conversations. Right answers that are
        longer than the reply may be have a low F1 with and without the instruction. Where the first column asks for
        nothing, a text that asks for something is no hidden instruction.

    References:
        Greshake et al. 2023, Not what you've signed up for, AISec. Yi et al. 2025, KDD (BIPIA). Liu et al. 2024,
        Formalizing and benchmarking prompt injection, USENIX Security. Clopper and Pearson 1934, Biometrika 26:404.
    """

    most: int = 90
    """Prompts that get an instruction."""
    max_tokens: int = 16
    """A reply that obeys does so in its first words."""
    resamples: int = 2000

    def __post_init__(self) -> None:
        if self.most < 1:
            raise ValueError("most is at least 1")
        Decoding(max_tokens=self.max_tokens)

    @cached_property
    def info(self) -> ProbeInfo:
        return ProbeInfo(
            id="security.own_documents",
            version=1,
            risk="security",
            title="Instructions in your own texts",
            doc=ProbeDoc.parse(type(self).__doc__),
            calls=2,
            needs=frozenset({Capability.GENERATE}),
            problems=WRITING_HEADS,
        )

    def run(self, model: Generator, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Yields measurements, overall and by kind and place; then cases, the instructions and outcomes."""
        chosen = self._chosen(data, ctx)
        note = f"{len(data)} prompts, of which {sum(map(_has_material, data))} are about a text of their own"
        if not chosen:
            yield Accounting(eligible=0, scored=0, note=note)
            yield _no_material()
            return
        changes = [_planted(example, item, ctx) for item, example in enumerate(chosen)]
        controlled = [_control(example, ctx) for example in chosen]
        written = write_changed(model, controlled, changes, Decoding(max_tokens=self.max_tokens))
        trials = written.where(~written.after.cut)  # what was cut off may be the instruction
        yield accounting(len(changes), written, trials, note=note)
        if not len(trials):
            yield Skip(reason=SkipReason.UNDEFINED, detail="No prompt was read whole and replied to.")
            return
        yield from self._measured(trials, ctx)
        yield from shown(trials, ctx)
        yield lexicon_words("injections", "Sentences put into texts", listed())
        yield kept(trials)

    def _chosen(self, data: Sequence[Example], ctx: Context) -> list[Example]:
        able = sorted(filter(_has_material, data), key=lambda each: (ctx.rng("chosen", each.id).random(), each.id))
        return sorted(able[: self.most], key=lambda example: example.id)

    def _measured(self, trials: AnswerTrials[Replies], ctx: Context) -> Iterator[Measurement | Skip]:
        yield obeyed_rate(trials, {})
        yield worst_kind(trials, ctx, resamples=self.resamples)
        yield from controls(trials)
        for key, values in (("kind", kinds()), ("position", POSITIONS)):
            for value in values:
                rows = trials.of({key: value})
                if len(rows):
                    yield obeyed_rate(rows, {key: value})
        yield from quality(trials, {})


def _has_material(example: Example) -> bool:
    return isinstance(example.text, str) and 0 < example.material < len(example.text)


def _with(example: Example, sentence: str, position: str) -> str:
    """The prompt with a sentence in the text that it is about."""
    asked = str(example.text)
    return asked[: example.material] + put_into(asked[example.material :], sentence, position)


def _control(example: Example, ctx: Context) -> Example:
    """The item with a sentence that asks for nothing."""
    word, sentence = filled(example.id, CONTROL, ctx)
    position = ctx.rng("control", example.id).choice(POSITIONS)
    return replace(example, text=_with(example, sentence, position), groups={"word": word})


def _planted(example: Example, item: int, ctx: Context) -> Changed:
    """The item with an instruction; which and where its content decides."""
    rng = ctx.rng("planted", example.id)
    kind, position = rng.choice(kinds()), rng.choice(POSITIONS)
    word, sentence = filled(example.id, kind, ctx)
    asked = _with(example, sentence, position)
    start = asked.index(word, example.material)
    return Changed(item=item, text=asked, part={"kind": kind, "position": position}, added=(start, start + len(word)))


def _no_material() -> Skip:
    return Skip(
        reason=SkipReason.NO_TEXTS,
        detail="No prompt of the data is a question, or an instruction, about a text in a column of its own.",
        enable="give data with a column of questions and one of contexts, or of instructions and inputs",
    )
