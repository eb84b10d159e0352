"""Format growth rates as rows of a printed table."""

from __future__ import annotations

from scaling.trends.growth.rate import Rate, between_short, span_short


def rate_row(r: Rate) -> list[str]:
    """Return one row of a table of rates, in the order of `RATE_COLUMNS`."""
    if not r.trending:
        return [
            r.quantity,
            "no trend",
            "–",
            "–",
            f"{r.level:.0%}",
            str(r.n),
            window_words(r.window),
            r.method,
        ]
    a, b = r.doubling_interval
    middle = f"{'÷2 in ' if r.falls else ''}{span_short(r.doubling_years)}"
    ends = between_short(a, b, r.doubling_years)
    return [
        r.quantity,
        f"×{r.times_per_year:.3g}",
        middle,
        ends,
        f"{r.level:.0%}",
        str(r.n),
        window_words(r.window),
        r.method,
    ]


RATE_COLUMNS = [
    "quantity",
    "growth a year",
    "doubling",
    "interval",
    "level",
    "n",
    "window",
    "method of the interval",
]


def window_words(w: tuple[float, float]) -> str:
    """Return a window as `2010–2025`."""
    return f"{int(w[0])}–{int(w[1])}"
