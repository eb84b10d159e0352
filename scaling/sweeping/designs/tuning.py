"""Design `tuning`: learning rates × batch sizes around the values of the recipe.

Size and budget are those of the base config, or of another design in a cross such as [isoflop, tuning].
"""

from __future__ import annotations

from typing import Any

from scaling.errors import ConfigError
from scaling.sweeping.designs.space import Space

KEYS = ("learning_rate_factors", "batch_factors")
"""Keys of `sweep` that this design reads."""


def cells(space: Space) -> list[dict[str, Any]]:
    """Return `sweep.learning_rate_factors` × `sweep.batch_factors`, each multiplied by the recipe's value.

    One of the two may be left out. Learning rates are rounded to 4 digits, batches to whole sequences. Raises
    ConfigError.
    """
    rates = space.values("learning_rate_factors", needed=False)
    batches = space.values("batch_factors", needed=False)
    if not rates and not batches:
        raise ConfigError(
            "the design 'tuning' needs sweep.learning_rate_factors or sweep.batch_factors, such as '0.25..4 "
            "x 5'"
        )
    assert space.cell is not None
    recipe = space.cell({}).hyperparameters
    found = []
    for rate in rates or [1.0]:
        for batch in batches or [1.0]:
            cell: dict[str, Any] = {}
            if rates:
                cell["recipe.learning_rate"] = float(f"{rate * recipe.learning_rate:.4g}")
            if batches:
                cell["recipe.batch_sequences"] = max(1, round(batch * recipe.batch_sequences))
            found.append(cell)
    return found
