"""Checkpoints: all that moves during a run, written whole, the one before kept for the day the newest is
damaged.

Where weights are cut over the processes of a team, the file holds the rest and a folder holds their parts.
"""

from __future__ import annotations

import copy
import dataclasses
import errno
import os
import shutil
import zipfile
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

from scaling.errors import StorageError
from scaling.families.adapting.modules import fold
from scaling.files import atomic, set_aside, storage
from scaling.tables.schema import CurveRow
from scaling.training.checkpoints import shards, trunk
from scaling.training.hardware import sharding
from scaling.training.loop import State, Trainer
from scaling.training.paths import RunPaths

FORMAT = 1


class Damaged(StorageError):
    """The newest checkpoint's parts cannot be read; `give_up` sets it aside."""


def save(trainer: Trainer, paths: RunPaths, **more: Any) -> None:
    """Writes weights, optimiser, random generators and state; the data's position is the state's step.

    Raises StorageError when the disk refuses: the checkpoint before then stays as it was. Raises Diverged
    when a pending loss turns out so.
    """
    name, cut = trainer.cell.run_id, sharding.is_cut(trainer.optimizers.parameters[0])
    if cut:
        trainer.fetch()
        moving = {"format": FORMAT, "run_id": name, "parts": True, **rest(trainer), **more}
        shards.save(trainer, paths.checkpoint_parts(trainer.state.step))
    else:
        moving = content(trainer, name) | more
    if not trainer.team.leads:
        return
    newest, before = paths.checkpoint, paths.checkpoint_before
    fresh = paths.folder / f".{newest.name}.new"
    with atomic(fresh, "a checkpoint") as file:
        torch.save(moving, file)
    with storage(newest, "a checkpoint"):
        if newest.exists():
            os.replace(newest, before)
        os.replace(fresh, newest)
    if cut:
        for old in sorted(paths.all_parts(), key=lambda folder: folder.stat().st_mtime)[:-2]:
            shutil.rmtree(old, ignore_errors=True)


def content(trainer: Trainer, name: str) -> dict[str, Any]:
    """All that moves during a run, under a name that says whose it is. Raises Diverged, as `Trainer.fetch`
    does."""
    trainer.fetch()
    return {
        "format": FORMAT,
        "run_id": name,
        "module": sharding.whole(trainer.module.state_dict()),
        "optimizers": sharding.whole(trainer.optimizers.state_dict()),
        **rest(trainer),
    }


def rest(trainer: Trainer) -> dict[str, Any]:
    """What moves beside weights and optimisers."""
    return {
        "scaler": trainer.scaler.state_dict() if trainer.scaler else None,
        "random": torch.get_rng_state(),
        "random_device": torch.cuda.get_rng_state() if trainer.precision.device.type == "cuda" else None,
        "state": dataclasses.asdict(trainer.state) | {"rows": [list(row) for row in trainer.state.rows]},
    }


def load(trainer: Trainer, paths: RunPaths, *, shared: bool = True) -> dict[str, Any] | None:
    """Puts a trainer where the newest sound checkpoint left it; its content, or None when there is none.

    A run without one of its own takes over its trunk's, where it shares one. A damaged checkpoint is set
    aside as `<name>.damaged` and the one before is taken. Raises Damaged when parts of it turn out so.
    """
    for path in (paths.checkpoint, paths.checkpoint_before):
        found = read(path, trainer.cell.run_id)
        if found is not None and found.get("parts"):
            try:
                shards.load(trainer, paths.checkpoint_parts(found["state"]["step"]))
            except StorageError as error:
                raise Damaged(str(error)) from error
            restore_rest(trainer, found)
            return found
        if found is not None:
            restore(trainer, found)
            return found
    for step, path in trunk.checkpoints(trainer.cell, paths) if shared else ():
        found = read(path, str(trunk.trunk_id(trainer.cell)))
        if found is not None:
            restore(trainer, found)
            trainer.state.inherited = step
            trainer.state.seconds_training = trainer.state.seconds_evaluating = 0.0
            return {}
    return None


