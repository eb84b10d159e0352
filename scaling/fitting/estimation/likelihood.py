"""Model noise that depends on scale: log σ = s0 + s1 z, with z the standardised log of compute (or of the
first variable)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scaling.fitting.arrays import Array, Values


@dataclass(frozen=True, kw_only=True)
class Noise:
    """A power law of the noise's standard deviation in compute."""

    z: Array
    """(n,) standardised log compute."""

    @classmethod
    def of(cls, x: Values) -> Noise:
        """Return the noise model with z from C where given, else from N D, else from the first positive
        variable."""
        if "C" in x:
            log = np.log(np.asarray(x["C"], float))
        elif "N" in x and "D" in x:
            log = np.log(np.asarray(x["N"], float)) + np.log(np.asarray(x["D"], float))
        else:
            log = np.log(np.maximum(np.asarray(next(iter(x.values())), float), 1e-300))
        spread = log.std()
        return cls(z=(log - log.mean()) / spread if spread > 0 else np.zeros_like(log))

    def fit(self, residual: Array, weights: Array) -> tuple[Array, Array]:
        """Return σ (K, n) and the negative log likelihood (K,) of residuals (K, n).

        The problem in (s0, s1) is convex and solved by Newton.
        """
        floor = 1e-6 * np.sqrt(np.mean(residual**2, axis=-1, keepdims=True)) + 1e-12
        square = residual**2 + floor**2
        total = weights.sum(-1)
        tilt = np.zeros(len(residual))
        for _ in range(50):
            # s0 has a closed form given s1: σ² scale = weighted mean of r² e^(−2 s1 z).
            share = weights * square * np.exp(-2 * tilt[:, None] * self.z)
            share = share / share.sum(-1, keepdims=True)
            mean = share @ self.z
            slope = (weights @ self.z) - total * mean
            curvature = 2 * total * (share @ self.z**2 - mean**2)
            step = np.where(curvature > 1e-12, -slope / np.maximum(curvature, 1e-12), 0.0)
            tilt = np.clip(tilt + np.clip(step, -1, 1), -3, 3)
            if np.abs(step).max() < 1e-12:
                break
        scale = (weights * square * np.exp(-2 * tilt[:, None] * self.z)).sum(-1) / total
        sigma = np.sqrt(scale)[:, None] * np.exp(tilt[:, None] * self.z)
        return sigma, (weights * (np.log(sigma) + 0.5 * square / sigma**2)).sum(-1)
