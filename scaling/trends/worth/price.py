"""Convert FLOP into chip-hours, dollars and kWh, for one run, a sweep, or a fixed loss over the years."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from scaling.errors import ConfigError, TableError, one_of
from scaling.trends import facts
from scaling.trends.ahead.loss_law import LossLaw, flops_for
from scaling.trends.growth.rate import Rate, check_level
from scaling.trends.tables import FORMATS

MFU = 0.4
"""Model FLOPs utilisation: share of the peak that a well-tuned run reaches.

Llama 3 reached 38-43 % (arXiv:2407.21783, table 4).
"""
PUE = 1.1
"""Power usage effectiveness: power of the building over power of the computers.

Large operators report 1.1.
"""
SERVER = 1.5
"""Watts of the whole server and network per watt of accelerator TDP."""
DOLLARS_PER_KWH = 0.08
"""Industrial electricity, United States, 2023-2024 average rounded
(https://www.eia.gov/electricity/monthly/)."""
LIFETIME_HOURS = 4 * 8766 * 0.9
"""Hours over which an accelerator's price is spread: four years at 90 % availability."""
BOARD_SHARE = 0.6
"""Accelerator's share of the price of a working server and its network."""

RENTED_AS = {
    "V100 SXM2 32GB": ("V100",),
    "A100 SXM4 40GB": ("A100 40GB",),
    "A100 SXM4 80GB": ("A100 SXM4 40GB", "A100 40GB"),
}
"""Chips of accelerators.csv → their names in cloud price lists, or the nearest chip that has a price."""


@dataclass(frozen=True, kw_only=True)
class Chip:
    """An accelerator with its peak, power and hourly price."""

    name: str
    """Name in accelerators.csv, or the user's name."""
    format: str
    """Number format of the peak."""
    peak: float
    """Dense peak in that format, FLOP/s."""
    watts: float
    """TDP, W."""
    dollars_per_hour: float
    """Rent, or purchase price over the lifetime, dollars per hour."""
    basis: str
    """Source of the hourly price."""


def hourly(name: str, row: Any, year: float = math.inf) -> tuple[float, str]:
    """Return the dollars of a chip-hour and their source; NaN where no price is known.

    The price is the rent dated nearest to `year` (the latest without a year), else the purchase price with
    its server over four years.
    """
    prices = facts.load("prices")
    known = (name, *RENTED_AS.get(name, ()))
    rents = prices[(prices["kind"] == "chip_hour") & prices["item"].isin(known)]
    if len(rents):
        away = (rents["date_year"] - year).abs() if math.isfinite(year) else -rents["date_year"]
        best: Any = rents.iloc[int(np.argmin(away.to_numpy()))]
        return float(best["price"]), f"{best['item']} at {best['provider']}, {best['date']}"
    if math.isfinite(row["price"]):
        return float(row["price"]) / BOARD_SHARE / LIFETIME_HOURS, "purchase price and server over four years"
    return math.nan, "unknown"


def chip(name: str, *, format: str = "bf16_tensor", dollars_per_hour: float | None = None) -> Chip:
    """Return an accelerator of the fact table in one number format.

    dollars_per_hour: by default the newest chip_hour of that name in prices.csv, else the purchase price over
    the lifetime. Raises `TableError` for an unknown chip, a format without a peak, or an unknown price, and
    `ConfigError` for an unknown format.
    """
    table = facts.load("accelerators").set_index("name")
    if name not in table.index:
        raise TableError(one_of("accelerator", name, table.index))
    if format not in FORMATS:
        raise ConfigError(one_of("number format", format, FORMATS))
    row: Any = table.loc[name]
    peak = row[f"flops_{format}"]
    if not math.isfinite(peak):
        has = [f for f in FORMATS if math.isfinite(row[f"flops_{f}"])]
        raise TableError(f"{name} has no peak in {format}; it has {', '.join(has)}")
    basis = "given"
    if dollars_per_hour is None:
        dollars_per_hour, basis = hourly(name, row)
        if not math.isfinite(dollars_per_hour):
            raise TableError(
                f"there is no price for {name}; give dollars per hour, or add a row to facts/prices.csv"
            )
    watts = row["watts"] if math.isfinite(row["watts"]) else math.nan
    return Chip(
        name=name,
        format=format,
        peak=float(peak),
        watts=float(watts),
        dollars_per_hour=dollars_per_hour,
        basis=basis,
    )


@dataclass(frozen=True, kw_only=True)
class Bill:
    """The cost of some training compute."""

    flops: float
    """Training FLOPs."""
    chip_hours: float
    """Accelerator hours."""
    dollars: float
    """Dollars at the chip's hourly price."""
    kwh: float
    """Electricity drawn by the building, kWh."""
    basis: str
    """Chip, format, utilisation and price behind the numbers, in words."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; unknown numbers are null."""
        return {k: v if isinstance(v, str) or math.isfinite(v) else None for k, v in vars(self).items()}


def bill(flops: float, on: Chip, *, mfu: float = MFU, pue: float = PUE) -> Bill:
    """Return the cost of `flops` on a chip at a utilisation.

    Raises `ConfigError` unless flops > 0 and 0 < mfu ≤ 1.
    """
    if not flops > 0:
        raise ConfigError(f"the compute is {flops:g} FLOP; it must be above 0")
    if not 0 < mfu <= 1:
        raise ConfigError(f"the utilisation is {mfu:g}; it must lie in (0, 1], for example 0.4")
    hours = flops / (on.peak * mfu) / 3600
    return Bill(
        flops=flops,
        chip_hours=hours,
        dollars=hours * on.dollars_per_hour,
        kwh=hours * on.watts * SERVER * pue / 1000,
        basis=f"{on.name} in {on.format} at {mfu:.0%} of {on.peak:.3g} FLOP/s, ${on.dollars_per_hour:.2f} "
        f"an hour ({on.basis})",
    )


def sweep_bill(ledger: pd.DataFrame, *, on: Chip | None = None, mfu: float = MFU) -> dict[str, Any]:
    """Return the cost of a sweep from its ledger, and its cost on another chip.

    ledger: rows with `flops` and optionally `seconds`, `price` and `kwh`, which are summed; null where a
    column is missing. Raises `TableError` for a ledger without runs or without `flops`.
    """
    if "flops" not in ledger or not ledger["flops"].notna().any():
        raise TableError(
            "the ledger has no runs that say their flops; run the sweep first, or import them too"
        )

    def total(column: str) -> float | None:
        if column not in ledger or ledger[column].notna().sum() == 0:
            return None
        return float(ledger[column].sum())

    flops, seconds = float(ledger["flops"].fillna(0).sum()), total("seconds")
    out: dict[str, Any] = {
        "runs": len(ledger),
        "flops": flops,
        "hours": None if seconds is None else seconds / 3600,
        "dollars": total("price"),
        "kwh": total("kwh"),
    }
    if on is not None and flops > 0:
        out["elsewhere"] = bill(flops, on, mfu=mfu).as_dict()
    return out


def flops_per_dollar(table: pd.DataFrame, format: str, *, mfu: float = MFU) -> np.ndarray:
    """Return FLOP per dollar over the chip's lifetime, [n]; NaN without a price or a peak in the format.

    The server costs 1 / BOARD_SHARE times the board; electricity is added at TDP.
    """
    flops = table[f"flops_{format}"] * mfu * 3600 * LIFETIME_HOURS
    power = (
        table["watts"].fillna(table["watts"].median())
        * SERVER
        * PUE
        / 1000
        * LIFETIME_HOURS
        * DOLLARS_PER_KWH
    )
    return np.asarray(flops / (table["price"] / BOARD_SHARE + power), float)


def cost_of_loss(
    law: LossLaw,
    loss: float,
    years: np.ndarray,
    per_dollar: Rate,
    *,
    algorithms: tuple[float, float, float] | None = None,
    algorithms_of: float | None = None,
    per_kwh: Rate | None = None,
    level: float = 0.9,
    draws: int = 1000,
    seed: int = 0,
) -> Mapping[str, Any]:
    """Return the dollars and kWh that a fixed loss costs in each year: FLOPs by the law over FLOP per dollar.

    years: decimal years, [m]. per_dollar, per_kwh: rates of log10 FLOP per dollar and per kWh. algorithms:
    doubling time of effective compute in years, (central, low, high) at 95 %; None for no algorithmic
    progress. algorithms_of: the year of the methods behind the law, by default `years[0]`; earlier methods
    need more compute, later ones less. Raises `ConfigError` when the loss lies at or below the law's floor.
    """
    from scaling.trends.ahead.project import trend_draws

    check_level(level)
    centre = float(flops_for(law.table(), loss)[0])
    if not math.isfinite(centre):
        raise ConfigError(
            f"a loss of {loss:g} lies at or below the floor {law.floor:g} of {law.name}; give a higher loss"
        )
    rng = np.random.default_rng(seed)
    years = np.asarray(years, float)
    base = years[0] if algorithms_of is None else algorithms_of
    pool = (
        law.draws[rng.integers(0, len(law.draws), draws)]
        if len(law.draws)
        else np.repeat(law.table(), draws, 0)
    )
    needed = np.log10(flops_for(pool, loss))
    saved = np.zeros((draws, len(years)))
    saved_centre = np.zeros(len(years))
    if algorithms is not None:
        middle, low, high = algorithms
        spread = math.log(high / low) / (2 * 1.959964)
        doubling = middle * np.exp(spread * rng.standard_normal(draws))
        saved = (years - base) * math.log10(2) / doubling[:, None]
        saved_centre = (years - base) * math.log10(2) / middle
    ends = [(1 - level) / 2, (1 + level) / 2]
    out: dict[str, Any] = {"loss": loss, "flops": centre, "year": years.tolist(), "level": level}
    for name, trend in (("dollars", per_dollar), ("kwh", per_kwh)):
        if trend is None:
            continue
        slopes, heights = trend_draws(trend, draws, rng)
        logs = needed[:, None] - saved - (heights[:, None] + slopes[:, None] * (years - trend.at))
        low, high = 10 ** np.quantile(np.where(np.isfinite(logs), logs, 300.0), ends, axis=0)
        out[name] = {
            "value": (10 ** (math.log10(centre) - saved_centre - trend.predict(years))).tolist(),
            "low": low.tolist(),
            "high": high.tolist(),
        }
    return out
