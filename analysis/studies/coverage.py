"""How often the fitter's intervals cover the truth, and how often its test of equal exponents cries wolf, on
data where the law is true.

    python analysis/studies/coverage.py --simulations 400        # about 8 minutes on one core
    python analysis/studies/coverage.py --simulations 40 --quick # a look, a minute
    python analysis/studies/coverage.py --objectives "huber auto" --n 30   # those rows alone
    python analysis/studies/coverage.py --objectives "huber auto" --n 7 9 12   # tables of few rows

Every simulation draws losses from the Chinchilla law on a fixed design of n runs (n = 240, 60, 30; six
budgets over three decades of compute, sizes within a factor of 5 of the optimum), fits, and asks whether each
95 % interval holds the true value. Expected: 93-97 % for the default interval. The test of equal exponents is
run on two independent tables of the same law: it should reject at 5 % in 3-7 % of them. Writes
results/coverage/coverage.csv and type_one.csv. The share itself has a standard error of 1.1 % at 400
simulations.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from scaling.fitting import laws
from scaling.fitting.comparison.exponents import difference
from scaling.fitting.estimation.coordinates import build
from scaling.fitting.estimation.losses import Loss
from scaling.fitting.estimation.problem import Problem
from scaling.fitting.estimation.solve import Optimum, solve
from scaling.fitting.uncertainty.bootstrap import Draws, bootstrap
from scaling.fitting.uncertainty.profile import profile
from scaling.fitting.uncertainty.sandwich import delta_method, sandwich

LAW = laws.get("chinchilla")
TRUTH = {"E": 1.8172, "A": 477.8, "B": 2143.4, "alpha": 0.3473, "beta": 0.3672}
QUANTITIES = ("E", "alpha", "beta", "a", "loss at 10 × the largest C")
HERE = Path(__file__).resolve().parents[2]


def design(n: int) -> dict[str, np.ndarray]:
    """n runs over six budgets from 1e18 to 1e21, three or more where n is below 18."""
    budgets = np.geomspace(1e18, 1e21, int(np.clip(n // 3, 3, 6)))
    total = TRUTH["alpha"] + TRUTH["beta"]
    g = (TRUTH["alpha"] * TRUTH["A"] / (TRUTH["beta"] * TRUTH["B"])) ** (1 / total)
    size, flops = [], []
    for c, some in zip(budgets, np.array_split(np.arange(n), len(budgets)), strict=True):
        best = g * (c / 6) ** (TRUTH["beta"] / total)
        size += list(best * np.geomspace(0.2, 5, len(some)))
        flops += [c] * len(some)
    return {"N": np.array(size), "D": np.array(flops) / 6 / np.array(size)}


def quantity(name: str, theta: np.ndarray) -> np.ndarray:
    """(..., P) → (...)."""
    if name in LAW.names:
        return theta[..., LAW.names.index(name)]
    if name == "a":
        return theta[..., 4] / (theta[..., 3] + theta[..., 4])
    with np.errstate(all="ignore"):
        return LAW.predict(theta, {"N": np.array([4e9]), "D": np.array([4e11])})[..., 0]


def noise(kind: str, n: int, rng: np.random.Generator) -> np.ndarray:
    """Residuals of log loss with a standard deviation of 0.5 %: normal, or Student's t with 3 degrees of
    freedom."""
    return 0.005 * (rng.standard_normal(n) if kind == "normal" else rng.standard_t(3, n) / np.sqrt(3))


def fitted(
    x: dict[str, np.ndarray], y: np.ndarray, loss: Loss, kind: str, seed: int, resamples: int
) -> tuple[Problem, Optimum, Draws]:
    """One fit with its bootstrap."""
    problem = Problem(
        law=LAW,
        x=x,
        y=y,
        weights=np.ones(len(y)),
        coordinates=build(LAW, x, y),
        loss=loss,
        starts=8,
        seed=seed,
    )
    optimum = solve(problem)
    problem = replace(problem, loss=optimum.loss)
    return problem, optimum, bootstrap(problem, optimum, name=kind, resamples=resamples, seed=seed)


LOSSES = {
    "huber auto": Loss(delta=None),
    "huber 1e-3": Loss(delta=1e-3),
    "squares": Loss(name="squares"),
}


def cover(
    n: int, simulations: int, resamples: int, kind: str, slow: bool, objectives: list[str]
) -> list[dict[str, object]]:
    """Coverage of every kind of interval at one n."""
    x = design(n)
    truth = LAW.vector(TRUTH)
    clean = LAW.predict(truth, x)
    hits: dict[tuple[str, str, str], list[tuple[bool, float]]] = {}
    for simulation in range(simulations):
        rng = np.random.default_rng([simulation, n])
        y = clean * np.exp(noise(kind, n, rng))
        for name in objectives:
            loss = LOSSES[name]
            for way in ("pairs", "wild", "parametric") if simulation < simulations // 4 else ("pairs",):
                problem, optimum, draws = fitted(x, y, loss, way, simulation, resamples)
                for asked in QUANTITIES:
                    value = float(quantity(asked, optimum.theta))
                    true = float(quantity(asked, truth))
                    found = draws.estimate(value, quantity(asked, draws.theta), 0.95).interval
                    if found is not None:
                        hits.setdefault((name, f"{way} bootstrap", asked), []).append(
                            (found[0] <= true <= found[1], found[1] - found[0])
                        )
            covariance = sandwich(problem, optimum.u)
            for asked in QUANTITIES:

                def function(p: dict[str, np.ndarray], asked: str = asked) -> np.ndarray:
                    return quantity(asked, np.concatenate([p[k] for k in LAW.names], axis=-1))

                low, high = delta_method(problem, optimum.u, covariance, function, 0.95).interval
                hits.setdefault((name, "sandwich, delta method", asked), []).append(
                    (low <= quantity(asked, truth) <= high, high - low)
                )
            if slow and n == 60 and simulation < 40:
                for asked in ("E", "alpha", "beta"):
                    low, high = profile(problem, optimum, asked, points=21).estimate.interval
                    hits.setdefault((name, "profile", asked), []).append(
                        (low <= quantity(asked, truth) <= high, high - low)
                    )
    return [
        {
            "n": n,
            "noise": kind,
            "objective": name,
            "interval": way,
            "quantity": asked,
            "simulations": len(values),
            "coverage": np.mean([v[0] for v in values]),
            "median_width": np.median([v[1] for v in values]),
        }
        for (name, way, asked), values in hits.items()
    ]


def type_one(n: int, simulations: int, resamples: int, objectives: list[str]) -> list[dict[str, object]]:
    """Share of pairs of equal tables whose exponents are called different at 5 %."""
    x = design(n)
    clean = LAW.predict(LAW.vector(TRUTH), x)
    rejected: dict[tuple[str, str], list[bool]] = {}
    for simulation in range(simulations):
        for name in objectives:
            both = []
            for side in (0, 1):
                y = clean * np.exp(noise("normal", n, np.random.default_rng([simulation, n, side])))
                both.append(fitted(x, y, LOSSES[name], "pairs", 2 * simulation + side, resamples))
            for asked in ("alpha", "beta", "a"):
                one, two = ((float(quantity(asked, o.theta)), quantity(asked, d.theta)) for _, o, d in both)
                _, p = difference(one, two, spare=None, level=0.95, method="")
                rejected.setdefault((name, asked), []).append(p < 0.05)
    return [
        {
            "n": n,
            "objective": name,
            "quantity": asked,
            "simulations": len(v),
            "rejected_at_5_percent": np.mean(v),
        }
        for (name, asked), v in rejected.items()
    ]


def keep(path: Path, new: list[dict[str, object]]) -> None:
    """Writes rows in the place of those of the same objective, n and noise."""
    made = pd.DataFrame(new)
    keys = [k for k in ("n", "noise", "objective") if k in made]
    if path.exists():
        old = pd.read_csv(path)
        again = pd.MultiIndex.from_frame(old[keys]).isin(pd.MultiIndex.from_frame(made[keys]))
        made = pd.concat([old[~again], made]).sort_values(keys, kind="stable")
    made.to_csv(path, index=False, float_format="%.4g")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--simulations", type=int, default=400)
    parser.add_argument("--resamples", type=int, default=300)
    parser.add_argument("--n", type=int, nargs="*", default=[30, 60, 240])
    parser.add_argument("--objectives", nargs="*", default=list(LOSSES))
    parser.add_argument("--quick", action="store_true", help="n = 60 only, no profiles")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "coverage")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    for n in [60] if asked.quick else asked.n:
        rows = cover(n, asked.simulations, asked.resamples, "normal", not asked.quick, asked.objectives)
        keep(asked.out / "coverage.csv", rows)
        tests = type_one(n, asked.simulations, asked.resamples, asked.objectives)
        keep(asked.out / "type_one.csv", tests)
        print(pd.DataFrame(rows).to_string(), pd.DataFrame(tests).to_string(), sep="\n", flush=True)
    if not asked.quick and 60 in asked.n:
        rows = cover(60, asked.simulations // 2, asked.resamples, "heavy-tailed", False, asked.objectives)
        keep(asked.out / "coverage.csv", rows)


if __name__ == "__main__":
    main()
