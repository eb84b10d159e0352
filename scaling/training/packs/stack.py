"""Packs: runs of one shape that train side by side, their weights stacked on a leading axis.

One forward and one backward pass do the work of all members; everything else (batch, learning rate,
optimiser, clipping, curve) stays each member's own, on views of the stack. On a CPU every member ends at the
bits of its run alone (`running.by_member`); a GPU adds up in another order. It should pay where a step waits
for launches rather than for arithmetic; that has not been measured on a GPU, and a CPU loses.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

    from scaling.training.cell import Cell
    from scaling.training.loop import Trainer

OBJECTIVES = ("causal", "masked")


def key(cell: Cell) -> str | None:
    """What members of one pack agree on, as text; None for a run that cannot be packed.

    Not from a trained run, nor compressed, nor with dropout, whose random numbers would be drawn for all at
    once, nor with routed experts, whose sizes depend on the data. Needs no torch.
    """
    switches, h = dict(cell.switches), cell.hyperparameters
    if cell.objective not in OBJECTIVES or switches.get("dropout") or switches.get("experts"):
        return None
    if cell.start is not None or cell.compression is not None:
        return None
    if cell.dtype == "float16":  # its loss is scaled by a number that each run finds for itself
        return None
    same = {
        "family": cell.family,
        "switches": switches,
        "shape": {k: v for k, v in cell.shape.as_dict().items() if k != "size"},
        "corpus": cell.corpus_hash,
        "context": cell.context,
        "batch_sequences": h.batch_sequences,
        "label_smoothing": h.label_smoothing,
        "dtype": cell.dtype,
    }
    return json.dumps(same, sort_keys=True, default=str)


class Stack:
    """The weights of some trainers as one tensor a parameter, (members, …), of which each holds its part."""

    def __init__(self, trainers: Sequence[Trainer]) -> None:
        import torch

        self.trainers = list(trainers)
        self.weights: dict[str, Tensor] = {}
        self.parts = [dict(trainer.module.named_parameters()) for trainer in trainers]
        for name in self.parts[0]:
            whole = torch.stack([part[name].detach() for part in self.parts])
            for part, row in zip(self.parts, whole, strict=True):
                part[name].data = row
            self.weights[name] = whole.requires_grad_()

    def gradients(self) -> list[Tensor]:
        """The gradient of each member's step, left in its parameters; their losses."""
        import torch
        from torch.func import functional_call

        from scaling.training.objectives.task import how_many, part
        from scaling.training.packs.by_member import ByMember

        first = self.trainers[0]
        task, module, h = first.task, first.module, first.cell.hyperparameters
        batches = [trainer.task.training(trainer.state.step) for trainer in self.trainers]
        scales = [1.0 / max(how_many(task, batch), 1) for batch in batches]
        stacked = first.precision.move({n: torch.stack([b[n] for b in batches]) for n in batches[0]})

        def losses(weights: dict[str, Tensor], batch: dict[str, Tensor]) -> Tensor:
            def member(*arguments: Tensor) -> Any:
                return functional_call(module, weights, arguments)

            predictions, targets = task.predict(member, batch)  # type: ignore[arg-type]
            return task.losses(predictions, targets, smoothing=h.label_smoothing)

        totals: list[Any] = [0.0] * len(self.trainers)
        for start in range(0, h.batch_sequences, first.micro_batch):
            end = min(start + first.micro_batch, h.batch_sequences)
            some = [part({n: t[i] for n, t in stacked.items()}, start, end) for i in range(len(totals))]
            together = {n: torch.stack([one[n] for one in some]) for n in some[0]}
            apart = ByMember() if first.precision.device.type == "cpu" else nullcontext()
            with first.precision.autocast(), apart:
                every = torch.vmap(losses)(self.weights, together)
            # summed row by row, as each member would alone: to the same bit
            sums = [scale * row.sum() for scale, row in zip(scales, every, strict=True)]
            torch.autograd.backward(torch.stack(sums).sum())
            totals = [total + one.detach() for total, one in zip(totals, sums, strict=True)]
        for name, whole in self.weights.items():
            for part_, row in zip(self.parts, whole.grad, strict=True):  # type: ignore[arg-type]
                part_[name].grad = row
            whole.grad = None
        return totals

    def dissolve(self) -> None:
        """Gives every member weights of its own again."""
        for part in self.parts:
            for parameter in part.values():
                parameter.data = parameter.data.clone()


def train_together(
    trainers: Sequence[Trainer], pauses: Sequence[Callable[[], None]]
) -> Iterator[tuple[int, BaseException | None]]:
    """Trains members until each is at its last step; yields (member, None) as it gets there.

    A member that ends with an exception is yielded with it (Diverged, or what its pause raised), and the
    others go on. Members may have different horizons: who is done leaves the stack.
    """
    from scaling.errors import ScalingError
    from scaling.training.loop import steps

    loops = {i: steps(t, pause=p) for i, (t, p) in enumerate(zip(trainers, pauses, strict=True))}
    stack: Stack | None = None
    sent: dict[int, Tensor | None] = dict.fromkeys(loops)
    while loops:
        ended: list[tuple[int, BaseException | None]] = []
        for i, loss in sent.items():
            try:
                loops[i].send(loss)
            except StopIteration:
                ended.append((i, None))
            except (ScalingError, KeyboardInterrupt) as error:
                ended.append((i, error))
        for i, _ in ended:
            del loops[i]
        if stack is not None and ended:
            stack.dissolve()
            stack = None
        yield from ended
        asked = list(loops)
        if not asked:
            return
        if stack is None:
            stack = Stack([trainers[i] for i in asked])
        began = time.perf_counter()
        sent = dict(zip(asked, stack.gradients(), strict=True))
        each = (time.perf_counter() - began) / len(asked)
        for i in asked:
            trainers[i].state.seconds_training += each
