"""Refit the law of repeated data (arXiv 2305.16264): published point, better optimum, and profile of R_N*."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from scaling.fitting.arrays import Array
from scaling.fitting.estimation.problem import Problem
from scaling.published.outcome import Entry, Refit
from scaling.published.refit import fit, frame, problem, value_at

_PAPER = "Muennighoff et al. 2023, arXiv 2305.16264"
BASE = {
    "E": float(np.exp(0.6254804)),
    "A": float(np.exp(6.255414)),
    "B": float(np.exp(7.3049974)),
    "alpha": 0.3526596,
    "beta": 0.3526596,
}
"""C4 coefficients, held fixed as in the paper."""
STARS = {"R_D_star": 15.387756, "R_N_star": 5.309743}
"""Published R_D* and R_N*."""
OBJECTIVE = 0.01582594
"""Published objective at `STARS`: sum of Huber 1e-3 of log loss."""


def view() -> Problem:
    """Return the paper's problem: its objective on 182 runs, with the C4 coefficients fixed."""
    table = frame("datablations")
    x = {"N": table["N"], "D": table["D"], "U": table["U"]}
    return problem("repeats", x, table["loss"], delta=1e-3, fixed=BASE, starts=48)


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """The profile of the objective along R_N*, minimised over R_D*."""

    half_size: Array
    """(n,) R_N*."""
    half_data: Array
    """(n,) best R_D* at each R_N*."""
    objective: Array
    """(n,) objective at each R_N*."""

    @property
    def valleys(self) -> list[tuple[float, float, float]]:
        """Local minima (R_N*, R_D*, objective), lowest first."""
        y = self.objective
        inner = np.flatnonzero((y[1:-1] < y[:-2]) & (y[1:-1] <= y[2:])) + 1
        minima = [(float(self.half_size[i]), float(self.half_data[i]), float(y[i])) for i in inner]
        return sorted(minima, key=lambda valley: valley[2])


def profile(points: int = 121, low: float = 0.3, high: float = 300.0) -> Profile:
    """Profile the objective over a log grid of R_N*.

    At each R_N* a log grid over the whole range of R_D* is searched and refined three times, so the minimum
    does not depend on a start.
    """
    problem_ = view()
    x, observed = problem_.x, np.log(problem_.y)
    sizes = np.geomspace(low, high, points)
    grid = np.geomspace(0.5, 5000.0, 81)
    best, values = np.empty(points), np.empty(points)
    base = problem_.law.vector({**BASE, **STARS})
    for i, size in enumerate(sizes):
        near = grid
        for _ in range(4):
            theta = np.tile(base, (len(near), 1))
            theta[:, -2], theta[:, -1] = near, size
            height = problem_.loss.value(np.log(problem_.law.predict(theta, x)) - observed, problem_.weights)
            k = int(np.argmin(height))
            best[i], values[i] = near[k], height[k]
            near = np.geomspace(near[max(k - 1, 0)], near[min(k + 1, len(near) - 1)], 21)
    return Profile(half_size=sizes, half_data=best, objective=values)


@cache
def _profile() -> Profile:
    return profile()


def _point() -> Refit:
    return Refit(values={"objective": value_at(view(), {**BASE, **STARS})})


def _stars() -> Refit:
    shown = _profile()
    valleys = [{**BASE, "R_D_star": d, "R_N_star": n} for n, d, _ in shown.valleys]
    refit = fit(view(), {**BASE, **STARS}, valleys)
    return Refit(
        values={name: refit.values[name] for name in STARS},
        objective=refit.objective,
        at_published=refit.at_published,
        detail={
            "valleys": [{"R_N_star": n, "R_D_star": d, "objective": v} for n, d, v in shown.valleys],
            "profile": {
                "R_N_star": [float(f"{v:.5g}") for v in shown.half_size[::4]],
                "R_D_star": [float(f"{v:.5g}") for v in shown.half_data[::4]],
                "objective": [float(f"{v:.7g}") for v in shown.objective[::4]],
            },
        },
    )


def _free() -> Refit:
    table = frame("datablations")
    x = {"N": table["N"], "D": table["D"], "U": table["U"]}
    return fit(problem("repeats", x, table["loss"], delta=1e-3, starts=12), {**BASE, **STARS})


ENTRIES = (
    Entry(
        name="repeats/published-point",
        paper=_PAPER + ", section 6 and the repository's notebook",
        claim=(
            "The objective of the law of repeats at the published R_D* and R_N*, C4 coefficients fixed, 182 "
            "runs."
        ),
        data=("datablations",),
        law="repeats",
        objective="sum of Huber 1e-3 of log loss",
        published={"objective": OBJECTIVE},
        run=_point,
        within={"objective": 1e-8},
    ),
    Entry(
        name="repeats/stars",
        paper=_PAPER + ", section 6",
        claim="R_D* and R_N* on 182 runs, C4 coefficients fixed.",
        data=("datablations",),
        law="repeats",
        objective="sum of Huber 1e-3 of log loss",
        published=STARS,
        run=_stars,
        within=0.01,
        note=(
            "The published point is a local optimum: a valley at smaller R_N* and larger R_D* lies "
            "lower by 0.13 %. "
            "The profile is that flat: these runs do not settle how fast repeated tokens lose their worth."
        ),
    ),
    Entry(
        name="repeats/all-free",
        paper=_PAPER + ", section 6",
        claim="The same runs with all seven parameters free.",
        data=("datablations",),
        law="repeats",
        objective="sum of Huber 1e-3 of log loss",
        published={**BASE, **STARS},
        run=_free,
        within=0.01,
        note=(
            "The paper fits in two steps; in one step the objective falls by more than half and R_N* runs to "
            "the end of what is searched."
        ),
    ),
)
