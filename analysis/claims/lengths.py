"""Long text as numbers of a claim: loss against context at equal compute, loss by position, speed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
from claim import RESULTS, bare, done, window
from schema import Number
from scipy import stats

SPEED = RESULTS / "bench" / "length.json"
NEAR, FAR = (32, 64), (256, 512)
"""Positions, from and below, whose losses are compared: the further one has more text before it."""
LEVEL = 0.95


def against(study: Path, base: str) -> dict[tuple[str, int], Number]:
    """(family, context) → loss less that of `base`, all at one compute.

    The noise is that of seeds, pooled over all families and contexts, with Student's t.
    """
    runs = done(study)
    cells = runs.groupby(["family", "context"])["loss"].agg(["mean", "var", "count"])
    free = float((cells["count"] - 1).sum())
    noise = float((cells["var"] * (cells["count"] - 1)).sum() / free)
    found = {}
    for (family, context), own in cells.drop(index=base, level="family").iterrows():
        other = cells.loc[(base, context)]
        gap = own["mean"] - other["mean"]
        half = stats.t.ppf((1 + LEVEL) / 2, free) * np.sqrt(noise * (1 / own["count"] + 1 / other["count"]))
        found[family, context] = Number(
            name=f"loss of {family} less that of {base} at context {context}, nats per byte, {study.name}",
            value=float(gap),
            interval=[float(gap - half), float(gap + half)],
            level=LEVEL,
            method=f"Student's t, seeds pooled, {free:.0f} degrees of freedom",
            n=int(own["count"] + other["count"]),
            range=window(runs[runs["context"] == context]),
        )
    return found


def reach(study: Path) -> dict[str, Number]:
    """Family → what more text than NEAR has before it is worth: loss there less loss at FAR, at the longest
    context.

    Sequences are the independent units. The ledger has their standard error at each position and of the
    whole; the ratio of the latter to what independent positions would give widens the error of a group.
    """
    runs = done(study)
    places = pd.read_parquet(study / "positions.parquet")
    longest = runs[runs["context"] == runs["context"].max()]
    found = {}
    for family, some in longest.groupby("family"):
        gaps, errors = [], []
        for run in some.itertuples():
            curve = places[places["run_id"] == run.run_id].sort_values("position")
            loss, error = curve["loss"].to_numpy(), curve["loss_se"].to_numpy()
            together = run.loss_se / (np.sqrt((error**2).sum()) / len(error))
            near, far = slice(*NEAR), slice(*FAR)
            gaps.append(loss[near].mean() - loss[far].mean())
            errors.append(together * np.hypot(_error(error[near]), _error(error[far])))
        # the held-out text is the same for every seed, so that seeds do not average its error away
        gap, half = float(np.mean(gaps)), float(stats.norm.ppf((1 + LEVEL) / 2) * np.mean(errors))
        found[family] = Number(
            name=f"loss of {family} at bytes {NEAR[0]} to {NEAR[1] - 1} of the window less that at "
            f"{FAR[0]} to {FAR[1] - 1}, nats per byte, {study.name}",
            value=gap,
            interval=[gap - half, gap + half],
            level=LEVEL,
            method="normal, standard error over held-out sequences, mean over seeds",
            n=len(some),
            range=window(some),
        )
    return found


def speed() -> dict[str, Number]:
    """Family → tokens a second over the longest window against the shortest; empty before it was measured."""
    if not SPEED.is_file():
        return {}
    table = json.loads(SPEED.read_text(encoding="utf-8"))
    found = {}
    for family, row in table["tokens_per_second"].items():
        shortest, longest = min(row, key=int), max(row, key=int)
        found[family] = bare(
            f"tokens per second of training of {family} at context {longest} over those at {shortest}",
            row[longest] / row[shortest],
            f"least processor time of {table['rounds']} interleaved rounds, one thread ({table['command']})",
            table["rounds"],
            f"N {table['params'][family]:.2g}",
        )
    return found


def _error(each: np.ndarray) -> float:
    return float(np.sqrt((each**2).sum()) / len(each))
