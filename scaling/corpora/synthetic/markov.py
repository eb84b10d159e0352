"""The Markov language: a chain of order k with power-law (Zipf) transitions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

import numpy as np

from scaling.corpora.synthetic.language import CHUNK, Entropy, entropy_of, require, zipf


@dataclasses.dataclass(frozen=True, kw_only=True)
class Markov:
    """A Markov chain with Zipf transitions.

    After every context of `order` symbols, the next symbol has rank r with probability ∝ r^−exponent. Each
    context has its own ranking of the symbols. All contexts have the same entropy, so the rate is exactly
    H(Zipf).
    """

    seed: int
    """Seed of the rankings."""
    symbols: int
    """Number of symbols."""
    order: int
    """Number of earlier symbols that the next symbol depends on."""
    exponent: float
    """Exponent of the transitions: 0 = all symbols equally likely, 1 = Zipf's law."""

    reference: ClassVar[str] = "Shannon 1948, Prediction and entropy; ranks by Zipf's law"
    period: ClassVar[int] = 1
    data_exponent: ClassVar[float | None] = None
    parameter_exponent: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        require("markov", "symbols", self.symbols, 2, 65_536)
        require("markov", "order", self.order, 1, 8)
        require("markov", "exponent", self.exponent, 0.0, 10.0)
        require("markov", "symbols ** (order + 1)", self.symbols ** (self.order + 1), 1, 1 << 24)

    @property
    def vocab(self) -> int:
        """Number of symbols."""
        return self.symbols

    @cached_property
    def ranked(self) -> np.ndarray:
        """Symbol of each rank after each context: (symbols ** order, symbols)."""
        rng = np.random.default_rng([self.seed, 1])
        rows = np.tile(np.arange(self.symbols, dtype=np.uint16), (self.symbols**self.order, 1))
        return rng.permuted(rows, axis=1)

    @cached_property
    def stationary(self) -> np.ndarray:
        """Stationary probability of every context, (symbols ** order,), by power iteration.

        The oldest symbol of a context is the leading digit of its index.
        """
        contexts = self.symbols**self.order
        ranks = zipf(self.symbols, self.exponent)
        after = (np.arange(contexts)[:, None] * self.symbols + self.ranked) % contexts
        now = np.full(contexts, 1 / contexts)
        for _ in range(10_000):
            new = np.bincount(after.ravel(), weights=(now[:, None] * ranks).ravel(), minlength=contexts)
            if np.abs(new - now).sum() < 1e-14:
                return new
            now = new
        return now

    def entropy(self) -> Entropy:
        """Return the exact rate, H(Zipf)."""
        rate = entropy_of(zipf(self.symbols, self.exponent))
        return Entropy(lower=rate, upper=rate)

    def floor(self, context: int) -> float:
        """Return the mean over a window of the entropy of its next symbol.

        Position j is predicted from j symbols. When j is below `order`, its entropy is above the rate:
        h_j = H(X_1 … X_j+1) − H(X_1 … X_j), from the marginals of the stationary distribution.
        """
        blocks = [0.0]
        shape = (self.symbols,) * self.order
        law = self.stationary.reshape(shape)
        for length in range(1, self.order + 1):
            blocks.append(entropy_of(law.sum(axis=tuple(range(length, self.order))).ravel()))
        rate = self.entropy().rate
        short = [blocks[j + 1] - blocks[j] for j in range(1, self.order)][:context]
        return (sum(short) + rate * (context - len(short))) / context

    def ideal_loss(self, windows: np.ndarray) -> np.ndarray:
        """Return the mean of −ln p(next | the last `order` symbols, or fewer at the start of a window)."""
        size, context = self.symbols, windows.shape[1] - 1
        rank_of = np.argsort(self.ranked, axis=1)
        surprise = -np.log(zipf(size, self.exponent))
        total: np.ndarray = np.zeros(len(windows))
        law = self.stationary
        for seen in range(1, min(self.order, context + 1)):
            both = law.reshape(size ** (seen + 1), -1).sum(axis=1)[_code(windows[:, : seen + 1], size)]
            total -= np.log(both / law.reshape(size**seen, -1).sum(axis=1)[_code(windows[:, :seen], size)])
        for place in range(self.order, context + 1):
            state = _code(windows[:, place - self.order : place], size)
            total += surprise[rank_of[state, windows[:, place]]]
        total /= context
        return total

    def contexts(self) -> list[int]:
        """Return powers of two."""
        return [16, 32, 64, 128, 256, 512, 1024]

    def sample(self, rng: np.random.Generator, tokens: int) -> Iterator[np.ndarray]:
        """Yield one continuous chain that starts from the stationary distribution."""
        table = self.ranked.ravel().tolist()
        size, contexts = self.symbols, self.symbols**self.order
        edges = np.cumsum(zipf(size, self.exponent))
        law = np.cumsum(self.stationary)
        state = min(int(np.searchsorted(law, rng.random() * law[-1])), contexts - 1)
        while tokens > 0:
            ranks = np.minimum(np.searchsorted(edges, rng.random(min(tokens, CHUNK)), side="right"), size - 1)
            out = []
            for rank in ranks.tolist():
                symbol = table[state * size + rank]
                state = (state * size + symbol) % contexts
                out.append(symbol)
            tokens -= len(out)
            yield np.array(out, dtype=np.uint32)


def _code(symbols: np.ndarray, size: int) -> np.ndarray:
    """Return rows of symbols as numbers in base `size`, the oldest symbol leading: (n, k) → (n,)."""
    places: np.ndarray = symbols.astype(np.int64) @ size ** np.arange(symbols.shape[1] - 1, -1, -1)
    return places
