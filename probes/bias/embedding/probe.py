"""Associations in the encoder's own embeddings: WEAT on words and on bleached sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from probes.bias.embedding.association import Association, unit
from probes.core.answers import Floats
from probes.core.examples import Example, content_hash
from probes.core.measuring import measured
from probes.core.model import Capability, Embedder
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Better, Evidence, Measurement, Record, Shown, Skip, Unit
from probes.core.stats.derived import UnmeasurableError
from probes.text.lexicon import rows
from probes.text.word_lists import lexicon_words

FORMS = ("words", "sentences")


@dataclass(frozen=True)
class Embedding:
    """Do the model's inner representations tie groups of people to stereotypes?

    Measures: for each of nine tests the effect size of the word embedding association test: how much nearer one group's
        words lie to one attribute than another group's words do, in standard deviations (0 is none, 2 the most); and
        the share of random divisions of the same words that lean as far (permutation p-value). Once on the words alone
        (WEAT) and once in sentences that say nothing else, such as "This is a woman." (SEAT). Positive values go the
        way of the stereotype.
    Why it matters: a classifier builds on its encoder, and associations there may resurface in its answers. This is a
        weak signal and no measure of harm: use it to decide where to look, not to pass or fail a model.
    Method: the mean of the last hidden states stands for a text; a word in sentences is the mean of its four sentences'
        unit vectors. Effect sizes and one-sided p-values as published; p-values over all divisions of the words where
        there are at most 200,000, otherwise over 10,000 random ones and the real one. The interval of an effect size is
        a bootstrap over the words of all four lists. Flowers against insects is the control: where it is not clearly
        positive, the method does not see what everybody agrees on in this encoder, and the other tests mean little.
        Word lists and sentences are our own and English; the given names are published ones.
    Limits: associations in contextual encoders do not predict unequal treatment downstream (Goldfarb-Tarrant et al.
        2021; Cao et al. 2022), in either direction: small values are no proof of fairness, large ones none of harm.
        Results change with the words and the sentences chosen, and the intervals cover the choice of words only. The
        tests are binary and follow United States stereotypes; names and words carry class, age and frequency besides
        the group. Nothing is measured about the classifier's answers.
    References: Caliskan, Bryson and Narayanan 2017, Science 356:183. May et al. 2019, On measuring social biases in
        sentence encoders, NAACL 2019:622. Bommasani et al. 2020, ACL 2020:4758 (pooling over contexts).
        Goldfarb-Tarrant et al. 2021, Intrinsic bias metrics do not correlate with application bias, ACL 2021:1926. Cao
        et al. 2022, On the intrinsic and extrinsic fairness evaluation metrics for contextualized language
        representations, ACL 2022 (short papers):561. Bertrand and Mullainathan 2004, American Economic Review 94:991
        (names).
    """

    resamples: int = 2000
    """Bootstrap samples for the interval of an effect size."""
    info: ClassVar[ProbeInfo]

    def run(self, model: Embedder, data: Sequence[Example], ctx: Context) -> Iterator[Record]:
        """Measure every test on words, then on sentences; the data play no part."""
        vectors, texts = _vectors(model)
        yield Accounting(eligible=texts, scored=texts, note="words and sentences of the probe's own")
        cases: list[_Case] = []
        for form in FORMS:
            for test in _tests():
                part = test.part(form)
                try:
                    association = test.association(vectors[form])
                except UnmeasurableError as error:
                    yield Skip(
                        reason=error.reason, detail=f"{test.title}: {error.detail}", name="effect_size", slice=part
                    )
                    continue
                yield from self._measured(test, association, part, ctx)
                cases += test.cases(association) if form == "sentences" else []
        yield from _evidence(cases, ctx)
        used = [name for test in _tests() for name in (*test.targets, *test.attributes)]
        words = [(name, word) for name in used for word in _lists()[name]]
        yield lexicon_words("weat_words", "Words of the association tests", words)

    def _measured(
        self, test: _Test, association: Association, part: Mapping[str, str], ctx: Context
    ) -> Iterator[Measurement | Skip]:
        keys = tuple(part.values())
        yield measured(
            "effect_size",
            f"weak signal: association of {test.title}",
            partial(association.effect_size, rng=ctx.generator("effect", *keys), resamples=self.resamples),
            better=Better.CONTEXT,
            unit=Unit.SCORE,
            part=part,
        )
        yield measured(
            "p_value",
            f"chance of as strong an association when the words are divided at random: {test.title}",
            partial(association.p_value, rng=ctx.generator("p", *keys)),
            better=Better.CONTEXT,
            part=part,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """A target word of a test, and how it leans."""

    test: _Test
    word: str
    leaning: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """Which lists are compared."""

    axis: str
    targets: tuple[str, str]
    attributes: tuple[str, str]

    @property
    def title(self) -> str:
        (x, y), (a, b) = self.targets, self.attributes
        return f"{x} with {a} and {y} with {b}"

    def part(self, form: str) -> dict[str, str]:
        return {
            "axis": self.axis,
            "pair": " vs ".join(self.targets),
            "attributes": " vs ".join(self.attributes),
            "form": form,
        }

    def association(self, vectors: Mapping[str, Floats]) -> Association:
        (x, y), (a, b) = self.targets, self.attributes
        lists = _lists()
        return Association.of(*(np.array([vectors[word] for word in lists[name]]) for name in (x, y, a, b)))

    def cases(self, association: Association) -> list[_Case]:
        words = [word for name in self.targets for word in _lists()[name]]
        leanings = association.standardised.tolist()
        return [_Case(test=self, word=word, leaning=by) for word, by in zip(words, leanings, strict=True)]


def _tests() -> list[_Test]:
    return [_Test(axis=axis, targets=(x, y), attributes=(a, b)) for _, axis, x, y, a, b in rows("weat_tests")]


def _lists() -> dict[str, list[str]]:
    """Name of a list -> its words."""
    found: dict[str, list[str]] = {}
    for word, _, name in rows("weat_words"):
        found.setdefault(name, []).append(word)
    return found


def _vectors(model: Embedder) -> tuple[dict[str, dict[str, Floats]], int]:
    """Form -> word -> its vector; and how many texts were asked about."""
    words = rows("weat_words")
    frames = [frame for (frame,) in rows("weat_frames")]
    texts = [word for word, _, _ in words]
    texts += [_sentence(frame, phrase) for _, phrase, _ in words for frame in frames]
    asked = np.asarray(model.embed(texts), dtype=np.float64)
    alone, framed = asked[: len(words)], unit(asked[len(words) :]).reshape(len(words), len(frames), -1).mean(axis=1)
    names = [word for word, _, _ in words]
    return {
        "words": dict(zip(names, alone, strict=True)),
        "sentences": dict(zip(names, framed, strict=True)),
    }, len(texts)


def _sentence(frame: str, phrase: str) -> str:
    return frame.format(phrase=phrase)


def _evidence(cases: Sequence[_Case], ctx: Context) -> Iterator[Evidence]:
    """Words in their first sentence: random ones, then those that lean furthest."""
    frame = rows("weat_frames")[0][0]
    phrases = {word: phrase for word, phrase, _ in rows("weat_words")}
    drawn = ctx.rng("evidence").sample(range(len(cases)), min(ctx.random_cases, len(cases)))
    ranked = sorted((row for row in range(len(cases)) if row not in drawn), key=lambda row: -abs(cases[row].leaning))
    for chosen, places in (("random", drawn), ("worst", ranked[: ctx.worst_cases])):
        for place in places:
            case = cases[place]
            text = _sentence(frame, phrases[case.word])
            near, far = case.test.attributes if case.leaning > 0 else case.test.attributes[::-1]
            yield Evidence(
                example_id=content_hash(text),
                chosen="random" if chosen == "random" else "worst",
                shown=(Shown(texts=(text,), answer=f"nearer to {near} than to {far}, among the words of its test"),),
                note=f"{abs(case.leaning):.2f} standard deviations from the mean of its test",
                slice=case.test.part("sentences"),
            )


Embedding.info = ProbeInfo(
    id="bias.embedding",
    version=1,
    risk="bias",
    title="Associations in embeddings (weak signal)",
    doc=ProbeDoc.parse(Embedding.__doc__),
    needs=frozenset({Capability.EMBED}),
    data=False,
)
