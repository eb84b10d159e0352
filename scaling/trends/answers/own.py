"""Fit trends to a user's table: growth rate by every method, shapes, breaks and a verdict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from scaling.errors import FitError, TableError
from scaling.tables import read as tables
from scaling.tables.columns import cells, column
from scaling.tables.runs import select
from scaling.trends.answers.rows import RATE_COLUMNS, rate_row
from scaling.trends.growth import kinks
from scaling.trends.growth.choose import choose
from scaling.trends.growth.frontier import frontier as filtered
from scaling.trends.growth.rate import check_level, rate, rates
from scaling.trends.series import Quantity, Series, needs, series
from scaling.trends.verify.mirror import MIXED_FORMATS


def read(
    source: Any,
    *,
    date: str,
    value: str,
    sigma: str | None = None,
    group: str | None = None,
    unit: str | None = None,
    where: str | None = None,
    decimal: str | None = None,
    keep_duplicates: bool = False,
) -> Series:
    """Read a table as one series; rows without a date or a value are left out.

    source: anything that `tables.read` takes. date, value, sigma, group, unit: columns or expressions. Raises
    `TableError` when a file or column is missing, a date or value cannot be read, or units are mixed.
    """
    mixed = next((name for name in MIXED_FORMATS if value in (name, f"`{name}`")), None)
    if mixed:
        raise TableError(
            f"column {mixed!r} mixes number formats, which fakes a doubling of 1.4-1.9 years; fit the "
            "column of one format"
        )
    # dates stay text: 2012-10 must not become a number
    came = tables.read(source, decimal=decimal, text=(date,))
    name = Path(came.path).name
    table, left_out = select(came.frame, came.path, where, by=unit)
    dates, values = cells(date, "date", table), column(value, "value", table)
    there = dates.notna() & values.notna()
    if not there.any():
        raise TableError(
            f"{name} has no row with both {date!r} and {value!r}; name other columns or loosen the filter"
        )
    if not there.all():
        left_out.append(
            f"{int((~there).sum())} of {len(there)} rows have no {date!r} or no {value!r} and are left out"
        )
    units, groups = (
        cells(text, what, table)[there] if text else None for text, what in ((unit, "unit"), (group, "group"))
    )
    if units is not None:
        kinds = sorted(map(str, units.dropna().unique()))
        if len(kinds) > 1:
            raise TableError(
                f"column {unit!r} mixes {len(kinds)} units ({', '.join(kinds[:5])}); fit one at a time: "
                f"add --where \"{unit} == '{kinds[0]}'\""
            )
    found = series(
        Quantity(name=value, unit="1" if units is None else str(units.iloc[0])),
        list(dates[there]),
        list(values[there]),
        sigma=list(column(sigma, "sigma", table)[there]) if sigma else None,
        group=None if groups is None else list(groups.fillna("unknown")),
        # two chips may share day and speed, so only a row that repeats every cell is a duplicate
        label=[" | ".join(map(str, row)) for row in table[there].itertuples(index=False)],
        source=name,
        keep_duplicates=keep_duplicates,
    )
    return replace(found, notes=(*came.notes, *left_out))


def answer(
    s: Series,
    *,
    since: float | None = None,
    until: float | None = None,
    frontier: str = "all",
    horizon: float = 3.0,
    level: float = 0.9,
) -> dict[str, Any]:
    """Return rates by every method, shapes with hindcasts, and the test for a break.

    since, until: decimal years. frontier: a name in `FILTERS`. horizon: years ahead of the hindcasts.
    """
    check_level(level)
    s = filtered(s, frontier)
    s = s.between(since if since is not None else -1e9, until if until is not None else 1e9)
    needs(s)
    main = rate(s, method="cluster" if s.group is not None and len(set(s.group)) > 1 else "ols", level=level)
    fitted_rates = rates(s, level=level)
    payload: dict[str, Any] = {
        "question": s.quantity.name,
        "rate": main.as_dict(),
        "methods": [r.as_dict() for r in fitted_rates],
    }
    tables = [
        {
            "title": f"{s.quantity.name}: growth rate by every interval method",
            "columns": RATE_COLUMNS,
            "rows": [rate_row(r) for r in fitted_rates],
        }
    ]
    words = main.words()
    words = words if words.startswith("no trend") else f"{'falls' if main.falls else 'grows'} {words}"
    sentence = f"{s.quantity.name}: {words}."
    if len(s) >= 8:
        choice = choose(s, horizon=horizon, level=level)
        payload["shapes"] = choice.as_dict()
        sentence += f" {choice.verdict()}"
        rows = []
        for c in choice.candidates:
            h = c.hindcast
            rmse = "–" if h is None else "∞" if h.infinite else f"{h.rmse:.2f}"
            rows.append([c.curve.shape, f"{c.curve.bic:.1f}", f"{c.curve.aicc:.1f}", rmse])
        tables.append(
            {
                "title": "Shapes",
                "columns": ["shape", "BIC", "AICc", f"{horizon:g}-year hindcast RMSE"],
                "rows": rows,
            }
        )
        try:
            test = kinks.break_test(s.year, s.log, 0)
            payload["break"] = {
                "p": test.p,
                "statistic": test.statistic,
                "draws": test.draws,
                "davies_p": test.davies_p,
            }
            if test.p <= 1 - level:
                fitted = kinks.fit(s.year, s.log, 1)
                low, high = kinks.profile_interval(s.year, s.log, fitted, 0, level)
                payload["break"] |= {"year": fitted.breaks[0], "interval": [low, high], "level": level}
                sentence += (
                    f" The growth rate changes in {fitted.breaks[0]:.1f} [{low:.1f}, {high:.1f}] "
                    f"(bootstrap p {test.p:.3f})."
                )
            else:
                sentence += f" No break of the growth rate is detected (bootstrap p {test.p:.2f})."
        except FitError as error:
            payload["break"] = {"left_out": str(error)}
    return {"answer": sentence, **payload, "notes": list(s.notes), "tables": tables}
