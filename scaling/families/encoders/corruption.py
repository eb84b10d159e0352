"""Corrupt tokens for masked language modelling and mark those that the loss counts. No torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scaling.errors import ConfigError

IGNORED = -100
"""Label of positions that the loss ignores; torch's cross-entropy and transformers use the same number."""


def corrupt(
    tokens: NDArray[np.int64],
    *,
    seed: int,
    step: int,
    vocab: int,
    mask_token: int,
    fraction: float = 0.15,
    padding: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return corrupted tokens and labels (arXiv:1810.04805, appendix A.1), a pure function of (seed, step).

    A random share of the tokens is chosen. Of the chosen tokens, 80 % become the mask token, 10 % become a
    random token and 10 % stay. The model predicts all chosen tokens.

    Args:
        tokens: (batch, T) int64, or (steps, batch, T) for consecutive steps from `step`.
        seed, step: the choice depends on these alone.
        vocab: number of token ids that random tokens are drawn from.
        mask_token: token id of the mask.
        fraction: probability of each token to be chosen, independently.
        padding: bool of the same shape; positions with true are never chosen.

    Returns:
        (inputs, labels), both of that shape. Labels are the original tokens where chosen, −100 elsewhere.

    Raises:
        ConfigError: when the fraction is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ConfigError(f"the masked fraction must be a number above 0 and below 1; not {fraction!r}")
    # three draws for each token: whether it is chosen, what replaces it, and the random token
    share, lot, random = np.empty(tokens.shape), np.empty(tokens.shape), np.empty_like(tokens)
    of_one = (-1, *tokens.shape[-2:])
    parts = zip(share.reshape(of_one), lot.reshape(of_one), random.reshape(of_one), strict=True)
    for i, (one, two, three) in enumerate(parts):
        rng = np.random.default_rng((seed, step + i))
        rng.random(out=one)
        rng.random(out=two)
        three[:] = rng.integers(vocab, size=three.shape)
    chosen = share < fraction
    if padding is not None:
        chosen &= ~padding
    inputs = np.where(chosen & (lot < 0.8), mask_token, tokens)
    np.copyto(inputs, random, where=chosen & (lot >= 0.8) & (lot < 0.9))
    return inputs, np.where(chosen, tokens, IGNORED)
