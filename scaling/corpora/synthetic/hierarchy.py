"""The random hierarchy model: a grammar whose sentences have a hidden tree."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property
from math import log
from typing import ClassVar

import numpy as np

from scaling.corpora.synthetic.language import Entropy, aligned, of_samples, pieces, require, whole_samples


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hierarchy:
    """A random hierarchy model.

    Each symbol of a level is written as one of `rules` tuples of `branching` symbols of the level below, with
    equal probability. No tuple belongs to two symbols, so a sentence determines its tree, and its entropy is
    the sum over the choices.
    """

    seed: int
    """Seed of the rules."""
    symbols: int
    """Number of symbols at every level; the root is any of them, with equal probability."""
    depth: int
    """Levels below the root; a sentence has branching ** depth tokens."""
    branching: int
    """Number of children of every node."""
    rules: int
    """Number of ways to write each symbol ("synonyms")."""

    reference: ClassVar[str] = "Cagnetta et al. 2024, random hierarchy model (arXiv 2307.02129)"
    data_exponent: ClassVar[float | None] = None
    parameter_exponent: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        require("hierarchy", "symbols", self.symbols, 2, 4096)
        require("hierarchy", "depth", self.depth, 1, 12)
        require("hierarchy", "branching", self.branching, 2, 8)
        tuples = self.symbols**self.branching
        require("hierarchy", "rules", self.rules, 1, tuples // self.symbols)
        require("hierarchy", "symbols ** branching", tuples, 1, 1 << 24)
        require("hierarchy", "branching ** depth", self.period, 1, 1 << 16)

    @property
    def vocab(self) -> int:
        """Number of symbols."""
        return self.symbols

    @property
    def period(self) -> int:
        """Tokens of one sentence."""
        return int(self.branching**self.depth)

    @cached_property
    def grammar(self) -> list[np.ndarray]:
        """Tuples of each symbol at each level, from the root: depth × (symbols, rules, branching)."""
        levels = []
        for level in range(self.depth):
            rng = np.random.default_rng([self.seed, level])
            drawn = rng.permutation(self.symbols**self.branching)[: self.symbols * self.rules]
            digits = [drawn // self.symbols**place % self.symbols for place in range(self.branching)]
            levels.append(np.stack(digits, axis=-1).reshape(self.symbols, self.rules, self.branching))
        return levels

    def entropy(self) -> Entropy:
        """Return the exact rate, (ln symbols + inner nodes · ln rules) / tokens of a sentence."""
        nodes = (self.period - 1) // (self.branching - 1)
        rate = (log(self.symbols) + nodes * log(self.rules)) / self.period
        return Entropy(lower=rate, upper=rate)

    def floor(self, context: int) -> float | None:
        """Return the rate when windows hold whole sentences, else None."""
        return whole_samples(context, self.period, self.entropy().rate * self.period)

    def ideal_loss(self, windows: np.ndarray) -> np.ndarray:
        """Return the ideal loss. All sentences are equally likely, so only the first tokens make it vary."""
        samples = aligned(windows, self.period)
        law = np.full(self.symbols, 1 / self.symbols)
        for rules in self.grammar:
            weights = np.repeat(law / self.rules, self.rules)
            law = np.bincount(rules[:, :, 0].ravel(), weights=weights, minlength=self.symbols)
        with np.errstate(divide="ignore"):
            first = -np.log(law)[windows[:, [0, -1]]]
        each = np.full(samples.shape[:2], self.entropy().rate * self.period)
        return of_samples(windows, each, first)

    def contexts(self) -> list[int]:
        """Return one, two and four sentences."""
        return [self.period, 2 * self.period, 4 * self.period]

    def sample(self, rng: np.random.Generator, tokens: int) -> Iterator[np.ndarray]:
        """Yield independent sentences, without a separator."""
        for count in pieces(tokens, self.period):
            now = rng.integers(0, self.symbols, size=(count, 1))
            for rules in self.grammar:
                chosen = rng.integers(0, self.rules, size=now.shape)
                now = rules[now, chosen].reshape(count, -1)
            yield now.ravel().astype(np.uint32)
