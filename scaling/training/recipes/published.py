"""Define recipes from published power laws of learning rate, batch size and weight decay in N, D and C.

All use the tokens of the run, not an estimate from N, so they also apply to IsoFLOP sweeps. Most were fitted
above 10⁷ parameters; a plan marks extrapolations below that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from scaling.config.kinds import POSITIVE, Setting
from scaling.training.recipes.plain import RATE_TIMES_WIDTH
from scaling.training.recipes.recipe import Derived, Recipe, Situation

PORIAN_SEQUENCE = 2048
POWER_LINES_SEQUENCE = 2048


def _far(situation: Situation, smallest: float) -> str:
    return f" (extrapolated: fitted from N = {smallest:.0e})" if situation.params < smallest else ""


def _batch(situation: Situation, tokens: float, words: str) -> tuple[int, str]:
    return situation.sequences(
        tokens
    ), f"{words} = {tokens:,.0f} tokens, in whole sequences of {situation.context}"


def _porian(s: Situation, constants: Mapping[str, Any]) -> Derived:
    del constants
    rate, sequences = 3.7 * s.params**-0.36, 0.00037 * s.params**0.703
    far = _far(s, 5e6)
    return {
        "learning_rate": (rate, f"3.7 N^-0.36{far}"),
        "batch_sequences": _batch(
            s, sequences * PORIAN_SEQUENCE, f"0.00037 N^0.703 sequences of {PORIAN_SEQUENCE}{far}"
        ),
        "beta2": (0.99 if s.params <= 220e6 else 0.95, "0.99 up to 220M parameters, 0.95 above"),
        "warmup_fraction": (min(s.params / s.tokens, 0.5), "N tokens of warm-up, at most half of the run"),
    }


PORIAN = Recipe(
    name="porian",
    source="arXiv:2406.19146 section 3.4 and figure 3 (fitted at 5M to 108M parameters, head counted, on "
    "RefinedWeb); warm-up section 3.2",
    rule=_porian,
)


def _deepseek(s: Situation, constants: Mapping[str, Any]) -> Derived:
    del constants
    # the paper counts C without embedding and head
    flops = s.flops_body
    far = " (extrapolated: fitted from C = 1e17)" if flops < 1e17 else ""
    return {
        "learning_rate": (0.3118 * flops**-0.1250, f"0.3118 C^-0.125{far}"),
        "batch_sequences": _batch(s, 0.2920 * flops**0.3271, f"0.292 C^0.3271{far}"),
    }


DEEPSEEK = Recipe(
    name="deepseek",
    source="arXiv:2401.02954 equation 1, C in non-embedding FLOPs, fitted at 1e17 to 2e19 FLOPs",
    rule=_deepseek,
)


def _step_law(s: Situation, constants: Mapping[str, Any]) -> Derived:
    del constants
    far = _far(s, 6e7)
    rate = 1.79 * s.params_body**-0.713 * s.tokens**0.307
    return {
        "learning_rate": (rate, f"1.79 N^-0.713 D^0.307, N without embedding and head{far}"),
        "batch_sequences": _batch(s, 0.58 * s.tokens**0.571, f"0.58 D^0.571{far}"),
    }


STEP_LAW = Recipe(
    name="step_law",
    source="arXiv:2503.04715 equation 1 (3,700 runs, N without the vocabulary's parameters 6e7 to 1e9, D "
    "2e9 to 1e11)",
    rule=_step_law,
)


def _power_lines(s: Situation, constants: Mapping[str, Any]) -> Derived:
    rate = constants["learning_rate_times_width"] / s.width
    ratio = s.tokens / s.params
    timescale = 1.084 * ratio**-0.527
    far = _far(s, 1e8)
    batch, words = _batch(
        s,
        constants["batch_coefficient"] * s.tokens**0.383 * POWER_LINES_SEQUENCE,
        f"{constants['batch_coefficient']:g} D^0.383 sequences of {POWER_LINES_SEQUENCE}{far}",
    )
    decay = batch * s.context / (rate * timescale * s.tokens)
    return {
        "learning_rate": (
            rate,
            f"{constants['learning_rate_times_width']:g} / width, for they tune it by muP",
        ),
        "batch_sequences": (batch, words),
        "weight_decay": (
            decay,
            f"B / (rate · τ · D) with τ = 1.084 (D/N)^-0.527 = {timescale:.3g} of the run{far}",
        ),
    }


POWER_LINES = Recipe(
    name="power_lines",
    source="arXiv:2505.13738: weight decay from the AdamW timescale τ = B/(ηλD) of arXiv:2405.13698, τ = "
    "1.084 "
    "(D/N)^-0.527 (R² 0.975, 111M to 3.3B parameters); B = 0.0306 D^0.383 sequences of 2,048 as in its "
    "figure 1, the "
    "coefficient for its own text and tokenizer",
    rule=_power_lines,
    constants={
        "learning_rate_times_width": Setting(POSITIVE, 0.25, RATE_TIMES_WIDTH),
        "batch_coefficient": Setting(POSITIVE, 0.0306, "Batch size at D = 1, in sequences of 2,048 tokens."),
    },
)


def kaplan_loss(params_body: float, tokens: float) -> float:
    """Return L(N, D) of arXiv:2001.08361, equation 1.5, in nats per token of its tokenizer."""
    return float(((6.4e13 / params_body) ** (0.076 / 0.103) + 1.8e13 / tokens) ** 0.103)


def _kaplan(s: Situation, constants: Mapping[str, Any]) -> Derived:
    del constants
    loss = kaplan_loss(s.params_body, s.tokens)
    return {
        "learning_rate": (
            0.003239 - 0.0001395 * math.log(s.params_body),
            "0.003239 - 0.0001395 ln N, N without embedding and head",
        ),
        "batch_sequences": _batch(s, 2e8 * loss ** (-1 / 0.21), f"2e8 L^(-1/0.21) at L(N, D) = {loss:.3g}"),
    }


KAPLAN = Recipe(
    name="kaplan",
    source="arXiv:2001.08361: learning rate equation D.1, critical batch equation 1.4 at the loss of "
    "equation 1.5. The "
    "paper itself trains all sizes with 524,288 tokens a step and 3,000 steps of warm-up",
    rule=_kaplan,
)
