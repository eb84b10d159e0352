"""Run approach 1: fit a power law through the sizes on the lower envelope of loss against compute.

Hoffmann et al. 2022, arXiv 2203.15556, section 3.1. An intermediate point of a loss curve is comparable with
the end of a shorter run only while the learning rate is constant. Where the rate decays, an intermediate loss
lies above the final loss of a run of that length, so the envelope would follow the runs that happen to end
there. Intermediate points are therefore used only at the peak of the learning rate. Runs whose rate decays
contribute only their final losses.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scaling.errors import FitError
from scaling.fitting.approaches.budgets import compute
from scaling.fitting.approaches.profiles import line
from scaling.fitting.arrays import Array, Integers
from scaling.fitting.table import Table
from scaling.fitting.uncertainty.estimate import finite, percentile
from scaling.tables import ledger

HELD = 0.5
"""Share of a run's tokens that its learning rate must spend at the peak for its curve to be used."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Curve:
    """Comparable points of one size: a run at a constant learning rate, or the final losses of its runs."""

    size: float
    """N."""
    flops: Array
    """(m,) increasing compute."""
    tokens: Array
    """(m,) tokens seen."""
    loss: Array
    """(m,) loss."""
    points: str = "a run at a held learning rate"
    """Description of the points."""


def curves_of(table: Table) -> list[Curve]:
    """Return the curves of a ledger's done runs, each of three or more comparable points.

    Runs with a constant stretch of learning rate (constant schedule, stable part of WSD) give their points at
    its peak: of the held-out loss where it was evaluated, else of the training loss. Where fewer than three
    sizes have such a stretch, one curve per size goes through the final losses of its budgets. N, D and C are
    counted as in the table.
    """
    held = _held(table)
    return held if len({curve.size for curve in held}) >= 3 else _ends(table)


def _held(table: Table) -> list[Curve]:
    """Return one curve per run, of the points at the peak of its learning rate."""
    path = table.folder / "curves.parquet" if table.folder is not None else None
    if path is None or not path.is_file() or "run_id" not in table.frame:
        return []
    points = ledger.frame(path)
    if "learning_rate" not in points:
        return []
    known = {name: k for k, name in enumerate(table.frame["run_id"])}
    size, ends, tokens = table.values["N"], compute(table), table.values["D"]
    found = []
    for run, part in points.groupby("run_id", sort=True):
        if run not in known:
            continue
        part = part[part["flops"] > 0].sort_values("flops").drop_duplicates("flops")
        steady = part[part["learning_rate"] >= 0.999 * part["learning_rate"].max()]
        last = part.iloc[-1]
        if len(steady) < 3 or np.ptp(steady["tokens"]) < HELD * last["tokens"]:
            continue
        column = "loss" if "loss" in steady and steady["loss"].notna().sum() >= 3 else "loss_train"
        loss = steady[column]
        if column == "loss_train":
            loss = loss.rolling(5, center=True, min_periods=1).mean()
        steady, loss = steady[loss.notna()], loss[loss.notna()]
        if len(steady) < 3:
            continue
        k = known[run]
        # The table may count N, D and C in its own way; within a run the counts are proportional.
        found.append(
            Curve(
                size=float(size[k]),
                flops=steady["flops"].to_numpy(float) * float(ends[k] / last["flops"]),
                tokens=steady["tokens"].to_numpy(float) * float(tokens[k] / last["tokens"]),
                loss=loss.to_numpy(float),
            )
        )
    return found


def _ends(table: Table) -> list[Curve]:
    """Return one curve per size through its final losses; runs of one budget (within 2 %) are averaged."""
    size, tokens, loss, flops = table.values["N"], table.values["D"], table.values["L"], compute(table)
    found = []
    for value in np.unique(size):
        rows = np.flatnonzero(size == value)
        rows = rows[np.argsort(flops[rows], kind="stable")]
        budget = np.cumsum(np.diff(np.log(flops[rows]), prepend=np.log(flops[rows[0]])) > 0.02)
        if budget[-1] < 2:
            continue
        mean = [
            [float(np.exp(np.log(of[rows[budget == k]]).mean())) for k in range(budget[-1] + 1)]
            for of in (flops, tokens, loss)
        ]
        found.append(
            Curve(
                size=float(value),
                flops=np.array(mean[0]),
                tokens=np.array(mean[1]),
                loss=np.array(mean[2]),
                points="the ends of the runs of one size",
            )
        )
    return found


