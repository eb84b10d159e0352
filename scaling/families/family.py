"""What every family offers, and how shapes, counts and modules are asked of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from scaling.families.counts import Counts
from scaling.families.shape import Shape

if TYPE_CHECKING:
    from torch import nn


@runtime_checkable
class Family(Protocol):
    """An architecture with one dial, size, that gives every shape."""

    @property
    def name(self) -> str:
        """What it is asked for by."""

    @property
    def objective(self) -> str:
        """What it is trained to do: one of `scaling.families.OBJECTIVES`, which also says how it is
        called."""

    @property
    def dial(self) -> str:
        """What a step of size changes, in words."""

    @property
    def sizes(self) -> tuple[float, float]:
        """Smallest and largest size."""

    @property
    def source(self) -> str:
        """Where the architecture comes from."""

    @property
    def switches(self) -> Mapping[str, Any]:
        """Everything but the size that decides its shapes and modules; goes into a run's identity."""

    def shape(self, size: float, *, vocab: int, context: int) -> Shape:
        """The shape at one setting of the dial (ShapeError when there is none)."""

    def counts(self, shape: Shape) -> Counts:
        """Parameters and FLOPs per token of a shape, without torch."""

    def build(self, shape: Shape, *, seed: int) -> nn.Module:
        """The module on the CPU in float32; its weights depend on shape, switches and seed alone."""
