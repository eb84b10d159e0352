"""What tests of figures share: made-up folders of results, and the made-up surface behind them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import synthetic

from scaling.figures import source
from scaling.figures.compare import conventions
from scaling.figures.report import page


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results with ledger, curves and fit; not to be changed."""
    return synthetic.make(tmp_path_factory.mktemp("results") / "made")


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results of three families, without a fit; not to be changed."""
    return synthetic.mixed(tmp_path_factory.mktemp("mixed") / "made")


@pytest.fixture(scope="module")
def made_source(made: Path) -> source.Source:
    """The folder `made` as it is read: what is fitted to it once stays known."""
    return source.read(made)


@pytest.fixture(scope="module")
def mixed_source(mixed: Path) -> source.Source:
    """The folder `mixed` as it is read."""
    return source.read(mixed)


@pytest.fixture(scope="module")
def few_conventions() -> Iterator[None]:
    """Two ways to count compute and parameters instead of six and three, where they are not the question."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conventions, "C_CONVENTIONS", conventions.C_CONVENTIONS[:2])
        patch.setattr(conventions, "N_CONVENTIONS", conventions.N_CONVENTIONS[:2])
        yield


@pytest.fixture
def no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page without its static figures, which take most of its time, where they are not the question."""
    monkeypatch.setattr(page, "drawn", lambda source: ([], set()))
