"""Ten thousand cells through the real scheduler with a trainer that only pretends, and everything goes wrong.

    python analysis/studies/scheduler.py              # 75 minutes on two busy cores
    python analysis/studies/scheduler.py --cells 200  # a look

Two machines work on one folder: two processes of `scaling run`, each with its own slots, and each takes the
other's claims for another machine's. Everything is the product's own code (plan, launcher, slots, pipes,
signals, claims, records, ledger) but for two things: a run writes its record without training, and a claim is
stale after seconds instead of a minute. On the way workers die in the middle of a run, runs are preempted and
crash, whole machines are killed, clocks are put forth and back by a day, holders freeze beyond the time after
which they are taken for dead, and claims of machines that never existed lie in the way.

Expected: every cell has one record, whole and of the right value, and no run was begun again after its record
stood. Writes results/chaos/scheduler.json.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import types
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SWEEP = """\
# scaling run simulated
# Minutes: 5. Answers: does the scheduler lose or repeat anything?
defaults: [/train, _self_, {{override /corpus: files}}]
corpus: {{name: tiny, path: text, document: line}}
context: 16
recipe: {{batch_sequences: 4}}
evaluation: {{sequences: 8, points: 2}}
sweep: {{design: isoflop, budgets: 1e9..1e10 x 10, sizes: 0.25..1 x 5, seeds: {seeds}}}
"""
HEARTBEAT, STALE = 0.2, 2.0
DAY = 86400.0
DEATHS, PREEMPTIONS, CRASHES, PAUSES = 0.01, 0.01, 0.003, 0.02
"""Shares of the first tries of a run that meet with each."""


# ---- what is pretended, in the processes of the sweep


def disguise(machine: str) -> None:
    """Makes this process one of `machine`, with a clock that jumps and claims that age quickly."""
    from scaling.sweeping import lease

    lease.HEARTBEAT_SECONDS, lease.STALE_SECONDS = HEARTBEAT, STALE
    here, clock, dice = lease._machine, time.time, random.Random(os.getpid())
    lease._machine = lambda: f"{here()}/{machine}"
    time.time = lambda: clock() + dice.choice((-DAY, 0.0, DAY))


def loss_of(run_id: str) -> float:
    """The loss that a pretended run ends with."""
    return 1 + int(run_id, 16) / 2**64


def pretend(cell: Any, *, paths: Any, placement: Any, config: Any, **_: Any) -> dict[str, Any]:
    """Stand in for `scaling.training.lifecycle.run.run`: leave a record, or fail by this try's dice."""
    from scaling.config import plain
    from scaling.errors import Preempted
    from scaling.tables import schema
    from scaling.training import record

    log = Path(os.environ["SCHEDULER_LOG"]) / cell.run_id
    tries = log.read_text().count("begin") if log.exists() else 0
    dice = random.Random(f"{cell.run_id} {tries}").random() if tries == 0 else 1.0
    note(log, "begin")
    if dice < DEATHS:
        os.kill(os.getpid(), signal.SIGKILL)
    dice -= DEATHS
    if dice < PREEMPTIONS:
        note(log, "left")
        raise Preempted("asked to leave")
    dice -= PREEMPTIONS
    failed = dice < CRASHES
    dice -= CRASHES
    if 0 <= dice < PAUSES:
        with asked_to_leave() as asked:
            time.sleep(2 * HEARTBEAT)
        if asked:  # somebody took the run over while this process was frozen
            note(log, "left")
            raise Preempted("replaced")
    kinds = {"string": "-", "int64": 0, "float64": 0.0, "bool": False}
    row = {name: kinds[column.dtype] if column.required else None for name, column in schema.COLUMNS.items()}
    row |= cell.columns() | {"sweep": placement.sweep, "config": json.dumps(plain(config)), "status": "done"}
    row |= {"loss": loss_of(cell.run_id), "reason": None}
    if failed:
        row |= {"status": "failed", "reason": "a crash that was ordered", "loss": None}
    record.write(paths, row)
    note(log, "failed" if failed else "done")
    return row


@contextlib.contextmanager
def asked_to_leave() -> Iterator[list[int]]:
    """As a real run does: notes the signal by which a claim that was lost makes itself known."""
    asked: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: asked.append(number))
    try:
        yield asked
    finally:
        signal.signal(signal.SIGUSR1, before)


