"""Share of one core's float32 matrix-product peak that a training step of the decoder reaches, by width.

    python analysis/benchmarks/cpu_share.py         # about a minute

The peak is this core's own, the best of square products of 1,024, measured between the steps of every width:
what else the machine does slows both. The best time counts of each, as noise only adds. FLOPs are 3 × forward
matrix products, full attention, head included. Target: 45 % at widths from 128. Writes
results/bench/cpu_share.csv.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path

import torch
from gpu_speed import cell, noise, one_step

from scaling.training.lifecycle.run import assemble

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = (64, 128, 192, 256)
CONTEXT, SEQUENCES, DEPTH, ROUNDS = 128, 8, 4, 12
SIDE = 1024


def best(of: Callable[[], object], before: float) -> float:
    """Seconds of one call, if fewer than before."""
    began = time.perf_counter()
    of()
    return min(before, time.perf_counter() - began)


def main() -> None:
    """Measures and writes."""
    torch.set_num_threads(1)
    corpus, rows = noise(256), []
    left, right = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)
    for width in WIDTHS:
        family = {"name": "llama", "size": 4, "depth": DEPTH, "width": width}
        it = cell(corpus, family=family, context=CONTEXT, sequences=SEQUENCES, dtype="float32", seed=0)
        trainer = assemble(it, corpus, device=torch.device("cpu"), micro_batch=SEQUENCES)
        step = product = float("inf")
        one_step(trainer)
        for _ in range(ROUNDS):
            product = best(lambda: left @ right, product)
            step = best(lambda trainer=trainer: one_step(trainer), step)
        peak = 2 * SIDE**3 / product
        reached = it.batch_tokens * it.counts.flops_per_token / step
        rows.append(
            {
                "width": width,
                "depth": DEPTH,
                "params": it.counts.params_total,
                "tokens_per_step": it.batch_tokens,
                "seconds_per_step": step,
                "flops_per_second": reached,
                "peak_flops_per_second": peak,
                "share": reached / peak,
            }
        )
        print(
            f"width {width}: {reached / 1e9:.1f} of {peak / 1e9:.1f} GFLOP/s, {reached / peak:.1%}",
            flush=True,
        )
    path = ROOT / "results" / "bench" / "cpu_share.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
