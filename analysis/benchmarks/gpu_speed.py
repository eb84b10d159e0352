"""Measure training steps on one device: GPT-2's 124M by switch, then small models by shape, batch and
switch, as `scaling bench --ablate` measures them.

    python analysis/benchmarks/gpu_speed.py --device h100          # minutes on a GPU; make bench-gpu
    python analysis/benchmarks/gpu_speed.py --device cpu --quick   # seconds: that it runs, no more

Tokens are random numbers: speed does not depend on what they are. Each row is the median of several steps
after a warm-up, the device waited for before and after. `mfu` is training FLOPs (3 × forward matrix products,
full attention, head included) over the peak of the number format in conf/device. Targets, not results: GPT-2
124M at 480 thousand tokens a second and 42 % on an H100. Writes steps.csv and switches.json into
results/bench/<device's own name>.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from scaling.config import Config, parse
from scaling.errors import ScalingError
from scaling.sweeping import ablation
from scaling.sweeping.planning import config as configs
from scaling.training import Cell
from scaling.training.hardware.devices import deterministic, find_device, products
from scaling.training.hardware.failures import out_of_memory
from scaling.training.lifecycle import provenance
from scaling.training.lifecycle.run import assemble
from scaling.training.loop import Trainer
from scaling.training.objectives.chunked import Headless

ROOT = Path(__file__).resolve().parents[2]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Noise:
    """A corpus of random tokens."""

    vocab: int
    train: np.ndarray
    name: str = "noise"
    hash: str = "noise"
    bytes_per_token: float = 1.0

    @property
    def heldout(self) -> np.ndarray:
        return self.train

    @property
    def manifest(self) -> dict[str, int]:
        return {"tokens_train": len(self.train), "tokens_heldout": len(self.train)}


def noise(vocab: int) -> Noise:
    return Noise(vocab=vocab, train=np.random.default_rng(0).integers(0, vocab, 1 << 21).astype(np.uint16))


def cell(
    corpus: Noise, *, family: dict[str, Any], context: int, sequences: int, dtype: str, seed: int
) -> Cell:
    config = {
        "family": family,
        "corpus": {"max_epochs": None},
        "context": context,
        "budget": {"tokens": 100 * sequences * context},
        "recipe": {"name": "fixed", "peak": 1e-4, "batch_sequences": sequences},
        "seed": seed,
        "evaluation": {"sequences": 1, "points": 0},
        "device": {"dtype": dtype},
    }
    return Cell.from_config(parse(Config, config), corpus)


def timed(device: torch.device, step: Callable[[], None], repeats: int) -> tuple[float, int | None]:
    """(median seconds, peak bytes) of a step."""
    wait = torch.cuda.synchronize if device.type == "cuda" else (lambda: None)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    seconds = []
    for turn in range(repeats + 3):
        wait()
        began = time.perf_counter()
        step()
        wait()
        if turn >= 3:
            seconds.append(time.perf_counter() - began)
    peak = torch.cuda.max_memory_allocated() if device.type == "cuda" else None
    return statistics.median(seconds), peak


def one_step(trainer: Trainer) -> None:
    trainer.pending[:] = [trainer.gradients(0)]
    trainer.update()


def steps(device: torch.device, peaks: Mapping[str, Any], quick: bool) -> list[dict[str, Any]]:
    """GPT-2 124M (depth 12, width 768, 12 heads, context 1024, vocabulary 50 257) by switch."""
    family: dict[str, Any] = {"name": "gpt2", "size": 12, "depth": 12, "width": 768, "heads": 12}
    context, vocab, sequences = 1024, 50_257, 16
    if quick:
        family, context, vocab, sequences = {"name": "gpt2", "size": 1}, 32, 256, 4
    corpus, rows = noise(vocab), []
    ways: list[tuple[str, str, dict[str, Any]]] = [
        ("float32", "float32", {}),
        ("bfloat16", "bfloat16", {}),
        ("bfloat16, loss in chunks of 1024", "bfloat16", {"chunk": 1024}),
        ("bfloat16, deterministic", "bfloat16", {"deterministic": True}),
        ("bfloat16, micro-batch 1", "bfloat16", {"micro_batch": 1}),
    ]
    if not quick:
        ways += [
            ("tf32", "tf32", {}),
            ("bfloat16, text on disk", "bfloat16", {"resident": False}),
            ("bfloat16, compiled blocks", "bfloat16", {"compiled": "default"}),
            ("bfloat16, compiled blocks, loss in chunks", "bfloat16", {"compiled": "default", "chunk": 1024}),
            ("bfloat16, compiled blocks as CUDA graphs", "bfloat16", {"compiled": "reduce-overhead"}),
        ]
    for name, dtype, how in ways:
        it = cell(corpus, family=family, context=context, sequences=sequences, dtype=dtype, seed=0)
        exact = bool(how.get("deterministic")) and device.type == "cuda"
        with deterministic(exact), products(dtype, device):
            trainer = assemble(
                it,
                corpus,
                device=device,
                micro_batch=how.get("micro_batch", sequences),
                compiled=how.get("compiled"),
                resident=how.get("resident"),
            )
            if "chunk" in how:
                trainer.headless = Headless(trainer.module, how["chunk"])
            try:
                seconds, peak = timed(device, lambda trainer=trainer: one_step(trainer), 3 if quick else 20)
            except Exception as error:
                if not out_of_memory(error):
                    raise
                rows.append({"switches": name, "params": it.counts.params_total, "status": "out_of_memory"})
                continue
        speed = it.batch_tokens / seconds
        best = peaks.get(dtype)
        rows.append(
            {
                "switches": name,
                "params": it.counts.params_total,
                "status": "done",
                "seconds_per_step": seconds,
                "tokens_per_second": speed,
                "mfu": speed * it.counts.flops_per_token / float(best) if best else None,
                "peak_bytes": peak,
            }
        )
        print(rows[-1], flush=True)
        del trainer
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0] | rows[-1]))
        table.writeheader()
        table.writerows(rows)
    print(f"wrote {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cuda", help="a file of conf/device")
    parser.add_argument("--quick", action="store_true", help="tiny shapes, to see that it runs")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench")
    given = parser.parse_args()
    path = ROOT / "conf" / "device" / f"{given.device}.yaml"
    if not path.exists():
        known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml")))
        parser.error(f"there is no {path}; --device is one of {known}")
    with configs.hydra("bench") as (engine, name):
        every = [
            configs.parsed(configs.master(engine, name, [f"device={given.device}", *at]))
            for at in ([f"family.size={n}", f"recipe.batch={b}"] for n in (1, 4, 12) for b in (8, 32))
        ]
    try:
        device = find_device(every[0].device.name)
    except ScalingError as error:
        parser.exit(error.exit_code, f"{error}\n")
    with contextlib.suppress(RuntimeError):
        torch.set_num_threads(1)
    folder = given.out / provenance.device(device).replace(" ", "-").replace("/", "-")
    write(folder / "steps.csv", steps(device, every[0].device.peaks, given.quick))
    if given.quick:
        return
    found = ablation.ablate(every)
    for path in (folder / "switches.json", ablation.path_of(every[0])):
        ablation.keep(path, found)
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
