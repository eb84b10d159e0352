"""Define the interface of a synthetic language, and functions that several languages share."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import ClassVar, Protocol

import numpy as np

from scaling.errors import ConfigError

CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class Entropy:
    """An entropy rate in nats per token, with exact bounds; they are equal when it has a closed form."""

    lower: float
    """Lower bound of the rate, in nats per token."""
    upper: float
    """Upper bound of the rate, in nats per token."""

    @property
    def rate(self) -> float:
        """Midpoint of the bounds, in nats per token."""
        return (self.lower + self.upper) / 2


class Language(Protocol):
    """A stationary (or periodic) source of symbols."""

    reference: ClassVar[str]
    """Source of the construction."""

    @property
    def vocab(self) -> int:
        """Number of symbols."""
        ...

    @property
    def period(self) -> int:
        """Tokens of one independent sample; 1 without such a unit. Windows should hold whole samples."""
        ...

    @property
    def data_exponent(self) -> float | None:
        """β in L(D) − E ∝ D^−β for an ideal learner; None where no theory gives it."""
        ...

    @property
    def parameter_exponent(self) -> float | None:
        """α in L(N) − E ∝ N^−α; None where no theory gives it.

        The theory assumes that a model learns the most frequent samples first.
        """
        ...

    def entropy(self) -> Entropy:
        """Return the entropy rate."""
        ...

    def floor(self, context: int) -> float | None:
        """Return the lowest possible mean loss, in nats per token, of a model that sees `context` inputs.

        None where it is unknown: when windows cut the samples of a periodic language.
        """
        ...

    def ideal_loss(self, windows: np.ndarray) -> np.ndarray:
        """Return the mean loss of a model that knows the language on each window: (n, context + 1) → (n,).

        The unit is nats per token. The mean over many windows is `floor(context)`. On the windows of an
        evaluation, the difference from a model's loss has no sampling error of the language.
        """
        ...

    def contexts(self) -> list[int]:
        """Return the contexts whose floor the manifest lists."""
        ...

    def sample(self, rng: np.random.Generator, tokens: int) -> Iterator[np.ndarray]:
        """Yield a sample of at least `tokens` symbols, in pieces."""
        ...


def zipf(count: int, exponent: float) -> np.ndarray:
    """Return the Zipf distribution p_i ∝ i^−exponent for i = 1 … count: float64 (count,)."""
    weights: np.ndarray = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    weights /= weights.sum()
    return weights


def entropy_of(probabilities: np.ndarray) -> float:
    """Return the Shannon entropy in nats, with 0 ln 0 = 0."""
    positive = probabilities[probabilities > 0]
    return float(-(positive * np.log(positive)).sum())


def require(kind: str, name: str, value: float, low: float, high: float) -> None:
    """Raise ConfigError unless low ≤ value ≤ high; with integer bounds the value must be an integer."""
    integer = isinstance(low, int) and isinstance(high, int)
    wrong = isinstance(value, bool) or not isinstance(value, int if integer else int | float)
    if wrong or not low <= value <= high:
        what = "an integer" if integer else "a number"
        raise ConfigError(f"{kind}: {name} is {value!r}; give {what} from {low} to {high}")


def whole_samples(context: int, period: int, per_sample: float) -> float | None:
    """Return the floor of a language of independent samples of `period` tokens and `per_sample` nats.

    A window of whole samples predicts tokens 1 … context: all tokens of its samples but the first, and the
    first token of the next sample, which has the same entropy. The floor is therefore the rate. None when the
    context is not a multiple of the period.
    """
    return per_sample / period if context % period == 0 else None


def of_samples(windows: np.ndarray, sample: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Return the ideal loss of windows of whole samples, in nats per token: (n, context + 1) → (n,).

    Args:
        windows: (n, context + 1).
        sample: nats of each sample of the window, (n, context / period).
        first: nats of two first tokens, (n, 2): that of the first sample, which the model does not predict,
            and that of the sample after the last, which it predicts.
    """
    context = windows.shape[1] - 1
    total: np.ndarray = sample.sum(axis=1) - first[:, 0] + first[:, 1]
    total /= context
    return total


def aligned(windows: np.ndarray, period: int) -> np.ndarray:
    """Return the samples of each window: (n, context / period, period).

    Raises ConfigError when the context is not a multiple of the period.
    """
    context = windows.shape[1] - 1
    if context % period:
        near = max(context // period, 1) * period
        raise ConfigError(
            f"context {context} cuts samples of {period} tokens; take a multiple of {period}, such as {near}"
        )
    return windows[:, :-1].reshape(len(windows), -1, period)


def pieces(tokens: int, period: int) -> Iterator[int]:
    """Yield numbers of samples per piece; together the pieces have at least `tokens` tokens."""
    left = -(-tokens // period)
    while left > 0:
        now = min(left, max(CHUNK // period, 1))
        yield now
        left -= now
