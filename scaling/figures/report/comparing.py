"""Build the comparison section of the report: exponents side by side and compute-equivalent gains."""

from __future__ import annotations

from typing import Any

from scaling.figures import units
from scaling.figures.report.tables import Cell, Table


def _cell(estimate: dict[str, Any]) -> Cell:
    value = estimate.get("value")
    if value is None:
        return Cell(text="unbounded")
    span = estimate.get("interval")
    ends = [units.digits(v, 3) if v is not None else "unbounded" for v in span] if span else []
    return Cell(text=units.digits(value, 3) + (f" [{', '.join(ends)}]" if ends else ""))


def exponents(comparison: dict[str, Any]) -> Table:
    """Return every compared quantity: estimates, differences from the first input, p-values."""
    labels = [str(label) for label in comparison.get("labels") or []]
    heads = [
        ("quantity", "parameter of the law, or derived from them"),
        *((label, "estimate with interval") for label in labels),
    ]
    for label in labels[1:]:
        heads += [(f"{label} − {labels[0]}", "difference with interval"), ("p", "p-value of no difference")]
    rows = []
    for row in comparison.get("exponents") or []:
        cells = [Cell(text=units.formula(str(row.get("name"))), number=False)]
        cells += [_cell(row["estimates"].get(label) or {}) for label in labels]
        for label in labels[1:]:
            difference = (row.get("differences") or {}).get(label) or {}
            p = difference.get("p")
            cells += [_cell(difference), Cell(text="–" if p is None else units.digits(p))]
        rows.append(tuple(cells))
    return Table(columns=tuple(heads), rows=tuple(rows))


def gains(comparison: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the compute-equivalent gain of each later family over the first, and their crossing."""
    lines = []
    for g in comparison.get("gains") or []:
        span = units.spoken_range(g["range"][0], g["range"][1], units.flops)
        line = (
            f"reaches with compute C the loss that {g['over']} reaches with "
            f"{_cell(g.get('headline') or {}).text} × C, over {span}"
        )
        crossing = (g.get("crossing") or {}).get("words")
        lines.append((str(g["of"]), line + (f"; crossing: {crossing}" if crossing else "")))
    return lines


def worth(comparison: dict[str, Any]) -> Table:
    """Return every gain in months of each trend, with the interval of both."""
    rows = [w for w in comparison.get("worth") or [] if w.get("months")]
    if not rows:
        return Table(columns=(), rows=())
    trends = rows[0]["months"]
    heads = [
        ("family", "the family compared"),
        ("baseline", "the family it is compared with"),
        ("gain", "compute-equivalent gain, with interval"),
        *((f"{name}, months", _trend(entry)) for name, entry in trends.items()),
    ]
    body = []
    for w in rows:
        cells = [Cell(text=str(w["of"]), number=False), Cell(text=str(w["over"]), number=False)]
        cells.append(Cell(text="× " + _cell({"value": w["gain"], "interval": w.get("interval")}).text))
        cells += [_cell(w["months"].get(name) or {}) for name in trends]
        body.append(tuple(cells))
    return Table(columns=tuple(heads), rows=tuple(body))


def rates(comparison: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the trends of the table of months: doubling time, interval, source."""
    rows = [w for w in comparison.get("worth") or [] if w.get("months")]
    return [(name, _trend(entry)) for name, entry in rows[0]["months"].items()] if rows else []


def _trend(entry: dict[str, Any]) -> str:
    """Return a trend in words, such as `doubles in 5.4 months [5.1, 5.8]; source`."""
    span = [12 * v for v in entry.get("doubling_years_interval") or []]
    ends = f" [{', '.join(units.digits(v, 3) for v in span)}]" if span else ""
    level = f" ({units.percent(entry['doubling_level'])})" if span and entry.get("doubling_level") else ""
    return (
        f"doubles in {units.digits(12 * float(entry['doubling_years']), 3)} months{ends}{level}; "
        f"{entry.get('source', '')}"
    )
