"""Choose what a perceptron is made of, beside its size."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.errors import ConfigError, one_of
from scaling.families.shape import whole

ACTIVATIONS = ("relu", "gelu", "tanh")
"""Between layers."""


@dataclass(frozen=True, kw_only=True)
class PerceptronSwitches:
    """What may be chosen beside the size."""

    depth: int = 2
    """Hidden layers; 0 = a linear map of the first `width` inputs, whose laws are known exactly
    (arXiv:2406.08466)."""
    width: int | None = None
    """Features of each, or inputs that a linear map reads; None follows the dial."""
    activation: str = "relu"
    """relu, gelu or tanh; piecewise linear ones have the known exponent 4 / dimensions (arXiv:2004.10802)."""

    def __post_init__(self) -> None:
        """Refuses what no perceptron has (ConfigError)."""
        if self.activation not in ACTIVATIONS:
            raise ConfigError(one_of("family.activation", self.activation, ACTIVATIONS))
        if self.depth != 0:
            whole("family.depth", self.depth)
        if self.width is not None:
            whole("family.width", self.width)
