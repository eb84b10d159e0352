"""Build the tables of the report: runs, parameters, budgets, seed noise and cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from scaling.figures import units
from scaling.figures.runs import seeds
from scaling.figures.source import Source


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of a table."""

    text: str
    """Text of the cell."""
    number: bool = True
    """Whether the cell is right-aligned."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table: rows under named columns."""

    columns: tuple[tuple[str, str], ...]
    """(heading, meaning) of each column."""
    rows: tuple[tuple[Cell, ...], ...]
    """Cells of each row."""
    ids: tuple[str, ...] = ()
    """Anchor of each row, where rows have links."""


def _number(value: Any, say: Any, places: int | None = None) -> Cell:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        return Cell(text="–")
    return Cell(text=say(number) if places is None else f"{number:.{places}f}")


def _word(value: Any) -> Cell:
    return Cell(
        text="–" if value is None or (isinstance(value, float) and math.isnan(value)) else str(value),
        number=False,
    )


RATIO = "tokens_per_parameter"
PLAIN = tuple(f"{{:.{places}f}}".format for places in (0, 3, 4))
"""Formats whose output can be parsed as a number again."""
_RUNS: tuple[tuple[str, str, str, Any], ...] = (
    ("run", "id of the run: the first digits of the hash of its config", "run_id", None),
    ("N", "parameters", "params", lambda v: units.count(v, 3)),
    ("D", "tokens seen", "tokens", lambda v: units.count(v, 3)),
    ("C", "training FLOP", "flops", lambda v: units.flops(v, 3)),
    ("L", "held-out loss in nats per token of the model", "loss", PLAIN[2]),
    ("±", "standard error of the loss over evaluation sequences", "loss_se", PLAIN[2]),
    ("bits/byte", "held-out loss in bits per byte of text", "bits_per_byte", PLAIN[1]),
    ("D/N", "tokens per parameter", RATIO, units.digits),
    ("epochs", "passes over the text", "epochs", units.digits),
    ("seed", "seed of the run", "seed", PLAIN[0]),
    ("time", "seconds of training", "seconds", units.seconds),
    ("family", "architecture", "family", None),
    ("status", "how the run ended", "status", None),
)
"""(heading, meaning, column of the ledger, formatter or None for text)."""


def ordered(source: Source) -> pd.DataFrame:
    """Return every row of the ledger with tokens per parameter, the lowest loss first.

    The loss is per byte where vocabularies differ. The table and its data share this order.
    """
    table, best = source.runs.copy(), "bits_per_byte" if source.per_byte else "loss"
    N, D = (pd.to_numeric(table[c], errors="coerce") for c in ("params", "tokens"))
    return table.assign(**{RATIO: D / N}).sort_values(best, na_position="last").reset_index(drop=True)


def shown(table: pd.DataFrame) -> list[tuple[str, str, str, Any]]:
    """Return the columns of the table of runs that this ledger has."""
    return [c for c in _RUNS if c[2] in table]


def runs(table: pd.DataFrame) -> Table:
    """Return the table of all runs, from `ordered`."""
    columns = shown(table)
    rows = tuple(
        tuple(
            _word(str(row[column])[:8] if column == "run_id" else row[column])
            if say is None
            else _number(row[column], say)
            for _, _, column, say in columns
        )
        for row in table.to_dict("records")
    )
    return Table(
        columns=tuple((head, meaning) for head, meaning, _, _ in columns),
        rows=rows,
        ids=tuple(f"run-{r}" for r in table["run_id"]),
    )


def parameters(fit: dict[str, Any]) -> Table:
    """Return the estimates with intervals: parameters of the law, then derived quantities."""
    rows = []
    for name, p in [*(fit.get("parameters") or {}).items(), *(fit.get("derived") or {}).items()]:
        if not isinstance(p, dict) or not isinstance(p.get("value"), int | float):
            continue
        span = p.get("interval") or [None, None]
        rows.append(
            (
                Cell(text=units.formula(name), number=False),
                _number(p["value"], lambda v: units.digits(v, 4)),
                Cell(text=" to ".join(_number(v, lambda w: units.digits(w, 4)).text for v in span))
                if any(v is not None for v in span)
                else Cell(text="–"),
                Cell(
                    text=f"{units.percent(p['level'])}, {p.get('method', '')}".rstrip(", ")
                    if p.get("level")
                    else "–",
                    number=False,
                ),
            )
        )
    return Table(
        columns=(
            ("quantity", "parameter of the law, or derived from them"),
            ("estimate", ""),
            ("interval", ""),
            ("level and method", ""),
        ),
        rows=tuple(rows),
    )


