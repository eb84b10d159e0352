"""Fit algorithmic progress in language models: a Chinchilla law whose effective N and D grow with time.

Ho et al. (arXiv:2403.05812) fit  L = E + A / N_eff^α + B / D_eff^β  with  N_eff = N exp(g_N t), D_eff = D
exp(g_D t). g_N and g_D are correlated with each other and with α and β, so the data hardly identify them
separately. They identify the sum g = g_N + g_D, the growth rate of effective compute (C = 6 N D), and, with
much less certainty, the share s = g_N / g. The fit therefore uses the coordinates (g, s). Each benchmark has
its own height. E is fixed (0 by default), because such data cannot distinguish a floor from a trend.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.errors import FitError
from scaling.trends.growth.rate import check_level

EXPONENTS = (math.log(0.15), 1.0)
"""Weak prior on log α and log β: (mean, standard deviation).

Exponents of published laws lie between 0.05 and 0.5.
"""
_SHARE, _RATE = 1.5, 1.5
_STEPS = 60


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A fit of algorithmic progress with its resamples."""

    rate: float
    """Growth of effective compute, ln units per year."""
    rate_interval: tuple[float, float]
    """Interval of the rate."""
    share: float
    """Share of that growth that acts like more parameters; the rest acts like more data."""
    share_interval: tuple[float, float]
    """Interval of the share."""
    alpha: float
    """Exponent of N."""
    beta: float
    """Exponent of D."""
    heights: dict[str, float]
    """Log of the N-term at the centroid, by benchmark."""
    balance: float
    """Log of D-term over N-term at the centroid."""
    centre: tuple[float, float, float]
    """ln N, ln D and decimal year of the centroid."""
    window: tuple[float, float]
    """First and last date, decimal years."""
    floor: float
    """Fixed irreducible loss E, nats."""
    sigma: float
    """Residual standard deviation of the loss, nats."""
    n: int
    """Number of models."""
    groups: int
    """Number of papers."""
    level: float
    """Level of the intervals."""
    draws: np.ndarray
    """Resampled parameters [draws, P]: heights, balance, log α, log β, rate, logit share."""

    @property
    def doubling_years(self) -> float:
        """Years to double effective compute."""
        return math.log(2) / self.rate

    @property
    def doubling_interval(self) -> tuple[float, float] | None:
        """Interval of the doubling time in years; None when the rate's interval contains 0."""
        low, high = self.rate_interval
        return (math.log(2) / high, math.log(2) / low) if low > 0 else None

    def vector(self) -> np.ndarray:
        """Return the parameters in the order of `draws`."""
        share = min(max(self.share, 1e-9), 1 - 1e-9)
        tail = [
            self.balance,
            math.log(self.alpha),
            math.log(self.beta),
            self.rate,
            math.log(share / (1 - share)),
        ]
        return np.array([*self.heights.values(), *tail])

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        doubling = self.doubling_interval
        return {
            "verdict": "grows" if doubling else "no trend",
            "doubling_months": 12 * self.doubling_years if doubling else None,
            "doubling_months_interval": [12 * d for d in doubling] if doubling else None,
            "rate_ln_per_year_interval": list(self.rate_interval),
            "share_of_parameters": self.share,
            "share_of_parameters_interval": list(self.share_interval),
            "alpha": self.alpha,
            "beta": self.beta,
            "floor_nats": self.floor,
            "residual_nats": self.sigma,
            "n": self.n,
            "papers": self.groups,
            "level": self.level,
            "method": f"cluster bootstrap, {len(self.draws)} draws",
        }


