"""A sweep in slots against a plain loop over the same cells with torch's default threads, in one run.

    python analysis/benchmarks/slots.py             # about four minutes on two idle cores

The loop trains one cell after another in one warm process with as many threads as torch takes by itself; the
slots are `scaling run` with one thread each, their start included. Expected on two cores: slots at least 1.5
times faster. Writes results/bench/slots.json. Losses are compared too: another number of threads may change
the last bits, another number of slots may not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SWEEP = """\
# scaling run slots
# Minutes: 1. Answers: what do slots buy?
defaults: [/train, _self_]
checkpoint: {{weights: false}}
sweep: {{design: isoflop, budgets: [{budget}], sizes: [1, 1.5, 2, 3], seeds: [0, 1, 2]}}
"""

LOOP = """\
import json, os, sys, time
from scaling.sweeping.driver import split
from scaling.sweeping.outcomes import run_config
from scaling.sweeping.planning import config as configs
from scaling.sweeping.planning.planner import plan
import torch, scaling.training.lifecycle.run
began = time.perf_counter()
with configs.hydra("slots") as (engine, name):
    overrides = ["results=loop"]
    compose = configs.composer(engine.config_loader, configs.master(engine, name, overrides))
    for cell in plan(compose, split(overrides)).cells:
        assert run_config(compose(cell.overrides))["status"] == "done"
print(json.dumps({"seconds": time.perf_counter() - began, "threads": torch.get_num_threads()}))
"""


def main() -> None:
    """Both ways, the ratio, the file."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--budget", type=float, default=1e11)
    options.add_argument("--out", type=Path, default=Path("results/bench/slots.json"))
    asked = options.parse_args()
    free = {key: value for key, value in os.environ.items() if not key.endswith("_NUM_THREADS")}
    with tempfile.TemporaryDirectory(prefix="slots-") as name:
        folder = Path(name)
        (folder / "sweeps").mkdir()
        (folder / "sweeps" / "slots.yaml").write_text(SWEEP.format(budget=asked.budget))
        command = [sys.executable, "-m", "scaling"]
        subprocess.run(
            [*command, "plan", "slots", "results=loop"], cwd=folder, check=True, capture_output=True
        )
        subprocess.run(
            [*command, "plan", "slots", "results=slots"], cwd=folder, check=True, capture_output=True
        )
        loop = subprocess.run(
            [sys.executable, "-c", LOOP], cwd=folder, env=free, check=True, capture_output=True, text=True
        )
        plain = json.loads(loop.stdout.splitlines()[-1])
        began = time.perf_counter()
        subprocess.run(
            [*command, "run", "slots", "results=slots"], cwd=folder, check=True, capture_output=True
        )
        seconds = time.perf_counter() - began
    found = {
        "cells": 12,
        "flops_a_cell": asked.budget,
        "loop_seconds": round(plain["seconds"], 1),
        "loop_threads": plain["threads"],
        "slots_seconds": round(seconds, 1),
        "ratio": round(plain["seconds"] / seconds, 2),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "load_average_at_the_end": os.getloadavg()[0],
        "command": "python analysis/benchmarks/slots.py " + " ".join(sys.argv[1:]),
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
