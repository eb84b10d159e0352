"""Train one run, from its start or a checkpoint, and write its record."""

from __future__ import annotations

import time
from typing import Any

import torch
import yaml

from scaling.config import Config, plain
from scaling.errors import ConfigError, Diverged, OutOfMemory, ScalingError
from scaling.files import atomic
from scaling.training import objectives, record
from scaling.training.cell import Cell
from scaling.training.checkpoints import checkpoint, restoring
from scaling.training.evaluation import Precision
from scaling.training.hardware import compile, failures, sharding
from scaling.training.hardware.devices import deterministic, find_device, products
from scaling.training.hardware.energy import Meter
from scaling.training.hardware.team import SOLO, Team
from scaling.training.lifecycle.finish import conclude, crash, finish, now
from scaling.training.lifecycle.interrupts import Pause, signals
from scaling.training.lifecycle.placement import Placement
from scaling.training.loop import State, Trainer, train
from scaling.training.network import build
from scaling.training.objectives import language
from scaling.training.objectives.chunked import Headless
from scaling.training.optimization import optimizers
from scaling.training.optional import line_of
from scaling.training.paths import RunPaths
from scaling.training.tensors import Damaged

__all__ = ["Placement", "run"]


def run(
    cell: Cell,
    *,
    corpus: Any,
    paths: RunPaths,
    placement: Placement | None = None,
    config: Config | None = None,
    team: Team = SOLO,
) -> dict[str, Any]:
    """Train a cell, or continue it from a checkpoint, and write its record.

    Args:
        cell: the cell to train.
        corpus: the prepared text.
        paths: the run's folder, whose name is the cell's run id.
        placement: device and other settings that do not change the result.
        config: the resolved config, which is saved with the record.
        team: the processes of the run. Each of them calls this function; the leader writes.

    Returns:
        The record, with status done, diverged, out_of_memory or failed. An existing record is returned
        unchanged.

    Raises:
        Preempted: on SIGTERM or SIGUSR1, after a checkpoint; run again to continue.
        KeyboardInterrupt: on SIGINT, after a checkpoint.
        StorageError: when the folder cannot be written; existing files stay unchanged.
        LaunchError: when the device is missing.
    """
    placement = placement or Placement()
    if paths.run_id != cell.run_id:
        raise ConfigError(f"{paths.folder} is the folder of another run; this one is {cell.run_id}")
    finished = team.share(lambda: record.find(paths))
    if finished is not None:
        return finished
    device = find_device(placement.device, team)
    ours = team.sequences(cell.hyperparameters.batch_sequences)
    cut = team.size > 1 and placement.sharing == "fsdp"
    if cut:
        sharding.check(cell)
    team.share(lambda: open_folder(paths, config))
    began, started = time.perf_counter(), now()
    micro_batch = min(placement.micro_batch or ours, ours)
    compiled, why_not = placement.compile, ""
    meter = Meter(device)
    if compiled:
        compile.keep_in(paths.compiled)
    outcome: dict[str, Any] = {}
    trainer: Trainer | None = None
    accelerators = [device.index or 0] if device.type == "cuda" else []
    with (
        deterministic(placement.deterministic and device.type == "cuda"),
        products(cell.dtype, device),
        torch.random.fork_rng(devices=accelerators),
        signals() as request,
    ):
        while not outcome:
            try:
                trainer = assemble(
                    cell,
                    corpus,
                    device=device,
                    micro_batch=micro_batch,
                    team=team,
                    cut=cut,
                    compiled=compiled,
                    resident=placement.resident,
                )
                if placement.loss_chunk is not None:
                    trainer.headless = Headless(trainer.module, placement.loss_chunk)
                try_step(trainer)
                continued = load(trainer, paths, placement)
                started = continued.get("started", started)
                train(
                    trainer,
                    pause=Pause(trainer, paths, placement, request, started, meter),
                )
                outcome = finish(trainer, paths, placement)
            except Damaged:
                trainer = None  # it may be partly loaded
            except (ScalingError, KeyboardInterrupt) as error:
                if not isinstance(error, Diverged):
                    raise
                outcome = {"status": error.status, "reason": str(error)}
            except Exception as error:
                if compiled and compile.failed(error):
                    compile.warn(compiled)
                    trainer, compiled, why_not = None, None, f"{compiled} failed: {line_of(error)}"
                elif team.size > 1 and not isinstance(error, NoRoom):
                    outcome = alone(error, paths, team)
                elif lost := failures.lost(error):
                    raise lost from error
                elif not failures.out_of_memory(error):
                    outcome = crash(error, paths)
                elif micro_batch > 1:
                    # a smaller micro-batch needs less memory and gives the same gradient up to rounding
                    trainer, micro_batch = None, micro_batch // 2
                else:
                    reason = f"one sequence of {cell.context} tokens does not fit into the memory of {device}"
                    reason += room(cell, device, placement)
                    outcome = {"status": OutOfMemory.status, "reason": reason}
    if trainer is not None:
        trainer.state.spend(meter.read())
    return conclude(
        cell,
        trainer.state if trainer else State(),
        outcome,
        paths=paths,
        placement=placement,
        config=config,
        device=device,
        micro_batch=micro_batch,
        compiled=compiled or why_not or None,
        started=started,
        seconds=time.perf_counter() - began,
        team=team,
    )


