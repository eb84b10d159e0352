"""Split progress between parameters, data and algorithms by Shapley values."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np

from scaling.trends.progress.law import Progress

PLAYERS = ("parameters", "data", "algorithms")


def shapley(
    p: Progress,
    before: tuple[float, float, float],
    after: tuple[float, float, float],
    *,
    benchmark: str | None = None,
) -> dict[str, tuple[float, float, float]]:
    """Return the Shapley shares of the fall in reducible loss between two models, by cause.

    Each entry is (share, low, high). before, after: (N, D, decimal year). A share is the mean effect of
    its cause over all orders in which parameters, data and algorithms could have changed; shares add up to 1.
    """
    index = list(p.heights).index(benchmark) if benchmark else 0
    k = len(p.heights)
    everything = np.vstack([p.vector()[None], p.draws])
    height, balance = everything[:, index], everything[:, k]
    alpha, beta, rate = np.exp(everything[:, k + 1]), np.exp(everything[:, k + 2]), everything[:, k + 3]
    share = 1 / (1 + np.exp(-everything[:, k + 4]))

    def loss(state: tuple[bool, bool, bool]) -> np.ndarray:
        n = math.log((after if state[0] else before)[0]) - p.centre[0]
        d = math.log((after if state[1] else before)[1]) - p.centre[1]
        t = (after if state[2] else before)[2] - p.centre[2]
        first = np.exp(height - alpha * (n + share * rate * t))
        return np.asarray(first + np.exp(height + balance - beta * (d + (1 - share) * rate * t)))

    worth = np.zeros((3, len(everything)))
    for order in permutations(range(3)):
        state = [False, False, False]
        for player in order:
            without = loss((state[0], state[1], state[2]))
            state[player] = True
            worth[player] += (without - loss((state[0], state[1], state[2]))) / 6
    shares = worth / worth.sum(0)
    ends = [(1 - p.level) / 2, (1 + p.level) / 2]
    split = {}
    for name, drawn in zip(PLAYERS, shares, strict=True):
        low, high = np.quantile(drawn[1:], ends)
        split[name] = float(drawn[0]), float(low), float(high)
    return split
