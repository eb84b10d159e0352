"""Simulate language models with known algorithmic progress, to test the coverage of `law.progress`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from scaling.trends.progress.law import progress

TRUE_RATE = math.log(2) / (8 / 12)
"""Simulated growth of effective compute, ln units per year: a doubling in 8 months."""
TRUE_SHARE = 0.5


def models(
    seed: int, *, papers: int = 70, rate: float = TRUE_RATE, share: float = TRUE_SHARE
) -> dict[str, np.ndarray]:
    """Return simulated models as the arguments of `law.progress` by name, about 175 models in 70 papers.

    N and D grow from 2012 to 2024; there are two benchmarks, losses of 2 to 5 nats, and an error shared
    within each paper.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for paper in range(papers):
        year, bench, shared = rng.uniform(2012, 2024), int(rng.integers(0, 2)), rng.normal(0, 0.12)
        for _ in range(int(rng.integers(1, 5))):
            log_n = rng.normal(math.log(3e7) + 0.52 * (year - 2012), 1.5)
            log_d = rng.normal(math.log(1e9) + 0.40 * (year - 2012), 1.5)
            rows.append((log_n, log_d, year, bench, paper, shared + rng.normal(0, 0.12)))
    log_n, log_d, year, bench, paper, error = np.array(rows).T
    t = year - 2018
    loss = np.exp(0.6 + 0.2 * bench - 0.1 * (log_n - math.log(3e8) + share * rate * t))
    loss = loss + np.exp(0.4 + 0.2 * bench - 0.08 * (log_d - math.log(1e10) + (1 - share) * rate * t)) + error
    return {
        "params": np.exp(log_n),
        "tokens": np.exp(log_d),
        "year": year,
        "loss": loss,
        "benchmark": bench.astype(int).astype(str),
        "paper": paper.astype(int).astype(str),
    }


def certificate(simulations: int = 200, *, level: float = 0.95, draws: int = 100) -> dict[str, Any]:
    """Return how often the intervals contain the true rate and share, over `simulations` data sets."""
    rate_hits = share_hits = 0
    rates = []
    for seed in range(simulations):
        simulated: dict[str, Any] = models(seed)
        fit = progress(**simulated, level=level, draws=draws, seed=seed)
        rate_hits += fit.rate_interval[0] <= TRUE_RATE <= fit.rate_interval[1]
        share_hits += fit.share_interval[0] <= TRUE_SHARE <= fit.share_interval[1]
        rates.append(fit.rate)
    return {
        "simulations": simulations,
        "level": level,
        "true_rate": TRUE_RATE,
        "median_rate": float(np.median(rates)),
        "coverage_of_rate": rate_hits / simulations,
        "coverage_of_share": share_hits / simulations,
    }
