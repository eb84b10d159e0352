"""Define the loss ρ of a residual, which an estimator sums over points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaling.errors import ConfigError, one_of
from scaling.fitting.arrays import Array

LOSSES = ("huber", "lad", "squares", "asymmetric", "likelihood")
SCALES = ("log", "raw")


@dataclass(frozen=True, kw_only=True)
class Loss:
    """A robust loss of the residuals r = prediction − observation, on the log or the raw scale."""

    name: str = "huber"
    """Name of the loss. huber: r²/2 up to δ, then linear. lad: |r|. squares: r². asymmetric: Huber, with
    weight 2τ on runs worse than the law and 2(1 − τ) on better ones. likelihood: Gaussian whose standard
    deviation is a power law of the points' compute (or size)."""
    scale: str = "log"
    """Scale of the residuals: "log" for log target, "raw" for the target itself."""
    delta: float | None = 1e-3
    """Residual at which Huber turns from quadratic to linear; None means 1.345 robust standard deviations of
    the residuals."""
    tau: float = 0.25
    """Share of the weight on runs above the law, for asymmetric only. Faulty training raises a loss and
    hardly ever lowers it."""

    def __post_init__(self) -> None:
        if self.name not in LOSSES:
            raise ConfigError(one_of("objective", self.name, LOSSES))
        if self.scale not in SCALES:
            raise ConfigError(one_of("scale", self.scale, SCALES))
        if self.delta is not None and not 0 < self.delta < np.inf:
            raise ConfigError(f"delta is {self.delta}; give a number above zero, or auto")
        if not 0 < self.tau < 1:
            raise ConfigError(f"tau is {self.tau}; give a number between 0 and 1")

    @property
    def final_delta(self) -> float:
        """Return the δ at which the solver stops: small for LAD, the limit of Huber/δ; large for squares."""
        if self.name == "lad":
            return 1e-7
        if self.name in ("squares", "likelihood"):
            return np.inf
        if self.delta is None:
            raise ConfigError("delta is auto and not yet known; resolve it from residuals first")
        return self.delta

    def slopes(self, r: Array, delta: float) -> tuple[Array, Array, Array]:
        """Return (ρ, ρ′, ρ″) of the residuals at this δ, smooth enough for Newton; |r| is ρ/δ as δ → 0."""
        if np.isinf(delta):
            return 0.5 * r * r, r, np.ones_like(r)
        psi = np.clip(r, -delta, delta)
        curvature = (psi == r).astype(np.float64)
        rho = psi * (r - 0.5 * psi)
        if self.name == "asymmetric":
            side = np.where(r < 0, 2 * self.tau, 2 * (1 - self.tau))
            return rho * side, psi * side, curvature * side
        return rho, psi, curvature

    def steepness(self, r: Array, delta: float) -> Array:
        """Return ρ′(r)/r, the positive weight of a point in iteratively reweighted least squares."""
        if np.isinf(delta):
            return np.ones_like(r)
        steep = delta / np.maximum(np.abs(r), delta)
        if self.name == "asymmetric":
            return steep * np.where(r < 0, 2 * self.tau, 2 * (1 - self.tau))
        return steep

    def value(self, r: Array, weights: Array) -> Array:
        """Return the reported objective (...): Σ w ρ(r) as in the literature (Σ w r² for squares, Σ w |r| for
        LAD)."""
        if self.name == "lad":
            return np.asarray((weights * np.abs(r)).sum(-1))
        if self.name in ("squares", "likelihood"):
            return np.asarray((weights * r * r).sum(-1))
        rho, _, _ = self.slopes(r, self.final_delta)
        return np.asarray((weights * rho).sum(-1))

    def words(self) -> str:
        """Return a phrase that describes the objective in reports."""
        where = "log loss" if self.scale == "log" else "loss"
        if self.name == "huber":
            return (
                f"sum of Huber (delta {self.delta:g}) on {where}"
                if self.delta
                else f"sum of Huber on {where}"
            )
        if self.name == "asymmetric":
            return f"sum of asymmetric Huber (tau {self.tau:g}, delta {self.delta:g}) on {where}"
        return {
            "lad": "sum of absolute deviations of ",
            "squares": "sum of squares of ",
            "likelihood": "Gaussian likelihood of ",
        }[self.name] + where


def robust_scale(r: Array) -> float:
    """Return the robust standard deviation, 1.4826 × the median absolute finite residual; never zero."""
    sizes = np.abs(r[np.isfinite(r)])
    return max(1.4826 * float(np.median(sizes)), 1e-12) if len(sizes) else 1e-12
