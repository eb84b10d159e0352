"""The hidden Markov language."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property
from typing import ClassVar

import numpy as np

from scaling.corpora.synthetic.language import CHUNK, Entropy, entropy_of, require

_GRAIN = 256
_PATHS = 1 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class HiddenMarkov:
    """A hidden Markov model: at each step the chain moves to a state and then emits a symbol.

    Probabilities are multiples of 1/256. Sampling is therefore a table look-up, and samples have exactly the
    distribution whose entropy is computed.
    """

    seed: int
    """Seed of transitions and emissions."""
    states: int
    """Number of hidden states."""
    symbols: int
    """Number of symbols."""
    concentration: float
    """Dirichlet parameter of every row: small = nearly deterministic rows, large = nearly uniform rows."""

    reference: ClassVar[str] = "Cover and Thomas, Elements of Information Theory, theorem 4.5.1 (bounds)"
    period: ClassVar[int] = 1
    data_exponent: ClassVar[float | None] = None
    parameter_exponent: ClassVar[float | None] = None

    def __post_init__(self) -> None:
        require("hmm", "states", self.states, 1, 64)
        require("hmm", "symbols", self.symbols, 2, 64)
        require("hmm", "concentration", self.concentration, 0.01, 100.0)

    @property
    def vocab(self) -> int:
        """Number of symbols."""
        return self.symbols

    @cached_property
    def transitions(self) -> np.ndarray:
        """P(next state | state): (states, states)."""
        return self._rows(1, self.states)

    @cached_property
    def emissions(self) -> np.ndarray:
        """P(symbol | state): (states, symbols)."""
        return self._rows(2, self.symbols)

    @cached_property
    def stationary(self) -> np.ndarray:
        """Stationary distribution of the hidden chain: (states,)."""
        system = np.vstack([self.transitions.T - np.eye(self.states), np.ones(self.states)])
        solved = np.linalg.lstsq(system, np.append(np.zeros(self.states), 1.0), rcond=None)[0]
        law: np.ndarray = np.clip(solved, 0, None)
        law /= law.sum()
        return law

    @cached_property
    def bounds(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Lower and upper bounds of the rate from n = 0, 1, … symbols, as far as all paths can be listed.

        H(X_n+1 | X_1 … X_n, S_1) ≤ rate ≤ H(X_n+1 | X_1 … X_n). The upper bound is also the least loss of a
        model that sees only n symbols.
        """
        move, emit = self.transitions, self.emissions
        open_paths = self.stationary[None, :].copy()
        known_paths = np.diag(self.stationary)
        upper, lower, before_open, before_known = [], [], 0.0, entropy_of(self.stationary)
        while known_paths.shape[0] * self.symbols <= _PATHS:
            open_paths = _extend(open_paths, move, emit)
            known_paths = _extend(known_paths, move, emit)
            now_open, now_known = entropy_of(open_paths.sum(axis=1)), entropy_of(known_paths.sum(axis=1))
            upper.append(now_open - before_open)
            lower.append(now_known - before_known)
            before_open, before_known = now_open, now_known
        return tuple(lower), tuple(upper)

    def entropy(self) -> Entropy:
        """Return the bounds at the largest n; they converge exponentially with n."""
        lower, upper = self.bounds
        return Entropy(lower=min(lower[-1], upper[-1]), upper=max(lower[-1], upper[-1]))

    def floor(self, context: int) -> float:
        """Return the mean over a window of H(next | earlier symbols of the window), with the rate as tail."""
        short = self.bounds[1][1:][:context]
        return (sum(short) + self.entropy().rate * (context - len(short))) / context

    def ideal_loss(self, windows: np.ndarray) -> np.ndarray:
        """Return the mean of −ln p(next | earlier symbols of the window), by the forward algorithm."""
        belief = (self.stationary @ self.transitions) * self.emissions[:, windows[:, 0]].T
        belief /= belief.sum(axis=1, keepdims=True)
        total: np.ndarray = np.zeros(len(windows))
        for place in range(1, windows.shape[1]):
            belief = (belief @ self.transitions) * self.emissions[:, windows[:, place]].T
            likely = belief.sum(axis=1, keepdims=True)
            total -= np.log(likely[:, 0])
            belief /= likely
        total /= windows.shape[1] - 1
        return total

    def contexts(self) -> list[int]:
        """Return powers of two."""
        return [16, 32, 64, 128, 256, 512, 1024]

    def sample(self, rng: np.random.Generator, tokens: int) -> Iterator[np.ndarray]:
        """Yield one continuous chain that starts from the stationary distribution."""
        move, emit = _table(self.transitions), _table(self.emissions)
        state = int(rng.choice(self.states, p=self.stationary))
        while tokens > 0:
            draws = rng.integers(0, _GRAIN, size=(2, min(tokens, CHUNK))).tolist()
            out = []
            for moving, emitting in zip(*draws, strict=True):
                state = move[state * _GRAIN + moving]
                out.append(emit[state * _GRAIN + emitting])
            tokens -= len(out)
            yield np.array(out, dtype=np.uint32)

    def _rows(self, stream: int, width: int) -> np.ndarray:
        rng = np.random.default_rng([self.seed, stream])
        rows = rng.dirichlet(np.full(width, self.concentration), size=self.states) * _GRAIN
        rounded: np.ndarray = np.floor(rows)
        for row, exact in zip(rounded, rows, strict=True):
            short = int(_GRAIN - row.sum())
            row[np.argsort(row - exact, kind="stable")[:short]] += 1
        rounded /= _GRAIN
        return rounded


def _extend(paths: np.ndarray, move: np.ndarray, emit: np.ndarray) -> np.ndarray:
    """Return the joint probabilities (path, state) of all possible paths that are one symbol longer."""
    moved = paths @ move
    longer: np.ndarray = (moved[:, None, :] * emit.T[None, :, :]).reshape(-1, move.shape[0])
    return longer[longer.any(axis=1)]


def _table(rows: np.ndarray) -> list[int]:
    """Return each row as 256 equally likely outcomes, row after row."""
    counts = np.rint(rows * _GRAIN).astype(int)
    return [int(k) for row in counts for k in np.repeat(np.arange(row.size), row)]
