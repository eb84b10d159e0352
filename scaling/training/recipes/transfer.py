"""Define recipes that transfer hyperparameters from a small shape to others by muP or CompleteP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scaling.config.kinds import PARTS, POSITIVE, Setting
from scaling.training.recipes.plain import BATCH
from scaling.training.recipes.recipe import Derived, Recipe, Situation


def _mup(situation: Situation, constants: Mapping[str, Any]) -> Derived:
    rate, batch = constants["base_rate"], constants["batch"]
    r = situation.width / constants["tuned_width"]
    return {
        "learning_rate": (rate, f"{rate:g} at every width; matrices learn at 1/{r:.3g} of it"),
        "batch_sequences": (batch, f"{batch:g} sequences at every budget"),
        "parametrization": ("mup", "learning rates and initial weights move with width"),
        "base_width": (constants["tuned_width"], "the width that the rate was tuned at"),
    }


_RATE = Setting(POSITIVE, 0.004, "Peak learning rate, tuned at the small shape.")
_WIDTH = Setting(PARTS, 64, "Width of the small shape.")
_DEPTH = Setting(PARTS, 2, "Depth of the small shape.")

MUP = Recipe(
    name="mup",
    source="arXiv:2203.03466 table 3 (Adam)",
    rule=_mup,
    constants={"base_rate": _RATE, "tuned_width": _WIDTH, "batch": BATCH},
)


def _completep(situation: Situation, constants: Mapping[str, Any]) -> Derived:
    depth = situation.depth / constants["tuned_depth"]
    return {
        **_mup(situation, constants),
        "parametrization": (
            "completep",
            f"as muP with width; branches of the residual stream weigh 1/{depth:.3g} at depth "
            f"{situation.depth}",
        ),
        "base_depth": (constants["tuned_depth"], "the depth that the rate was tuned at"),
    }


COMPLETEP = Recipe(
    name="completep",
    source="arXiv:2505.01618 table 1 at alpha = 1; epsilon as corrected in its published code after "
    "arXiv:2512.22382",
    rule=_completep,
    constants={"base_rate": _RATE, "tuned_width": _WIDTH, "tuned_depth": _DEPTH, "batch": BATCH},
)
