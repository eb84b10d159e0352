"""The same runs counted otherwise: what counts as a parameter, what counts as compute, and how the
exponent moves."""

from __future__ import annotations

import math
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from scaling.errors import ScalingError
from scaling.figures import kinds, labels, style, units
from scaling.figures.source import Source
from scaling.fitting.approaches.two import approach_two
from scaling.fitting.arrays import Array
from scaling.fitting.table import Table, read
from scaling.tables.columns import numbers

NAME = "conventions"
RESAMPLES = 1000
"""Of the residual bootstrap, for each convention, where the fit does not say its own."""
N_CONVENTIONS = (
    ("all", "all parameters", "params"),
    ("no embedding", "without embeddings", "params - params_embedding"),
    ("blocks", "blocks only", "params_block"),
)
"""(key, words, expression over the ledger) of what is counted as N; Kaplan 2020 counts blocks only."""
C_CONVENTIONS = (
    ("counted", "counted: full attention and head", "flops"),
    (
        "causal",
        "counted, causal attention",
        "flops - flops_attention_scores_full + flops_attention_scores_causal",
    ),
    ("no head", "counted, without the head", "flops - flops_head"),
    ("6ND", "6 N D, all parameters", "6 * params * tokens"),
    ("6ND no embedding", "6 N D, without embeddings", "6 * (params - params_embedding) * tokens"),
    ("6ND blocks", "6 N D, blocks only", "6 * params_block * tokens"),
)
"""(key, words, expression) of what is counted as C; the headline is the first, Kaplan 2020's the last."""


@lru_cache(maxsize=2)
def fits(source: Source) -> dict[str, dict[str, dict[str, dict[str, Any]]]]:
    """Approach 2 for every kind of runs under every convention that the ledger allows: kind → C key → N key →
    the fit as JSON. Runs are those of the fit where there is one of that kind alone, each at its best
    learning rate."""
    by_kind: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    for kind in source.several or [""]:
        rows = pd.DataFrame(source.done[source.done["kind"] == kind])
        of_fit = source.fit is not None and set(source.fitted["kind"]) == {kind}
        by_kind[kind] = _fits(source, kinds.tuned(source.fitted if of_fit else rows)[0])
    return by_kind


def _fits(source: Source, done: pd.DataFrame) -> dict[str, dict[str, dict[str, Any]]]:
    """Approach 2 on runs of one kind: C key → N key → the fit as JSON."""
    fitted = (source.fit or {}).get("options") or {}
    options: dict[str, Any] = {
        "resamples": int(fitted.get("resamples") or RESAMPLES),
        "level": float(fitted.get("level") or 0.95),
        "seed": int(fitted.get("seed") or 0),
    }
    try:
        table = read(done, columns={"N": "params", "C": "flops"})
    except ScalingError:
        return {}
    sizes = _counted(table, "N", N_CONVENTIONS)
    computes = _counted(table, "C", C_CONVENTIONS)
    by_compute: dict[str, dict[str, dict[str, Any]]] = {}
    for c_key, flops in computes.items():
        for n_key, params in sizes.items():
            counted = replace(table, values={**table.values, "N": params, "C": flops})
            with suppress(ScalingError):
                by_compute.setdefault(c_key, {})[n_key] = approach_two(counted, **options).to_json()
    return by_compute


def _counted(table: Table, letter: str, conventions: tuple[tuple[str, str, str], ...]) -> dict[str, Array]:
    """Return the values of a letter under each convention that the ledger's columns allow, by key."""
    values = {}
    for key, _, expression in conventions:
        with suppress(ScalingError):
            values[key] = numbers(expression, letter, table.frame)
    return values


