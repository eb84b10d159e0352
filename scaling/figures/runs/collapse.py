"""Draw normalised loss curves, which collapse onto one curve where training is well tuned.

Source: Qiu 2025, arXiv 2507.02119.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from scaling.figures import panels, units
from scaling.figures.marks import threads
from scaling.figures.runs import curves
from scaling.figures.source import Source

NAME = "collapse"
FROM = 0.1
"""Share of training from which the collapse is judged; warm-up dominates before it."""
TOLERANCE = 0.05
"""Largest relative spread of the normalised loss that counts as a collapse."""


def data(source: Source) -> dict[str, Any]:
    """Return the figure's content as plain JSON; `missing` holds the reason where it cannot be drawn."""
    drawn = curves.data(source)
    base = {"figure": NAME, "schema": 1}
    if drawn.get("missing"):
        return {**base, "missing": drawn["missing"]}
    fit = {} if source.unfitted else source.fit or {}
    floor = float(((fit.get("parameters") or {}).get("E") or {}).get("value") or 0.0)
    least = min(run["loss"][-1] for run in drawn["runs"])
    floor = floor if 0 < floor < least else 0.0
    runs, at = [], np.geomspace(FROM, 1.0, 40)
    for run in drawn["runs"]:
        x, y = np.array(run["flops"]) / run["flops"][-1], np.array(run["loss"])
        reduced = (y - floor) / (y[-1] - floor)
        keep = x >= 0.01
        runs.append(
            {
                "run_id": run["run_id"],
                "params": run["params"],
                **({"kind": run["kind"]} if "kind" in run else {}),
                "share": x[keep].tolist(),
                "reduced": reduced[keep].tolist(),
            }
        )
    runs.sort(key=lambda r: source.several.index(r["kind"]) if "kind" in r else 0)
    kinds = panels.of(runs)
    by_kind = {kind: _spread([r for r in runs if r.get("kind", "") == kind], at) for kind in kinds}
    spreads = {kind: spread for kind, spread in by_kind.items() if spread is not None}
    if not spreads:
        return {
            **base,
            "missing": f"fewer than two runs of {source.name} have loss curves that start in the "
            "first tenth of their training.",
        }
    spread = max(spreads.values())
    widest = next(kind for kind, s in spreads.items() if s == spread)
    # Where there are many kinds, draw those with the largest spread.
    drawn_kinds = sorted(kinds, key=lambda kind: -spreads.get(kind, 0.0))[: panels.MOST]
    shown = [r for r in runs if r.get("kind", "") in drawn_kinds]
    left_out = len(kinds) - len(drawn_kinds)
    verb = "collapse" if spread < TOLERANCE else "do not collapse"
    where = f", widest for {widest}" if len(kinds) > 1 else ""
    return {
        **base,
        "title": f"The loss curves of {len(runs)} runs {verb} onto one: spread up to "
        f"{units.percent(spread)}{where}",
        "subtitle": "Loss above the floor E, divided by its value at the end of the run, against the share "
        "of training done",
        "alt": f"Normalised loss against share of training for {len(runs)} runs, coloured by parameters; "
        f"after a tenth of training they differ by up to {units.percent(spread)}.",
        "footer": source.footer(
            n=len(runs),
            window=f"window: last {units.percent(1 - FROM)} of training",
            interval="spread: one standard deviation over runs, at its widest; no interval",
            note=f"floor E = {units.digits(floor, 3)} of the fit"
            if floor
            else "floor 0: no fitted E below the data"
            + (f" · not drawn: {left_out} kinds with a smaller spread" if left_out else ""),
        ),
        "runs": shown,
    }


def _spread(runs: list[dict[str, Any]], at: np.ndarray) -> float | None:
    """Return the largest standard deviation over runs relative to their mean; None below two runs."""
    on = np.array(
        [
            np.interp(np.log(at), np.log(r["share"]), r["reduced"])
            for r in runs
            if len(r["share"]) > 1 and r["share"][0] <= FROM * 1.5
        ]
    )
    return float(np.max(on.std(0) / on.mean(0))) if len(on) > 1 else None


def draw(data: dict[str, Any]) -> Figure:
    """Draw the figure from its `data`."""
    runs = data["runs"]
    kinds = panels.of(runs)
    figure, places = panels.canvas(data, kinds, right=0.3, gap=0.6, ruled=True)
    sizes = [r["params"] for r in runs]
    inside = [v for r in runs for s, v in zip(r["share"], r["reduced"], strict=True) if s >= 0.02]
    for axes, kind, first, last in places:
        axes.set_xscale("log")
        axes.set_yscale("log")
        same = [r for r in runs if r.get("kind", "") == kind]
        lines = [(r["share"], r["reduced"]) for r in same]
        threads(axes, lines, [r["params"] for r in same], width=1.1, among=sizes)
        axes.set_xlim(0.02, 1.0)
        axes.set_ylim(min(0.97, *inside), max(inside) * 1.03)
        units.say_axis(axes.xaxis, units.percent)
        units.say_axis(axes.yaxis, units.plain)
        if last:
            axes.set_xlabel("share of training done")
        if first:
            axes.set_ylabel("(L − floor) / (end − floor)")
    panels.ruler(places, sizes)
    return figure
