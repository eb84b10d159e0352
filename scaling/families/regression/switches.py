"""Define the switches of the perceptron."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.errors import ConfigError, one_of
from scaling.families.shape import positive_integer

ACTIVATIONS = ("relu", "gelu", "tanh")
"""Activations that a perceptron can have."""


@dataclass(frozen=True, kw_only=True)
class PerceptronSwitches:
    """The architecture of a perceptron, apart from its size."""

    depth: int = 2
    """Number of hidden layers; 0 = a linear map of the first `width` inputs, whose scaling laws are known
    exactly (arXiv:2406.08466)."""
    width: int | None = None
    """Features of each hidden layer, or inputs that the linear map reads; None follows the dial."""
    activation: str = "relu"
    """relu, gelu or tanh; relu, being piecewise linear, has the known exponent 4 / dimensions
    (arXiv:2004.10802)."""

    def __post_init__(self) -> None:
        """Raise ConfigError for a value that no perceptron can have."""
        if self.activation not in ACTIVATIONS:
            raise ConfigError(one_of("family.activation", self.activation, ACTIVATIONS))
        if self.depth != 0:
            positive_integer("family.depth", self.depth)
        if self.width is not None:
            positive_integer("family.width", self.width)
