"""TextAttack 0.3.11's recipes out of our parts: where ours stray from it on purpose, its way stands here.

What it reads from lists or from a model of its own comes with `Given`.
"""

from __future__ import annotations

import copy
import itertools
import math
import re
import string
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import torch

from benchmarks.attacks_beside import Listed, Row, composed
from probes.core.answers import Classifications, Floats
from probes.core.fillings import BLANK
from probes.core.model import Classifier
from probes.model.engine import TransformersModel
from probes.robustness.adversarial.attacked import Attacked, Candidate, Change, Edit
from probes.robustness.adversarial.beam import Beam
from probes.robustness.adversarial.character_recipes import deepwordbug_letters
from probes.robustness.adversarial.characters import Deleted, Inserted, Mistyped, Swapped
from probes.robustness.adversarial.constraints.speech import SameSpeech, find_tagger
from probes.robustness.adversarial.constraints.words import Levenshtein, LongWords, MostWords, WordDistance
from probes.robustness.adversarial.goals import Untargeted
from probes.robustness.adversarial.greedy import Greedy, State
from probes.robustness.adversarial.parts import (
    Attack,
    Budget,
    Constraint,
    Goal,
    Judged,
    Situation,
    Transformation,
    scores_alone,
    shared_out,
)
from probes.robustness.adversarial.pure import AnyOf, CandidateRule, Rule, Untouched, WordSwap
from probes.robustness.adversarial.rankings import Delete, Unk, WeightedSaliency
from probes.robustness.adversarial.sources.vectors import Vectors
from probes.robustness.adversarial.sources.wordnet import WordNet
from probes.robustness.adversarial.victims import ClassifierVictim
from probes.robustness.adversarial.words import NearVectors
from probes.robustness.search import Oracle, Request, Steps

UNCUT = "`×˗"
"""Signs that TextAttack takes for letters because they are in its list of lookalikes, and we for none."""
FILLED, READ, STEEP = "filled", "read", "steep"
"""Oracles: words for a blank; words that a masked model would rather read; how steep the loss is at each word."""
LOOKED_AT = 120
"""Fillings that are looked at for those that TextAttack would take."""


@dataclass(frozen=True)
class Given:
    """What a recipe is made of.

    Attributes:
        stopwords: as TextAttack's recipe has them.
        vectors, wordnet: where there are any.
        lists: TextAttack's own, by name: "keys", "lookalikes", "longer".
        words: put in by masked models in each place at most, where not as many as the recipe says.
    """

    stopwords: Sequence[str] = ()
    vectors: Vectors | None = None
    wordnet: WordNet | None = None
    lists: Mapping[str, Any] = field(default_factory=dict)
    words: int | None = None

    @property
    def rules(self) -> tuple[Constraint, ...]:
        """A word is changed once, and a stopword never."""
        return (Untouched(), Listed(frozenset(self.stopwords)))


@dataclass(frozen=True)
class Numbered(Greedy):
    """Words are changed by their number in the text as it is, which is another one once a word has become two."""

    def places(self, text: Attacked, origin: int) -> list[int]:
        words = _uncut(text)
        return words[origin] if origin < len(words) else []


def _uncut(text: Attacked) -> list[list[int]]:
    """The places of each word as TextAttack counts them."""
    words: list[list[int]] = []
    for place, (start, _) in enumerate(text.spans):
        if place and not text.text[text.spans[place - 1][1] : start].strip(UNCUT):
            words[-1].append(place)
        else:
            words.append([place])
    return words


@dataclass(frozen=True)
class LastRound(Beam):
    """The text of the last round counts, be it worse than that of an earlier one."""

    width: int = 1

    def take(self, state: State, candidates: Sequence[Candidate], judged: Judged) -> bool:
        best = int(np.argmax(judged.scores))
        state.go(candidates[best], float(judged.scores[best]))
        return bool(judged.reached[best])


@dataclass(frozen=True)
class Ceiling(CandidateRule):
    """`MaxWordsPerturbed`: a share of the words may change, rounded up where ours is rounded down."""

    share: float

    def allows(self, candidate: Candidate, situation: Situation) -> bool:
        base = candidate.base
        changed = base.edited | {base.origins[edit.place] for edit in candidate.change}
        return len(changed) <= math.ceil(self.share * len(base.first))


