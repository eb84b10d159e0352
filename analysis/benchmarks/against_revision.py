"""Training steps on one core, of the working tree against a revision, in turns: has anything become slower?

    python analysis/benchmarks/against_revision.py d6290d8      # half a minute on an idle machine

Each tree trains the same cells in a process of its own; they take turns, so that what else the machine does
falls on both. A ratio is the median over the turns of seconds now over seconds then, with the interval of a
median. Writes results/bench/against_<revision>.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CASES = ((64, 4, 64, 8), (128, 4, 128, 8), (256, 2, 64, 8))
"""(width, depth, context, sequences) of a Llama-style decoder on random bytes."""
TURNS, STEPS = 15, 2
WORKER = """
import json, sys, time
import torch
from gpu_speed import cell, noise, one_step
from scaling.training.lifecycle.run import assemble
torch.set_num_threads(1)
corpus, trainers = noise(256), []
for width, depth, context, sequences in json.loads(sys.argv[1]):
    family = {"name": "llama", "size": 4, "depth": depth, "width": width}
    it = cell(corpus, family=family, context=context, sequences=sequences, dtype="float32", seed=0)
    trainers.append(assemble(it, corpus, device=torch.device("cpu"), micro_batch=sequences))
for line in sys.stdin:
    trainer, began = trainers[int(line)], time.perf_counter()
    for _ in range(int(sys.argv[2])):
        one_step(trainer)
    print(time.perf_counter() - began, flush=True)
"""


def worker(tree: Path) -> subprocess.Popen[str]:
    """A process that trains with the code of a tree."""
    paths = f"{tree}:{tree / 'analysis' / 'benchmarks'}"
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, json.dumps(CASES), str(STEPS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tree,
        env={"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin"},
    )


def seconds(process: subprocess.Popen[str], case: int) -> float:
    """Of some steps of one case."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{case}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def measure(then: Path) -> list[dict[str, Any]]:
    """A row for each case."""
    from scaling.sweeping.ablation import median

    before, now = worker(then), worker(ROOT)
    rows = []
    for case, (width, depth, context, sequences) in enumerate(CASES):
        ratios, steps = [], []
        for turn in range(TURNS + 3):
            order = (before, now) if turn % 2 else (now, before)
            took = {process.pid: seconds(process, case) for process in order}
            if turn >= 3:
                ratios.append(took[now.pid] / took[before.pid])
                steps.append(took[now.pid] / STEPS)
        rows.append(
            {
                "width": width,
                "depth": depth,
                "context": context,
                "batch_sequences": sequences,
                "seconds_per_step": min(steps),
                "times_seconds_of_then": median(ratios),
            }
        )
        print(rows[-1], flush=True)
    for process in (before, now):
        assert process.stdin is not None
        process.stdin.close()
        process.wait()
    return rows


def main() -> None:
    """Measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("revision", help="a commit, which is checked out beside and taken away again")
    revision = parser.parse_args().revision

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", *words], cwd=ROOT, check=True, capture_output=True, text=True
        ).stdout.strip()

    with tempfile.TemporaryDirectory(prefix="scaling-revision-") as folder:
        then = Path(folder) / "then"
        git("worktree", "add", "--detach", str(then), revision)
        try:
            rows = measure(then)
        finally:
            git("worktree", "remove", "--force", str(then))
    found = {
        "then": git("rev-parse", revision),
        "now": git("rev-parse", "HEAD"),
        "turns": TURNS,
        "rows": rows,
    }
    path = ROOT / "results" / "bench" / f"against_{found['then'][:7]}.json"
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
