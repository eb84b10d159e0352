"""Choose the further cells that shrink the variance of a quantity most per FLOP, and check them by
simulation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from scaling.errors import ConfigError, FitError, one_of
from scaling.fitting import ranges
from scaling.fitting.approaches.budgets import compute
from scaling.fitting.arrays import Array
from scaling.fitting.decisions.answers import NextRun, NextRuns
from scaling.fitting.decisions.surface import best_split, check, determined, doubts
from scaling.fitting.estimation.solve import refit
from scaling.fitting.options import within
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.sandwich import sandwich


@dataclass(frozen=True, kw_only=True, eq=False)
class Design:
    """The quantity of a design problem, its current covariance and the information of every candidate."""

    asked: str
    """In words."""
    value: Array
    """(q,) search coordinates of the fit, from which experiments are simulated."""
    slope: Array
    """(q,) slope of the quantity in search coordinates."""
    covariance: Array
    """(q, q) current covariance of the coordinates."""
    noise: float
    """Effective standard deviation of one run, at which the model's covariance equals the fit's."""


QUANTITIES = ("a", "b", "alpha", "beta", "E", "loss", "N_opt", "D_opt", "all")
"""Quantities of a design. `loss`, `N_opt` and `D_opt` are at a compute; `all` means D-optimality."""


AT = ("loss", "N_opt", "D_opt")
"""Quantities that depend on a compute."""


def quantity(fit: Fit, asked: str, at: float) -> Any:
    """Return the function from parameters (K, P) to the quantity (K,).

    Raises ConfigError for an unknown quantity.
    """
    names = fit.law.names
    if asked in names:
        index = names.index(asked)
        return lambda thetas: thetas[:, index]
    if asked in fit.law.derived:
        return lambda thetas: np.asarray(
            fit.law.derived[asked](fit.law.values(thetas)), dtype=np.float64
        ).reshape(-1)
    if asked in AT:

        def found(thetas: Array) -> Array:
            n, d = best_split(fit, thetas, at)
            if asked != "loss":
                return np.log(n if asked == "N_opt" else d)
            pairs = zip(thetas, n, d, strict=True)
            return np.array(
                [fit.law.predict(t, {"N": np.array([a]), "D": np.array([b])})[0] for t, a, b in pairs]
            )

        return found
    raise ConfigError(one_of("the asked quantity", asked, {*QUANTITIES, *names, *fit.law.derived}))


def jacobian(fit: Fit, n: Array, d: Array) -> Array:
    """Return the slopes (m, q) of the log prediction (or prediction) in the search coordinates at cells
    (n, d)."""
    x = {"N": n, "D": d}
    coordinates, theta = fit.problem.coordinates, fit.theta
    slopes = coordinates.jacobian(fit.optimum.u, fit.law.gradient(theta, x))
    if fit.problem.loss.scale == "log":
        slopes = slopes / fit.law.predict(theta, x)[:, None]
    return np.asarray(slopes)


def prepare(fit: Fit, asked: str, at: float) -> Design:
    """Linearise the quantity and compute its current covariance."""
    u = fit.optimum.u
    now = sandwich(fit.problem, u).matrix
    own = jacobian(fit, np.asarray(fit.problem.x["N"], float), np.asarray(fit.problem.x["D"], float))
    information = own.T @ (own * fit.problem.weights[:, None])
    sign, logdet = np.linalg.slogdet(information @ now)
    noise = float(np.exp(0.5 * logdet / len(u))) if sign > 0 else float(np.std(fit.problem.residuals(u)))
    # Use the model's covariance at that noise, not the sandwich covariance, so that further cells enter in
    # the same way.
    covariance = np.asarray(np.linalg.pinv(information) * noise**2, dtype=np.float64)
    if asked == "all":
        return Design(
            asked="all parameters (D-optimal)",
            value=u,
            slope=np.zeros(len(u)),
            covariance=covariance,
            noise=noise,
        )
    function = quantity(fit, asked, at)
    step = 1e-4 * np.eye(len(u))
    up = function(fit.problem.coordinates.natural(u + step))
    down = function(fit.problem.coordinates.natural(u - step))
    words = f"{asked} at C = {at:.3g}" if asked in AT else asked
    return Design(asked=words, value=u, slope=(up - down) / 2e-4, covariance=covariance, noise=noise)


def candidates(fit: Fit, *, reach: float = 4.0, sizes: int = 12, ratios: int = 9) -> tuple[Array, Array]:
    """Return N and D (m,) of candidate cells.

    Sizes go from the smallest to `reach` times the largest; tokens per parameter stay in the range of the
    data.
    """
    n, d = (np.asarray(fit.problem.x[k], dtype=np.float64) for k in ("N", "D"))
    ratio = np.quantile(d / n, [0.02, 0.98])
    grid_n = np.geomspace(n.min(), n.max() * reach, sizes)
    grid_r = np.geomspace(ratio[0], max(ratio[1], 1.01 * ratio[0]), ratios)
    mesh = np.meshgrid(grid_n, grid_r, indexing="ij")
    cells_n, cells_d = mesh[0].ravel(), (mesh[0] * mesh[1]).ravel()
    keep = 6 * cells_n * cells_d <= reach * float(compute(fit.table).max())
    return cells_n[keep], cells_d[keep]


def greedy(design: Design, slopes: Array, cost: Array, budget: float, most: int, per_flop: bool) -> list[int]:
    """Return cells within the budget, chosen greedily: each is the best given those before it.

    A cell may be chosen again, with another seed.
    """
    covariance = design.covariance.copy()
    chosen: list[int] = []
    left = budget
    for _ in range(most):
        spread = slopes @ covariance
        leverage = (spread * slopes).sum(axis=1)
        if design.slope.any():
            gained = (spread @ design.slope) ** 2 / (design.noise**2 + leverage)
        else:
            gained = np.log1p(leverage / design.noise**2)
        score = np.where(cost <= left, gained / (cost if per_flop else 1.0), -np.inf)
        best = int(np.argmax(score))
        if not np.isfinite(score[best]) or gained[best] <= 0:
            break
        chosen.append(best)
        left -= cost[best]
        covariance = covariance - np.outer(spread[best], spread[best]) / (design.noise**2 + leverage[best])
    return chosen


def _after(design: Design, slopes: Array) -> Array:
    """Return the covariance with further cells."""
    information = np.linalg.pinv(design.covariance) + slopes.T @ slopes / design.noise**2
    return np.asarray(np.linalg.pinv(information), dtype=np.float64)


def _size(design: Design, covariance: Array) -> float:
    """Return the standard deviation of the quantity, or the geometric mean of all for D-optimality."""
    if design.slope.any():
        variance = float(design.slope @ covariance @ design.slope)
        return float(np.sqrt(max(variance, 0.0)))
    return float(np.exp(0.5 * np.linalg.slogdet(covariance)[1] / len(covariance)))


@np.errstate(all="ignore")
def next_runs(
    fit: Fit,
    *,
    asked: str = "a",
    at: float | None = None,
    budget: float | None = None,
    cells: int = 6,
    simulations: int = 200,
    reach: float = 4.0,
) -> NextRuns:
    """Choose the cells to run next for a quantity; predict and simulate how much they shrink its interval.

    `budget` is in FLOPs for all cells; by default it equals the compute spent so far. Two greedy orders are
    tried, by gain per FLOP and by gain, and the one that ends with the smaller interval is kept.
    """
    check(fit)
    flops = compute(fit.table)
    if at is not None and asked not in AT:
        raise ConfigError(
            f"{asked} is asked for at a compute of {at:g} and does not depend on it; ask for "
            f"{', '.join(AT)}, or leave --at out"
        )
    at = 10 * float(flops.max()) if at is None else at
    budget = float(flops.sum()) if budget is None else budget
    for what, value in (("budget in FLOPs", budget), ("compute asked about", at), ("reach", reach)):
        if not (isinstance(value, Real) and 0 < value < np.inf):
            raise ConfigError(f"the {what} is {value}; give a number above zero")
    if cells < 1 or (simulations != 0 and simulations < 20):
        raise ConfigError(
            f"cells is {cells} and simulations {simulations}; give at least 1 cell, and 20 simulations or "
            "none"
        )
    within("cells", cells, ranges.CELLS)
    within("simulations", simulations, ranges.SIMULATIONS)
    design = _known(fit, asked, at)
    n, d = candidates(fit, reach=reach)
    cost = 6 * n * d
    if (cost > budget).all():
        raise FitError(
            f"the budget of {budget:.3g} FLOPs buys none of the cells, the cheapest of which costs "
            f"{cost.min():.3g}; raise it"
        )
    slopes = jacobian(fit, n, d)
    orders = [greedy(design, slopes, cost, budget, cells, per_flop) for per_flop in (True, False)]
    orders = [order for order in orders if order]
    if not orders:
        raise FitError(
            "no further cell would shrink the interval; the quantity does not depend on these data"
        )
    chosen = min(orders, key=lambda order: _size(design, _after(design, slopes[order])))
    before = _size(design, design.covariance)
    foreseen = _size(design, _after(design, slopes[chosen])) / before
    rows = tuple(
        NextRun(
            N=float(n[index]),
            D=float(d[index]),
            flops=float(cost[index]),
            interval_after=_size(design, _after(design, slopes[chosen[: i + 1]])) / before,
            size=dial(fit, float(n[index])),
        )
        for i, index in enumerate(chosen)
    )
    simulated = None
    if simulations and asked != "all":
        simulated = simulate(fit, asked, at, n[chosen], d[chosen], simulations)
    return NextRuns(
        asked=design.asked,
        budget_flops=budget,
        spent_flops=float(cost[chosen].sum()),
        cells=rows,
        interval_foreseen=foreseen,
        interval_simulated=simulated,
        noise_per_run=design.noise,
        warnings=tuple(doubts(fit)),
    )


def _known(fit: Fit, asked: str, at: float) -> Design:
    """Return the design.

    Raises FitError where the data do not determine the quantity, because its current spread is then
    meaningless.
    """
    if asked in fit.law.names or asked in fit.law.derived:
        estimate = (fit.parameters | fit.derived)[asked]
        if not np.isfinite(estimate.value):
            raise FitError(
                f"{asked} is {estimate.method}, so no runs can be planned by its spread; first vary N and D "
                "apart from each other, or hold a parameter with scaling fit --fix"
            )
    elif asked in QUANTITIES:
        determined(fit, "plan for " + ("all parameters" if asked == "all" else asked))
    return prepare(fit, asked, at)


def dial(fit: Fit, n: float) -> float | None:
    """Return the family's size for N parameters from the ledger's sizes; None where it has none."""
    frame = fit.table.frame
    if (
        "size" not in frame.columns
        or frame["size"].nunique() < 2
        or ("family" in frame.columns and frame["family"].nunique() > 1)
    ):
        return None
    pairs = frame.assign(log_n=np.log(fit.table.values["N"])).groupby("log_n")["size"].mean()
    logs, sizes = np.asarray(pairs.index, float), np.log(np.asarray(pairs, float))
    inside = float(np.interp(np.log(n), logs, sizes))
    if np.log(n) > logs[-1]:
        inside = float(sizes[-1] + (sizes[-1] - sizes[-2]) / (logs[-1] - logs[-2]) * (np.log(n) - logs[-1]))
    return round(float(np.exp(inside)), 3)


def simulate(fit: Fit, asked: str, at: float, n: Array, d: Array, simulations: int) -> float:
    """Return the ratio of the quantity's spread over simulated experiments with the new cells to that without
    them."""
    rng = np.random.default_rng(fit.options.seed)
    residual = fit.problem.residuals(fit.optimum.u)
    grown = residual * np.sqrt(len(residual) / max(len(residual) - len(fit.optimum.u), 1))
    function = quantity(fit, asked, at)
    old = {k: np.asarray(fit.problem.x[k], dtype=np.float64) for k in ("N", "D")}
    spreads = []
    for extra in (False, True):
        x = {"N": np.concatenate([old["N"], n]), "D": np.concatenate([old["D"], d])} if extra else old
        predicted = fit.law.predict(fit.theta, x)
        noise = rng.choice(grown, size=(simulations, len(predicted)))
        y = predicted * np.exp(noise) if fit.problem.loss.scale == "log" else predicted + noise
        weights = np.concatenate([fit.problem.weights, np.ones(len(predicted) - len(old["N"]))])
        problem = replace(fit.problem, x=x, y=y, weights=weights)
        end = refit(problem, np.tile(weights, (simulations, 1)), fit.optimum.u)
        values = function(problem.coordinates.natural(end.u))
        values = values[np.isfinite(values)]
        # The spread is measured by quantiles, so that one outlying refit does not dominate.
        low, high = np.quantile(values, [0.1587, 0.8413])
        spreads.append(float(high - low))
    return spreads[1] / spreads[0]
