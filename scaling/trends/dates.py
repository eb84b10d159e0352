"""Read dates as intervals of decimal years: a day, a month or a year, depending on what is written."""

from __future__ import annotations

import calendar
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from scaling.errors import TableError

_DAY = re.compile(r"^(\d{4})-(\d{1,2})-(\d{1,2})$")
_SLASHED = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4})$")
_DOTTED = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4})$")
_MONTH = re.compile(r"^(\d{4})-(\d{1,2})$")
_YEAR = re.compile(r"^(\d{4})(?:\.0)?$")
_DECIMAL = re.compile(r"^(\d{4}\.\d+)$")


@dataclass(frozen=True, kw_only=True)
class When:
    """A written date as the interval [start, end) of possible instants, in decimal years (UTC)."""

    start: float
    """First instant, decimal year."""
    end: float
    """Last instant, decimal year; equal to `start` for a decimal year or a timestamp."""

    @property
    def middle(self) -> float:
        """Middle of the interval, decimal year."""
        return 0.5 * (self.start + self.end)

    @property
    def sigma(self) -> float:
        """Standard deviation of a uniform date in the interval, years."""
        return (self.end - self.start) / math.sqrt(12.0)


def decimal_year(moment: date | datetime) -> float:
    """Return the decimal year of an instant; a date means its midnight.

    A leap year has 366 days. A timestamp with a time zone is converted to UTC; one without is read as UTC.
    """
    if isinstance(moment, datetime):
        aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        start = datetime(aware.year, 1, 1, tzinfo=UTC)
        seconds = (aware - start).total_seconds()
    else:
        seconds = (moment - date(moment.year, 1, 1)).days * 86400.0
        aware = datetime(moment.year, moment.month, moment.day)
    return aware.year + seconds / (86400.0 * (366 if calendar.isleap(aware.year) else 365))


def parse(text: object, *, day_first: bool | None = None) -> When:
    """Read `2012-06-14`, `14.6.2012`, `6/14/2012`, `2012-06`, `2012`, `2012.45`, or an ISO timestamp.

    day_first: which of the two is the day in a date such as 3/4/2012; None if it is not known.
    Raises `TableError` for any other value, and for 3/4/2012 if `day_first` is None.
    """
    if isinstance(text, datetime | date):
        if isinstance(text, datetime) and (text.hour or text.minute or text.second):
            at = decimal_year(text)
            return When(start=at, end=at)
        return _day(text.year, text.month, text.day, text)
    if isinstance(text, int | float | np.integer | np.floating) and math.isfinite(float(text)):
        text = f"{float(text):.10g}"
    written = str(text).strip()
    if m := _DAY.match(written):
        return _day(int(m[1]), int(m[2]), int(m[3]), written)
    if m := _DOTTED.match(written):
        return _day(int(m[3]), int(m[2]), int(m[1]), written)
    if m := _SLASHED.match(written):
        first, second, year = int(m[1]), int(m[2]), int(m[3])
        if day_first is None and first != second and max(first, second) <= 12:
            raise TableError(
                f"the date {written!r} may begin with the day or the month; write it as {year}-{first:02}-"
                f"{second:02} or {year}-{second:02}-{first:02}"
            )
        day_first = first > 12 if day_first is None else day_first
        return _day(year, *((second, first) if day_first else (first, second)), written)
    if m := _MONTH.match(written):
        year, month = int(m[1]), int(m[2])
        if not (1 <= month <= 12 and year):
            raise _unreadable(written)
        start = date(year, month, 1)
        days = calendar.monthrange(year, month)[1]
        return When(start=decimal_year(start), end=_following(start, days))
    if m := _YEAR.match(written):
        return When(start=float(m[1]), end=float(m[1]) + 1.0)
    if m := _DECIMAL.match(written):
        return When(start=float(m[1]), end=float(m[1]))
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise _unreadable(written) from None
    if len(written) < 11:  # 20120614, 2012-W24-4: a day without a time
        return _day(moment.year, moment.month, moment.day, written)
    at = decimal_year(moment)
    return When(start=at, end=at)


def _day(year: int, month: int, day: int, written: object) -> When:
    try:
        first = date(year, month, day)
    except ValueError:
        raise _unreadable(written) from None
    return When(start=decimal_year(first), end=_following(first, 1))


def _following(start: date, days: int) -> float:
    """Return the decimal year some days after a date; the next year after its last day."""
    last = start + timedelta(days=days - 1)
    return start.year + 1.0 if (last.month, last.day) == (12, 31) else decimal_year(last + timedelta(days=1))


def _unreadable(written: object) -> TableError:
    return TableError(
        f"the date {str(written)!r} cannot be read; write 2012-06-14, 2012-06, 2012, or a decimal year "
        "such as 2012.45"
    )


def parse_all(values: Iterable[object], *, column: str = "date") -> tuple[np.ndarray, np.ndarray]:
    """Return the decimal years (middle of each interval) and their standard deviations, [n] each.

    One date that begins with a number above 12, or has one in its middle, tells which part is the day in all.
    Raises `TableError` with the row of a date that cannot be read.
    """
    values = list(values)
    slashed = [m for value in values if (m := _SLASHED.match(str(value).strip()))]
    day_first = any(int(m[1]) > 12 for m in slashed)
    known = day_first or any(int(m[2]) > 12 for m in slashed)
    whens = []
    for row, value in enumerate(values, start=1):
        try:
            whens.append(parse(value, day_first=day_first if known else None))
        except TableError as error:
            raise TableError(f"row {row} of column {column!r}: {error}") from None
    return np.array([w.middle for w in whens], float), np.array([w.sigma for w in whens], float)


def calendar_day(year: float) -> str:
    """Return a decimal year as a day, `2027-03-01`; beyond the calendar, as the year alone."""
    if not 1 <= year < 9999:
        return f"{year:.0f}"
    whole = int(year)
    days = (year - whole) * (366 if calendar.isleap(whole) else 365)
    return (date(whole, 1, 1) + timedelta(days=days)).isoformat()


def calendar_month(year: float) -> str:
    """Return a decimal year as `Mar 2027`."""
    day = calendar_day(year)
    return f"{calendar.month_abbr[int(day[5:7])]} {day[:4]}" if "-" in day else day
