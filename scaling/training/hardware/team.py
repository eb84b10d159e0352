"""The processes that share one run: started by torchrun, each with its part of every batch.

Rank 0 leads: it alone writes, and what it finds or decides the others are told. The science does not know how
many there are: the batch of a step is that of the cell, cut into as many equal parts.
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
    """One process among those that share a run. The default is a run of one process."""

    rank: int = 0
    """0 … size − 1."""
    size: int = 1
    """Processes."""
    local_rank: int = 0
    """Rank on this machine: which of its devices is ours."""

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def share(self, make: Callable[[], T]) -> T:
        """What the leader makes, for everyone. A ScalingError of the leader's is raised in all."""
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
        found: T = box[0]
        return found

    def in_turn(self, make: Callable[[], T]) -> T:
        """What each makes for itself, the leader first: it prepares what the others then open."""
        if self.size == 1:
            return make()
        box: list[T] = []
        self.share(lambda: box.append(make()))
        return box[0] if box else make()

    def sum(self, tensor: Tensor) -> Tensor:
        """The sum over all processes, in place."""
        if self.size > 1:
            import torch.distributed as dist

            dist.all_reduce(tensor)
        return tensor

    def largest(self, *numbers: int) -> list[int]:
        """The largest of each number over all processes. Goes over the CPU: no accelerator waits for it."""
        if self.size == 1:
            return list(numbers)
        import torch
        import torch.distributed as dist

        agreed = torch.tensor(numbers)
        dist.all_reduce(agreed, op=dist.ReduceOp.MAX)
        return [int(number) for number in agreed]

    def gather(self, thing: T) -> list[T]:
        """Everyone's thing, in the order of ranks, for everyone."""
        if self.size == 1:
            return [thing]
        import torch.distributed as dist

        found: list[Any] = [None] * self.size
        dist.all_gather_object(found, thing)
        return found

    def part(self, batch: Mapping[str, Tensor], sequences: int) -> dict[str, Tensor]:
        """Our part of a batch of so many sequences."""
        each = sequences // self.size
        return {name: tensor[self.rank * each : (self.rank + 1) * each] for name, tensor in batch.items()}

    def sequences(self, batch_sequences: int) -> int:
        """Sequences of a batch that fall to each process. Raises ConfigError when it cannot be cut evenly."""
        if batch_sequences % self.size:
            fits = [str(n) for n in range(1, batch_sequences + 1) if batch_sequences % n == 0]
            shown = fits if len(fits) <= 8 else [*fits[:7], "…", fits[-1]]
            raise ConfigError(
                f"{self.size} processes cannot share a batch of {batch_sequences} sequences evenly; start "
                f"{', '.join(shown)} of them with torchrun, or set recipe.batch_sequences to a multiple of "
                f"{self.size}, which is another run"
            )
        return batch_sequences // self.size


SOLO = Team()


def size() -> int:
    """How many processes torchrun started for this run; 1 without it. Needs no torch."""
    return int(os.environ.get("WORLD_SIZE", "1")) if "LOCAL_RANK" in os.environ else 1


@contextmanager
def joined(device: str = "cpu") -> Iterator[Team]:
    """The team that torchrun started us in, or SOLO. `device` is `device.name` of the config.

    Raises LaunchError when the machine has fewer accelerators than processes, or when the others do not come.
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
        # decisions travel over the CPU, gradients over what links the accelerators
        dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    except (RuntimeError, ValueError) as error:
        raise LaunchError(
            f"process {team.rank} of {team.size} could not meet the others ({str(error).splitlines()[0]}); "
            f"start it with torchrun, and look whether all of them are up"
        ) from error
    try:
        yield team
        dist.barrier()
    finally:
        dist.destroy_process_group()
