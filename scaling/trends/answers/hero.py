"""The hero table: every growth line of the shipped facts on one sheet, each with interval, level, n, window
and verdict."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scaling.errors import ScalingError
from scaling.trends import shipped
from scaling.trends.growth.frontier import frontier, record
from scaling.trends.growth.rate import LEVEL, Rate, between_short, rate, span_short, span_words
from scaling.trends.progress.law import Progress
from scaling.trends.series import Series
from scaling.trends.tables import rows


@dataclass(frozen=True, kw_only=True)
class Line:
    """One growth line."""

    key: str
    """Short name for programs."""
    words: str
    """What it is, for people."""
    kind: str
    """`models`, `hardware`, `money`, `algorithms` or `ability`: its colour in the picture."""
    rate: Rate
    """The growth rate."""
    series: Series | None
    """The rows behind it; None for algorithmic progress, which is not one series."""


def algorithms_rate(p: Progress) -> Rate:
    """Algorithmic progress as a growth rate of effective compute, orders of magnitude a year."""
    to_orders = 1 / math.log(10)
    return Rate(
        quantity="effective compute of language models",
        slope=p.rate * to_orders,
        low=p.rate_interval[0] * to_orders,
        high=p.rate_interval[1] * to_orders,
        level=p.level,
        method=f"augmented Chinchilla law, cluster bootstrap, {len(p.draws)} draws",
        at=p.centre[2],
        height=0.0,
        n=p.n,
        groups=p.groups,
        r2=math.nan,
        sigma=p.sigma,
        window=p.window,
        source="facts/language_models.csv",
    )


def _series(row: dict[str, str]) -> Series:
    """Return the series of one row of `lines.csv`: a function of `shipped`, its frontier, its years."""
    arguments = [part for part in row["arguments"].split(" ; ") if part]
    series: Series = getattr(shipped, row["series"])(*arguments)
    if row["frontier"] in ("highest", "lowest"):
        series = record(series, falling=row["frontier"] == "lowest")
    else:
        series = frontier(series, row["frontier"])
    return series.between(float(row["since"] or -math.inf), float(row["until"] or math.inf))


def lines(*, level: float = LEVEL) -> tuple[list[Line], dict[str, str]]:
    """Return the growth lines of `lines.csv`, and why the facts do not carry the others, by key."""
    grown: list[Line] = []
    missing: dict[str, str] = {}
    for row in rows(Path(__file__).with_name("lines.csv")):
        try:
            series = _series(row)
            growth = rate(series, method=row["method"], level=level)
            grown.append(
                Line(key=row["key"], words=row["line"], kind=row["kind"], rate=growth, series=series)
            )
        except ScalingError as error:
            missing[row["key"]] = str(error)
    try:
        progress = shipped.language_progress(level=level)
        grown.append(
            Line(
                key="algorithms",
                words="algorithms: effective compute, language",
                kind="algorithms",
                rate=algorithms_rate(progress),
                series=None,
            )
        )
    except ScalingError as error:
        missing["algorithms"] = str(error)
    return grown, missing


def verdict(r: Rate, moore: Rate | None) -> str:
    """A line's verdict against transistors per chip."""
    if not r.trending:
        return "no trend"
    if moore is None or r is moore:
        return "the yardstick" if r is moore else ("falls" if r.falls else "grows")
    low, high = sorted((abs(r.low), abs(r.high)))
    times = f"{abs(r.slope) / moore.slope:.1f}× Moore's pace"
    word = "falls at " if r.falls else ""
    if low > moore.high:
        return f"{word}{times}: faster"
    if high < moore.low:
        return f"{word}{times}: slower"
    return f"{word}{times}: not told apart"


def hero(*, level: float = LEVEL) -> dict[str, Any]:
    """The table as plain data: one row a line."""
    grown, missing = lines(level=level)
    moore = next((x.rate for x in grown if x.key == "transistors"), None)
    entries = []
    for line in grown:
        entries.append(
            {"key": line.key, "line": line.words, "kind": line.kind}
            | line.rate.as_dict()
            | {"verdict": verdict(line.rate, moore)}
        )
    table = []
    for line, row in zip(grown, entries, strict=True):
        r = line.rate
        interval = "–"
        if r.trending:
            a, b = r.doubling_interval
            interval = between_short(a, b, r.doubling_years)
        table.append(
            [
                line.words,
                f"×{r.times_per_year:.2f}" if r.trending else "no trend",
                f"{'÷2 in ' if r.falls else ''}{span_short(r.doubling_years)}" if r.trending else "–",
                interval,
                f"{r.level:.0%}",
                r.n,
                f"{int(r.window[0])}–{int(r.window[1])}",
                row["verdict"],
            ]
        )
    fast = [x for x in grown if x.rate.trending and not x.rate.falls]
    answer = "the facts carry no growth line"
    if moore is not None and fast:
        best = next((x for x in fast if x.key == "compute"), fast[0])
        answer = (
            f"Yes, several, and most are faster: transistors double in {span_words(moore.doubling_years)}, "
            "training compute in "
            f"{span_words(best.rate.doubling_years)}"
        )
        for key, name in (("algorithms", "algorithms"), ("per-dollar", "FLOP per dollar")):
            other = next((x for x in fast if x.key == key), None)
            if other is not None:
                answer += f", {name} in {span_words(other.rate.doubling_years)}"
        answer += "."
    return {
        "question": "Is there a Moore's law here?",
        "answer": answer,
        "level": level,
        "rows": entries,
        "missing": missing,
        "tables": [
            {
                "title": "Growth lines on the shipped facts",
                "columns": [
                    "quantity",
                    "a year",
                    "doubles in",
                    "interval",
                    "level",
                    "n",
                    "window",
                    "verdict",
                ],
                "rows": table,
            }
        ],
    }
