"""Recipes that keep the words and change their forms, exchange what a label seldom depends on, or take words away."""

from __future__ import annotations

from probes.robustness.adversarial.beam import Beam
from probes.robustness.adversarial.characters import Deleted
from probes.robustness.adversarial.constraints.words import Stopwords
from probes.robustness.adversarial.greedy import Greedy
from probes.robustness.adversarial.inflections import Inflected
from probes.robustness.adversarial.invariances import Contractions, OtherNames, OtherNumbers, OtherPlaces
from probes.robustness.adversarial.parts import Attack
from probes.robustness.adversarial.pure import AnyOf, Untouched
from probes.robustness.adversarial.rankings import Unk
from probes.robustness.adversarial.recipe import Composed, Recipe, Resource, Sources
from probes.robustness.adversarial.reduction import Reduction


def _checklist(sources: Sources) -> Attack:
    return Attack(
        method=Beam(width=1),
        transformation=AnyOf((Contractions(), OtherNames(), OtherNumbers(), OtherPlaces())),
        constraints=(Untouched(),),
        budget=sources.budget,
    )


def _morpheus(sources: Sources) -> Attack:
    return Attack(
        method=Greedy(Unk()),
        transformation=Inflected(),
        constraints=(Untouched(), Stopwords()),
        budget=sources.budget,
    )


def _input_reduction(sources: Sources) -> Attack:
    return Attack(method=Reduction(), transformation=Deleted(), budget=sources.budget)  # which is never asked


FORM_RECIPES: tuple[Recipe, ...] = (
    Composed(
        name="checklist",
        paper="Ribeiro, Wu, Guestrin and Singh 2020, Beyond Accuracy: Behavioral Testing of NLP Models with CheckList, "
        "ACL",
        attack=_checklist,
        deviations="Of its invariance tests those of names, numbers, places and contractions, as in TextAttack; "
        "names and places are found in our own lists and not by a tagger. The best exchange of each round is kept "
        "and changed further.",
        queries=10,
    ),
    Composed(
        name="morpheus",
        paper="Tan, Joty, Kan and Socher 2020, It's Morphin' Time! Combating Linguistic Discrimination with "
        "Inflectional Perturbations, ACL",
        attack=_morpheus,
        deviations="Against classifiers, where the paper attacks reading and translation. Words are taken in the "
        "order of their importance, and inflected in every part of speech that they can be; our own list of stopwords.",
        needs=(Resource.WORDNET,),
        queries=50,
    ),
    Composed(
        name="input-reduction",
        paper="Feng, Wallace, Grissom, Iyyer, Rodriguez and Boyd-Graber 2018, Pathologies of Neural Models Make "
        "Interpretations Difficult, EMNLP",
        attack=_input_reduction,
        deviations="It succeeds where one word is left and the answer is the same; without the paper's beam.",
        queries=300,
        breaks=False,
    ),
)
"""They need nothing that is not always there, but for WordNet where they say so."""
