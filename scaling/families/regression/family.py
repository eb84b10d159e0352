"""Define the multilayer perceptron for regression as a family.

`context` is the number of inputs and `vocab` the number of outputs; one example counts as one token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from scaling.errors import ShapeError
from scaling.families.counts import Counts
from scaling.families.dial import check_size
from scaling.families.regression.switches import PerceptronSwitches
from scaling.families.shape import Shape, check_switches

if TYPE_CHECKING:
    from torch import nn

SIZES = (0.25, 1024.0)
"""Smallest and largest size: 2 to 8192 features a layer."""


@dataclass(frozen=True, kw_only=True)
class PerceptronFamily:
    """A multilayer perceptron whose hidden layers have one width."""

    perceptron: PerceptronSwitches
    """Switches of the perceptron."""
    name: str = "mlp"
    """The name in a config."""
    objective: str = "regression"
    """Squared error."""
    dial: str = "width = 8 × size at a fixed depth, N ∝ size²"
    """How the shape grows with size."""
    sizes: tuple[float, float] = SIZES
    """Smallest and largest size."""
    source: str = "arXiv:2004.10802"
    """Source of its scaling law."""

    @property
    def switches(self) -> dict[str, Any]:
        """All settings but the size."""
        return asdict(self.perceptron)

    def shape(self, size: float, *, vocab: int, context: int) -> Shape:
        """Return the shape for `context` inputs and `vocab` outputs.

        Raises ShapeError when the size is out of range, or a linear map would read more inputs than an
        example has.
        """
        size = check_size(size, self.name, self.sizes)
        width = self.perceptron.width or max(2, round(8 * size))
        if self.perceptron.depth == 0 and width > context:
            raise ShapeError(
                f"the linear map would read {width} inputs and an example has {context}; set family.width or "
                f"family.size so that it reads at most {context}"
            )
        # a Shape has at least one layer, also for a linear map
        depth = max(1, self.perceptron.depth)
        return Shape(size=size, vocab=vocab, context=context, depth=depth, width=width)

    def counts(self, shape: Shape) -> Counts:
        """Return the parameters and the forward FLOPs per example (not per input)."""
        depth = self.perceptron.depth
        inner = shape.context * shape.width + (depth - 1) * shape.width**2 if depth else 0
        head = shape.width * shape.vocab
        params = {"mlp": inner + depth * shape.width, "head": head + shape.vocab}
        return Counts(
            params=params, params_active=sum(params.values()), flops={"mlp": 2.0 * inner, "head": 2.0 * head}
        )

    def build(self, shape: Shape, *, seed: int) -> nn.Module:
        """Return the module on the CPU: (batch, inputs) float32 → (batch, outputs)."""
        from scaling.families.regression.module import build

        return build(shape, self.perceptron, seed=seed)


def family(name: str, changes: Mapping[str, Any]) -> PerceptronFamily:
    """Return the perceptron with some switches set. Raises ConfigError for an unknown switch."""
    check_switches(changes, (field.name for field in fields(PerceptronSwitches)), name)
    return PerceptronFamily(name=name, perceptron=PerceptronSwitches(**changes))
