"""Scale learning rates and initial weights of each kind of parameter with width and depth."""

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
    """The factors of one parameter relative to the base shape."""

    kind: str
    """Kind of the parameter: embedding, hidden, head, or vector (gains and biases)."""
    learning_rate: float = 1.0
    """Factor on the learning rate."""
    init: float = 1.0
    """Factor on the family's initial weights."""
    epsilon: float = 1.0
    """Factor on Adam's epsilon."""


def kind_of(name: str, parameter: nn.Parameter, embeddings: set[int]) -> str:
    """Return embedding, hidden, head or vector, by the parameter's name, module and shape."""
    if id(parameter) in embeddings:
        return "embedding"
    if parameter.ndim < 2:
        return "vector"
    return "head" if _HEAD.search(name) else "hidden"


def factors(module: nn.Module, h: Hyperparameters) -> Iterator[tuple[nn.Parameter, Factors]]:
    """Yield every trained parameter of a module with its factors.

    standard: all factors are 1. Only the recipe's learning rate depends on the width.

    mup (arXiv:2203.03466 table 3, Adam), with r = width / base_width: hidden matrices have learning rate
    × 1/r. The head has learning rate × 1/r and initial weights × 1/√r, so their standard deviation is
    ∝ 1/width. Embeddings, gains and biases keep the base rate. Attention is scaled by 1/√head_dim; the
    table's 1/head_dim differs only if the dial changes head_dim.

    completep (arXiv:2505.01618 table 1 at α = 1), also with l = depth / base_depth: every residual branch is
    multiplied by 1/l. Under Adam this equals initial weights and learning rate × 1/l of the branch's last
    matrix, which is what these factors do. Epsilon is scaled like the gradients: × 1/(r·l) inside a branch,
    × 1/r for its last matrix, which contains the multiplier, and for embeddings.

    Raises ConfigError when head and embedding are tied, as they need different factors, or when completep
    is set for a module without blocks.
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
            f"family ties their weights; set family.tied=false or recipe.parametrization=standard"
        )
    completep = h.parametrization == "completep"
    if completep and not hasattr(module, "blocks"):
        raise ConfigError(
            "recipe.parametrization=completep scales residual blocks and this family has none; "
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
    """Multiply the initial weights by the parametrization's factors, in place."""
    for parameter, factor in factors(module, h):
        if factor.init != 1.0:
            parameter.mul_(factor.init)