def minima(fit: dict[str, Any]) -> Table:
    """Return the IsoFLOP minimum of every budget."""
    rows = []
    for b in ((fit.get("approaches") or {}).get("2") or {}).get("budgets") or []:
        span = b.get("N_interval")
        fine = (
            "inside the sampled sizes"
            if b.get("inside") and b.get("opens_upwards")
            else "outside the sampled sizes"
            if b.get("opens_upwards")
            else "parabola opens downwards"
        )
        rows.append(
            (
                _number(b.get("C"), lambda v: units.flops(v, 3)),
                _number(b.get("n"), lambda v: f"{v:.0f}"),
                _number(b.get("N_opt"), lambda v: units.count(v, 3)),
                Cell(
                    text=" to ".join(_number(v, lambda w: units.count(w, 3)).text for v in span)
                    if span
                    else "–"
                ),
                _number(b.get("D_opt"), lambda v: units.count(v, 3)),
                _number((b.get("D_opt") or math.nan) / (b.get("N_opt") or math.nan), units.digits),
                _number(b.get("loss_min"), units.digits, 4),
                _number(b.get("r2"), units.digits, 3),
                Cell(text=fine, number=False),
            )
        )
    heads = (
        ("budget", "training FLOP"),
        ("runs", ""),
        ("N*", "best parameters"),
        ("interval of N*", ""),
        ("D*", "best tokens"),
        ("D*/N*", "tokens per parameter at the minimum"),
        ("L*", "loss at the minimum"),
        ("R²", "share of the variance that the parabola explains"),
        ("minimum", ""),
    )
    return Table(columns=heads, rows=tuple(rows))


def seed_noise(source: Source) -> tuple[Table, float | None]:
    """Return the cells with several seeds and the pooled standard deviation of the loss over seeds."""
    groups = seeds.groups(source)
    rows = []
    for same in groups:
        losses = same["loss"].astype(float)
        sd = float(losses.std(ddof=1))
        rows.append(
            (
                *([_word(same["kind"].iloc[0])] if source.several else []),
                _number(same["budget"].iloc[0], units.flops),
                _number(same["params"].iloc[0], lambda v: units.count(v, 3)),
                _number(len(losses), lambda v: f"{v:.0f}"),
                _number(losses.mean(), units.digits, 4),
                _number(sd, units.digits, 4),
                Cell(text=units.percent(sd / losses.mean())),
            )
        )
    heads = (
        *([("kind", "what differs between the runs")] if source.several else []),
        ("budget", "training FLOP"),
        ("N", "parameters"),
        ("seeds", ""),
        ("mean L", ""),
        ("sd of L", "standard deviation over seeds"),
        ("relative", "standard deviation over mean"),
    )
    noise = seeds.pooled(groups)
    return Table(columns=heads, rows=tuple(rows)), noise[0] if noise else None


UNMEASURED = {
    "kwh": "not measured: the device does not report it, and `device.watts` is not set",
    "price": "not known: `device.price_per_hour` is not set",
}
"""Text for a cost that no run recorded."""


def bill(source: Source) -> list[tuple[str, str]]:
    """Return the cost of the sweep: time, tokens, FLOP, energy and money, with a note where unknown."""
    done = source.done
    lines = []
    for column, label, say in (
        ("seconds", "training time, summed over runs", units.seconds),
        ("flops", "training compute", units.flops),
        ("tokens", "tokens seen", units.count),
        ("kwh", "energy", lambda v: f"{units.digits(v)}{units.SPACE}kWh"),
        ("price", "price", units.money),
    ):
        numbers = pd.to_numeric(done[column], errors="coerce") if column in done else pd.Series(dtype=float)
        known = int(numbers.notna().sum())
        if known:
            some = f", in the {known} runs that recorded it" if known < len(done) else ""
            lines.append((label, say(float(numbers.sum())) + some))
        elif column in UNMEASURED and len(done):
            lines.append((label, UNMEASURED[column]))
    return lines
