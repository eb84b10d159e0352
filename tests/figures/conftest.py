"""What tests of figures share: made-up folders of results, and the made-up surface behind them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import synthetic


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results with ledger, curves and fit; not to be changed."""
    return synthetic.make(tmp_path_factory.mktemp("results") / "made")


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results of three families, without a fit; not to be changed."""
    return synthetic.mixed(tmp_path_factory.mktemp("mixed") / "made")
