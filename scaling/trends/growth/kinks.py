"""Fit continuous piecewise lines to log values: break dates, their intervals, and tests for one more break.

The search minimises the sum of squares exactly over all combinations of candidate dates on a grid (the Gram
matrix of the hinges is computed once) and then refines the best one. The iterative search of the package
piecewise-regression takes seconds per fit, too slow for a bootstrap test of hundreds of fits; it serves as
the oracle in the tests, and its Davies test is reported beside ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from scipy.optimize import minimize
from scipy.stats import chi2

from scaling.errors import FitError

GRID = {1: 120, 2: 60, 3: 32}
MARGIN = 0.04
"""Smallest share of the rows before the first break, after the last one and between two breaks."""
LEAST_ERA = 0.06
"""Shortest era as a share of the whole span; a shorter last era fits noise and extrapolates it."""


@dataclass(frozen=True, kw_only=True)
class Kinked:
    """A continuous piecewise line with k breaks."""

    breaks: tuple[float, ...]
    """Break dates, decimal years, in rising order."""
    coefficients: np.ndarray
    """Intercept at `at`, first slope, then the change of slope at each break, [k + 2]."""
    at: float
    """Decimal year of the intercept."""
    rss: float
    """Residual sum of squares of log10 value."""

    def predict(self, year: np.ndarray) -> np.ndarray:
        """Return log10 of the value at each decimal year."""
        return np.asarray(_design(np.asarray(year, float), self.breaks, self.at) @ self.coefficients)

    @property
    def slopes(self) -> np.ndarray:
        """Slopes of the k + 1 eras, orders of magnitude per year."""
        return np.cumsum(self.coefficients[1:])


def _design(t: np.ndarray, breaks: tuple[float, ...] | np.ndarray, at: float) -> np.ndarray:
    return np.asarray(np.column_stack([np.ones_like(t), t - at, *(np.maximum(t - b, 0.0) for b in breaks)]))


class Search:
    """The least-squares problems of all combinations of k breaks, factored once for many outcomes."""

    def __init__(self, t: np.ndarray, k: int) -> None:
        self.t, self.k, self.at = np.asarray(t, float), k, float(np.mean(t))
        n, least = len(t), max(3, int(np.ceil(MARGIN * len(t))))
        if n < least * (k + 1) + 1 or n <= 2 * k + 2:
            raise FitError(
                f"{n} rows cannot carry {k} break{'s' * (k != 1)}; fit fewer breaks or give more rows"
            )
        ordered = np.sort(self.t)
        self.grid = (
            np.unique(np.quantile(ordered, np.linspace(least / n, 1 - least / n, GRID.get(k, 20))))
            if k
            else np.array([])
        )
        era = LEAST_ERA * np.ptp(ordered)
        self.grid = self.grid[(self.grid >= ordered[0] + era) & (self.grid <= ordered[-1] - era)]
        below = np.searchsorted(ordered, self.grid)

        def apart(i: int, j: int) -> bool:
            return bool(below[j] - below[i] >= least and self.grid[j] - self.grid[i] >= era)

        self.sets = [
            c for c in combinations(range(len(self.grid)), k) if all(apart(i, j) for i, j in pairwise(c))
        ]
        if not self.sets:
            raise FitError(
                f"{n} rows leave no room for {k} breaks that are far enough apart; fit fewer breaks or "
                "give more rows"
            )
        self.features = _design(self.t, self.grid, self.at)
        gram = self.features.T @ self.features
        columns = np.array([[0, 1, *(2 + i for i in c)] for c in self.sets])
        self.columns = columns
        blocks = gram[columns[:, :, None], columns[:, None, :]]
        self.inverse = np.linalg.pinv(blocks, hermitian=True)

    def rss(self, y: np.ndarray) -> np.ndarray:
        """Return the residual sum of squares of every combination of breaks.

        y [n] gives [combinations], y [n, m] gives [combinations, m].
        """
        flat = y.ndim == 1
        outcomes = (y - y.mean(0)).reshape(len(y), -1)
        moments = (self.features.T @ outcomes)[self.columns]
        explained = np.einsum("cim,cij,cjm->cm", moments, self.inverse, moments, optimize=True)
        left = np.maximum((outcomes**2).sum(0) - explained, 0.0)
        return np.asarray(left[:, 0] if flat else left)

    def best(self, y: np.ndarray) -> tuple[float, ...]:
        """Return the break dates on the grid with the least sum of squares for one outcome."""
        return tuple(float(self.grid[i]) for i in self.sets[int(np.argmin(self.rss(y)))])


def _solve(t: np.ndarray, y: np.ndarray, breaks: tuple[float, ...], at: float) -> Kinked:
    design = _design(t, breaks, at)
    coefficients, *_ = np.linalg.lstsq(design, y, rcond=None)
    return Kinked(
        breaks=breaks, coefficients=coefficients, at=at, rss=float(np.sum((y - design @ coefficients) ** 2))
    )


def fit(t: np.ndarray, y: np.ndarray, k: int, *, polish: bool = True) -> Kinked:
    """Fit a piecewise line with k breaks by least squares.

    t: decimal years, [n]. y: log10 of the values, [n]. polish: whether breaks are refined between grid dates.
    Raises `FitError` where there are too few rows for k breaks.
    """
    t, y = np.asarray(t, float), np.asarray(y, float)
    search = Search(t, k)
    start = search.best(y)
    fitted = _solve(t, y, start, search.at)
    if k and polish:
        low, high = search.grid[0], search.grid[-1]
        result = minimize(
            lambda b: _solve(t, y, tuple(sorted(np.clip(b, low, high))), search.at).rss,
            np.array(start),
            method="Nelder-Mead",
            options={"xatol": 1e-3, "fatol": 1e-10, "maxiter": 400, "initial_simplex": _simplex(start, 0.5)},
        )
        better = _solve(t, y, tuple(sorted(float(b) for b in np.clip(result.x, low, high))), search.at)
        ordered = np.sort(t)
        rows = np.diff([0, *np.searchsorted(ordered, better.breaks), len(t)])
        years = np.diff([ordered[0], *better.breaks, ordered[-1]])
        enough = rows.min() >= max(3, int(np.ceil(MARGIN * len(t)))) and years.min() >= LEAST_ERA * np.ptp(t)
        if better.rss < fitted.rss and enough:
            fitted = better
    return fitted


def _simplex(start: tuple[float, ...], step: float) -> np.ndarray:
    rows = np.tile(np.array(start), (len(start) + 1, 1))
    rows[1:] += step * np.eye(len(start))
    return rows


def profile_interval(
    t: np.ndarray, y: np.ndarray, fitted: Kinked, which: int, level: float
) -> tuple[float, float]:
    """Return the profile-likelihood interval of break `which`, in decimal years.

    It holds the dates at which the refitted log-likelihood drops by less than χ²₁(level) / 2.
    """
    t, y = np.asarray(t, float), np.asarray(y, float)
    others = [b for i, b in enumerate(fitted.breaks) if i != which]
    first, last = (float(x) for x in np.quantile(t, [0.01, 0.99]))
    dates = np.linspace(first, last, 200)
    drop = np.empty(len(dates))
    scale = min(fitted.rss, _solve(t, y, fitted.breaks, fitted.at).rss)
    for i, b in enumerate(dates):
        if others:  # refit the other breaks by one pass of coordinate search, enough for an interval
            trial = list(others)
            for j in range(len(trial)):
                spots = trial[j] + np.linspace(-3, 3, 13)
                rest = [x for m, x in enumerate(trial) if m != j]
                scores = [_solve(t, y, tuple(sorted([b, x, *rest])), fitted.at).rss for x in spots]
                trial[j] = float(spots[int(np.argmin(scores))])
            drop[i] = _solve(t, y, tuple(sorted([b, *trial])), fitted.at).rss
        else:
            drop[i] = _solve(t, y, (b,), fitted.at).rss
    inside = dates[len(t) * np.log(np.maximum(drop, scale) / scale) <= chi2.ppf(level, 1)]
    centre = fitted.breaks[which]
    if not len(inside):
        return centre, centre
    return float(min(inside.min(), centre)), float(max(inside.max(), centre))


@dataclass(frozen=True, kw_only=True)
class BreakTest:
    """Result of the residual-bootstrap test of k breaks against k + 1."""

    k: int
    """Number of breaks under the null hypothesis."""
    statistic: float
    """n log(RSS_k / RSS_{k+1})."""
    p: float
    """p value, (1 + draws with a larger or equal statistic) / (1 + draws)."""
    draws: int
    """Number of draws under the null hypothesis."""
    davies_p: float | None
    """p value of Davies' test for any break (piecewise-regression); only for k = 0."""


