"""Define the interface of a family: shapes, counts and modules."""

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
        """The name in a config."""

    @property
    def objective(self) -> str:
        """Training objective: a key of `scaling.families.OBJECTIVES`, the signatures of the forward pass."""

    @property
    def dial(self) -> str:
        """How the shape grows with size, in words."""

    @property
    def sizes(self) -> tuple[float, float]:
        """Smallest and largest size."""

    @property
    def source(self) -> str:
        """Source of the architecture."""

    @property
    def switches(self) -> Mapping[str, Any]:
        """All settings but the size that decide shapes and modules; part of a run's identity."""

    def shape(self, size: float, *, vocab: int, context: int) -> Shape:
        """Return the shape at one setting of the dial. Raises ShapeError when there is none."""

    def counts(self, shape: Shape) -> Counts:
        """Return the parameters and FLOPs per token of a shape, without torch."""

    def build(self, shape: Shape, *, seed: int) -> nn.Module:
        """Return the module on the CPU in float32; its weights depend only on shape, switches and seed."""
