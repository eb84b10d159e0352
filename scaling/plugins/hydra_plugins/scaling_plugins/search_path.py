"""Where Hydra looks for configs: the working folder's own `conf/` and `sweeps/`, then the ones that came with
the package.
"""

from __future__ import annotations

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from scaling import folders


class ScalingSearchPath(SearchPathPlugin):
    """Puts our folders before everything else, the nearest first."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Prepends, last wins, so the nearest folder goes last."""
        for folder in reversed([*folders.folders("conf"), *folders.folders("sweeps")]):
            search_path.prepend(provider="scaling", path=folder.resolve().as_uri())