def data(source: Source) -> dict[str, Any]:
    """What the figure shows, as plain JSON; `missing` says in one sentence what is not there."""
    base = {"figure": NAME, "schema": 1}
    if source.several and source.unfitted:
        return {**base, "missing": source.unfitted}
    runs = source.fitted if source.fit else source.done
    found = fits(source).get(str(runs["kind"].iloc[0]), {}) if len(runs) else {}
    rows = []
    for c_key, c_words, c in C_CONVENTIONS:
        for n_key, n_words, n in N_CONVENTIONS:
            a = found.get(c_key, {}).get(n_key, {}).get("a") or {}
            if math.isfinite(a.get("value") or math.nan):
                span = a.get("interval")
                keys = {"C": c_key, "N": n_key, "C_words": c_words, "N_words": n_words}
                rows.append(
                    {
                        **keys,
                        "expressions": [n, c],
                        "a": a["value"],
                        "interval": span,
                        "level": a["level"],
                        "method": a["method"],
                    }
                )
    if len(rows) < 2:
        return {
            **base,
            "missing": f"the runs of {source.name} have two IsoFLOP minima under {len(rows)} ways of "
            "counting, and a comparison needs 2; add budgets, or parameters and FLOP by component.",
        }
    low, high = min(r["a"] for r in rows), max(r["a"] for r in rows)
    head = rows[0]
    return {
        **base,
        "title": f"Counting otherwise moves the exponent of N* between {low:.2f} and {high:.2f}",
        "subtitle": "The same runs, the same IsoFLOP parabolas; only what counts as compute and as a "
        "parameter changes",
        "alt": "Exponent of N* in C by convention: "
        + "; ".join(
            f"{r['C_words']} with {r['N_words']} {r['a']:.2f} {units.interval(r['interval'])}" for r in rows
        )
        + ".",
        "footer": source.footer(
            n=len(runs),
            window=f"window {units.spoken_range(runs['flops'].min(), runs['flops'].max(), units.flops)}",
            interval=f"{units.percent(head['level'])} intervals, {head['method']}",
        ),
        "rows": rows,
    }


def draw(data: dict[str, Any]) -> Figure:
    """The figure of `data`."""
    rows = data["rows"]
    groups = list(dict.fromkeys(r["C"] for r in rows))
    kinds = [k for k, _, _ in N_CONVENTIONS if any(r["N"] == k for r in rows)]
    figure, ((axes,),) = style.canvas(
        data,
        height=2.2 + 0.42 * len(groups),
        left=2.55,
        right=0.3,
        head=0.5,
    )
    axes.grid(True, axis="x")
    axes.grid(False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    colours = dict(zip(kinds, map(style.tone, style.CYCLE), strict=False))
    shapes = dict(zip(kinds, ("D", "s", "o"), strict=False))
    for y, group in enumerate(groups):
        same = [r for r in rows if r["C"] == group]
        for r in same:
            at = y + 0.22 * (kinds.index(r["N"]) - (len(kinds) - 1) / 2)
            colour = colours[r["N"]]
            if r["interval"] and None not in r["interval"]:
                axes.plot(r["interval"], [at, at], color=colour, lw=1.3, solid_capstyle="butt")
            axes.plot(r["a"], at, shapes[r["N"]], ms=5.2, color=colour, zorder=3)
        labels.margin(axes, y, same[0]["C_words"], dx=-10)
    axes.set_ylim(len(groups) - 0.4, -0.6)
    axes.set_xlabel("a, the exponent of N* in C")
    x = 0.0
    for kind in kinds:
        words = next(w for k, w, _ in N_CONVENTIONS if k == kind)
        here: dict[str, Any] = {
            "xycoords": "axes fraction",
            "textcoords": "offset points",
            "va": "center",
            "fontsize": 8.5,
        }
        axes.plot(
            x + 0.012,
            1.0 + 0.16 / (0.42 * len(groups)) * 1.0,
            shapes[kind],
            ms=5.2,
            color=colours[kind],
            transform=axes.transAxes,
            clip_on=False,
        )
        axes.annotate(
            words, (x + 0.012, 1.0 + 0.16 / (0.42 * len(groups))), xytext=(7, 0), color=colours[kind], **here
        )
        x += 0.06 + 0.0165 * len(words)
    return figure
