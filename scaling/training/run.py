"""One run from start or checkpoint to its record, whatever happens on the way."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
import yaml

from scaling.errors import ConfigError, Diverged, LaunchError, OutOfMemory, Preempted, ScalingError
from scaling.training import checkpoint, objectives, record
from scaling.training.building import build
from scaling.training.cell import Cell
from scaling.training.evaluation import Precision
from scaling.training.loop import State, Trainer, train
from scaling.training.objectives.chunked import Headless
from scaling.training.optimization import optimizers
from scaling.training.paths import RunPaths, whole
from scaling.training.running.ending import conclude, crash, finish, now
from scaling.training.running.pause import Pause, signals
from scaling.training.running.place import Place
from scaling.training.running.team import SOLO, Team, lost

__all__ = ["Place", "run"]


def run(
    cell: Cell,
    *,
    corpus: Any,
    paths: RunPaths,
    place: Place | None = None,
    config: Mapping[str, Any] | None = None,
    team: Team = SOLO,
) -> dict[str, Any]:
    """Trains a cell, or continues it, and leaves its record.

    Args:
        cell: the science.
        corpus: the prepared text.
        paths: the run's folder, named by the cell's run id.
        place: the device and the rest that is no science.
        config: the resolved config, kept beside the record.
        team: the processes that share the run, each of which calls this; the leader writes.

    Returns:
        The record, with status done, diverged, out_of_memory or failed. One that is there already is returned
        as it is.

    Raises:
        Preempted: on SIGTERM or SIGUSR1, after a checkpoint; run again to continue. KeyboardInterrupt
        likewise.
        StorageError: when the folder cannot be written; what was there stays.
        LaunchError: when the device is not there.
    """
    place = place or Place()
    if paths.run_id != cell.run_id:
        raise ConfigError(f"{paths.folder} is the folder of another run; this one is {cell.run_id}")
    found = team.share(lambda: record.find(paths))
    if found is not None:
        return found
    device = find_device(place.device, team)
    ours = team.sequences(cell.hyperparameters.batch_sequences)
    team.share(lambda: open_folder(paths, config))
    began, started = time.perf_counter(), now()
    micro_batch = min(place.micro_batch or ours, ours)
    outcome: dict[str, Any] = {}
    trainer: Trainer | None = None
    accelerators = [device.index or 0] if device.type == "cuda" else []
    with (
        deterministic(place.deterministic and device.type == "cuda"),
        torch.random.fork_rng(devices=accelerators),
        signals() as asked,
    ):
        while not outcome:
            try:
                trainer = assemble(cell, corpus, device=device, micro_batch=micro_batch, team=team)
                if place.loss_chunk is not None:
                    trainer.headless = Headless(trainer.module, place.loss_chunk)
                try_step(trainer)
                continued = load(trainer, paths, place)
                started = continued.get("started", started)
                train(trainer, pause=Pause(trainer, paths, place, asked, started))
                outcome = finish(trainer, paths, place)
            except (ScalingError, KeyboardInterrupt) as error:
                if not isinstance(error, Diverged):
                    raise
                outcome = {"status": error.status, "reason": str(error)}
            except Exception as error:
                if team.size > 1 and not isinstance(error, NoRoom):
                    outcome = alone(error, paths, team)
                elif not out_of_memory(error):
                    outcome = crash(error, paths)
                elif micro_batch > 1:
                    # the global batch and its gradient stay; only how many sequences are held at once changes
                    trainer, micro_batch = None, micro_batch // 2
                else:
                    reason = f"one sequence of {cell.context} tokens does not fit into the memory of {device}"
                    outcome = {"status": OutOfMemory.status, "reason": reason}
    return conclude(
        cell,
        trainer.state if trainer else State(),
        outcome,
        paths=paths,
        place=place,
        config=config,
        device=device,
        micro_batch=micro_batch,
        started=started,
        seconds=time.perf_counter() - began,
        team=team,
    )


def open_folder(paths: RunPaths, config: Mapping[str, Any] | None) -> None:
    """Makes the run's folder, with the config in it and no traceback of before."""
    paths.make()
    with whole(paths.config, "the config") as file:
        file.write(yaml.safe_dump(dict(config or {}), sort_keys=False, allow_unicode=True).encode())
    paths.error.unlink(missing_ok=True)


