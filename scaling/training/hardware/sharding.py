"""How the processes of a team share a run: all weights in each (DDP), or a part of every weight in each
(FSDP2, `torch.distributed.fsdp.fully_shard`). The losses are the same; memory and traffic are not.

What FSDP brings is imported where weights are cut: it takes a third as long as torch itself.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from scaling.errors import ConfigError
from scaling.training.cell import Cell
from scaling.training.hardware.team import Team
from scaling.training.recipes.recipe import OF_MATRICES


def check(cell: Cell) -> None:
    """Raises ConfigError for a cell whose weights cannot be cut."""
    why = None
    if cell.hyperparameters.optimizer in OF_MATRICES:
        why = f"recipe.optimizer={cell.hyperparameters.optimizer} works on whole matrices"
    elif cell.objective == "seq2seq":
        why = f"family {cell.family!r} writes its answers with whole weights"
    elif cell.dtype == "float16":
        why = "device.dtype=float16 scales its loss by what one process sees"
    elif cell.start is not None or cell.compression is not None:
        why = "a run that adapts, prunes or rounds works on whole matrices"
    if why:
        raise ConfigError(f"{why}, and device.sharing=fsdp leaves a part in each process; take ddp")


def cut(module: nn.Module, team: Team, device: torch.device) -> None:
    """Leaves in each process its part of every weight, block by block, the rest as one more block; weights
    become DTensors. Before the optimiser is made."""
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

    mesh = init_device_mesh(device.type, (team.size,))
    for block in getattr(module, "blocks", ()):
        fully_shard(block, mesh=mesh)
    fully_shard(module, mesh=mesh)
    if hasattr(module, "features"):  # the loss in chunks calls it in place of forward
        register_fsdp_forward_method(module, "features")


def wrap(module: nn.Module) -> nn.Module:
    """The module whose backward pass averages gradients over the team; one that was cut does so itself."""
    if _root(module) is not None:
        return module
    from torch.nn.parallel import DistributedDataParallel

    with warnings.catch_warnings():
        # torch 2.13 renames broadcast_buffers, and its new name is unknown to torch 2.6
        warnings.simplefilter("ignore", FutureWarning)
        # tables are the same everywhere; gradients in the buckets themselves spare a copy of all of them
        return DistributedDataParallel(module, broadcast_buffers=False, gradient_as_bucket_view=True)


def _root(module: nn.Module) -> Any:
    """What was cut as a whole, in a module or itself; None where nothing was."""
    return next((one for one in module.modules() if hasattr(one, "set_requires_gradient_sync")), None)


def is_cut(tensor: Any) -> bool:
    """Whether a tensor is a DTensor, of which others hold parts."""
    return hasattr(tensor, "device_mesh")


def travelling(shared: nn.Module | None, *, last: bool) -> AbstractContextManager[Any]:
    """Around one of a step's backward passes: gradients travel once a step, behind the last."""
    if shared is None:
        return nullcontext()
    root = _root(shared)
    if root is not None:
        root.set_requires_gradient_sync(last)
        return nullcontext()
    return nullcontext() if last else shared.no_sync()  # type: ignore[operator]


def local(tensor: Tensor) -> Tensor:
    """Our part of a weight or a gradient; all of it where nothing was cut."""
    held: Any = tensor
    part: Tensor = held.to_local() if is_cut(tensor) else tensor
    return part


def whole(state: Any) -> Any:
    """A state dict with all of every tensor. Every process has to ask for it."""
    if is_cut(state):
        return state.full_tensor()
    if isinstance(state, Mapping):
        return {name: whole(one) for name, one in state.items()}
    return [whole(one) for one in state] if isinstance(state, list) else state


def part_like(tensor: Any, weight: Tensor) -> Any:
    """Of a whole tensor the part that we hold of a weight of its shape, cut as the weight is."""
    if not (is_cut(weight) and isinstance(tensor, Tensor) and tensor.shape == weight.shape):
        return tensor
    from torch.distributed.tensor import distribute_tensor

    cut_as: Any = weight
    return distribute_tensor(
        tensor.to(weight.device), cut_as.device_mesh, cut_as.placements, src_data_rank=None
    )
