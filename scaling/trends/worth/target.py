"""Measure progress towards a fixed target: the lowest compute or price that reached one level, by date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.trends import dates
from scaling.trends.growth.frontier import record
from scaling.trends.growth.rate import LEVEL, LOG2, Rate, rate
from scaling.trends.series import Series, needs


@dataclass(frozen=True, kw_only=True)
class Target:
    """The fall of the lowest cost of one level."""

    target: str
    """Name of the fixed level."""
    records: Series
    """Systems that were the cheapest at their date."""
    factor: float
    """Cost of the first record over that of the last."""
    years: float
    """Years between the first and the last record."""
    line: Rate
    """Growth rate fitted to the records; negative where the cost falls."""

    @property
    def halving_years_end_to_end(self) -> float:
        """Halving time from the first and the last record alone, years."""
        return self.years * LOG2 / float(np.log10(self.factor))

    def as_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "target": self.target,
            "factor": self.factor,
            "years": self.years,
            "halving_months_end_to_end": 12 * self.halving_years_end_to_end,
            "line": self.line.as_dict(),
            "records": [
                {
                    "name": None if self.records.label is None else self.records.label[i],
                    "date": dates.calendar_day(t),
                    "value": v,
                }
                for i, (t, v) in enumerate(zip(self.records.year, self.records.value, strict=True))
            ],
        }


def target(s: Series, name: str, *, level: float = LEVEL) -> Target:
    """Return the running minimum of the cost of reaching `name`.

    Raises `TableError` with fewer than three records.
    """
    best = record(s, falling=True)
    needs(best)
    return Target(
        target=name,
        records=best,
        factor=float(best.value[0] / best.value[-1]),
        years=float(best.year[-1] - best.year[0]),
        line=rate(best, level=level),
    )
