"""Recipes that change letters, not words: misspellings, and characters that a reader does not see."""

from __future__ import annotations

from collections.abc import Callable

from probes.robustness.adversarial.beam import Beam
from probes.robustness.adversarial.characters import (
    LIMIT,
    Deleted,
    Inserted,
    Lookalike,
    Mistyped,
    Reordered,
    Substituted,
    Swapped,
    Unseen,
    Wrapped,
)
from probes.robustness.adversarial.constraints.words import Levenshtein, LongWords, MostWords, Stopwords
from probes.robustness.adversarial.greedy import Greedy
from probes.robustness.adversarial.parts import Attack, Constraint, Transformation
from probes.robustness.adversarial.pure import AnyOf, Untouched
from probes.robustness.adversarial.rankings import Delete, Unk
from probes.robustness.adversarial.recipe import Composed, Recipe, Sources

_BOUCHER = "Boucher, Shumailov, Anderson and Papernot 2022, Bad Characters: Imperceptible NLP Attacks, IEEE S&P"
_BOUCHER_DEVIATIONS = (
    "Words are taken in the order of their importance, one change each, where the paper evolves a population of "
    "changes under a budget of characters; the number of changes is counted and not limited."
)


def deepwordbug_letters() -> Transformation:
    """Its four changes of one letter, drawn."""
    return AnyOf((Swapped(), Substituted(), Deleted(), Inserted()))


def _deepwordbug(sources: Sources) -> Attack:
    return Attack(
        method=Greedy(Unk()),
        transformation=deepwordbug_letters(),
        constraints=(Untouched(), Stopwords(), Levenshtein(30)),
        budget=sources.budget,
    )


def _textbugger(sources: Sources) -> Attack:
    bugs = (
        Inserted(inner=True, letters=" "),
        Deleted(inner=True),
        Swapped(inner=True),
        Lookalike(leet=True),
        Mistyped(),
    )
    return Attack(
        method=Greedy(Delete()),
        transformation=AnyOf(bugs),
        constraints=(Untouched(), Stopwords()),
        budget=sources.budget,
    )


def pruthi_letters() -> Transformation:
    """Its four changes of one inner letter, all of them."""
    return AnyOf(
        (
            Swapped(drawn=False, inner=True),
            Deleted(drawn=False, inner=True),
            Inserted(drawn=False, inner=True),
            Mistyped(inner=True),
        )
    )


def _pruthi(sources: Sources) -> Attack:
    return Attack(
        method=Beam(width=1),
        transformation=pruthi_letters(),
        constraints=(Untouched(), LongWords(4), Stopwords(), MostWords(count=1)),
        budget=sources.budget,
    )


def _unseen_by_readers(*parts: Transformation) -> Callable[[Sources], Attack]:
    rules: tuple[Constraint, ...] = (Untouched(),)

    def attack(sources: Sources) -> Attack:
        return Attack(method=Greedy(Unk()), transformation=AnyOf(parts), constraints=rules, budget=sources.budget)

    return attack


CHARACTER_RECIPES: tuple[Recipe, ...] = (
    Composed(
        name="deepwordbug",
        paper="Gao, Lanchantin, Soffa and Qi 2018, Black-box Generation of Adversarial Text Sequences to Evade Deep "
        "Learning Classifiers, IEEE Security and Privacy Workshops",
        attack=_deepwordbug,
        deviations="Words are ranked by an unknown word in their place, as in TextAttack, where the paper adds "
        "scores of the text before and after the word; of its four changes of a letter the best is kept. Our own "
        "list of stopwords.",
        queries=25,
    ),
    Composed(
        name="textbugger",
        paper="Li, Ji, Du, Li and Wang 2019, TextBugger: Generating Adversarial Text Against Real-world "
        "Applications, NDSS",
        attack=_textbugger,
        deviations="Black box. Of its five bugs all but the fifth, the replacement by a word with a near vector; every "
        "place of a lookalike or a neighbouring key is tried. No sentence encoder limits the changes. " + LIMIT,
        queries=120,
    ),
    Composed(
        name="pruthi",
        paper="Pruthi, Dhingra and Lipton 2019, Combating Adversarial Misspellings with Robust Word Recognition, ACL",
        attack=_pruthi,
        deviations="One word is misspelt, at an inner letter. Our own lists of neighbouring keys and of stopwords, "
        "which stay as they are. " + LIMIT,
        queries=250,
    ),
    Composed(
        name="homoglyphs",
        paper=_BOUCHER,
        attack=_unseen_by_readers(Lookalike()),
        deviations=f"{_BOUCHER_DEVIATIONS} Cyrillic and Greek letters of our own lists. {LIMIT}",
        queries=90,
    ),
    Composed(
        name="invisible",
        paper=_BOUCHER,
        attack=_unseen_by_readers(Unseen()),
        deviations=f"{_BOUCHER_DEVIATIONS} {LIMIT}",
        queries=110,
    ),
    Composed(
        name="bidi",
        paper="Boucher and Anderson 2023, Trojan Source: Invisible Vulnerabilities, USENIX Security",
        attack=_unseen_by_readers(Wrapped()),
        deviations=f"{_BOUCHER_DEVIATIONS} Marks and brackets of direction that move nothing on the screen.",
        queries=70,
    ),
    Composed(
        name="reorderings",
        paper=_BOUCHER,
        attack=_unseen_by_readers(Reordered()),
        deviations=f"{_BOUCHER_DEVIATIONS} {LIMIT}",
        queries=90,
    ),
    Composed(
        name="bad-characters",
        paper=_BOUCHER,
        attack=_unseen_by_readers(Lookalike(), Unseen(), Reordered()),
        deviations=f"{_BOUCHER_DEVIATIONS} Lookalikes, characters without a shape and reorderings together; no "
        f"deletions by backspace, which a browser shows. {LIMIT}",
        queries=250,
    ),
)
"""They need nothing that is not always there."""
