"""Load the published figures of `checks.csv`, and recompute each from its subject and a statistic of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from scaling.errors import TableError
from scaling.trends import facts, shipped
from scaling.trends.growth.choose import hindcast
from scaling.trends.growth.frontier import record, top
from scaling.trends.growth.multiverse import Multiverse, multiverse
from scaling.trends.growth.rate import Rate, rate
from scaling.trends.growth.shapes import fit
from scaling.trends.tables import TABLES, rows
from scaling.trends.verify import mirror
from scaling.trends.worth.exchange import CURRENCIES, exchange
from scaling.trends.worth.target import target

MAY_2024 = 2024.42


@dataclass(frozen=True, kw_only=True)
class Check:
    """One published figure."""

    name: str
    """What it is."""
    on: str
    """`snapshot`, `facts` or `arithmetic`."""
    low: float
    """Smallest value that agrees."""
    high: float
    """Largest value that agrees."""
    published: str
    """The figure as published, with its tolerance in words."""
    value: Callable[[], float]
    """Recomputes it. `TableError` where the snapshot is absent."""


def months_of(gain: float, currency: str) -> float:
    """Return what a gain is worth in months of one trend."""
    return exchange(gain)[currency].months


def per_doubling(alpha: float) -> float:
    """Return the change, in per cent, of a power-law term with exponent `alpha` when its variable doubles."""
    return 100 * (2**-alpha - 1)


def mixed(column: str) -> Rate:
    """Return the growth rate of a hardware column that mixes number formats.

    Raises TableError where the column is not refused without the word `mixed`.
    """
    try:
        mirror.hardware(column)
    except TableError as error:
        if "mixes" not in str(error):
            raise
        return rate(mirror.mixed(column))
    raise TableError(f"the hardware column {column!r} mixes number formats and was not refused")


def _bic(shape: str) -> float:
    s = mirror.training_compute()
    return fit(s.year, s.log, shape).bic


def _hindcast(shape: str) -> float:
    scored = hindcast(mirror.training_compute().between(2010), shape, origins=range(2016, 2023))
    return float("nan") if scored is None else scored.rmse


def _multiverse() -> Multiverse:
    return multiverse(mirror.training_compute())


ARITHMETIC: dict[str, Callable[[], Any]] = {
    **{
        f"×{gain} in {currency.name}": partial(months_of, gain, currency.name)
        for gain in (2, 10)
        for currency in CURRENCIES
    },
    "a doubling of N, α .076": lambda: per_doubling(0.076),
    "a doubling of N, α .34": lambda: per_doubling(0.34),
}
FACTS: dict[str, Callable[[], Any]] = {
    **{f"{name}.csv": partial(facts.load, name) for name in TABLES},
    "models before 2010": lambda: rate(shipped.training_compute().between(end=2010)),
    "models since 2010": lambda: rate(shipped.training_compute().between(2010)),
    "top 5 since 2010": lambda: rate(top(shipped.training_compute(), 5).between(2010)),
    "transistors per CPU": lambda: rate(shipped.transistors("cpu")),
    "FP32 per chip": lambda: rate(shipped.chip_peak("fp32")),
    "FP32 per watt": lambda: rate(shipped.per_watt("fp32")),
    "rebuilt cost": lambda: rate(shipped.rebuilt_cost()),
    "AlexNet level": lambda: target(shipped.efficiency("AlexNet"), ""),
    "task horizon": lambda: rate(record(shipped.horizons())),
}
SNAPSHOT: dict[str, Callable[[], Any]] = {
    "transistors": lambda: rate(mirror.transistors()),
    "notable models before 2010": lambda: rate(mirror.training_compute().between(end=2010)),
    "notable models since 2010": lambda: rate(mirror.training_compute().between(2010)),
    "top 10, 2010 to May 2024": lambda: rate(top(mirror.training_compute(), 10).between(2010, MAY_2024)),
    "training cost": lambda: rate(mirror.model_costs()),
    "FP32 per chip": lambda: rate(
        mirror.hardware("FP32 (single precision) performance (FLOP/s)", format="fp32")
    ),
    **{column: partial(mixed, column) for column in mirror.MIXED_FORMATS},
    "dataset sizes": lambda: rate(mirror.dataset_sizes(), method="case", level=0.95),
    "task horizon to March 2025": lambda: rate(mirror.horizons()),
    "AlexNet level": lambda: target(mirror.efficiency(), "AlexNet level"),
    "TOP500 to 2013": lambda: rate(mirror.top500().between(end=2013)),
    "TOP500 from 2013": lambda: rate(mirror.top500().between(2013)),
    **{f"BIC, {shape}": partial(_bic, shape) for shape in ("hyperbolic", "1 kink", "exponential")},
    **{f"hindcast, {shape}": partial(_hindcast, shape) for shape in ("exponential", "hyperbolic")},
    "multiverse": _multiverse,
}
SUBJECTS = {"arithmetic": ARITHMETIC, "facts": FACTS, "snapshot": SNAPSHOT}
"""What a figure is read from, by the `on` and `subject` of its row: a rate, a target, a table or a number."""

STATISTICS: dict[str, Callable[[Any], float]] = {
    "value": float,
    "rows": len,
    "n": lambda rate: rate.n,
    "R²": lambda rate: rate.r2,
    "doubling, days": lambda rate: 365.25 * rate.doubling_years,
    "doubling, months": lambda rate: 12 * rate.doubling_years,
    "doubling, months, low": lambda rate: 12 * rate.doubling_interval[0],
    "doubling, months, high": lambda rate: 12 * rate.doubling_interval[1],
    "doubling, years": lambda rate: rate.doubling_years,
    "doubling, years, low": lambda rate: rate.doubling_interval[0],
    "doubling, years, high": lambda rate: rate.doubling_interval[1],
    "times a year": lambda rate: rate.times_per_year,
    "times a year, low": lambda rate: 10**rate.low,
    "times a year, high": lambda rate: 10**rate.high,
    "orders a year": lambda rate: rate.slope,
    "orders a year, low": lambda rate: rate.low,
    "orders a year, high": lambda rate: rate.high,
    "factor": lambda target: target.factor,
    "years": lambda target: target.years,
    "halving, months": lambda target: 12 * target.halving_years_end_to_end,
    "top-5, least": lambda multiverse: multiverse.span("top-5")[0],
    "top-5, most": lambda multiverse: multiverse.span("top-5")[1],
    "top-10, least": lambda multiverse: multiverse.span("top-10")[0],
    "top-10, most": lambda multiverse: multiverse.span("top-10")[1],
}
"""What is read from a subject, by the `statistic` of a row."""


def _value(on: str, subject: str, statistic: str) -> float:
    return STATISTICS[statistic](SUBJECTS[on][subject]())


def _check(row: dict[str, str]) -> Check:
    if row["published"]:
        published, tolerance = float(row["published"]), float(row["tolerance"])
        low, high = published - tolerance, published + tolerance
        words = f"{published:g} ± {tolerance:g}"
    else:
        low, high = float(row["low"]), float(row["high"])
        words = f"{low:g} to {high:g}"
    value = partial(_value, row["on"], row["subject"], row["statistic"])
    return Check(name=row["figure"], on=row["on"], low=low, high=high, published=words, value=value)


def checks() -> list[Check]:
    """Return every published figure of `checks.csv`."""
    return [_check(row) for row in rows(Path(__file__).with_suffix(".csv"))]
