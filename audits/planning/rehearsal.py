"""What a probe will really ask: each one is run on a few items against a model that answers by chance and remembers.

Counting questions this way sees what arithmetic does not: variants that equal their text, texts that several probes
share, probes that only ask again what others asked before. Two sizes of sample tell what grows with the data from what
is asked about a sample of fixed size.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

import numpy as np

from audits.planning.pools import Pools
from audits.planning.prices import EVEN, WRITTEN, Prices
from probes.core.answers import Classifications, Floats, Ints
from probes.core.attributions import Attribution, Baseline, Jitter, Method, SpanTarget, forward_passes
from probes.core.examples import Example, Text
from probes.core.fillings import Fillings
from probes.core.generations import GREEDY, Decoding, Generations
from probes.core.judges import Judge
from probes.core.likelihoods import MASKING, Likelihoods, Scoring, passage
from probes.core.model import OWN_QUESTIONS, Capability, ModelCard
from probes.core.probe import Context, Probe, varied
from probes.core.readings import Answers, question_and_context
from probes.core.taggings import Taggings, tagged_words
from probes.core.words import spans

SIZES = (0, 16)
"""Items: enough to see how often a perturbation applies, few enough to cost seconds for all probes together."""
DOMAIN_SIZES = (32, 64)
"""Items of each domain for probes that compare domains: they refuse few items."""
EXPLAINED_SIZES = (64, 128)
"""Items for the probe that explains most texts. Such probes draw samples of fixed size, and ask for the explanations of
one another's items: each gets its part of these, as it will of the items."""
PRICED = 128
"""Items whose lengths tell what a usual question is."""
LEAST_PART = 3 / 8
"""More than any sample of fixed size takes of the smaller size."""

SAID = ("the", "a", "of", "and", "to", "in", "it", "was", "that", "for", "on", "with", "is", "day", "house", "good")

Question = tuple[str, Text]
"""What is asked, and about which text: a classification and an embedding are two passes through the model."""

Asked = dict[Question, float]
"""Question -> what it costs, in usual questions about an item."""


