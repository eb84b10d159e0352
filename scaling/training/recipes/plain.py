"""Define this project's recipes: a fixed one, and two for decoders of 10⁴ to 10⁷ parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scaling.config.kinds import POSITIVE, SEQUENCES, Setting, number
from scaling.training.recipes.recipe import Derived, Recipe, Situation


def _fixed(situation: Situation, constants: Mapping[str, Any]) -> Derived:
    del situation
    return {
        "learning_rate": (constants["peak"], f"fixed at {constants['peak']:g}"),
        "batch_sequences": (constants["batch"], f"fixed at {constants['batch']:g} sequences"),
    }


BATCH = Setting(SEQUENCES, 8, "Batch size in sequences.")
"""Batch size of the recipes that do not derive it."""
RATE_TIMES_WIDTH = "Peak learning rate × width."

FIXED = Recipe(
    name="fixed",
    source="none: the same numbers for every size and budget",
    rule=_fixed,
    constants={"peak": Setting(POSITIVE, 3e-3, "Peak learning rate."), "batch": BATCH},
)


def _small_decoder(situation: Situation, constants: Mapping[str, Any]) -> Derived:
    k, batch = constants["learning_rate_times_width"], constants["batch"]
    return {
        "learning_rate": (k / situation.width, f"{k:g} / width"),
        "batch_sequences": (batch, f"{batch:g} sequences at every budget"),
    }


SMALL_DECODER = Recipe(
    name="small_decoder",
    source="measured on bytes of English at 1e10 to 1e12 FLOPs: the best learning rate moves as 1 / width, "
    "as Adam's does in arXiv:2203.03466 table 3, and small batches win",
    rule=_small_decoder,
    constants={"learning_rate_times_width": Setting(POSITIVE, 0.25, RATE_TIMES_WIDTH), "batch": BATCH},
)


def _horizon(situation: Situation, constants: Mapping[str, Any]) -> Derived:
    k, batch = constants["learning_rate_times_width"], constants["batch"]
    reference, exponent = constants["reference_tokens"], constants["exponent"]
    rate = k / situation.width * (situation.tokens / reference) ** -exponent
    return {
        "learning_rate": (rate, f"{k:g} / width × (D / {reference:g})^-{exponent:g}"),
        "batch_sequences": (batch, f"{batch:g} sequences at every budget"),
    }


HORIZON = Recipe(
    name="horizon",
    source="measured by sweeps/rates on bytes of English: the best rate × width does not move with N at one "
    "D, and falls by 1.8 to 2.0 for ten times the tokens at one batch; published for large models is an "
    "exponent of 0.32 (arXiv:2409.19913)",
    rule=_horizon,
    constants={
        "learning_rate_times_width": Setting(POSITIVE, 0.44, "Peak rate × width at D = reference_tokens."),
        "reference_tokens": Setting(POSITIVE, 7e5, "D of learning_rate_times_width."),
        "exponent": Setting(
            number(-10, 10), 0.27, "Exponent with which the peak learning rate falls with D."
        ),
        "batch": BATCH,
    },
)
