"""A pack of runs from start or checkpoints to their records; what a pack cannot do, its members do alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from scaling.errors import ConfigError, Diverged, Preempted, ScalingError
from scaling.training import record
from scaling.training.cell import Cell
from scaling.training.checkpoints import checkpoint
from scaling.training.hardware import failures
from scaling.training.hardware.devices import deterministic, find_device, products
from scaling.training.hardware.energy import Meter
from scaling.training.lifecycle.finish import conclude, finish, now
from scaling.training.lifecycle.interrupts import Pause, signals
from scaling.training.lifecycle.placement import Place
from scaling.training.lifecycle.run import assemble, open_folder, run
from scaling.training.loop import State, Trainer
from scaling.training.packs.stack import key, train_together
from scaling.training.paths import RunPaths


def run_together(
    cells: Sequence[Cell],
    *,
    corpus: Any,
    paths: Sequence[RunPaths],
    place: Place | None = None,
    configs: Sequence[Mapping[str, Any]] | None = None,
) -> list[dict[str, Any] | ScalingError]:
    """Trains cells of one shape as a pack, and leaves a record of each.

    A record's seconds and energy are its share of the pack's. A pack that has no room, or that torch cannot
    vectorise, is given up, and its members are run one after the other. What happens to one member is its
    own: the others go on.

    Args:
        cells: with one `pack.key`.
        corpus: the prepared text of all.
        paths: the folder of each.
        place: the device and the rest that is no science.
        configs: the resolved config of each.

    Returns, in the order of the cells, the record of each, or what kept it from one: Preempted after a
    checkpoint, or whatever else `run` raises. Raises ConfigError for cells that cannot be packed,
    KeyboardInterrupt on SIGINT, LaunchError when the device is not there.
    """
    place, configs = place or Place(), configs or [{}] * len(cells)
    if None in (keys := {key(cell) for cell in cells}) or len(keys) != 1:
        raise ConfigError(
            f"{len(cells)} cells of different shapes, or with dropout or experts, cannot be a pack; run them "
            f"one by one"
        )
    todo = [i for i, one in enumerate(paths) if record.find(one) is None]
    kept_out: dict[int, ScalingError] = {}
    try:
        if len(todo) > 1:
            found = _pack(
                [cells[i] for i in todo],
                [paths[i] for i in todo],
                [configs[i] for i in todo],
                corpus=corpus,
                place=place,
            )
            kept_out = {todo[i]: error for i, error in found.items()}
    except checkpoint.Damaged:
        pass  # the member whose it is sets it aside when it runs alone
    except (ScalingError, KeyboardInterrupt):
        raise
    except Exception as error:
        if away := failures.away(error):
            kept_out = dict.fromkeys(todo, away)
        # else each says alone what is the matter with it
    outcomes: list[dict[str, Any] | ScalingError] = []
    for i, (cell, one, config) in enumerate(zip(cells, paths, configs, strict=True)):
        if i in kept_out and record.find(one) is None:
            outcomes.append(kept_out[i])
            continue
        try:
            outcomes.append(run(cell, corpus=corpus, paths=one, place=place, config=config))
        except Preempted as error:  # the signal was for all that wait
            kept_out |= dict.fromkeys(range(i, len(cells)), error)
            outcomes.append(error)
        except ScalingError as error:
            outcomes.append(error)
    return outcomes


def _pack(
    cells: Sequence[Cell],
    paths: Sequence[RunPaths],
    configs: Sequence[Mapping[str, Any]],
    *,
    corpus: Any,
    place: Place,
) -> dict[int, ScalingError]:
    """Runs the pack; member → what it left with, where it left no record. Raises KeyboardInterrupt once all
    have left."""
    device = find_device(place.device)
    meter = Meter(device)
    at_work: dict[int, State] = {}

    def measure() -> None:
        meter.read(*at_work.values())

    left: dict[int, ScalingError] = {}
    interrupted = False
    accelerators = [device.index or 0] if device.type == "cuda" else []
    with (
        deterministic(place.deterministic and device.type == "cuda"),
        products(cells[0].dtype, device),
        torch.random.fork_rng(devices=accelerators),
        signals() as asked,
    ):
        trainers: list[Trainer] = []
        starts, pauses = [], []
        for cell, one, config in zip(cells, paths, configs, strict=True):
            open_folder(one, config)
            most = cell.hyperparameters.batch_sequences
            micro_batch = min(place.micro_batch or most, most)
            trainer = assemble(cell, corpus, device=device, micro_batch=micro_batch, resident=place.resident)
            continued = checkpoint.load(trainer, one, shared=place.share_trunk) or {}
            starts.append(continued.get("started", now()))
            trainers.append(trainer)
            pauses.append(Pause(trainer, one, place, asked, starts[-1], measure))
            at_work[len(at_work)] = trainer.state
        for i, error in train_together(trainers, pauses):
            measure()
            del at_work[i]
            if isinstance(error, KeyboardInterrupt):
                interrupted = True
                continue
            try:
                if error is not None:
                    raise error
                outcome = finish(trainers[i], paths[i], place)
            except Diverged as late:
                outcome = {"status": Diverged.status, "reason": str(late)}
            except ScalingError as late:
                left[i] = late
                continue
            conclude(
                cells[i],
                trainers[i].state,
                outcome,
                paths=paths[i],
                place=place,
                config=configs[i],
                device=device,
                micro_batch=trainers[i].micro_batch,
                started=starts[i],
                seconds=0.0,
            )
    if interrupted:
        raise KeyboardInterrupt
    return left
