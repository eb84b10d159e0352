"""The multilayer perceptron for regression as a family. `context` is its inputs, `vocab` its outputs, a token
an example."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from scaling.errors import ShapeError
from scaling.families.counts import Counts
from scaling.families.dial import check_size
from scaling.families.regression.switches import PerceptronSwitches
from scaling.families.shape import Shape, only

if TYPE_CHECKING:
    from torch import nn

SIZES = (0.25, 1024.0)
"""Smallest and largest size: 2 to 8192 features a layer."""


@dataclass(frozen=True, kw_only=True)
class PerceptronFamily:
    """Numbers to numbers through layers of one width."""

    perceptron: PerceptronSwitches
    """What it is made of."""
    name: str = "mlp"
    """What it is asked for by."""
    objective: str = "regression"
    """Squared error."""
    dial: str = "width = 8 × size at a fixed depth, N ∝ size²"
    """What a step of size changes."""
    sizes: tuple[float, float] = SIZES
    """Smallest and largest size."""
    source: str = "arXiv:2004.10802"
    """Where its law comes from."""

    @property
    def switches(self) -> dict[str, Any]:
        """Everything but the size."""
        return asdict(self.perceptron)

    def shape(self, size: float, *, vocab: int, context: int) -> Shape:
        """Layers and width for `context` inputs and `vocab` outputs (ShapeError when out of range)."""
        size = check_size(size, self.name, self.sizes)
        width = self.perceptron.width or max(2, round(8 * size))
        if self.perceptron.depth == 0 and width > context:
            raise ShapeError(
                f"a linear map of {width} inputs, and an example has {context}; set family.width or "
                f"family.size so that it reads at most {context}"
            )
        # a shape has a layer at least, and so has a linear map
        depth = max(1, self.perceptron.depth)
        return Shape(size=size, vocab=vocab, context=context, depth=depth, width=width)

    def counts(self, shape: Shape) -> Counts:
        """Parameters, and forward FLOPs of one example. They are counted per example, not per input."""
        depth = self.perceptron.depth
        inner = shape.context * shape.width + (depth - 1) * shape.width**2 if depth else 0
        head = shape.width * shape.vocab
        params = {"mlp": inner + depth * shape.width, "head": head + shape.vocab}
        return Counts(
            params=params, params_active=sum(params.values()), flops={"mlp": 2.0 * inner, "head": 2.0 * head}
        )

    def build(self, shape: Shape, *, seed: int) -> nn.Module:
        """The module on the CPU: (batch, inputs) float32 → (batch, outputs)."""
        from scaling.families.regression.module import build

        return build(shape, self.perceptron, seed=seed)


def family(name: str, changes: Mapping[str, Any]) -> PerceptronFamily:
    """The perceptron with some switches set (ConfigError for one that it has not)."""
    only(changes, (field.name for field in fields(PerceptronSwitches)), name)
    return PerceptronFamily(name=name, perceptron=PerceptronSwitches(**changes))
