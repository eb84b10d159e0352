"""Allocate compute: find the best N and D for a budget or for a loss, with inference demand and a data
limit."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scaling.errors import ConfigError, FitError
from scaling.fitting.approaches.budgets import compute
from scaling.fitting.arrays import Array
from scaling.fitting.decisions.answers import Allocation, Answer, Repeated
from scaling.fitting.decisions.surface import best_split, cheapest, check, determined, doubts, span
from scaling.fitting.result import Fit
from scaling.fitting.uncertainty.estimate import Estimate
from scaling.fitting.validation.forecast import forecast

REPEATS = 15.387756
"""R_D* of Muennighoff et al. 2023 (arXiv 2305.16264, eq. 5 and appendix A), the rate at which repeated tokens
lose value. It is not fitted here, and their objective is flat in it, so results that use it are rough."""


_HUGE = 1e300
"""Substitute for infinity among draws, so that quantiles can be taken."""


def _estimate(fit: Fit, value: float, drawn: Array | None) -> Estimate:
    """Return a value with the interval of its draws (K,).

    Infinite draws count. An end is infinite where their share exceeds the tail beyond it.
    """
    level = fit.options.level
    if fit.draws is None or drawn is None:
        return Estimate(value=value, interval=None, level=level, method="none asked")
    estimate = fit.draws.estimate(value, np.minimum(drawn, _HUGE), level)
    if estimate.interval is not None:
        low, high = (np.inf if end > _HUGE**0.5 else end for end in estimate.interval)
        estimate = replace(estimate, interval=(low, high))
    return estimate


def _thetas(fit: Fit) -> Array:
    """Return the parameters (K + 1, P): the optimum first, then the draws."""
    if fit.draws is None:
        return fit.theta[None]
    return np.vstack([fit.theta[None], fit.draws.theta])


def _answer(
    fit: Fit, n: Array, d: Array, thetas: Array, cost: Callable[[Array, Array], Array], calibrate: bool
) -> Answer:
    """Return N, D, their ratio, cost and loss of one solution, from the optimum (first) and the draws (the
    rest)."""
    if not np.isfinite(n[0]):
        raise FitError(
            f"{fit.law.name} as fitted has no lowest loss on this line of cost: it falls to the end of the "
            "sizes that are searched, a million times below and a hundred million times above those of the "
            "data; look at the signs of its exponents in scaling fit, or ask for a cost nearer to the data"
        )
    with np.errstate(all="ignore"):
        loss = np.array(
            [
                fit.law.predict(t, {"N": np.array([a]), "D": np.array([b])})[0]
                for t, a, b in zip(thetas, n, d, strict=True)
            ]
        )
        # Where the loss is never reached, no size exists at which to evaluate it.
        loss = np.where(np.isfinite(n), loss, np.nan)
        drawn = len(thetas) > 1
        spent = cost(n, d)
        out = {
            name: _estimate(fit, float(value[0]), value[1:] if drawn else None)
            for name, value in {
                "N": n,
                "D": d,
                "tokens_per_parameter": d / n,
                "training_flops": 6 * n * d,
                "total_flops": spent,
                "loss": loss,
            }.items()
        }
    if _never(n) > (1 - fit.options.level) / 2:
        # Where N and D are unbounded, their ratio is open at both ends.
        out["tokens_per_parameter"] = replace(out["tokens_per_parameter"], interval=(-np.inf, np.inf))
    if calibrate and drawn:
        run = forecast(fit, N=n[0], D=d[0])
        if run.calibrated is not None:
            low, high = run.calibrated
            out["loss_forecast"] = Estimate(
                value=float(run.value[0]),
                interval=(float(low[0]), float(high[0])),
                level=run.level,
                method=f"of one run, calibrated: {run.method}",
            )
    return Answer(**out)


def _never(n: Array) -> float:
    """Return the share of the draws, all but the first of N (K + 1,), that are infinite."""
    known = n[1:][~np.isnan(n[1:])]
    return float(np.isinf(known).mean()) if len(known) else 0.0


def _warnings(fit: Fit, n: float, d: float) -> list[str]:
    """Return warnings about the fit and about answers far beyond the data."""
    said = doubts(fit)
    flops = compute(fit.table)
    for name, value, seen in (
        ("C", 6 * n * d, flops),
        ("N", n, fit.table.values["N"]),
        ("D", d, fit.table.values["D"]),
    ):
        low, high = float(seen.min()), float(seen.max())
        if value > 10 * high:
            said.append(
                f"{name} = {value:.3g} lies ×{value / high:.3g} beyond the largest in the data "
                f"({high:.3g}): an extrapolation beyond ×10"
            )
        elif value < low / 10:
            said.append(
                f"{name} = {value:.3g} lies ×{low / value:.3g} below the smallest in the data "
                f"({low:.3g}): an extrapolation beyond ×10"
            )
    return said


def allocate(
    fit: Fit,
    flops: float,
    *,
    inference_tokens: float = 0.0,
    data_limit: float | None = None,
    calibrate: bool = True,
) -> Allocation:
    """Find the compute-optimal N and D for a budget of C = 6 N D (+ 2 N D_inference) FLOPs.

    inference_tokens: tokens served over the model's life, paid from the same budget.
    data_limit: distinct tokens available. The answer then also has the best split with each token seen at
    most once, and the best one with repeated tokens by the law of Muennighoff et al. 2023.

    Raises ConfigError for values that are not positive, FitError for a fit without an optimal split.
    """
    check(fit)
    determined(fit)
    _positive("the budget in FLOPs", flops)
    _served(inference_tokens)
    _payable(fit, flops, inference_tokens)
    if data_limit is not None:
        _positive("the data limit in tokens", data_limit)
    thetas = _thetas(fit)

    def cost(n: Array, d: Array) -> Array:
        return 2 * n * (3 * d + inference_tokens)

    n, d = best_split(fit, thetas, flops, inference_tokens)
    out = Allocation(
        question="lowest loss for a budget",
        flops=flops,
        inference_tokens=inference_tokens,
        data_limit=data_limit,
        convention=_convention(inference_tokens),
        optimum=_answer(fit, n, d, thetas, cost, calibrate),
        warnings=tuple(_warnings(fit, float(n[0]), float(d[0]))),
    )
    if data_limit is None:
        return out
    if d[0] <= data_limit:
        words = f"the optimum needs {d[0]:.3g} of {data_limit:.3g} tokens: data do not bind"
        return replace(out, limit_words=words)
    n_one, d_one = best_split(fit, thetas, flops, inference_tokens, limit=data_limit)
    return replace(
        out,
        limited=_answer(fit, n_one, d_one, thetas, cost, calibrate=False),
        repeated=_repeated(fit, flops, inference_tokens, data_limit),
        limit_words=f"the optimum needs {d[0]:.3g} tokens, {d[0] / data_limit:.3g} times what there are: "
        "data bind",
    )


def _convention(inference_tokens: float) -> str:
    return "C = 6 N D" + (" + 2 N D_inference" if inference_tokens else "")


def _positive(name: str, value: float, example: str = "1e20") -> None:
    if not (isinstance(value, numbers.Real) and np.isfinite(value) and value > 0):
        shown = f"{value:g}" if isinstance(value, numbers.Real) else repr(value)
        raise ConfigError(f"{name} is {shown}; give a number above zero, such as {example}")


def _served(tokens: float) -> None:
    if tokens < 0 or not np.isfinite(tokens):
        raise ConfigError(f"the inference tokens are {tokens:g}; give a number at or above zero")


def _payable(fit: Fit, flops: float, tokens: float) -> None:
    """Raise ConfigError where serving costs more than the budget even at a tenth of the smallest size.

    Any answer would then be an extrapolation beyond ×10.
    """
    size = float(np.min(fit.problem.x["N"]))
    if 2 * size / 10 * tokens >= flops:
        raise ConfigError(
            f"serving {tokens:g} tokens costs {2 * size * tokens:.3g} FLOPs (2 N D_inference) at the "
            f"smallest size of the table, N = {size:.3g}, and the budget for training and serving is "
            f"{flops:g}; ask for fewer than {flops / (2 * size):.3g} tokens, or raise the budget"
        )


def _repeated(fit: Fit, flops: float, inference_tokens: float, limit: float) -> Repeated:
    """Return the best split when tokens may be repeated.

    D tokens in D/U passes over U distinct tokens are worth U + U R* (1 − e^(−(D/U − 1)/R*)) new ones (arXiv
    2305.16264, eq. 5).
    """
    high = flops / max(6.0, 2 * inference_tokens)
    n = np.exp(np.linspace(np.log(min(span(fit)[0], high / 2)), np.log(high), 4001))
    d = flops / (6 * n) - inference_tokens / 3
    n, d = n[d > 0], d[d > 0]
    passes = np.maximum(d / limit - 1, 0.0)
    worth = np.where(d > limit, limit + limit * REPEATS * -np.expm1(-passes / REPEATS), d)
    loss = fit.law.predict(fit.theta, {"N": n, "D": worth})
    best = int(np.argmin(loss))
    return Repeated(
        N=float(n[best]),
        D=float(d[best]),
        epochs=float(d[best] / limit),
        loss=float(loss[best]),
        words=f"with R_D* = {REPEATS:.3g} borrowed from Muennighoff et al. 2023 (arXiv 2305.16264), "
        "not fitted to these runs",
    )


def cheapest_way(
    fit: Fit, loss: float, *, inference_tokens: float = 0.0, calibrate: bool = True
) -> Allocation:
    """Find the N and D that reach a loss with the fewest FLOPs of training and inference (Sardana &
    Frankle 2023, eq. 2).

    Raises FitError for a loss at or below the irreducible loss of the law, and names that loss.
    """
    check(fit)
    determined(fit)
    _positive("the loss", loss, "2.5")
    _served(inference_tokens)
    thetas = _thetas(fit)
    n, d = cheapest(fit, thetas, loss, inference_tokens)
    if not np.isfinite(n[0]):
        floor = fit.values.get("E")
        words = f"; its irreducible loss is {floor:.4g}" if floor is not None else ""
        raise FitError(f"the fitted law never reaches a loss of {loss:g}{words}: ask for a higher one")

    def cost(n: Array, d: Array) -> Array:
        return 2 * n * (3 * d + inference_tokens)

    optimum = _answer(fit, n, d, thetas, cost, calibrate=False)
    lost = _never(n)
    said = _warnings(fit, float(n[0]), float(d[0]))
    if lost > 0.005:
        interval = optimum.total_flops.interval
        open_ = interval is not None and not np.isfinite(interval[1])
        end = "no upper end of its cost is known" if open_ else "the upper ends count them as infinite"
        said.append(f"{lost:.0%} of the bootstrap draws never reach this loss: {end}")
    return Allocation(
        question="cheapest way to a loss",
        loss=loss,
        inference_tokens=inference_tokens,
        convention=_convention(inference_tokens),
        optimum=optimum,
        warnings=tuple(said),
    )
