"""What a recipe is: a published combination of the parts of an attack, and what it cannot do without."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from probes.robustness import search
from probes.robustness.adversarial.parts import Attack, Attempt, Situation
from probes.robustness.search import Oracle


class Resource(StrEnum):
    """Something that candidates come from, or are held against, and that is not always there."""

    GRADIENTS = "gradients"
    NEIGHBOURS = "neighbours"
    """Words near one another in the audited model's own table of embeddings."""
    WORDNET = "wordnet"
    WORD_VECTORS = "word-vectors"
    WORD_MODEL = "word-model"
    """A masked language model."""
    SENTENCE_ENCODER = "sentence-encoder"
    ENTAILMENT_MODEL = "entailment-model"
    TEXTATTACK = "textattack"
    """An interpreter that has TextAttack (`probes.robustness.textattack`)."""


WHAT: Mapping[Resource, str] = {
    Resource.GRADIENTS: "gradients, which this model does not let through",
    Resource.NEIGHBOURS: "words near one another, and this model has none in its vocabulary",
    Resource.WORDNET: "WordNet",
    Resource.WORD_VECTORS: "word vectors",
    Resource.WORD_MODEL: "a masked language model",
    Resource.SENTENCE_ENCODER: "a sentence encoder",
    Resource.ENTAILMENT_MODEL: "a model of entailment",
    Resource.TEXTATTACK: "TextAttack",
}
"""What each is, in words."""

HOW: Mapping[Resource, str] = {
    Resource.GRADIENTS: "choose a recipe that ranks words otherwise",
    Resource.NEIGHBOURS: "give word vectors with --word-vectors",
    Resource.WORDNET: "install nltk and put the corpus wordnet into a folder that NLTK_DATA names, or install wn and "
    "add an English lexicon to it",
    Resource.WORD_VECTORS: "name a file of word vectors (.txt, .vec, .bin or .npz) with --word-vectors",
    Resource.WORD_MODEL: "name a masked language model, a folder or a Hub id, with --word-model",
    Resource.SENTENCE_ENCODER: "name a sentence encoder, a folder or a Hub id, with --sentence-encoder",
    Resource.ENTAILMENT_MODEL: "name a model of entailment, a folder or a Hub id, with --entailment-model",
    Resource.TEXTATTACK: "build an environment for it with `audit textattack install`",
}
"""How to get each."""


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What a recipe may be made of besides its own lists.

    Attributes:
        budget: most texts that the model is asked about for one item.
        given: what there is of each resource.
        oracles: whom searches may ask besides the victim, by name.
        progress: may be told how many of how many items are done.
    """

    budget: int
    given: Mapping[Resource, Any] = field(default_factory=dict)
    oracles: Mapping[str, Oracle] = field(default_factory=dict)
    progress: Callable[[int, int], None] | None = None


class Recipe(Protocol):
    """An attack by name.

    Attributes:
        name: as users write it ("deepwordbug").
        paper: where it is from.
        deviations: in what it differs from there, in sentences; empty where in nothing.
        needs: what it cannot do without.
        queries: texts it usually asks about for an item, for estimates of the cost.
    """

    @property
    def name(self) -> str: ...
    @property
    def paper(self) -> str: ...
    @property
    def deviations(self) -> str: ...
    @property
    def needs(self) -> tuple[Resource, ...]: ...
    @property
    def queries(self) -> float: ...

    def attempts(
        self, situations: Sequence[Situation], sources: Sources, oracles: Mapping[str, Oracle], *, model: Any
    ) -> list[Attempt]:
        """Attack n texts, in the same order.

        Args:
            oracles: the victim, which judges by the goal of each item, and those of the sources.
            model: the victim itself, for recipes that bring goals of their own.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Composed:
    """A recipe of our own parts, as `Recipe` describes it.

    Attributes:
        attack: makes it from the sources.
        takes: what it also makes use of where it is there.
        breaks: whether it reaches its goal by another answer; not where the answer stays though hardly a word is left.
    """

    name: str
    paper: str
    attack: Callable[[Sources], Attack]
    deviations: str = ""
    needs: tuple[Resource, ...] = ()
    takes: tuple[Resource, ...] = ()
    queries: float = 30.0
    breaks: bool = True

    def attempts(
        self, situations: Sequence[Situation], sources: Sources, oracles: Mapping[str, Oracle], *, model: Any
    ) -> list[Attempt]:
        """Attack n texts together."""
        attack = self.attack(sources)
        searches = [attack.method.search(attack, situation) for situation in situations]
        return search.run(searches, oracles, progress=sources.progress)


def breaks(recipe: Recipe) -> bool:
    """Does it reach its goal by another answer."""
    return not isinstance(recipe, Composed) or recipe.breaks


def classifiers_only(recipe: Recipe) -> bool:
    """Does it look at answers, or gradients of them, that classifiers and regressions alone give."""
    return not isinstance(recipe, Composed) or Resource.GRADIENTS in recipe.needs


OF_THE_MODEL = frozenset({Resource.GRADIENTS, Resource.NEIGHBOURS})
"""What the audited model itself has to offer, or has not; the others are given, or not, before it is there."""

STANDS_IN: Mapping[Resource, Resource] = {Resource.NEIGHBOURS: Resource.WORD_VECTORS}
"""What does as well as something that is not there."""


def missing(recipe: Recipe, given: Collection[Resource]) -> list[Resource]:
    """What a recipe needs and is not given, nor what stands in for it."""
    return [each for each in recipe.needs if each not in given and STANDS_IN.get(each) not in given]


def in_words(lacking: Sequence[Resource]) -> tuple[str, str]:
    """What is missing, and how to get it."""
    return " and ".join(WHAT[each] for each in lacking), "; ".join(HOW[each] for each in lacking)
