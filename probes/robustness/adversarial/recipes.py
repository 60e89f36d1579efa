"""The recipes there are, by name; one function for each says what it is put together from."""

from __future__ import annotations

from collections.abc import Mapping

from probes.core.errors import UsageError, did_you_mean
from probes.robustness.adversarial.character_recipes import CHARACTER_RECIPES
from probes.robustness.adversarial.form_recipes import FORM_RECIPES
from probes.robustness.adversarial.recipe import Recipe
from probes.robustness.adversarial.triggers import UniversalTrigger
from probes.robustness.adversarial.word_recipes import WORD_RECIPES
from probes.robustness.textattack.bridge import WANTS
from probes.robustness.textattack.recipe import PREFIX, FromTextAttack

_ALL: tuple[Recipe, ...] = (*CHARACTER_RECIPES, *FORM_RECIPES, *WORD_RECIPES, UniversalTrigger())

RECIPES: Mapping[str, Recipe] = {recipe.name: recipe for recipe in _ALL}

USUAL: tuple[str, ...] = tuple(name for name in ("deepwordbug", "fast") if name in RECIPES)
"""What is run unless recipes are named: they need no download, and ask about a few dozen texts an item."""


def find(name: str) -> Recipe:
    """The recipe of this name.

    Raises:
        UsageError: with the closest names.
    """
    if name.startswith(PREFIX):
        return FromTextAttack(name.removeprefix(PREFIX))
    if name not in RECIPES:
        known = [*RECIPES, *(PREFIX + own for own in WANTS)]
        raise UsageError(f"no recipe called {name!r}", hint=did_you_mean(name, known))
    return RECIPES[name]