@dataclass(slots=True)
class Recorder:
    """Answers by chance, the same text always alike, and keeps what it was asked."""

    card: ModelCard
    asked: Asked = field(default_factory=dict)
    network: str = ""
    """Which weights: those of the model, or random ones."""
    prices: Prices = EVEN

    def classify(self, texts: Sequence[Text]) -> Classifications:
        self._note("classify", texts)
        logits = _chances(texts, len(self.card.labels))
        return Classifications(logits=logits, labels=self.card.labels, problem=self.card.problem)

    def tag(self, texts: Sequence[Text]) -> Taggings:
        self._note("tag", texts)
        words = [word for text in texts for word in tagged_words(text)]
        counts = [len(tagged_words(text)) for text in texts]
        return Taggings(
            logits=_chances(words, len(self.card.labels)),
            starts=np.cumsum([0, *counts], dtype=np.int64),
            labels=self.card.labels,
        )

    def answer(self, texts: Sequence[Text]) -> Answers:
        self._note("answer", texts)
        return Answers.of([_span(text) for text in texts], tolerance=0.0)

    def score(
        self,
        texts: Sequence[Text],
        *,
        rule: Scoring | None = None,
        counted: Sequence[tuple[int, int]] | None = None,
    ) -> Likelihoods:
        rule = rule or self.card.scoring
        spans = [passage(text)[1] for text in texts] if counted is None else counted
        for text, span in zip(texts, spans, strict=True):
            usual = rule is self.card.scoring and span == passage(text)[1]
            question = "score" if usual else f"score {rule} {span}"
            cost = _share(text, span, rule, usual=self.card.scoring) * self.prices.read(text)
            self._note(question, [text], cost=cost)
        return _likelihoods([passage(text)[0][a:b] for text, (a, b) in zip(texts, spans, strict=True)])

    def fill(self, texts: Sequence[str], *, count: int, words: Sequence[str] = ()) -> Fillings:
        self._note(f"fill {count} {words}", texts)
        drawn = _chances(texts, count)
        return Fillings(
            texts=[SAID[int((chance + 2) * 4)] for chance in drawn.ravel()],
            logs=drawn - 4.0,
            words=_chances(texts, len(words)) - 8.0,
        )

    def generate(self, prompts: Sequence[str], decoding: Decoding = GREEDY) -> Generations:
        for prompt in prompts:
            self._note(f"generate {decoding}", [prompt], cost=self.prices.write(prompt, decoding))
        return _generations(prompts, decoding)

    def token_counts(self, texts: Sequence[Text]) -> tuple[Ints, Ints]:
        """Words; nothing goes through the model for it."""
        words = [len(" ".join((text,) if isinstance(text, str) else text).split()) for text in texts]
        return np.array(words, dtype=np.int64), np.zeros(len(texts), dtype=np.int64)

    def embed(self, texts: Sequence[Text]) -> Floats:
        self._note("embed", texts)
        return _chances(texts, 2)

    def attribute(
        self,
        texts: Sequence[Text],
        targets: Sequence[str],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
        jitter: Jitter | None = None,
    ) -> list[Attribution]:
        found = [_attribution(text, target) for text, target in zip(texts, targets, strict=True)]
        for each in found:
            self._note(
                f"attribute {each.target} {method} {baseline} {jitter}",
                [each.text],
                cost=forward_passes(method, words=len(each.words)),
            )
        return found

    def attribute_spans(
        self,
        texts: Sequence[Text],
        targets: Sequence[SpanTarget],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
    ) -> list[Attribution]:
        names = [f"{target.name} {target.start}" for target in targets]
        return self.attribute(texts, names, method=method, baseline=baseline)

    def attribute_written(
        self,
        prompts: Sequence[str],
        written: Sequence[str],
        *,
        method: Method = Method.INTEGRATED_GRADIENTS,
        baseline: Baseline | None = None,
        reply: bool = True,
    ) -> list[Attribution]:
        found = [_attribution(text, target) for text, target in zip(prompts, written, strict=True)]
        for each in found:
            passes = forward_passes(method, words=len(each.words))
            question = f"attribute {each.target} {method} {baseline} {reply}"
            self._note(question, [each.text], cost=passes * self.prices.read(each.text, each.target, reply=reply))
        return found

    def score_written(self, prompts: Sequence[str], written: Sequence[str], *, reply: bool = True) -> Likelihoods:
        for prompt, text in zip(prompts, written, strict=True):
            self._note(f"score {text}", [prompt], cost=self.prices.read(prompt, text, reply=reply))
        return _likelihoods(written)

    @contextmanager
    def randomised(self, share: float, *, seed: int) -> Iterator[Recorder]:
        yield replace(self, network=f"{self.network} random {share} {seed} ")

    def _note(self, question: str, texts: Iterable[Text], *, cost: float = 1.0) -> None:
        self.asked.update(((self.network + question, text), cost) for text in texts)


def _share(text: Text, span: tuple[int, int], rule: Scoring, *, usual: Scoring) -> float:
    """What a score costs, as a part of the usual one: a masked model reads a text once for each word it guesses."""
    if usual not in MASKING:
        return 1.0
    whole = passage(text)[0]
    guessed = 1 if rule in (Scoring.NONE_MASKED, Scoring.ATTENDED) else len(whole[span[0] : span[1]].split())
    return guessed / max(1, len(whole.split()))


def _likelihoods(texts: Sequence[str]) -> Likelihoods:
    words = [text.split() for text in texts]
    every = [word for each in words for word in each]
    return Likelihoods(
        logs=_chances(every, 1)[:, 0] - 2.0,
        ids=np.array([int.from_bytes(hashlib.blake2b(word.encode(), digest_size=4).digest(), "big") for word in every]),
        starts=np.cumsum([0, *map(len, words)], dtype=np.int64),
        spans=np.array([(0, len(text)) for text in texts], dtype=np.int64).reshape(len(texts), 2),
        unscored=np.zeros(len(texts), dtype=np.int64),
    )


