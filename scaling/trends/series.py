"""Define a series: one quantity with dates, unit and errors, checked once on construction."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scaling.errors import TableError
from scaling.trends import dates


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """A measured quantity. Two series may be pooled only where every field agrees."""

    name: str
    """Name in words, for example `training compute`."""
    unit: str = "1"
    """Unit of the values."""
    format: str = ""
    """Number format of a hardware value, for example `fp32`; empty where it has none."""
    counts: str = ""
    """`total` or `active` for parameters; empty elsewhere."""
    benchmark: str = ""
    """Benchmark with its version; empty where it has none."""

    def pools_with(self, other: Quantity) -> str:
        """Return an empty string when the two may be pooled, else the reason why not."""
        for part, what, why in (
            ("name", "quantities", "they are different quantities"),
            ("unit", "units", "convert one of them first"),
            (
                "format",
                "number formats",
                "a mixed column fakes a doubling of 1.4-1.9 years; fit one format at a time",
            ),
            ("counts", "parameter counts", "total and active parameters grow differently; choose one"),
            ("benchmark", "benchmark versions", "scores of two versions are not comparable; choose one"),
        ):
            mine, theirs = getattr(self, part), getattr(other, part)
            if mine != theirs:
                return f"cannot pool the {what} {mine or 'none'!r} and {theirs or 'none'!r}: {why}"
        return ""


@dataclass(frozen=True, kw_only=True)
class Series:
    """Rows of one quantity, with arrays of length n. Construct it with `series`, which checks the rows."""

    quantity: Quantity
    """Quantity of the values."""
    year: np.ndarray
    """Decimal years, [n], in rising order."""
    value: np.ndarray
    """Values in the quantity's unit, [n], above 0."""
    year_sigma: np.ndarray
    """Standard deviation of each date, years, [n]."""
    log_sigma: np.ndarray
    """Standard deviation of the log10 values, [n]; 0 where none was given."""
    group: np.ndarray | None = None
    """Cluster of each row (organisation, paper), [n] of str."""
    label: np.ndarray | None = None
    """Name of each row, [n] of str."""
    source: str = ""
    """Source of the rows in words."""
    notes: tuple[str, ...] = ()
    """Notes on how the rows were read and which were left out, one sentence each."""

    def __len__(self) -> int:
        return len(self.year)

    @property
    def log(self) -> np.ndarray:
        """log10 of the values, [n]."""
        return np.asarray(np.log10(self.value))

    @property
    def names(self) -> np.ndarray:
        """Labels, [n] of str; empty strings where there are none."""
        return np.full(len(self), "", dtype=object) if self.label is None else self.label

    @property
    def window(self) -> tuple[float, float]:
        """First and last date, decimal years."""
        return float(self.year.min()), float(self.year.max())

    def take(self, keep: np.ndarray) -> Series:
        """Return the rows of a mask or index as a new series."""
        arrays: dict[str, Any] = {
            k: None if getattr(self, k) is None else getattr(self, k)[keep]
            for k in ("year", "value", "year_sigma", "log_sigma", "group", "label")
        }
        return replace(self, **arrays)

    def between(self, start: float = -math.inf, end: float = math.inf) -> Series:
        """Return the rows dated start ≤ year < end, decimal years."""
        return self.take((self.year >= start) & (self.year < end))