def note(log: Path, what: str) -> None:
    """One line, appended whole."""
    with log.open("ab", buffering=0) as file:
        file.write(f"{what} {os.getpid()} {time.monotonic()}\n".encode())


def worker(machine: str, arguments: list[str]) -> None:
    """A slot's process: the product's own, with runs that pretend and no torch."""
    from scaling.sweeping import outcomes
    from scaling.sweeping.slots import worker as real
    from scaling.training.lifecycle.placement import Placement

    disguise(machine)
    outcomes.warm = lambda: None
    stage = types.ModuleType("scaling.training.lifecycle.run")
    stage.run, stage.Placement = pretend, Placement  # type: ignore[attr-defined]
    sys.modules["scaling.training.lifecycle.run"] = stage
    real.main(arguments)


def parent(machine: str, arguments: list[str]) -> None:
    """`scaling run` on `machine`, whose slots are started as `worker` above."""
    from scaling import cli
    from scaling.sweeping.slots import pool

    disguise(machine)
    start = subprocess.Popen

    def started(command: list[str], **more: Any) -> Any:
        here = command.index("scaling.sweeping.slots.worker")
        return start([command[0], __file__, "--worker", machine, *command[here + 1 :]], **more)

    pool.subprocess = types.SimpleNamespace(Popen=started, PIPE=subprocess.PIPE)  # type: ignore[assignment]
    sys.argv = ["scaling", *arguments]
    cli.main()


# ---- what happens to them


