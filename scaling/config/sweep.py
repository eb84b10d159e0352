"""Define the config of a sweep: its design, and what happens to cells that fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scaling.config.kinds import NAME, POSITIVE, key, mapping, required, whole
from scaling.config.lists import FACTORS, NAMES, NUMBERS, SEEDS, WHOLES, names_among
from scaling.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class RepeatsConfig:
    """Additional seeds for some budgets."""

    budgets: list[float] = required(NUMBERS)
    """Budgets whose cells get additional seeds."""
    seeds: list[int] = required(SEEDS)
    """Additional seeds."""


@dataclass(frozen=True, kw_only=True)
class RescueConfig:
    """New runs of diverged cells at lower learning rates."""

    factor: float = required(POSITIVE)
    """Factor on the learning rate of each further try; below 1."""
    times: int = required(whole(1, 100, why="each try is a further run"))
    """Maximum number of further tries of a cell."""

    def __post_init__(self) -> None:
        if self.factor >= 1:
            raise ConfigError(
                f"sweep.rescue.factor is {self.factor:g}; a rescue lowers the learning rate, so it must be "
                "below 1"
            )


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """A sweep, which is a set of cells."""

    name: str | None = key(None, NAME)
    """Name of the sweep file, and of the sweep's folder in the results."""
    design: list[str] | None = key(None, NAMES)
    """isoflop, ladder, branches, grid, tuning, repetition, seeds or switches. A list = every combination of
    them; the first varies slowest."""
    budgets: list[float] | None = key(None, NUMBERS)
    """Budgets: FLOPs for isoflop, tokens for ladder and branches."""
    sizes: list[float] | None = key(None, NUMBERS)
    """Values of family.size."""
    ratios: list[float] | None = key(None, NUMBERS)
    """Tokens per parameter."""
    seeds: list[int] | None = key(None, SEEDS)
    """Seeds of every cell. null = the seed of the config."""
    repeats: RepeatsConfig | None = None
    """Additional seeds for some budgets of isoflop: {budgets: [...], seeds: [...]}."""
    axes: Mapping[str, Any] | None = key(None, mapping("{seed: [0, 1]}"))
    """For design=grid: {key: [values]}."""
    switches: Mapping[str, Any] | None = key(None, mapping("{family.qk_norm: [true]}"))
    """For design=switches: {key: [values]}; each cell changes one key."""
    learning_rate_factors: list[float] | None = key(None, FACTORS)
    """For design=tuning: factors on the recipe's learning rate."""
    batch_factors: list[float] | None = key(None, FACTORS)
    """For design=tuning: factors on the recipe's batch size."""
    unique_tokens: list[float] | None = key(None, WHOLES)
    """For design=repetition: numbers of distinct tokens."""
    epochs: list[float] | None = key(None, FACTORS)
    """For design=repetition: numbers of epochs."""
    keep: Mapping[str, Any] | None = key(None, mapping("{steps: [100, null]}"))
    """Cells outside these ranges of the plan's columns are dropped: {tokens_per_parameter: [low, high],
    memory_bytes: [null, high]}."""
    retry: list[str] | None = key(None, names_among("failed", "out_of_memory", "diverged"))
    """Statuses whose cells are run again: failed, out_of_memory, diverged."""
    rescue: RescueConfig | None = None
    """Run diverged cells again at lower learning rates, as new runs: {factor: 0.5, times: 2}."""
    mirrors: list[str] | None = key(None, names_among("tensorboard", "wandb", "trackio"))
    """Trackers that also receive finished runs: tensorboard, wandb, trackio."""
