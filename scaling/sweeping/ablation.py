"""`scaling bench --ablate`: what each switch of this device does to the speed of a training step.

A switched step and the plain one are timed in turns, in one process, so that what else the machine does falls
on both; each ratio is the median over the turns.
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
"""Pairs of steps behind a ratio."""
WARM_UP = 3
"""Steps before the first that counts: memory is found, kernels are chosen, blocks are compiled."""
LEVEL = 0.95


@dataclasses.dataclass(frozen=True, kw_only=True)
class Way:
    """How a step is done. The default is the plain step."""

    dtype: str | None = None
    """Number format; None = the config's."""
    micro_batch: int | None = None
    """Sequences held at once; None = the batch."""
    compiled: str | None = None
    """A mode of `device.compile`."""
    chunk: int | None = None
    """Tokens whose logits are held at once."""
    resident: bool = False
    """Whether the training text lies on the device."""
    fused: bool = True
    """Whether the optimiser updates all weights in one kernel."""
    exact: bool = False
    """Only operations that give the same bits every time."""


def switches(batch_sequences: int, batch_tokens: int, cuda: bool) -> list[tuple[str, Way | str]]:
    """Every switch as a person types it → the way that it makes, or why it is none of this device's."""

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

    Returns what `keep` writes: under `switches` the speed of each over the plain step's, `ratio` with the
    interval from `low` to `high` (of the median, 95 %), `tokens_per_second` and `mfu`, or `why` it was not
    measured; under `peaks` the peak behind `mfu` of each number format that has one. Raises LaunchError when
    the device is not there.
    """
    config = configs[0]
    device = find_device(config.device.name)
    first = _cell(config)
    peaks = known_peaks(config, device)
    found: dict[str, Any] = {
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
    return {**found, "switches": rows}


def known_peaks(config: Config, device: torch.device) -> dict[str, dict[str, Any]]:
    """FLOP/s that the device could reach at most, by number format, and who says so: the config, or for
    float32 on a CPU the best of a few products of 1,024 on the one core that a slot has."""
    told = {k: float(v) for k, v in config.device.peaks.items() if v}
    peaks = {
        k: {"flops_per_second": v, "by": "device.peaks, the maker's dense figure"} for k, v in told.items()
    }
    if device.type == "cpu" and "float32" not in told:
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
    """Return where the measurements of a config's device are kept: beside its table of speeds."""
    return price.path_of(config).with_suffix(".switches.json")


def keep(path: Path, found: Mapping[str, Any]) -> None:
    """Writes it, whole, in place of what was measured before."""
    files.write(path, json.dumps(found, indent=1) + "\n", "the table of switches", durable=True)


def _cell(config: Config, **more: Any) -> Cell:
    known = {"budget.tokens": 1e6, "budget.flops": None, **more}
    return Cell.from_config(cells.merged(config, known), cells.corpus_of(config))


def _against(config: Config, way: Way, device: torch.device, turns: int) -> dict[str, Any]:
    """`ratio`, `low` and `high` of a way's speed over the plain step's and its tokens a second, or `why`
    there are none."""
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
    """Return one optimiser step. Raises ScalingError for what the cell or the device cannot."""
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
    """Seconds of both steps, turn by turn; which comes first changes."""

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
    """The median with its distribution-free interval, from order statistics (David & Nagaraja, 2003, 7.1)."""
    from scipy.stats import binom

    ordered, n = sorted(ratios), len(ratios)
    low = max(0, int(binom.ppf((1 - LEVEL) / 2, n, 0.5)) - 1)
    return {"ratio": statistics.median(ordered), "low": ordered[low], "high": ordered[n - 1 - low]}
