"""Create an optimiser by name, with groups of parameters that share learning-rate factor and weight decay."""

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
    """One or two torch optimisers of a run. Muon and SOAP update the matrices, and AdamW the rest."""

    total: Callable[[Tensor], Tensor] | None = None
    """Function that sums over the processes of sharded weights; None if weights are not sharded."""

    def __init__(self, parts: Iterable[torch.optim.Optimizer]) -> None:
        self.parts = list(parts)
        self.groups = [group for part in self.parts for group in part.param_groups]
        self.parameters = [p for group in self.groups for p in group["params"]]

    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate of every group to `rate` times its factor."""
        for group in self.groups:
            group["lr"] = rate * group["factor"]

    def zero(self) -> None:
        """Drop all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def step(self) -> None:
        """Update all parameters."""
        for part in self.parts:
            part.step()

    def clip(self, largest: float | None) -> Tensor:
        """Scale all gradients so that their joint norm is at most `largest`; return the norm before."""
        gradients = [local(p.grad) for p in self.parameters if p.grad is not None]
        norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
        if self.total is not None:
            norm = self.total(norm.square()).sqrt()
        if largest is not None:
            # the same 1e-6 as torch.nn.utils.clip_grad_norm_; a factor of 1 changes no bit
            torch._foreach_mul_(gradients, torch.clamp(largest / (norm + 1e-6), max=1.0))
        return norm

    def state_dict(self) -> list[dict[str, Any]]:
        """Return the state of each optimiser."""
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[dict[str, Any]]) -> None:
        """Load the states; those of sharded weights are sharded too."""
        for part, state in zip(self.parts, states, strict=True):
            weights = [p for group in part.param_groups for p in group["params"]]
            moments = {
                i: {name: part_like(one, weights[i]) for name, one in held.items()}
                for i, held in state["state"].items()
            }
            part.load_state_dict({**state, "state": moments})
        self.groups = [group for part in self.parts for group in part.param_groups]


def make(module: nn.Module, h: Hyperparameters) -> Optimizers:
    """Return the optimiser of a run.

    Weight decay applies to the matrices of the blocks and to the head, not to embeddings, gains and biases,
    which it would pull towards a wrong size. It is decoupled (arXiv:1711.05101), except for `adam` and `sgd`,
    where it is an L2 term in the gradient, as in the papers of those names.
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
    """Return SOAP: Adam in the eigenbasis of Shampoo's preconditioner (arXiv:2409.11321, algorithm 3).

    The basis is computed again every 10 steps, as in the paper. The first step changes no weights; it only
    initialises the preconditioner.
    """
    try:
        from pytorch_optimizer.optimizer.soap import SOAP
    except ModuleNotFoundError:
        raise ConfigError(
            "recipe.optimizer=soap needs the package pytorch-optimizer; type: pip install "
            "'scaling[optimizers]', or set recipe.optimizer=adamw"
        ) from None
    optimizer: torch.optim.Optimizer = SOAP(
        groups, lr=h.learning_rate, betas=(h.beta1, h.beta2), eps=h.epsilon
    )
    return optimizer


def _adamw(groups: list[dict[str, Any]], h: Hyperparameters) -> torch.optim.Optimizer:
    # at 80 thousand parameters on one core, fused takes a third of the time of foreach
    return torch.optim.AdamW(groups, lr=h.learning_rate, betas=(h.beta1, h.beta2), eps=h.epsilon, fused=True)


def _groups(pairs: list[tuple[nn.Parameter, Factors]], h: Hyperparameters) -> list[dict[str, Any]]:
    """Return a group for each combination of factors and decay, in the order of their first parameters."""
    groups: dict[tuple[float, float, float], list[nn.Parameter]] = {}
    for parameter, f in pairs:
        # the division makes learning rate × decay, the relative decay of a step, independent of the
        # parametrization
        decay = h.weight_decay / f.learning_rate if f.kind in ("hidden", "head") else 0.0
        groups.setdefault((f.learning_rate, decay, f.epsilon), []).append(parameter)
    settings = []
    for (rate, decay, epsilon), members in groups.items():
        group: dict[str, Any] = {"params": members, "factor": rate, "weight_decay": decay}
        if h.optimizer in ("adamw", "adam", *OF_MATRICES):
            group["eps"] = h.epsilon * epsilon
        settings.append(group)
    return settings
