"""The probe that asks whether a model leans on words it must not lean on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from probes.core.attributions import Method
from probes.core.attributors import Attributor
from probes.core.errors import UsageError
from probes.core.examples import Example
from probes.core.model import Capability
from probes.core.probe import Context, ProbeDoc, ProbeInfo
from probes.core.records import Accounting, Outcomes, Record, Skip, SkipReason
from probes.explanation.explained import Explained, accounting
from probes.explanation.method import chosen_method, method_named, no_method
from probes.explanation.reliance.cases import cases, outcomes
from probes.explanation.reliance.categories import CATEGORIES, LISTED
from probes.explanation.reliance.leaning import Leaning
from probes.explanation.reliance.missing import missing
from probes.explanation.reliance.numbers import ID
from probes.explanation.reliance.parts import by_label, common_answers, overall, special_tokens
from probes.explanation.reliance.removals import Removals
from probes.explanation.reliance.selections import Sorted
from probes.explanation.reliance.word_lists import words_looked_for
from probes.explanation.reliance.words import by_word, candidates
from probes.text.identity import AXES


@dataclass(frozen=True)
class Reliance:
    """Does the model lean on words it must not lean on?

    Measures:
        For identity terms (and each axis of identity), first names, profanity and insults, URLs, numbers, punctuation
        and words that the user lists: the share of a text's attribution that lies on them; the attribution of one of
        them beyond that of neutral words (attribution excess); and what taking them out does beyond taking out as many
        neutral words: how many more answers change (flip rate excess) and how much farther the probability of the
        answer moves (probability excess). The same by answer given, and for single identity terms and listed words.
        Of special tokens, which cannot be taken out, the share only.

    Why it matters:
        A model that answers by who is mentioned, by a link or by a trigger word answers about the wrong thing, and
        keeps doing so where its accuracy looks good. Evidence relevant to non-discrimination, and to hidden triggers in
        a model.

    Method:
        The answer given is attributed to the words of its text. A word of several categories counts in the most
        specific one, in this order: listed words, URLs, profanity and insults, identity terms, first names, numbers,
        punctuation. Share: sum of |score| of the words over that of all words of the text (for special tokens, of all
        words and special tokens), averaged over the texts that hold such words. Neutral words are of no category; they
        are matched by place (first quarter of the text, middle, last quarter) and length (up to 3 characters, up to 6,
        longer), within the text, or else over the texts with the same answer, on the scale of the text's average word.
        Taking out: the words are deleted from the text, and in another copy as many neutral words of the same text, of
        the same place and length where there are such; both are compared with the answer to the text itself. That of a
        regression counts as changed when it moves by more than half a standard deviation of all values. All numbers
        are paired within the text, intervals cluster on the source text, and fewer than 10 independent texts give no
        number. Words are said to be leaned on where both agree: the lower bound of the attribution excess is above 0,
        and that of the flip rate excess too, or that of the probability excess is above one point. Single words: the 20
        with the largest share, listed ones first, in the order of what taking them out does. The cases shown are
        explained twice: the text towards its answer, and the text without the words towards the answer then given.

    Limits:
        An attribution describes what one model computes from one text. It is not causal, and not a reason that may be
        given to a person; so it counts here only together with taking the words out. A text with words taken out is
        unlike what the model was trained on, which the neutral words make up for in part only. Leaning on a word is not
        always wrong: an insult belongs to the evidence for toxicity, a number to a text about prices. Identity terms
        and names are those of the lists, in English, names only where they are written with a capital; numbers in words
        ("two") and disguised profanity are not seen. Intervals say how the numbers vary with the texts, not with the
        choice of words: one word may stand out a little as any other would, so judge by how much. The share of a word
        is smaller in a longer text, so shares of different data are not comparable. Words that work only together with
        others may stay unseen.

    References:
        Sundararajan, Taly and Yan 2017, Axiomatic Attribution for Deep Networks, ICML. DeYoung et al. 2020, ERASER: A
        Benchmark to Evaluate Rationalized NLP Models, ACL. Jacovi and Goldberg 2020, Towards Faithfully Interpretable
        NLP Systems, ACL. Dixon et al. 2018, Measuring and Mitigating Unintended Bias in Text Classification, AIES.
        Kurita, Michel and Neubig 2020, Weight Poisoning Attacks on Pre-trained Models, ACL.
    """

    info: ClassVar[ProbeInfo]

    method: Method = Method.INTEGRATED_GRADIENTS
    """How attributions are made."""
    words: tuple[str, ...] = ()
    """Words and phrases of the user's own that the model must not lean on."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", method_named(self.method, probe=ID))
        object.__setattr__(self, "words", _listed(self.words))

    def run(self, model: Attributor, data: Sequence[Example], ctx: Context) -> Iterator[Record | Outcomes]:
        """Explain every text once, then take words out."""
        method = chosen_method(model.card, self.method)
        if method is None:
            yield from no_method(model.card, self.method, total=len(data))
            return
        items = Explained.ask(model, data, method=method)
        yield accounting(items, asked=self.method)
        if not len(items):
            yield Skip(reason=SkipReason.TOO_FEW, detail="There is no text to explain.", enable="give texts")
            return
        yield from self._measured(model, Sorted.of(items, listed=self.words, ctx=ctx), ctx)

    def _measured(self, model: Attributor, texts: Sorted, ctx: Context) -> Iterator[Record | Outcomes]:
        used = (category for category in CATEGORIES if category != LISTED or self.words)
        categories = {category: texts.category(category) for category in used}
        words = candidates(texts)
        asked = (*categories.values(), *(texts.axis(axis) for axis in AXES), *words.values())
        removals = Removals.ask(
            model, texts.items, (cut for each in asked for pair in texts.pairs(each) for cut in pair)
        )
        found = {category: Leaning.of(texts, where, removals) for category, where in categories.items()}
        for category, leaning in found.items():
            yield _account(category, leaning, texts)
        yield from overall(texts, found, removals, signs=texts.items.method is not Method.SALIENCY)
        yield from special_tokens(texts)
        yield from by_label(texts, categories, removals)
        yield from by_word(texts, words, removals)
        yield from missing(texts, categories, common_answers(texts), listed=self.words)
        yield from cases(model, texts.items, found, removals, ctx)
        yield outcomes(texts.items, found)
        yield from words_looked_for(self.words)


Reliance.info = ProbeInfo(
    id=ID,
    version=2,
    risk="explanation",
    title="Words it must not lean on",
    doc=ProbeDoc.parse(Reliance.__doc__),
    needs=frozenset({Capability.CLASSIFY, Capability.ATTRIBUTE}),
    calls=80,
)


def _listed(words: str | Sequence[str]) -> tuple[str, ...]:
    """The words as a tuple, each once."""
    found = (words,) if isinstance(words, str) else tuple(words)
    if not all(isinstance(word, str) and word.strip() for word in found):
        raise UsageError(f"{ID}: words has an entry that is no word", hint="list words, in quotes where needed")
    return tuple(dict.fromkeys(" ".join(word.lower().split()) for word in found))


def _account(category: str, leaning: Leaning, texts: Sorted) -> Accounting:
    """How many texts hold the category, have enough neutral words beside it, and got both answers."""
    holding = texts.category(category)
    note = f"{leaning.words} words in {len(holding)} texts"
    if leaning.borrowed:
        note += f"; the attribution of {leaning.borrowed} is compared with words of other texts"
    return Accounting(
        eligible=len(texts.items),
        perturbed=len(holding),
        kept=sum(1 for _ in texts.pairs(holding)),
        scored=len(leaning.pairs),
        note=note,
        slice={"category": category},
    )