def _generations(prompts: Sequence[str], decoding: Decoding) -> Generations:
    """A few of the words that anybody might write, others for each sample of each prompt."""
    asked = [f"{prompt} {decoding.seed} {k}" for prompt in prompts for k in range(decoding.samples)]
    words = [[SAID[int(chance * 4) + 8] for chance in _chance(text, min(8, decoding.max_tokens))] for text in asked]
    return Generations(
        texts=[" ".join(each) for each in words],
        tokens=np.array([len(each) for each in words], dtype=np.int64),
        finished=np.ones(len(asked), dtype=bool),
        logs=_chances(asked, 1)[:, 0] - 20.0,
        cut=np.zeros(len(prompts), dtype=np.int64),
        near=np.zeros(len(asked), dtype=bool),
        samples=decoding.samples,
    )


def _attribution(text: Text, target: str) -> Attribution:
    words = spans(text)
    return Attribution(
        text=text,
        target=target,
        words=words,
        scores=_chance(text, len(words)),
        special=0.0,
        output=0.0,
        baseline=Baseline.PAD,
        baseline_output=0.0,
    )


def _span(text: Text) -> tuple[str, int, int, float, float, float, float]:
    """A word of the context, any one; a row of `Answers.of`."""
    context = question_and_context(text)[1]
    words = spans(context)
    if not words:
        return "", 0, 0, -np.inf, -np.inf, -np.inf, 0.0
    drawn = _chance(text, 2)
    word = words[int((drawn[0] + 2) / 4 * len(words))]
    return context[word.start : word.end], word.start, word.end, drawn[1], drawn[1] - 1, drawn[1] + 0.3, 0.0


def _chances(texts: Sequence[Text], width: int) -> Floats:
    return np.array([_chance(text, width) for text in texts]).reshape(len(texts), width)


def _chance(text: Text, count: int) -> Floats:
    """(count,) numbers from -2 to 2 that depend on the text alone."""
    drawn = hashlib.shake_128(repr(text).encode()).digest(2 * count)
    return np.frombuffer(drawn, dtype="<u2") / 2**14 - 2.0


class Questions(NamedTuple):
    """What a probe asks beyond the items' own texts.

    Attributes:
        own: for each item.
        new: of these, those that no earlier probe asks.
        fixed: whatever the number of items, about texts of the probe's own or a sample of fixed size; those that no
            earlier probe asks. Below 0 for a probe that asks little of few items.
    """

    own: float
    new: float
    fixed: float = 0.0

    def calls(self, items: int) -> int:
        """Model calls for so many items."""
        return max(0, round(items * self.new + self.fixed))


def rehearse(
    probes: Sequence[Probe],
    pools: Pools,
    *,
    card: ModelCard,
    seed: int,
    items: Mapping[str, int] | None = None,
    written: float = WRITTEN,
) -> Mapping[str, Questions]:
    """Probe id -> what it asks, told from two sizes of sample.

    A probe that fails here counts with the calls it declares: whether it fails in earnest is for the audit to show. So
    does one that searches: against a model that answers by chance a search ends too soon.

    Args:
        items: probe id -> how many items it is to have; without it all have as many.
        written: as for `Prices.of`.
    """
    prices = Prices.of(card, [example.text for example in pools.own(limit=PRICED)], written=written)
    few, domains, explained = (_stages(pools, sizes) for sizes in (SIZES, DOMAIN_SIZES, EXPLAINED_SIZES))
    parts = _parts([probe.info.id for probe in probes if _explains(probe)], items or {})
    return {
        probe.info.id: _questions(
            probe,
            *(explained if _explains(probe) else domains if probe.info.domains else few),
            part=parts.get(probe.info.id, 1.0),
            recorder=partial(Recorder, card, prices=prices),
            seed=seed,
        )
        for probe in probes
    }