def series(
    quantity: Quantity,
    when: Iterable[Any],
    value: Iterable[Any],
    *,
    sigma: Iterable[Any] | None = None,
    low: Iterable[Any] | None = None,
    high: Iterable[Any] | None = None,
    range_level: float = 0.9,
    group: Iterable[Any] | None = None,
    label: Iterable[Any] | None = None,
    source: str = "",
    keep_duplicates: bool = False,
) -> Series:
    """Check rows and return them as a series, sorted by date.

    when: dates in any form that `dates.parse` reads. sigma: standard deviation of the log10 values; or low
    and high: the ends of a lognormal interval at `range_level`, NaN where unknown.
    Raises `TableError` for dates that cannot be read, values at or below 0, and repeated rows.
    """
    when, value = list(when), list(value)
    if len(when) != len(value):
        raise TableError(f"there are {len(when)} dates and {len(value)} values; give one value per date")
    year, year_sigma = dates.parse_all(when)
    numbers = np.asarray(value, float)
    for row in np.flatnonzero(~np.isfinite(numbers) | (numbers <= 0))[:1]:
        raise TableError(
            f"row {row + 1} of {quantity.name}: the value is {numbers[row]:g}; "
            "values must be above 0: drop the row, or fit a quantity that is positive"
        )
    log_sigma = np.zeros(len(numbers))
    if sigma is not None:
        log_sigma = np.nan_to_num(np.asarray(list(sigma), float))
        for row in np.flatnonzero(log_sigma < 0)[:1]:
            raise TableError(
                f"row {row + 1}: sigma is {log_sigma[row]:g}; a standard deviation must be 0 or more"
            )
    elif low is not None and high is not None:
        from scipy.stats import norm

        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.log10(np.asarray(list(high), float)) - np.log10(np.asarray(list(low), float))
        log_sigma = np.where(np.isfinite(spread), spread, 0.0) / (2 * norm.ppf(0.5 + range_level / 2))
    groups = None if group is None else np.array([str(g) for g in group], dtype=object)
    labels = None if label is None else np.array([str(x) for x in label], dtype=object)
    if not keep_duplicates:
        seen: dict[tuple[object, ...], int] = {}
        for row, key in enumerate(
            zip(year, numbers, labels if labels is not None else [""] * len(year), strict=True)
        ):
            if key in seen:
                raise TableError(
                    f"row {row + 1} repeats row {seen[key] + 1} ({dates.calendar_day(key[0])}, {key[1]:g}"
                    f"{', ' + str(key[2])[:60] if key[2] else ''}); remove one, or allow duplicates "
                    "with --keep-duplicates"
                )
            seen[key] = row
    order = np.argsort(year, kind="stable")
    return Series(
        quantity=quantity,
        year=year[order],
        value=numbers[order],
        year_sigma=year_sigma[order],
        log_sigma=log_sigma[order],
        group=None if groups is None else groups[order],
        label=None if labels is None else labels[order],
        source=source,
    )


def pool(*parts: Series) -> Series:
    """Return several series of one quantity as one.

    Raises `TableError` where their formats, units, counts or benchmark versions differ.
    """
    first = parts[0]
    for other in parts[1:]:
        if why := first.quantity.pools_with(other.quantity):
            raise TableError(why)
    joined: dict[str, Any] = {
        k: np.concatenate([getattr(p, k) for p in parts])
        for k in ("year", "value", "year_sigma", "log_sigma")
    }
    order = np.argsort(joined["year"], kind="stable")
    for k in ("group", "label"):
        columns = [getattr(p, k) for p in parts]
        joined[k] = None if any(c is None for c in columns) else np.concatenate(columns)
    sorted_: dict[str, Any] = {k: None if v is None else v[order] for k, v in joined.items()}
    origin = " and ".join(dict.fromkeys(p.source for p in parts if p.source))
    return Series(quantity=first.quantity, source=origin, **sorted_)


def needs(s: Series, rows: int = 3) -> None:
    """Raise `TableError` unless the series has at least `rows` rows at two or more dates."""
    if len(s) < rows:
        raise TableError(
            f"{s.quantity.name} has {len(s)} row{'s' * (len(s) != 1)} here; a growth rate needs at least "
            f"{rows}: "
            "widen the window or loosen the filter"
        )
    if np.ptp(s.year) == 0:
        raise TableError(
            f"all {len(s)} rows of {s.quantity.name} have the same date {dates.calendar_day(s.year[0])}; "
            "a growth rate needs at least two dates"
        )