class _Problem:
    """A least-squares problem evaluated for many parameter vectors at once."""

    def __init__(
        self,
        log_n: np.ndarray,
        log_d: np.ndarray,
        year: np.ndarray,
        loss: np.ndarray,
        code: np.ndarray,
        floor: float,
    ):
        self.x, self.z, self.t = log_n - log_n.mean(), log_d - log_d.mean(), year - year.mean()
        self.loss, self.code, self.floor = loss, code, floor
        self.k = int(code.max()) + 1
        self.dummies = np.eye(self.k)[code]

    def terms(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the N-term and the D-term, [B, n] each, for parameters p [B, P]."""
        k = self.k
        alpha, beta, rate = np.exp(p[:, k + 1, None]), np.exp(p[:, k + 2, None]), p[:, k + 3, None]
        share = 1 / (1 + np.exp(-p[:, k + 4, None]))
        height = p[:, :k] @ self.dummies.T
        first = np.exp(np.clip(height - alpha * (self.x + share * rate * self.t), -40, 40))
        second = np.exp(
            np.clip(height + p[:, k, None] - beta * (self.z + (1 - share) * rate * self.t), -40, 40)
        )
        return first, second

    def linearised(self, p: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the residuals [B, n] and the Jacobian [B, n, P]."""
        k = self.k
        first, second = self.terms(p)
        alpha, beta, rate = np.exp(p[:, k + 1, None]), np.exp(p[:, k + 2, None]), p[:, k + 3, None]
        share = 1 / (1 + np.exp(-p[:, k + 4, None]))
        jacobian = np.empty((*first.shape, k + 5))
        jacobian[..., :k] = (first + second)[..., None] * self.dummies
        jacobian[..., k] = second
        jacobian[..., k + 1] = -first * alpha * (self.x + share * rate * self.t)
        jacobian[..., k + 2] = -second * beta * (self.z + (1 - share) * rate * self.t)
        jacobian[..., k + 3] = -first * alpha * share * self.t - second * beta * (1 - share) * self.t
        jacobian[..., k + 4] = (second * beta - first * alpha) * rate * self.t * share * (1 - share)
        return self.floor + first + second - self.loss, jacobian

    def prior(self, p: np.ndarray, noise: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return penalty [B], gradient [B, P] and curvature [P] of the prior, each weaker than one row."""
        k = self.k
        mean = np.zeros(k + 5)
        width = np.full(k + 5, np.inf)
        for i, (m, w) in {
            k: (0.0, 2.0),
            k + 1: EXPONENTS,
            k + 2: EXPONENTS,
            k + 3: (0.0, _RATE),
            k + 4: (0.0, _SHARE),
        }.items():
            mean[i], width[i] = m, w
        curvature = noise**2 / width**2
        off = p - mean
        return (curvature * off**2).sum(1), curvature * off, curvature


def _solve(
    problem: _Problem, start: np.ndarray, weights: np.ndarray, noise: float
) -> tuple[np.ndarray, np.ndarray]:
    """Run Levenberg-Marquardt on a batch.

    start: [B, P]. weights: [B, n]. Returns the parameters [B, P] and the objectives [B].
    """
    p = start.copy()
    damping = np.full(len(p), 1e-2)

    def objective(q: np.ndarray) -> np.ndarray:
        first, second = problem.terms(q)
        squares = (weights * (problem.floor + first + second - problem.loss) ** 2).sum(1)
        return np.asarray(squares + problem.prior(q, noise)[0])

    value = objective(p)
    for _ in range(_STEPS):
        residual, jacobian = problem.linearised(p)
        _, slope, curvature = problem.prior(p, noise)
        weighted = jacobian * weights[..., None]
        normal = np.swapaxes(weighted, 1, 2) @ jacobian + np.diag(curvature)
        gradient = np.einsum("bnp,bn->bp", weighted, residual) + slope
        diagonal = np.einsum("bpp->bp", normal)
        normal = normal + damping[:, None, None] * (diagonal + 1e-9)[:, :, None] * np.eye(p.shape[1])
        step = np.linalg.solve(normal, gradient[..., None])[..., 0]
        trial = p - np.clip(step, -2, 2)
        new = objective(trial)
        better = new < value
        p[better] = trial[better]
        settled = (
            np.max(np.where(better, (value - new) / np.maximum(value, 1e-12), 0.0)) < 1e-9 and better.any()
        )
        value = np.where(better, new, value)
        damping = np.clip(np.where(better, damping / 4, damping * 4), 1e-9, 1e9)
        if settled or damping.min() >= 1e8:
            break
    return p, value


def progress(
    params: np.ndarray,
    tokens: np.ndarray,
    year: np.ndarray,
    loss: np.ndarray,
    benchmark: np.ndarray,
    paper: np.ndarray,
    *,
    floor: float = 0.0,
    level: float = 0.95,
    draws: int = 200,
    seed: int = 0,
) -> Progress:
    """Fit the law to one row per model: N, D, decimal year, loss in nats, benchmark and paper, all [n].

    floor: fixed E in nats. Intervals come from resampling whole papers. Raises `FitError` below 15 complete
    rows or 5 papers.
    Source: arXiv:2403.05812, equation 4, in the coordinates (rate, share).
    """
    check_level(level)
    numbers = np.column_stack([params, tokens, year, loss]).astype(float)
    complete = np.isfinite(numbers).all(1) & (numbers[:, :2] > 0).all(1)
    if complete.sum() < 15 or len(set(np.asarray(paper)[complete])) < 5:
        raise FitError(
            f"{int(complete.sum())} models from {len(set(np.asarray(paper)[complete]))} papers have N, D, "
            "a date and a loss; "
            "algorithmic progress needs at least 15 models and 5 papers"
        )
    n_, d_, t, y = numbers[complete].T
    names, code = np.unique(np.asarray(benchmark)[complete].astype(str), return_inverse=True)
    papers, cluster = np.unique(np.asarray(paper)[complete].astype(str), return_inverse=True)
    problem = _Problem(np.log(n_), np.log(d_), t, y, code, floor)
    k, n = problem.k, len(y)
    typical = np.log(np.maximum(np.array([y[code == j].mean() for j in range(k)]) - floor, 0.1) / 2)
    starts = np.array(
        [
            [*typical, 0.0, math.log(a), math.log(b), g, s]
            for a in (0.1, 0.3)
            for b in (0.1, 0.3)
            for g in (0.3, 1.2)
            for s in (-1.0, 1.0)
        ]
    )
    ones = np.ones((len(starts), n))
    noise = 0.5 * float(y.std())
    for _ in range(2):  # the prior's weight depends on the residual spread, so iterate twice
        solutions, value = _solve(problem, starts, ones, noise)
        best = solutions[int(np.argmin(value))]
        residual = problem.linearised(best[None])[0][0]
        noise = float(np.sqrt(np.sum(residual**2) / max(n - k - 5, 1)))
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(papers), np.full(len(papers), 1 / len(papers)), size=draws)[
        :, cluster
    ].astype(float)
    resampled, _ = _solve(problem, np.tile(best, (draws, 1)), weights, noise)
    ends = [(1 - level) / 2, (1 + level) / 2]

    def pair(x: np.ndarray) -> tuple[float, float]:
        low, high = np.quantile(x, ends)
        return float(low), float(high)

    share_draws = 1 / (1 + np.exp(-resampled[:, k + 4]))
    return Progress(
        rate=float(best[k + 3]),
        rate_interval=pair(resampled[:, k + 3]),
        share=float(1 / (1 + np.exp(-best[k + 4]))),
        share_interval=pair(share_draws),
        alpha=float(np.exp(best[k + 1])),
        beta=float(np.exp(best[k + 2])),
        heights={str(name): float(best[i]) for i, name in enumerate(names)},
        balance=float(best[k]),
        centre=(float(np.log(n_).mean()), float(np.log(d_).mean()), float(t.mean())),
        window=(float(t.min()), float(t.max())),
        floor=floor,
        sigma=noise,
        n=n,
        groups=len(papers),
        level=level,
        draws=resampled,
    )
