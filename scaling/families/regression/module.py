"""The multilayer perceptron as a torch module."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from scaling.families.regression.switches import PerceptronSwitches
from scaling.families.shape import Shape


class Perceptron(nn.Module):
    """A multilayer perceptron: (batch, inputs) float32 → (batch, outputs) float32."""

    def __init__(self, shape: Shape, switches: PerceptronSwitches) -> None:
        super().__init__()
        self.read = shape.context if switches.depth else shape.width
        widths = [shape.context] + [shape.width] * switches.depth
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(widths))
        self.head = nn.Linear(shape.width, shape.vocab)
        kinds: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "gelu": F.gelu, "tanh": torch.tanh}
        self.activation = kinds[switches.activation]

    def forward(self, x: Tensor) -> Tensor:
        """Return the outputs, (batch, outputs)."""
        x = x[:, : self.read]
        for layer in self.layers:
            x = self.activation(layer(x))
        y: Tensor = self.head(x)
        return y


@torch.no_grad()
def build(shape: Shape, switches: PerceptronSwitches, *, seed: int) -> Perceptron:
    """Return a perceptron on the CPU.

    Matrices are normal. Their variance is 2/fan_in before a ReLU, which halves it (arXiv:1502.01852), else
    1/fan_in. Biases are zero.
    """
    with torch.device("meta"):
        module = Perceptron(shape, switches)
    module.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in module.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()
        else:
            gain = 2.0 if switches.activation == "relu" and not name.startswith("head") else 1.0
            parameter.normal_(0, math.sqrt(gain / parameter.shape[1]), generator=generator)
    return module