def load(trainer: Trainer, paths: RunPaths, place: Place) -> dict[str, Any]:
    """Puts the trainer where a checkpoint left it, the leader first, and gets its gradients shared."""
    found = trainer.team.in_turn(lambda: checkpoint.load(trainer, paths, shared=place.share_trunk))
    if trainer.team.size > 1:
        if found is None:
            checkpoint.diverge(trainer)
        trainer.shared = trainer.team.wrap(trainer.predictor)
    return found or {}


class NoRoom(MemoryError):
    """A process of the team ran out of memory before the first step; all of them know."""


def try_step(trainer: Trainer) -> None:
    """In a team, a dry first step of every process by itself: memory that runs out later than here would
    leave the others waiting. Raises NoRoom in all when one had no room.
    """
    if trainer.team.size == 1:
        return
    generator, short = torch.get_rng_state(), 0
    try:
        trainer.gradients(0)
    except Exception as error:
        if not out_of_memory(error):
            raise
        short = 1
    trainer.optimizers.zero()
    torch.set_rng_state(generator)
    if trainer.team.largest(short)[0]:
        raise NoRoom


def alone(error: Exception, paths: RunPaths, team: Team) -> dict[str, Any]:
    """What is to be said of an exception that the other processes do not know of. Raises Preempted when it is
    that one of them is gone; raises the exception itself where we do not lead, which ends the whole team.
    """
    if lost(error):
        raise Preempted(
            f"another process of the {team.size} is gone ({str(error).strip().splitlines()[0][:200]}); run "
            f"again to continue from the last checkpoint"
        ) from error
    if out_of_memory(error):
        raise OutOfMemory(
            "memory ran out during the run in one of the processes; run again with a smaller "
            "device.micro_batch to continue from the last checkpoint"
        ) from error
    if not team.leads:
        raise error
    return crash(error, paths)


def assemble(
    cell: Cell, corpus: Any, *, device: torch.device, micro_batch: int, team: Team = SOLO
) -> Trainer:
    """A cell's module, optimiser and data at step 0. Weights and dropout follow from the cell's seed."""
    torch.manual_seed(cell.seed)
    module = build(cell).to(device)
    task = objectives.make(cell, corpus)
    precision = Precision(device=device, dtype=cell.dtype)
    return Trainer(
        cell=cell,
        module=module,
        task=task,
        optimizers=optimizers.make(module, cell.hyperparameters),
        heldout=precision.move(task.heldout()),
        precision=precision,
        micro_batch=micro_batch,
        team=team,
        scaler=torch.amp.GradScaler(device.type) if cell.dtype == "float16" else None,
    )


@contextmanager
def deterministic(wanted: bool) -> Iterator[None]:
    """Only operations that give the same bits every time, where wanted; a RuntimeError of torch's names one
    that cannot."""
    before = torch.are_deterministic_algorithms_enabled()
    if wanted:
        # cuBLAS reads it when it starts, and adds up in another order without it
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before)


def out_of_memory(error: Exception) -> bool:
    """Whether an exception means that memory ran out, on an accelerator or in the machine."""
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or "can't allocate memory" in str(error)


def find_device(name: str, team: Team = SOLO) -> torch.device:
    """The device of that name; in a team on `cuda`, ours. Raises LaunchError when it is not there."""
    try:
        device = torch.device(name)
    except RuntimeError:
        raise LaunchError(
            f"device.name is {name!r}; it must be cpu, cuda or cuda:NUMBER; set device.name"
        ) from None
    if device.type not in ("cpu", "cuda"):
        raise LaunchError(f"device.name is {name!r}; it must be cpu, cuda or cuda:NUMBER; set device.name")
    if device.type == "cuda" and team.size > 1:
        device = torch.device("cuda", team.local_rank)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        seen = torch.cuda.device_count()
        raise LaunchError(
            f"device.name is {name!r} and torch sees {f'{seen} CUDA devices' if seen else 'no CUDA device'}; "
            f"{'name another, or ' if seen else ''}type device=cpu to train on the processor, which is the "
            f"same run" + ("" if torch.version.cuda or seen else " (this torch was built for the CPU alone)")
        )
    return device
