"""Find the lowest loss on lines of equal cost over a fitted surface L(N, D)."""

from __future__ import annotations

import numpy as np

from scaling.errors import FitError
from scaling.fitting.arrays import Array, Flags
from scaling.fitting.result import Fit

_GRID = 1201


def check(fit: Fit) -> None:
    """Raise FitError for a law that is not a surface over N and D."""
    if set(fit.law.variables) != {"N", "D"}:
        raise FitError(
            f"an allocation needs a law of N and D such as chinchilla, not {fit.law.name} of "
            f"{', '.join(fit.law.variables)}"
        )


def determined(fit: Fit, asked: str = "allocation") -> None:
    """Raise FitError for a fit with undetermined parameters, which cannot give the quantity `asked`."""
    for name, why in fit.certificate.undetermined.items():
        raise FitError(
            f"the table leaves {name} of {fit.law.name} open ({why}), so no {asked} follows from it; add "
            "runs, or hold a parameter with scaling fit --fix"
        )


def doubts(fit: Fit) -> list[str]:
    """Return a one-sentence warning where the certificate of the fit does not hold."""
    certificate = fit.certificate
    if certificate.ok:
        return []
    reasons = [
        f"{', '.join(certificate.at_bounds)} lies at a bound" if certificate.at_bounds else "",
        "" if certificate.definite else "the objective is flat or not convex at the optimum",
        "" if certificate.settled else f"not determined: {', '.join(certificate.undetermined)}",
    ]
    why = "; ".join(reason for reason in reasons if reason) or "the optimum changes with the units"
    return [f"the certificate of the fit behind this does not hold ({why}): look at scaling fit first"]


def span(fit: Fit) -> tuple[float, float]:
    """Return the range of sizes to search: from 1e-6 times the smallest to 1e8 times the largest."""
    n = np.asarray(fit.problem.x["N"], dtype=np.float64)
    return float(n.min()) * 1e-6, float(n.max()) * 1e8


def _refined(log_n: Array, score: Array) -> tuple[Array, Flags]:
    """Return the minimum (K,) of score (K, m) over log_n (m,) and whether it lies inside the range.

    The minimum is that of a parabola through the three points around the lowest one.
    """
    score = np.where(np.isfinite(score), score, np.inf)
    at = score.argmin(axis=1)
    inside = (at > 0) & (at < len(log_n) - 1)
    at = np.clip(at, 1, len(log_n) - 2)
    rows = np.arange(len(score))
    left, middle, right = (score[rows, at + k] for k in (-1, 0, 1))
    with np.errstate(all="ignore"):
        bend = left - 2 * middle + right
        shift = np.where(np.isfinite(bend) & (bend > 0), 0.5 * (left - right) / bend, 0.0)
    step = log_n[1] - log_n[0]
    return log_n[at] + np.clip(np.nan_to_num(shift), -1, 1) * step, inside & np.isfinite(middle)


def best_split(
    fit: Fit, thetas: Array, flops: float, inference_tokens: float = 0.0, limit: float | None = None
) -> tuple[Array, Array]:
    """Return N, D (K,) of the lowest loss with 6 N D + 2 N D_inference = flops and D at most `limit`, for
    parameters (K, P).

    The closed form of the law is used where it has one and there is neither inference nor a limit. Otherwise
    the optimum is searched, as in Sardana & Frankle 2023 (arXiv 2401.00448), who have no closed form either.
    """
    if fit.law.best_split is not None and inference_tokens == 0 and limit is None:
        with np.errstate(all="ignore"):
            n, d = fit.law.best_split(fit.law.values(thetas), np.array([flops]))
        return n[..., 0], d[..., 0]
    low, high = span(fit)
    # D = flops / 6N − D_inf / 3 must stay above zero.
    high = min(high, flops / (2 * inference_tokens) * 0.999999) if inference_tokens else high
    grid = np.linspace(np.log(low), np.log(high), _GRID)
    n = np.exp(grid)
    d = flops / (6 * n) - inference_tokens / 3
    usable = d > 0
    if limit is not None:
        # Compute beyond 6 N × limit is left unspent; a larger N is then always better.
        d = np.minimum(d, limit)
    loss = np.full((len(thetas), _GRID), np.inf)
    with np.errstate(all="ignore"):
        loss[:, usable] = fit.law.predict(thetas, {"N": n[usable], "D": d[usable]})
    place, inside = _refined(grid, loss)
    best = np.exp(place)
    tokens = flops / (6 * best) - inference_tokens / 3
    if limit is not None:
        # A parabola cannot represent the kink at the limit, so the corner itself is tried too.
        corner = flops / (6 * limit + 2 * inference_tokens)
        at_corner = fit.law.predict(thetas, {"N": np.array([corner]), "D": np.array([limit])})[:, 0]
        reached = np.array(
            [
                float(fit.law.predict(t, {"N": [b], "D": [min(k, limit)]})[0])
                for t, b, k in zip(thetas, best, tokens, strict=True)
            ]
        )
        swap = at_corner <= reached
        best, tokens = np.where(swap, corner, best), np.where(swap, limit, np.minimum(tokens, limit))
        inside = np.logical_or(inside, swap)
    return np.where(inside, best, np.nan), np.where(inside, tokens, np.nan)


def cheapest(fit: Fit, thetas: Array, loss: float, inference_tokens: float = 0.0) -> tuple[Array, Array]:
    """Return N, D (K,) that reach `loss` at the lowest 6 N D + 2 N D_inference.

    They are infinite where no searched size reaches the loss, or where the cost still falls at the largest.

    Sardana & Frankle 2023, arXiv 2401.00448, eq. 2.
    """
    low, high = span(fit)
    grid = np.linspace(np.log(low), np.log(high), _GRID)
    n = np.exp(grid)
    tokens = _tokens_for(fit, thetas, n, loss)
    with np.errstate(all="ignore"):
        cost = np.log(6 * n * tokens + 2 * n * inference_tokens)
    place, inside = _refined(grid, cost)
    best = np.exp(place)
    at = np.concatenate(
        [_tokens_for(fit, theta[None], np.array([b]), loss)[0] for theta, b in zip(thetas, best, strict=True)]
    )
    beyond = np.isfinite(thetas).all(axis=1) & (cost[:, -1] <= cost.min(axis=1))
    else_ = np.where(beyond, np.inf, np.nan)
    return np.where(inside, best, else_), np.where(inside, at, else_)


def _tokens_for(fit: Fit, thetas: Array, n: Array, loss: float) -> Array:
    """Return D (K, m) at which sizes n (m,) reach `loss`, infinite where they never do.

    The closed form of the law is used where it has one, else bisection.
    """
    with np.errstate(all="ignore"):
        if fit.law.tokens_for is not None:
            return fit.law.tokens_for(fit.law.values(thetas), n, loss)
        low = np.full((len(thetas), len(n)), np.log(1.0))
        high = np.full_like(low, np.log(1e30))

        def predicted(log_d: Array) -> Array:
            return np.stack(
                [fit.law.predict(t, {"N": n, "D": np.exp(row)}) for t, row in zip(thetas, log_d, strict=True)]
            )

        reachable = predicted(high) <= loss
        for _ in range(60):
            middle = 0.5 * (low + high)
            under = predicted(middle) <= loss
            low, high = np.where(under, low, middle), np.where(under, middle, high)
        return np.where(reachable, np.exp(high), np.inf)
