"""Coordinate the processes of one run, which torchrun starts.

Each process computes an equal part of every batch. Rank 0 leads: only it writes files, and it sends its
decisions to the others. The number of processes changes neither the batch of a step nor the run id.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from scaling.errors import ConfigError, LaunchError, ScalingError

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Team:
    """One process of a run and its rank among them. The default is a run of one process."""

    rank: int = 0
    """Rank of this process, from 0 to size − 1."""
    size: int = 1
    """Number of processes of the run."""
    local_rank: int = 0
    """Rank on this machine, which is also the index of this process's device."""

    @property
    def leads(self) -> bool:
        """Whether this process has rank 0, which writes files."""
        return self.rank == 0

    def share(self, make: Callable[[], T]) -> T:
        """Call `make` in the leader and return its result in all processes. All raise its ScalingError."""
        if self.size == 1:
            return make()
        import torch.distributed as dist

        box: list[Any] = [None, None]
        if self.leads:
            try:
                box[0] = make()
            except ScalingError as error:
                box[1] = error
        dist.broadcast_object_list(box, src=0)
        if box[1] is not None:
            raise box[1]
        result: T = box[0]
        return result

    def in_turn(self, make: Callable[[], T]) -> T:
        """Call `make` in the leader, then in the others, which may use files that the leader wrote."""
        if self.size == 1:
            return make()
        box: list[T] = []
        self.share(lambda: box.append(make()))
        return box[0] if box else make()

    def sum(self, tensor: Tensor) -> Tensor:
        """Sum a tensor over all processes, in place."""
        if self.size > 1:
            import torch.distributed as dist

            dist.all_reduce(tensor)
        return tensor

    def largest(self, *numbers: int) -> list[int]:
        """Return the maximum of each number over all processes, computed without the accelerators."""
        if self.size == 1:
            return list(numbers)
        import torch
        import torch.distributed as dist

        agreed = torch.tensor(numbers)
        dist.all_reduce(agreed, op=dist.ReduceOp.MAX)
        return [int(number) for number in agreed]

    def gather(self, thing: T) -> list[T]:
        """Return the objects of all processes in the order of ranks, in every process."""
        if self.size == 1:
            return [thing]
        import torch.distributed as dist

        things: list[Any] = [None] * self.size
        dist.all_gather_object(things, thing)
        return things

    def part(self, batch: Mapping[str, Tensor], sequences: int) -> dict[str, Tensor]:
        """Return this process's part of a batch of `sequences` sequences."""
        each = sequences // self.size
        return {name: tensor[self.rank * each : (self.rank + 1) * each] for name, tensor in batch.items()}

    def sequences(self, batch_sequences: int) -> int:
        """Return a batch's sequences per process. Raises ConfigError if they cannot be divided evenly."""
        if batch_sequences % self.size:
            fits = [str(n) for n in range(1, batch_sequences + 1) if batch_sequences % n == 0]
            allowed = fits if len(fits) <= 8 else [*fits[:7], "…", fits[-1]]
            raise ConfigError(
                f"{self.size} processes cannot share a batch of {batch_sequences} sequences evenly; start "
                f"{', '.join(allowed)} of them with torchrun, or set recipe.batch_sequences to a multiple of "
                f"{self.size}, which gives another run id"
            )
        return batch_sequences // self.size


SOLO = Team()


def size() -> int:
    """Return the number of processes that torchrun started; 1 without torchrun. Needs no torch."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "LOCAL_RANK" in os.environ else 1


@contextmanager
def joined(device: str = "cpu") -> Iterator[Team]:
    """Join the team that torchrun started and leave it on exit; SOLO without torchrun.

    `device` is `device.name` of the config. Raises LaunchError when the machine has fewer accelerators than
    processes, or when the processes cannot connect.
    """
    if size() == 1:
        yield SOLO
        return
    import torch
    import torch.distributed as dist

    team = Team(rank=int(os.environ["RANK"]), size=size(), local_rank=int(os.environ["LOCAL_RANK"]))
    cuda = device.startswith("cuda")
    if cuda:
        here, there = int(os.environ.get("LOCAL_WORLD_SIZE", team.size)), torch.cuda.device_count()
        if here > there:
            raise LaunchError(
                f"torchrun started {here} processes on this machine and torch sees {there} CUDA devices; "
                f"start at most {there} here (--nproc-per-node), or use device=cpu"
            )
        torch.cuda.set_device(team.local_rank)
    try:
        # gloo sends decisions over the CPU, nccl sends gradients between the accelerators
        dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    except (RuntimeError, ValueError) as error:
        raise LaunchError(
            f"process {team.rank} of {team.size} could not connect to the others "
            f"({str(error).splitlines()[0]}); start it with torchrun, and check that all of them are running"
        ) from error
    try:
        yield team
        dist.barrier()
    finally:
        dist.destroy_process_group()