def _envelope(losses: Array, chosen: Integers) -> Integers:
    """Return (m,) the index of the lowest chosen curve at every grid point, −1 where no curve reaches."""
    part = losses[chosen]
    best = np.argmin(part, axis=0)
    return np.where(np.isfinite(part[best, np.arange(part.shape[1])]), chosen[best], -1)


def approach_one(
    curves: list[Curve], *, level: float = 0.95, resamples: int = 200, seed: int = 0, points: int = 300
) -> dict[str, Any]:
    """Return a and b of N* ∝ C^a, D* ∝ C^b from the envelope, with a bootstrap over whole curves.

    Raises FitError for fewer than three sizes.
    """
    sizes = np.array([curve.size for curve in curves])
    if len(np.unique(sizes)) < 3:
        raise FitError(
            "approach 1 needs three sizes with three comparable points or more: runs at a held learning "
            "rate, or ends of runs of one size at three budgets (points on the way of a decaying rate are "
            f"not comparable); there are {len(np.unique(sizes))}"
        )
    grid = np.log(np.geomspace(min(c.flops[0] for c in curves), max(c.flops[-1] for c in curves), points))
    losses, tokens = np.full((len(curves), points), np.inf), np.full((len(curves), points), np.nan)
    for i, curve in enumerate(curves):
        log = np.log(curve.flops)
        inside = (grid >= log[0]) & (grid <= log[-1])
        losses[i, inside] = np.interp(grid[inside], log, curve.loss)
        tokens[i, inside] = np.exp(np.interp(grid[inside], log, np.log(np.maximum(curve.tokens, 1.0))))
    there = np.isfinite(losses)
    # If the smallest or the largest size at this compute is lowest, a size outside the range may be lower.
    low = np.where(there, sizes[:, None], np.inf).min(axis=0)
    high = np.where(there, sizes[:, None], -np.inf).max(axis=0)

    def slopes(chosen: Integers) -> tuple[float, float, float, float, Integers]:
        winner = _envelope(losses, chosen)
        kept = (winner >= 0) & (sizes[winner] > low) & (sizes[winner] < high)
        if kept.sum() < 3 or len(np.unique(sizes[winner[kept]])) < 2:
            return np.nan, np.nan, np.nan, np.nan, winner
        a, base_n = line(grid[kept], np.log(sizes[winner[kept]]))
        b, base_d = line(grid[kept], np.log(tokens[winner[kept], np.flatnonzero(kept)]))
        return float(a), float(b), float(base_n), float(base_d), winner

    a, b, base_n, base_d, winner = slopes(np.arange(len(curves)))
    if not np.isfinite(a):
        raise FitError(
            "approach 1: only the smallest and the largest size at hand touch the envelope; run sizes "
            "between and beyond"
        )
    rng = np.random.default_rng(seed)
    draws = np.array(
        [slopes(np.unique(rng.integers(0, len(curves), len(curves))))[:2] for _ in range(resamples)]
    )
    method = f"bootstrap over whole curves, {resamples} resamples"
    seen = np.flatnonzero(winner >= 0)
    won = sizes[winner[seen]]
    edge = float(np.mean((won == low[seen]) | (won == high[seen])))
    return {
        "a": percentile(a, draws[:, 0], level, method).to_json(),
        "b": percentile(b, draws[:, 1], level, method).to_json(),
        "N_coefficient": finite(np.exp(np.minimum(base_n, 700))),
        "D_coefficient": finite(np.exp(np.minimum(base_d, 700))),
        "envelope": [
            {"C": float(np.exp(grid[j])), "N": float(sizes[winner[j]]), "loss": float(losses[winner[j], j])}
            for j in range(0, points, 5)
            if winner[j] >= 0
        ],
        "share_at_edge": edge,
        "words": f"{len(curves)} curves, each {curves[0].points}; {edge:.0%} of the envelope belongs to the "
        "smallest or largest size at hand and is left out",
    }
