"""Find recipes by name."""

from __future__ import annotations

from scaling.config import RecipeConfig
from scaling.errors import ConfigError, one_of
from scaling.training.recipes.plain import FIXED, HORIZON, SMALL_DECODER
from scaling.training.recipes.published import DEEPSEEK, KAPLAN, PORIAN, POWER_LINES, STEP_LAW
from scaling.training.recipes.recipe import Recipe
from scaling.training.recipes.transfer import COMPLETEP, MUP

_ALL = (SMALL_DECODER, HORIZON, FIXED, PORIAN, DEEPSEEK, STEP_LAW, POWER_LINES, KAPLAN, MUP, COMPLETEP)
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _ALL}


def get(name: str) -> Recipe:
    """Return a recipe by name. Raises ConfigError that names the known ones."""
    if name not in RECIPES:
        raise ConfigError(one_of("recipe.name", name, RECIPES))
    return RECIPES[name]


def names() -> list[str]:
    """Return the names of the known recipes."""
    return list(RECIPES)


def find(config: RecipeConfig) -> Recipe:
    """Return the recipe of a config. Raises ConfigError."""
    if config.name is None:
        raise ConfigError(f"recipe.name is missing; it must be one of {', '.join(map(repr, names()))}")
    return get(config.name)
