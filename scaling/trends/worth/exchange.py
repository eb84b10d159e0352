"""Convert a compute-equivalent gain into months of each trend, with the uncertainty of both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from scaling.errors import ConfigError
from scaling.trends.growth.rate import check_level

DRAWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Currency:
    """A trend into whose months a gain can be converted."""

    name: str
    """Short name."""
    words: str
    """Name in a sentence, `months of …`."""
    doubling_years: float
    """Doubling time, years."""
    low: float
    """Low end of the doubling time, years."""
    high: float
    """High end of the doubling time, years."""
    level: float
    """Level of that interval."""
    source: str
    """Source of the rate."""

    def log_rates(self, rng: np.random.Generator, draws: int) -> np.ndarray:
        """Return draws of the growth rate in ln units per year, [draws], from a lognormal doubling time."""
        spread = math.log(self.high / self.low) / (2 * norm.ppf(0.5 + self.level / 2))
        years = self.doubling_years * np.exp(spread * rng.standard_normal(draws))
        return np.asarray(math.log(2) / years)


def _doubling(times_per_year: float) -> float:
    return math.log(2) / math.log(times_per_year)


CURRENCIES: tuple[Currency, ...] = (
    Currency(
        name="compute",
        words="months of growth of frontier training compute (×4.7 a year)",
        doubling_years=_doubling(4.7),
        low=_doubling(5.17),
        high=_doubling(4.23),
        level=0.9,
        source="notable models since 2010, `scaling trends verify`; arXiv:2202.05924 and its later snapshots",
    ),
    Currency(
        name="price-performance",
        words="months of growth of FLOP per dollar (doubling in 2.1 years)",
        doubling_years=2.1,
        low=1.6,
        high=2.91,
        level=0.95,
        source="https://epoch.ai/blog/trends-in-machine-learning-hardware, machine-learning GPUs",
    ),
    Currency(
        name="algorithms",
        words="months of algorithmic progress in language models (doubling in 8 months)",
        doubling_years=8 / 12,
        low=5 / 12,
        high=14 / 12,
        level=0.95,
        source="arXiv:2403.05812",
    ),
    Currency(
        name="transistors",
        words="months of Moore's law (doubling in 24 months)",
        doubling_years=2.0,
        low=23.4 / 12,
        high=24.5 / 12,
        level=0.9,
        source="transistor counts 1971-2021, `scaling trends verify`",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Worth:
    """A gain in months of one trend."""

    currency: Currency
    """Trend of the months."""
    months: float
    """Central value, months; negative when the gain is below 1."""
    low: float
    """Low end of the interval, months."""
    high: float
    """High end of the interval, months."""


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """A gain in months of every trend."""

    gain: float
    """Compute-equivalent gain: 2 = the same loss for half the compute."""
    interval: tuple[float, float] | None
    """Interval of the gain, if given."""
    level: float
    """Level of all intervals here."""
    worths: tuple[Worth, ...]
    """One value per trend, in the order of `CURRENCIES`."""

    def __getitem__(self, name: str) -> Worth:
        return {w.currency.name: w for w in self.worths}[name]

    def words(self) -> str:
        """Return the conversion in a sentence."""
        parts = [f"{w.months:.3g} [{w.low:.3g}, {w.high:.3g}] {w.currency.words}" for w in self.worths]
        own = f" [{self.interval[0]:.3g}, {self.interval[1]:.3g}]" if self.interval else ""
        return f"×{self.gain:.3g}{own} is worth {'; '.join(parts)} ({self.level:.0%} intervals)"

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "gain": self.gain,
            "interval": list(self.interval) if self.interval else None,
            "level": self.level,
            "months": {
                w.currency.name: {
                    "value": w.months,
                    "interval": [w.low, w.high],
                    "level": self.level,
                    "doubling_years": w.currency.doubling_years,
                    "doubling_years_interval": [w.currency.low, w.currency.high],
                    "doubling_level": w.currency.level,
                    "source": w.currency.source,
                }
                for w in self.worths
            },
        }


def exchange(
    gain: float,
    interval: tuple[float, float] | None = None,
    *,
    level: float = 0.9,
    draws: Sequence[float] | np.ndarray | None = None,
    currencies: Sequence[Currency] = CURRENCIES,
    seed: int = 0,
) -> Exchange:
    """Convert a compute-equivalent gain into months of each trend: 12 log2(gain) × doubling time.

    gain: factor of compute saved at equal loss (2 = half the compute). interval: (low, high) of the gain at
    `level`, as a lognormal. draws: bootstrap values of the gain, used instead of `interval`. Without either
    the intervals carry only the uncertainty of the trends. A gain below 1 gives negative months.
    Raises `ConfigError` for a gain or an end at or below 0, ends in the wrong order, a level outside (0, 1).
    """
    check_level(level)
    for what, number in (("gain", gain), *(("end of the gain's interval", e) for e in interval or ())):
        if not (math.isfinite(number) and number > 0):
            raise ConfigError(
                f"the {what} is {number:g}; a compute-equivalent gain must be above 0, for example 2 or 0.8"
            )
    if interval is not None and interval[0] > interval[1]:
        raise ConfigError(
            f"the gain's interval runs from {interval[0]:g} to {interval[1]:g}; give the low end first"
        )
    rng = np.random.default_rng(seed)
    z = norm.ppf(0.5 + level / 2)
    if draws is not None:
        logs = np.log(rng.choice(np.asarray(draws, float), DRAWS))
    elif interval is not None:
        # the two sides may differ, because a bootstrap interval of a ratio is seldom symmetric
        noise = rng.standard_normal(DRAWS)
        down, up = math.log(gain / interval[0]) / z, math.log(interval[1] / gain) / z
        logs = math.log(gain) + np.where(noise < 0, max(down, 0.0), max(up, 0.0)) * noise
    else:
        logs = np.full(DRAWS, math.log(gain))
    worths = []
    for currency in currencies:
        months = 12 * logs / currency.log_rates(rng, DRAWS)
        low, high = np.quantile(months, [(1 - level) / 2, (1 + level) / 2])
        value = 12 * math.log2(gain) * currency.doubling_years
        worths.append(Worth(currency=currency, months=value, low=float(low), high=float(high)))
    return Exchange(gain=gain, interval=interval, level=level, worths=tuple(worths))


def of_comparison(gains: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Convert every headline gain of a comparison: `of`, `over`, `words` and the exchange as plain data.

    A gain that is unbounded or not above 0 is left out. Where the gain's interval has an open end, the result
    carries only the uncertainty of the trends, and `words` states this.
    """
    worths = []
    for g in gains:
        head = g.get("headline") or {}
        value = head.get("value")
        if value is None or not value > 0:
            continue
        low, high = head.get("interval") or (None, None)
        interval = (
            (float(low), float(high)) if low is not None and high is not None and 0 < low <= high else None
        )
        worth = exchange(float(value), interval, level=head.get("level") or 0.9)
        words = worth.words() + (
            "" if interval else "; the interval of the gain has an open end and is not included"
        )
        worths.append({"of": g.get("of"), "over": g.get("over"), "words": words, **worth.as_dict()})
    return worths