def break_test(t: np.ndarray, y: np.ndarray, k: int, *, draws: int = 299, seed: int = 0) -> BreakTest:
    """Test k breaks against k + 1 by a residual bootstrap under the null hypothesis.

    The χ² approximation does not hold, because a break has no date under the null hypothesis.
    """
    t, y = np.asarray(t, float), np.asarray(y, float)
    null, alternative = Search(t, k), Search(t, k + 1)

    def statistic(outcomes: np.ndarray) -> np.ndarray:
        a = null.rss(outcomes).min(0)
        b = alternative.rss(outcomes).min(0)
        return np.asarray(len(t) * np.log(np.maximum(a, 1e-300) / np.maximum(b, 1e-300)))

    fitted = _solve(t, y, null.best(y), null.at)
    line = fitted.predict(t)
    residual = (y - line) - (y - line).mean()
    rng = np.random.default_rng(seed)
    simulated = line[:, None] + rng.choice(residual, size=(len(t), draws)) * np.sqrt(
        len(t) / (len(t) - 2 - 2 * k)
    )
    observed = float(statistic(y[:, None])[0])
    exceeding = int(np.sum(statistic(simulated) >= observed))
    return BreakTest(
        k=k,
        statistic=observed,
        p=(1 + exceeding) / (1 + draws),
        draws=draws,
        davies_p=_davies(t, y) if k == 0 else None,
    )


def _davies(t: np.ndarray, y: np.ndarray) -> float | None:
    from piecewise_regression.davies import davies_test

    try:
        return float(davies_test(t - t.mean(), y))
    except (ValueError, np.linalg.LinAlgError):  # too few distinct dates for its k = 10 grid
        return None
