"""A training step of our decoder against the same step of the `transformers` module, on one core, in one run.

    python analysis/benchmarks/step_speed.py        # about a minute

Llama style, three blocks, 8 sequences of 64 bytes; forward, backward and fused AdamW for both, which start
from the same weights. They take turns, so that a busy machine troubles both alike, and processor time is
counted; of each round there is one ratio. Expected at widths 32 to 128: at least 1.1. Writes
results/bench/step_speed.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from scaling import families
from scaling.families.export import to_transformers

WIDTHS = (32, 48, 64, 96, 128)
STEPS = 4
"""Of each module in a round."""


def stepper(module: nn.Module) -> Callable[[], None]:
    """A training step on fixed tokens."""
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randint(256, (8, 64), generator=generator) for _ in range(2))
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        out = module(x)
        logits = out if isinstance(out, torch.Tensor) else out.logits
        F.cross_entropy(logits.flatten(0, 1), y.flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def milliseconds(step: Callable[[], None]) -> float:
    """Processor time of one step."""
    start = time.process_time()
    for _ in range(STEPS):
        step()
    return (time.process_time() - start) / STEPS * 1e3


def measure(width: int, rounds: int) -> dict[str, float]:
    """Both modules at one width."""
    family = families.get("llama", width=width, depth=3)
    ours = family.build(family.shape(4, vocab=256, context=64), seed=0)
    theirs = to_transformers(ours).train()
    theirs.config.use_cache = False
    steps = [stepper(ours), stepper(theirs)]
    times = np.array([[milliseconds(step) for step in steps] for _ in range(rounds + 2)])[2:]
    ratios = times[:, 1] / times[:, 0]
    low, high = np.quantile(ratios, [0.1, 0.9])
    return {
        "width": width,
        "ours_ms": round(float(times[:, 0].min()), 3),
        "transformers_ms": round(float(times[:, 1].min()), 3),
        "ratio_of_least": round(float(times[:, 1].min() / times[:, 0].min()), 3),
        "ratio_median": round(float(np.median(ratios)), 3),
        "ratio_p10": round(float(low), 3),
        "ratio_p90": round(float(high), 3),
    }


def main() -> None:
    """Every width, the file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=60)
    options.add_argument("--out", type=Path, default=Path("results/bench/step_speed.json"))
    asked = options.parse_args()
    torch.set_num_threads(1)
    found = {
        "widths": [measure(width, asked.rounds) for width in WIDTHS],
        "rounds": asked.rounds,
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "load_average_at_the_end": os.getloadavg()[0],
        "command": "python analysis/benchmarks/step_speed.py " + " ".join(sys.argv[1:]),
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
