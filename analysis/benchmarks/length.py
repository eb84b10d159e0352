"""Tokens per second of training against the length of the window, for the families of sweeps/long_text.yaml.

    python analysis/benchmarks/length.py            # about half a minute

A step always holds 1,024 tokens; forward, backward and fused AdamW on one thread. All families and lengths
take turns in every round and processor time is counted, so that a busy machine troubles all alike; of each
the least time of all rounds stands. Writes results/bench/length.json, which the claim on long text reads.
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

import torch
import torch.nn.functional as F

from scaling import families

FAMILIES = ("llama", "transformer2017", "lstm")
CONTEXTS = (32, 64, 128, 256, 512)
TOKENS = 1024
"""Of a step."""


def stepper(name: str, context: int) -> tuple[Callable[[], None], int]:
    """A training step on random bytes, and N."""
    family = families.get(name, depth=2)
    shape = family.shape(1.25, vocab=256, context=context)
    module = family.build(shape, seed=0).train()
    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randint(256, (TOKENS // context, context), generator=generator) for _ in range(2))
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-3, fused=True)

    def step() -> None:
        F.cross_entropy(module(x).flatten(0, 1), y.flatten()).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step, family.counts(shape).params_total


def main() -> None:
    """Every family and length, the file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=12)
    options.add_argument("--out", type=Path, default=Path("results/bench/length.json"))
    asked = options.parse_args()
    torch.set_num_threads(1)
    made = {(name, context): stepper(name, context) for name in FAMILIES for context in CONTEXTS}
    least = dict.fromkeys(made, float("inf"))
    for step, _ in made.values():
        step()
    for _ in range(asked.rounds):
        for key, (step, _) in made.items():
            start = time.process_time()
            step()
            least[key] = min(least[key], time.process_time() - start)
    found = {
        "tokens_per_second": {
            name: {str(context): round(TOKENS / least[name, context]) for context in CONTEXTS}
            for name in FAMILIES
        },
        "params": {name: made[name, CONTEXTS[0]][1] for name in FAMILIES},
        "rounds": asked.rounds,
        "torch": torch.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "load_average_at_the_end": os.getloadavg()[0],
        "command": " ".join(["python analysis/benchmarks/length.py", *sys.argv[1:]]),
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