@dataclass(frozen=True)
class Rate(Rule):
    """`MaxModificationRate`: nothing more is changed once so many words are."""

    share: float
    least: int

    def places(self, text: Attacked, places: Sequence[int], situation: Situation) -> list[int]:
        full = len(text.edited) >= max(math.ceil(self.share * len(text)), self.least)
        return [] if full else list(places)


@dataclass(frozen=True)
class FirstTag(SameSpeech):
    """Where a word stands twice in its surroundings, the tag of the first of the two is taken."""

    def _tag(self, before: Sequence[str], word: str, behind: Sequence[str]) -> str:
        words = (*before, word, *behind)
        return self.tagger(words)[words.index(word)]


@dataclass(frozen=True)
class Lookalikes(WordSwap):
    """One lookalike for each letter of its own list."""

    signs: Mapping[str, str]

    def swaps(self, word: str, situation: Situation) -> Iterator[str]:
        for at, letter in enumerate(word):
            if letter in self.signs:
                yield word[:at] + self.signs[letter] + word[at + 1 :]


@dataclass(frozen=True)
class Synonyms(WordSwap):
    """Words of WordNet that share a sense, where they are one word to TextAttack."""

    source: WordNet

    def swaps(self, word: str, situation: Situation) -> Iterator[str]:
        return (other for other in self.source.synonyms(word) if _one(other))


@dataclass(frozen=True)
class WithoutAWord:
    """The text without one of its words, as long as another is left."""

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        yield from ()
        return [(Edit(place, ""),) for place in places] if len(text) > 1 else []


@dataclass(frozen=True)
class Loosely(Delete):
    """Words after which the answer changes all score 0 here; numpy's quicksort says which of equal ones comes first."""

    def order(
        self, attack: Attack, start: Attacked, score: float, budget: Budget, situation: Situation
    ) -> Steps[list[int]]:
        places = attack.places(start, situation)
        texts = [start.changed((Edit(place, ""),)) for place in places]
        judged = yield from budget.judged(texts, situation, scores_alone)
        return [places[row] for row in (-judged.scores).argsort()]


@dataclass(frozen=True)
class Longer:
    """Contractions written out, by its own list."""

    forms: Mapping[str, str]

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        yield from ()
        words = text.words
        return [(Edit(place, self.forms[words[place]]),) for place in places if words[place] in self.forms]


@dataclass(frozen=True)
class Shorter:
    """What its list has contracted; only where no word before has been changed."""

    forms: Mapping[str, str]

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        yield from ()
        shorter = {longer: form for form, longer in self.forms.items()}
        found: list[Change] = []
        for number, (place, behind) in enumerate(itertools.pairwise(sorted(places))):
            words = f"{text.words[place]} {text.words[behind]}"
            if behind == number + 1 and words in shorter:
                found.append((Edit(number, shorter[words]), Edit(behind, "")))
        return found


@dataclass(frozen=True)
class Only:
    """A transformation at the places that a rule leaves it, where others of the recipe know no such rule."""

    part: Transformation
    rule: Rule

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        return (yield from self.part.propose(text, self.rule.places(text, places, situation), situation))


@dataclass(frozen=True)
class InPlace:
    """What a masked model fills in for a word (`WordSwapMaskedLM`, method "bae")."""

    count: int
    least: float

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        if not places:
            return []
        masked = [f"{text.text[: text.spans[at][0]]}{BLANK}{text.text[text.spans[at][1] :]}" for at in places]
        found = yield Request(FILLED, situation.item, [(each, self.count, self.least) for each in masked])
        words = [[word for word in each if _letters(word) and _one(word)] for each in found]
        return _instead(text, places, words)


@dataclass(frozen=True)
class Before:
    """What a masked model fills in before a word (`WordInsertionMaskedLM`).

    It cuts off what stands before the first word and behind the last one; of a mask before the first word half is cut.
    """

    count: int
    least: float

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        places = [place for place in places if place]
        if not places:
            return []
        first, last = text.spans[0][0], text.spans[-1][1]
        cuts = [text.spans[place][0] for place in places]
        masked = [f"{text.text[first:cut]}{BLANK} {text.text[cut:last]}" for cut in cuts]
        found = yield Request(FILLED, situation.item, [(each, self.count, self.least) for each in masked])
        return [
            (Edit(place, f"{word} {text.words[place]}"),)
            for place, each in zip(places, found, strict=True)
            for word in each
            if word != text.words[place] and _letters(word)
        ]


