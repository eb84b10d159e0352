"""Offer public measurements to tests: the folder that SCALING_MIRROR names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def mirror() -> Path:
    """Return the folder of public measurements; skip the test, with the reason, where none is named."""
    named = os.environ.get("SCALING_MIRROR")
    if not named or not (Path(named) / "runs").is_dir():
        pytest.skip(f"SCALING_MIRROR names no folder with public measurements in runs/; it is {named!r}")
    return Path(named)
