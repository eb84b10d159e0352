"""The recipes by name."""

from __future__ import annotations

from scaling.training.recipes.plain import FIXED, HORIZON, SMALL_DECODER
from scaling.training.recipes.published import DEEPSEEK, KAPLAN, PORIAN, POWER_LINES, STEP_LAW
from scaling.training.recipes.recipe import Recipe
from scaling.training.recipes.transfer import COMPLETEP, MUP

_ALL = (SMALL_DECODER, HORIZON, FIXED, PORIAN, DEEPSEEK, STEP_LAW, POWER_LINES, KAPLAN, MUP, COMPLETEP)
RECIPES: dict[str, Recipe] = {recipe.name: recipe for recipe in _ALL}