@dataclass(frozen=True)
class Rather:
    """What a masked model would rather read in the place of a word that it sees (method "bert-attack")."""

    count: int

    def propose(self, text: Attacked, places: Sequence[int], situation: Situation) -> Steps[list[Change]]:
        if not places:
            return []
        found = yield Request(READ, situation.item, [(text, place, self.count) for place in places])
        return _instead(text, places, found)


def _instead(text: Attacked, places: Sequence[int], words: Sequence[Sequence[str]]) -> list[Change]:
    """Each word of each place in the stead of the one that stands there."""
    return [
        (Edit(place, word),)
        for place, each in zip(places, words, strict=True)
        for word in each
        if word != text.words[place]
    ]


@dataclass(frozen=True)
class WordModel:
    """A masked model, asked as TextAttack asks it."""

    model: TransformersModel

    @cached_property
    def tokenizer(self) -> Any:
        """One that may be called: a call changes what it cuts off, which the engine relies on."""
        return copy.deepcopy(self.model.encoder.tokenizer)

    @property
    def oracles(self) -> Mapping[str, Oracle]:
        return {FILLED: self._filled, READ: self._read}

    def _filled(self, requests: Sequence[Request]) -> list[list[list[str]]]:
        """Of (text, count, least) the likeliest words, and pieces of words, that are likely enough."""
        asked = list(chain.from_iterable(request.questions for request in requests))
        found = self.model.fill([text for text, *_ in asked], count=LOOKED_AT)
        answers = iter(
            [
                _taken(found.texts[row * found.count :][: found.count], found.logs[row], count=count, least=least)
                for row, (_, count, least) in enumerate(asked)
            ]
        )
        return [list(itertools.islice(answers, len(request.questions))) for request in requests]

    def _read(self, requests: Sequence[Request]) -> list[list[list[str]]]:
        return [[self._rather(text, place, count) for text, place, count in request.questions] for request in requests]

    def _rather(self, text: Attacked, place: int, count: int) -> list[str]:
        """Of a word of several pieces the first combinations, which TextAttack means to sort and does not."""
        start, end = text.spans[place]
        tokenizer, network = self.tokenizer, self.model.forward.network
        masked = tokenizer(f"{text.text[:start]}{tokenizer.mask_token}{text.text[end:]}")["input_ids"]
        first = masked.index(tokenizer.mask_token_id)
        pieces = len(tokenizer.encode(text.words[place], add_special_tokens=False))
        with torch.inference_mode():
            logits = network(**tokenizer(text.text, return_tensors="pt")).logits[0, first : first + pieces]
        top = [tokenizer.convert_ids_to_tokens(row) for row in logits.topk(count).indices.tolist()]
        if pieces == 1:
            return [piece for piece in top[0] if _one(piece) and "##" not in piece]
        words = ("".join(each).replace("##", "") for each in itertools.product(*top))
        return list(itertools.islice((word for word in words if _one(word)), count))


def _taken(pieces: Sequence[str], logs: Floats, *, count: int, least: float) -> list[str]:
    words = [
        piece.replace("##", "")
        for piece, probability in zip(pieces, np.exp(logs).tolist(), strict=True)
        if probability >= least
    ]
    return [word for word in words if _one(word) and word.strip(string.punctuation)][:count]


def _one(word: str) -> bool:
    return len(Attacked.of(word)) == 1


def _letters(word: str) -> bool:
    return re.search("[a-zA-Z]", word) is not None


@dataclass(frozen=True)
class Steepest:
    """Words by how steep the loss is at them (`wir_method="gradient"`); the text behind the last of them is cut off."""

    def order(
        self, attack: Attack, start: Attacked, score: float, budget: Budget, situation: Situation
    ) -> Steps[list[int]]:
        places = attack.places(start, situation)
        if not places:
            return []
        (norms,) = yield Request(STEEP, situation.item, [(start, places)])
        return [places[row] for row in np.argsort(-norms, kind="stable")]