def open_folder(paths: RunPaths, config: Config | None) -> None:
    """Create the run's folder, write the config, and remove an old traceback."""
    paths.make()
    text = yaml.safe_dump(plain(config) if config else {}, sort_keys=False, allow_unicode=True)
    with atomic(paths.config, "the config") as file:
        file.write(text.encode())
    paths.error.unlink(missing_ok=True)


def load(trainer: Trainer, paths: RunPaths, placement: Placement) -> dict[str, Any]:
    """Load the newest checkpoint into the trainer, and prepare it for the team.

    A checkpoint that one of the processes cannot read is renamed, and all processes raise Damaged.
    """
    team, cell, shared = trainer.team, trainer.cell, placement.share_trunk
    found = team.share(lambda: checkpoint.sources(cell, paths, shared=shared))
    saved: dict[str, Any] = {}
    if found:
        damage = None
        try:
            saved = team.in_turn(lambda: checkpoint.load(trainer, paths, found[0]))
        except Damaged as error:
            damage = error
        if team.largest(int(damage is not None))[0]:
            wrong = damage or Damaged(found[0].path, "another process could not read it")
            team.share(lambda: checkpoint.give_up(wrong, cell, paths, shared=shared))
            raise wrong
    if team.size > 1:
        if not found:
            restoring.diverge(trainer)
        trainer.shared = sharding.wrap(trainer.predictor)
    return saved


def room(cell: Cell, device: torch.device, placement: Placement) -> str:
    """Return text about the memory of a CUDA device and settings that need less of it; "" on a CPU."""
    if device.type != "cuda":
        return ""
    held, less = 16 * cell.counts.params_total, ["a smaller family.size or context"]
    if placement.loss_chunk is None:
        less.insert(0, "device.loss_chunk=1024")
    if placement.sharing != "fsdp":
        less.insert(0, "several processes with device.sharing=fsdp")
    total = torch.cuda.get_device_properties(device).total_memory
    return (
        f": weights, gradients and moments alone take {held / 1e9:.3g} of its {total / 1e9:.3g} GB; take "
        f"{' or '.join(less)}"
    )


class NoRoom(MemoryError):
    """A process of the team ran out of memory before the first step. All processes raise this."""


def try_step(trainer: Trainer) -> None:
    """Compute the first gradient without an update, in a team or on CUDA.

    A lack of memory shows here, before any step is lost and before other processes wait for this one.

    Raises:
        NoRoom: in all processes, when one ran out of memory.
        CannotCompile: in all processes, when one could not compile.
    """
    team, device = trainer.team, trainer.precision.device
    if team.size == 1 and device.type == "cpu":
        return
    short = broken = 0
    with torch.random.fork_rng(devices=[device.index or 0] if device.type == "cuda" else []):
        try:
            trainer.gradients(0)
        except Exception as error:
            short, broken = int(failures.out_of_memory(error)), int(compile.failed(error))
            if not short and not broken:
                raise
    trainer.optimizers.zero()
    short, broken = team.largest(short, broken)
    if short:
        raise NoRoom
    if broken:
        raise compile.CannotCompile("the first step could not be compiled")


def alone(error: Exception, paths: RunPaths, team: Team) -> dict[str, Any]:
    """Return the outcome of an exception that only this process of a team has.

    Raises Preempted when another process was lost, OutOfMemory when memory ran out, and the exception itself
    in a process that does not lead, which ends the whole team.
    """
    if lost := failures.lost(error, processes=team.size):
        raise lost from error
    if failures.out_of_memory(error):
        raise OutOfMemory(
            "memory ran out during the run in one of the processes; run again with a smaller "
            "device.micro_batch to continue from the last checkpoint"
        ) from error
    if not team.leads:
        raise error
    return crash(error, paths)


def assemble(
    cell: Cell,
    corpus: Any,
    *,
    device: torch.device,
    micro_batch: int,
    team: Team = SOLO,
    cut: bool = False,
    compiled: str | None = None,
    resident: bool | None = None,
) -> Trainer:
    """Return the trainer of a cell at step 0: module, optimiser and data.

    Args:
        cell: the cell, whose seed decides weights and dropout.
        corpus: the prepared text.
        device: device of the module.
        micro_batch: sequences of one forward pass.
        team: the processes of the run.
        cut: whether to shard the weights over the team.
        compiled: mode of `device.compile`; None = not compiled.
        resident: whether to keep the training text on the device; None = if it is small.
    """
    torch.manual_seed(cell.seed)
    module = build(cell).to(device)
    if compiled:
        compile.compile_blocks(module, compiled)
    if cut:
        sharding.cut(module, team, device)
    task = language.resident(objectives.make(cell, corpus), device, resident)
    precision = Precision(device=device, dtype=cell.dtype)
    optimiser = optimizers.make(module, cell.hyperparameters)
    if cut:
        optimiser.total = team.sum
    return Trainer(
        cell=cell,
        module=module,
        task=task,
        optimizers=optimiser,
        heldout=precision.move(task.heldout()),
        precision=precision,
        micro_batch=micro_batch,
        team=team,
        scaler=torch.amp.GradScaler(device.type) if cell.dtype == "float16" else None,
    )
