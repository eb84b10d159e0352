"""Predict the cost of a cell: seconds from measured steps, memory from the shape.

Without measurements, seconds are predicted only if the config assumes a speed, and are marked as assumed.
"""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from scaling import files
from scaling.config import Config, DeviceConfig
from scaling.training.cell import THINNING, Cell
from scaling.training.lifecycle import provenance

_TORCH_BYTES = 330_000_000
"""Bytes of a process after a training step, without the model: measured on Linux, CPU build of torch."""
Z = 1.2816
"""Half-width of an 80 % interval, in standard deviations."""
LEAST_SPREAD = 0.05
"""Smallest spread (log scale): repeated measurements of one shape differ by this much."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """The measured speed of one shape on this device, with all seats busy."""

    family: str
    """Architecture."""
    depth: int
    """Blocks."""
    flops_per_step: float
    """Training FLOPs of one optimiser step."""
    seconds_per_step: float
    """Seconds of one optimiser step."""
    seconds_per_evaluated_flop: float
    """Seconds per forward FLOP in evaluation."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Speed:
    """A model of the seconds per step: costs per step, per block and per FLOP, times a residual factor.

    The residual is interpolated in log FLOPs between the measured shapes.
    """

    costs: tuple[float, float, float]
    """Seconds per step, per block and per FLOP; not negative, fitted to relative errors."""
    flops_per_step: tuple[float, ...]
    """FLOPs per step of the measured shapes, in rising order."""
    log_residuals: tuple[float, ...]
    """Residual log(measured / costs) of each measured shape."""
    spread: float
    """Standard deviation of log(measured / predicted), each shape predicted from the others."""
    evaluated_flop: float
    """Seconds per forward FLOP in evaluation."""
    when: str
    """Date of the measurement, ISO 8601."""

    def seconds_per_step(self, depth: int, flops: float) -> float:
        """Return the predicted seconds of a step."""
        step, block, flop = self.costs
        left = float(np.interp(math.log(flops), np.log(self.flops_per_step), self.log_residuals))
        return (step + block * depth + flop * flops) * math.exp(left)

    def seconds(self, cell: Cell) -> tuple[float, float, float]:
        """Return the predicted seconds of a run, with the ends of an 80 % interval.

        The interval comes from predicting each measured shape from the others; it widens with the distance,
        in log FLOPs per step, beyond the largest or smallest measured shape.
        """
        flops = cell.batch_tokens * cell.flops_per_token
        evaluated = cell.evaluation_sequences * (1 + cell.evaluation_points / THINNING) * cell.context
        middle = cell.steps * self.seconds_per_step(cell.shape.depth, flops)
        middle += evaluated * cell.counts.flops_per_token / 3 * self.evaluated_flop
        outside = max(
            0.0, math.log(self.flops_per_step[0] / flops), math.log(flops / self.flops_per_step[-1])
        )
        factor = math.exp(Z * max(self.spread, LEAST_SPREAD) * (1 + outside))
        return middle, middle / factor, middle * factor


@dataclasses.dataclass(frozen=True, kw_only=True)
class Assumed:
    """An assumed speed, to price runs on a device that was not measured."""

    flops: float
    """Training FLOP/s."""
    factor: float = 2.0
    """Factor of error assumed in both directions; this is not a confidence interval."""

    def seconds(self, cell: Cell) -> tuple[float, float, float]:
        """Return the seconds of a run at this speed, and these divided and multiplied by `factor`."""
        middle = cell.flops / self.flops
        return middle, middle / self.factor, middle * self.factor


def speed(config: Config) -> Speed | Assumed | None:
    """Return the measured speed, or else the assumed speed, or else None. Raises ConfigError."""
    return measured_speed(config) or assumed_speed(config)


def assumed_speed(config: Config) -> Assumed | None:
    """Return `device.assumed_flops` as a speed, or None if it is null."""
    flops = config.device.assumed_flops
    return None if flops is None else Assumed(flops=flops)


