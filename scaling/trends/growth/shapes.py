"""Fit shapes of growth curves by least squares on log10 values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from scipy.optimize import least_squares

from scaling.errors import FitError, one_of
from scaling.trends.growth import kinks


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One shape fitted to one series."""

    shape: str
    """Name of the shape in `SHAPES`."""
    parameters: dict[str, float]
    """Estimated parameters; years are decimal, rates are orders of magnitude per year."""
    k: int
    """Number of parameters counted in AICc and BIC, with the residual standard deviation."""
    n: int
    """Rows."""
    rss: float
    """Residual sum of squares of the log10 values."""
    predict: Callable[[np.ndarray], np.ndarray] = field(repr=False)
    """Decimal years [m] → log10 value [m]."""

    @property
    def sigma(self) -> float:
        """Residual standard deviation of the log10 values."""
        return float(np.sqrt(self.rss / max(self.n - self.k + 1, 1)))

    @property
    def misfit(self) -> float:
        """n log(RSS / n): -2 times the maximised Gaussian log-likelihood, without n (log 2π + 1)."""
        return float(self.n * np.log(max(self.rss, 1e-300) / self.n))

    @property
    def bic(self) -> float:
        """Bayesian information criterion, without the shared constant."""
        return float(self.misfit + self.k * np.log(self.n))

    @property
    def aicc(self) -> float:
        """Akaike's criterion with the small-sample correction, without the shared constant.

        It is infinite where n <= k + 1.
        """
        if self.n <= self.k + 1:
            return float("inf")
        return float(self.misfit + 2 * self.k + 2 * self.k * (self.k + 1) / (self.n - self.k - 1))


