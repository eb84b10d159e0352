"""How learning rates, initial weights and weight decay of each kind of parameter move with width and
depth."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator

import torch
from torch import nn

from scaling.errors import ConfigError
from scaling.training.recipes.recipe import Hyperparameters

_HEAD = re.compile(r"(^|\.)(head|lm_head|classifier|output)\.")
_BRANCH_END = re.compile(r"\.(out|down|wo|o_proj|down_proj|c_proj|out_proj)\.weight$")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Factors:
    """What one parameter's numbers are multiplied by, against the base shape."""

    kind: str
    """embedding, hidden, head, or vector (gains and biases)."""
    learning_rate: float = 1.0
    """Of the learning rate."""
    init: float = 1.0
    """Of the initial weights that the family drew."""
    epsilon: float = 1.0
    """Of Adam's epsilon."""


def kind_of(name: str, parameter: nn.Parameter, embeddings: set[int]) -> str:
    """embedding, hidden, head or vector, by what holds the parameter and by its shape."""
    if id(parameter) in embeddings:
        return "embedding"
    if parameter.ndim < 2:
        return "vector"
    return "head" if _HEAD.search(name) else "hidden"


def factors(module: nn.Module, h: Hyperparameters) -> Iterator[tuple[nn.Parameter, Factors]]:
    """Every parameter of a module that learns, with its factors.

    standard: all 1. What a recipe says about width then stands in its learning rate alone.

    mup, arXiv:2203.03466 table 3 (Adam), with r = width / base_width: hidden matrices learn at 1/r; the head
    learns at
    1/r and starts with standard deviation ∝ 1/width, 1/√r below fan-in; embeddings, gains and biases keep the
    base
    rate. Attention keeps 1/√head_dim: the table's 1/head_dim differs only where the dial moves head_dim.

    completep, arXiv:2505.01618 table 1 at α = 1, with also l = depth / base_depth: every residual branch is
    multiplied
    by 1/l. For the branch's last matrix under Adam that is the same as initial weights and learning rate ×
    1/l, which
    is how it is done here. Epsilon falls as the gradients do: 1/(r·l) inside a branch, 1/r at its end (the
    multiplier
    is in the matrix there) and for embeddings.

    Raises ConfigError when the module's head is tied to its embedding, which needs both rules at once.
    """
    embeddings = {
        id(p) for m in module.modules() if isinstance(m, nn.Embedding) for p in m.parameters(recurse=False)
    }
    named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    if h.parametrization == "standard":
        for name, p in named:
            yield p, Factors(kind=kind_of(name, p, embeddings))
        return
    if getattr(getattr(module, "switches", None), "tied", False):
        raise ConfigError(
            f"recipe.parametrization={h.parametrization} gives embedding and head different learning rates "
            "and this "
            f"family ties them; set family.tied=false or recipe.parametrization=standard"
        )
    completep = h.parametrization == "completep"
    if completep and not hasattr(module, "blocks"):
        raise ConfigError(
            "recipe.parametrization=completep weighs residual blocks and this family has none; "
            "set recipe.parametrization=mup or standard"
        )
    r = float(module.shape.width) / h.base_width  # type: ignore[union-attr, arg-type]
    deeper = float(module.shape.depth) / h.base_depth if completep else 1.0  # type: ignore[union-attr, arg-type]
    for name, p in named:
        kind, inside = kind_of(name, p, embeddings), name.startswith("blocks.")
        if kind == "head":
            yield p, Factors(kind=kind, learning_rate=1 / r, init=r**-0.5)
        elif kind == "hidden":
            ends = bool(_BRANCH_END.search(name)) and inside
            branch = 1 / deeper if ends else 1.0
            epsilon = 1 / (r if ends else r * deeper) if completep else 1.0
            yield p, Factors(kind=kind, learning_rate=branch / r, init=branch, epsilon=epsilon)
        else:
            epsilon = 1 / (r * deeper if inside else r) if completep else 1.0
            yield p, Factors(kind=kind, epsilon=epsilon)


@torch.no_grad()
def rescale(module: nn.Module, h: Hyperparameters) -> None:
    """Multiplies the family's initial weights by the parametrization's factors, in place."""
    for parameter, factor in factors(module, h):
        if factor.init != 1.0:
            parameter.mul_(factor.init)
