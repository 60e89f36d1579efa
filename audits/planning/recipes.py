"""Recipes of attack that the user names: they are run whatever the suite says, and TextAttack's get an interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from audits.config import Config, SuiteEntry
from probes.core.answers import ProblemType
from probes.core.errors import UsageError
from probes.core.model import ModelCard
from probes.core.probe import varied
from probes.registry import Registry

if TYPE_CHECKING:
    from probes.robustness.textattack.recipe import FromTextAttack

PROBE = "robustness.adversarial"
ITEMS = 100
"""Items that are attacked where the suite does not say."""


def with_recipes(suite: Sequence[SuiteEntry], recipes: Sequence[str]) -> tuple[SuiteEntry, ...]:
    """The suite, with the probe of attacks and these recipes; as it is without recipes."""
    if not recipes:
        return tuple(suite)
    own = next((entry for entry in suite if entry.probes == PROBE and not entry.leave_out), SuiteEntry(probes=PROBE))
    wanted = {**own.parameters, "recipes": tuple(recipes)}
    return (own.model_copy(update={"items": own.items or ITEMS, "parameters": wanted}), *suite)


def add_textattack(registry: Registry, config: Config, *, model: ModelCard) -> None:
    """Give TextAttack to the probe of attacks, and see that the recipes that are named can run.

    Raises:
        UsageError: a recipe of TextAttack is named, and it, or data that the recipe wants, is not on this machine, or
            the model is none that it attacks.
        ModelError: its process failed.
    """
    from audits.textattack import find_peer, with_peer

    recipes = _of_textattack(config)
    probe = registry.probes.get(PROBE)
    if probe is None or not recipes:
        return
    if model.problem is not ProblemType.SINGLE_LABEL:
        raise UsageError(
            f"the recipe {recipes[0].name!r} attacks classifiers with one label a text; {model.name} is none",
            hint="choose recipes without the prefix textattack:",
        )
    peer = find_peer()
    if peer is None:
        raise UsageError(
            f"the recipe {recipes[0].name!r} needs TextAttack, which is not on this machine",
            hint="build an environment for it with `audit textattack install`",
        )
    for recipe in recipes:
        recipe.require_usable(peer)
    resources = (*getattr(probe, "resources", ()), f"TextAttack {peer.version}")
    registry.probes[PROBE] = varied(probe, **with_peer(probe, peer), resources=resources)


def _of_textattack(config: Config) -> list[FromTextAttack]:
    """The recipes of TextAttack that are named, here or in the configuration file; each once."""
    from probes.robustness.textattack.recipe import PREFIX, FromTextAttack

    own: Any = config.probes.get(PROBE, {}).get("recipes", ())
    named = (*config.recipes, *((own,) if isinstance(own, str) else own))
    theirs = (name.removeprefix(PREFIX) for name in named if str(name).startswith(PREFIX))
    return [FromTextAttack(name) for name in dict.fromkeys(theirs)]
