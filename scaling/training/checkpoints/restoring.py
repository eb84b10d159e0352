"""Load a checkpoint's content into a trainer, and refuse content that another cell or program wrote."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from scaling.tables.schema import CurveRow
from scaling.training.cell import Cell
from scaling.training.checkpoints import shards
from scaling.training.hardware import sharding
from scaling.training.loop import State, Trainer
from scaling.training.optimization.optimizers import Optimizers
from scaling.training.paths import RunPaths

_GROUP = ("params", "factor", "weight_decay")
"""Keys of a group of parameters that follow from the cell and do not change during a run."""
_LATER = {"joules"}
"""Fields of State that checkpoints of earlier versions lack."""


def restore(trainer: Trainer, content: dict[str, Any], paths: RunPaths) -> None:
    """Load weights, optimiser, random generators and state.

    Raises an exception if the content does not fit the trainer, which is then partly loaded.
    """
    state = state_of(content["state"], trainer.cell)
    if parts := content.get("parts"):
        folder = paths.checkpoint_parts(state.step)
        shards.load(trainer, folder, parts if isinstance(parts, dict) else None)
    else:
        # the step of zero gradients comes first, because it may change weights
        expected = moments(trainer.optimizers)
        load_module(trainer, content["module"])
        check_moments(content["optimizers"], expected, step=state.step)
        trainer.optimizers.load_state_dict(content["optimizers"])
    if (trainer.scaler is None) != (content["scaler"] is None):
        raise ValueError("it has another number format")
    if trainer.scaler is not None:
        trainer.scaler.load_state_dict(content["scaler"])
    if trainer.team.leads:
        torch.set_rng_state(content["random"])
        if content["random_device"] is not None and trainer.precision.device.type == "cuda":
            torch.cuda.set_rng_state(content["random_device"])
    else:  # each process needs its own dropout
        diverge(trainer, step=state.step)
    trainer.state = state


def load_module(trainer: Trainer, saved: dict[str, Tensor]) -> None:
    """Load the weights. Raises an exception if their names, shapes or number formats differ."""
    weights = trainer.module.state_dict()
    for name, one in saved.items():
        if one.dtype != weights[name].dtype:
            raise ValueError(f"its {name} is {one.dtype}, not {weights[name].dtype}")
    trainer.module.load_state_dict(
        {name: sharding.part_like(one, weights[name]) for name, one in saved.items()}
    )


def moments(optimizers: Optimizers) -> list[dict[str, Any]]:
    """Return the optimisers' states after one step with gradients of zero."""
    for parameter in optimizers.parameters:
        if parameter.requires_grad:
            parameter.grad = torch.zeros_like(parameter)
    optimizers.step()
    optimizers.zero()
    return optimizers.state_dict()


def check_moments(saved: list[dict[str, Any]], expected: list[dict[str, Any]], *, step: int) -> None:
    """Raise ValueError if the optimisers' states have other names or shapes than expected.

    A parameter may lack a state, since one that never had a gradient has none.
    """
    for one, fresh in zip(saved, expected, strict=True):
        groups, ours = one["param_groups"], fresh["param_groups"]
        if [[g[k] for k in _GROUP] for g in groups] != [[g[k] for k in _GROUP] for g in ours]:
            raise ValueError("its optimizer has other groups of parameters")
        if step and fresh["state"] and not one["state"]:
            raise ValueError("its optimizer has no state")
        for number, held in one["state"].items():
            if shapes(held) != shapes(fresh["state"].get(number, {})):
                raise ValueError(f"its optimizer has another state for parameter {number}")


def shapes(held: dict[str, Any]) -> dict[str, Any]:
    """Return the shape of every tensor of a state, and the type of every other value."""
    return {name: one.shape if isinstance(one, Tensor) else type(one) for name, one in held.items()}


def state_of(saved: dict[str, Any], cell: Cell) -> State:
    """Return a checkpoint's state. Raises an exception if it is not one of this cell."""
    rows = [CurveRow(*row) for row in saved["rows"]]
    if missing := {field.name for field in dataclasses.fields(State)} - set(saved) - _LATER:
        raise ValueError(f"its state lacks {min(missing)}")
    state = State(**saved | {"rows": rows})
    values = [*state.losses, *state.window, *state.tail, *(v for row in rows for v in row if v is not None)]
    if not all(isinstance(value, int | float) for value in values):
        raise ValueError("its losses are not numbers")
    if not isinstance(state.step, int) or not 0 <= state.step <= cell.steps:
        raise ValueError(f"its step is {state.step!r}, not one of 0 to {cell.steps}")
    return state


def diverge(trainer: Trainer, *, step: int = 0) -> None:
    """Seed the random generator of a process that does not lead, by the cell's seed, rank and step."""
    if not trainer.team.leads:
        seed = np.random.SeedSequence([trainer.cell.seed, trainer.team.rank, step])
        torch.manual_seed(int(seed.generate_state(1, np.uint64)[0] >> 1))
