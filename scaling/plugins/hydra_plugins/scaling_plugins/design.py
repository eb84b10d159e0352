"""Define `hydra/sweeper: design`: run the missing cells of a sweep with any Hydra launcher."""

from dataclasses import dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class DesignSweeperConf:
    """Config of `DesignSweeper`. It has no keys: those of a sweep are in the section `sweep`."""

    _target_: str = "hydra_plugins.scaling_plugins.design.DesignSweeper"


ConfigStore.instance().store(group="hydra/sweeper", name="design", node=DesignSweeperConf, provider="scaling")


class DesignSweeper(Sweeper):
    """A sweeper that plans a sweep and launches the cells without a record."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Store the config and create its launcher."""
        from hydra.core.plugins import Plugins
        from hydra.errors import InstantiationException

        from scaling.errors import ConfigError
        from scaling.sweeping.launching import batch

        batch.limit_threads()
        batch.many_turns(config.hydra)
        batch.room_for(config.hydra, config.device.processes)
        self.hydra_context = hydra_context
        self.config = config
        try:
            self.launcher = Plugins.instance().instantiate_launcher(
                hydra_context=hydra_context, task_function=task_function, config=config
            )
        except InstantiationException as error:
            why = " ".join(str(error.__cause__ or error).split())
            raise ConfigError(
                f"hydra.launcher cannot be used ({why}); leave that key out, or choose another launcher with "
                "hydra/launcher=NAME"
            ) from error

    def sweep(self, arguments: list[str]) -> Any:
        """Run the missing cells and return the sweep's outcome."""
        from scaling.sweeping.driver import drive

        assert self.config is not None, "Hydra calls setup before sweep"
        assert self.hydra_context is not None
        return drive(
            config=self.config,
            loader=self.hydra_context.config_loader,
            launcher=self.launcher,
            arguments=list(arguments),
        )
