"""Optimisers by name, over groups of parameters that share a learning-rate factor and a weight decay."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from scaling.errors import ConfigError
from scaling.training.hardware.sharding import local, part_like
from scaling.training.optimization.parametrization import Factors, factors
from scaling.training.recipes.recipe import OF_MATRICES, Hyperparameters


class Optimizers:
    """One or more torch optimisers that step as one. Muon and SOAP take the matrices and leave the rest to
    AdamW."""

    total: Callable[[Tensor], Tensor] | None = None
    """Sums over the processes that hold a part of every weight; None where each holds all."""

    def __init__(self, parts: Iterable[torch.optim.Optimizer]) -> None:
        self.parts = list(parts)
        self.groups = [group for part in self.parts for group in part.param_groups]
        self.parameters = [p for group in self.groups for p in group["params"]]

    def set_learning_rate(self, rate: float) -> None:
        """Gives every group its share of the rate."""
        for group in self.groups:
            group["lr"] = rate * group["factor"]

    def zero(self) -> None:
        """Drops all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """One update."""
        for part in self.parts:
            part.step()

    def clip(self, largest: float | None) -> Tensor:
        """Scales all gradients so that their joint norm is at most `largest`; returns the norm before, a
        scalar."""
        gradients = [local(p.grad) for p in self.parameters if p.grad is not None]
        norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        if self.total is not None:
            norm = self.total(norm.square()).sqrt()
        if largest is not None:
            # the same 1e-6 as torch.nn.utils.clip_grad_norm_; a factor of 1 leaves every bit alone
            torch._foreach_mul_(gradients, torch.clamp(largest / (norm + 1e-6), max=1.0))
        return norm

    def state_dict(self) -> list[dict[str, Any]]:
        """The states of all parts."""
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Takes the states back, of cut weights the part that is held here."""
        for part, state in zip(self.parts, states, strict=True):
            weights = [p for group in part.param_groups for p in group["params"]]
            moments = {
                i: {name: part_like(one, weights[i]) for name, one in held.items()}
                for i, held in state["state"].items()
            }
            part.load_state_dict({**state, "state": moments})
        self.groups = [group for part in self.parts for group in part.param_groups]


def make(module: nn.Module, h: Hyperparameters) -> Optimizers:
    """The optimiser of a run.

    Weight decay falls on matrices inside the blocks and on the head, not on embeddings, gains and biases,
    which it
    would pull towards a wrong size. It is decoupled (arXiv:1711.05101) except under `adam` and `sgd`, where
    it is the
    L2 term in the gradient, as in the papers that use those names.
    """
    matrices: list[tuple[nn.Parameter, Factors]] = []
    rest: list[tuple[nn.Parameter, Factors]] = []
    for parameter, factor in factors(module, h):
        is_matrix = parameter.ndim >= 2 and factor.kind == "hidden"
        (matrices if is_matrix else rest).append((parameter, factor))
    if h.optimizer in OF_MATRICES:
        first = (_muon if h.optimizer == "muon" else _soap)(_groups(matrices, h), h)
        return Optimizers([first, _adamw(_groups(rest, h), h)] if rest else [first])
    groups = _groups([*matrices, *rest], h)
    if h.optimizer == "adamw":
        return Optimizers([_adamw(groups, h)])
    if h.optimizer == "adam":
        betas = (h.beta1, h.beta2)
        return Optimizers(
            [torch.optim.Adam(groups, lr=h.learning_rate, betas=betas, eps=h.epsilon, fused=True)]
        )
    if h.optimizer == "sgd":
        return Optimizers([torch.optim.SGD(groups, lr=h.learning_rate, momentum=h.beta1, fused=True)])
    from scaling.training.optimization.lion import Lion

    return Optimizers([Lion(groups, lr=h.learning_rate, betas=(h.beta1, h.beta2))])


def _muon(groups: list[dict[str, Any]], h: Hyperparameters) -> torch.optim.Optimizer:
    from scaling.training.optimization.muon import Muon

    return Muon(groups, lr=h.learning_rate, momentum=h.beta1)


def _soap(groups: list[dict[str, Any]], h: Hyperparameters) -> torch.optim.Optimizer:
    """Adam in the eigenbasis of Shampoo's preconditioner (arXiv:2409.11321, algorithm 3), a new basis every
    10 steps as there. Its first step only begins the preconditioner."""
    try:
        from pytorch_optimizer.optimizer.soap import SOAP
    except ModuleNotFoundError:
        raise ConfigError(
            "recipe.optimizer=soap needs the package pytorch-optimizer; type: pip install "
            "'scaling[optimizers]', or take adamw"
        ) from None
    made: torch.optim.Optimizer = SOAP(groups, lr=h.learning_rate, betas=(h.beta1, h.beta2), eps=h.epsilon)
    return made


def _adamw(groups: list[dict[str, Any]], h: Hyperparameters) -> torch.optim.Optimizer:
    # fused: a third of the time of foreach at 80 thousand parameters on one core
    return torch.optim.AdamW(groups, lr=h.learning_rate, betas=(h.beta1, h.beta2), eps=h.epsilon, fused=True)


def _groups(pairs: list[tuple[nn.Parameter, Factors]], h: Hyperparameters) -> list[dict[str, Any]]:
    """Parameters that share a factor and a decay, in one group each, in the order of their first member."""
    groups: dict[tuple[float, float, float], list[nn.Parameter]] = {}
    for parameter, f in pairs:
        # dividing by the factor keeps learning rate × decay, what a step takes off, free of the
        # parametrization
        decay = h.weight_decay / f.learning_rate if f.kind in ("hidden", "head") else 0.0
        groups.setdefault((f.learning_rate, decay, f.epsilon), []).append(parameter)
    made = []
    for (rate, decay, epsilon), members in groups.items():
        group: dict[str, Any] = {"params": members, "factor": rate, "weight_decay": decay}
        if h.optimizer in ("adamw", "adam", *OF_MATRICES):
            group["eps"] = h.epsilon * epsilon
        made.append(group)
    return made
