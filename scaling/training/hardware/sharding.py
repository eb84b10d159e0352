"""Distribute a run over the processes of a team.

DDP keeps all weights in each process. FSDP2 (`torch.distributed.fsdp.fully_shard`) keeps a shard of every
weight in each. The losses are the same; memory and communication differ. FSDP is imported only when weights
are sharded, because the import takes a third of the time of importing torch.
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
    """Raise ConfigError for a cell whose weights cannot be sharded."""
    why = None
    if cell.hyperparameters.optimizer in OF_MATRICES:
        why = f"recipe.optimizer={cell.hyperparameters.optimizer} works on whole matrices"
    elif cell.objective == "seq2seq":
        why = f"family {cell.family!r} generates its answers with whole weights"
    elif cell.dtype == "float16":
        why = "device.dtype=float16 scales the loss in each process on its own"
    elif cell.start is not None or cell.compression is not None:
        why = "a run that adapts, prunes or rounds works on whole matrices"
    if why:
        raise ConfigError(f"{why}, and device.sharing=fsdp shards the weights; set device.sharing=ddp")


def cut(module: nn.Module, team: Team, device: torch.device) -> None:
    """Shard the weights over the team: each block separately, then all other weights together.

    Weights become DTensors, so call this before creating the optimiser.
    """
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

    mesh = init_device_mesh(device.type, (team.size,))
    for block in getattr(module, "blocks", ()):
        fully_shard(block, mesh=mesh)
    fully_shard(module, mesh=mesh)
    if hasattr(module, "features"):  # the chunked loss calls `features` in place of `forward`
        register_fsdp_forward_method(module, "features")


def wrap(module: nn.Module) -> nn.Module:
    """Return a module that averages gradients over the team; a sharded module already does."""
    if _root(module) is not None:
        return module
    from torch.nn.parallel import DistributedDataParallel

    with warnings.catch_warnings():
        # torch 2.13 renames broadcast_buffers; torch 2.6 does not know the new name
        warnings.simplefilter("ignore", FutureWarning)
        # buffers are equal in all processes; gradients as bucket views save a copy of all gradients
        return DistributedDataParallel(module, broadcast_buffers=False, gradient_as_bucket_view=True)


def _root(module: nn.Module) -> Any:
    """Return the outermost sharded module in `module`; None if nothing is sharded."""
    return next((one for one in module.modules() if hasattr(one, "set_requires_gradient_sync")), None)


def is_cut(tensor: Any) -> bool:
    """Return whether a tensor is a DTensor, which is sharded over processes."""
    return hasattr(tensor, "device_mesh")


def travelling(shared: nn.Module | None, *, last: bool) -> AbstractContextManager[Any]:
    """Return the context of one backward pass of a step; only the `last` pass communicates gradients."""
    if shared is None:
        return nullcontext()
    root = _root(shared)
    if root is not None:
        root.set_requires_gradient_sync(last)
        return nullcontext()
    return nullcontext() if last else shared.no_sync()  # type: ignore[operator]


def local(tensor: Tensor) -> Tensor:
    """Return this process's shard of a weight or gradient; the whole tensor if it is not sharded."""
    held: Any = tensor
    part: Tensor = held.to_local() if is_cut(tensor) else tensor
    return part


def whole(state: Any) -> Any:
    """Return a state dict with unsharded tensors. Every process of the team must call this."""
    if is_cut(state):
        return state.full_tensor()
    if isinstance(state, Mapping):
        return {name: whole(one) for name, one in state.items()}
    return [whole(one) for one in state] if isinstance(state, list) else state


def part_like(tensor: Any, weight: Tensor) -> Any:
    """Return a tensor sharded like a weight of the same shape; any other value is returned unchanged."""
    if not (is_cut(weight) and isinstance(tensor, Tensor) and tensor.shape == weight.shape):
        return tensor
    from torch.distributed.tensor import distribute_tensor

    cut_as: Any = weight
    return distribute_tensor(
        tensor.to(weight.device), cut_as.device_mesh, cut_as.placements, src_data_rank=None
    )
