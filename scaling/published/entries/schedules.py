"""Test the multi-power law on loss curves under nine schedules: six to test it, three to refit it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scaling.fitting import laws
from scaling.fitting.arrays import Array
from scaling.published.outcome import Entry, Refit
from scaling.published.refit import fit, frame, problem

_PAPER = "Luo et al. 2025, arXiv 2503.12811, 100M models"
# Source: src/config.py of the repository. The repository's table of parameters has only three decimals.
PUBLISHED = {
    "L_0": 2.6514477,
    "A": 0.60115152,
    "alpha": 0.45295811,
    "B": 437.9464276,
    "C": 2.13245612,
    "beta": 0.59785199,
    "gamma": 0.65523644,
}
WARM_UP = 2159
"""Step at which the learning rate of every curve reaches its peak. The repository has 2160 warm-up steps and
numbers them from 0 (src/lr_schedules.py)."""
TRAIN = ("constant-24000", "cosine-24000", "wsdcon-9")
TEST = ("constant-72000", "cosine-72000", "wsd-20000-24000", "wsdld-20000-24000", "wsdcon-3", "wsdcon-18")
METRICS = {"R2": 0.9983, "MAE": 0.00435, "RMSE": 0.00592, "PredE": 0.00142, "WorstE": 0.00583}


def curves(names: Sequence[str]) -> tuple[dict[str, Array], Array]:
    """Return the rows of several curves, joined: variables by name, each (n,), and loss (n,)."""
    tables = [frame(f"multipower-{name}") for name in names]
    joined = {
        key: np.concatenate([table[key].to_numpy(float) for table in tables])
        for key in ("step", "lr", "loss")
    }
    loss = joined.pop("loss")
    return {**joined, "warm_up": np.full(len(loss), float(WARM_UP))}, loss


def metrics(parameters: dict[str, float], names: Sequence[str]) -> dict[str, float]:
    """Return the paper's five metrics, each averaged over the curves."""
    rows = []
    for name in names:
        x, seen = curves([name])
        error = seen - laws.get("multi-power").predict(parameters, x)
        rows.append(
            (
                1 - np.sum(error**2) / np.sum((seen - seen.mean()) ** 2),
                np.mean(np.abs(error)),
                np.sqrt(np.mean(error**2)),
                np.mean(np.abs(error) / seen),
                np.max(np.abs(error) / seen),
            )
        )
    return {name: float(value) for name, value in zip(METRICS, np.mean(rows, axis=0), strict=True)}


def _published() -> Refit:
    return Refit(values=metrics(PUBLISHED, TEST))


def _refit() -> Refit:
    x, loss = curves(TRAIN)
    refit = fit(problem("multi-power", x, loss, delta=1e-3, starts=4), PUBLISHED)
    tested = metrics({name: refit.values[name] for name in PUBLISHED}, TEST)
    return replace(refit, detail={**refit.detail, "test": tested})


ENTRIES = (
    Entry(
        name="schedules/multi-power-test",
        paper=_PAPER + ", the repository's table of metrics",
        claim=(
            "The published parameters on the six curves that were not fitted, metrics averaged over curves."
        ),
        data=tuple(f"multipower-{name}" for name in TEST),
        law="multi-power",
        objective="none: published parameters are evaluated",
        published=METRICS,
        run=_published,
        within={"R2": 5e-5, "MAE": 5e-6, "RMSE": 5e-6, "PredE": 5e-6, "WorstE": 5e-6},
        note="All five to half a unit of their last digit, from the eight digits of src/config.py.",
    ),
    Entry(
        name="schedules/multi-power-train",
        paper=_PAPER + ", src/config.py of the repository",
        claim="The seven parameters refitted on the three training curves.",
        data=tuple(f"multipower-{name}" for name in TRAIN),
        law="multi-power",
        objective="sum of Huber 1e-3 of log loss",
        published=PUBLISHED,
        run=_refit,
        within=0.02,
        note=(
            "On the training curves the optimum lies thirteen times lower; on the test curves four of five "
            "metrics are worse and WorstE is better. The published point is where AdamW ended within 200 "
            "steps."
        ),
    ),
)