def furnish(folder: Path, cells: int) -> None:
    """A sweep of so many cells, and a text for it."""
    (folder / "text").mkdir()
    lines = [f"{number} bottles of ink on the wall" for number in range(2000)]
    (folder / "text" / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    (folder / "sweeps").mkdir()
    (folder / "sweeps" / "simulated.yaml").write_text(SWEEP.format(seeds=list(range(max(1, cells // 50)))))
    (folder / "log").mkdir()


def start(folder: Path, machine: str, *more: str) -> subprocess.Popen[bytes]:
    """`scaling run simulated` on a machine."""
    overrides = ["run", "simulated", "hydra.launcher.slots=2", "hydra.launcher.lines=true", *more]
    return subprocess.Popen(
        [sys.executable, __file__, "--machine", machine, *overrides],
        cwd=folder,
        env={**os.environ, "SCHEDULER_LOG": str(folder / "log"), "SCALING_CACHE": str(folder / "cache")},
        stdout=subprocess.DEVNULL,
        stderr=(folder / f"{machine}.log").open("ab"),
    )


def holders(results: Path) -> list[tuple[Path, int]]:
    """Claims that stand now, with the process that holds each."""
    found = []
    for path in results.glob("runs/*/claim.json"):
        with contextlib.suppress(OSError, ValueError):
            found.append((path, int(json.loads(path.read_text())["pid"])))
    return found


def kin(pid: int) -> list[int]:
    """A process and its children."""
    found = [pid]
    with contextlib.suppress(OSError):
        found += [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found


def strangers(results: Path, run_ids: list[str], dice: random.Random) -> int:
    """Claims of machines that never existed, some last touched long ago and some in the future."""
    for run_id in run_ids:
        path = results / "runs" / run_id / "claim.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"nonce": run_id, "machine": "nowhere", "pid": 1, "host": "nowhere"}))
        when = time.time() + dice.choice((-DAY, DAY))
        os.utime(path, (when, when))
    return len(run_ids)


def freeze(results: Path, dice: random.Random, frozen: dict[int, float]) -> int:
    """Stops who holds a run, for longer than a claim lives without a touch; how many it found."""
    held = [pid for _, pid in holders(results) if Path(f"/proc/{pid}").exists() and pid not in frozen]
    if not held:
        return 0
    pid = dice.choice(held)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        frozen[pid] = time.monotonic() + 2 * STALE
    return 1


def thaw(frozen: dict[int, float], *, all_of_them: bool = False) -> None:
    """Lets go on who was frozen long enough."""
    for pid, until in list(frozen.items()):
        if all_of_them or time.monotonic() > until:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
            del frozen[pid]


def storm(folder: Path, dice: random.Random, kills: int, freezes: int) -> dict[str, int]:
    """Runs both machines until both say that all is done, under fire; what was thrown at them."""
    thrown: Counter[str] = Counter()
    frozen: dict[int, float] = {}
    machines = {name: start(folder, name) for name in ("east", "west")}
    ended: set[str] = set()
    try:
        while len(ended) < len(machines):
            time.sleep(dice.uniform(1, 4))
            thaw(frozen)
            for name, process in machines.items():
                if name in ended:
                    continue
                code = process.poll()
                if code == 0:
                    ended.add(name)
                elif code is not None:  # cells died or crashed: a person types the same again
                    machines[name] = start(folder, name, "sweep.retry=[failed]")
                    thrown["calls again"] += 1
            alive = [process for process in machines.values() if process.poll() is None]
            if alive and thrown["machines killed"] < kills and dice.random() < 0.2:
                for victim in kin(dice.choice(alive).pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(victim, signal.SIGKILL)
                thrown["machines killed"] += 1
            elif alive and thrown["slots frozen"] < freezes and dice.random() < 0.3:
                thrown["slots frozen"] += freeze(folder / "results", dice, frozen)
    finally:
        thaw(frozen, all_of_them=True)
        for process in machines.values():
            process.kill()
    return dict(thrown)


# ---- what is left


def read(log: Path) -> tuple[Counter[str], int, int]:
    """Events of all runs; runs begun again after they were done; runs done more often than once."""
    events: Counter[str] = Counter()
    repeated = twice = 0
    for path in log.iterdir():
        lines = [line.split()[0] for line in path.read_text().splitlines()]
        events.update(lines)
        finish = lines.index("done") if "done" in lines else len(lines)
        repeated += "begin" in lines[finish:]
        twice += lines.count("done") > 1
    return events, repeated, twice


def main() -> None:
    """The storm, the count, the verdict."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("--cells", type=int, default=10_000, help="a multiple of 50")
    options.add_argument("--kills", type=int, default=6, help="of whole machines")
    options.add_argument("--freezes", type=int, default=12)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--out", type=Path, default=Path("results/chaos"))
    asked = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="scheduler-") as name:
        folder = Path(name)
        furnish(folder, asked.cells)
        dice = random.Random(asked.seed)
        began = time.monotonic()
        plan = json.loads(
            subprocess.run(
                [sys.executable, "-m", "scaling", "plan", "simulated", "--json"],
                cwd=folder, env={**os.environ, "SCALING_CACHE": str(folder / "cache")}, check=True,
                capture_output=True,
            ).stdout
        )  # fmt: skip
        run_ids = [cell["run_id"] for cell in plan["cells"]]
        planted = strangers(folder / "results", dice.sample(run_ids, max(2, len(run_ids) // 500)), dice)
        thrown = storm(folder, dice, asked.kills, asked.freezes)
        seconds = time.monotonic() - began
        import pandas as pd

        ledger = pd.read_parquet(folder / "results" / "simulated" / "ledger.parquet")
        events, repeated, twice = read(folder / "log")
        right = [row.status == "done" and row.loss == loss_of(row.run_id) for row in ledger.itertuples()]
        found = {
            "cells": len(run_ids),
            "rows_of_the_ledger": len(ledger),
            "rows_right": sum(right),
            "cells_missing": sorted(set(run_ids) - set(ledger.run_id)),
            "runs_begun_after_they_were_done": repeated,
            "runs_done_twice": twice,
            "claims_left": len(list((folder / "results").glob("runs/*/claim.json"))),
            "files_damaged": len(list((folder / "results").rglob("*.damaged"))),
            "workers_that_died_in_a_run": events["begin"]
            - events["left"]
            - events["done"]
            - events["failed"],
            "runs_that_left_and_came_back": events["left"],
            "runs_that_crashed_and_were_tried_again": events["failed"],
            "claims_of_strangers": planted,
            "machines_killed": thrown.get("machines killed", 0),
            "slots_frozen": thrown.get("slots frozen", 0),
            "calls_again": thrown.get("calls again", 0),
            "seconds": round(seconds, 1),
            "command": "python analysis/studies/scheduler.py " + " ".join(sys.argv[1:]),
        }
    asked.out.mkdir(parents=True, exist_ok=True)
    (asked.out / "scheduler.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))
    good = found["rows_right"] == found["cells"] == found["rows_of_the_ledger"] and not (
        found["cells_missing"] or repeated or twice or found["claims_left"] or found["files_damaged"]
    )
    print("held" if good else "did not hold")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(sys.argv[2], sys.argv[3:])
    elif sys.argv[1:2] == ["--machine"]:
        parent(sys.argv[2], sys.argv[3:])
    else:
        main()