def measured_speed(config: Config) -> Speed | None:
    """Return the speed that `scaling bench` measured for the config's device and family, or None."""
    path = path_of(config)
    try:
        return _speed(path, path.stat().st_mtime_ns, str(config.family.name))
    except (OSError, ValueError, KeyError, TypeError):
        return None


@lru_cache(maxsize=8)
def _speed(path: Path, _changed: int, family: str) -> Speed | None:
    found = files.parse_json(files.content(path))
    measured = [Measured(**row) for row in found["measured"]]
    for row in measured:
        if not all(math.isfinite(value) and value >= 0 for value in dataclasses.astuple(row)[1:]):
            raise ValueError(row)
    return fit_speed([row for row in measured if row.family == family], when=found["when"])


def fit_speed(measured: Sequence[Measured], *, when: str) -> Speed | None:
    """Fit the model to measured shapes; return None for fewer than three."""
    rows = sorted(measured, key=lambda row: row.flops_per_step)
    if len(rows) < 3:
        return None
    one = _fit(rows, when=when)
    errors = []
    for out in range(len(rows)):
        others = _fit([row for i, row in enumerate(rows) if i != out], when=when)
        row = rows[out]
        errors.append(math.log(row.seconds_per_step / others.seconds_per_step(row.depth, row.flops_per_step)))
    return dataclasses.replace(one, spread=float(np.sqrt(np.mean(np.square(errors)))))


def _fit(rows: Sequence[Measured], *, when: str) -> Speed:
    from scipy.optimize import nnls

    seconds = np.array([row.seconds_per_step for row in rows])
    columns = np.array([[1.0, row.depth, row.flops_per_step] for row in rows])
    scale = columns.max(axis=0) / seconds.mean()
    weights, _ = nnls(columns / scale / seconds[:, None], np.ones(len(seconds)))
    costs = weights / scale
    left = np.log(seconds / (columns @ costs))
    return Speed(
        costs=(float(costs[0]), float(costs[1]), float(costs[2])),
        flops_per_step=tuple(row.flops_per_step for row in rows),
        log_residuals=tuple(float(value) for value in left),
        spread=0.0,
        evaluated_flop=float(np.median([row.seconds_per_evaluated_flop for row in rows])),
        when=when,
    )


def path_of(config: Config) -> Path:
    """Return the path of the bench table of this machine and device, in SCALING_CACHE or the user's cache."""
    device = config.device
    return _path(os.environ.get("SCALING_CACHE"), f"{device.name}-{device.dtype}")


@lru_cache(maxsize=8)
def _path(cache: str | None, device: str) -> Path:
    from platformdirs import user_cache_path

    name = f"{provenance.processor()}-{os.cpu_count()}-{device}"
    file = "".join(c if c.isalnum() or c in "-." else "_" for c in name)
    return Path(cache or user_cache_path("scaling")) / "bench" / f"{file}.json"


def memory_bytes(cell: Cell) -> int:
    """Return an estimate of a run's peak memory in bytes, for a whole batch in float32.

    It includes weights, gradients and two moments in four bytes each, the activations, and the process.
    Activations per token: in each block 17 numbers per unit of width and 2.5 rows of scores per head (half of
    the bytes of arXiv:2205.05198, equation 1, which counts two bytes per number), and three copies of the
    logits.
    """
    shape = cell.shape
    heads = getattr(shape, "heads", 0) or 1
    per_token = shape.depth * (17 * shape.width + 2.5 * heads * cell.context) + 3 * cell.vocab
    return int(16 * cell.counts.params_total + 4 * per_token * cell.batch_tokens + _TORCH_BYTES)


def bill(device: DeviceConfig, seconds: float | None) -> dict[str, float | None]:
    """Return seat-hours, dollars and kWh of `seconds` on one seat, None where unknown."""
    hours = None if seconds is None else seconds / 3600
    price, watts = device.price_per_hour, device.watts
    return {
        "slot_hours": hours,
        "dollars": None if hours is None or price is None else hours * price,
        "kwh": None if hours is None or watts is None else hours * watts / 1000,
    }
