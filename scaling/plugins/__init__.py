"""Register this package's Hydra plugins. Only `scaling` enables them, so other Hydra programs in the same
environment do not change.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_FOLDER = str(Path(__file__).parent)


def enable() -> None:
    """Let Hydra import `hydra_plugins.scaling_plugins`, here and in processes that a launcher starts."""
    if _FOLDER not in sys.path:
        sys.path.append(_FOLDER)
    inherited = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    if _FOLDER not in inherited:
        os.environ["PYTHONPATH"] = os.pathsep.join([*inherited, _FOLDER])
