"""Write and read checkpoints. The previous one is kept in case the newest is damaged.

If weights are sharded over the processes of a team, a folder holds the shards and the file holds the rest.
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
from scaling.files import atomic, set_aside, storage, temporary
from scaling.tables.schema import CurveRow
from scaling.training.checkpoints import shards, trunk
from scaling.training.hardware import sharding
from scaling.training.loop import State, Trainer
from scaling.training.paths import RunPaths

FORMAT = 1


class Damaged(StorageError):
    """The shards of the newest checkpoint cannot be read; `give_up` renames the checkpoint."""


def save(trainer: Trainer, paths: RunPaths, **more: Any) -> None:
    """Write weights, optimiser, random generators and state. The state's step is the position in the data.

    Raises:
        StorageError: when the file cannot be written; the previous checkpoint then stays unchanged.
        Diverged: when a pending loss shows divergence.
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
    fresh = temporary(newest, "new")
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
    """Return a checkpoint's content; `name` is a run id or trunk id. Raises Diverged, as `Trainer.fetch`."""
    trainer.fetch()
    return {
        "format": FORMAT,
        "run_id": name,
        "module": sharding.whole(trainer.module.state_dict()),
        "optimizers": sharding.whole(trainer.optimizers.state_dict()),
        **rest(trainer),
    }


def rest(trainer: Trainer) -> dict[str, Any]:
    """Return the content of a checkpoint besides weights and optimisers."""
    return {
        "scaler": trainer.scaler.state_dict() if trainer.scaler else None,
        "random": torch.get_rng_state(),
        "random_device": torch.cuda.get_rng_state() if trainer.precision.device.type == "cuda" else None,
        "state": dataclasses.asdict(trainer.state) | {"rows": [list(row) for row in trainer.state.rows]},
    }


def load(trainer: Trainer, paths: RunPaths, *, shared: bool = True) -> dict[str, Any] | None:
    """Load the newest undamaged checkpoint into a trainer; return its content, or None if there is none.

    A run without a checkpoint of its own loads that of its shared trunk, if `shared`. A damaged checkpoint is
    renamed to `<name>.damaged` and the previous one is loaded. Raises Damaged when its shards cannot be read.
    """
    for path in (paths.checkpoint, paths.checkpoint_before):
        saved = read(path, trainer.cell.run_id)
        if saved is not None and saved.get("parts"):
            try:
                shards.load(trainer, paths.checkpoint_parts(saved["state"]["step"]))
            except StorageError as error:
                raise Damaged(str(error)) from error
            restore_rest(trainer, saved)
            return saved
        if saved is not None:
            restore(trainer, saved)
            return saved
    for step, path in trunk.checkpoints(trainer.cell, paths) if shared else ():
        saved = read(path, str(trunk.trunk_id(trainer.cell)))
        if saved is not None:
            restore(trainer, saved)
            trainer.state.inherited = step
            trainer.state.seconds_training = trainer.state.seconds_evaluating = 0.0
            return {}
    return None


def give_up(paths: RunPaths) -> None:
    """Rename the newest checkpoint, so that the previous one is loaded."""
    set_aside(paths.checkpoint if paths.checkpoint.exists() else paths.checkpoint_before)


def share(trainer: Trainer, paths: RunPaths) -> None:
    """Write the trunk's checkpoint for other runs if the run is at its branch step. Raises StorageError."""
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
    """Return a checkpoint's content; None if it is missing, damaged or of another run.

    A damaged file is renamed. Raises StorageError when the disk cannot be read.
    """
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        if saved["format"] != FORMAT or saved["run_id"] != run_id:
            raise ValueError
    except FileNotFoundError:
        return None
    except OSError as error:
        # torch raises EINVAL for a truncated file: it seeks before its start
        if error.errno != errno.EINVAL:
            raise StorageError(
                f"{path} cannot be read: {error.strerror}; repair the disk, or remove the file to start again"
            ) from error
        set_aside(path)
        return None
    except (RuntimeError, EOFError, ValueError, KeyError, TypeError, UnpicklingError, zipfile.BadZipFile):
        set_aside(path)
        return None
    return dict(saved)


def restore(trainer: Trainer, content: dict[str, Any]) -> None:
    """Load a checkpoint's content into weights, optimiser, random generators and state."""
    weights = trainer.module.state_dict()
    trainer.module.load_state_dict(
        {name: sharding.part_like(one, weights[name]) for name, one in content["module"].items()}
    )
    trainer.optimizers.load_state_dict(content["optimizers"])
    restore_rest(trainer, content)


def restore_rest(trainer: Trainer, content: dict[str, Any]) -> None:
    """Load a checkpoint's content besides weights and optimisers."""
    if trainer.scaler and content["scaler"]:
        trainer.scaler.load_state_dict(content["scaler"])
    if trainer.team.leads:
        torch.set_rng_state(content["random"])
        if content["random_device"] is not None and trainer.precision.device.type == "cuda":
            torch.cuda.set_rng_state(content["random_device"])
    else:  # each process needs its own dropout
        diverge(trainer, step=int(content["state"]["step"]))
    rows = [CurveRow(*row) for row in content["state"]["rows"]]
    trainer.state = State(**content["state"] | {"rows": rows})


def diverge(trainer: Trainer, *, step: int = 0) -> None:
    """Seed the random generator of a process that does not lead, by the cell's seed, rank and step."""
    if not trainer.team.leads:
        seed = np.random.SeedSequence([trainer.cell.seed, trainer.team.rank, step])
        torch.manual_seed(int(seed.generate_state(1, np.uint64)[0] >> 1))


def save_weights(trainer: Trainer, path: Path) -> None:
    """Write the current weights, without the optimiser, as those of a plain network.

    Low-rank updates are merged; pruning and rounding are applied. Every process of a team must call this; the
    leader writes. Raises StorageError.
    """
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
    """Remove the checkpoints of a finished run."""
    for path in (paths.checkpoint, paths.checkpoint_before):
        path.unlink(missing_ok=True)
    for folder in paths.all_parts():
        shutil.rmtree(folder, ignore_errors=True)
