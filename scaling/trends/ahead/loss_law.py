"""Compute the lowest loss at a given compute from a fitted law and the draws of its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scaling import files
from scaling.errors import TableError, one_of

NAMES = ("E", "A", "B", "alpha", "beta")


@dataclass(frozen=True, kw_only=True)
class LossLaw:
    """L = E + A / N^alpha + B / D^beta with C = flops_per_param_token × N × D."""

    name: str
    """Name of the law."""
    source: str
    """arXiv id with its equation or table, or the path of the fit."""
    values: dict[str, float]
    """Central values of E, A, B, alpha, beta."""
    draws: np.ndarray
    """Resampled parameters in the order of `NAMES`, [draws, 5]; empty where the fit has none."""
    flops_per_param_token: float = 6.0
    """Factor in C = 6 N D, FLOP per parameter and token."""

    def table(self) -> np.ndarray:
        """Return the central values, [1, 5]."""
        return np.array([[self.values[n] for n in NAMES]])

    @property
    def floor(self) -> float:
        """Irreducible loss E, nats per token."""
        return self.values["E"]


def optimum(p: np.ndarray, flops: np.ndarray, factor: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the compute-optimal ln N and ln D, [B, m] each (arXiv:2203.15556, equation 4).

    p: parameters in the order of `NAMES`, [B, 5]. flops: FLOP, broadcastable to [B, m]. factor: FLOP per
    parameter and token.
    """
    _, a, b, alpha, beta = (p[:, i, None] for i in range(5))
    product = np.log(np.asarray(flops, float) / factor)
    log_n = (np.log(alpha * a) - np.log(beta * b) + beta * product) / (alpha + beta)
    return log_n, product - log_n


def lowest_loss(
    p: np.ndarray, flops: np.ndarray, *, factor: float = 6.0, tokens_at_most: np.ndarray | float = np.inf
) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss at the best N and D for each compute, [B, m], and where the limit on D binds.

    tokens_at_most: available tokens (the data wall); infinite by default.
    """
    e, a, b, alpha, beta = (p[:, i, None] for i in range(5))
    _, log_d = optimum(p, flops, factor)
    wall = np.log(tokens_at_most)
    binds = log_d > wall
    log_d = np.minimum(log_d, wall)
    log_n = np.log(np.asarray(flops, float) / factor) - log_d
    return e + a * np.exp(-alpha * log_n) + b * np.exp(-beta * log_d), binds


def flops_for(
    p: np.ndarray, loss: float, *, factor: float = 6.0, tokens_at_most: np.ndarray | float = np.inf
) -> np.ndarray:
    """Return the least FLOPs that reach `loss`, [B], by bisection in log C.

    The result is infinite where the floor or the limit on tokens makes the loss unreachable.
    """
    low, high = np.zeros((len(p), 1)), np.full((len(p), 1), 60.0)
    wall = np.broadcast_to(np.asarray(tokens_at_most, float), (len(p),))[:, None]
    reachable = lowest_loss(p, 10**high, factor=factor, tokens_at_most=wall)[0] < loss
    for _ in range(80):
        middle = 0.5 * (low + high)
        above = lowest_loss(p, 10**middle, factor=factor, tokens_at_most=wall)[0] > loss
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return np.where(reachable, 10**high, np.inf)[:, 0]


def from_fit(path: Path) -> LossLaw:
    """Read a `fit.json` of a Chinchilla law with its bootstrap draws.

    Raises `TableError` for a missing file, a file that is not JSON, or another law.
    """
    if not path.exists():
        raise TableError(
            f"there is no fit {str(path)!r}; make one with `scaling fit`, or leave it out to use a "
            "published law"
        )
    fit = files.read_json(path, "make it again with `scaling fit`")
    try:
        return _law(path, fit)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise TableError(f"{path} is no fit ({error}); make it again with `scaling fit`") from None


def _law(path: Path, fit: dict[str, Any]) -> LossLaw:
    """Return the law of a fit file's content. Raises TableError for another law."""
    have = {k: v["value"] if isinstance(v, dict) else v for k, v in fit.get("parameters", {}).items()}
    missing = [n for n in NAMES if n not in have]
    if missing:
        raise TableError(
            f"{path} holds the law {fit.get('law')!r} without {', '.join(missing)}; a projection needs L = "
            "E + A/N^alpha + "
            "B/D^beta: fit with --law chinchilla"
        )
    boot = fit.get("bootstrap") or {}
    draws = np.empty((0, 5))
    if boot.get("draws") and set(NAMES) <= set(boot.get("names", [])):
        order = [boot["names"].index(n) for n in NAMES]
        rows = np.array(boot["draws"], float)[:, order]
        draws = rows[np.isfinite(rows).all(1) & (rows[:, 1:] > 0).all(1)]
    return LossLaw(name=str(path), source=f"{path}", values={n: float(have[n]) for n in NAMES}, draws=draws)


_PUBLISHED = {
    "hoffmann2022": ("arXiv:2203.15556, equation 10", (1.69, 406.4, 410.7, 0.34, 0.28)),
    "besiroglu2024": ("arXiv:2404.10102, table 1", (1.8172, 482.01, 2085.43, 0.3478, 0.3658)),
}


def published(name: str = "besiroglu2024") -> LossLaw:
    """Return a published law. Raises `TableError` for an unknown name.

    `besiroglu2024` has draws: fits to resamples of the 240 runs behind it, parameter uncertainty only.
    """
    if name not in _PUBLISHED:
        raise TableError(one_of("published law", name, _PUBLISHED))
    source, values = _PUBLISHED[name]
    file = Path(__file__).parent / f"{name}_draws.csv"
    draws = np.loadtxt(file, delimiter=",", skiprows=1) if file.exists() else np.empty((0, 5))
    return LossLaw(name=name, source=source, values=dict(zip(NAMES, values, strict=True)), draws=draws)
