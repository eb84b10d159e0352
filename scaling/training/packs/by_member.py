"""What a pack does member by member on a CPU, in the order in which a run alone adds up.

Stacked, a linear map's weight gradient is computed as its transpose and a layer norm's sums run along
another axis: other last bits, at some widths. Attention has no stacked form on a CPU at all. Taking them
apart costs a pack a third of its speed at 7 k parameters and a tenth at 470 k, on a processor that packs only
when told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

OPERATIONS: frozenset[Callable[..., Any]] = frozenset(
    {F.linear, F.layer_norm, F.scaled_dot_product_attention}
)


class ByMember(TorchFunctionMode):
    """Inside, these operations under `torch.vmap` are done for each member in its turn."""

    def __torch_function__(
        self, func: Callable[..., Any], types: Iterable[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in OPERATIONS:
            return _Apart.apply(func, tuple(kwargs), *args, *kwargs.values())  # type: ignore[no-untyped-call]
        return func(*args, **kwargs)


class _Apart(torch.autograd.Function):
    """`func` of its arguments, those after the names by keyword; gradients are those of the single calls."""

    @staticmethod
    def forward(func: Callable[..., Tensor], names: tuple[str, ...], *values: Any) -> Tensor:
        first = len(values) - len(names)
        return func(*values[:first], **dict(zip(names, values[first:], strict=True)))

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Nothing is kept: under `vmap` the single calls keep what they need."""

    @staticmethod
    def vmap(
        info: Any, in_dims: Any, func: Callable[..., Tensor], names: tuple[str, ...], *values: Any
    ) -> tuple[Tensor, int]:
        """Members are taken off the batched arguments and put together again."""
        each = [
            value.unbind(dim) if isinstance(value, Tensor) and dim is not None else [value] * info.batch_size
            for value, dim in zip(values, in_dims[2:], strict=True)
        ]
        calls = zip(*each, strict=True)
        return torch.stack([_Apart.forward(func, names, *one) for one in calls]), 0
