"""Resample a table: as weights on its points, or as factors of residuals where points must stay."""

from __future__ import annotations

from typing import Any

import numpy as np

from scaling.errors import ConfigError, FitError, one_of
from scaling.fitting.arrays import Array

BOOTSTRAPS = ("pairs", "stratified", "cluster", "wild", "parametric", "none")

Seed = int | list[int]
"""Types that numpy's generator accepts as a seed."""

Labels = np.ndarray[Any, np.dtype[np.int64]]

WEBB = np.sqrt(np.array([1.5, 1.0, 0.5])) @ np.array(
    [[1.0, 0, 0, -1, 0, 0], [0, 1.0, 0, 0, -1, 0], [0, 0, 1.0, 0, 0, -1]]
)
"""Webb's six points ±√1.5, ±1, ±√0.5, which give enough distinct resamples with five clusters (Webb 2014)."""


def check(name: str) -> None:
    """Raise ConfigError for a bootstrap that does not exist."""
    if name not in BOOTSTRAPS:
        raise ConfigError(one_of("bootstrap", name, BOOTSTRAPS))


def pairs(n: int, resamples: int, seed: Seed) -> Array:
    """Return multinomial weights (K, n) of points drawn with replacement."""
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=resamples).astype(np.float64)


def stratified(labels: Labels, resamples: int, seed: Seed) -> Array:
    """Return weights (K, n) of points drawn with replacement within each stratum, so that every budget keeps
    its number of runs. Raises FitError where every stratum has one row."""
    if len(np.unique(labels)) == len(labels):
        raise FitError(
            "every stratum of the stratified bootstrap has one row, so nothing can be drawn; group by a "
            "column with fewer values"
        )
    rng = np.random.default_rng(seed)
    weights = np.zeros((resamples, len(labels)))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        weights[:, members] = rng.multinomial(
            len(members), np.full(len(members), 1 / len(members)), size=resamples
        )
    return weights


def cluster(labels: Labels, resamples: int, seed: Seed) -> Array:
    """Return weights (K, n) of whole clusters drawn with replacement, for checkpoints of one run.

    Raises FitError for fewer than three clusters.
    """
    found = np.unique(labels)
    if len(found) < 3:
        raise FitError(
            f"a cluster bootstrap needs at least 3 clusters, not {len(found)}; cluster by a column with "
            "more values"
        )
    drawn = pairs(len(found), resamples, seed)
    return drawn[:, np.searchsorted(found, labels)]


def wild(labels: Labels, resamples: int, seed: Seed) -> Array:
    """Return factors (K, n) for residuals: one Webb draw per cluster, to keep the dependence within it."""
    found = np.unique(labels)
    draws = np.random.default_rng(seed).choice(WEBB, size=(resamples, len(found)))
    return np.asarray(draws[:, np.searchsorted(found, labels)])
