"""Define the config of one run and of the sweep that it belongs to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scaling.config.data import CorpusConfig
from scaling.config.device import DeviceConfig
from scaling.config.kinds import PATH, SEED, key, mapping, whole
from scaling.config.model import FamilyConfig, RecipeConfig, StartConfig
from scaling.config.run import BudgetConfig, CheckpointConfig, CompressionConfig, EvaluationConfig
from scaling.config.sweep import SweepConfig


@dataclass(frozen=True, kw_only=True)
class Config:
    """All config keys of one run."""

    context: int = key(64, whole(1, 1_048_576, why="attention takes memory for every token of it"))
    """Tokens of one sequence."""
    seed: int = key(0, SEED)
    """Random seed of the initial weights and of the data order."""
    results: str = key("results", PATH)
    """Folder of results; the environment variable SCALING_RESULTS sets another default."""
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    """Training budget, in FLOPs or in tokens."""
    family: FamilyConfig = field(default_factory=FamilyConfig)
    """Architecture and size."""
    corpus: CorpusConfig = field(default_factory=CorpusConfig)
    """Training and held-out text."""
    recipe: RecipeConfig = field(default_factory=RecipeConfig)
    """Hyperparameters, or the recipe that derives them."""
    start: StartConfig = field(default_factory=StartConfig)
    """Trained run whose weights this run starts from."""
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    """When, and on how many sequences, the held-out loss is measured."""
    compression: CompressionConfig = field(default_factory=CompressionConfig)
    """Rounding and pruning of the weights during training."""
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    """Checkpoints and saved weights."""
    device: DeviceConfig = field(default_factory=DeviceConfig)
    """Device and how the run uses it."""
    sweep: SweepConfig = field(default_factory=SweepConfig)
    """Design of the sweep."""

    values: Mapping[str, Any] = key({}, mapping("{NAME: VALUE}"))
    """User-defined values that other keys refer to as ${values.NAME}."""

    @property
    def results_folder(self) -> Path:
        """The folder of results."""
        return Path(os.path.expanduser(self.results))
