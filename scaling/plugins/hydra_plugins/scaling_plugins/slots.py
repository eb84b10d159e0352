"""`hydra/launcher: slots`: warm worker processes, each pinned to its own core, or on its own GPU or share of
one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class SlotsLauncherConf:
    """Its config."""

    _target_: str = "hydra_plugins.scaling_plugins.slots.SlotsLauncher"
    slots: int | None = None
    """How many cells run at once; null = one for each core that this process may use, or for each GPU."""
    per_gpu: int = 1
    """Slots that share one GPU; in turns, or at once where NVIDIA's MPS was started (nvidia-cuda-mps-control
    -d)."""
    lines: bool = False
    """Lines instead of a live display, even on a terminal."""


ConfigStore.instance().store(group="hydra/launcher", name="slots", node=SlotsLauncherConf, provider="scaling")


class SlotsLauncher(Launcher):
    """Runs jobs in slots on this machine."""

    def __init__(self, slots: int | None = None, per_gpu: int = 1, lines: bool = False) -> None:
        self.slots, self.per_gpu, self.lines = slots, per_gpu, lines

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keeps what `launch` needs; a slot always runs `scaling.train`, whatever the task function is."""
        self.hydra_context = hydra_context
        self.config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Runs every job, in the order given, and returns one result each; a failed job does not stop the
        others.
        """
        from scaling.sweeping.slots.pool import launch

        settings: dict[str, Any] = {"slots": self.slots, "per_gpu": self.per_gpu, "lines": self.lines}
        return launch(
            config=self.config,
            loader=self.hydra_context.config_loader,
            jobs=[list(job) for job in job_overrides],
            first=initial_job_idx,
            **settings,
        )
