"""Read learning-rate schedules from the rows of a table: summed rates, and the rate changes before each row.

A table may hold several curves one after the other; a new one starts where the step does not rise. Between
rows the rate is assumed linear, or to jump at the later row where it is constant on both sides. Before the
first row it is the first row's rate, after a warm-up that rises linearly from zero over `warm_up` steps.
Without `warm_up` the warm-up is assumed to end at the first row.

Sums over steps are integrals here. With s(t) = ∫ η, the trapezoid gives S(t) = Σ_(k<=t) η_k = s(t) + η_t/2,
and S(k - 1) = s(k - 1/2): step k's change of the rate lies at k - 1/2, its middle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.polynomial.chebyshev import chebvander

from scaling.errors import TableError
from scaling.fitting.arrays import Array, Values

PIECES = 4096
"""Approximate number of pieces into which the smooth changes of a curve's rate are cut."""
NODES = (18, 8)
"""Numbers of Chebyshev nodes in log S and in log η. Every sum over changes of the rate is a product of the
law's term at these nodes with weights that do not depend on parameters, because (1 + C η^-γ S)^-β is smooth
in both logarithms. Compared with sums over every step of the published schedules, predictions change by at
most 4e-6 nats, and by up to 3e-4 where the rate has a kink between two rows of the table."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """The summed learning-rate schedule of one curve."""

    rows: slice
    """Rows of the curve in the table."""
    step: Array
    """(n,) steps."""
    total: Array
    """(n,) S1: the sum of learning rates up to each row, warm-up included."""
    at: Array
    """(K,) the summed rate before each change of the rate."""
    at_step: Array
    """(K,) step of each change."""
    rate: Array
    """(K,) rate at each change."""
    drop: Array
    """(K,) decrease of the rate; negative where it rises."""
    warm_up: float
    """Steps of the warm-up."""


def curves(x: Values) -> Iterator[Curve]:
    """Return the curves of a table, in order.

    x: `step` and `lr`, each (n,), and `warm_up` (n,) where it is known. Raises TableError for a warm-up that
    is negative or changes within a curve.
    """
    step, lr = (np.asarray(x[name], dtype=np.float64) for name in ("step", "lr"))
    edges = [0, *(np.flatnonzero(np.diff(step) <= 0) + 1), len(step)]
    for start, end in pairwise(edges):
        warm_up = float(step[start])
        if "warm_up" in x:
            given = np.asarray(x["warm_up"], dtype=np.float64)[start:end]
            warm_up = float(given[0])
            if not (warm_up >= 0 and np.all(given == warm_up)):
                raise TableError(
                    f"warm_up is {given.min():g} to {given.max():g} in rows {start + 1} to {end}, one curve; "
                    "give each curve one number of steps, zero or more"
                )
        yield _curve(slice(start, end), step[start:end], lr[start:end], warm_up)


def _curve(rows: slice, step: Array, lr: Array, warm_up: float) -> Curve:
    drop = lr[:-1] - lr[1:]
    calm = np.concatenate([[True], drop == 0, [True]])
    # before the first row: a warm-up to the first rate, then a constant rate
    head = [(0.0, 0.0 if warm_up else lr[0])] if step[0] else []
    if 0 < warm_up < step[0]:
        head.append((warm_up, lr[0]))
    t = np.concatenate([[at for at, _ in head], step])
    rate = np.concatenate([[value for _, value in head], lr])
    jump = np.concatenate([np.zeros(len(head), dtype=bool), (drop != 0) & calm[:-2] & calm[2:]])
    wide, fall = np.diff(t), rate[:-1] - rate[1:]
    gained = np.where(jump, wide * rate[:-1] - fall / 2, wide * (rate[:-1] + rate[1:]) / 2)
    s = np.cumsum([-rate[0] / 2, *gained])
    smooth, sudden = np.flatnonzero((fall != 0) & ~jump), np.flatnonzero(jump)
    # longer smooth stretches are cut into more pieces
    longest = wide[smooth] / wide[smooth].sum() * PIECES
    pieces = np.clip(longest, 1, np.clip(wide[smooth], 1, None)).astype(np.int64)
    owner = np.repeat(smooth, pieces)
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = np.repeat(1 / pieces, pieces)
    middle = (np.arange(len(owner)) - first + 0.5) * share

    def cut(start: Array, rise: Array, bend: Array, ends: Array) -> Array:
        """Return start + f rise + f² bend over the smooth stretches, and the values at jumps."""
        inside = start[owner] + middle * rise[owner] + middle**2 * bend[owner]
        return np.concatenate([inside, ends[sudden]])

    zero = np.zeros_like(fall)
    return Curve(
        rows=rows,
        step=step,
        total=s[len(head) :] + lr / 2,
        at=cut(s[:-1], wide * rate[:-1], -wide * fall / 2, s[1:] - rate[1:] / 2),
        at_step=cut(t[:-1], wide, zero, t[1:] - 0.5),
        rate=cut(rate[:-1], -fall, zero, rate[1:]),
        drop=np.concatenate([fall[owner] * share, fall[sudden]]),
        warm_up=warm_up,
    )


def annealing_area(x: Values, decay: float = 0.999) -> Array:
    """Return S2 (n,) of arXiv 2408.11029, eq. 2: the decrease of the rate since the warm-up, with a memory of
    1/(1 - decay) steps, summed over steps."""
    areas = []
    for curve in curves(x):
        since = np.maximum(curve.step[:, None] - curve.at_step + 0.5, 0.0)
        drop = np.where(curve.at_step < curve.warm_up, 0.0, curve.drop)
        areas.append(((1 - decay**since) / (1 - decay)) @ drop)
    return np.concatenate(areas)


def total_rate(x: Values) -> Array:
    """Return S1 (n,), the sum of learning rates up to each row, warm-up included."""
    return np.concatenate([curve.total for curve in curves(x)])


@dataclass(frozen=True, kw_only=True, eq=False)
class Falls:
    """The rate changes before every row of a table, as weights on common nodes."""

    log_since: Array
    """(M,) log of the summed rate since a change, at the nodes."""
    log_rate: Array
    """(M,) log of the rate at a change, at the nodes."""
    drop: Array
    """(n, M) decrease of the rate at each node, for each row; negative where it rose."""

    def over(self, values: Array) -> Array:
        """Return Σ drop × value of each row (..., n) for values (..., M)."""
        return np.asarray(values @ self.drop.T)


def falls(x: Values) -> Falls:
    """Return the weights of a table."""
    found = list(curves(x))
    rates = [np.log(curve.rate) for curve in found if len(curve.rate)]
    if not rates:
        return Falls(log_since=np.zeros(1), log_rate=np.zeros(1), drop=np.zeros((len(x["step"]), 1)))
    pace = _Nodes.over(min(map(np.min, rates)), max(map(np.max, rates)), NODES[1])
    spans = [_span(curve) for curve in found if len(curve.rate)]
    since = _Nodes.over(min(low for low, _ in spans), max(high for _, high in spans), NODES[0])
    drop = np.zeros((len(x["step"]), *NODES))
    for curve in found:
        by_rate = pace.weights(np.log(curve.rate)) * curve.drop[:, None]
        for row, step, total in zip(
            range(curve.rows.start, curve.rows.stop), curve.step, curve.total, strict=True
        ):
            seen = curve.at_step < step
            drop[row] = since.weights(np.log(total - curve.at[seen])).T @ by_rate[seen]
    grid = np.meshgrid(since.places, pace.places, indexing="ij")
    return Falls(log_since=grid[0].ravel(), log_rate=grid[1].ravel(), drop=drop.reshape(len(drop), -1))


def _span(curve: Curve) -> tuple[float, float]:
    """Return the logarithms of the smallest and the largest summed rate since a change."""
    last = np.searchsorted(np.sort(curve.at_step), curve.step) - 1
    nearest = curve.total - np.sort(curve.at)[np.maximum(last, 0)]
    return float(np.log(nearest[last >= 0].min())), float(np.log(curve.total[-1] - curve.at.min()))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Nodes:
    """Chebyshev nodes on an interval with their Lagrange polynomials."""

    middle: float
    half: float
    cosines: Array

    @classmethod
    def over(cls, low: float, high: float, count: int) -> _Nodes:
        """Return `count` nodes on [low, high]."""
        cosines = np.cos(np.pi * (np.arange(count) + 0.5) / count)
        return cls(middle=(low + high) / 2, half=max((high - low) / 2, 1e-9), cosines=cosines)

    @property
    def places(self) -> Array:
        """(count,) positions of the nodes."""
        return self.middle + self.half * self.cosines

    def weights(self, at: Array) -> Array:
        """Return the weights (k, count) that interpolate f(at) from f at the nodes."""
        order = len(self.cosines) - 1
        back = chebvander(self.cosines, order).T * (2 / (order + 1))
        back[0] /= 2
        return np.asarray(chebvander((at - self.middle) / self.half, order) @ back)


_NAMES = ("step", "lr", "warm_up")


@lru_cache(maxsize=8)
def _summed(columns: tuple[bytes, ...]) -> tuple[Array, Array, Falls]:
    x = dict(zip(_NAMES, map(np.frombuffer, columns), strict=False))
    return total_rate(x), annealing_area(x), falls(x)


def summed(x: Values) -> tuple[Array, Array, Falls]:
    """Return S1 and S2 (n,) and the rate changes of a table, cached for the same columns."""
    return _summed(tuple(np.asarray(x[name], dtype=np.float64).tobytes() for name in _NAMES if name in x))