@dataclass(frozen=True)
class Slopes:
    """The classifier's gradients, as `HuggingFaceModelWrapper.get_grad` takes them."""

    model: TransformersModel

    @cached_property
    def tokenizer(self) -> Any:
        """As of `WordModel`."""
        return copy.deepcopy(self.model.encoder.tokenizer)

    def __call__(self, requests: Sequence[Request]) -> list[list[Floats]]:
        return [[self._norms(text, places) for text, places in request.questions] for request in requests]

    def _norms(self, text: Attacked, places: Sequence[int]) -> Floats:
        """(places,) sums of the absolute numbers of the mean gradient of a word's pieces."""
        tokenizer, network = self.tokenizer, self.model.forward.network
        read = tokenizer(text.text[: text.spans[places[-1]][1]], return_tensors="pt", return_offsets_mapping=True)
        offsets = read.pop("offset_mapping")[0].tolist()
        with torch.enable_grad():
            read["inputs_embeds"] = network.get_input_embeddings()(read.pop("input_ids")).detach().requires_grad_()
            logits = network(**read).logits
            loss = torch.nn.functional.cross_entropy(logits, logits.argmax(dim=1))
            (slopes,) = torch.autograd.grad(loss, read["inputs_embeds"])
        inside = [[at for at, (a, b) in enumerate(offsets) if start <= a < b <= end] for start, end in text.spans]
        return np.array([float(slopes[0, inside[place]].mean(dim=0).abs().sum()) for place in places])


@dataclass(frozen=True)
class Below:
    """Kuleshov et al.: a probability of the right label that is below a bound."""

    label: int
    most: float = 0.7

    def judge(self, answers: Classifications) -> Judged:
        right = answers.scores[:, self.label]
        return Judged(1.0 - right, np.asarray(right < self.most))


@dataclass(frozen=True)
class FewerWords:
    """`InputReduction` as an oracle: the fewer words the better, for as long as the answer stays; never reached."""

    model: Classifier
    labels: Sequence[int]
    words: Sequence[int]

    def __call__(self, requests: Sequence[Request]) -> list[Judged]:
        asked = [(request.item, text) for request in requests for text in request.questions]
        answers = self.model.classify([text for _, text in asked])
        labels = np.array([self.labels[item] for item, _ in asked])
        first = np.array([self.words[item] for item, _ in asked])
        now = np.array([len(Attacked.of(text)) for _, text in asked])
        stays = answers.logits.argmax(axis=1) == labels
        shares = (first - now) / first + answers.scores[np.arange(len(asked)), labels] / first
        return shared_out(requests, np.where(stays, np.minimum(shares, 1.0), 0.0), ~stays & (now == first))


def _deepwordbug(given: Given) -> Attack:
    return composed(Greedy(Unk()), deepwordbug_letters(), (*given.rules, Levenshtein(30)))


def _pwws(given: Given) -> Attack:
    if given.wordnet is None:
        raise SystemExit("WordNet is not there: set NLTK_DATA")
    return composed(Greedy(WeightedSaliency()), Synonyms(given.wordnet), given.rules)


def _textbugger(given: Given) -> Attack:
    assert given.vectors is not None
    bugs = (
        Inserted(inner=True, letters=" "),
        Deleted(inner=True),
        Swapped(inner=True),
        Lookalikes(given.lists["lookalikes"]),
        NearVectors(given.vectors, count=5, least=-1.0),
    )
    return composed(Numbered(Delete()), AnyOf(bugs), given.rules)


def _pruthi(given: Given) -> Attack:
    letters = (
        Swapped(drawn=False, inner=True),
        Deleted(drawn=False, inner=True),
        Inserted(drawn=False, inner=True),
        Mistyped(inner=True, keys=given.lists["keys"]),
    )
    return composed(LastRound(), AnyOf(letters), (LongWords(4), *given.rules, MostWords(count=1)))


def _checklist(given: Given) -> Attack:
    forms = given.lists["longer"]
    return composed(LastRound(), AnyOf((Longer(forms), Shorter(forms))), (Untouched(),))


def _input_reduction(given: Given) -> Attack:
    return composed(Numbered(Loosely()), WithoutAWord(), (Untouched(),))


def _textfooler(given: Given) -> Attack:
    assert given.vectors is not None
    rules = (*given.rules, WordDistance(given.vectors, 0.5), _same_speech())
    return composed(Numbered(Delete()), NearVectors(given.vectors, count=50, least=-1.0), rules)


def _a2t(given: Given) -> Attack:
    assert given.vectors is not None
    close = (WordDistance(given.vectors, 0.8), _same_speech(verbs_as_nouns=False))
    rules = (*given.rules, Rate(0.1, 4), *close)
    return composed(Numbered(Steepest()), NearVectors(given.vectors, count=20, least=-1.0), rules)


def _bae(given: Given) -> Attack:
    return composed(Numbered(Delete()), InPlace(count=50, least=0.0), (*given.rules, _same_speech()))


