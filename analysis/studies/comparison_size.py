"""How often `compare` calls two tables of one law different, and how often it finds a true difference.

    python analysis/studies/comparison_size.py --n 30 60 --simulations 100       # CPU-minutes: see below
    python analysis/studies/comparison_size.py --n 240 --simulations 40
    python analysis/studies/comparison_size.py --n 60 --simulations 40 --steeper 0.02

Every simulation draws two tables of n runs each from one Chinchilla law (the design of `coverage.py`, 0.5 %
of normal noise), fits both and tests every shared model against separate laws, as `compare` does. A true
null should be rejected at 5 % in 5 % of the simulations; the standard error of a share stands beside it. With
`--steeper` the second table has a larger alpha and an amplitude that keeps its loss in the middle of the
data: the share is then the power. One simulation of n = 60 takes one to two seconds, three with absolute
deviations. Rows of an objective, an n and a `--steeper` replace the rows of the same in
results/coverage/comparison.csv.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from coverage import HERE, LAW, TRUTH, design, noise

from scaling.fitting.comparison.shared import shared_models
from scaling.fitting.fit import fit
from scaling.fitting.result import Fit

OBJECTIVES: dict[str, dict[str, object]] = {
    "huber 1e-3": {"objective": "huber", "delta": 1e-3},
    "huber auto": {"objective": "huber", "delta": "auto"},
    "squares": {"objective": "squares"},
    "lad": {"objective": "lad"},
    "asymmetric": {"objective": "asymmetric"},
    "likelihood": {"objective": "likelihood"},
}
KEYS = ["objective", "n", "alpha_difference"]


def fitted(n: int, seed: list[int], steeper: float, options: dict[str, object]) -> Fit:
    """One table and its fit, without a bootstrap of its own."""
    x = design(n)
    alpha = TRUTH["alpha"] + steeper
    amplitude = TRUTH["A"] * float(np.exp(steeper * np.log(x["N"]).mean()))
    clean = LAW.predict(LAW.vector({**TRUTH, "alpha": alpha, "A": amplitude}), x)
    frame = pd.DataFrame({**x, "L": clean * np.exp(noise("normal", n, np.random.default_rng(seed)))})
    return fit(frame, LAW, bootstrap="none", starts=4, **options)


def rates(name: str, n: int, simulations: int, resamples: int, steeper: float) -> list[dict[str, object]]:
    """Share of rejections at 5 % for every shared model."""
    found: dict[str, list[float]] = {}
    seconds = 0.0
    for simulation in range(simulations):
        both = [
            fitted(n, [simulation, n, side, 1], side * steeper, OBJECTIVES[name] | {"seed": simulation})
            for side in (0, 1)
        ]
        began = time.process_time()
        for row in shared_models(both, ["a", "b"], resamples=resamples):
            if "p_against_separate" in row:
                found.setdefault(row["model"], []).append(row["p_against_separate"])
        seconds += time.process_time() - began
    out: list[dict[str, object]] = []
    for model, p in found.items():
        share = float(np.mean(np.array(p) < 0.05))
        out.append(
            {
                "objective": name,
                "n": n,
                "alpha_difference": steeper,
                "model": model,
                "simulations": len(p),
                "resamples": resamples,
                "rejected_at_5_percent": share,
                "standard_error": float(np.sqrt(max(share, 0.05) * (1 - share) / len(p))),
                "mean_p": float(np.mean(p)),
                "cpu_seconds_a_comparison": seconds / simulations,
            }
        )
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--simulations", type=int, default=100)
    parser.add_argument("--resamples", type=int, default=100)
    parser.add_argument("--n", type=int, nargs="*", default=[30, 60])
    parser.add_argument("--objectives", nargs="*", default=["squares", "huber auto", "huber 1e-3", "lad"])
    parser.add_argument("--steeper", type=float, default=0.0)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "coverage" / "comparison.csv")
    asked = parser.parse_args()
    for n in asked.n:
        for name in asked.objectives:
            new = pd.DataFrame(rates(name, n, asked.simulations, asked.resamples, asked.steeper))
            print(new.to_string(), flush=True)
            if asked.out.exists():
                old = pd.read_csv(asked.out)
                same = (old["objective"] == name) & (old["n"] == n)
                kept = old[~(same & np.isclose(old["alpha_difference"], asked.steeper))]
                new = pd.concat([kept, new]) if len(kept) else new
            new.sort_values([*KEYS, "model"]).to_csv(asked.out, index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
