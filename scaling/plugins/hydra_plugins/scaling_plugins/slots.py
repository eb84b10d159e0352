"""Define `hydra/launcher: slots`: worker processes that each use one core, one GPU or a share of a GPU."""

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
    """Config of `SlotsLauncher`."""

    _target_: str = "hydra_plugins.scaling_plugins.slots.SlotsLauncher"
    slots: int | None = None
    """Number of cells that run at once; null = one per usable core, or one per GPU."""
    per_gpu: int = 1
    """Number of slots per GPU. They take turns, or run at once under NVIDIA MPS
    (nvidia-cuda-mps-control -d)."""
    lines: bool = False
    """Whether to print lines instead of a live display on a terminal."""


ConfigStore.instance().store(group="hydra/launcher", name="slots", node=SlotsLauncherConf, provider="scaling")


class SlotsLauncher(Launcher):
    """A launcher that runs jobs in slots on this machine."""

    def __init__(self, slots: int | None = None, per_gpu: int = 1, lines: bool = False) -> None:
        self.slots, self.per_gpu, self.lines = slots, per_gpu, lines

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Store the config for `launch`. The task function is ignored: a slot always runs `scaling.train`."""
        self.hydra_context = hydra_context
        self.config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run the jobs in order and return one result per job; a failed job does not stop the others."""
        from scaling.sweeping.slots.pool import launch

        settings: dict[str, Any] = {"slots": self.slots, "per_gpu": self.per_gpu, "lines": self.lines}
        return launch(
            config=self.config,
            loader=self.hydra_context.config_loader,
            jobs=[list(job) for job in job_overrides],
            first=initial_job_idx,
            **settings,
        )
