"""Draw examples of regression tasks with known scaling laws, as a pure function of (seed, step). No torch."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from scaling.errors import ConfigError

Examples = tuple[NDArray[np.float32], NDArray[np.float32]]
"""(inputs (n, features), targets (n, 1))."""


def smooth(*, examples: int, dimensions: int, seed: int, step: int, waves: int = 16) -> Examples:
    """Return examples of a smooth function on a torus; the function is the same at every step of a seed.

    A piecewise linear network of N parameters divides the torus into about N pieces of side N^(−1/d). On each
    piece its error is of the order of the side squared, so the squared error falls as N^(−4/d)
    (arXiv:2004.10802, section 2).

    Args:
        examples: number of examples, n.
        dimensions: dimensions of the torus, d of the law.
        seed: seed of the function and, with `step`, of the examples.
        step: training step.
        waves: number of sines in the function.

    Returns:
        Inputs: cosine and sine of each angle, (n, 2 × dimensions); targets of mean 0 and variance 1, (n, 1).
    """
    function = np.random.default_rng((seed, 0))
    frequency = function.integers(-2, 3, size=(dimensions, waves)).astype(np.float64)
    frequency[:, (frequency == 0).all(axis=0)] = 1.0
    phase = function.uniform(0, 2 * math.pi, waves)
    angle = np.random.default_rng((seed, 1, step)).uniform(0, 2 * math.pi, (examples, dimensions))
    y = np.sin(angle @ frequency + phase).sum(axis=1, keepdims=True) * math.sqrt(2 / waves)
    return np.concatenate((np.cos(angle), np.sin(angle)), axis=1).astype(np.float32), y.astype(np.float32)


def spectrum(
    *, examples: int, features: int, alpha: float, seed: int, step: int, noise: float = 0.0
) -> Examples:
    """Return examples of a sum of independent features; the variance of feature i falls as i^(−1−alpha).

    No linear model of the first N features has a squared error below `spectrum_floor`, which falls as
    N^(−alpha). This is the simplest task with a law in N, exact at every N (arXiv:2102.06701, section 3;
    arXiv:2210.16859).

    Args:
        examples, features: shape of the inputs.
        alpha: exponent of the law, above 0.
        seed, step: seed of the examples.
        noise: variance that no model can explain, E of the law.

    Returns:
        Inputs (examples, features) and targets (examples, 1).

    Raises:
        ConfigError: when alpha is not above 0, or there are no features.
    """
    if alpha <= 0 or features < 1:
        raise ConfigError(
            f"a spectrum needs alpha above 0 and features from 1; not {alpha!r} and {features!r}"
        )
    rng = np.random.default_rng((seed, step))
    x = rng.standard_normal((examples, features)) * np.sqrt(shares(features, alpha))
    y = x.sum(axis=1, keepdims=True) + math.sqrt(noise) * rng.standard_normal((examples, 1))
    return x.astype(np.float32), y.astype(np.float32)


def shares(features: int, alpha: float) -> NDArray[np.float64]:
    """Return the share of each feature in the variance, (features,); the shares sum to one."""
    power: NDArray[np.float64] = np.arange(1, features + 1, dtype=np.float64) ** (-1 - alpha)
    power /= power.sum()
    return power


def spectrum_floor(*, known: int, features: int, alpha: float, noise: float = 0.0) -> float:
    """Return the lowest squared error of any linear model of the first `known` features."""
    return float(shares(features, alpha)[known:].sum()) + noise
