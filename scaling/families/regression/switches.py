"""Define the switches of the perceptron."""

from __future__ import annotations

from dataclasses import dataclass

from scaling.config.kinds import PARTS, check, choice, key, whole

ACTIVATIONS = ("relu", "gelu", "tanh")
"""Activations that a perceptron can have."""


@dataclass(frozen=True, kw_only=True)
class PerceptronSwitches:
    """The architecture of a perceptron, apart from its size."""

    depth: int = key(2, whole(0, 10_000))
    """Number of hidden layers; 0 = a linear map of the first `width` inputs, whose scaling laws are known
    exactly (arXiv:2406.08466)."""
    width: int | None = key(None, PARTS)
    """Features of each hidden layer, or inputs that the linear map reads; None follows the dial."""
    activation: str = key("relu", choice(*ACTIVATIONS))
    """relu, gelu or tanh; relu, being piecewise linear, has the known exponent 4 / dimensions
    (arXiv:2004.10802)."""

    def __post_init__(self) -> None:
        """Raise ConfigError for a value that no perceptron can have."""
        check(self, "family")
