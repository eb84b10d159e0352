"""Extend Hydra's search path: `conf/` and `sweeps/` of the working folder, then of the package."""

from __future__ import annotations

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin

from scaling import folders


class ScalingSearchPath(SearchPathPlugin):
    """A search path plugin that puts the folders of `scaling` first, the nearest before the others."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Prepend the folders; the nearest is prepended last and so comes first."""
        for folder in reversed([*folders.folders("conf"), *folders.folders("sweeps")]):
            search_path.prepend(
                provider="scaling", path=f"file://{folder.resolve()}"
            )  # as_uri escapes spaces
