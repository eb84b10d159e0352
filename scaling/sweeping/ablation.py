"""Measure how each switch of this device changes the speed of a training step (`scaling bench --ablate`).

A switched step and the plain step are timed alternately in one process, so that other load on the machine
slows both. Each ratio is the median over the pairs.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from scaling import files
from scaling.config import Config
from scaling.errors import ScalingError
from scaling.sweeping.planning import cells, price
from scaling.training.cell import Cell
from scaling.training.hardware import compile
from scaling.training.hardware.devices import deterministic, find_device, products
from scaling.training.hardware.failures import out_of_memory
from scaling.training.lifecycle import provenance
from scaling.training.lifecycle.run import assemble
from scaling.training.loop import Trainer
from scaling.training.objectives.chunked import Headless

TURNS = 21
"""Number of pairs of steps per ratio."""
WARM_UP = 3
"""Number of steps before timing starts, in which memory is allocated and kernels are chosen and compiled."""
LEVEL = 0.95
"""Confidence level of the intervals."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Way:
    """The settings of a training step. The defaults are the plain step."""

    dtype: str | None = None
    """Number format; None: the config's."""
    micro_batch: int | None = None
    """Sequences per micro-batch; None: the whole batch."""
    compiled: str | None = None
    """Mode of `device.compile`; None: not compiled."""
    chunk: int | None = None
    """Number of tokens whose logits are computed at once; None: all."""
    resident: bool = False
    """Whether the training text is kept in device memory."""
    fused: bool = True
    """Whether the optimiser updates all weights in one kernel."""
    exact: bool = False
    """Whether only deterministic operations are used."""


