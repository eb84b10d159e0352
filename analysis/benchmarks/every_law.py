"""Speed of the fitter on every law of the catalogue, on one core: point fit and 1000 bootstrap refits of 240
points.

    OMP_NUM_THREADS=1 python analysis/benchmarks/every_law.py                     # all laws, two minutes
    OMP_NUM_THREADS=1 python analysis/benchmarks/every_law.py --laws repeats m4   # some; writes nothing
    OMP_NUM_THREADS=1 python analysis/benchmarks/every_law.py --whole --limit 30  # and whole fits, validated
    OMP_NUM_THREADS=1 python analysis/benchmarks/every_law.py --whole --rows 2000 --laws chinchilla bounded

The data come from the law itself: parameters in the middle of their start ranges, variables over plausible
ranges, 0.5 % of normal noise on the scale of the law's residuals. Times are CPU seconds of this process,
`inf` beyond --limit.
Expected on one core: point fit and 1000 refits below 3.5 s for each law but bnsl-3 (17 s: three breaks are
twins of each other), whole fits below 13 s but for m3 (18 s), bnsl-2 (34 s) and bnsl-3 (102 s); ten minutes
in all. With 2000 rows the whole fits of eight laws took 5 to 22 s.
Writes results/bench/every_law.csv.
"""

from __future__ import annotations

import argparse
import signal
import time
import timeit
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scaling.fitting import laws
from scaling.fitting.arrays import Array
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import solve
from scaling.fitting.fit import fit
from scaling.fitting.law import Law
from scaling.fitting.uncertainty.bootstrap import bootstrap
from scaling.fitting.validation.validate import validate

HERE = Path(__file__).resolve().parents[2]
TYPICAL = 3.0
"""The target's size: what start ranges in units of the target are multiples of."""
NOISE = 0.005
RANGES = {
    **{"N": (1e7, 1e10), "N_nv": (1e7, 1e10), "N_v": (1e6, 1e9), "X": (1e7, 1e10), "D": (1e8, 1e12)},
    **{"U": (1e8, 1e11), "D_F": (1e5, 1e9), "D_f": (1e4, 1e8), "C": (1e17, 1e22), "S": (1e2, 1e5)},
    **{"B": (1e4, 1e8), "x": (1e2, 1e8), "width": (256, 8192), "depth": (4, 80), "experts": (1, 512)},
    **dict.fromkeys(("P", "P_w", "P_a", "P_kv"), (2, 16)),
    **{"L": (1.5, 5), "L0": (2.2, 5), "L_final": (2.5, 4), "L_teacher": (1.9, 3), "L_student": (2, 3.5)},
    "progress": (0.02, 1),
}
"""Drawn uniformly in the logarithm."""
LINEAR = {"PC1": (-1.5, 1.5), "PC2": (-1, 1), "PC3": (-1, 1), "sparsity": (0, 0.95)}
"""Drawn uniformly."""


def schedules(rows: int) -> dict[str, Array]:
    """Three trainings one after the other, from the end of warm-up: constant, cosine, two stages."""
    step = np.linspace(2000, 24000, rows // 3)
    cosine = 3e-5 + 1.35e-4 * (1 + np.cos(np.pi * (step - 2000) / 22000))
    stages = np.where(step < 12000, 3e-4, 9e-5)
    return {"step": np.tile(step, 3), "lr": np.concatenate([np.full_like(step, 3e-4), cosine, stages])}


def variables(law: Law, rows: int, seed: int) -> dict[str, Array]:
    """Plausible values of a law's variables."""
    if "lr" in law.variables:
        return schedules(rows)
    rng = np.random.default_rng(seed)
    shares = [name for name in law.variables if name.startswith("r")]
    drawn = rng.dirichlet(np.ones(len(shares) + 1), rows)
    x = {name: drawn[:, i] for i, name in enumerate(shares)}
    for name in law.variables:
        if name in LINEAR:
            x[name] = rng.uniform(*LINEAR[name], rows)
        elif name not in shares:
            x[name] = np.exp(rng.uniform(*np.log(RANGES[name]), rows))
    if "U" in x:
        x["U"] = np.minimum(x["U"], x["D"])
    return x


def data(law: Law, rows: int = 240, seed: int = 0) -> tuple[dict[str, Array], Array]:
    """Variables and a noisy target from the middle of the law's start ranges."""
    x = variables(law, rows, seed)
    place = build(law, x, np.full(rows, TYPICAL))
    clean = law.predict(place.natural(place.starts(1, 0))[0], x)
    noise = NOISE * np.random.default_rng(seed + 1).standard_normal(rows)
    return x, clean * np.exp(noise) if law.scale == "log" else clean + noise


def seconds(run: Callable[[], Any], limit: float = 0.0) -> tuple[float, Any]:
    """CPU seconds and the result; infinite seconds and nothing where `limit`, if any, is not enough."""

    def stop(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit)
    start = time.process_time()
    try:
        result = run()
    except TimeoutError:
        return float("inf"), None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
    return time.process_time() - start, result


def measure(law: Law, rows: int, resamples: int, whole: bool, limit: float) -> dict[str, Any]:
    """One row of the table."""
    x, y = data(law, rows)
    loss = Loss(scale=law.scale, delta=None)
    problem = Problem(law=law, x=x, y=y, weights=np.ones(len(y)), coordinates=build(law, x, y), loss=loss)
    theta = np.tile(problem.coordinates.natural(problem.coordinates.starts(1, 0)), (100, 1))
    slopes = min(timeit.repeat(lambda: law.gradient(theta, x), number=1, repeat=5))
    # of 100 parameter vectors, so microseconds per vector
    row = {"law": law.name, "rows": rows, "parameters": len(law.parameters), "gradient_us": 1e4 * slopes}
    row["point_seconds"], best = seconds(lambda: solve(problem), limit)
    row["seconds"] = row["point_seconds"]
    if best is None:
        return row
    problem = replace(problem, loss=best.loss)
    row |= {"basins": len(best.basins), "reached": best.basins[0].starts / best.starts}
    refits, drawn = seconds(
        lambda: bootstrap(problem, best, name="pairs", resamples=resamples, seed=0), limit
    )
    row |= {"refits_seconds": refits, "seconds": row["point_seconds"] + refits}
    row["converged"] = drawn.converged if drawn else float("nan")
    if whole:
        table = pd.DataFrame({**x, law.target: y})
        row["whole_seconds"] = seconds(lambda: validate(fit(table, law)), 10 * limit)[0]
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "--laws", nargs="*", help="only these; then, and for other --rows, only --out is written"
    )
    parser.add_argument("--whole", action="store_true", help="also the whole fit with validation")
    parser.add_argument("--rows", type=int, default=240)
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument(
        "--limit", type=float, default=60.0, help="CPU seconds, ten times as many for --whole"
    )
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    out = asked.out or (
        None if asked.laws or asked.rows != 240 else HERE / "results" / "bench" / "every_law.csv"
    )
    rows = []
    for name in asked.laws or laws.catalogue():
        rows.append(measure(laws.get(name), asked.rows, asked.resamples, asked.whole, asked.limit))
        print("  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in rows[-1].items()))
        if out:
            out.parent.mkdir(parents=True, exist_ok=True)
            pd.DataFrame(rows).to_csv(out, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