def give_up(paths: RunPaths) -> None:
    """Sets the newest checkpoint aside, so that the one before is taken."""
    set_aside(paths.checkpoint if paths.checkpoint.exists() else paths.checkpoint_before)


def share(trainer: Trainer, paths: RunPaths) -> None:
    """Leaves the trunk's checkpoint for other runs, when the run is where it leaves the trunk. Raises
    StorageError."""
    if trainer.state.step != trunk.branch_step(trainer.cell):
        return
    path = trunk.file_at_branch(trainer.cell, paths)
    if path is None or trainer.team.share(path.exists):
        return
    moving = content(trainer, str(trunk.trunk_id(trainer.cell)))
    if not trainer.team.leads:
        return
    with storage(path.parent, "the folder of the trunk"):
        path.parent.mkdir(parents=True, exist_ok=True)
    with atomic(path, "the trunk's checkpoint") as file:
        torch.save(moving, file)


def read(path: Path, run_id: str) -> dict[str, Any] | None:
    """A checkpoint's content; None when it is missing, damaged (then set aside), or another run's."""
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
        if found["format"] != FORMAT or found["run_id"] != run_id:
            raise ValueError
    except FileNotFoundError:
        return None
    except OSError as error:
        # torch seeks before the start of a file that lost its end
        if error.errno != errno.EINVAL:
            raise StorageError(
                f"{path} cannot be read: {error.strerror}; mend the disk, or remove the file to begin again"
            ) from error
        set_aside(path)
        return None
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, UnpicklingError, zipfile.BadZipFile):
        set_aside(path)
        return None
    return dict(found)


def restore(trainer: Trainer, content: dict[str, Any]) -> None:
    """Weights, optimiser, generators and state from a checkpoint's content."""
    weights = trainer.module.state_dict()
    trainer.module.load_state_dict(
        {name: sharding.part_like(one, weights[name]) for name, one in content["module"].items()}
    )
    trainer.optimizers.load_state_dict(content["optimizers"])
    restore_rest(trainer, content)


def restore_rest(trainer: Trainer, content: dict[str, Any]) -> None:
    """What moves beside weights and optimisers."""
    if trainer.scaler and content["scaler"]:
        trainer.scaler.load_state_dict(content["scaler"])
    if trainer.team.leads:
        torch.set_rng_state(content["random"])
        if content["random_device"] is not None and trainer.precision.device.type == "cuda":
            torch.cuda.set_rng_state(content["random_device"])
    else:  # dropout differs between the parts of a batch
        diverge(trainer, step=int(content["state"]["step"]))
    rows = [CurveRow(*row) for row in content["state"]["rows"]]
    trainer.state = State(**content["state"] | {"rows": rows})


def diverge(trainer: Trainer, *, step: int = 0) -> None:
    """Gives a process that does not lead random numbers of its own, which depend on seed, rank and step."""
    if not trainer.team.leads:
        seed = np.random.SeedSequence([trainer.cell.seed, trainer.team.rank, step])
        torch.manual_seed(int(seed.generate_state(1, np.uint64)[0] >> 1))


def save_weights(trainer: Trainer, path: Path) -> None:
    """The weights as they are now, without the optimiser, as a plain network has them: low-rank maps merged,
    pruned ones zero, rounded ones round. Every process of a team has to ask, the leader writes. Raises
    StorageError."""
    cell = trainer.cell
    plain = cell.start is None and cell.compression is None
    weights = sharding.whole(trainer.module.state_dict()) if plain else None
    if not trainer.team.leads:
        return
    content = {
        "format": FORMAT,
        "run_id": cell.run_id,
        "step": trainer.state.step,
        "module": weights if plain else fold(copy.deepcopy(trainer.module)).state_dict(),
    }
    with atomic(path, "the weights") as file:
        torch.save(content, file)


def remove(paths: RunPaths) -> None:
    """Removes checkpoints, which a finished run does not need."""
    for path in (paths.checkpoint, paths.checkpoint_before):
        path.unlink(missing_ok=True)
    for folder in paths.all_parts():
        shutil.rmtree(folder, ignore_errors=True)