def _lines(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return intercepts, slopes and RSS, [m] each, of the least-squares lines of y [n] on each x [m, n]."""
    dx, dy = x - x.mean(1, keepdims=True), y - y.mean()
    slope = (dx * dy).sum(1) / np.maximum((dx**2).sum(1), 1e-300)
    return y.mean() - slope * x.mean(1), slope, ((dy - slope[:, None] * dx) ** 2).sum(1)


def exponential(t: np.ndarray, y: np.ndarray) -> Curve:
    """Fit log10 v = a + b t."""
    a, b, rss = (float(v[0]) for v in _lines(t[None], y))
    return Curve(
        shape="exponential",
        parameters={"rate": b, "height_at_mean": a + b * float(t.mean())},
        k=3,
        n=len(t),
        rss=rss,
        predict=lambda year: a + b * np.asarray(year, float),
    )


def kinked(t: np.ndarray, y: np.ndarray, *, k: int) -> Curve:
    """Fit a continuous piecewise line with k breaks (`kinks.fit`)."""
    fitted = kinks.fit(t, y, k)
    named = {f"break_{i + 1}": b for i, b in enumerate(fitted.breaks)}
    named |= {f"rate_{i + 1}": float(s) for i, s in enumerate(fitted.slopes)}
    return Curve(
        shape=f"{k} kink{'s' * (k > 1)}",
        parameters=named,
        k=3 + 2 * k,
        n=len(t),
        rss=fitted.rss,
        predict=fitted.predict,
    )


def quadratic(t: np.ndarray, y: np.ndarray) -> Curve:
    """Fit log10 v = a + b t + c t², a growth rate that changes linearly."""
    at = float(t.mean())
    c, b, a = (float(v) for v in np.polyfit(t - at, y, 2))

    def predict(year: np.ndarray) -> np.ndarray:
        x = np.asarray(year, float) - at
        return a + b * x + c * x**2

    rss = float(np.sum((y - predict(t)) ** 2))
    return Curve(
        shape="quadratic",
        parameters={"rate_at_mean": b, "acceleration": 2 * c},
        k=4,
        n=len(t),
        rss=rss,
        predict=predict,
    )


def hyperbolic(t: np.ndarray, y: np.ndarray) -> Curve:
    """Fit v = A / (t* - t)^b, infinite at t*; t* is profiled, the rest is linear."""
    last, span = float(t.max()), float(np.ptp(t))

    def best(gaps: np.ndarray) -> tuple[float, float, float, float]:
        a, b, rss = _lines(-np.log10(last + gaps[:, None] - t), y)
        i = int(np.argmin(rss))
        return float(gaps[i]), float(a[i]), float(b[i]), float(rss[i])

    gap, *_ = best(np.geomspace(1e-2 * max(span, 1e-6), 30 * span, 300))
    gap, a, b, rss = best(gap * np.geomspace(0.9, 1.1, 101))
    pole = last + gap

    def predict(year: np.ndarray) -> np.ndarray:
        left = pole - np.asarray(year, float)
        return np.where(left > 0, a - b * np.log10(np.maximum(left, 1e-12)), np.sign(b) * np.inf)

    return Curve(
        shape="hyperbolic",
        parameters={"pole_year": pole, "power": b},
        k=4,
        n=len(t),
        rss=rss,
        predict=predict,
    )


def _nonlinear(
    t: np.ndarray, y: np.ndarray, model: Callable[..., np.ndarray], starts: list[list[float]]
) -> tuple[np.ndarray, float]:
    runs = [
        least_squares(lambda p: model(p, t) - y, s, method="trf", x_scale="jac", max_nfev=300) for s in starts
    ]
    winner = min(runs, key=lambda r: r.cost)
    return winner.x, float(2 * winner.cost)


def logistic(t: np.ndarray, y: np.ndarray) -> Curve:
    """Fit v = K / (1 + 10^(-r (t - m))), with ceiling K, midpoint m and initial rate r."""
    at, span = float(t.mean()), float(np.ptp(t))
    slope = float(np.polyfit(t - at, y, 1)[0])

    def model(p: np.ndarray, year: np.ndarray) -> np.ndarray:
        x = -(p[1]) * (year - at - p[2])
        return np.asarray(p[0] - np.logaddexp(0.0, x * np.log(10)) / np.log(10))

    starts = [[float(y.max()) + 0.3, f * slope, m * span] for f in (1.0, 2.0) for m in (-0.2, 0.2, 0.6, 2.0)]
    p, rss = _nonlinear(t, y, model, starts)
    return Curve(
        shape="logistic",
        parameters={
            "log10_ceiling": float(p[0]),
            "initial_rate": float(p[1]),
            "midpoint_year": at + float(p[2]),
        },
        k=4,
        n=len(t),
        rss=rss,
        predict=lambda year: model(p, np.asarray(year, float)),
    )


def floor(t: np.ndarray, y: np.ndarray) -> Curve:
    """Fit v = F + 10^(a + b t), an exponential that falls to, or rises from, a floor F."""
    at = float(t.mean())
    slope, height = (float(v) for v in np.polyfit(t - at, y, 1))

    def model(p: np.ndarray, year: np.ndarray) -> np.ndarray:
        return np.asarray(
            np.logaddexp(p[0] * np.log(10), (p[1] + p[2] * (year - at)) * np.log(10)) / np.log(10)
        )

    starts = [[float(y.min()) - d, height, f * slope] for d in (0.05, 0.5, 2.0) for f in (1.0, 1.8)]
    p, rss = _nonlinear(t, y, model, starts)
    return Curve(
        shape="floor",
        parameters={"log10_floor": float(p[0]), "rate": float(p[2])},
        k=4,
        n=len(t),
        rss=rss,
        predict=lambda year: model(p, np.asarray(year, float)),
    )


def experience(t: np.ndarray, y: np.ndarray) -> Curve:
    """Fit Wright's law, log10 v = a + b log10(rank of the row by date).

    Beyond the data the rank grows at its rate over the later half of the rows.
    """
    order = np.argsort(t, kind="stable")
    dates = t[order]
    count = np.log10(np.arange(1, len(t) + 1))
    a, b, rss = (float(v[0]) for v in _lines(count[None], y[order]))
    half = dates >= np.median(dates)
    pace = float(np.polyfit(dates[half], count[half], 1)[0]) if np.ptp(dates[half]) > 0 else 0.0

    def predict(year: np.ndarray) -> np.ndarray:
        year = np.asarray(year, float)
        inside = np.interp(year, dates, count)
        ahead = count[-1] + pace * (year - dates[-1])
        return np.asarray(a + b * np.where(year > dates[-1], ahead, inside))

    return Curve(
        shape="experience",
        parameters={"power": b, "learning_rate": 1 - 2.0**b},
        k=3,
        n=len(t),
        rss=rss,
        predict=predict,
    )


SHAPES: dict[str, Callable[[np.ndarray, np.ndarray], Curve]] = {
    "exponential": exponential,
    "1 kink": partial(kinked, k=1),
    "2 kinks": partial(kinked, k=2),
    "3 kinks": partial(kinked, k=3),
    "quadratic": quadratic,
    "hyperbolic": hyperbolic,
    "logistic": logistic,
    "floor": floor,
    "experience": experience,
}


def fit(t: np.ndarray, y: np.ndarray, shape: str) -> Curve:
    """Fit the named shape to dates t [n] (decimal years) and log10 values y [n].

    Raises `FitError` for an unknown name or too few rows.
    """
    if shape not in SHAPES:
        raise FitError(one_of("shape", shape, SHAPES))
    t, y = np.asarray(t, float), np.asarray(y, float)
    if len(t) < 4 or np.ptp(t) == 0:
        raise FitError(
            f"{len(t)} rows at {len(set(t))} dates are too few for the shape {shape!r}; give at least 4 rows "
            "at 2 dates"
        )
    return SHAPES[shape](t, y)
