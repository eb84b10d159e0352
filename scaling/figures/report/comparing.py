"""The comparison section of the report: exponents side by side, and what one family is worth in the
other's compute."""

from __future__ import annotations

from typing import Any

from scaling.figures import units
from scaling.figures.report.tables import Cell, Table


def _said(estimate: dict[str, Any]) -> Cell:
    value = estimate.get("value")
    if value is None:
        return Cell(text="unbounded")
    span = estimate.get("interval")
    ends = [units.digits(v, 3) if v is not None else "unbounded" for v in span] if span else []
    return Cell(text=units.digits(value, 3) + (f" [{', '.join(ends)}]" if ends else ""))


def exponents(found: dict[str, Any]) -> Table:
    """Every quantity of the comparison: estimates, differences to the first, p-values."""
    labels = [str(label) for label in found.get("labels") or []]
    heads = [
        ("quantity", "parameter of the law, or derived from them"),
        *((label, "estimate with interval") for label in labels),
    ]
    for label in labels[1:]:
        heads += [(f"{label} − {labels[0]}", "difference with interval"), ("p", "of no difference")]
    rows = []
    for row in found.get("exponents") or []:
        cells = [Cell(text=units.formula(str(row.get("name"))), number=False)]
        cells += [_said(row["estimates"].get(label) or {}) for label in labels]
        for label in labels[1:]:
            difference = (row.get("differences") or {}).get(label) or {}
            p = difference.get("p")
            cells += [_said(difference), Cell(text="–" if p is None else units.digits(p))]
        rows.append(tuple(cells))
    return Table(columns=tuple(heads), rows=tuple(rows))


def gains(found: dict[str, Any]) -> list[tuple[str, str]]:
    """What each later family is worth in compute of the first, and where they cross."""
    lines = []
    for g in found.get("gains") or []:
        span = units.spoken_range(g["range"][0], g["range"][1], units.flops)
        words = (
            f"reaches with C what {g['over']} reaches with {_said(g.get('headline') or {}).text} × "
            f"C, over {span}"
        )
        crossing = (g.get("crossing") or {}).get("words")
        lines.append((str(g["of"]), words + (f"; crossing: {crossing}" if crossing else "")))
    return lines


def worth(found: dict[str, Any]) -> Table:
    """The exchange rates: every gain as so many months of each trend, with the interval of both."""
    rows = [w for w in found.get("worth") or [] if w.get("months")]
    if not rows:
        return Table(columns=(), rows=())
    trends = rows[0]["months"]
    heads = [
        ("of", "what is compared"),
        ("over", "with what"),
        ("compute", "compute-equivalent gain, with interval"),
        *((f"{name}, months", _trend(entry)) for name, entry in trends.items()),
    ]
    body = []
    for w in rows:
        cells = [Cell(text=str(w["of"]), number=False), Cell(text=str(w["over"]), number=False)]
        cells.append(Cell(text="× " + _said({"value": w["gain"], "interval": w.get("interval")}).text))
        cells += [_said(w["months"].get(name) or {}) for name in trends]
        body.append(tuple(cells))
    return Table(columns=tuple(heads), rows=tuple(body))


def rates(found: dict[str, Any]) -> list[tuple[str, str]]:
    """The trends that the gains are paid in: doubling time, interval, source."""
    rows = [w for w in found.get("worth") or [] if w.get("months")]
    return [(name, _trend(entry)) for name, entry in rows[0]["months"].items()] if rows else []


def _trend(entry: dict[str, Any]) -> str:
    """`doubles in 5.4 months [5.1, 5.8]; source`."""
    span = [12 * v for v in entry.get("doubling_years_interval") or []]
    ends = f" [{', '.join(units.digits(v, 3) for v in span)}]" if span else ""
    level = f" ({units.percent(entry['doubling_level'])})" if span and entry.get("doubling_level") else ""
    return (
        f"doubles in {units.digits(12 * float(entry['doubling_years']), 3)} months{ends}{level}; "
        f"{entry.get('source', '')}"
    )