def _bert_attack(given: Given) -> Attack:
    return composed(Numbered(Unk()), Rather(count=8), (*given.rules, Ceiling(0.4)))


def _clare(given: Given) -> Attack:
    count = given.words or 50
    swapped = Only(InPlace(count=count, least=5e-4), Listed(frozenset(given.stopwords)))
    return composed(LastRound(), AnyOf((swapped, Before(count=count, least=0.0))), (Untouched(),))


def _kuleshov(given: Given) -> Attack:
    assert given.vectors is not None
    words = NearVectors(given.vectors, count=15, least=-1.0)
    return composed(LastRound(), words, (*given.rules, Ceiling(0.5)))


def _same_speech(*, verbs_as_nouns: bool = True) -> SameSpeech:
    tagger = find_tagger()
    if tagger is None:
        raise SystemExit("nltk's tagger is not there: set NLTK_DATA")
    return FirstTag(tagger, verbs_as_nouns=verbs_as_nouns)


_ENCODER = "no sentence encoder"
_VECTORS = "stand-in vectors"
_MASKED = "the stand-in for a masked model"
_NUMBERS = "words by their number in the text as it is"
_TAGS = "the first tag of a word that stands twice nearby"
_ROUNDS = "the text of the last round counts"


@dataclass(frozen=True)
class AsTextAttack:
    """A recipe in its way.

    Attributes:
        attack: puts it together.
        patched: in what TextAttack's recipe differs from how it installs; empty where in nothing.
        aside: what is put together otherwise than in the recipe of ours; a name of it where it has another, or none.
        goal: of an item with this right label.
    """

    attack: Callable[[Given], Attack]
    patched: str = ""
    aside: str = ""
    goal: Callable[[int], Goal] = Untargeted

    def victim(self, model: TransformersModel, rows: Sequence[Row]) -> Oracle:
        """The model under attack, judged by the goals of these items."""
        if self.attack is _input_reduction:
            return FewerWords(model, [label for _, label in rows], [len(Attacked.of(text)) for text, _ in rows])
        return ClassifierVictim(model, [self.goal(label) for _, label in rows])


COMPOSED: Mapping[str, AsTextAttack] = {
    "deepwordbug": AsTextAttack(_deepwordbug),
    "pwws": AsTextAttack(_pwws),
    "textbugger": AsTextAttack(
        _textbugger,
        patched=f"{_VECTORS}, {_ENCODER}; a list that its wheel lacks, and its swaps do not read, is empty",
        aside=f"its lookalikes, no keys; near vectors; {_NUMBERS}",
    ),
    "pruthi": AsTextAttack(_pruthi, aside=f"its keys; {_ROUNDS}"),
    "checklist": AsTextAttack(
        _checklist,
        patched="contractions only: names and places want a tagger from the Hub, numbers two packages more",
        aside=f"its list of contractions; {_ROUNDS}",
    ),
    "input-reduction": AsTextAttack(
        _input_reduction,
        aside="one pass over the words by their importance, where ours asks anew after each; equal scores as numpy's "
        "quicksort leaves them",
    ),
    "textfooler": AsTextAttack(_textfooler, patched=f"{_VECTORS}, {_ENCODER}", aside=f"its stopwords; {_TAGS}"),
    "a2t": AsTextAttack(
        _a2t,
        patched=f"{_VECTORS}, {_ENCODER}; no dropout while it takes gradients",
        aside=f"no recipe of ours; ranked by the size of the gradient; {_TAGS}",
    ),
    "bae": AsTextAttack(
        _bae,
        patched=f"{_MASKED}, {_ENCODER}",
        aside=f"50 words are left of the likeliest, pieces of words among them; {_TAGS}",
    ),
    "bert-attack": AsTextAttack(
        _bert_attack,
        patched=f"{_MASKED}, {_ENCODER}",
        aside="8 words for what is read and not masked; pieces are put together; two fifths are rounded up",
    ),
    "clare": AsTextAttack(
        _clare,
        patched=f"{_MASKED}, {_ENCODER}; no merging, which wants a tagger from the Hub; 5 words a place",
        aside="all places in each round; pieces of words are put in too",
    ),
    "kuleshov": AsTextAttack(
        _kuleshov,
        patched=f"{_VECTORS}, {_ENCODER} and no language model",
        aside="no recipe of ours",
        goal=Below,
    ),
}
"""Name -> recipe."""
