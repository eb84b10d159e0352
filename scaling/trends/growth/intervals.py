"""Compute the interval of a slope by eight methods with different assumptions.

Each method takes a series, a level, a number of draws and a seed, and returns (slope, low, high) in orders
of magnitude per year. The classical methods come from statsmodels and SciPy. The bootstraps use multinomial
weights, for which the slope has a closed form, so a thousand draws cost one matrix product.
"""

from __future__ import annotations

import numpy as np

from scaling.errors import TableError
from scaling.trends.series import Series


def _ols(s: Series, level: float, cov: str, **options: object) -> tuple[float, float, float]:
    import statsmodels.api as sm

    design = sm.add_constant(s.year - s.year.mean())
    # t quantiles instead of normal ones, because typical windows have 10-50 rows
    fit = sm.OLS(s.log, design).fit(cov_type=cov, use_t=True, **({"cov_kwds": options} if options else {}))
    low, high = fit.conf_int(1 - level)[1]
    return float(fit.params[1]), float(low), float(high)


def ols(s: Series, *, level: float, **_: object) -> tuple[float, float, float]:
    """Return the classical t interval; it assumes equal variances and independent rows."""
    return _ols(s, level, "nonrobust")


def hc3(s: Series, *, level: float, **_: object) -> tuple[float, float, float]:
    """Return the heteroscedasticity-robust t interval; it assumes independent rows.

    Source: MacKinnon and White 1985, HC3.
    """
    return _ols(s, level, "HC3")


def cluster_robust(s: Series, *, level: float, **_: object) -> tuple[float, float, float]:
    """Return the cluster-robust t interval, for rows that are correlated within their group.

    The degrees of freedom are the number of groups less 1. Raises `TableError` below two groups.
    """
    codes = _codes(s)
    if codes.max() < 1:
        raise TableError("all rows belong to one group; a cluster interval needs at least two groups")
    return _ols(s, level, "cluster", groups=codes)


def weighted_slopes(year: np.ndarray, y: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the least-squares slopes for many weightings at once, [draws].

    year, y: [n] or [draws, n]. weights: [draws, n].
    """
    total = weights.sum(-1)
    mean_x = (weights * year).sum(-1) / total
    mean_y = (weights * y).sum(-1) / total
    dx = year - mean_x[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights * dx * (y - mean_y[:, None])).sum(-1) / (weights * dx**2).sum(-1))


def _percentiles(slopes: np.ndarray, level: float) -> tuple[float, float]:
    finite = slopes[np.isfinite(slopes)]  # a draw with a single date has no slope
    low, high = np.quantile(finite, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def case_slopes(s: Series, draws: int, seed: int) -> np.ndarray:
    """Return the slopes of `draws` resamples of rows, [draws]."""
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(len(s), np.full(len(s), 1 / len(s)), size=draws).astype(float)
    return weighted_slopes(s.year, s.log, weights)


def case(s: Series, *, level: float, draws: int, seed: int) -> tuple[float, float, float]:
    """Return the percentile interval of the bootstrap over rows."""
    return _point(s), *_percentiles(case_slopes(s, draws, seed), level)


def _codes(s: Series) -> np.ndarray:
    if s.group is None:
        raise TableError(
            "a cluster interval needs a group column; name one, such as the organisation or the paper"
        )
    return np.asarray(np.unique(s.group.astype(str), return_inverse=True)[1])


def cluster_slopes(s: Series, draws: int, seed: int) -> np.ndarray:
    """Return the slopes of `draws` resamples of whole groups, [draws].

    Raises `TableError` without a group column or below two groups.
    """
    codes = _codes(s)
    count = codes.max() + 1
    if count < 2:
        raise TableError("all rows belong to one group; a cluster interval needs at least two groups")
    rng = np.random.default_rng(seed)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=draws)[:, codes].astype(float)
    return weighted_slopes(s.year, s.log, weights)


def cluster(s: Series, *, level: float, draws: int, seed: int) -> tuple[float, float, float]:
    """Return the percentile interval of the bootstrap over groups, for rows correlated within groups."""
    return _point(s), *_percentiles(cluster_slopes(s, draws, seed), level)


def measurement(s: Series, *, level: float, draws: int, seed: int) -> tuple[float, float, float]:
    """Return the percentile interval of the bootstrap over rows with redrawn dates and values.

    Dates and values are redrawn from their errors; a date known to the month is redrawn uniformly
    within that month.
    """
    rng = np.random.default_rng(seed)
    n = len(s)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=draws).astype(float)
    years = s.year + s.year_sigma * np.sqrt(12) * (rng.random((draws, n)) - 0.5)
    y = s.log + s.log_sigma * rng.standard_normal((draws, n))
    return _point(s), *_percentiles(weighted_slopes(years, y, weights), level)


def theil_sen(s: Series, *, level: float, **_: object) -> tuple[float, float, float]:
    """Return the median of all pairwise slopes with Sen's interval (SciPy), robust to outliers."""
    from scipy.stats import theilslopes

    result = theilslopes(s.log, s.year, alpha=level)
    return float(result.slope), float(result.low_slope), float(result.high_slope)


def quantile_slope(s: Series, q: float, level: float) -> tuple[float, float, float]:
    """Return the slope and interval of a quantile regression (statsmodels) at quantile q."""
    import warnings

    import statsmodels.api as sm

    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # with few rows the solution may not be unique, which the interval shows
        fit = sm.QuantReg(s.log, sm.add_constant(s.year - s.year.mean())).fit(q=q, max_iter=5000)
        low, high = fit.conf_int(1 - level)[1]
    return float(fit.params[1]), float(low), float(high)


def median(s: Series, *, level: float, **_: object) -> tuple[float, float, float]:
    """Return the slope and interval of a median regression."""
    return quantile_slope(s, 0.5, level)


def _point(s: Series) -> float:
    return float(weighted_slopes(s.year, s.log, np.ones((1, len(s))))[0])


METHODS = {
    "ols": ols,
    "hc3": hc3,
    "case": case,
    "cluster": cluster,
    "cluster-robust": cluster_robust,
    "measurement": measurement,
    "theil-sen": theil_sen,
    "median": median,
}
WORDS = {
    "ols": "OLS t",
    "hc3": "HC3 t",
    "case": "case bootstrap, {draws} draws",
    "cluster": "cluster bootstrap, {draws} draws",
    "cluster-robust": "cluster-robust t",
    "measurement": "measurement-error draws, {draws}",
    "theil-sen": "Theil-Sen",
    "median": "median regression",
}
ROBUST = {"theil-sen", "median"}