def _explains(probe: Probe) -> bool:
    return Capability.ATTRIBUTE in probe.info.needs


def _parts(names: Sequence[str], items: Mapping[str, int]) -> Mapping[str, float]:
    """Probe id -> its items as a part of the most that any of these probes has."""
    most = max((items.get(name, 0) for name in names), default=0)
    return {name: max(LEAST_PART, items[name] / most) for name in names if most and name in items}


def _stages(pools: Pools, sizes: tuple[int, int]) -> tuple[_Stage, _Stage]:
    """Two samples, smaller ones in proportion where there are not as many items."""
    small, large = sizes
    items = min(large, len(pools.data))
    return _Stage.of(pools, items * small // large), _Stage.of(pools, items)


@dataclass(slots=True)
class _Stage:
    """A size of sample on which probes are rehearsed one after another.

    Attributes:
        clean: questions about the texts of the audit's own items.
        seen: these, and what the probes so far have asked.
    """

    pools: Pools
    items: int
    clean: set[Question]
    seen: set[Question]

    @classmethod
    def of(cls, pools: Pools, items: int) -> _Stage:
        texts = [example.text for example in pools.own(limit=items)]
        # Whichever of them it is that a model of this kind is asked about its items.
        clean: set[Question] = {(question.value, text) for text in texts for question in OWN_QUESTIONS}
        return cls(pools, items, clean, set(clean))


def _questions(
    probe: Probe, small: _Stage, large: _Stage, *, part: float, recorder: Callable[[], Recorder], seed: int
) -> Questions:
    """What a probe that gets this part of the items asks, which from then on counts as seen."""
    if probe.info.searches:
        return _declared(probe)
    sizes = [math.ceil(part * stage.items) for stage in (small, large)]
    samples = [stage.pools.sample(probe, limit=size) for stage, size in zip((small, large), sizes, strict=True)]
    few = _asked(probe, samples[0], recorder=recorder(), seed=seed)
    many = few if samples[0] == samples[1] else _asked(probe, samples[1], recorder=recorder(), seed=seed)
    if few is None or many is None:
        return _declared(probe)
    more = sizes[1] - sizes[0]
    own = (_cost(many, large.clean) - _cost(few, small.clean)) / more if more else 0.0
    new = (_cost(many, large.seen) - _cost(few, small.seen)) / more if more else 0.0
    fixed = _cost(many, large.seen) - new * sizes[1]
    small.seen |= few.keys()
    large.seen |= many.keys()
    return Questions(own=max(0.0, own), new=new, fixed=fixed)


def _declared(probe: Probe) -> Questions:
    calls = max(0.0, probe.info.calls - 1)
    return Questions(own=calls, new=calls)


def _cost(asked: Asked, known: set[Question]) -> float:
    """Of the questions that are not known yet."""
    return sum(cost for question, cost in asked.items() if question not in known)


def _asked(probe: Probe, data: Sequence[Example], *, recorder: Recorder, seed: int) -> Asked | None:
    """The probe's questions about these items; None when it fails."""
    probe = _with_judges_that_record(probe, recorder.asked)
    try:
        for _ in probe.run(recorder, data, Context(probe=probe.info.id, seed=seed)):
            if probe.info.asks_first:
                break
    except Exception:  # a stranger's code may fail in any way
        return None
    return recorder.asked


def _with_judges_that_record(probe: Probe, asked: Asked) -> Probe:
    """The probe with recorders in the place of the classifiers that judge what the model writes: no weights load."""
    judges: tuple[Judge, ...] = getattr(probe, "judges", ())
    if not judges:
        return probe
    recorded = tuple(
        replace(judge, open=partial(Recorder, judge.card, asked=asked, network=f"{judge.card.fingerprint} "))
        for judge in judges
    )
    return varied(probe, judges=recorded)
