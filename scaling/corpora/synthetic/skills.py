"""Languages of skills with power-law frequencies: their learning curves are power laws of known exponent."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property
from math import log
from typing import ClassVar

import numpy as np

from scaling.corpora.synthetic.language import (
    Entropy,
    aligned,
    entropy_of,
    of_samples,
    pieces,
    require,
    whole_samples,
    zipf,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Facts:
    """A language of facts: each sample names a fact with `digits` tokens and then states its value.

    Fact i occurs with probability p_i ∝ i^−(1+alpha). Its value is one of `values` and never changes. A model
    cannot know the value of a fact that it has not seen: after n samples, a perfect memory misses a share
    Σ p_i (1 − p_i)^n ∝ n^−alpha/(1+alpha) of the values.
    """

    seed: int
    """Seed of the values and the names of the facts."""
    alpha: float
    """Exponent of the tail of the frequencies."""
    base: int
    """Number of tokens that a digit can be."""
    digits: int
    """Number of digits of a name; there are base ** digits facts."""
    values: int
    """Number of values that a fact can have; values have their own tokens."""

    reference: ClassVar[str] = "Hutter 2021, Learning curve theory (arXiv 2102.04074), equation 7"

    def __post_init__(self) -> None:
        require("facts", "alpha", self.alpha, 0.05, 10.0)
        require("facts", "base", self.base, 2, 65_535)
        require("facts", "digits", self.digits, 1, 8)
        require("facts", "values", self.values, 2, 65_535)
        require("facts", "base ** digits", self.base**self.digits, 2, 1 << 24)

    @property
    def vocab(self) -> int:
        """Number of tokens: the digits first, then the values."""
        return self.base + self.values

    @property
    def period(self) -> int:
        """Tokens of one sample."""
        return self.digits + 1

    @property
    def data_exponent(self) -> float:
        """alpha / (1 + alpha); valid until most facts have been seen."""
        return self.alpha / (1 + self.alpha)

    @property
    def data_exponent_tokens(self) -> int:
        """Tokens up to which a perfect memory's learning curve has the slope `data_exponent` within 10 %.

        With more tokens most facts have been seen, and the curve is steeper.
        """
        samples = 100.0
        while samples < 1e12:
            slope = -log(self.memory_loss(2 * samples) / self.memory_loss(samples)) / log(2)
            if slope > 1.1 * self.data_exponent:
                break
            samples *= 2
        return int(samples * self.period)

    @property
    def parameter_exponent(self) -> float:
        """alpha, for a model that learns the most frequent facts (Michaud et al. 2023, arXiv 2303.13506)."""
        return self.alpha

    @cached_property
    def frequencies(self) -> np.ndarray:
        """Probability p_i of each fact: (facts,)."""
        return zipf(self.base**self.digits, 1 + self.alpha)

    @cached_property
    def rows(self) -> np.ndarray:
        """Tokens of every fact: (facts, digits + 1)."""
        rng = np.random.default_rng([self.seed, 1])
        facts = self.base**self.digits
        named = rng.permutation(facts)
        digits = [named // self.base**place % self.base for place in reversed(range(self.digits))]
        values = self.base + rng.integers(0, self.values, size=facts)
        return np.stack([*digits, values], axis=-1).astype(np.uint32)

    def entropy(self) -> Entropy:
        """Return H(p) per sample, in nats per token; the name determines the value."""
        rate = entropy_of(self.frequencies) / self.period
        return Entropy(lower=rate, upper=rate)

    def floor(self, context: int) -> float | None:
        """Return the rate when windows hold whole samples, else None."""
        return whole_samples(context, self.period, entropy_of(self.frequencies))

    def ideal_loss(self, windows: np.ndarray) -> np.ndarray:
        """Return the mean of −ln p(fact) over the samples of each window, in nats per token."""
        samples = aligned(windows, self.period)
        names = samples[:, :, :-1] @ self.base ** np.arange(self.digits - 1, -1, -1)
        facts = np.argsort(
            self.rows[:, :-1].astype(np.int64) @ self.base ** np.arange(self.digits - 1, -1, -1)
        )
        first = np.bincount(self.rows[:, 0], weights=self.frequencies, minlength=self.base)
        with np.errstate(divide="ignore"):
            edges = -np.log(first)[windows[:, [0, -1]]]
        return of_samples(windows, -np.log(self.frequencies[facts[names]]), edges)

    def contexts(self) -> list[int]:
        """Return the multiples of the period near 32, 64, 128 and 256."""
        return [max(size // self.period, 1) * self.period for size in (32, 64, 128, 256)]

    def memory_loss(self, samples: float) -> float:
        """Return the expected loss of a perfect memory after `samples` samples, minus the floor.

        The unit is nats per token: ln(values) for every unseen value, divided by the tokens of a sample.
        """
        unseen = np.exp(samples * np.log1p(-self.frequencies))
        return float(log(self.values) * (self.frequencies * unseen).sum() / self.period)

    def sample(self, rng: np.random.Generator, tokens: int) -> Iterator[np.ndarray]:
        """Yield independent samples, one after another."""
        edges = np.cumsum(self.frequencies)
        for count in pieces(tokens, self.period):
            drawn = np.searchsorted(edges, rng.random(count), side="right")
            yield self.rows[np.minimum(drawn, edges.size - 1)].ravel()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parity:
    """The language of multitask sparse parity.

    Each sample names a task, shows `bits` random bits, and states the parity of the `subset` bits that the
    task reads. Task i occurs with probability p_i ∝ i^−(1+alpha).
    """

    seed: int
    """Seed of the subsets."""
    alpha: float
    """Exponent of the tail of the frequencies."""
    tasks: int
    """Number of tasks; each has its own token."""
    bits: int
    """Number of random bits in a sample."""
    subset: int
    """Number of these bits that a task reads."""

    reference: ClassVar[str] = "Michaud et al. 2023, The quantization model (arXiv 2303.13506), section 3"

    def __post_init__(self) -> None:
        require("parity", "alpha", self.alpha, 0.05, 10.0)
        require("parity", "tasks", self.tasks, 1, 65_534)
        require("parity", "bits", self.bits, 1, 1024)
        require("parity", "subset", self.subset, 1, self.bits)

    @property
    def vocab(self) -> int:
        """Number of tokens: 0, 1, then the tasks."""
        return 2 + self.tasks

    @property
    def period(self) -> int:
        """Tokens of one sample."""
        return self.bits + 2

    @property
    def data_exponent(self) -> float:
        """alpha / (1 + alpha), by the quantization model: a task needs a fixed number of its samples."""
        return self.alpha / (1 + self.alpha)

    @property
    def parameter_exponent(self) -> float:
        """alpha, by the quantization model."""
        return self.alpha

    @cached_property
    def frequencies(self) -> np.ndarray:
        """Probability p_i of each task: (tasks,)."""
        return zipf(self.tasks, 1 + self.alpha)

    @cached_property
    def subsets(self) -> np.ndarray:
        """Bits that each task reads: bool (tasks, bits)."""
        rng = np.random.default_rng([self.seed, 1])
        reads = np.zeros((self.tasks, self.bits), dtype=bool)
        reads[:, : self.subset] = True
        return rng.permuted(reads, axis=1)

    def entropy(self) -> Entropy:
        """Return H(p) + bits · ln 2 per sample, in nats per token; the bits determine the parity."""
        rate = self._per_sample() / self.period
        return Entropy(lower=rate, upper=rate)

    def floor(self, context: int) -> float | None:
        """Return the rate when windows hold whole samples, else None."""
        return whole_samples(context, self.period, self._per_sample())

    def ideal_loss(self, windows: np.ndarray) -> np.ndarray:
        """Return the mean of −ln p(task) + bits · ln 2 over the samples of each window, in nats per token."""
        samples = aligned(windows, self.period)
        surprise = -np.log(self.frequencies)
        each = surprise[samples[:, :, 0] - 2] + self.bits * log(2)
        return of_samples(windows, each, surprise[windows[:, [0, -1]] - 2])

    def contexts(self) -> list[int]:
        """Return one, two and four samples."""
        return [self.period, 2 * self.period, 4 * self.period]

    def sample(self, rng: np.random.Generator, tokens: int) -> Iterator[np.ndarray]:
        """Yield independent samples, one after another."""
        edges = np.cumsum(self.frequencies)
        for count in pieces(tokens, self.period):
            tasks = np.minimum(np.searchsorted(edges, rng.random(count), side="right"), self.tasks - 1)
            bits = rng.integers(0, 2, size=(count, self.bits))
            answers = (bits * self.subsets[tasks]).sum(axis=1) % 2
            yield np.column_stack([tasks + 2, bits, answers]).ravel().astype(np.uint32)

    def _per_sample(self) -> float:
        return entropy_of(self.frequencies) + self.bits * log(2)
