"""Define `hydra/launcher: ray`: one Ray task per cell, on a local Ray or on a running cluster.

Ray schedules the tasks and restarts them when a node fails. Leases, checkpoints and records are handled here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class RayLauncherConf:
    """Config of `RayLauncher`."""

    _target_: str = "hydra_plugins.scaling_plugins.ray.RayLauncher"
    address: str | None = None
    """Address of a running cluster, or `auto`; null = start Ray on this machine."""
    num_cpus: float = 1
    """Cores per cell."""
    num_gpus: float = 0
    """GPUs per cell; cells share a GPU if this is below 1."""
    max_retries: int = 3
    """Maximum number of restarts of a cell whose node or process failed."""
    init: dict[str, Any] = field(default_factory=dict)
    """Further arguments of `ray.init`."""


ConfigStore.instance().store(group="hydra/launcher", name="ray", node=RayLauncherConf, provider="scaling")


class RayLauncher(Launcher):
    """A launcher that runs jobs as Ray tasks."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Store the config for `launch`."""
        self.hydra_context = hydra_context
        self.config = config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run each job as a Ray task and return one result per job."""
        from scaling.sweeping.launching import ray_tasks

        del initial_job_idx
        return ray_tasks.launch(
            config=self.config,
            loader=self.hydra_context.config_loader,
            jobs=[list(job) for job in job_overrides],
            settings=self.settings,
        )
