"""Corruption for masked language modelling: which tokens are hidden, and what the loss is taken over. No
torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scaling.errors import ConfigError

IGNORED = -100
"""The label of positions that the loss leaves out, as torch's cross-entropy and transformers know it."""


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
    """Hides tokens as arXiv:1810.04805 does (appendix A.1), a pure function of (seed, step).

    Of the chosen tokens 80 % become the mask token, 10 % a random token, 10 % stay; all of them are to be
    predicted.

    Args:
        tokens: (batch, T) int64, or (steps, batch, T) of so many steps from `step` on.
        seed, step: what the choice depends on, and nothing else.
        vocab: random tokens are drawn from so many.
        mask_token: what hidden tokens become.
        fraction: how many are chosen, each on its own.
        padding: bool of the same shape, never chosen where true.

    Returns:
        (inputs, labels), both of that shape: labels are the true tokens where chosen and −100 elsewhere.

    Raises:
        ConfigError: when the fraction is not between 0 and 1.
    """
    if not 0 < fraction < 1:
        raise ConfigError(f"the masked fraction must be a number above 0 and below 1; not {fraction!r}")
    # what decides whether a token is chosen, what becomes of it, and which random one
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
