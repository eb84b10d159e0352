"""Write and read checkpoints. The previous one is kept in case the newest is damaged.

If weights are sharded over the processes of a team, a folder holds the shards and the file holds the rest.
"""

from __future__ import annotations

import copy
import dataclasses
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from scaling.errors import StorageError
from scaling.families.adapting.modules import fold
from scaling.files import storage, temporary
from scaling.terminal.text import say
from scaling.training import tensors
from scaling.training.cell import Cell
from scaling.training.checkpoints import restoring, shards, trunk
from scaling.training.hardware import failures, sharding
from scaling.training.loop import Trainer
from scaling.training.paths import RunPaths
from scaling.training.tensors import FORMAT, Damaged


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """A checkpoint that a run can continue from."""

    path: Path
    """Path of the file."""
    name: str
    """Run id or trunk id that the file must have."""
    inherited: int | None = None
    """Step of a shared trunk; None for a checkpoint of the run itself."""


def save(trainer: Trainer, paths: RunPaths, **more: Any) -> None:
    """Write weights, optimiser, random generators and state. The state's step is the position in the data.

    Raises:
        StorageError: when the file cannot be written; the previous checkpoint then stays unchanged.
        Diverged: when a pending loss shows divergence.
    """
    name, cut = trainer.cell.run_id, sharding.is_cut(trainer.optimizers.parameters[0])
    if cut:
        trainer.fetch()
        parts = shards.save(trainer, paths.checkpoint_parts(trainer.state.step))
        moving = {"format": FORMAT, "run_id": name, "parts": parts, **rest(trainer), **more}
    else:
        moving = content(trainer, name) | more
    if not trainer.team.leads:
        return
    newest, before = paths.checkpoint, paths.checkpoint_before
    fresh = temporary(newest, "new")
    tensors.save(moving, fresh, "a checkpoint")
    with storage(newest, "a checkpoint"):
        if newest.exists():
            os.replace(newest, before)
        os.replace(fresh, newest)
    if cut:
        remove_parts(paths, trainer.cell)


def remove_parts(paths: RunPaths, cell: Cell) -> None:
    """Remove the shards that neither the newest nor the previous checkpoint names."""
    named = set()
    for source in sources(cell, paths, shared=False):
        with suppress(Damaged):
            named.add(paths.checkpoint_parts(tensors.read(source.path, cell.run_id)["state"]["step"]))
    for folder in set(paths.all_parts()) - named:
        shutil.rmtree(folder, ignore_errors=True)


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


def sources(cell: Cell, paths: RunPaths, *, shared: bool = True) -> list[Source]:
    """Return the checkpoints of a run in the order in which they are tried: the newest first.

    Those of its shared trunk come last, if `shared`.
    """
    own = (paths.checkpoint, paths.checkpoint_before)
    trunks = trunk.checkpoints(cell, paths) if shared else []
    return [
        *(Source(path=path, name=cell.run_id) for path in own if path.exists()),
        *(Source(path=path, name=str(trunk.trunk_id(cell)), inherited=step) for step, path in trunks),
    ]


def load(trainer: Trainer, paths: RunPaths, source: Source) -> dict[str, Any]:
    """Load a checkpoint into a trainer; return its content.

    Raises:
        Damaged: when the file, its shards or their content are not what a run of this cell writes. The
            trainer may be partly loaded and must be discarded.
        StorageError: when the disk cannot be read.
    """
    try:
        saved = tensors.read(source.path, source.name)
        restoring.restore(trainer, saved, paths)
        if source.inherited not in (None, trainer.state.step):
            raise ValueError(f"it is of step {trainer.state.step}")
    except (Damaged, MemoryError):
        raise
    except FileNotFoundError as error:
        raise Damaged(source.path, f"{error.filename} is missing") from error
    except OSError as error:
        raise StorageError(f"{source.path} cannot be read: {error.strerror}; repair the disk") from error
    except Exception as error:
        if isinstance(error, StorageError) or failures.out_of_memory(error):
            raise
        raise Damaged(source.path, tensors.reason_of(error)) from error
    if source.inherited is not None:
        trainer.state.inherited = source.inherited
        trainer.state.seconds_training = trainer.state.seconds_evaluating = 0.0
        return {}
    return saved


def give_up(error: Damaged, cell: Cell, paths: RunPaths, *, shared: bool = True) -> None:
    """Rename a damaged checkpoint and print what the run continues from. Raises StorageError."""
    clause = tensors.set_aside(error)
    left = sources(cell, paths, shared=shared)
    say(
        f"scaling: {clause}; the run "
        + (f"continues from {left[0].path.name}" if left else "starts from step 0")
    )


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
    tensors.save(moving, path, "the trunk's checkpoint")


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
    tensors.save(content, path, "the weights")


def remove(paths: RunPaths) -> None:
    """Remove the checkpoints of a finished run."""
    for path in (paths.checkpoint, paths.checkpoint_before):
        path.unlink(missing_ok=True)
    for folder in paths.all_parts():
        shutil.rmtree(folder, ignore_errors=True)