def switches(batch_sequences: int, batch_tokens: int, cuda: bool) -> list[tuple[str, Way | str]]:
    """Return each switch as the user types it, with its settings or why it does not apply here."""

    def on_cuda(way: Way, why: str = "for CUDA devices") -> Way | str:
        return way if cuda else why

    half, chunk = max(1, batch_sequences // 2), max(1, min(1024, batch_tokens // 4))
    return [
        ("none, against itself", Way()),
        ("device.compile=default", Way(compiled="default")),
        ("device.compile=reduce-overhead", on_cuda(Way(compiled="reduce-overhead"))),
        (f"device.loss_chunk={chunk}", Way(chunk=chunk)),
        ("device.resident=true", on_cuda(Way(resident=True))),
        (f"device.micro_batch={half}", Way(micro_batch=half)),
        ("optimiser not fused", Way(fused=False)),
        ("device.dtype=bfloat16", Way(dtype="bfloat16")),
        ("device.dtype=tf32", on_cuda(Way(dtype="tf32"))),
        ("device.deterministic=true", on_cuda(Way(exact=True), "a CPU always gives the same bits")),
    ]


def ablate(configs: Sequence[Config], *, turns: int = TURNS) -> dict[str, Any]:
    """Measure every switch at the shape and batch of each config.

    Return the table that `keep` writes. `switches` has one row per switch: `ratio`, the switched speed
    divided by the plain speed; `low` and `high`, the 95 % interval of this median; `tokens_per_second`;
    `mfu`; or `why` the switch was not measured. `peaks` has the peak FLOP/s of each number format, from which
    `mfu` is computed. Raises LaunchError if the device does not exist.
    """
    config = configs[0]
    device = find_device(config.device.name)
    first = _cell(config)
    peaks = known_peaks(config, device)
    header: dict[str, Any] = {
        "schema": 3,
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "device": provenance.device(device),
        "dtype": first.dtype,
        "family": first.family,
        "turns": turns,
        "peaks": peaks,
    }
    rows: list[dict[str, Any]] = []
    for one in configs:
        plain = _cell(one)
        batch = plain.hyperparameters.batch_sequences
        at = {"params": plain.counts.params_total, "batch_sequences": batch, "context": plain.context}
        for name, way in switches(batch, plain.batch_tokens, device.type == "cuda"):
            row = at | dict.fromkeys(("ratio", "low", "high", "tokens_per_second", "mfu", "why"))
            row |= {"switch": name}
            row |= {"why": way} if isinstance(way, str) else _against(one, way, device, turns)
            dtype = (None if isinstance(way, str) else way.dtype) or plain.dtype
            if row["tokens_per_second"] and dtype in peaks:
                peak = peaks[dtype]["flops_per_second"]
                row["mfu"] = row["tokens_per_second"] * plain.flops_per_token / peak
            rows.append(row)
    return {**header, "switches": rows}


def known_peaks(config: Config, device: torch.device) -> dict[str, dict[str, Any]]:
    """Return the device's peak FLOP/s of each number format, with its source.

    The source is the config. For float32 on a CPU without a configured peak, it is the fastest of ten matrix
    products of side 1,024 on one core.
    """
    configured = {k: float(v) for k, v in config.device.peaks.items() if v}
    peaks = {
        k: {"flops_per_second": v, "by": "device.peaks, the maker's dense figure"}
        for k, v in configured.items()
    }
    if device.type == "cpu" and "float32" not in configured:
        side = 1024
        left, right, seconds = torch.ones(side, side), torch.ones(side, side), math.inf
        for _ in range(10):
            began = time.perf_counter()
            torch.mm(left, right)
            seconds = min(seconds, time.perf_counter() - began)
        by = f"the best of 10 products of {side:,} on a core here"
        peaks["float32"] = {"flops_per_second": 2 * side**3 / seconds, "by": by}
    return peaks


def path_of(config: Config) -> Path:
    """Return the path of the measurements of a config's device, beside its table of speeds."""
    return price.path_of(config).with_suffix(".switches.json")


def keep(path: Path, measurements: Mapping[str, Any]) -> None:
    """Write the measurements atomically, replacing earlier ones. Raises StorageError."""
    files.write(path, json.dumps(measurements, indent=1) + "\n", "the table of switches", durable=True)


def _cell(config: Config, **more: Any) -> Cell:
    known = {"budget.tokens": 1e6, "budget.flops": None, **more}
    return Cell.from_config(cells.merged(config, known), cells.corpus_of(config))


def _against(config: Config, way: Way, device: torch.device, turns: int) -> dict[str, Any]:
    """Return the speed of a switched step relative to the plain step, or `why` it was not measured."""
    try:
        switched, plain = _step(config, way, device), _step(config, Way(), device)
        pairs = _paired(plain, switched, device, turns)
        tokens = _cell(config).batch_tokens
        speed = {"tokens_per_second": tokens / statistics.median(s for _, s in pairs)}
        return median([p / s for p, s in pairs]) | speed
    except ScalingError as error:
        return {"why": str(error)}
    except Exception as error:
        if compile.failed(error):
            return {"why": f"cannot be compiled here: {type(error).__name__}"}
        if out_of_memory(error):
            return {"why": "out of memory"}
        raise


def _step(config: Config, way: Way, device: torch.device) -> Callable[[], None]:
    """Return a function that does one optimiser step. Raises ScalingError if cell or device cannot do it."""
    cell = _cell(config, **({} if way.dtype is None else {"device.dtype": way.dtype}))
    trainer = assemble(
        cell,
        cells.corpus_of(config),
        device=device,
        micro_batch=way.micro_batch or cell.hyperparameters.batch_sequences,
        compiled=way.compiled,
        resident=way.resident,
    )
    if way.chunk is not None:
        trainer.headless = Headless(trainer.module, way.chunk)
    if not way.fused:
        _unfuse(trainer)

    def step() -> None:
        with deterministic(way.exact), products(cell.dtype, device):
            trainer.pending[:] = [trainer.gradients(0)]
            trainer.update()

    return step


def _unfuse(trainer: Trainer) -> None:
    groups = [group for group in trainer.optimizers.groups if group.get("fused")]
    if not groups:
        raise ScalingError("this optimiser has no fused form")
    for group in groups:
        group["fused"] = False


def _paired(
    plain: Callable[[], None], switched: Callable[[], None], device: torch.device, turns: int
) -> list[tuple[float, float]]:
    """Return the seconds of both steps for each pair; the order within a pair alternates."""

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    def seconds(step: Callable[[], None]) -> float:
        wait()
        began = time.perf_counter()
        step()
        wait()
        return time.perf_counter() - began

    for _ in range(WARM_UP):
        plain()
        switched()
    pairs = []
    for turn in range(turns):
        if turn % 2:
            after = seconds(switched)
            pairs.append((seconds(plain), after))
        else:
            before = seconds(plain)
            pairs.append((before, seconds(switched)))
    return pairs


def median(ratios: Sequence[float]) -> dict[str, float]:
    """Return the median with its distribution-free 95 % interval (David & Nagaraja, 2003, section 7.1)."""
    from scipy.stats import binom

    ordered, n = sorted(ratios), len(ratios)
    low = max(0, int(binom.ppf((1 - LEVEL) / 2, n, 0.5)) - 1)
    return {"ratio": statistics.median(ordered), "low": ordered[low], "high": ordered[n - 1 - low]}
